"""Says an interval in plain words, for plans and tables. Prose only; nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

from gradesync.domain.interval.rules import (
    HOURS,
    LAST,
    MINUTES,
    MONTHS,
    Cron,
    CronRule,
    DatesRule,
    Days,
    ElapsedRule,
    OnceRule,
    Rule,
)

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_SHOWN_TIMES = 6


def sentence(rule: Rule) -> str:
    """The rule in words, such as "on the 1st or on Mondays at 00:00"; without the time zone."""
    if isinstance(rule, CronRule):
        return _calendar(rule)
    if isinstance(rule, DatesRule):
        days = "" if rule.days == Days() else f", {_days(rule.days)},"
        counted = f"every {rule.count} {rule.unit} counted from {rule.anchor.isoformat()}"
        return f"{counted}{days} at {_times(rule.times)}"
    if isinstance(rule, ElapsedRule):
        return f"every {_length(rule.minutes)} counted from {rule.anchor:%Y-%m-%d %H:%M}"
    if isinstance(rule, OnceRule):
        return f"once at {rule.at:%Y-%m-%d %H:%M}"
    return "only on request"


def listed(items: Sequence[object], joint: str = "and") -> str:
    """`a, b and c`."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joint} {texts[-1]}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def month_name(number: int) -> str:
    """January to December."""
    return f"{date(2000, number, 1):%B}"


def _length(minutes: int) -> str:
    if minutes % 60:
        return "minute" if minutes == 1 else f"{minutes} minutes"
    return "hour" if minutes == 60 else f"{minutes // 60} hours"


def _calendar(rule: CronRule) -> str:
    first = rule.crons[0]
    months = (
        "" if first.months == MONTHS else f" in {listed([month_name(number) for number in first.months])}"
    )
    days = _days(first.days)
    times = [time(hour, minute) for cron in rule.crons for hour in cron.hours for minute in cron.minutes]
    if len(times) <= _SHOWN_TIMES:
        return f"{days}{months} at {_times(sorted(times))}"
    when = _clock(first)
    if first.days == Days():
        return when + months
    return f"{when} {days}{months}"


def _clock(cron: Cron) -> str:
    """Many times of day: by their rhythm in the hour, then by their hours."""
    hours = "" if cron.hours == HOURS else f" during {_hours(cron.hours)}"
    if cron.minutes == MINUTES:
        return f"every minute{hours}"
    step = cron.minutes[1] if len(cron.minutes) > 1 else 0
    if step and cron.minutes == tuple(range(0, 60, step)) and 60 % step == 0:
        return f"every {step} minutes{hours}"
    marks = listed([f":{minute:02}" for minute in cron.minutes])
    return f"every hour at {marks}" if cron.hours == HOURS else f"at {marks} past the hour{hours}"


def _hours(hours: tuple[int, ...]) -> str:
    if len(hours) > 2 and hours == tuple(range(hours[0], hours[-1] + 1)):
        return f"the hours from {hours[0]:02} to {hours[-1]:02}"
    return ("the hour " if len(hours) == 1 else "the hours ") + listed([f"{hour:02}" for hour in hours])


def _times(times: Sequence[time]) -> str:
    return listed([f"{at:%H:%M}" for at in times])


def _days(days: Days) -> str:
    if days.last_day:
        return "on the last day of the month"
    if days.nth:
        return (
            f"on the {listed([f'{_PLACES[place]} {_WEEKDAYS[day]}' for day, place in days.nth])} of the month"
        )
    if days.monthdays and days.weekdays:
        # Cron's "either of them" surprises people, so the words say it.
        return f"{_monthdays(days.monthdays)} or on {listed([_WEEKDAYS[day] + 's' for day in days.weekdays])}"
    if days.monthdays:
        return f"{_monthdays(days.monthdays)} of the month"
    if not days.weekdays:
        return "every day"
    if days.weekdays == (1, 2, 3, 4, 5):
        return "Monday to Friday"
    return f"every {listed([_WEEKDAYS[day] for day in days.weekdays])}"


def _monthdays(monthdays: tuple[int, ...]) -> str:
    return f"on the {listed([ordinal(day) for day in monthdays])}"
