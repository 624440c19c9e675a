"""Reads the five fields of a cron expression, and refuses what other crons read differently.

The subset is strict on purpose: an expression that is accepted here means the same in every cron people know.
What croniter would accept beyond it (whole-cycle ranges, hashed fields, seconds) is refused in words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gradesync.domain.interval.refusal import IntervalError
from gradesync.domain.interval.rules import LAST, Cron, Days

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?P<low>[a-z]+|\d+)(?:-(?P<high>[a-z]+|\d+))?(?:/(?P<step>\d+))?")
_NTH = re.compile(r"([a-z]{3}|\d)#(\d+)")
_LAST_WEEKDAY = re.compile(r"l([a-z]{3}|\d)")
_HASHED = re.compile(r"(?<![a-z])[hr](?![a-z])")
_NEAREST = re.compile(r"(?<![a-z])l?w(?![a-z])")
_BARE_LAST = re.compile(r"(?<![a-z])l(?![a-z])")


@dataclass(frozen=True, slots=True)
class _Field:
    title: str
    low: int
    high: int
    names: dict[str, int]

    @property
    def size(self) -> int:
        # The weekday field ends at 7 only because 7 is a second name of Sunday.
        return 7 if self.title == "weekday" else self.high - self.low + 1


_MINUTE = _Field("minute", 0, 59, {})
_HOUR = _Field("hour", 0, 23, {})
_MONTHDAY = _Field("day of month", 1, 31, {})
_MONTH = _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTH_NAMES, 1)})
_WEEKDAY = _Field("weekday", 0, 7, {name: number for number, name in enumerate(_DAY_NAMES)})


def read_cron(body: str) -> Cron:
    """Read `minute hour day-of-month month weekday` (lower case). Raises IntervalError, keys `cron-...`."""
    if body.startswith("@"):
        raise _no(
            "cron-alias", f"{body[:20]!r} is a nickname, and nicknames are not taken; write daily at 00:00"
        )
    fields = body.split()
    if len(fields) != 5:
        more = "; there is no field for seconds or for a year" if len(fields) in (6, 7) else ""
        raise _no(
            "cron-fields", f"cron takes five fields (minute hour day month weekday), not {len(fields)}{more}"
        )
    minute, hour, monthday, month, weekday = fields
    return Cron(
        minutes=_values(minute, _MINUTE),
        hours=_values(hour, _HOUR),
        days=_days(monthday, weekday),
        months=_values(month, _MONTH),
        wildcard=minute.startswith("*") or hour.startswith("*"),
    )


def _no(key: str, text: str) -> IntervalError:
    return IntervalError(text, reason_key=key)


def _days(monthday: str, weekday: str) -> Days:
    special = _special_days(monthday, weekday)
    if special is not None:
        return special
    monthdays = _values(monthday, _MONTHDAY)
    weekdays = tuple(sorted({number % 7 for number in _values(weekday, _WEEKDAY)}))
    if monthday == "*" or weekday == "*":
        return Days(
            () if len(monthdays) == _MONTHDAY.size else monthdays, () if len(weekdays) == 7 else weekdays
        )
    if monthday.startswith("*") or weekday.startswith("*"):
        raise _no(
            "cron-days",
            f"day of month {monthday!r} with weekday {weekday!r}: some crons mean both, some either; "
            "restrict one of the two, without a star",
        )
    if len(monthdays) == _MONTHDAY.size or len(weekdays) == 7:
        return Days()
    return Days(monthdays, weekdays)


def _special_days(monthday: str, weekday: str) -> Days | None:
    """The days of `L` and `#`, or None when neither is used."""
    if monthday == "l":
        if weekday != "*":
            raise _no("cron-last", "L as the day of month is written alone; write * as the weekday")
        return Days(last_day=True)
    last, nth = _LAST_WEEKDAY.fullmatch(weekday), "#" in weekday
    if last is None and not nth:
        return None
    if monthday != "*":
        raise _no(
            "cron-days", f"{weekday!r} names certain weekdays of the month: write * as the day of month"
        )
    if last is not None:
        return Days(nth=((_number(last[1], _WEEKDAY) % 7, LAST),))
    return Days(nth=tuple(sorted({_nth(item) for item in weekday.split(",")})))


def _nth(item: str) -> tuple[int, int]:
    match = _NTH.fullmatch(item)
    if match is None or not 1 <= int(match[2][:3]) <= 5:
        raise _no("cron-nth", f"{item[:20]!r}: write one weekday, # and 1 to 5 (such as mon#2), alone")
    return _number(match[1], _WEEKDAY) % 7, int(match[2])


def _values(text: str, field: _Field) -> tuple[int, ...]:
    _refuse_letters(text, field)
    if text.startswith("*"):
        return _starred(text, field)
    found: set[int] = set()
    for item in text.split(","):
        found.update(_item(item, field))
    return tuple(sorted(found))


def _refuse_letters(text: str, field: _Field) -> None:
    bare = text
    for name in field.names:
        bare = bare.replace(name, "")
    if "?" in bare:
        raise _no("cron-letters", f"? in the {field.title} field is not taken; write *")
    if _HASHED.search(bare):
        raise _no(
            "cron-letters",
            f"hashed or random values (H, R) in the {field.title} field are not taken; use spread",
        )
    if _NEAREST.search(bare):
        raise _no("cron-letters", f"nearest weekday (W) in the {field.title} field is not taken")
    if _BARE_LAST.search(bare):
        hint = "the last Friday is L5 as the weekday, the last day of the month is L as the day, each alone"
        raise _no("cron-last", f"L is not taken like this in the {field.title} field ({text[:20]!r}): {hint}")
    if "#" in bare:
        raise _no("cron-nth", f"# belongs in the weekday field, not in the {field.title} field")


def _starred(text: str, field: _Field) -> tuple[int, ...]:
    every = range(field.low, field.low + field.size)
    if text == "*":
        return tuple(every)
    match = re.fullmatch(r"\*/(\d+)", text)
    if match is None:
        raise _no(
            "cron-syntax", f"{text[:20]!r} in the {field.title} field: a star is written alone or as */n"
        )
    return tuple(every[:: _step(match[1], field.size, text, field)])


def _item(item: str, field: _Field) -> range:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise _no(
            "cron-syntax", f"{item[:20]!r} in the {field.title} field is not a number, a name or a range"
        )
    low = _number(match["low"], field)
    if match["high"] is None:
        if match["step"] is not None:
            text = f"{item[:20]!r} in the {field.title} field is read differently by different crons"
            raise _no("cron-step", f"{text}; write {match['low'][:3]}-{field.high}/{match['step'][:3]}")
        return range(low, low + 1)
    high = _number(match["high"], field)
    if low == high:
        raise _no(
            "cron-range", f"{item[:20]!r} in the {field.title} field is a range of one value; write {low}"
        )
    if low > high:
        raise _no(
            "cron-range",
            f"{item[:20]!r} in the {field.title} field runs backwards; {_forwards(low, high, field)}",
        )
    step = 1 if match["step"] is None else _step(match["step"], high - low + 1, item, field)
    return range(low, high + 1, step)


def _forwards(low: int, high: int, field: _Field) -> str:
    if field is _WEEKDAY and high == 0:
        return f"Sunday ends a range as 7: write {low}-7"
    first = f"{low}-{field.high if field is not _WEEKDAY else 6}" if low < field.high else str(low)
    second = f"{field.low}-{high}" if high > field.low else str(high)
    return f"write {first},{second}"


def _step(digits: str, size: int, text: str, field: _Field) -> int:
    step = int(digits) if len(digits) <= 2 else 100
    if not 1 <= step < size:
        what = f"{text[:20]!r} in the {field.title} field: the step must be at least 1 and less than {size}"
        raise _no("cron-step", f"{what}, the number of values")
    return step


def _number(text: str, field: _Field) -> int:
    if text.isdigit():
        if len(text) > 2 or not field.low <= int(text) <= field.high:
            raise _no("cron-range", f"{text[:20]!r} is not a {field.title}: {field.low} to {field.high}")
        return int(text)
    if text not in field.names:
        names = f" Names are {', '.join(field.names)}." if field.names else ""
        raise _no("cron-syntax", f"{text[:20]!r} is not a {field.title}.{names}")
    return field.names[text]
