"""Steps naive wall time from one match to the next: croniter for cron, date arithmetic for counted dates.

Everything here is naive local time without a zone; clock changes are the business of `grid`. This is the only
module that imports croniter, and only once a cron expression is met: `list` and `show` never step one. A stepper
answers strictly after (or before) the minute it is given.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from threading import Lock
from typing import Protocol

from gradesync.domain.interval.refusal import IntervalError
from gradesync.domain.interval.rules import CronRule, DatesRule

# The check for "never" starts here, in a leap year so that 29 February is found, and looks eight years on.
_CHECK_FROM = datetime(2024, 1, 1) - timedelta(minutes=1)  # noqa: DTZ001 -- naive wall time is meant
_NEVER_AFTER = timedelta(days=9 * 366)
_DAY = timedelta(days=1)


class Steps(Protocol):
    """Walks the matching wall times in both directions; None when there is no further one."""

    def next(self, wall: datetime) -> datetime | None:
        """The first match strictly after this minute."""
        ...

    def prev(self, wall: datetime) -> datetime | None:
        """The last match strictly before this minute."""
        ...


class CronSteps:
    """One cron expression on one cached croniter, which keeps a cursor and therefore needs the lock."""

    def __init__(self, expression: str) -> None:
        from croniter import CroniterBadCronError, CroniterBadDateError, croniter

        self._no_further: type[Exception] = CroniterBadDateError
        try:
            self._cron = croniter(expression, _CHECK_FROM)
        except CroniterBadCronError as error:
            text = f"the cron engine does not take {expression!r}"
            raise IntervalError(text, reason_key="cron-syntax") from error
        self._lock = Lock()

    def next(self, wall: datetime) -> datetime | None:
        """See Steps."""
        return self._move(self._cron.get_next, wall)

    def prev(self, wall: datetime) -> datetime | None:
        """See Steps."""
        return self._move(self._cron.get_prev, wall)

    def _move(self, move: Callable[..., datetime], wall: datetime) -> datetime | None:
        with self._lock:
            try:
                return move(datetime, start_time=wall)
            except self._no_further:
                return None


@dataclass(frozen=True, slots=True)
class MergedSteps:
    """Several steppers as one."""

    parts: tuple[Steps, ...]

    def next(self, wall: datetime) -> datetime | None:
        """See Steps."""
        return min((found for part in self.parts if (found := part.next(wall)) is not None), default=None)

    def prev(self, wall: datetime) -> datetime | None:
        """See Steps."""
        return max((found for part in self.parts if (found := part.prev(wall)) is not None), default=None)


@dataclass(frozen=True, slots=True)
class DateSteps:
    """Counted days, weeks or months. Dates before the anchor match too; first_run cuts them off."""

    rule: DatesRule

    def next(self, wall: datetime) -> datetime | None:
        """See Steps."""
        for at in self.rule.times:
            if at > wall.time() and self._active(wall.date()):
                return datetime.combine(wall.date(), at)
        day = self._seek(wall.date() + _DAY, _DAY)
        return None if day is None else datetime.combine(day, self.rule.times[0])

    def prev(self, wall: datetime) -> datetime | None:
        """See Steps."""
        for at in reversed(self.rule.times):
            if at < wall.time() and self._active(wall.date()):
                return datetime.combine(wall.date(), at)
        day = self._seek(wall.date() - _DAY, -_DAY)
        return None if day is None else datetime.combine(day, self.rule.times[-1])

    def _seek(self, day: date, step: timedelta) -> date | None:
        limit = abs(_NEVER_AFTER // _DAY)
        for _ in range(limit):
            if self._active(day):
                return day
            day += step
        return None

    def _active(self, day: date) -> bool:
        rule = self.rule
        if rule.unit == "months":
            passed = (day.year - rule.anchor.year) * 12 + day.month - rule.anchor.month
        else:
            passed = (day - rule.anchor).days // (7 if rule.unit == "weeks" else 1)
        return passed % rule.count == 0 and rule.days.match(day)


@lru_cache(maxsize=4096)
def steps_for(rule: CronRule | DatesRule) -> Steps:
    """The stepper of a rule, shared by all schedules with it. Raises IntervalError if it never matches."""
    if isinstance(rule, DatesRule):
        steps: Steps = DateSteps(rule)
        start = datetime.combine(rule.anchor, time())
    else:
        parts = tuple(CronSteps(cron.text) for cron in rule.crons)
        steps = parts[0] if len(parts) == 1 else MergedSteps(parts)
        start = _CHECK_FROM
    found = steps.next(start - timedelta(minutes=1))
    if found is None or found - start > _NEVER_AFTER:
        raise _never(rule)
    return steps


def _never(rule: CronRule | DatesRule) -> IntervalError:
    if isinstance(rule, DatesRule):
        text = "no date is both in the counted days, weeks or months and on the days named"
        return IntervalError(f"this interval never runs: {text}", reason_key="never-matches")
    days = rule.crons[0].days.monthdays
    text = "its months do not have that day" if days else "no such day comes within eight years"
    if days and rule.crons[0].months == (2,):
        text = f"there is no {days[0]} February"
    return IntervalError(f"this cron expression never runs: {text}", reason_key="cron-never")


@lru_cache(maxsize=4096)
def shortest_gap(rule: CronRule | DatesRule) -> int | None:
    """The fewest minutes of wall time between two matches, None if there is no second one.

    Within a day it follows from the times of day; across days, from the nearest two matching dates.
    """
    if isinstance(rule, DatesRule):
        minutes = [at.hour * 60 + at.minute for at in rule.times]
        days: Steps = DateSteps(DatesRule(rule.count, rule.unit, rule.days, (time(),), rule.anchor))
    else:
        minutes = sorted(60 * h + m for cron in rule.crons for h in cron.hours for m in cron.minutes)
        cron = rule.crons[0]
        monthdays, weekdays = cron.days.cron
        days = CronSteps(f"0 0 {monthdays} {cron.text.split()[3]} {weekdays}")
    gaps = [later - earlier for earlier, later in itertools.pairwise(minutes)]
    if (apart := _shortest_days(days)) is not None:
        gaps.append(apart * 1440 + minutes[0] - minutes[-1])
    return min(gaps, default=None)


def _shortest_days(days: Steps) -> int | None:
    shortest: int | None = None
    wall = days.next(_CHECK_FROM)
    # Sixty matches from January 2024 meet every month length, the leap day and every weekday of the pattern.
    for _ in range(60):
        following = None if wall is None else days.next(wall)
        if wall is None or following is None:
            break
        apart = (following - wall).days
        shortest = apart if shortest is None else min(shortest, apart)
        if shortest == 1:
            break
        wall = following
    return shortest
