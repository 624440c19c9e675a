"""Intervals: how often a schedule runs, in which time zone, and at which UTC instants (slots).

The only room that knows cron and time zones. croniter parses and steps naive wall time, nothing more: its own
answers across clock changes differ from what people expect, so the zone is applied outside it, in UTC.
Nothing here reads a clock; every question takes its instant as an argument. The rules: DESIGN.md 5.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gradesync.domain.interval.refusal import Culprit, IntervalError
from gradesync.domain.interval.zones import known_zones, local_to_utc, to_local, tzdata_version, zone

if TYPE_CHECKING:
    from gradesync.domain.interval.caveats import SOON, IntervalWarning, warnings
    from gradesync.domain.interval.value import COUNT_CAP, Interval, Kind, parse_interval

__all__ = [
    "COUNT_CAP",
    "SOON",
    "Culprit",
    "Interval",
    "IntervalError",
    "IntervalWarning",
    "Kind",
    "known_zones",
    "local_to_utc",
    "parse_interval",
    "to_local",
    "tzdata_version",
    "warnings",
    "zone",
]

_LATER = {
    "COUNT_CAP": "value",
    "SOON": "caveats",
    "Interval": "value",
    "IntervalWarning": "caveats",
    "Kind": "value",
    "parse_interval": "value",
    "warnings": "caveats",
}


def __getattr__(name: str) -> object:
    """Reading intervals is imported when first asked for: `list` shows local times and parses no interval."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    found: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found
