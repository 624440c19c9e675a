"""The next run of a schedule: the one place that turns a definition into an instant.

Pure; used by the plan (before and after), by apply and by due selection, so that all three agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gradesync.domain.schedule import Schedule, State

if TYPE_CHECKING:
    from gradesync.domain.interval import Interval


def interval_of(schedule: Schedule) -> Interval:
    """The schedule's parsed interval with its spread; raises IntervalError."""
    # Here, because `list` parses no interval and need not pay for what reads them.
    from gradesync.domain.interval import parse_interval

    interval = parse_interval(schedule.interval, schedule.time_zone, schedule.first_run)
    if schedule.spread:
        interval = interval.with_spread(schedule.spread, str(schedule.id))
    return interval


def next_run(schedule: Schedule, after: datetime) -> datetime | None:
    """First slot strictly after `after` (aware UTC); None while paused, over or manual."""
    if schedule.state is State.PAUSED:
        return None
    return interval_of(schedule).next_slot(after)
