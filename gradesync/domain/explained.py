"""What is told of one grade, as values: what the store remembers, the checks on its way, what the SIS holds.

Only values; they are put together in `explaining`. A record is named by Canvas's assignment number and keyed
pseudonyms. `Shown` alone carries scores and titles, and only for a person at a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gradesync.domain.record import LedgerEntry, PastEvent, WaitingRow
from gradesync.domain.run import Run

WRITES = frozenset({"sent", "blanked", "deleted", "adopted"})
"""Events after which the SIS held something else than before."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store knows of one record: the ledger's entry, what it waits for, and its events, oldest first."""

    kind: str
    subject: str
    entry: LedgerEntry | None
    waiting: WaitingRow | None
    events: tuple[PastEvent, ...]

    @property
    def anything(self) -> bool:
        """Whether it was ever met."""
        return self.entry is not None or self.waiting is not None or bool(self.events)

    @property
    def last_write(self) -> PastEvent | None:
        """The last thing gradesync changed in the SIS."""
        return next((past for past in reversed(self.events) if past.event.what in WRITES), None)

    @property
    def last_told(self) -> PastEvent | None:
        """The last thing that was decided or done."""
        return self.events[-1] if self.events else None


@dataclass(frozen=True, slots=True)
class Check:
    """One question on the way from Canvas to the SIS. `question` is a stable key; `answer` None: could not be told.

    `id` names a period, a category or a section by its id.
    """

    question: str
    answer: bool | None
    id: str | None = None


class Held(StrEnum):
    """What the SIS holds now."""

    NOTHING = "nothing"
    AS_CANVAS = "what Canvas shows"
    AS_SENT = "what was last sent"
    OTHER = "another value"
    UNKNOWN = "not looked at"


class Next(StrEnum):
    """What becomes of the grade at the next run."""

    SENDS = "is sent"
    REMOVES = "is taken out"
    WAITS = "waits"
    SETTLED = "stays as it is"
    NOTHING = "nothing to send"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Shown:
    """Values and titles, by label: never for a file, a log or the store."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClassStory:
    """The grade in one SIS class (None: the student's section is tied to none)."""

    class_id: str | None
    item: Remembered | None
    result: Remembered | None
    checks: tuple[Check, ...] = ()
    held: Held = Held.UNKNOWN
    next: Next = Next.UNKNOWN
    code: str | None = None
    shown: Shown | None = None

    @property
    def last_write(self) -> PastEvent | None:
        """The last write of the result."""
        return self.result.last_write if self.result is not None else None


@dataclass(frozen=True, slots=True)
class WasSent:
    """Whether a value was ever sent, and where it was met. `since` is how far back events are kept."""

    answer: bool
    events: tuple[PastEvent, ...]
    last: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """The life of one grade. `student` is the keyed pseudonym of the person; `blocked` says why nothing runs now."""

    account: str
    schedule: str
    time_zone: str
    assignment_id: int
    student: str
    at: datetime
    live: bool
    course_id: int | None
    in_course: bool | None
    classes: tuple[ClassStory, ...]
    runs: Mapping[str, Run]
    next_run_at: datetime | None
    blocked: tuple[str, ...]
    observes: bool
    was: WasSent | None = None
