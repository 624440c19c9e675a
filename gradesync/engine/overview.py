"""The read side of the page: everything about all accounts in a handful of reads, however many accounts there are.

Reads the store, never the files, and decides nothing that `domain` does not decide.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gradesync.domain.due import phase_of
from gradesync.domain.hold import HoldsByAccount
from gradesync.domain.interval import IntervalError
from gradesync.domain.page_overview import Overview, PageAccount, PageSchedule
from gradesync.domain.page_standing import WORST_FIRST, standing_of, word_of
from gradesync.domain.schedule import Schedule, State, account_state
from gradesync.domain.unrecorded import noted_files
from gradesync.domain.week import AccountWeek, Stretch, account_week, coming
from gradesync.engine.queries import ListFilter, needs_of, schedule_rows, skipped_at
from gradesync.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from gradesync.domain.account import Blackout
    from gradesync.domain.definition import RecordedAccount
    from gradesync.domain.hold import Hold, Request
    from gradesync.domain.report import ScheduleRow
    from gradesync.domain.run import Lease
    from gradesync.domain.run_line import RunLine
    from gradesync.ports import Store

RUNS_EACH = 25
"""So many of a schedule's newest runs are shown: a month of nights, six hours of quarter hours."""

DAYS = 7
"""A calendar reaches so many local days, today first."""


def overview(
    store: Store, account: str | None = None, *, runs_each: int = RUNS_EACH, days: int = DAYS
) -> Overview:
    """All recorded accounts (or one) with `runs_each` runs per schedule and the coming `days`. Raises NotFound.

    Accounts that were retired are left out; of those whose first file has problems only the files are named, and only
    where all accounts are asked for. `days` 0 makes no calendar.
    """
    only = [account] if account else None
    recorded = store.recorded(only)
    found = {key: one for key, one in recorded.accounts.items() if not one.retired and one.text}
    if account and account not in found:
        raise NotFound(f"no account {account} is recorded", hint="see `gradesync list`")
    now = store.now()
    reads = _Reads(store, only, now, account, runs_each)
    accounts = [reads.account(found[key], days) for key in found]
    accounts.sort(key=lambda one: (WORST_FIRST[one.standing.word], one.key))
    unrecorded = () if account else noted_files(store.frozen())
    return Overview(at=now, accounts=tuple(accounts), commit=recorded.commit, unrecorded=unrecorded)


class _Reads:
    """What was read for all accounts at once, looked up account by account."""

    def __init__(
        self, store: Store, only: Sequence[str] | None, now: datetime, account: str | None, runs_each: int
    ) -> None:
        self._now = now
        self._rows: dict[str, list[ScheduleRow]] = defaultdict(list)
        for row in schedule_rows(store, ListFilter(account=account)):
            self._rows[row.schedule.id.account].append(row)
        self._runs: dict[str, list[RunLine]] = defaultdict(list)
        for run in store.recent_runs(runs_each, only):
            self._runs[run.schedule.account].append(run)
        self._coming = _Shared()
        self._kept = store.run_counts(only)
        self._holds = HoldsByAccount(store.holds(now))
        self._leases: dict[str, Lease] = {lease.account: lease for lease in store.leases()}
        self._requests: dict[str, list[Request]] = defaultdict(list)
        for request in store.requests(now):
            self._requests[request.schedule.account].append(request)

    def account(self, recorded: RecordedAccount, days: int) -> PageAccount:
        """One account, put together."""
        definition = json.loads(recorded.text)
        key, now = recorded.key, self._now
        name, time_zone = str(definition.get("name") or key), str(definition["time_zone"])
        group = definition.get("group")
        rows, runs = self._rows[key], self._runs[key]
        newest = _newest_ended(runs)
        schedules = tuple(
            PageSchedule(
                row,
                word_of(row, now),
                tuple(sorted(needs_of(row))),
                skipped_at(row.last, newest.get(row.schedule.id.name)),
            )
            for row in rows
        )
        needs = {who for one in schedules for who in one.needs}
        holds, blackouts = _covering(self._holds.of(key), rows, group), _blackouts(rows, now)
        return PageAccount(
            key=key,
            name=name,
            time_zone=time_zone,
            group=group,
            standing=standing_of(
                rows, runs, needs, now, held_since=min((hold.created_at for hold in holds), default=None)
            ),
            schedules=schedules,
            runs=tuple(runs),
            runs_kept=self._kept.get(key, 0),
            holds=holds,
            blackouts=blackouts,
            requests=tuple(self._requests[key]),
            lease=self._leases.get(key),
            week=self._week(key, name, time_zone, rows, holds, blackouts, days, group) if days else None,
            state=account_state(definition),
        )

    def _week(
        self,
        key: str,
        name: str,
        time_zone: str,
        rows: Sequence[ScheduleRow],
        holds: Sequence[Hold],
        blackouts: Sequence[Blackout],
        days: int,
        group: str | None,
    ) -> AccountWeek | None:
        """None where an interval was recorded that can no longer be read: the rest of the page must not miss for it."""
        schedules = [row.schedule for row in rows]
        try:
            return account_week(
                key,
                name,
                time_zone,
                schedules,
                holds,
                blackouts,
                self._now,
                days,
                group=group,
                tell=self._coming,
            )
        except IntervalError:
            return None


class _Shared:
    """`domain.week.coming`, remembered: most schedules of many accounts run at the same hours of the same zone."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Stretch, ...]] = {}

    def __call__(
        self,
        schedule: Schedule,
        holds: Sequence[Hold],
        blackouts: Sequence[Blackout],
        since: datetime,
        until: datetime,
        *,
        group: str | None = None,
        time_zone: str | None = None,
    ) -> tuple[Stretch, ...]:
        """As `coming` answers; only what nothing stops and nothing spreads is shared."""
        if holds or blackouts or schedule.spread or schedule.state is State.PAUSED:
            return coming(schedule, holds, blackouts, since, until, group=group, time_zone=time_zone)
        key = (schedule.interval, schedule.time_zone, schedule.first_run, since, until, time_zone)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = coming(schedule, (), (), since, until, time_zone=time_zone)
        # Written out: `replace` takes three times as long, and there are a dozen for each schedule.
        return tuple([Stretch(schedule, s.day, s.first, s.last, s.count, s.every, s.capped) for s in found])


def _newest_ended(runs: Iterable[RunLine]) -> dict[str, RunLine]:
    """The newest run of each schedule that has ended; `runs` are newest first."""
    found: dict[str, RunLine] = {}
    for run in runs:
        if run.outcome is not None and run.schedule.name not in found:
            found[run.schedule.name] = run
    return found


def _covering(holds: Iterable[Hold], rows: Sequence[ScheduleRow], group: str | None) -> tuple[Hold, ...]:
    """Those that stand over at least one schedule of the account."""
    found = [
        hold
        for hold in holds
        if any(hold.scope.covers(row.schedule.id, row.schedule.type, group) for row in rows)
    ]
    return tuple(sorted(found, key=lambda hold: hold.created_at))


def _blackouts(rows: Sequence[ScheduleRow], now: datetime) -> tuple[Blackout, ...]:
    found = dict.fromkeys(blackout for row in rows for blackout in row.blackouts)
    coming = [one for one in found if phase_of(one, now) != "past"]
    return tuple(sorted(coming, key=lambda one: (one.start, one.name)))


__all__ = ["DAYS", "RUNS_EACH", "overview"]
