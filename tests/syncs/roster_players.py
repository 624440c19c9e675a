"""The ports of a roster import, played in RAM: a SIS, a Canvas that takes uploads, and the run's records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gradesync.domain.record import LedgerEntry, RecordEvent, WaitingRecord, WaitingRow
from gradesync.domain.roster import ImportStatus, Roster
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
    data_set: str
    remaster: bool


@dataclass
class Canvas:
    """A Canvas that walks every import through `steps`, and holds the sections of imports that were applied.

    `loses` names sections it never builds; `foreign` answers of other tools' unfinished imports, one per question.
    """

    steps: Sequence[ImportStatus] = ()
    sections: set[str] = field(default_factory=set)
    loses: frozenset[str] = frozenset()
    foreign: list[bool] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    polls: int = 0

    async def identity(self) -> str:
        return "root-uuid"

    async def unfinished_imports(self) -> Sequence[ImportStatus]:
        busy = self.foreign.pop(0) if self.foreign else False
        return [ImportStatus(1, "importing")] if busy else []

    async def known_ids(self) -> Mapping[str, frozenset[str]]:
        return {"sections": frozenset(self.sections)}

    async def start_import(self, files: Mapping[str, Path], *, data_set: str, remaster: bool) -> ImportStatus:
        texts = {name: path.read_bytes().decode() for name, path in files.items()}
        self.uploads.append(Upload(texts, data_set, remaster))
        self.polls = 0
        rows = texts["sections.csv"].splitlines()[1:]
        self.sections |= {row.split(",")[0] for row in rows} - self.loses
        return ImportStatus(7, "created")

    async def import_status(self, import_id: int) -> ImportStatus:
        assert import_id == 7
        steps = self.steps or (
            ImportStatus(7, "importing", 40),
            ImportStatus(7, "imported", 100, {"users": 4}),
        )
        self.polls += 1
        return steps[min(self.polls, len(steps)) - 1]


@dataclass
class Records:
    """Watermarks in a dict; the ledger is not the roster's business."""

    marks: dict[str, str] = field(default_factory=dict)

    def watermark(self, name: str) -> str | None:
        return self.marks.get(name)

    def set_watermarks(self, values: Mapping[str, str]) -> None:
        self.marks.update(values)

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
