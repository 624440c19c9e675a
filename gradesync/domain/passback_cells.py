"""Which result a student gets in one line item: sent, unchanged, nothing to send, or withheld with a code.

Pure. A result is a cell of the SIS's gradebook; `passback_columns` has decided its column before. Whatever no
branch covers is withheld: nothing unknown is ever sent (`oneroster.md` 7, `canvas.md` 5).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from gradesync.domain.gradebook import Assignment, LineItem, Result, SectionStudent, Submission
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import minted_result_id
from gradesync.domain.line_item import result_subject
from gradesync.domain.passback_decisions import (
    GONE_STATES,
    ClassInput,
    LineItemDecision,
    ResultDecision,
    settled_at,
)
from gradesync.domain.record import RESULT, LedgerEntry
from gradesync.domain.wish import Rules, Verdict, Wish, stored_its_own_way, value_key, wish_for


@dataclass
class Cells:
    """What deciding one class's results needs: `students` are one enrollment per person, by Canvas user id."""

    given: ClassInput
    rules: Rules
    students: Mapping[int, SectionStudent]
    held: Mapping[tuple[str, str], list[Result]] = field(init=False)
    shared_ids: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.held = _by_cell(self.given.sis.results)
        self.shared_ids = _shared_ids(self.students.values())

    def decide(
        self, submission: Submission, assignment: Assignment, item: LineItemDecision
    ) -> ResultDecision | None:
        """What is done about one score; None when there is nothing to say about it."""
        student = self.students[submission.user_id]
        if student.state in GONE_STATES:
            # Has left this section: the SIS keeps what it has, nothing new is said.
            return None
        wish = wish_for(submission, assignment, self.rules)
        if student.sis_user_id is None:
            if wish.verdict is not Verdict.SEND or not item.usable:
                return None
            # Cannot be named to the SIS; guessing by name could give a child another child's grade.
            subject = self.rules.hash(
                "result", str(assignment.id), self.given.class_id, f"canvas:{student.user_id}"
            )
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-417")
        subject = result_subject(self.rules.hash, assignment.id, self.given.class_id, student.sis_user_id)
        entry = self.given.ledger.get((RESULT, subject))
        if item.verdict is Verdict.NOTHING:
            return None
        if student.sis_user_id in self.shared_ids:
            # Two people in Canvas are one student in the SIS: either one's score could be the wrong one.
            if wish.verdict is Verdict.NOTHING:
                return None
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-422")
        if wish.verdict is Verdict.NOTHING:
            if entry is not None and entry.sent is not None:
                # A score we sent is gone in Canvas; whether the SIS should forget it too is a policy.
                return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-418")
            return ResultDecision(assignment.id, subject, Verdict.NOTHING)
        if wish.verdict is Verdict.WITHHELD:
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, wish.code)
        if not item.usable or item.item is None:
            # The column itself is withheld: the score waits under the same code.
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, item.code or "GS-422")
        if student.sis_user_id not in self.given.sis.students:
            # Late add, drop or transfer: the SIS does not list the student in this class (yet).
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-503")
        return self._cell(submission, student.sis_user_id, assignment, item.item, wish, subject, entry)

    def _cell(
        self,
        submission: Submission,
        student_id: str,
        assignment: Assignment,
        item: LineItem,
        wish: Wish,
        subject: str,
        entry: LedgerEntry | None,
    ) -> ResultDecision:
        held = self.held.get((item.id, student_id), [])
        ours = entry.record_id if entry is not None else minted_result_id(item.id, student_id)
        found = next((r for r in held if r.id == ours), None)
        if found is None and len(held) > 1:
            # Two cells for one student, neither ours: whichever we chose could be the wrong one.
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-423")
        if found is None and entry is not None and entry.sent is not None and not held:
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-505")
        found = found or (held[0] if held else None)
        result = Result(
            id=found.id if found is not None else minted_result_id(item.id, student_id),
            line_item_id=item.id,
            student_id=student_id,
            score=wish.score,
            status=wish.status,
            score_date=self._score_date(submission, item),
            class_id=self.given.class_id,
        )
        value = self.rules.hash(wish.key)

        holds = self.rules.hash(value_key(found.score, found.status)) if found is not None else None

        def decided(verdict: Verdict, code: str | None = None, *, confirmed: bool = False) -> ResultDecision:
            return ResultDecision(assignment.id, subject, verdict, code, result, value, confirmed, holds)

        if found is None:
            return decided(Verdict.SEND)
        if holds == value:
            return decided(Verdict.UNCHANGED, confirmed=not settled_at(entry, value))
        if entry is not None and entry.sent == value and entry.read_back == holds:
            # Stored its own way by the SIS (rounded, say) and read back so: sending again changes nothing.
            return decided(Verdict.UNCHANGED)
        if entry is not None and holds in (entry.sent, entry.read_back, entry.intent):
            return decided(Verdict.SEND)
        own_way = found.status == wish.status and stored_its_own_way(found.score, wish.score)
        if entry is not None and entry.intent == value and own_way:
            # Written, and not read back because the run broke off: our own score in the SIS's form.
            return decided(Verdict.SEND)
        if self.rules.policy.conflict == "canvas_wins":
            return decided(Verdict.SEND)
        # Neither what we wrote nor what we read back: a person typed it. Overwriting would undo a decision
        # about a child that nobody told us about.
        return decided(Verdict.WITHHELD, "GS-412")

    def _score_date(self, submission: Submission, item: LineItem) -> date:
        instant = submission.graded_at or submission.posted_at or item.due_date
        assert instant is not None  # a line item to be sent always has a due date
        return to_local(instant, self.rules.time_zone).date()

    def disappeared(self, seen: set[str]) -> Iterable[ResultDecision]:
        """Results we sent whose Canvas side is no longer listed; only a full listing may conclude that.

        A student who left the class, an assignment deleted: reported, never removed by itself.
        """
        current = {
            result_subject(self.rules.hash, assignment.id, self.given.class_id, student.sis_user_id)
            for assignment in self.given.assignments
            for student in self.given.students
            if student.sis_user_id is not None and student.state not in GONE_STATES
        }
        for (kind, subject), entry in self.given.ledger.items():
            if kind == RESULT and entry.sent is not None and subject not in seen and subject not in current:
                yield ResultDecision(0, subject, Verdict.WITHHELD, "GS-424")


def _shared_ids(students: Iterable[SectionStudent]) -> frozenset[str]:
    here = Counter(s.sis_user_id for s in students if s.sis_user_id and s.state not in GONE_STATES)
    return frozenset(id for id, people in here.items() if people > 1)


def _by_cell(results: Iterable[Result]) -> Mapping[tuple[str, str], list[Result]]:
    cells: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        cells[(result.line_item_id, result.student_id)].append(result)
    return cells
