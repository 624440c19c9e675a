"""Taking over what another tool's sync wrote: which line items and results of a class are this assignment's already.

Pure. Switching tools must double nothing and must not change a grade behind a teacher's back. What is found is told
first (a preview) and then written into the ledger, never into the SIS:

* a line item of the same title, due day and maximum becomes ours as it is: our wish is recorded as sent and its own
  form as read back, so that small differences of another tool's making are left alone until the assignment changes;
* a line item of another maximum is linked only: its scores would mean something else, so it waits as GS-412;
* a result that shows Canvas's score (be it rounded) is recorded as sent; the next run has nothing to do;
* a result that shows another score is linked only: the next run withholds it as GS-412 until somebody has decided,
  or sends Canvas's where the account says `conflict: canvas_wins`.

Where several could be meant, none is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gradesync.domain.gradebook import LineItem, Result, SisCatalogue
from gradesync.domain.passback import ClassInput, LineItemDecision, ResultDecision, decide_class
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, RecordEvent
from gradesync.domain.wish import Rules, Verdict, stored_its_own_way

_AMBIGUOUS = frozenset({"GS-404", "GS-423"})


class Fate(StrEnum):
    """What becomes of one record when the account is adopted."""

    SAME = "same"
    """Taken over; both sides agree."""
    DIFFERS = "differs"
    """Linked; the values differ and wait for a person or the policy."""
    AMBIGUOUS = "ambiguous"
    """More than one could be meant; none is taken."""
    MISSING = "missing"
    """Not in the SIS yet: the next run creates it."""
    WITHHELD = "withheld"
    """Not sent by rule, whatever the SIS holds."""
    KNOWN = "known"
    """In the ledger already."""
    ONLY_IN_SIS = "only in the SIS"
    """No assignment or score of Canvas's answers to it; left alone."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """One record: `kind` is LINE_ITEM or RESULT, `assignment_id` Canvas's number (None: Canvas has none).

    `entry` is the ledger row to write, None when there is nothing to take over; `code` says why it waits.
    """

    kind: str
    assignment_id: int | None
    fate: Fate
    entry: LedgerEntry | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class ClassAdoption:
    """One class: every record with its fate."""

    class_id: str
    records: tuple[Adopted, ...]

    def counts(self, kind: str) -> Counter[Fate]:
        """Records of a kind by fate, for the preview."""
        return Counter(one.fate for one in self.records if one.kind == kind)

    def entries(self) -> tuple[LedgerEntry, ...]:
        """The ledger rows to write."""
        return tuple(one.entry for one in self.records if one.entry is not None)

    def events(self) -> tuple[RecordEvent, ...]:
        """What to tell about each record taken over."""
        return tuple(
            RecordEvent(entry.subject, self.class_id, "adopted", value=entry.sent) for entry in self.entries()
        )


def adopt_class(given: ClassInput, catalogue: SisCatalogue, rules: Rules) -> ClassAdoption:
    """What would be taken over in one class that was read whole (`given.complete`, all results).

    The deciding is grade passback's own, so the preview tells what the next run will find.
    """
    decision = decide_class(given, catalogue, rules)
    finding = _Finding(given)
    records = [
        *(finding.line_item(one) for one in decision.line_items if one.verdict is not Verdict.NOTHING),
        *(finding.result(one) for one in decision.results if one.verdict is not Verdict.NOTHING),
    ]
    taken = {one.item.id for one in decision.line_items if one.item is not None and one.holds is not None}
    cells = {one.result.id for one in decision.results if one.result is not None and one.holds is not None}
    return ClassAdoption(given.class_id, (*records, *_alone(given, taken, cells)))


def _alone(given: ClassInput, items: set[str], cells: set[str]) -> Iterator[Adopted]:
    known = {entry.record_id for entry in given.ledger.values()}
    for item in given.sis.line_items:
        if item.id not in items and item.id not in known:
            yield Adopted(LINE_ITEM, None, Fate.ONLY_IN_SIS)
    for result in given.sis.results:
        if result.id not in cells and result.id not in known:
            yield Adopted(RESULT, None, Fate.ONLY_IN_SIS)


@dataclass
class _Finding:
    """Judges decided records of one class."""

    given: ClassInput

    def line_item(self, decision: LineItemDecision) -> Adopted:
        """One assignment's line item."""
        found = None
        if decision.item is not None and decision.holds is not None:
            found = next((one for one in self.given.sis.line_items if one.id == decision.item.id), None)
        # Another maximum is another scale: the same number would be another grade.
        same = found is not None and decision.item is not None and found.maximum == decision.item.maximum
        return self._judged(LINE_ITEM, decision, found, same=same)

    def result(self, decision: ResultDecision) -> Adopted:
        """One student's result."""
        found = None
        if decision.result is not None and decision.holds is not None:
            found = next((one for one in self.given.sis.results if one.id == decision.result.id), None)
        same = found is not None and (decision.holds == decision.value or _own_way(found, decision.result))
        return self._judged(RESULT, decision, found, same=same)

    def _judged(
        self,
        kind: str,
        decision: LineItemDecision | ResultDecision,
        found: LineItem | Result | None,
        *,
        same: bool,
    ) -> Adopted:
        def fate(fate: Fate, entry: LedgerEntry | None = None) -> Adopted:
            code = None if fate in (Fate.SAME, Fate.KNOWN) else decision.code
            return Adopted(kind, decision.assignment_id or None, fate, entry, code)

        known = self.given.ledger.get((kind, decision.subject))
        if known is not None and known.sent is not None:
            return fate(Fate.KNOWN)
        if decision.code in _AMBIGUOUS:
            return fate(Fate.AMBIGUOUS)
        if found is None:
            return fate(Fate.MISSING if decision.verdict is Verdict.SEND else Fate.WITHHELD)
        linked = LedgerEntry(
            kind=kind,
            subject=decision.subject,
            class_id=self.given.class_id,
            record_id=found.id,
            sent=decision.value if same else None,
            read_back=decision.holds if same else None,
            # Another tool's form of a column is marked as meant, or the next full run would put ours in its place.
            intent=decision.holds
            if same and kind == LINE_ITEM and decision.holds != decision.value
            else None,
        )
        return fate(Fate.SAME if same else Fate.DIFFERS, linked)


def _own_way(found: Result, wanted: Result | None) -> bool:
    return (
        wanted is not None and found.status == wanted.status and stored_its_own_way(found.score, wanted.score)
    )
