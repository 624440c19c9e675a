"""From wall time to slots: the zone rule of Debian's cron(8), computed in UTC instants only.

Fixed rules (no star in minute or hour): a time that a clock change leaves out runs once, at the first instant
after the gap, unless the gap is longer than three hours; a time that comes twice runs on its first pass.
Wildcard rules follow the real clock: nothing inside the gap, both passes of the overlap. Local times are
never compared across a change: PEP 495 makes such comparisons lie.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from gradesync.domain.interval.rules import CronRule, DatesRule, ElapsedRule, OnceRule, Rule
from gradesync.domain.interval.steps import Steps, steps_for
from gradesync.domain.interval.zones import local_to_utc, offsets, shift_at, zone

# Slots exist between these instants only. It keeps every date operation far from the ends of `datetime`, and
# since 1973 every zone's offset is a whole number of minutes, so that a slot is a whole minute in UTC too.
FIRST_SLOT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_SLOT = datetime(2200, 1, 1, tzinfo=UTC)

_MINUTE = timedelta(minutes=1)
_LONGEST_GAP = timedelta(hours=3)
_MEMO_SIZE = 4096
_UNKNOWN = datetime.max  # noqa: DTZ901 -- a marker compared by identity, never a time


class Grid(Protocol):
    """The slots of one rule in one zone."""

    def next(self, after: datetime) -> datetime | None:
        """The first slot strictly after this UTC minute."""
        ...

    def latest(self, now: datetime) -> datetime | None:
        """The last slot at or before this UTC minute."""
        ...

    def count(self, since: datetime, until: datetime, cap: int) -> int:
        """How many slots lie in (since, until], at most `cap`."""
        ...


class Moments:
    """No slot or a single one."""

    def __init__(self, at: datetime | None) -> None:
        self._at = at

    def next(self, after: datetime) -> datetime | None:
        """See Grid."""
        return self._at if self._at is not None and self._at > after else None

    def latest(self, now: datetime) -> datetime | None:
        """See Grid."""
        return self._at if self._at is not None and self._at <= now else None

    def count(self, since: datetime, until: datetime, cap: int) -> int:
        """See Grid."""
        return min(cap, int(self._at is not None and since < self._at <= until))


class ElapsedGrid:
    """Anchor plus whole multiples of the period, in real time."""

    def __init__(self, anchor: datetime, period: timedelta) -> None:
        self._anchor = anchor
        self._period = period

    def _index(self, instant: datetime) -> int:
        """The number of the last slot at or before the instant; below zero there is none."""
        return (instant - self._anchor) // self._period

    def next(self, after: datetime) -> datetime | None:
        """See Grid."""
        return self._anchor + self._period * max(0, self._index(after) + 1)

    def latest(self, now: datetime) -> datetime | None:
        """See Grid."""
        index = self._index(now)
        return None if index < 0 else self._anchor + self._period * index

    def count(self, since: datetime, until: datetime, cap: int) -> int:
        """See Grid."""
        first = max(-1, self._index(since))
        return min(cap, max(0, self._index(until) - first))


class WallGrid:
    """Wall-time matches in one zone, answers remembered: many schedules share few rules and one instant."""

    def __init__(self, steps: Steps, zone_name: str, *, fixed: bool) -> None:
        self._steps = steps
        self._tz = zone(zone_name)
        self._fixed = fixed
        self._next_memo: dict[datetime, datetime | None] = {}
        self._latest_memo: dict[datetime, datetime | None] = {}

    def next(self, after: datetime) -> datetime | None:
        """See Grid."""
        find = self._next_fixed if self._fixed else self._next_real
        return _remember(self._next_memo, find, after)

    def latest(self, now: datetime) -> datetime | None:
        """See Grid."""
        find = self._latest_fixed if self._fixed else self._latest_real
        return _remember(self._latest_memo, find, now)

    def count(self, since: datetime, until: datetime, cap: int) -> int:
        """See Grid."""
        number, slot = 0, self.next(since)
        while number < cap and slot is not None and slot <= until:
            number += 1
            # Not through the memo: a long outage would fill it with instants that nobody asks for again.
            slot = self._next_fixed(slot) if self._fixed else self._next_real(slot)
        return number

    def _wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self._tz).replace(tzinfo=None, fold=0)

    def _fixed_instant(self, wall: datetime) -> datetime | None:
        """The instant of a fixed wall time; None inside a gap that is a correction of the calendar."""
        first, second = offsets(wall, self._tz)
        if second <= first:
            return (wall - first).replace(tzinfo=UTC)
        shift = shift_at(wall, self._tz)
        return None if shift.length > _LONGEST_GAP else shift.at

    def _next_fixed(self, after: datetime) -> datetime | None:
        wall = self._steps.next(self._wall(after))
        while wall is not None:
            at = self._fixed_instant(wall)
            if at is not None and at > after:
                return at
            if at is None:
                wall = shift_at(wall, self._tz).wall_end - _MINUTE
            wall = self._steps.next(wall)
        return None

    def _next_real(self, after: datetime) -> datetime | None:
        start = self._wall(after)
        first, second = offsets(start, self._tz)
        if second < first:
            # Inside an overlap an earlier wall time may still come a second time.
            start -= first - second + _MINUTE
        best: datetime | None = None
        wall = self._steps.next(start)
        while wall is not None:
            first, second = offsets(wall, self._tz)
            if second > first:
                wall = self._steps.next(shift_at(wall, self._tz).wall_end - _MINUTE)
                continue
            for at in ((wall - first).replace(tzinfo=UTC), (wall - second).replace(tzinfo=UTC)):
                if at > after and (best is None or at < best):
                    best = at
            # First passes only grow from here on, so nothing smaller can follow.
            if (wall - first).replace(tzinfo=UTC) > after:
                break
            wall = self._steps.next(wall)
        return best

    def _latest_start(self, now: datetime) -> datetime:
        """A wall time behind every wall time whose first or second pass may be at or before now."""
        wall = self._wall(now)
        first, second = offsets(wall, self._tz)
        return wall + _MINUTE + (first - second if second < first else timedelta(0))

    def _latest_fixed(self, now: datetime) -> datetime | None:
        wall = self._steps.prev(self._latest_start(now))
        while wall is not None:
            at = self._fixed_instant(wall)
            if at is not None and at <= now:
                return at
            if at is None:
                wall = shift_at(wall, self._tz).wall_start
            wall = self._steps.prev(wall)
        return None

    def _latest_real(self, now: datetime) -> datetime | None:
        best: datetime | None = None
        wall = self._steps.prev(self._latest_start(now))
        while wall is not None:
            first, second = offsets(wall, self._tz)
            if second > first:
                wall = self._steps.prev(shift_at(wall, self._tz).wall_start)
                continue
            for at in ((wall - first).replace(tzinfo=UTC), (wall - second).replace(tzinfo=UTC)):
                if at <= now and (best is None or at > best):
                    best = at
            # Second passes only shrink from here on, so nothing larger can follow.
            if (wall - second).replace(tzinfo=UTC) <= now:
                break
            wall = self._steps.prev(wall)
        return best


def _remember(
    memo: dict[datetime, datetime | None], find: Callable[[datetime], datetime | None], instant: datetime
) -> datetime | None:
    # One look-up, because another thread may clear the memo between two.
    known = memo.get(instant, _UNKNOWN)
    if known is not _UNKNOWN:
        return known
    if len(memo) >= _MEMO_SIZE:
        # Passes ask about one instant and move on; starting over is cheaper than keeping an order of use.
        memo.clear()
    answer = memo[instant] = find(instant)
    return answer


@lru_cache(maxsize=65536)
def grid_for(rule: Rule, zone_name: str) -> Grid:
    """The grid of a rule in a zone, shared by all schedules that have both. Raises IntervalError."""
    if isinstance(rule, ElapsedRule):
        return ElapsedGrid(local_to_utc(rule.anchor, zone_name), timedelta(minutes=rule.minutes))
    if isinstance(rule, OnceRule):
        return Moments(local_to_utc(rule.at, zone_name))
    if isinstance(rule, (CronRule, DatesRule)):
        return WallGrid(steps_for(rule), zone_name, fixed=is_fixed(rule))
    return Moments(None)


def is_fixed(rule: CronRule | DatesRule) -> bool:
    """Whether the rule is fixed to wall time; one cron with a star in minute or hour makes it a wildcard."""
    return isinstance(rule, DatesRule) or not any(cron.wildcard for cron in rule.crons)
