"""The coming days of a schedule: which slots will run, and what stops those that will not.

Pure: `upcoming` and the page's calendar ask the same function. Frequent slots are told as one stretch with its first,
its last and its count, so that a day of a schedule costs the same however often it runs. Nothing here knows a format,
and nothing here claims a slot: what is said is what holds if nobody changes anything until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from gradesync.domain.due import Block, blocks
from gradesync.domain.interval import local_to_utc, to_local
from gradesync.domain.schedule import Schedule
from gradesync.domain.upcoming import interval_of

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout
    from gradesync.domain.hold import Hold
    from gradesync.domain.interval import Interval

FEW = 4
"""Up to so many slots in a row are named one by one; more become one stretch."""

MOST = 300
"""So many instants are stepped through per stretch; a cron with more slots is told as `MOST` or more."""

_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots of one schedule in a row, on one local day, that share what stops them; `count` 1 is a single slot.

    `first` and `last` are aware UTC. `every` is in minutes, None for a single slot and where the gaps differ.
    `capped`: there are `count` slots or more. No `blocks`: they run.
    """

    schedule: Schedule
    day: date
    first: datetime
    last: datetime
    count: int
    every: int | None = None
    capped: bool = False
    blocks: tuple[Block, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether its slots will run, as far as is known now."""
        return not self.blocks


@dataclass(frozen=True, slots=True)
class AccountWeek:
    """The coming days of one account, in its own zone: `days` local days from the one of `at` on, which is begun.

    `stretches` come in the order of their first slot. `idle` are schedules without any slot in this time (manual
    ones, those that run seldom, those that are over). `holds` and `blackouts` are those that touch this time.
    """

    account: str
    name: str
    time_zone: str
    group: str | None
    at: datetime
    until: datetime
    days: tuple[date, ...]
    stretches: tuple[Stretch, ...]
    idle: tuple[Schedule, ...] = ()
    holds: tuple[Hold, ...] = ()
    blackouts: tuple[Blackout, ...] = ()

    def on(self, day: date) -> tuple[Stretch, ...]:
        """The stretches of one local day."""
        return tuple(one for one in self.stretches if one.day == day)


def coming(
    schedule: Schedule,
    holds: Sequence[Hold],
    blackouts: Sequence[Blackout],
    since: datetime,
    until: datetime,
    *,
    group: str | None = None,
    time_zone: str | None = None,
) -> tuple[Stretch, ...]:
    """The slots in [since, until) (aware UTC), by local day of `time_zone` (the schedule's own without it).

    State, holds with their end and blackouts are applied to every slot as they will stand then. Raises IntervalError
    for an interval that cannot be read.
    """
    interval = interval_of(schedule)
    if interval.kind == "manual" or since >= until:
        return ()
    covering = [hold for hold in holds if hold.scope.covers(schedule.id, schedule.type, group)]
    planned = [one for one in blackouts if one.covers(schedule.id.name)]
    edges = _edges(covering, planned)
    found: list[Stretch] = []
    for day, start, end in _days(since, until, time_zone or schedule.time_zone):
        for low, high in pairwise([start, *(edge for edge in edges if start < edge < end), end]):
            slots = _slots(interval, low, high)
            if slots is None:
                continue
            # Between two edges nothing begins and nothing ends, so the first slot speaks for all.
            stops = blocks(schedule, covering, planned, slots.first, group)
            found += [Stretch(schedule, day, *told, blocks=stops) for told in slots.told()]
    return tuple(found)


def local_days(at: datetime, days: int, time_zone: str) -> tuple[tuple[date, ...], datetime]:
    """So many local days, the one of `at` first, and the instant (UTC) at which the last of them ends."""
    today = to_local(at, time_zone).date()
    return tuple(today + timedelta(days=n) for n in range(days)), _midnight(
        today + timedelta(days=days), time_zone
    )


def account_week(
    key: str,
    name: str,
    time_zone: str,
    schedules: Iterable[Schedule],
    holds: Sequence[Hold],
    blackouts: Sequence[Blackout],
    at: datetime,
    days: int,
    *,
    group: str | None = None,
    tell: Callable[..., tuple[Stretch, ...]] = coming,
) -> AccountWeek:
    """The coming days of an account; `at` is aware UTC, and only what touches these days is kept of the rest.

    `tell` is `coming`, or answers the same: whoever asks for many accounts may remember what schedules share.
    """
    wanted, until = local_days(at, days, time_zone)
    stretches: list[Stretch] = []
    idle: list[Schedule] = []
    kinds = []
    for schedule in schedules:
        found = tell(schedule, holds, blackouts, at, until, group=group, time_zone=time_zone)
        stretches += found
        kinds.append((schedule.id, schedule.type))
        if not found:
            idle.append(schedule)
    return AccountWeek(
        account=key,
        name=name,
        time_zone=time_zone,
        group=group,
        at=at,
        until=until,
        days=wanted,
        stretches=tuple(sorted(stretches, key=lambda one: (one.first, str(one.schedule.id)))),
        idle=tuple(idle),
        holds=tuple(
            hold
            for hold in holds
            if hold.in_force(at) and any(hold.scope.covers(id, type, group) for id, type in kinds)
        ),
        blackouts=tuple(
            one
            for one in blackouts
            if any(one.covers(id.name) for id, _ in kinds) and _touches(one, at, until)
        ),
    )


def _touches(blackout: Blackout, since: datetime, until: datetime) -> bool:
    start, end = _window(blackout)
    return start < until and end > since


def _window(blackout: Blackout) -> tuple[datetime, datetime]:
    return (
        local_to_utc(blackout.start, blackout.time_zone),
        local_to_utc(blackout.until, blackout.time_zone),
    )


def _edges(holds: Iterable[Hold], blackouts: Iterable[Blackout]) -> list[datetime]:
    """The instants at which something that stops a schedule begins or ends, in order."""
    ends = [edge for hold in holds for edge in (hold.expires_at, hold.released_at) if edge is not None]
    return sorted({*ends, *(edge for one in blackouts for edge in _window(one))})


def _days(since: datetime, until: datetime, time_zone: str) -> Iterator[tuple[date, datetime, datetime]]:
    """Each local day with the part of it in [since, until); a day that a zone left out has none."""
    day, start = to_local(since, time_zone).date(), since
    while start < until:
        day_after = day + timedelta(days=1)
        end = min(until, _midnight(day_after, time_zone))
        if start < end:
            yield day, start, end
            start = end
        day = day_after


def _midnight(day: date, time_zone: str) -> datetime:
    return local_to_utc(datetime(day.year, day.month, day.day), time_zone)  # noqa: DTZ001 - local wall time by design


@dataclass(frozen=True, slots=True)
class _Slots:
    """The slots of one part of a day; `each` holds them all where they are few or their gaps had to be looked at."""

    first: datetime
    last: datetime
    count: int
    every: int | None
    capped: bool
    each: tuple[datetime, ...]

    def told(self) -> Iterator[tuple[datetime, datetime, int, int | None, bool]]:
        """What becomes of them: a few one by one, more as one."""
        if self.count > FEW:
            yield self.first, self.last, self.count, self.every, self.capped
            return
        for slot in self.each:
            yield slot, slot, 1, None, False


def _slots(interval: Interval, low: datetime, high: datetime) -> _Slots | None:
    """The slots in [low, high), None without one; never more than `MOST` are computed."""
    before, end = low - _JUST_BEFORE, high - _JUST_BEFORE
    first = interval.next_slot(before)
    if first is None or first >= high:
        return None
    gap = interval.shortest_gap_minutes
    if interval.kind == "elapsed" and gap is not None and first + FEW * timedelta(minutes=gap) < high:
        # Evenly spaced in real time: the last one and their number follow from the first.
        count = (end - first) // timedelta(minutes=gap) + 1
        return _Slots(first, first + (count - 1) * timedelta(minutes=gap), count, gap, False, ())
    each = [first]
    while len(each) < MOST:
        slot = interval.next_slot(each[-1])
        if slot is None or slot >= high:
            return _Slots(first, each[-1], len(each), _evenly(each), False, tuple(each))
        each.append(slot)
    last = interval.latest_slot(end, each[-1])
    return _Slots(first, last or each[-1], len(each), _evenly(each), last is not None, ())


def _evenly(slots: Sequence[datetime]) -> int | None:
    """The minutes between any two of them; None where they differ, and of a single one."""
    gaps = {later - earlier for earlier, later in pairwise(slots)}
    return gaps.pop() // timedelta(minutes=1) if len(gaps) == 1 else None


__all__ = ["FEW", "MOST", "AccountWeek", "Stretch", "account_week", "coming", "local_days"]
