"""The rules of `notify`: about what and whom a channel is told, and when it is left in peace.

Pure: read from the settings' mapping, which the configuration has checked. No channel is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any

from gradesync.domain.alarm import CONTACTS, AlarmKind, Cause
from gradesync.domain.interval import parse_interval, to_local

EVERYBODY = "contacts"
"""In `to`: whoever must act, by the account's `contacts`."""

RECOVERED = "recovered"
"""In `on`: tell too when something is over."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times of a day between which nothing is told; `until` before `start` goes over midnight."""

    start: time
    until: time
    time_zone: str

    def holds(self, now: datetime) -> bool:
        """Whether `now` lies in them."""
        local = to_local(now, self.time_zone).time().replace(tzinfo=None)
        if self.start <= self.until:
            return self.start <= local < self.until
        return local >= self.start or local < self.until


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One channel and what it is told.

    `url` is a reference: a channel's address is a secret. `to` are addresses, keys of `contacts`, or `contacts`; only
    mail has them. `who` are keys of `contacts`: only what these must act on. `digest` is an interval at whose times all
    that is new is told at once. `after`: a schedule must have failed so often in a row; `remind` is in days, 0 never.
    """

    name: str
    channel: str
    url: str
    to: tuple[str, ...] = ()
    kinds: frozenset[AlarmKind] = frozenset(AlarmKind)
    recoveries: bool = True
    accounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    type: str | None = None
    who: frozenset[str] = frozenset()
    quiet: QuietHours | None = None
    urgent_any_time: bool = True
    digest: str | None = None
    time_zone: str = "UTC"
    after: int = 1
    remind: int = 7

    def open_at(self, now: datetime, news_at: datetime, *, urgent: bool) -> bool:
        """Whether what is new since `news_at` may be told now."""
        if urgent and self.urgent_any_time:
            return True
        if self.quiet is not None and self.quiet.holds(now):
            return False
        if self.digest is None:
            return True
        return parse_interval(self.digest, self.time_zone).latest_slot(now, news_at) is not None


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """What the owner wants to be told: the rules, and from when on something deserves an alarm.

    `late_after` None: three times as long as passes usually stay away.
    """

    rules: tuple[AlarmRule, ...] = ()
    waiting_days: int = 7
    late_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules choose accounts by."""

    group: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)


def covers(rule: AlarmRule, cause: Cause, account: Subject) -> bool:
    """Whether the rule wants to hear of the cause."""
    if cause.kind not in rule.kinds or (cause.kind is AlarmKind.FAILED and cause.count < rule.after):
        return False
    if rule.who and not rule.who & set(CONTACTS.get(cause.who, ("support",))[:1]):
        return False
    if rule.type is not None and cause.type not in (None, rule.type):
        return False
    return covers_account(rule, cause.account, account)


def covers_account(rule: AlarmRule, key: str, account: Subject) -> bool:
    """Whether the account is one of the rule's; what is everybody's ("") is only for rules that choose none."""
    if not key:
        return not (rule.accounts or rule.groups or rule.labels)
    return (
        (not rule.accounts or any(fnmatchcase(key, glob) for glob in rule.accounts))
        and (not rule.groups or account.group in rule.groups)
        and all(account.labels.get(name) == value for name, value in rule.labels.items())
    )


def rules_of(written: Sequence[Mapping[str, Any]]) -> tuple[AlarmRule, ...]:
    """The rules of the settings' `notify`, which were found right."""
    return tuple(_rule(one) for one in written)


def _rule(one: Mapping[str, Any]) -> AlarmRule:
    on = one.get("on")
    zone = str(one.get("time_zone", "UTC"))
    quiet = one.get("quiet_hours")
    kinds = frozenset(AlarmKind(word) for word in on or () if word != RECOVERED)
    return AlarmRule(
        name=str(one["name"]),
        channel=str(one["channel"]),
        url=str(one["url"]),
        to=tuple(one.get("to") or ((EVERYBODY,) if one["channel"] == "email" else ())),
        kinds=kinds if on is not None else frozenset(AlarmKind),
        recoveries=on is None or RECOVERED in on,
        accounts=tuple(one.get("accounts") or ()),
        groups=tuple(one.get("groups") or ()),
        labels=dict(one.get("labels") or {}),
        type=one.get("type"),
        who=frozenset(one.get("who") or ()),
        quiet=quiet_hours(str(quiet), zone) if quiet else None,
        urgent_any_time=bool(one.get("urgent_any_time", True)),
        digest=one.get("digest"),
        time_zone=zone,
        after=int(one.get("after", 1)),
        remind=int(one.get("remind", 7)),
    )


def quiet_hours(text: str, time_zone: str) -> QuietHours:
    """`21:30-06:00`. Raises ValueError."""
    start, _, until = text.partition("-")
    return QuietHours(time.fromisoformat(start.strip()), time.fromisoformat(until.strip()), time_zone)
