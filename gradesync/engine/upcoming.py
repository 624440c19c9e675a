"""The coming days of all accounts, from the definitions last agreed to. Reads the store, never the files.

What a merged change will do is `plan`'s to tell; this answers what the next passes do if nobody changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradesync.domain.account import blackouts_of
from gradesync.domain.hold import HoldsByAccount
from gradesync.domain.schedule import Schedule, ScheduleId, SyncType
from gradesync.domain.week import AccountWeek, account_week
from gradesync.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from gradesync.domain.definition import RecordedAccount
    from gradesync.ports import Store


@dataclass(frozen=True, slots=True)
class UpcomingFilter:
    """Whose coming days are shown; fields left None match everything."""

    account: str | None = None
    type: SyncType | None = None
    group: str | None = None


def upcoming(store: Store, wanted: UpcomingFilter, days: int) -> tuple[AccountWeek, ...]:
    """The coming `days` local days of every account, in the order of their keys. Raises NotFound.

    Accounts without any schedule that fits are left out.
    """
    recorded = store.recorded([wanted.account] if wanted.account else None).accounts
    if wanted.account and wanted.account not in recorded:
        raise NotFound(f"no account {wanted.account} is recorded", hint="see `gradesync list`")
    now = store.now()
    holds = HoldsByAccount(store.holds(now))
    weeks = (_week(account, holds, now, wanted, days) for _, account in sorted(recorded.items()))
    return tuple(week for week in weeks if week is not None)


def _week(
    account: RecordedAccount, holds: HoldsByAccount, now: datetime, wanted: UpcomingFilter, days: int
) -> AccountWeek | None:
    if account.retired or not account.text:
        return None
    definition = json.loads(account.text)
    group = definition.get("group")
    schedules = [one for one in schedules_of(account) if wanted.type in (None, one.type)]
    if not schedules or wanted.group not in (None, group):
        return None
    return account_week(
        account.key,
        str(definition.get("name") or account.key),
        str(definition["time_zone"]),
        schedules,
        holds.of(account.key),
        blackouts_of(definition),
        now,
        days,
        group=group,
    )


def schedules_of(account: RecordedAccount) -> Iterable[Schedule]:
    """The schedules an account has now, by name."""
    for name, recorded in sorted(account.schedules.items()):
        if not recorded.retired:
            yield Schedule.from_definition(ScheduleId(account.key, name), json.loads(recorded.text))


__all__ = ["UpcomingFilter", "schedules_of", "upcoming"]
