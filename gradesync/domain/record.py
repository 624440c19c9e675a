"""What is remembered about single records between runs: the ledger's entries and the waiting rows.

Keyed hashes and codes only, never a value or a person's id; the store keeps them, the decision table reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

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
