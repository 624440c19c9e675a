"""Rules of operators' holds: when one ends that nobody gave an end, and what the definitions it stands on look like.

Pure. Which hold covers what is `hold`'s; what opens and closes a breaker is `breaker`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.schedule import ScheduleId, SyncType

if TYPE_CHECKING:
    from gradesync.domain.definition import RecordedAccount, RecordedSchedule

DEFAULT_HOLD = timedelta(hours=72)
"""How long a hold lasts when nobody says; its end is moved on into working hours."""

LONGEST_HOLD = timedelta(days=30)
"""Nothing may be held longer without a line in the files, which others review."""

WORKDAY = (9, 16)
"""Local hours, the second excluded, in which somebody notices that syncs have begun again; Monday to Friday."""

_SATURDAY = 5

NOT_MARKED = frozenset({"account", "name", "labels", "contacts", "group", "blackouts"})
"""Keys of an account that change nothing of what its syncs do: their change ends no hold."""

_OF_ONE_TYPE = {"roster": SyncType.ROSTER_IMPORT, "passback": SyncType.GRADE_PASSBACK}


def default_end(now: datetime, time_zone: str) -> datetime:
    """72 hours after `now` (aware UTC), moved on to the next working hour of the zone."""
    from gradesync.domain.interval import (  # `list` computes no end and need not load zones
        local_to_utc,
        to_local,
    )

    first, last = WORKDAY
    local = to_local(now + DEFAULT_HOLD, time_zone)
    if local.weekday() < _SATURDAY and first <= local.hour < last:
        return now + DEFAULT_HOLD
    morning = local.replace(hour=first, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    if local.hour >= last:
        morning += timedelta(days=1)
    while morning.weekday() >= _SATURDAY:
        morning += timedelta(days=1)
    return local_to_utc(morning, time_zone)


def zone_of(scope: HoldScope, accounts: Iterable[RecordedAccount]) -> str | None:
    """The time zone most covered accounts are in, the first by name of several; None when none is covered."""
    zones: Counter[str] = Counter()
    for account in accounts:
        definition = _definition(account)
        if definition and scope.account in (None, account.key) and scope.group in (None, group_of(account)):
            zones[str(definition["time_zone"])] += 1
    return min(zones, key=lambda zone: (-zones[zone], zone)) if zones else None


def shared_zone(scope: HoldScope, accounts: Iterable[RecordedAccount]) -> str:
    """The zone a hold itself is told in: the one all accounts it covers share; UTC where there is none such."""
    zones = set()
    for account in accounts:
        zone = _definition(account).get("time_zone")
        if zone is None or scope.account not in (None, account.key):
            continue
        # A hold's own account counts, whatever schedules it has left; of others only those that have what it covers.
        if scope.account is not None or (not account.retired and covered(scope, account)):
            zones.add(str(zone))
    return zones.pop() if len(zones) == 1 else "UTC"


def covered(scope: HoldScope, account: RecordedAccount) -> tuple[RecordedSchedule, ...]:
    """The account's schedules that the scope covers and that are not retired, by name."""
    group = group_of(account)
    return tuple(
        one
        for name, one in sorted(account.schedules.items())
        if not one.retired
        and scope.covers(ScheduleId(account.key, name), SyncType(json.loads(one.text)["type"]), group)
    )


def outlasting(
    hold: Hold, others: Iterable[Hold], accounts: Iterable[RecordedAccount], now: datetime
) -> Hold | None:
    """The person's hold that stops all of what `hold` covers, and for longer; of several the one that ends last.

    A breaker or another institution's hold has no end that anybody could be told, and one that a change of the files
    ends may end any time.
    """
    mine = [(one, account) for account in accounts for one in covered(hold.scope, account)]
    longer = [
        other
        for other in others
        if other.kind is HoldKind.OPERATOR
        and not other.until_changed
        and other.in_force(now)
        and other.expires_at is not None
        and (hold.expires_at is None or other.expires_at > hold.expires_at)
        and _as_wide(other.scope, hold.scope)
        and all(one in covered(other.scope, account) for one, account in mine)
    ]
    return max(longer, key=lambda one: (one.expires_at or now, one.id), default=None) if mine else None


def _as_wide(one: HoldScope, other: HoldScope) -> bool:
    """Whether `one` will cover what joins `other` later; a single schedule is joined by nothing."""
    if other.schedule is not None:
        return True
    pairs = ((one.account, other.account), (one.schedule, None), (one.type, other.type))
    # Whether an account named by the other is in the group is told by what is covered now.
    return all(a in (None, b) for a, b in pairs) and (
        one.group in (None, other.group) or other.account is not None
    )


def group_of(account: RecordedAccount) -> str | None:
    """The folder the account's file stands in."""
    group = _definition(account).get("group")
    return None if group is None else str(group)


def mark_of(scope: HoldScope, account: RecordedAccount) -> str | None:
    """What the definitions under the scope look like now; None while none of them is there.

    Names of schedules and the account's own are left out: a rename is no change of what they do.
    """
    found = covered(scope, account)
    if account.retired or not found:
        return None
    types = {SyncType(json.loads(one.text)["type"]) for one in found}
    values = {
        key: _nameless(value, account.key)
        for key, value in _definition(account).items()
        if key not in NOT_MARKED and _OF_ONE_TYPE.get(key) in (None, *types)
    }
    text = json.dumps([values, sorted(one.digest for one in found)], sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _nameless(value: object, account: str) -> object:
    """A connection whose references to secrets are made by a pattern keeps its mark when the account is renamed."""
    if not isinstance(value, dict):
        return value
    names = (account, account.upper().replace("-", "_"))
    return {key: _without(text, names) if key in _REFERENCES else text for key, text in value.items()}


_REFERENCES = frozenset({"token", "client_id", "client_secret"})


def _without(text: object, names: Iterable[str]) -> str:
    plain = str(text)
    for name in names:
        plain = plain.replace(name, "{account}")
    return plain


def _definition(account: RecordedAccount) -> Mapping[str, object]:
    found = json.loads(account.text) if account.text else {}
    return found if isinstance(found, dict) else {}
