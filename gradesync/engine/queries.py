"""The read side: what `list`, `show`, `history` and `holds` answer. Reads the store, never the files.

Kept light: `list` must cost little more than opening the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from gradesync.domain.due import blocks
from gradesync.domain.hold import HoldsByAccount
from gradesync.domain.needs import groups, needs
from gradesync.domain.problem import CODES
from gradesync.domain.report import AccountView, BlackoutRow, ScheduleRow
from gradesync.domain.run import Lease, Outcome, Run
from gradesync.domain.schedule import Schedule, ScheduleId, SyncType
from gradesync.errors import NotFound

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout
    from gradesync.domain.definition import RecordedAccount
    from gradesync.domain.hold import Hold, HoldScope
    from gradesync.domain.run_line import RunLine
    from gradesync.ports import Store

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which rows `list` shows; fields left None match everything. `label` is `key=value`.

    `code` keeps what somebody must act on because of that code.
    """

    account: str | None = None
    type: SyncType | None = None
    group: str | None = None
    label: tuple[str, str] | None = None
    needs: str | None = None
    code: str | None = None


def schedule_rows(store: Store, wanted: ListFilter, *, attempts: bool = False) -> tuple[ScheduleRow, ...]:
    """Rows of `list`, worst first: failing, waiting for someone, blocked, fine.

    With `attempts` a newer attempt that was skipped is looked up too: a read of its own, for those who tell of it.
    """
    now = store.now()
    only = [wanted.account] if wanted.account else None
    recorded = store.recorded(only).accounts
    if wanted.account and wanted.account not in recorded:
        raise NotFound(f"no account {wanted.account} is recorded", hint="see `gradesync list`")
    lookups = _Lookups.read(store, now, only, attempts=attempts)
    rows = [row for account in recorded.values() for row in _rows(account, lookups, now, wanted)]
    rows = [row for row in rows if wanted.needs is None or wanted.needs in needs_of(row)]
    if wanted.code is not None:
        rows = [
            _of_code(row, wanted.code) for row in rows if any(one.code == wanted.code for one in needs(row))
        ]
    return tuple(sorted(rows, key=lambda row: (_badness(row), str(row.schedule.id))))


def _of_code(row: ScheduleRow, code: str) -> ScheduleRow:
    """The row with what waits by this code alone."""
    waiting = {code: row.waiting[code]} if code in row.waiting else {}
    since = {code: row.waiting_since[code]} if code in row.waiting_since else {}
    return replace(row, waiting=waiting, waiting_since=since)


@dataclass(frozen=True, slots=True)
class _Lookups:
    holds: HoldsByAccount
    last: Mapping[ScheduleId, Run]
    first: Mapping[ScheduleId, datetime]
    leases: Mapping[str, Lease]
    waiting: Mapping[str, Mapping[str, int]]
    since: Mapping[str, Mapping[str, datetime]]
    frozen: Mapping[str, datetime]
    newest: Mapping[ScheduleId, RunLine]

    @classmethod
    def read(cls, store: Store, now: datetime, only: Iterable[str] | None, *, attempts: bool) -> _Lookups:
        waiting: dict[str, dict[str, int]] = {}
        for (account, code), count in store.waiting_counts().items():
            waiting.setdefault(account, {})[code] = count
        since: dict[str, dict[str, datetime]] = {}
        for (account, code), at in store.waiting_since().items() if waiting else ():
            since.setdefault(account, {})[code] = at
        last = store.last_runs(only)
        return cls(
            holds=HoldsByAccount(store.holds(now)),
            last=last,
            first=store.first_runs(only),
            leases={lease.account: lease for lease in store.leases()},
            waiting=waiting,
            since=since,
            frozen=store.frozen(),
            newest=_newest_ended(store, only) if attempts and last else {},
        )

    def passed_back(self, account: str, name: str) -> bool:
        """Whether a schedule is a grade passback that has run."""
        run = self.last.get(ScheduleId(account, name))
        return run is not None and run.type is SyncType.GRADE_PASSBACK

    def may_need(self, account: str, name: str) -> bool:
        """Whether anybody may have to act on a schedule: most need nobody, and are not looked at any further."""
        if account in self.frozen:
            return True
        run = self.last.get(ScheduleId(account, name))
        if run is None or run.result is None:
            return False
        return bool(run.result.codes or account in self.waiting or run.result.outcome is Outcome.FAILED)


def _rows(
    account: RecordedAccount, lookups: _Lookups, now: datetime, wanted: ListFilter
) -> Iterable[ScheduleRow]:
    asked = wanted.needs is not None or wanted.code is not None
    if asked and not any(lookups.may_need(account.key, name) for name in account.schedules):
        return
    definition = json.loads(account.text) if account.text else {}
    group, labels = definition.get("group"), definition.get("labels", {})
    if wanted.group not in (None, group):
        return
    if wanted.label is not None and labels.get(wanted.label[0]) != wanted.label[1]:
        return
    blackouts, holds = _blackouts(definition), lookups.holds.of(account.key)
    ran = any(
        lookups.passed_back(account.key, name) for name, one in account.schedules.items() if not one.retired
    )
    hosts = (_host(definition.get("canvas")), _host(definition.get("sis")))
    for name, recorded in account.schedules.items():
        if recorded.retired or (asked and not lookups.may_need(account.key, name)):
            continue
        schedule = Schedule.from_definition(ScheduleId(account.key, name), json.loads(recorded.text))
        if wanted.type not in (None, schedule.type):
            continue
        found = blocks(schedule, holds, blackouts, now, group)
        # What waits was left by those that ran; where only a removed one did, it is told of the others all the same.
        left_some = lookups.passed_back(account.key, name) or not ran
        yield ScheduleRow(
            schedule=schedule,
            next_run_at=None if found else recorded.next_run_at,
            first_ran_at=lookups.first.get(schedule.id),
            blocks=found,
            last=lookups.last.get(schedule.id),
            running=lookups.leases.get(account.key),
            group=group,
            labels=labels,
            waiting=_waiting(lookups.waiting, schedule) if left_some else {},
            waiting_since=_waiting(lookups.since, schedule) if left_some else {},
            blackouts=tuple(one for one in blackouts if one.covers(name)),
            hosts=hosts,
            frozen_since=lookups.frozen.get(account.key),
            skipped_at=skipped_at(lookups.last.get(schedule.id), lookups.newest.get(schedule.id)),
        )


_NEWEST = 3
"""A schedule has at most one run that works and one that waits: the third has ended."""


def _newest_ended(store: Store, only: Iterable[str] | None) -> Mapping[ScheduleId, RunLine]:
    found: dict[ScheduleId, RunLine] = {}
    for run in store.recent_runs(_NEWEST, only):
        if run.outcome is not None:
            found.setdefault(run.schedule, run)
    return found


def skipped_at(last: Run | None, newest: RunLine | None) -> datetime | None:
    """When the newest attempt was skipped, where the last run that is shown is an older one."""
    if newest is None or newest.outcome is not Outcome.SKIPPED or last is None:
        return None
    return newest.at if newest.id != last.id else None


def _host(side: Mapping[str, Any] | None) -> str:
    """The host of a side that has an address; empty for one that is a folder."""
    place = str((side or {}).get("url") or "").partition("://")[2]
    return place.partition("/")[0].rpartition("@")[2]


def _blackouts(definition: Mapping[str, Any]) -> tuple[Blackout, ...]:
    if not definition.get("blackouts"):
        return ()
    from gradesync.domain.account import blackouts_of  # an account's other types cost more than a short list

    return blackouts_of(definition)


def _waiting(by_account: Mapping[str, Mapping[str, _V]], schedule: Schedule) -> Mapping[str, _V]:
    """By code; a roster import leaves nothing waiting."""
    if schedule.type is not SyncType.GRADE_PASSBACK:
        return {}
    return by_account.get(schedule.id.account, {})


def needs_of(row: ScheduleRow) -> frozenset[str]:
    """Who must act on a row: `support`, `district` or `teacher`, by the last run's codes and what still waits."""
    return groups(row)


def _badness(row: ScheduleRow) -> int:
    outcome = row.last.result.outcome if row.last is not None and row.last.result is not None else None
    if outcome in (Outcome.FAILED, Outcome.ABANDONED):
        return 0
    if (
        row.frozen_since is not None
        or outcome is Outcome.WARNING
        or any(CODES[code].needs_person for code in row.waiting)
    ):
        return 1
    return 2 if row.blocks else 3


def account_view(store: Store, key: str) -> AccountView:
    """Everything `show ACCOUNT` names. Raises NotFound."""
    recorded = store.recorded([key]).accounts.get(key)
    if recorded is None:
        raise NotFound(f"no account {key} is recorded", hint="see `gradesync list`")
    definition = json.loads(recorded.text)
    now = store.now()
    rows = schedule_rows(store, ListFilter(account=key), attempts=True)
    holds = [
        hold for hold in store.holds(now, account=key) if hold.scope.group in (None, definition.get("group"))
    ]
    return AccountView(
        key=key,
        name=str(definition.get("name") or key),
        time_zone=str(definition["time_zone"]),
        canvas_url=str(definition["canvas"]["url"]),
        sis_url=str(definition["sis"].get("url") or definition["sis"].get("roster", {}).get("path", "")),
        sis_profile=str(definition["sis"]["profile"]),
        revision=recorded.revision,
        rows=rows,
        holds=holds,
        waiting={code: n for (account, code), n in store.waiting_counts(key).items() if account == key},
        waiting_since={
            code: at for (account, code), at in store.waiting_since(key).items() if account == key
        },
        lease=next((lease for lease in store.leases() if lease.account == key), None),
        blackouts=_blackouts(definition),
    )


def hold_zones(store: Store, holds: Sequence[Hold]) -> Mapping[str, str]:
    """In which zone each hold is told, by its id: the one that all accounts it covers share, else UTC."""
    from gradesync.domain.hold_rules import shared_zone

    if not holds:
        return {}
    recorded = store.recorded().accounts
    found: dict[HoldScope, str] = {}
    for scope in {hold.scope for hold in holds}:
        if scope.account is None:
            found[scope] = shared_zone(scope, recorded.values())
        else:
            found[scope] = shared_zone(scope, [recorded[scope.account]] if scope.account in recorded else ())
    return {hold.id: found[hold.scope] for hold in holds}


def blackout_rows(store: Store, account: str | None = None, *, past: bool = False) -> tuple[BlackoutRow, ...]:
    """Blackouts of all recorded accounts (or of one), ongoing ones first; the same one of many accounts is one row."""
    from gradesync.domain.due import phase_of

    now = store.now()
    found: dict[tuple[str, Blackout], list[str]] = {}
    for key, recorded in store.recorded([account] if account else None).accounts.items():
        if recorded.retired or not recorded.text:
            continue
        for blackout in _blackouts(json.loads(recorded.text)):
            found.setdefault((phase_of(blackout, now), blackout), []).append(key)
    rows = [BlackoutRow(blackout, phase, tuple(keys)) for (phase, blackout), keys in found.items()]
    order = ("ongoing", "upcoming", "past")
    wanted = [row for row in rows if past or row.phase != "past"]
    return tuple(
        sorted(wanted, key=lambda row: (order.index(row.phase), row.blackout.start, row.blackout.name))
    )


def schedule_row(store: Store, schedule: ScheduleId) -> ScheduleRow:
    """The row of one schedule. Raises NotFound."""
    for row in schedule_rows(store, ListFilter(account=schedule.account), attempts=True):
        if row.schedule.id == schedule:
            return row
    raise NotFound(f"{schedule.account} has no schedule {schedule.name}", hint="see `gradesync list`")


__all__ = [
    "ListFilter",
    "account_view",
    "blackout_rows",
    "hold_zones",
    "needs_of",
    "schedule_row",
    "schedule_rows",
    "skipped_at",
]
