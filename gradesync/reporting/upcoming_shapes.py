"""The coming days for programs; the shape is documented in docs/json-output.md. Never cut, however many accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from gradesync.domain.schedule import State
from gradesync.domain.week import AccountWeek, Stretch
from gradesync.reporting.shapes import Shape, blackout_shape, block_shapes, hold_shape, instant


def upcoming_keys(weeks: Sequence[AccountWeek], days: int, now: datetime) -> Shape:
    """The keys of `upcoming`."""
    return {
        "at": instant(now),
        "days": days,
        "accounts": [_week_shape(week, now) for week in weeks],
    }


def _week_shape(week: AccountWeek, now: datetime) -> Shape:
    return {
        "account": week.account,
        "name": week.name,
        "time_zone": week.time_zone,
        "group": week.group,
        "until": instant(week.until),
        "days": [_day_shape(day, week) for day in week.days],
        "idle": [{"schedule": str(s.id), "type": s.type.value, "interval": s.interval} for s in week.idle],
        "holds": [hold_shape(hold, now) for hold in week.holds],
        "blackouts": [blackout_shape(one, now) for one in week.blackouts],
    }


def _day_shape(day: date, week: AccountWeek) -> Shape:
    return {"date": day.isoformat(), "slots": [_stretch_shape(one) for one in week.on(day)]}


def _stretch_shape(one: Stretch) -> Shape:
    return {
        "schedule": str(one.schedule.id),
        "type": one.schedule.type.value,
        "first": instant(one.first),
        "last": instant(one.last),
        "count": one.count,
        "or_more": one.capped,
        "every_minutes": one.every,
        "runs": one.runs,
        "dry": one.schedule.state is State.OBSERVE,
        "blocks": block_shapes(one.blocks),
    }


__all__ = ["upcoming_keys"]
