"""Both gradebooks of one class beside each other: equal, or different for a reason that has a name.

Pure, and built on what `domain.passback` decided about the whole class, so that a comparison can never disagree with
the next run. Only classifying stands here: no rule about what may be sent, and nothing that reads or renders. A
record is named by Canvas's assignment number and a keyed pseudonym; values are carried only when asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gradesync.domain.comparison import (
    GONE,
    Cause,
    ClassComparison,
    Comparison,
    Difference,
    Shown,
)
from gradesync.domain.gradebook import LineItem, Result, Submission
from gradesync.domain.line_item import clean_title, line_item_key, result_subject
from gradesync.domain.passback_cells import second_subject
from gradesync.domain.passback_decisions import (
    ClassDecision,
    ClassInput,
    LineItemDecision,
    ResultDecision,
)
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, WaitingRow
from gradesync.domain.wish import Rules, Verdict, rounded, stored_its_own_way

HAND_EDIT = "GS-412"
NOT_STORED = "GS-509"
LEFT = "GS-424"

Decision = LineItemDecision | ResultDecision


def compare_class(
    given: ClassInput,
    decision: ClassDecision,
    rules: Rules,
    waiting: Mapping[str, WaitingRow],
    *,
    values: bool = False,
) -> ClassComparison:
    """Compare one class that was read whole (`given.complete`); `waiting` is what waits in it, by subject."""
    sides = _Sides(given, decision, rules, waiting, values)
    equal: Counter[str] = Counter()
    differences: list[Difference] = []
    nothing = 0
    every: tuple[Decision, ...] = (*decision.line_items, *decision.results)
    for one in every:
        if one.verdict is Verdict.NOTHING:
            nothing += isinstance(one, ResultDecision)
            continue
        found = sides.judge(one)
        if found is None:
            equal[_kind(one)] += 1
        else:
            differences.append(found)
    differences += sides.only_in_sis()
    course_id = given.assignments[0].course_id if given.assignments else None
    return ClassComparison(given.class_id, equal, nothing, tuple(differences), course_id)


@dataclass
class _Sides:
    """What judging the records of one class needs."""

    given: ClassInput
    decision: ClassDecision
    rules: Rules
    waiting: Mapping[str, WaitingRow]
    values: bool
    items: Mapping[str, LineItem] = field(init=False)
    results: Mapping[str, Result] = field(init=False)
    work: Mapping[tuple[int, str], Submission] = field(init=False)
    by_subject: Mapping[str, Submission] = field(init=False)

    def __post_init__(self) -> None:
        self.items = {one.id: one for one in self.given.sis.line_items}
        self.results = {one.id: one for one in self.given.sis.results}
        people = {one.user_id: one.sis_user_id for one in self.given.students if one.sis_user_id}
        mine = (one for one in self.given.submissions if one.user_id in people)
        self.work = {(one.assignment_id, people[one.user_id]): one for one in mine}
        # What is kept back names no student; only whoever looks at values pays for finding the score by its pseudonym.
        self.by_subject = (
            {
                result_subject(self.rules.hash, assignment, self.given.class_id, student): one
                for (assignment, student), one in self.work.items()
            }
            if self.values
            else {}
        )

    def judge(self, decision: Decision) -> Difference | None:
        """The record's difference; None when both sides hold the same."""
        held = self._held(decision)
        entry = self.given.ledger.get((_kind(decision), decision.subject))
        cause, code = self._cause(decision, held, entry)
        if cause is None:
            return None
        return Difference(
            class_id=self.given.class_id,
            kind=_kind(decision),
            assignment_id=decision.assignment_id or None,
            subject=decision.subject,
            cause=cause,
            code=code,
            sends=decision.verdict not in (Verdict.UNCHANGED, Verdict.WITHHELD),
            fields=_fields(decision, held, self.decision.omit),
            shown=self._shown(decision, held) if self.values else None,
        )

    def _cause(
        self, decision: Decision, held: LineItem | Result | None, entry: LedgerEntry | None
    ) -> tuple[Cause | None, str | None]:
        if decision.verdict is Verdict.UNCHANGED:
            return self._of_unchanged(decision, held), None
        if (
            entry is not None
            and decision.holds is not None
            and entry.sent == decision.value != decision.holds == entry.read_back
        ):
            # We sent just this, and the SIS made another one of it.
            return Cause.OTHERWISE, None
        ours = entry is not None and entry.sent is not None
        if decision.verdict is Verdict.WITHHELD:
            if decision.code == GONE and ours:
                return Cause.LOST, GONE
            if decision.code == HAND_EDIT and (
                isinstance(decision, LineItemDecision) or decision.result is not None
            ):
                return Cause.HAND_EDIT, HAND_EDIT
            return Cause.WITHHELD, decision.code
        row = self.waiting.get(decision.subject)
        refusal = row.record.code if row is not None else None
        if held is None and (ours or refusal == NOT_STORED):
            # We wrote it, or the SIS said that it had taken it, and it holds nothing.
            return Cause.LOST, refusal if refusal == NOT_STORED else GONE
        if refusal is not None and refusal.startswith("GS-5"):
            return Cause.REFUSED, refusal
        if held is not None and decision.holds is not None and not _known(decision.holds, entry):
            # The account has decided that Canvas wins: the next run writes over it, and a person may want to know.
            return Cause.HAND_EDIT, None
        return Cause.NOT_YET, None

    def _of_unchanged(self, decision: Decision, held: LineItem | Result | None) -> Cause | None:
        if decision.holds == decision.value:
            return Cause.ROUNDING if self._rounds(decision) else None
        if isinstance(decision, LineItemDecision):
            return Cause.ROUNDING
        if isinstance(held, Result) and decision.result is not None:
            same = held.status == decision.result.status
            if same and stored_its_own_way(held.score, decision.result.score):
                return Cause.ROUNDING
        return Cause.OTHERWISE

    def _rounds(self, decision: Decision) -> bool:
        """Whether both sides hold what was sent, and Canvas shows another number: the account keeps fewer decimals."""
        if isinstance(decision, LineItemDecision) or decision.result is None:
            return False
        work, sent = (
            self.work.get((decision.assignment_id, decision.result.student_id)),
            decision.result.score,
        )
        if work is None or work.score is None or work.excused or sent is None:
            return False
        return rounded(work.score, 4) != rounded(sent, 4)

    def _held(self, decision: Decision) -> LineItem | Result | None:
        entry = self.given.ledger.get((_kind(decision), decision.subject))
        record = _record(decision)
        ids = [record.id if record is not None else None, entry.record_id if entry is not None else None]
        table: Mapping[str, LineItem | Result] = (
            self.items if isinstance(decision, LineItemDecision) else self.results
        )
        return next((table[id] for id in ids if id is not None and id in table), None)

    def _shown(self, decision: Decision, held: LineItem | Result | None) -> Shown | None:
        if isinstance(decision, LineItemDecision):
            return None
        there = _text(held) if isinstance(held, Result) else ""
        return Shown(
            _canvas(self._submission(decision)),
            _text(decision.result) if decision.result is not None else "",
            there,
        )

    def _submission(self, decision: ResultDecision) -> Submission | None:
        if decision.result is not None:
            return self.work.get((decision.assignment_id, decision.result.student_id))
        return self.by_subject.get(decision.subject)

    # - the SIS's side alone -

    def only_in_sis(self) -> Iterator[Difference]:
        """What the SIS holds and no decision accounts for: not ours, or left behind by an assignment that is gone."""
        columns, codes = self._columns(), {one.assignment_id: one.code for one in self.decision.line_items}
        ours = {entry.record_id: entry for entry in self.given.ledger.values()}
        for item in self.given.sis.line_items:
            if item.id not in columns:
                yield self._alone(LINE_ITEM, item.id, None, ours.get(item.id), None)
        decided = {one.subject: one for one in self.decision.results if one.verdict is not Verdict.NOTHING}
        accounted = {one.result.id for one in decided.values() if one.result is not None}
        for result in self.given.sis.results:
            entry = ours.get(result.id)
            if result.id in accounted or (entry is not None and entry.subject in decided):
                continue
            if second_subject(self.rules, result.id) in decided:
                continue  # told already, as a second result beside ours
            assignment = columns.get(result.line_item_id)
            if assignment is not None and entry is None:
                subject = result_subject(self.rules.hash, assignment, self.given.class_id, result.student_id)
                cell = decided.get(subject)
                if cell is not None and cell.result is None:
                    continue  # told already: its decision could not say which record of the SIS it is about
            code = codes.get(assignment) if assignment is not None else None
            yield self._alone(RESULT, result.id, assignment, entry, code, result)

    def _columns(self) -> Mapping[str, int]:
        """The SIS's id of every column that is some assignment's -> the assignment."""
        columns: dict[str, int] = {}
        for one in self.decision.line_items:
            entry = self.given.ledger.get((LINE_ITEM, one.subject))
            if entry is not None:
                columns[entry.record_id] = one.assignment_id
            if one.item is not None:
                columns[one.item.id] = one.assignment_id
        return columns

    def _alone(
        self,
        kind: str,
        record_id: str,
        assignment_id: int | None,
        entry: LedgerEntry | None,
        code: str | None,
        result: Result | None = None,
    ) -> Difference:
        """Not ours; or ours, and left behind by what its line item's `code` says."""
        return Difference(
            class_id=self.given.class_id,
            kind=kind,
            assignment_id=assignment_id or None,
            subject=entry.subject
            if entry is not None
            else self.rules.hash("only in the SIS", kind, record_id),
            cause=Cause.ONLY_IN_SIS if entry is None else Cause.WITHHELD,
            code=None if entry is None else code or LEFT,
            shown=Shown("", "", _text(result)) if self.values and result is not None else None,
        )


def _kind(decision: Decision) -> str:
    return LINE_ITEM if isinstance(decision, LineItemDecision) else RESULT


def _record(decision: Decision) -> LineItem | Result | None:
    return decision.item if isinstance(decision, LineItemDecision) else decision.result


def _known(holds: str, entry: LedgerEntry | None) -> bool:
    return entry is not None and holds in (entry.sent, entry.read_back, entry.intent)


def _text(result: Result) -> str:
    told = ["-" if result.score is None else _short(result.score)]
    told += [result.text] if result.text else []
    told += [word for word, is_so in (("late", result.late), ("missing", result.missing)) if is_so]
    return f"{' '.join(told)} ({result.status})"


def _canvas(work: Submission | None) -> str:
    """What Canvas shows, in full: no place is cut off."""
    if work is None:
        return ""
    if work.excused:
        return "excused"
    told = ["-" if work.score is None else _short(work.score)]
    return " ".join([*told, *(["missing"] if work.missing else [])])


def _short(score: Decimal) -> str:
    text = f"{score:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fields(decision: Decision, held: LineItem | Result | None, omit: Collection[str]) -> tuple[str, ...]:
    """Names of a line item's fields that differ, without those this SIS is never told; none for a result."""
    if not isinstance(decision, LineItemDecision) or decision.item is None or not isinstance(held, LineItem):
        return ()
    here, there = line_item_key(decision.item, omit)[1:], line_item_key(held, omit)[1:]
    names = ("title", "category", "period", "assign date", "due date", "minimum", "maximum")
    return tuple(
        name
        for name, mine, theirs in zip(names, here, there, strict=True)
        if clean_title(mine) != clean_title(theirs)
    )


__all__ = ["Cause", "ClassComparison", "Comparison", "Difference", "Shown", "compare_class"]
