"""What a roster import and its dry twin are given. Types only; the work is in the rooms beside this one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from gradesync.domain.account import Account
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.run import Mode
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import (
    Guard,
    Progress,
    ReadRecords,
    RosterReader,
    RosterSink,
    RosterSource,
    RosterSpool,
    RunRecords,
)
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.stage import StageTracker

Sleep = Callable[[float], Awaitable[None]]


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class RosterPreview:
    """What a dry run of a roster import needs: readers only. `today` is the local date of the account's zone.

    `data_set` is the stem of the name Canvas compares uploads under (empty: `gradesync:<account>`); the school year
    is appended. `remaster` asks for all rows to be applied again even when nothing changed (after repairs made by
    hand in Canvas). `spool` opens the run's private place for student data. `look` is shown the files that would be
    sent, by name, while they are there; and at first contact `take-over.csv`.
    """

    account: Account
    schedule: ScheduleId
    mode: Mode
    today: date
    source: RosterSource
    records: ReadRecords
    canvas: RosterReader
    progress: Progress
    spool: Callable[[], AbstractContextManager[RosterSpool]]
    data_set: str = ""
    remaster: bool = False
    tracker: StageTracker = field(default_factory=StageTracker)
    brake: Brake | None = None
    look: Callable[[Mapping[str, Path]], None] | None = None


@dataclass(frozen=True, slots=True)
class RosterJob:
    """What a roster import needs. Fields shared with `RosterPreview` mean the same.

    `sleep` waits that many seconds. `wait_for_others` and `wait_for_import` bound, in seconds, how long another
    tool's import and our own are waited for. `brake` measures the read against the last good one; without it
    only counts are compared. `halted` is asked before each upload: whether to end here.
    """

    account: Account
    schedule: ScheduleId
    mode: Mode
    today: date
    source: RosterSource
    records: RunRecords
    guard: Guard
    progress: Progress
    sink: RosterSink
    spool: Callable[[], AbstractContextManager[RosterSpool]]
    sleep: Sleep = asyncio.sleep
    data_set: str = ""
    remaster: bool = False
    wait_for_others: float = 120.0
    wait_for_import: float = 7200.0
    tracker: StageTracker = field(default_factory=StageTracker)
    brake: Brake | None = None
    halted: Callable[[], bool] = _never

    @property
    def keyed(self) -> KeyedHash | None:
        """How rows that Canvas refused are remembered; without it they are not, and all rows are sent again."""
        return None if self.brake is None else self.brake.keyed
