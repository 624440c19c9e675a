"""What is remembered about single records between runs: the ledger's entries and the waiting rows.

Keyed hashes and codes only, never a value or a person's id; the store keeps them, the decision table reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LINE_ITEM = "line item"
RESULT = "result"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What we last wrote about one record, as keyed hashes (never values).

    `subject` is the keyed pseudonym of (assignment, class) or (assignment, class, student); `record_id` the id in
    the SIS. `intent` is written before sending, so that a crash between the write and the read back is not
    mistaken for a hand edit. `sent` None means that nothing was ever confirmed.
    """

    kind: str
    subject: str
    class_id: str
    record_id: str
    sent: str | None
    read_back: str | None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """A record not sent, with the code that says why. `assignment_id` is Canvas's number, None when unknown."""

    subject: str
    class_id: str
    code: str
    assignment_id: int | None = None


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """One thing that happened to one record in a run: the life of a grade is told from these.

    `what` is one of EVENTS; `code` says why, where there is a why; `value` is the keyed hash of the value concerned
    (for a result `domain.wish.value_key`), never the value. The store adds the instant and the run.
    """

    subject: str
    class_id: str
    what: str
    code: str | None = None
    value: str | None = None


EVENTS = ("sent", "refused", "withheld", "released", "blanked", "deleted", "adopted", "differs")
"""`withheld` is told when the code is new for the record, `released` when a withheld record needs nothing any more;
`differs` when the SIS said yes and holds something else."""


EVENTS_KEPT = timedelta(days=400)
"""How long a record's events are kept: one school year and the weeks in which its grades are still asked about."""


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A stored event: aware UTC instant and the run that caused it."""

    event: RecordEvent
    at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A waiting record as stored: `since` is when it began to wait for this code."""

    record: WaitingRecord
    since: datetime
