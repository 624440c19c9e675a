"""Reads the one line of an interval into a rule (scheduling reference 2.2): words, cron, once, manual.

Only text is read here: no zone, no instant, no cron engine. Whatever is refused says why in plain words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from gradesync.domain.characters import with_article
from gradesync.domain.interval.fields import read_cron
from gradesync.domain.interval.refusal import Culprit, IntervalError
from gradesync.domain.interval.rules import (
    HOURS,
    LAST,
    Cron,
    CronRule,
    DatesRule,
    Days,
    ElapsedRule,
    ManualRule,
    OnceRule,
    Rule,
    Unit,
    cron_weekday,
)

MAX_LENGTH = 200
FIRST_YEAR, LAST_YEAR = 2000, 2099

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": LAST}
_LIMITS = {"minute": 1440, "hour": 168, "day": 31, "week": 8, "month": 12}
_OTHER_WORDS = ("nightly", "everyday", "overnight")
_STARTS = ("every", "hourly", "daily", "weekdays", "weekly", "monthly", "cron", "once", "manual")
_EVERY = re.compile(r"every (?P<count>\S+) (?P<unit>minute|hour|day|week|month)s?(?: (?P<rest>.+))?")
# The blank stands inside the group, or the last two letters of `sat` would be taken for the word `at`.
_ON_AT = re.compile(r"(?:on (?P<on>.+?) )?at (?P<at>.+)")
_MOMENT = re.compile(r"(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2})")
_EXAMPLES = (
    "write for example every 15 minutes, daily at 02:00, weekly on mon,thu at 06:30 or cron 0 2 * * 1-5"
)


_ADD_FIRST_RUN = (
    "add a line `first_run: 2026-09-01 02:00` to the schedule, with the day and time of its first run"
)


def refuse(key: str, text: str, culprit: Culprit = "interval", hint: str | None = None) -> IntervalError:
    """An IntervalError about one key of the schedule."""
    return IntervalError(text, reason_key=key, culprit=culprit, hint=hint)


def read_rule(text: str, first_run: datetime | None) -> Rule:
    """Read an interval. `first_run` (naive wall time) anchors the elapsed and the counted forms.

    Raises IntervalError with the reason; `culprit` is always "interval".
    """
    return _read(_tidy(text))(first_run)


def _tidy(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise refuse("too-long", f"an interval has at most {MAX_LENGTH} characters, not {len(text)}")
    if not text.isascii():
        odd = next(char for char in text if not char.isascii())
        reason = f"an interval has plain letters, digits and signs only, and this is {with_article(odd)}"
        raise IntervalError(f"{reason}; type it again", reason_key="not-ascii", sign=odd)
    if not text.strip().isprintable():
        raise refuse("not-an-interval", "an interval is one line without tabs or control characters")
    return re.sub(r" *, *", ",", " ".join(text.lower().split()))


Reader = Callable[[datetime | None], Rule]


@lru_cache(maxsize=8192)
def _read(line: str) -> Reader:
    """What to do once the first run is known; the reading is the same for every schedule of that line."""
    word, _, rest = line.partition(" ")
    if word == "every":
        return _every(line)
    rule = _plain(word, rest, line)
    return lambda _first_run: rule


def _plain(word: str, rest: str, line: str) -> Rule:
    if line == "manual":
        return ManualRule()
    if word == "cron":
        return CronRule((read_cron(rest),))
    if word == "hourly":
        return _hourly(rest)
    if word == "once":
        if not rest.startswith("at "):
            raise refuse("not-an-interval", "write once at 2026-09-01 02:00")
        return OnceRule(read_moment(rest[3:], "interval"))
    if word in {"daily", "weekdays", "weekly", "monthly"}:
        return _named(word, rest)
    raise _unreadable(line)


def _unreadable(line: str) -> IntervalError:
    if not line:
        return refuse("not-an-interval", f"the interval is empty; {_EXAMPLES}")
    if re.fullmatch(r"[+-]?[\d_]+(\.\d*)?", line):
        text = f"{line[:20]!r} is a number; if a time such as 10:30 was meant, write daily at 10:30 in quotes"
        return refuse("looks-like-number", text)
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", line):
        return refuse(
            "not-an-interval", f"{line!r} is a time alone; write daily at {line[:-3].zfill(2)}{line[-3:]}"
        )
    if line.startswith("@"):
        return refuse(
            "cron-alias", f"{line[:20]!r} is a nickname, and nicknames are not taken; write daily at 00:00"
        )
    if len(line.split()) == 5 and line[0] in "*0123456789":
        return refuse("not-an-interval", f"a cron expression begins with the word cron; write cron {line}")
    word, _, rest = line.partition(" ")
    if word in _OTHER_WORDS:
        tail = rest[:30] if rest.startswith("at ") else "at 02:00"
        return refuse("not-an-interval", f"{line[:60]!r} is not an interval; did you mean daily {tail}?")
    near = difflib.get_close_matches(word, _STARTS, n=1)
    hint = f"did you mean {near[0]}?" if near else _EXAMPLES
    return refuse("not-an-interval", f"{line[:60]!r} is not an interval; {hint}")


def _hourly(rest: str) -> Rule:
    match = re.fullmatch(r"at :([0-5]\d)", rest)
    if rest and match is None:
        raise refuse("bad-time", f"{rest[:30]!r} does not fit hourly; write hourly at :05, minutes 00 to 59")
    return CronRule((Cron((int(match[1]) if match else 0,), HOURS, wildcard=True),))


def _named(word: str, rest: str) -> Rule:
    on, times = _on_at(word, rest, {"weekly": "mon", "monthly": "1"}.get(word))
    if word == "daily":
        return _calendar(Days(), times)
    if word == "weekdays":
        return _calendar(Days(weekdays=(1, 2, 3, 4, 5)), times)
    assert on is not None
    return _calendar(_weekdays(on) if word == "weekly" else _monthdays(on), times)


def _on_at(what: str, rest: str, example: str | None) -> tuple[str | None, tuple[time, ...]]:
    """Split `[on X] at T`; `example` is given when `on` is required, None when it is not allowed."""
    form = f"{what} on {example} at 02:00" if example else f"{what} at 02:00"
    match = _ON_AT.fullmatch(rest)
    if match is None or (match["on"] is None) == (example is not None):
        raise refuse("not-an-interval", f"{what!r} is not complete or says too much; write {form}")
    return match["on"], _times(match["at"])


def _calendar(days: Days, times: tuple[time, ...]) -> CronRule:
    """Times with one minute share an expression; cron cannot say 02:00 and 14:30 in a single one."""
    by_minute: dict[int, list[int]] = {}
    for at in times:
        by_minute.setdefault(at.minute, []).append(at.hour)
    return CronRule(tuple(Cron((minute,), tuple(hours), days) for minute, hours in sorted(by_minute.items())))


def _times(text: str) -> tuple[time, ...]:
    return tuple(sorted({_time(item) for item in text.split(",")}))


_AM_PM = re.compile(r"(0?[1-9]|1[0-2])(?::([0-5]\d))? ?([ap])\.?m\.?")


def _time(item: str) -> time:
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", item):
        return time.fromisoformat(item)
    hint = "write HH:MM from 00:00 to 23:59, such as 02:00"
    if item == "24:00":
        hint = "midnight is 00:00"
    elif re.fullmatch(r"\d:[0-5]\d", item):
        hint = f"write 0{item}"
    elif re.fullmatch(r"\d{2}:\d{2}:\d{2}", item):
        hint = "there are no seconds; write HH:MM"
    elif (clock := _AM_PM.fullmatch(item)) is not None:
        hour = int(clock[1]) % 12 + (12 if clock[3] == "p" else 0)
        hint = f"write {hour:02}:{clock[2] or '00'}"
    elif " and " in item or "&" in item:
        hint = "put commas between several times, such as 06:00,18:00"
    elif re.search(r"[+-]\d|[a-z]/|z$|utc", item):
        hint = "the zone is the schedule's time_zone, not part of the interval"
    raise refuse("bad-time", f"{item[:30]!r} is not a time; {hint}")


def _weekdays(text: str) -> Days:
    return Days(weekdays=tuple(sorted({_weekday(item) for item in text.split(",")})))


def _weekday(word: str) -> int:
    for number, name in enumerate(_WEEKDAYS):
        if word in (name, name[:3]):
            return number
    advice = "write mon, tue, wed, thu, fri, sat or sun"
    if " and " in word or "&" in word:
        advice = "put commas between several days, such as mon,thu"
    raise refuse("bad-day", f"{word[:20]!r} is not a weekday; {advice}")


def _monthdays(text: str) -> Days:
    if text == "last day":
        return Days(last_day=True)
    place, _, weekday = text.partition(" ")
    if weekday and place in _PLACES:
        return Days(nth=((_weekday(weekday), _PLACES[place]),))
    items = text.split(",")
    if any(not re.fullmatch(r"0?[1-9]|[12]\d|3[01]", item) for item in items):
        options = "1 to 31, last day, or first, second, third, fourth or last with a weekday (first mon)"
        raise refuse("bad-day", f"{text[:30]!r} is not a day of the month; write {options}")
    return Days(monthdays=tuple(sorted({int(item) for item in items})))


def _every(line: str) -> Reader:
    match = _EVERY.fullmatch(line)
    if match is None:
        meant = _meant_by_every(line)
        advice = f"did you mean {meant}?" if meant else _EXAMPLES
        raise refuse("not-an-interval", f"{line[:60]!r} is not an interval; {advice}")
    unit, limit = match["unit"], _LIMITS[match["unit"]]
    digits = match["count"]
    if not re.fullmatch(r"\d{1,4}", digits) or not 1 <= int(digits) <= limit:
        raise refuse("out-of-range", f"every {digits[:20]} {unit}s: the number must be from 1 to {limit}")
    count, rest = int(digits), match["rest"]
    if unit in {"minute", "hour"}:
        return _elapsed(count * (60 if unit == "hour" else 1), line, rest)
    found = _ON_AT.fullmatch(rest or "")
    if found is None:
        raise refuse(
            "not-an-interval", f"{line[:60]!r} needs a time of day; write every {count} {unit}s at 02:00"
        )
    days = _days_of(unit, found["on"])
    times = _times(found["at"])
    units: dict[str, Unit] = {"day": "days", "week": "weeks", "month": "months"}
    return lambda first_run: _counted(count, units[unit], days, times, first_run)


_SHORT = {"m": "minute", "min": "minute", "h": "hour", "hr": "hour", "d": "day", "w": "week", "wk": "week"}
_LOOSE = re.compile(r"every ?(\d{1,4})[ -]?([a-z]+)\.?(?: at (.+))?")


def _meant_by_every(line: str) -> str | None:
    """What somebody probably means who writes `every 15 min`, `every day at 02:00` or `every monday`."""
    if loose := _LOOSE.fullmatch(line):
        count, word, at = loose.groups()
        bare = word if word in _SHORT else word.removesuffix("s")
        near = difflib.get_close_matches(bare, _LIMITS, n=1, cutoff=0.7)
        unit = _SHORT.get(bare) or (near[0] if near else None)
        if unit is None or not 1 <= int(count) <= _LIMITS[unit]:
            return None
        timed = "" if unit in ("minute", "hour") else f" at {at or '02:00'}"
        return f"every {int(count)} {unit}s{timed}"
    word, _, rest = line.removeprefix("every ").partition(" ")
    if word == "hour":
        return "hourly at :05"
    tail = rest if rest.startswith("at ") else "at 02:00"
    days = {"day": "daily", "night": "daily", "weekday": "weekdays"}
    named = next((name[:3] for name in _WEEKDAYS if word.removesuffix("s") in (name, name[:3])), None)
    start = days.get(word) or (f"weekly on {named}" if named else None)
    return f"{start} {tail[:30]}" if start else None


def _elapsed(minutes: int, line: str, rest: str | None) -> Reader:
    if rest is not None:
        raise refuse(
            "not-an-interval", f"{rest[:30]!r} does not fit after minutes or hours; first_run is the anchor"
        )

    def anchored(first_run: datetime | None) -> Rule:
        if first_run is None:
            text = f"{line!r} counts from the first run, so the schedule needs first_run"
            raise refuse("first-run-missing", text, hint=_ADD_FIRST_RUN)
        return ElapsedRule(minutes, first_run)

    return anchored


def _days_of(unit: str, on: str | None) -> Days:
    if on is None:
        return Days()
    first = on.split(",")[0]
    by_name = any(first in (name, name[:3]) for name in _WEEKDAYS)
    return _weekdays(on) if by_name or (unit == "week" and not first[:1].isdigit()) else _monthdays(on)


def _counted(count: int, unit: Unit, days: Days, times: tuple[time, ...], first_run: datetime | None) -> Rule:
    named = unit == "days" or days != Days()
    if count == 1 and named:
        return _calendar(days, times)
    if first_run is None:
        text = f"every {count} {unit} is counted from the first run's date, so the schedule needs first_run"
        raise refuse("first-run-missing", text, hint=_ADD_FIRST_RUN)
    anchor = first_run.date()
    if not named:
        by_week = Days(weekdays=(cron_weekday(anchor),))
        days = by_week if unit == "weeks" else Days(monthdays=(anchor.day,))
    if count == 1:
        return _calendar(days, times)
    return DatesRule(count, unit, days, times, _period_start(anchor, unit))


def _period_start(anchor: date, unit: Unit) -> date:
    """Two first runs in one week (or month) count the same weeks, so they share the anchor."""
    if unit == "weeks":
        return anchor - timedelta(days=anchor.weekday())
    return anchor.replace(day=1) if unit == "months" else anchor


def read_moment(text: str, culprit: Culprit) -> datetime:
    """Read `YYYY-MM-DD HH:MM` as a naive wall time of 2000 to 2099. Raises IntervalError for that culprit."""
    key = "first-run" if culprit == "first_run" else "bad-time"
    shown = repr(text[:40])
    match = _MOMENT.fullmatch(text.strip().lower())
    if match is None:
        if re.match(r"\d{4}-\d{2}-\d{2}.*(z|[+-]\d{2}:?\d{2}|[a-z]+/[a-z_]+|utc)$", text.strip().lower()):
            reason = f"{shown} carries a zone, and local time in the schedule's time_zone is meant"
            raise refuse(key, f"{reason}; write it like 2026-09-01 02:00", culprit)
        raise refuse(key, f"{shown} is not a local date and time; write it like 2026-09-01 02:00", culprit)
    year, month, day, hour, minute = (int(part) for part in match.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise refuse(key, f"{shown}: the year must be from {FIRST_YEAR} to {LAST_YEAR}", culprit)
    if hour > 23 or minute > 59:
        raise refuse(key, f"{shown}: {hour:02}:{minute:02} is not a time of day (00:00 to 23:59)", culprit)
    try:
        return datetime.fromisoformat(f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
    except ValueError:
        raise refuse(_date_key(key), f"{shown}: {_impossible(year, month, day)}", culprit) from None


def _date_key(key: str) -> str:
    return key if key == "first-run" else "impossible-date"


def _impossible(year: int, month: int, day: int) -> str:
    if not 1 <= month <= 12:
        return f"there is no month {month}"
    return f"there is no {day} {date(year, month, 1):%B} in {year}"
