"""What grade passback is asked about one class, and what it answers: values that the deciding modules share.

Kept apart from the deciding, so that columns and cells know these types and not each other. No rule about a score
or an assignment may live here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from gradesync.domain.gradebook import Assignment, LineItem, Result, SectionStudent, SisGradebook, Submission
from gradesync.domain.record import LedgerEntry, WaitingRecord
from gradesync.domain.wish import NUMBERS_ONLY, Speech, Verdict

STORED_OTHERWISE = "GS-509"
"""The SIS said yes to a record and holds something else."""

STILL_SHOWN = "GS-426"
"""The SIS shows what Canvas no longer does."""

GONE_STATES = frozenset({"inactive", "deleted", "rejected"})
"""Canvas enrollment states of a student who has left the section."""


@dataclass(frozen=True, slots=True)
class LineItemDecision:
    """One assignment in one class. `usable` tells whether results may go into the line item.

    `value` is the keyed hash of what is (to be) sent, `holds` of what the SIS holds (None: it holds no such record);
    `confirmed` says that the SIS already holds what it should although the ledger does not know it yet. `forget`
    tells that the record is gone on both sides, so that the ledger need not know it any more.
    """

    assignment_id: int
    subject: str
    verdict: Verdict
    code: str | None = None
    item: LineItem | None = None
    value: str | None = None
    usable: bool = False
    is_new: bool = False
    confirmed: bool = False
    holds: str | None = None
    forget: bool = False


@dataclass(frozen=True, slots=True)
class ResultDecision:
    """One student's score in one assignment and class; fields as in LineItemDecision."""

    assignment_id: int
    subject: str
    verdict: Verdict
    code: str | None = None
    result: Result | None = None
    value: str | None = None
    confirmed: bool = False
    holds: str | None = None
    forget: bool = False


@dataclass(frozen=True, slots=True)
class ClassDecision:
    """Everything decided about one class.

    `removal_limit` is how many records the whole run may blank or delete. `speech` and `omit` tell what of a record
    counts when it is read back.
    """

    class_id: str
    line_items: tuple[LineItemDecision, ...]
    results: tuple[ResultDecision, ...]
    removal_limit: int = 0
    speech: Speech = NUMBERS_ONLY
    omit: tuple[str, ...] = ()

    def counts(self) -> Counter[str]:
        """Records by word; line items are counted apart, so that `sent` means scores."""
        words = {
            Verdict.SEND: "sent",
            Verdict.UNCHANGED: "unchanged",
            Verdict.WITHHELD: "withheld",
            Verdict.NOTHING: "nothing to send",
            Verdict.BLANK: "blanked",
            Verdict.DELETE: "deleted",
        }
        counts = Counter(words[d.verdict] for d in self.results)
        if deleted := sum(d.verdict is Verdict.DELETE for d in self.line_items):
            counts["line items deleted"] += deleted
        counts["line items sent"] += sum(d.verdict is Verdict.SEND for d in self.line_items)
        return counts

    def codes(self) -> Counter[str]:
        """Withheld records by code; an assignment's own code counts once when no score hangs on it."""
        codes: Counter[str] = Counter(d.code for d in self.results if d.code)
        seen = {d.assignment_id for d in self.results if d.code}
        codes.update(d.code for d in self.line_items if d.code and d.assignment_id not in seen)
        return codes

    def waiting(self) -> tuple[WaitingRecord, ...]:
        """Rows to keep for what was withheld."""
        withheld: Iterable[LineItemDecision | ResultDecision] = (*self.line_items, *self.results)
        return tuple(
            WaitingRecord(d.subject, self.class_id, d.code, d.assignment_id or None)
            for d in withheld
            if d.code
        )


@dataclass(frozen=True, slots=True)
class ClassInput:
    """One SIS class with the Canvas side that belongs to it.

    `students` are those of the sections tied to the class; `section_ids` are these sections' Canvas ids;
    `submissions` are the ones to decide (all of them when `complete`). `today` is the account's school day, None
    where nobody said: then no marking period counts as open or closed.
    """

    class_id: str
    section_ids: frozenset[int]
    students: tuple[SectionStudent, ...]
    assignments: tuple[Assignment, ...]
    submissions: tuple[Submission, ...]
    sis: SisGradebook
    ledger: Mapping[tuple[str, str], LedgerEntry]
    complete: bool
    today: date | None = None


def settled_at(entry: LedgerEntry | None, value: str) -> bool:
    """Whether the ledger knows the value already, with nothing left open by a run that broke off."""
    return entry is not None and entry.sent == value and entry.intent is None
