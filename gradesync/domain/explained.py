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
        """The last thing gradesync changed in the SIS; what the SIS took and never held changed nothing."""
        written = (past for past in self.events if past.event.what in WRITES and not self.swallowed(past))
        return next(reversed(tuple(written)), None)

    def swallowed(self, past: PastEvent) -> bool:
        """Whether the SIS said yes to this write (GS-509) and afterwards held nothing, or what it had held before."""
        at = next((n for n, one in enumerate(self.events) if one is past), None)
        if at is None or past.event.what not in WRITES:
            return False
        answer = next(
            (
                one.event
                for one in self.events[at:]
                if one.run_id == past.run_id and one.event.what == "differs"
            ),
            None,
        )
        changing = (one.event for one in self.events[:at] if one.event.what in (*WRITES, "differs"))
        before = next(reversed([event.value for event in changing]), None)
        return answer is not None and answer.value in (None, before)

    @property
    def refused(self) -> WaitingRow | None:
        """What it waits for, if that is an answer of the SIS and no rule: a refusal, or a yes that was none."""
        row = self.waiting
        if row is None:
            return None
        code = row.record.code
        mine = [past for past in self.events if past.event.code == code]
        if not mine:
            # Events are dropped after a school year, waiting rows are not.
            return row if code.startswith("GS-5") else None
        return row if mine[-1].event.what in ("refused", "differs") else None

    @property
    def broken_off(self) -> bool:
        """Whether a write was begun and nothing is on record of how it ended."""
        return self.entry is not None and self.entry.intent is not None and self.waiting is None

    @property
    def last_told(self) -> PastEvent | None:
        """The last thing that was decided or done."""
        return self.events[-1] if self.events else None


@dataclass(frozen=True, slots=True)
class Check:
    """One question on the way from Canvas to the SIS. `question` is a stable key; `answer` None: could not be told.

    `id` names a period, a category or a section by its id; `code` why the answer is no.
    """

    question: str
    answer: bool | None
    id: str | None = None
    code: str | None = None


class Held(StrEnum):
    """What the SIS holds now."""

    NOTHING = "nothing"
    AS_CANVAS = "what Canvas shows"
    ROUNDED = "what Canvas shows, rounded"
    AS_SENT = "what was last sent"
    OTHER = "another value"
    UNKNOWN = "not looked at"


class Next(StrEnum):
    """What becomes of the grade at the next run."""

    SENDS = "is sent"
    REMOVES = "is taken out"
    REFUSED = "was refused"
    WAITS = "waits"
    SETTLED = "stays as it is"
    NOTHING = "nothing to send"
    UNKNOWN = "not known"


class Retry(StrEnum):
    """When a record that waits is looked at again, whatever the slot; a full run looks at everything."""

    NEXT_RUN = "with the next run"
    ROSTER = "when the roster changes, else once a day"
    CATALOGUE = "when the SIS's classes, categories or periods change, else once a day"
    DAILY = "once a day"
    CHANGE = "when it changes in Canvas or in the account's settings"


@dataclass(frozen=True, slots=True)
class Shown:
    """Values and titles, by label: never for a file, a log or the store."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClassStory:
    """The grade in one SIS class (None: the student's section is tied to none; `section` is then its place in Canvas).

    `code` is why it is not sent, `since` how long that has stood and `retry` when it is looked at again, as far as it
    is on record. `namesakes` are the assignments it cannot be told from (GS-404).
    `unsent_missing`: Canvas marks the work missing, and the account does not send such work.
    """

    class_id: str | None
    item: Remembered | None
    result: Remembered | None
    checks: tuple[Check, ...] = ()
    held: Held = Held.UNKNOWN
    next: Next = Next.UNKNOWN
    code: str | None = None
    shown: Shown | None = None
    since: datetime | None = None
    retry: Retry | None = None
    unsent_missing: bool = False
    section: str | None = None
    namesakes: tuple[int, ...] = ()

    @property
    def refused_in(self) -> str | None:
        """The run in which the SIS refused it, whose own words `show` keeps apart."""
        for one in (self.result, self.item):
            if one is not None and one.refused is not None:
                told = (p for p in reversed(one.events) if p.event.what in ("refused", "differs"))
                return next((past.run_id for past in told), None)
        return None

    @property
    def last_write(self) -> PastEvent | None:
        """The last write of the result."""
        return self.result.last_write if self.result is not None else None


@dataclass(frozen=True, slots=True)
class WasSent:
    """Whether a value was ever sent, and where it was met. `since` is how far back events are kept.

    `statuses` are the words it was met with: a 0 that went as `exempt` was no score of zero.
    """

    answer: bool
    events: tuple[PastEvent, ...]
    last: bool
    since: datetime
    statuses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The life of one grade. `student` is the keyed pseudonym of the person; `blocked` says why nothing runs now.

    `gone`: Canvas was asked and does not know the assignment any more. `unpublished`: it does, and keeps the whole
    course from its students, so that nothing of it can be read.
    """

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
    gone: bool = False
    unpublished: bool = False
