"""The coming week of an account, day by day: what runs, what does not and why. Cells as texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gradesync.domain.week import AccountWeek, Stretch
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page.wording import TYPE_SLUGS

Row = tuple[Any, ...]


def week_days(week: AccountWeek, now: datetime) -> list[Row]:
    """(date, title, slots) of each local day."""
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


def _slot(stretch: Stretch, zone: str) -> Row:
    first = words.local(stretch.first, zone)
    at_home = f" {zone}"  # the page says once that all times are the account's; a narrow day would cut the name in two
    time, often = f"{first:%H:%M}", stretch.schedule.type.value
    if stretch.count > 1:
        time = f"{time} to {words.local(stretch.last, zone):%H:%M}"
        number = f"{stretch.count:,} times{' or more' if stretch.capped else ''}"
        often += (
            f", every {words.plural(stretch.every, 'minute')}, {number}" if stretch.every else f", {number}"
        )
    return (
        time,
        clean(stretch.schedule.id.name),
        TYPE_SLUGS[stretch.schedule.type],
        often,
        "; ".join(clean(block.sentence).removesuffix(at_home) for block in stretch.blocks),
    )


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
