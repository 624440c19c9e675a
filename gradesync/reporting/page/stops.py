"""What stops schedules, what runs and what was asked for: of one account, and of all. Cells as texts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from gradesync.domain.due import phase_of
from gradesync.domain.page_overview import Overview, PageAccount
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page import wording
from gradesync.reporting.page.runs import who_line
from gradesync.reporting.page.wording import Stamps
from gradesync.reporting.running import running_line

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout
    from gradesync.domain.hold import Hold

Row = tuple[Any, ...]


def hold_rows(account: PageAccount, stamps: Stamps, now: datetime) -> list[Row]:
    """Who holds what, why, since when and until when, on the account's clock."""
    return [_hold(hold, account.time_zone, stamps, now) for hold in account.holds]


def all_holds(overview: Overview, stamps: Stamps) -> list[Row]:
    """Every hold once, the oldest first; on the clock its accounts share, in UTC where they share none."""
    found: dict[str, tuple[Hold, set[str]]] = {}
    for account in overview.accounts:
        for hold in account.holds:
            found.setdefault(hold.id, (hold, set()))[1].add(account.time_zone)
    ordered = sorted(found.values(), key=lambda one: (one[0].created_at, one[0].id))
    return [
        _hold(hold, min(zones) if len(zones) == 1 else "UTC", stamps, overview.at) for hold, zones in ordered
    ]


def _hold(hold: Hold, zone: str, stamps: Stamps, now: datetime) -> Row:
    return (
        clean(hold.scope),
        "breaker opened" if hold.kind.value == "breaker" else "held",
        who_line(hold.actor.name, hold.actor.via),
        *stamps(hold.created_at, zone),
        wording.until_text(hold, zone, now),
        clean(f"{hold.reason} ({hold.code})" if hold.code else hold.reason),
    )


def blackout_rows(account: PageAccount, now: datetime) -> list[Row]:
    """Planned windows, ongoing or to come, on their own zone's clock."""
    return [_blackout(one, now) for one in account.blackouts]


def all_blackouts(overview: Overview) -> list[Row]:
    """Every window once, ongoing ones first, with how many accounts it stands in."""
    found: dict[Blackout, list[str]] = {}
    for account in overview.accounts:
        for one in account.blackouts:
            found.setdefault(one, []).append(account.key)
    rows = [(one, phase_of(one, overview.at), keys) for one, keys in found.items()]
    rows.sort(key=lambda row: (row[1] != "ongoing", row[0].start, row[0].name))
    return [
        (*_blackout(one, overview.at), keys[0] if len(keys) == 1 else words.plural(len(keys), "account"))
        for one, _, keys in rows
    ]


def _blackout(one: Blackout, now: datetime) -> Row:
    return (
        clean(one.name),
        phase_of(one, now),
        f"{one.start:%Y-%m-%d %H:%M}",
        f"{one.until:%Y-%m-%d %H:%M} {clean(one.time_zone)}",
        "" if one.schedules is None else clean(", ".join(one.schedules)),
    )


def request_rows(account: PageAccount, stamps: Stamps) -> list[Row]:
    """Wishes that wait: for the next pass, or for the end of what stops their schedule."""
    stopped = {one.row.schedule.id: one.row.blocks for one in account.schedules}
    return [
        (
            clean(one.schedule.name),
            who_line(one.actor.name, one.actor.via),
            *stamps(one.created_at, account.time_zone),
            clean(one.reason or ""),
            "; ".join(wording.sentences(stopped.get(one.schedule, ()))),
        )
        for one in account.requests
    ]


def running(account: PageAccount, now: datetime) -> str:
    """Who works in the account now, how far, and when last heard of; empty when nobody does."""
    return running_line(account.lease, now) if account.lease is not None else ""
