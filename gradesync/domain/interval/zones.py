"""Time zones from the PyPI package `tzdata` alone, and the arithmetic between local wall time and UTC.

The operating system's copy of the zone rules is never read: it may be a year old, and two machines with two
copies would compute two different next runs for the same file. Reading package data is the only input here.
Nothing in this module knows about intervals.
"""

from __future__ import annotations

import difflib
import importlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from gradesync.domain.interval.refusal import IntervalError

# Names that are in the zone database for old software but say an offset or an abbreviation, not a place.
# A school that writes EST in its file means New York time, and would be an hour off for half of the year.
_ABBREVIATIONS = {
    "CET": "Europe/Paris",
    "CST": "America/Chicago",
    "CST6CDT": "America/Chicago",
    "CDT": "America/Chicago",
    "EDT": "America/New_York",
    "EET": "Europe/Athens",
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "Factory": "UTC",
    "GMT": "Europe/London",
    "GMT+0": "UTC",
    "GMT-0": "UTC",
    "GMT0": "UTC",
    "HST": "Pacific/Honolulu",
    "MDT": "America/Denver",
    "MET": "Europe/Paris",
    "MST": "America/Phoenix",
    "MST7MDT": "America/Denver",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles",
    "WET": "Europe/Lisbon",
}
_OFFSET = re.compile(r"^(?:(?:etc/)?(?:utc|gmt|z))?\s*[+-]\s*\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shift:
    """One change of a zone's offset: the UTC instant and the offsets to UTC before and after it."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Clocks jump forward: the wall times from `wall_start` up to `wall_end` do not exist."""
        return self.after > self.before

    @property
    def wall_start(self) -> datetime:
        """First wall time (naive) that is missing or that comes twice."""
        return self.at.replace(tzinfo=None) + min(self.before, self.after)

    @property
    def wall_end(self) -> datetime:
        """First wall time (naive) behind the missing or doubled stretch."""
        return self.at.replace(tzinfo=None) + max(self.before, self.after)

    @property
    def length(self) -> timedelta:
        """How much wall time is missing or comes twice."""
        return abs(self.after - self.before)


@lru_cache(maxsize=1)
def tzdata_version() -> str:
    """The IANA version of the zone rules in use, such as "2026f"; recorded beside every computed next run."""
    return str(importlib.import_module("tzdata").IANA_VERSION)


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """The accepted zone names: places and UTC, without offsets, abbreviations and placeholders."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    places = (name for name in listed if not name.startswith("Etc/") and name not in _ABBREVIATIONS)
    return frozenset(places) | {"Etc/UTC"}


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of exactly that IANA name.

    Raises IntervalError ("offset-zone" for offsets and abbreviations, else "unknown-zone").
    """
    if name not in known_zones():
        raise _refuse_zone(name)
    # The name is a member of the package's own list, so it cannot climb out of the folder.
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def _refuse_zone(name: str) -> IntervalError:
    shown = name[:60]
    by_case = {known.upper(): instead for known, instead in _ABBREVIATIONS.items()}
    if (instead := by_case.get(name.strip().upper())) is not None:
        text = (
            f"{shown!r} is an abbreviation, not a place, and does not follow the clock changes of your school"
        )
        return _zone_error("offset-zone", text, f"write a place, such as {instead}")
    if _OFFSET.match(name) or name.lower().startswith("etc/"):
        text = f"{shown!r} is an offset; an offset does not follow the clock changes of your school"
        return _zone_error("offset-zone", text, "write a place, such as America/New_York, or UTC")
    if name.strip().lower() in {"localtime", "local", "system", "posixrules"}:
        text = f"{shown!r} would mean another time on every machine"
        return _zone_error("unknown-zone", text, "write a place, such as America/New_York, or UTC")
    from gradesync.domain.rails_zones import ZONES  # read for a refusal only

    if (meant := ZONES.get(name.strip())) is not None:
        text = f"{shown!r} is a name that Canvas shows, not a place"
        return _zone_error("unknown-zone", text, f"write {meant}")
    near = _nearest(name)
    hint = f"did you mean {near}?" if near else "write an IANA name, such as America/New_York"
    return _zone_error("unknown-zone", f"there is no time zone {shown!r}", hint)


def _zone_error(key: str, text: str, hint: str) -> IntervalError:
    return IntervalError(f"{text}; {hint}", reason_key=key, culprit="time_zone")


def _nearest(name: str) -> str | None:
    wanted = name.strip().lower().replace(" ", "_")[:60]
    folded = {known.lower(): known for known in sorted(known_zones())}
    if wanted in folded:
        return folded[wanted]
    if wanted:
        for low, known in folded.items():
            if low.rpartition("/")[2] == wanted.rpartition("/")[2]:
                return known
    close = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else None


def to_local(instant: datetime, zone_name: str) -> datetime:
    """The aware local time of an aware instant. For display only: never compare or add in local time."""
    return instant.astimezone(zone(zone_name))


def local_to_utc(naive: datetime, zone_name: str) -> datetime:
    """The aware UTC instant of a naive wall time.

    A wall time that a clock change leaves out becomes the first instant after the change; one that comes
    twice means its first pass.
    """
    tz = zone(zone_name)
    before, after = offsets(naive, tz)
    if after > before:
        return shift_at(naive, tz).at
    return (naive - before).replace(tzinfo=UTC, fold=0)


def offsets(naive: datetime, tz: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets of a wall time on its first and second pass (PEP 495).

    Equal: one instant. Second smaller: the time comes twice. Second larger: the time does not exist.
    """
    first = naive.replace(tzinfo=tz, fold=0).utcoffset()
    second = naive.replace(tzinfo=tz, fold=1).utcoffset()
    assert first is not None
    assert second is not None
    return first, second


@lru_cache(maxsize=4096)
def shift_at(naive: datetime, tz: ZoneInfo) -> Shift:
    """The change that leaves out or doubles this wall time; the caller has seen two offsets for it."""
    first, second = offsets(naive, tz)
    low = (naive - max(first, second)).replace(tzinfo=UTC)
    return _bisect(low, (naive - min(first, second)).replace(tzinfo=UTC), tz)


def _offset_at(instant: datetime, tz: ZoneInfo) -> timedelta:
    offset = instant.astimezone(tz).utcoffset()
    assert offset is not None
    return offset


def _bisect(low: datetime, high: datetime, tz: ZoneInfo) -> Shift:
    """The one change in (low, high], to the second."""
    before = _offset_at(low, tz)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if _offset_at(middle, tz) == before:
            low = middle
        else:
            high = middle
    return Shift(high, before, _offset_at(high, tz))


@lru_cache(maxsize=512)
def shifts(zone_name: str, since: datetime, until: datetime) -> tuple[Shift, ...]:
    """Every change of offset in (since, until], both aware UTC. No zone changes twice within a day."""
    tz = zone(zone_name)
    found: list[Shift] = []
    low = since
    while low < until:
        high = min(low + timedelta(days=1), until)
        if _offset_at(low, tz) != _offset_at(high, tz):
            found.append(_bisect(low, high, tz))
        low = high
    return tuple(found)
