"""What becomes of records we wrote whose Canvas side is gone: told, blanked or deleted, as the account chose.

Pure. A score cleared in Canvas, an assignment withdrawn or deleted, a student who left: the SIS still shows what we
wrote. Removing a child's grade is the one thing that cannot be made good by the next run, so it happens only after a
full listing, only to a record whose value is still ours, and only up to a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.keyed import minted_line_item_id, minted_result_id
from gradesync.domain.line_item import item_subject, line_item_key
from gradesync.domain.passback_decisions import ClassDecision, ClassInput, LineItemDecision, ResultDecision
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry
from gradesync.domain.wish import BLANKS, NOT_SUBMITTED, SUBMITTED, Rules, Speech, Verdict, value_key

OVER_LIMIT = "GS-425"
HAND_EDIT = "GS-412"
_REMOVED = (Verdict.BLANK, Verdict.DELETE)


@dataclass
class Removals:
    """What deciding about one class's leftovers needs."""

    given: ClassInput
    rules: Rules
    held: Mapping[str, Result] = field(init=False)
    blanks: frozenset[str] = field(init=False)
    speech: Speech = field(init=False)
    renamed: Mapping[str, Result] = field(init=False)
    unlocated: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.held = {result.id: result for result in self.given.sis.results}
        self.blanks = frozenset(self.rules.hash(value) for value in BLANKS)
        self.speech = Speech.of(self.rules)
        lost = {
            entry.record_id: entry
            for (kind, _), entry in self.given.ledger.items()
            if kind == RESULT and entry.intent is not None and entry.record_id not in self.held
        }
        self.renamed = self._renamed(lost) if lost else {}
        self.unlocated = frozenset(
            entry.intent for id, entry in lost.items() if entry.intent is not None and id not in self.renamed
        )

    def _renamed(self, lost: Mapping[str, LedgerEntry]) -> Mapping[str, Result]:
        """What the SIS holds in the cells of `lost`, by the id we asked for.

        A SIS that gives ids of its own has stored the result under another one; the run that sent it broke off
        before it could note which. The id we mint names the cell, so it finds the result again; where a SIS holds
        several in a cell, the one with just our score.
        """
        minted = {
            entry.record_id: minted_line_item_id(self.rules.root_uuid, assignment.id, self.given.class_id)
            for assignment in self.given.assignments
            if (entry := self._column_entry(assignment.id)) is not None
        }
        found: dict[str, Result] = {}
        for result in sorted(self.given.sis.results, key=lambda one: one.id):
            # A column of the same run was known by our id when the results' ids were minted.
            for column in {result.line_item_id, minted.get(result.line_item_id, result.line_item_id)}:
                asked = minted_result_id(column, result.student_id)
                entry = lost.get(asked)
                if entry is not None and (asked not in found or self._holds(result, entry) is not None):
                    found[asked] = result
        return found

    def _column_entry(self, assignment_id: int) -> LedgerEntry | None:
        subject = item_subject(self.rules.hash, assignment_id, self.given.class_id)
        return self.given.ledger.get((LINE_ITEM, subject))

    def found(self, entry: LedgerEntry) -> Result | None:
        """The result the SIS holds of ours, be it under an id of its own; None when it holds none."""
        return self.held.get(entry.record_id) or self.renamed.get(entry.record_id)

    @property
    def removes(self) -> bool:
        """Whether this class may lose records now: by policy, and only after a full listing.

        A delta lists what changed; what it does not list may only be late, and no grade is removed on that ground.
        """
        return self.rules.policy.deletions != "report" and self.given.complete

    def left_behind(self, entry: LedgerEntry) -> bool:
        """Whether the SIS may show a result of ours; a run that broke off may have sent it without noting so."""
        return entry.sent is not None or (entry.intent is not None and self.found(entry) is not None)

    def result(
        self, assignment_id: int, entry: LedgerEntry, code: str, *, handed_in: bool = False
    ) -> ResultDecision:
        """A result we sent whose score is gone in Canvas; `code` says why, `handed_in` whether there is work."""

        plain = ResultDecision(assignment_id, entry.subject, Verdict.WITHHELD, code)
        if entry.sent in self.blanks and self.rules.policy.deletions != "delete":
            # Blanked before: the SIS shows no score of ours, and what a person typed since is theirs.
            return replace(plain, verdict=Verdict.NOTHING, code=None)
        if not self.removes:
            # The SIS goes on showing the old score; a person is told, or the nightly run will look again.
            return plain
        found = self.found(entry)
        if found is None:
            # Gone on both sides: agreement, and nothing of ours is left to know.
            return replace(plain, verdict=Verdict.NOTHING, code=None, forget=True)
        holds = self._holds(found, entry) if entry.record_id in self.held else None
        if holds is None:
            # Somebody changed the score in the SIS, or may have typed it: it is not ours to take away.
            return replace(plain, code=HAND_EDIT, result=found)
        plain = replace(plain, code=None, holds=holds)
        if self.rules.policy.deletions == "delete":
            # The student's score disappears from the SIS as it disappeared from Canvas.
            return replace(plain, verdict=Verdict.DELETE, result=found, value=entry.sent)
        status = SUBMITTED if handed_in else NOT_SUBMITTED
        empty = replace(found, score=None, status=status, text=None, late=False, missing=False)
        value = self.rules.hash(value_key(None, status))
        plain = replace(plain, result=empty, value=value)
        if holds == value:
            # Blanked by a run that broke off before it could note it.
            return replace(plain, verdict=Verdict.UNCHANGED, confirmed=True)
        # The cell stays, without a score: an empty cell is no zero.
        return replace(plain, verdict=Verdict.BLANK)

    def _holds(self, found: Result, entry: LedgerEntry) -> str | None:
        """The keyed hash of what the SIS holds, None when it is not ours."""
        for text in (False, True):
            holds = self.rules.hash(self.speech.key_of(found, text=text))
            if holds in (entry.sent, entry.read_back, entry.intent):
                return holds
        return None

    def cells_of(self, column_id: str, assignment_id: int, code: str) -> list[ResultDecision]:
        """Every result of ours in a column whose assignment is gone."""
        ours = self._ours()
        there = (result.id for result in self.given.sis.results if result.line_item_id == column_id)
        return [self.result(assignment_id, ours[id], code) for id in sorted(there) if id in ours]

    def _ours(self) -> Mapping[str, LedgerEntry]:
        """The ledger's results by the id under which the SIS holds them."""
        return {
            found.id: entry
            for (kind, _), entry in self.given.ledger.items()
            if kind == RESULT and (found := self.found(entry)) is not None and self.left_behind(entry)
        }

    def _may_hold_ours(self, column: LineItem) -> bool:
        """Whether a result nobody has linked shows just what a broken-off run was about to write somewhere."""
        if not self.unlocated:
            return False
        ours = self._ours()
        others = (r for r in self.given.sis.results if r.line_item_id == column.id and r.id not in ours)
        return any(
            self.rules.hash(self.speech.key_of(other, text=text)) in self.unlocated
            for other in others
            for text in (False, True)
        )

    def column(
        self, assignment_id: int, entry: LedgerEntry, found: LineItem | None, cells: list[ResultDecision]
    ) -> LineItemDecision:
        """The column itself, once its `cells` are decided; for accounts that remove."""
        plain = LineItemDecision(assignment_id, entry.subject, Verdict.NOTHING)
        if found is None:
            # Gone on both sides.
            return replace(plain, forget=True)
        if self.rules.policy.deletions == "blank":
            if self._may_hold_ours(found):
                # A score of a run that broke off stands there, as it seems, under an id that nobody knows.
                return replace(plain, verdict=Verdict.WITHHELD, code=HAND_EDIT)
            # An empty column stays where it is: it counts for nobody.
            return plain
        holds = self.rules.hash(*line_item_key(found, self.rules.profile.omit))
        going = {d.result.id for d in cells if d.verdict is Verdict.DELETE and d.result is not None}
        others = any(r.line_item_id == found.id and r.id not in going for r in self.given.sis.results)
        if others or holds not in (entry.sent, entry.read_back, entry.intent):
            # A person has worked in this column: deleting it would take their grades along.
            return replace(plain, verdict=Verdict.WITHHELD, code=HAND_EDIT)
        # Nothing but ours was in it, and all of it goes: the report card no longer names the work.
        return replace(plain, verdict=Verdict.DELETE, item=found, value=entry.sent, holds=holds)


def within_limit(decision: ClassDecision, left: int) -> tuple[ClassDecision, int]:
    """The decision with at most `left` removals, and how many it has; the others are withheld as GS-425.

    Results come first, in their order; a column goes only when all of its results may.
    """
    if not any(d.verdict in _REMOVED for d in decision.results) and not any(
        d.verdict in _REMOVED for d in decision.line_items
    ):
        # Nearly every class of every run: nothing is taken from any student.
        return decision, 0
    used = 0
    kept: set[str] = set()
    results: list[ResultDecision] = []
    for result in decision.results:
        if result.verdict in _REMOVED:
            if used < left:
                used += 1
            else:
                assert result.result is not None  # a removal always names its record
                kept.add(result.result.line_item_id)
                result = replace(result, verdict=Verdict.WITHHELD, code=OVER_LIMIT)
        results.append(result)
    items: list[LineItemDecision] = []
    for item in decision.line_items:
        if item.verdict is Verdict.DELETE:
            assert item.item is not None  # a removal always names its record
            if used < left and item.item.id not in kept:
                used += 1
            else:
                item = replace(item, verdict=Verdict.WITHHELD, code=OVER_LIMIT)
        items.append(item)
    return replace(decision, line_items=tuple(items), results=tuple(results)), used
