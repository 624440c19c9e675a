"""What a page shows, as values: every account with its schedules, runs, stops and coming week.

Made by `engine.overview` from the store, rendered by `reporting.page`; neither knows the other. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from gradesync.domain.page_standing import Standing, Word
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Lease
from gradesync.domain.run_line import RunLine
from gradesync.domain.schedule import ScheduleId, State
from gradesync.domain.unrecorded import Unrecorded

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout
    from gradesync.domain.hold import Hold, Request
    from gradesync.domain.week import AccountWeek


class Audience(StrEnum):
    """Who may read the page. `public` has no names of people, no commands, no codes and no small numbers."""

    STAFF = "staff"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class PageSchedule:
    """One schedule as `list` shows it, its word, and who must act (`support`, `district`, `teacher`).

    `skipped_at` is when its newest attempt was skipped: that never takes the place of the last run, which says how
    things stand. None where the newest attempt is the last run.
    """

    row: ScheduleRow
    word: Word
    needs: tuple[str, ...]
    skipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageAccount:
    """One account. `runs` are its newest recorded runs, newest first, of `runs_kept` in all; `schedules` worst first.

    `holds` are those in force over any of its schedules, `blackouts` those that are not over yet. `week` is None where
    no calendar was asked for. `state` is the account's own: no schedule's `state` undoes it.
    """

    key: str
    name: str
    time_zone: str
    group: str | None
    standing: Standing
    schedules: tuple[PageSchedule, ...]
    runs: tuple[RunLine, ...] = ()
    runs_kept: int = 0
    holds: tuple[Hold, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    requests: tuple[Request, ...] = ()
    lease: Lease | None = None
    week: AccountWeek | None = None
    state: State = State.ACTIVE


@dataclass(frozen=True, slots=True)
class Written:
    """Where a schedule is written: `file` relative to the tree and `line` from 1.

    `differs`: what the file says is not what is recorded, so the next pass will change it.
    """

    file: str
    line: int
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything a page is made of, as it stood `at` (aware UTC). `accounts` come worst first.

    `commit` is what the store last applied. `written` tells where schedules stand in the files, where these are at
    hand. `unrecorded` are files of which nothing could be taken yet, so that their accounts are in no list.
    """

    at: datetime
    accounts: tuple[PageAccount, ...]
    commit: str | None = None
    written: Mapping[ScheduleId, Written] = field(default_factory=dict)
    unrecorded: tuple[Unrecorded, ...] = ()


__all__ = ["Audience", "Overview", "PageAccount", "PageSchedule", "Written"]
