"""What a cell of the vendor's schedule page says: sync types, intervals, time zones, dates of the United States. Pure.

Only what has one meaning is read. Everything else raises NotRead with a reason a person can act on; nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import datetime, time

from gradesync.domain.interval import IntervalError, known_zones, parse_interval, to_local, zone
from gradesync.domain.rails_zones import ZONES
from gradesync.domain.schedule import SyncType

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BLANK = frozenset(
    {"", "-", "--", "\u2013", "\u2014", "n/a", "na", "none", "never", "not scheduled", "paused", "suspended"}
)
_OFFSET_PREFIX = re.compile(r"^\((?:GMT|UTC)\s*[+\u2212-]?\d{0,2}:?\d{0,2}\)\s*", re.IGNORECASE)
_ABBREVIATION = re.compile(r"\s+\(?([A-Z]{2,5})\)?$")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](.+))?")
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(?:at\s+)?(.+))?", re.IGNORECASE)
_LONG = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})"
    r"(?:,?\s+(?:at\s+)?(.+))?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES_OF_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
_BETWEEN_TIMES = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*", re.IGNORECASE)
_HALF = re.compile(r"[ap]\.?(?:m\.?)?$", re.IGNORECASE)
_MOST_TIMES = 24
_NO_TIME = "it is not a time of day, nor a list of them; write HH:MM, or 06:00,18:00"
_ROSTER = re.compile(r"\b(roster\w*|sis import|enrollments?)\b")
_GRADES = re.compile(r"\b(grades?|gradebook|gpb|passback)\b")
_EVERY = re.compile(r"(?:every\s+|once\s+every\s+)?(\d{1,4})[\s-]*(minute|min|hour|hr|day|week|month)s?\.?")
_AT = re.compile(r"^(.*?)\s+at\s+(.+)$")
_DAILY = frozenset(
    {
        "daily",
        "every day",
        "once a day",
        "once daily",
        "nightly",
        "every night",
        "each day",
        "every 1 day",
        "1 day",
    }
)
_HOURLY = frozenset({"hourly", "every hour", "once an hour", "each hour"})
_WEEKLY = frozenset({"weekly", "every week", "once a week"})
_MONTHLY = frozenset({"monthly", "every month", "once a month"})
_WEEKDAY = frozenset(
    {"weekdays", "every weekday", "monday - friday", "monday to friday", "mon-fri", "monday-friday"}
)
_BY_HAND = frozenset({"manual", "manually", "on demand", "none", "never"})
_ONCE = frozenset({"once", "one time", "one-time", "does not repeat"})
_UNITS = {"min": "minute", "hr": "hour"}
_LAST_SAFE_DAY = 28


class NotRead(ValueError):
    """A cell that cannot be read for certain; the text says why and never repeats the cell."""


def is_blank(text: str) -> bool:
    """Whether the page shows nothing here, in any of the ways in which pages show nothing."""
    return text.strip().casefold() in _BLANK


def sync_type(text: str) -> SyncType:
    """The sync type behind the vendor's words for it."""
    said = " ".join(text.casefold().replace("-", " ").replace("_", " ").split())
    roster = _ROSTER.search(said) is not None
    # A "grade import" would go the other way round than a passback.
    grades = _GRADES.search(said) is not None and "import" not in said
    if roster and _GRADES.search(said) is None:
        return SyncType.ROSTER_IMPORT
    if grades and not roster:
        return SyncType.GRADE_PASSBACK
    raise NotRead("it names neither a roster import nor a grade passback for certain")


def time_zone(text: str) -> str:
    """The IANA zone behind an IANA name or the name that Rails shows, with or without an offset before it."""
    said = _OFFSET_PREFIX.sub("", text.strip()).strip()
    by_name = {name.casefold(): found for name, found in ZONES.items()}
    if (found := by_name.get(said.casefold())) is not None:
        return found
    by_case = {name.casefold(): name for name in known_zones()}
    if (found := by_case.get(said.casefold().replace(" ", "_"))) is not None:
        return found
    raise NotRead("it is not a time zone's name that means one place; write one such as America/New_York")


def clock(text: str) -> time:
    """A time of day: `2:00 AM`, `14:00`, `2 pm`, `2`."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise NotRead(_NO_TIME)
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if half and not 1 <= hour <= 12:
        raise NotRead("it is not a time of a twelve-hour clock")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        raise NotRead(_NO_TIME)
    return time(hour, minute)


def clocks(text: str) -> tuple[time, ...]:
    """One or more times of day: `6 AM, 12 PM and 6 PM`; in their order of the day, each once."""
    parts = [part for part in _BETWEEN_TIMES.split(text.strip()) if part]
    if not 1 <= len(parts) <= _MOST_TIMES:
        raise NotRead(_NO_TIME)
    if len({_HALF.search(part) is None for part in parts}) > 1:
        raise NotRead("some of its times say AM or PM and others do not; write them like 06:00,18:00")
    return tuple(sorted({clock(part) for part in parts}))


def moment(text: str, zone_name: str | None) -> datetime:
    """A local date and time of the zone, from the forms such pages show. The month comes first, as in the US.

    Without a zone (its cell could not be read) only a time that says nothing of zones itself is taken.
    """
    said = text.strip()
    if (offset := _with_offset(said)) is not None:
        if zone_name is None:
            raise NotRead("it is a time of another place, and the row's own time zone is not known")
        return to_local(offset, zone_name).replace(tzinfo=None, second=0, microsecond=0)
    abbreviation = _ABBREVIATION.search(said)
    if abbreviation is not None and abbreviation[1] not in ("AM", "PM"):
        said = said[: abbreviation.start()]
    year, month, day, rest = _parts(said)
    if not rest:
        raise NotRead("it has no time of day")
    at = clock(rest)
    try:
        found = datetime(year, month, day, at.hour, at.minute)  # noqa: DTZ001 - local wall time by design
    except ValueError:
        raise NotRead("there is no such day; dates are read with the month first") from None
    if zone_name is not None and abbreviation is not None and abbreviation[1] not in ("AM", "PM"):
        _check_abbreviation(abbreviation[1], found, zone_name)
    return found


def _with_offset(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _parts(text: str) -> tuple[int, int, int, str]:
    if (match := _ISO.fullmatch(text)) is not None:
        return int(match[1]), int(match[2]), int(match[3]), match[4] or ""
    if (match := _US.fullmatch(text)) is not None:
        return int(match[3]), int(match[1]), int(match[2]), match[4] or ""
    if (match := _LONG.fullmatch(text)) is not None:
        word = match[1].lower()
        if word in _NAMES_OF_MONTHS or word in (*_MONTHS, "sept"):
            return int(match[3]), _MONTHS.index(word[:3]) + 1, int(match[2]), match[4] or ""
    raise NotRead("it is not a date with year and time that has one meaning; write YYYY-MM-DD HH:MM")


def _check_abbreviation(shown: str, local: datetime, zone_name: str) -> None:
    """`EDT` behind a time must be what the zone's clocks are called then: else another zone was meant."""
    if local.replace(tzinfo=zone(zone_name)).tzname() != shown:
        raise NotRead("the letters behind the time name another time zone than the row does")


def interval(text: str, zone_name: str, anchor: datetime | None, at: tuple[time, ...]) -> str:
    """Our words for the vendor's interval. `anchor` is the first (else the next) run, `at` the hours of day shown."""
    said = " ".join(text.casefold().split()).rstrip(".")
    first = None if anchor is None else f"{anchor:%Y-%m-%d %H:%M}"
    if said not in _HOURLY and _refused(said, zone_name, first) is None:
        return said
    match = _AT.match(said)
    if match is not None:
        said, at = match[1], clocks(match[2])
    found = _meant(said, anchor, at)
    if found is None:
        raise NotRead("it is not an interval that gradesync knows by this name")
    if (refused := _refused(found, zone_name, first)) is not None:
        raise NotRead(refused)
    return found


def _refused(candidate: str, zone_name: str, first: str | None) -> str | None:
    """Why our own grammar refuses an interval; None when it takes it."""
    try:
        parse_interval(candidate, zone_name, first)
    except IntervalError as problem:
        return str(problem).replace("\n", " ")
    return None


def _meant(said: str, anchor: datetime | None, at: tuple[time, ...]) -> str | None:
    if said in _BY_HAND:
        return "manual"
    if said in _HOURLY:
        return f"hourly at :{_needed(anchor).minute:02}"
    if said in _DAILY:
        return f"daily at {_time_of(anchor, at)}"
    if said in _WEEKDAY:
        return f"weekdays at {_time_of(anchor, at)}"
    if said in _WEEKLY:
        return f"weekly on {WEEKDAYS[_needed(anchor).weekday()]} at {_time_of(anchor, at)}"
    if said in _MONTHLY:
        if (day := _needed(anchor).day) > _LAST_SAFE_DAY:
            raise NotRead("a month may not have the day of the first run; choose one up to 28, or `last day`")
        return f"monthly on {day} at {_time_of(anchor, at)}"
    if said in _ONCE:
        return f"once at {_needed(anchor):%Y-%m-%d %H:%M}"
    match = _EVERY.fullmatch(said)
    if match is None:
        return None
    count, unit = int(match[1]), _UNITS.get(match[2], match[2])
    every = f"every {count} {unit}{'' if count == 1 else 's'}"
    if unit in ("minute", "hour"):
        _needed(anchor)
        return every
    return f"{every} at {_time_of(anchor, at)}"


def _needed(anchor: datetime | None) -> datetime:
    if anchor is None:
        raise NotRead("it counts from the first run, and the row shows none that can be read")
    return anchor


def _time_of(anchor: datetime | None, at: tuple[time, ...]) -> str:
    if at:
        return ",".join(f"{one:%H:%M}" for one in at)
    if anchor is None:
        raise NotRead("the row shows no time of day for it")
    return f"{anchor:%H:%M}"
