"""What an interval says, as plain values: the result of reading, before any time zone or instant is known.

Each rule knows its canonical text, on which definitions are compared. No cron library, no zone, no prose.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

Unit = Literal["days", "weeks", "months"]

MINUTES = tuple(range(60))
HOURS = tuple(range(24))
MONTHS = tuple(range(1, 13))
LAST = -1


@dataclass(frozen=True, slots=True)
class Days:
    """Which days of a month; everything empty means every day.

    `monthdays` are 1..31; `weekdays` are 0..6 from Sunday on; `nth` pairs a weekday with 1..5 or LAST.
    `monthdays` together with `weekdays` means either of them, as in cron; `last_day` and `nth` stand alone.
    """

    monthdays: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    last_day: bool = False
    nth: tuple[tuple[int, int], ...] = ()

    def match(self, day: date) -> bool:
        """Whether this date is one of the days."""
        if self.last_day:
            return day.day == monthrange(day.year, day.month)[1]
        if self.nth:
            return any(_is_nth(day, weekday, place) for weekday, place in self.nth)
        if not self.monthdays and not self.weekdays:
            return True
        return day.day in self.monthdays or cron_weekday(day) in self.weekdays

    @property
    def cron(self) -> tuple[str, str]:
        """The day-of-month and day-of-week fields, last weekday in croniter's spelling (`L5`)."""
        if self.last_day:
            return "L", "*"
        if self.nth:
            return "*", ",".join(f"L{day}" if place == LAST else f"{day}#{place}" for day, place in self.nth)
        return compact(self.monthdays) or "*", compact(self.weekdays) or "*"


def cron_weekday(day: date) -> int:
    """0 for Sunday to 6 for Saturday."""
    return day.isoweekday() % 7


def _is_nth(day: date, weekday: int, place: int) -> bool:
    if cron_weekday(day) != weekday:
        return False
    if place == LAST:
        return day.day + 7 > monthrange(day.year, day.month)[1]
    return (day.day - 1) // 7 + 1 == place


def compact(values: tuple[int, ...]) -> str:
    """Sorted numbers as a cron list; three or more neighbours become a range; equal sets read equal."""
    parts: list[str] = []
    run: list[int] = []
    for value in (*sorted(set(values)), None):
        if value is not None and run and value == run[-1] + 1:
            run.append(value)
            continue
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(number) for number in run]
        run = [] if value is None else [value]
    return ",".join(parts)


@dataclass(frozen=True, slots=True)
class Cron:
    """One five-field cron expression as sets of numbers.

    `wildcard` is Debian cron's distinction: written with a star in the minute or the hour it follows the
    real clock; otherwise it is fixed to wall time. Two spellings of one set are the same Cron.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days = Days()
    months: tuple[int, ...] = MONTHS
    wildcard: bool = False

    @property
    def text(self) -> str:
        """The canonical expression; it parses back to an equal Cron."""
        months = "*" if self.months == MONTHS else compact(self.months)
        monthdays, weekdays = self.days.cron
        minute, hour = (self._clock_field(*pair) for pair in ((self.minutes, 60), (self.hours, 24)))
        return f"{minute} {hour} {monthdays} {months} {weekdays}"

    def _clock_field(self, values: tuple[int, ...], size: int) -> str:
        # A star may only be written back into a wildcard expression: it turns a fixed one into a wildcard.
        if not self.wildcard or len(values) < 2:
            return compact(values)
        step = values[1]
        if values != tuple(range(0, size, step)):
            return compact(values)
        return "*" if step == 1 else f"*/{step}"


@dataclass(frozen=True, slots=True)
class CronRule:
    """Calendar slots by one or more cron expressions (times with different minutes need several)."""

    crons: tuple[Cron, ...]

    @property
    def canonical(self) -> str:
        """`cron ...`; several expressions are joined by a semicolon."""
        return "cron " + "; ".join(cron.text for cron in self.crons)


@dataclass(frozen=True, slots=True)
class DatesRule:
    """Slots every `count` days, weeks (from Monday) or months, counted from `anchor`, at wall times."""

    count: int
    unit: Unit
    days: Days
    times: tuple[time, ...]
    anchor: date

    @property
    def canonical(self) -> str:
        """The rule with its anchor: the same words counted from another date are other days."""
        monthdays, weekdays = self.days.cron
        on = "" if self.days == Days() else f" on {monthdays} {weekdays}"
        times = ",".join(f"{at:%H:%M}" for at in self.times)
        return f"every {self.count} {self.unit} from {self.anchor.isoformat()}{on} at {times}"


@dataclass(frozen=True, slots=True)
class ElapsedRule:
    """A slot every `minutes` of real time from `anchor` (local wall time); clock changes do not touch it."""

    minutes: int
    anchor: datetime

    @property
    def canonical(self) -> str:
        """The rule with its anchor, which is its phase."""
        return f"every {self.minutes} minutes from {self.anchor:%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class OnceRule:
    """One slot, at a local wall time."""

    at: datetime

    @property
    def canonical(self) -> str:
        """The rule in words."""
        return f"once at {self.at:%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class ManualRule:
    """No slots: the schedule runs on request only."""

    @property
    def canonical(self) -> str:
        """The rule in words."""
        return "manual"


Rule = CronRule | DatesRule | ElapsedRule | OnceRule | ManualRule
