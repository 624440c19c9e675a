"""What is allowed but may surprise: warnings about an interval, each with a key and a plain sentence.

Refusals are made while reading (`grammar`, `fields`); nothing here changes when a schedule runs.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gradesync.domain.interval.grid import is_fixed
from gradesync.domain.interval.rules import CronRule, DatesRule, ElapsedRule, OnceRule
from gradesync.domain.interval.steps import steps_for
from gradesync.domain.interval.value import Interval
from gradesync.domain.interval.words import listed, month_name, ordinal
from gradesync.domain.interval.zones import Shift, local_to_utc, offsets, shift_at, shifts, to_local, zone

_MINUTE = timedelta(minutes=1)
_YEAR = timedelta(days=366)
SOON = timedelta(weeks=6)
"""How long before a change of clocks every look at the files tells it: all year long nobody would read it any more."""
_LONGEST_GAP = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class IntervalWarning:
    """One finding: a short stable key and a sentence."""

    key: str
    text: str


def warnings(
    interval: Interval, now: datetime, tick_minutes: int | None = None, *, ahead: timedelta = _YEAR
) -> tuple[IntervalWarning, ...]:
    """Everything a person should know before relying on the interval.

    `now` (aware) starts the time `ahead` in which a change of clocks is told (at most a year); `tick_minutes` is how
    often `reconcile` is started, if known.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    changes = shifts(interval.time_zone, today, today + _YEAR)
    found = [
        *_uneven(interval),
        *_skipped_months(interval),
        *_clock_changes(interval, tuple(one for one in changes if one.at <= today + ahead)),
        *_tick(interval, tick_minutes),
        *_elapsed(interval, has_changes=bool(changes)),
        *_first_run(interval, today),
        *_over(interval, now),
    ]
    return tuple(IntervalWarning(key, text) for key, text in found)


_Found = Iterator[tuple[str, str]]


def _uneven(interval: Interval) -> _Found:
    if not isinstance(interval.rule, CronRule) or not interval.text.lower().startswith("cron"):
        return
    minute, hour = interval.text.split()[1:3]
    for field, size, unit, turn in ((minute, 60, "minutes", "hour"), (hour, 24, "hours", "day")):
        match = re.fullmatch(r"\*/(\d+)", field)
        if match and size % int(match[1]):
            step = int(match[1])
            last = (size - 1) // step * step
            text = (
                f"{field} is not every {step} {unit}: it starts again each {turn}, so after {last} comes 0, "
            )
            yield "uneven", f"{text}{size - last} {unit} later"


def _skipped_months(interval: Interval) -> _Found:
    rule = interval.rule
    if not isinstance(rule, (CronRule, DatesRule)):
        return
    days = rule.days if isinstance(rule, DatesRule) else rule.crons[0].days
    if any(place == 5 for _, place in days.nth):
        yield "skips-months", "a fifth weekday comes in about one month of three; did you mean last?"
    if days.weekdays:
        return
    for day in days.monthdays:
        # 2023 is a common year: a 29th is missed in most Februaries.
        missing = [month for month in _months(rule) if monthrange(2023, month)[1] < day]
        if missing:
            names = listed([month_name(month) for month in missing])
            many = "1 month" if len(missing) == 1 else f"{len(missing)} months"
            usual = " (but for leap years)" if day == 29 else ""
            text = (
                f"there is no {ordinal(day)} in {names}{usual}, so this skips {many}; did you mean last day?"
            )
            yield "skips-months", text


def _months(rule: CronRule | DatesRule) -> tuple[int, ...]:
    if isinstance(rule, CronRule):
        return rule.crons[0].months
    if rule.unit != "months":
        return tuple(range(1, 13))
    return tuple(sorted({(rule.anchor.month - 1 + rule.count * turn) % 12 + 1 for turn in range(12)}))


def _clock_changes(interval: Interval, changes: tuple[Shift, ...]) -> _Found:
    rule = interval.rule
    if isinstance(rule, (CronRule, DatesRule)) and is_fixed(rule):
        steps = steps_for(rule)
        for change in changes:
            wall = steps.next(change.wall_start - _MINUTE)
            begins = interval.not_before is None or interval.not_before <= change.at
            if wall is not None and wall < change.wall_end and begins:
                yield _on_change(interval, change, wall)
    elif isinstance(rule, OnceRule):
        first, second = offsets(rule.at, zone(interval.time_zone))
        if first != second:
            yield _on_change(interval, shift_at(rule.at, zone(interval.time_zone)), rule.at)


def _on_change(interval: Interval, change: Shift, wall: datetime) -> tuple[str, str]:
    day = f"on {wall:%Y-%m-%d} clocks in {interval.time_zone}"
    if not change.is_gap:
        return "dst-overlap", f"{day} go back and {wall:%H:%M} comes twice; it runs once, on the first pass"
    if change.length > _LONGEST_GAP and not isinstance(interval.rule, OnceRule):
        return "dst-gap", f"{day} leave out {wall:%H:%M} with most of a day; it does not run that day"
    start = to_local(change.at, interval.time_zone)
    return "dst-gap", f"{day} go forward and leave out {wall:%H:%M}; it runs at {start:%H:%M} that day"


def _tick(interval: Interval, tick_minutes: int | None) -> _Found:
    gap = interval.shortest_gap_minutes
    if tick_minutes is not None and gap is not None and gap < tick_minutes:
        text = f"slots come as close as {gap} minutes, but reconcile is started every {tick_minutes} minutes"
        yield "faster-than-tick", f"{text}; slots between two passes become one run"


def _elapsed(interval: Interval, *, has_changes: bool) -> _Found:
    rule = interval.rule
    if not isinstance(rule, ElapsedRule) or rule.minutes < 120 or not has_changes:
        return
    hours, rest = divmod(rule.minutes, 60)
    length = f"{rule.minutes} minutes" if rest else f"{hours} hours"
    key = "elapsed-moves"
    text = (
        f"every {length} counts real time, so its wall times move when clocks change in {interval.time_zone}"
    )
    if rule.minutes % 1440 == 0:
        key, text = "not-daily", f"{text}: it is not daily"
    same = _wall_spelling(rule)
    yield key, f"{text}; for fixed wall times write {same}" if same else text


def _wall_spelling(rule: ElapsedRule) -> str | None:
    """The calendar interval with the same times of day, if there is one."""
    hours, rest = divmod(rule.minutes, 60)
    at = rule.anchor.time()
    if not rest and hours % 24 == 0:
        return f"daily at {at:%H:%M}" if hours == 24 else f"every {hours // 24} days at {at:%H:%M}"
    if rest or 24 % hours:
        return None
    first = at.hour % hours
    last = first + 24 - hours
    return (
        f"cron {at.minute} {first},{last} * * *"
        if hours == 12
        else f"cron {at.minute} {first}-{last}/{hours} * * *"
    )


def _first_run(interval: Interval, today: datetime) -> _Found:
    first_run = interval.first_run
    if first_run is None:
        return
    shown = f"first_run {first_run:%Y-%m-%d %H:%M}"
    if interval.kind == "manual":
        yield "first-run-unused", f"{shown} has no effect: a manual schedule has no slots"
        return
    if interval.kind == "elapsed":
        yield from _first_run_shift(interval, first_run, shown)
        return
    bound = local_to_utc(first_run, interval.time_zone)
    real = interval.grid.next(bound - _MINUTE)
    # What lies behind decides nothing any more: it would stand there for ever after every change of an hour.
    if real is not None and real != bound and real >= today and interval.kind == "calendar":
        local = to_local(real, interval.time_zone)
        yield (
            "first-run-no-match",
            f"{shown} is not a slot of this interval; the first run is {local:%Y-%m-%d %H:%M %Z}",
        )


def _first_run_shift(interval: Interval, first_run: datetime, shown: str) -> _Found:
    first, second = offsets(first_run, zone(interval.time_zone))
    local = to_local(local_to_utc(first_run, interval.time_zone), interval.time_zone)
    if second > first:
        yield (
            "first-run-gap",
            f"{shown} does not exist: clocks go forward then; it counts from {local:%H:%M %Z}",
        )
    elif second < first:
        yield (
            "first-run-overlap",
            f"{shown} comes twice: clocks go back then; it counts from the first, {local:%Z}",
        )


def _over(interval: Interval, now: datetime) -> _Found:
    if isinstance(interval.rule, OnceRule) and interval.next_slot(now) is None:
        yield "over", f"{interval.rule.at:%Y-%m-%d %H:%M} has passed, so this never runs"
