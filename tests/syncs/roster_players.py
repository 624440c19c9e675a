"""The ports of a roster import, played in RAM: a SIS, a Canvas that takes uploads, and the run's records."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gradesync.domain.class_terms import ClassTerm
from gradesync.domain.record import LedgerEntry, RecordEvent, WaitingRecord, WaitingRow
from gradesync.domain.roster import ImportStatus, Roster
from gradesync.domain.roster_rows import RowMessage
from gradesync.domain.roster_takeover import HeldIds
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.ports import RosterIntake


@dataclass
class Sis:
    """A SIS that reads out one roster; `down` makes it fail."""

    roster: Roster
    down: bool = False
    name: str = "district-1"

    async def identity(self) -> str:
        return self.name

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        if self.down:
            raise ConnectionProblem("The SIS does not answer.", code="GS-508", retryable=True)
        for kind in ("orgs", "sessions", "courses", "classes", "users", "enrollments"):
            getattr(intake, kind)(getattr(self.roster, kind))
        told(1, 1)


@dataclass
class Upload:
    """One import as Canvas received it."""

    files: Mapping[str, str]
    data_set: str | None
    remaster: bool
    expected_change: int = 0
    deletes: bool = False

    def rows(self, kind: str) -> list[dict[str, str]]:
        """The rows of a file."""
        return list(csv.DictReader(io.StringIO(self.files.get(f"{kind}.csv", ""), newline="")))


def _who(row: Mapping[str, str]) -> str:
    return row.get("user_id") or row["user_integration_id"]


@dataclass
class Canvas:
    """A Canvas that walks every import through `steps`, and holds the sections of imports that were applied.

    `loses` names sections it never builds; `foreign` answers of other tools' unfinished imports, one per question.
    `states` are imports by number that came to another end later (taken back).
    `messages` are what it says of rows, by number of the import; `down` is how often it does not answer a look.
    """

    steps: Sequence[ImportStatus] = ()
    sections: set[str] = field(default_factory=set)
    loses: frozenset[str] = frozenset()
    foreign: list[bool] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    polls: int = 0
    messages: dict[int, list[RowMessage]] = field(default_factory=dict)
    down: int = 0
    first: int = 7
    hears: bool = True
    forgets: bool = False
    cuts: bool = False
    looks: list[str] = field(default_factory=list)
    seats: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    other_ids: dict[str, set[str]] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    by_hand: frozenset[tuple[str, str]] = frozenset()
    asked_for_imported: list[str] = field(default_factory=list)

    async def identity(self) -> str:
        return "root-uuid"

    async def unfinished_imports(self) -> Sequence[ImportStatus]:
        busy = self.foreign.pop(0) if self.foreign else False
        return [ImportStatus(1, "importing")] if busy else []

    async def recent_imports(self) -> Sequence[ImportStatus]:
        return [self._status(self.first + n) for n in reversed(range(len(self.uploads)))]

    async def held_ids(self, people: str) -> AsyncIterator[HeldIds]:
        for kind, ids in self.other_ids.items():
            yield HeldIds(kind, sorted(ids))
        yield HeldIds("sections", sorted(self.sections))

    async def start_import(
        self,
        files: Mapping[str, Path],
        *,
        data_set: str | None,
        remaster: bool,
        expected_change: int = 0,
        deletes: bool = False,
    ) -> ImportStatus:
        texts = {name: path.read_bytes().decode() for name, path in files.items()}
        if self.hears:
            self.uploads.append(Upload(texts, data_set, remaster, expected_change, deletes))
        self.polls = 0
        if self.cuts:
            raise ConnectionProblem("Canvas does not answer.", code="GS-301", retryable=True)
        upload = self.uploads[-1]
        exceeded = any(one.threshold_exceeded for one in self.steps)
        before = [one for one in self.uploads[:-1] if one.data_set == data_set and data_set is not None]
        for row in before[-1].rows("enrollments") if before and not remaster and not exceeded else ():
            self.seats[row["section_id"]].discard((_who(row), row["role"]))
        self.sections |= {row["section_id"] for row in upload.rows("sections")} - self.loses
        for row in upload.rows("enrollments"):
            seat = (_who(row), row["role"])
            held = self.seats.setdefault(row["section_id"], set())
            held.add(seat) if row["status"] == "active" else held.discard(seat)
        return ImportStatus(self.first + len(self.uploads) - 1, "created")

    async def import_status(self, import_id: int) -> ImportStatus:
        if self.forgets:
            raise ConnectionProblem("The import does not exist.", code="GS-305", status=404)
        if self.down:
            self.down -= 1
            raise ConnectionProblem("Canvas does not answer.", code="GS-301", retryable=True)
        self.polls += 1
        return self._status(import_id)

    def _status(self, import_id: int) -> ImportStatus:
        steps = self.steps or (
            ImportStatus(7, "importing", 40),
            ImportStatus(7, "imported", 100, {"users": 4}),
        )
        data_set = self.uploads[import_id - self.first].data_set or ""
        found = replace(steps[min(max(self.polls, 1), len(steps)) - 1], id=import_id, data_set=data_set)
        return replace(found, state=self.states.get(import_id, found.state))

    async def import_messages(self, import_id: int) -> AsyncIterator[RowMessage]:
        for one in self.messages.get(import_id, ()):
            yield one

    async def class_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        self.looks.append(class_id)
        return frozenset(self.seats.get(class_id, ())) if class_id in self.sections else None

    async def imported_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        self.asked_for_imported.append(class_id)
        seats = frozenset(self.seats.get(class_id, ())) - self.by_hand
        return seats if class_id in self.sections else None


@dataclass
class Records:
    """Watermarks in a dict; the ledger is not the roster's business."""

    marks: dict[str, str] = field(default_factory=dict)
    head: str | None = None
    chunks: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def watermark(self, name: str) -> str | None:
        return self.marks.get(name)

    def set_watermarks(self, values: Mapping[str, str]) -> None:
        self.marks.update(values)

    def generation(self) -> str | None:
        return self.head

    def generation_chunk(self, kind: str, school: str) -> bytes:
        return self.chunks.get((kind, school), b"")

    def note_terms(self, terms: Mapping[str, ClassTerm]) -> None:
        raise AssertionError("a roster import writes no ledger, and so no terms of it")

    def keep_generation(self, head: str, chunks: Mapping[tuple[str, str], bytes]) -> None:
        self.head, self.chunks = head, dict(chunks)

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]:
        return {}

    def waiting(self, class_id: str) -> Mapping[str, WaitingRow]:
        return {}

    def intend(self, entries: Sequence[LedgerEntry]) -> None:
        raise AssertionError("a roster import writes no ledger")

    def checkpoint(
        self,
        class_id: str,
        *,
        ledger: Sequence[LedgerEntry],
        waiting: Sequence[WaitingRecord],
        complete: bool,
        events: Sequence[RecordEvent] = (),
        forgotten: Sequence[tuple[str, str]] = (),
    ) -> None:
        raise AssertionError("a roster import writes no ledger")


@dataclass
class Lease:
    """A guard; `lost` makes it refuse."""

    lost: bool = False

    run = ""

    def check(self) -> None:
        if self.lost:
            raise LeaseLost("The lease has ended.")


@dataclass
class Watcher:
    """Somebody watching: stages and sentences as they came."""

    stages: list[tuple[str, int]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        self.stages.append((stage, done))

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        self.sentences.append(sentence)

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None: ...
