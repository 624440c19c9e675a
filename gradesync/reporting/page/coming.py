"""The coming week of an account, day by day: what runs, what does not and why. Cells as texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from gradesync.domain.week import AccountWeek, Stretch
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page.environment import Escaped, escaped
from gradesync.reporting.page.wording import TYPE_SLUGS, sentences

Row = tuple[Any, ...]


def week_days(week: AccountWeek, now: datetime) -> list[Row]:
    """(date, title, slots) of each local day; the cells of slots are escaped."""
    by_day: dict[object, list[Row]] = {day: [] for day in week.days}
    never = _never(week)
    for stretch in week.stretches:
        if stretch.day in by_day and stretch.schedule.id.name not in never:
            by_day[stretch.day].append(_slot(stretch, week.time_zone))
    titles = [words.day(datetime(day.year, day.month, day.day), now) for day in week.days]  # noqa: DTZ001 - a date
    return [
        (day.isoformat(), ("Today, " if place == 0 else "") + title, by_day[day])
        for place, (day, title) in enumerate(zip(week.days, titles, strict=True))
    ]


def _slot(stretch: Stretch, zone: str) -> tuple[Escaped, Escaped, Escaped, Escaped, Escaped]:
    schedule, at_home = stretch.schedule, f" {zone}"
    # The page says once that all times are the account's; a narrow day would cut the name in two.
    why = [told.removesuffix(at_home) for told in sentences(stretch.blocks)] if stretch.blocks else ()
    return (
        _time(stretch.first, stretch.last, zone),
        _name(schedule.id.name),
        _SLUGS[schedule.type],
        _often(schedule.type.value, stretch.count, stretch.every, stretch.capped),
        escaped("; ".join(why)) if why else Escaped(""),
    )


@lru_cache(maxsize=4096)
def _time(first: datetime, last: datetime, zone: str) -> Escaped:
    """`15:00 to 17:00` on the zone's clock; most accounts share their zone and their hours.

    Where the clock is put back, one hour comes twice: there its letters tell which is meant.
    """
    moments = [words.local(one, zone) for one in ((first,) if first == last else (first, last))]
    times = [f"{moment:%H:%M}" for moment in moments]
    if len(set(times)) < len(times):
        times = [f"{moment:%H:%M} {words.abbreviation(moment)}" for moment in moments]
    return escaped(" to ".join(times))


@lru_cache(maxsize=4096)
def _often(type: str, count: int, every: int | None, capped: bool) -> Escaped:
    if count == 1:
        return escaped(type)
    number = f"{count:,} times{' or more' if capped else ''}"
    return escaped(
        f"{type}, every {words.plural(every, 'minute')}, {number}" if every else f"{type}, {number}"
    )


@lru_cache(maxsize=4096)
def _name(name: str) -> Escaped:
    return escaped(clean(name))


_SLUGS = {type: escaped(slug) for type, slug in TYPE_SLUGS.items()}


def _never(week: AccountWeek) -> Mapping[str, str]:
    """Schedules that are paused in their files, with the sentence that says so: seven days need not repeat it."""
    found: dict[str, str] = {}
    for stretch in week.stretches:
        for block in stretch.blocks:
            if block.kind == "paused":
                found[stretch.schedule.id.name] = clean(block.sentence)
    return found


def idle_rows(week: AccountWeek) -> list[Row]:
    """Schedules without a slot in the week, and those that are paused."""
    never = _never(week)
    intervals = {one.schedule.id.name: one.schedule.interval for one in week.stretches}
    paused = [(clean(name), clean(intervals[name]), why) for name, why in sorted(never.items())]
    return [*paused, *((clean(one.id.name), clean(one.interval), "") for one in week.idle)]
