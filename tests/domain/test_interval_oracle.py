"""Random cron expressions around real clock changes, against an oracle that knows nothing of the product's way.

The oracle walks UTC minute by minute, reads the wall clock, and applies the rule of Debian's cron(8) to sets of
numbers that the test drew itself; no cron library, no bisection, no offsets.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import pytest

from gradesync.domain.interval import parse_interval, zone

MINUTE = timedelta(minutes=1)
REACH = timedelta(hours=14)
# More can be asked for by hand; the seed is fixed, so a failure repeats.
EXPRESSIONS = int(os.environ.get("GRADESYNC_ORACLE_EXPRESSIONS", "25"))

CHANGES = [
    ("America/New_York", "2026-03-01"),
    ("America/New_York", "2026-10-20"),
    ("Europe/Dublin", "2026-03-20"),
    ("Europe/Dublin", "2026-10-15"),
    ("America/Havana", "2026-03-01"),
    ("America/Havana", "2026-10-20"),
    ("Australia/Lord_Howe", "2026-03-25"),
    ("Australia/Lord_Howe", "2026-09-25"),
    ("Antarctica/Troll", "2026-03-20"),
    ("Antarctica/Troll", "2026-10-15"),
    ("Africa/Cairo", "2026-04-10"),
    ("Africa/Cairo", "2026-10-15"),
    ("Asia/Tehran", "2022-03-15"),
    ("Asia/Tehran", "2022-09-10"),
    ("Pacific/Chatham", "2026-03-25"),
    ("Pacific/Chatham", "2026-09-15"),
    ("America/St_Johns", "2011-03-05"),
    ("America/St_Johns", "2010-10-25"),
    ("America/Santiago", "2026-03-25"),
    ("America/Santiago", "2026-08-25"),
    ("Pacific/Apia", "2011-12-20"),
    ("America/Caracas", "2016-04-25"),
    ("America/Caracas", "2007-12-01"),
    ("Asia/Pyongyang", "2018-05-01"),
    ("Asia/Pyongyang", "2015-08-10"),
    ("Africa/Casablanca", "2025-02-15"),
]


@dataclass(frozen=True)
class Drawn:
    """One expression, as text and as the sets the test meant."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    monthdays: frozenset[int] | None
    weekdays: frozenset[int] | None
    wildcard: bool

    def match(self, wall: datetime) -> bool:
        return wall.minute in self.minutes and wall.hour in self.hours and self.match_day(wall.date())

    def match_day(self, day: date) -> bool:
        picks = []
        if self.monthdays is not None:
            picks.append(day.day in self.monthdays)
        if self.weekdays is not None:
            picks.append((day.weekday() + 1) % 7 in self.weekdays)
        return any(picks) if picks else True


def draw_clock(rng: random.Random, size: int, dense: bool) -> tuple[str, frozenset[int]]:
    kind = rng.choice(
        ["one", "list", "range", "steps", "star", "star-step"] if dense else ["one", "one", "list"]
    )
    if kind == "star":
        return "*", frozenset(range(size))
    if kind == "star-step":
        step = rng.randrange(2, size)
        return f"*/{step}", frozenset(range(0, size, step))
    if kind in {"range", "steps"}:
        low = rng.randrange(size - 2)
        high = rng.randrange(low + 2, size)
        if kind == "range":
            return f"{low}-{high}", frozenset(range(low, high + 1))
        step = rng.randrange(2, high - low + 1)
        return f"{low}-{high}/{step}", frozenset(range(low, high + 1, step))
    numbers = {rng.randrange(size) for _ in range(1 if kind == "one" else 3)}
    return ",".join(str(number) for number in sorted(numbers)), frozenset(numbers)


def draw(rng: random.Random, near: datetime) -> Drawn:
    minute, minutes = draw_clock(rng, 60, rng.random() < 0.4)
    hour, hours = draw_clock(rng, 24, True)
    if rng.random() < 0.5:
        # Half of the time the hour of the change itself, where all the trouble is.
        number = (near.hour + rng.choice([-1, 0, 0, 1])) % 24
        hour, hours = str(number), frozenset({number})
    monthday, monthdays = "*", None
    weekday, weekdays = "*", None
    if rng.random() < 0.25:
        monthdays = frozenset({near.day, rng.randrange(1, 29)})
        monthday = ",".join(str(number) for number in monthdays)
    if rng.random() < 0.25:
        weekdays = frozenset({rng.randrange(7), (near.weekday() + 1) % 7})
        weekday = ",".join(str(number) for number in weekdays)
    text = f"cron {minute} {hour} {monthday} * {weekday}"
    wildcard = minute.startswith("*") or hour.startswith("*")
    return Drawn(text, minutes, hours, monthdays, weekdays, wildcard)


@lru_cache(maxsize=64)
def change_after(zone_name: str, day: str) -> datetime:
    """The first instant (UTC minute) after that day at which the wall clock jumps."""
    tz = zone(zone_name)
    instant = datetime.fromisoformat(day).replace(tzinfo=UTC)
    while instant.astimezone(tz).utcoffset() == (instant + timedelta(hours=6)).astimezone(tz).utcoffset():
        instant += timedelta(hours=6)
    offset = instant.astimezone(tz).utcoffset()
    while instant.astimezone(tz).utcoffset() == offset:
        instant += MINUTE
    return instant


@lru_cache(maxsize=64)
def clock(zone_name: str, day: str) -> tuple[tuple[datetime, datetime], ...]:
    """Every UTC minute around the change with its wall time."""
    tz, at = zone(zone_name), change_after(zone_name, day)
    span = range(int(2 * REACH / MINUTE) + 1)
    instants = (at - REACH + number * MINUTE for number in span)
    return tuple((instant, instant.astimezone(tz).replace(tzinfo=None, fold=0)) for instant in instants)


def oracle(drawn: Drawn, walked: tuple[tuple[datetime, datetime], ...]) -> list[datetime]:
    """The slots after the first walked minute, by rule."""
    if drawn.wildcard:
        return [instant for instant, wall in walked[1:] if drawn.match(wall)]
    slots: list[datetime] = []
    seen: set[datetime] = {walked[0][1]}
    before = walked[0][1]
    for instant, wall in walked[1:]:
        missing = [before + number * MINUTE for number in range(1, int((wall - before) / MINUTE))]
        late = len(missing) < 180 and any(drawn.match(gone) for gone in missing)
        if late or (wall not in seen and drawn.match(wall)):
            slots.append(instant)
        seen.add(wall)
        before = wall
    return slots


@pytest.mark.parametrize(("zone_name", "day"), CHANGES)
def test_random_expressions_agree_with_a_minute_by_minute_oracle(zone_name: str, day: str) -> None:
    walked = clock(zone_name, day)
    start, end, at = walked[0][0], walked[-1][0], change_after(zone_name, day)
    rng = random.Random(f"{zone_name} {day}")
    for _ in range(EXPRESSIONS):
        drawn = draw(rng, at.astimezone(zone(zone_name)))
        interval = parse_interval(drawn.text, zone_name)
        slots = oracle(drawn, walked)
        near = [at + number * MINUTE for number in (-91, -61, -31, -1, 0, 1, 29, 31, 59, 61, 90)]
        asked = [*near, *(start + rng.randrange(28 * 60) * MINUTE for _ in range(6)), *slots[-6:]]
        for instant in (start, *asked):
            upcoming = next((slot for slot in slots if slot > instant), None)
            found = interval.next_slot(instant)
            assert found is not None or upcoming is None, (drawn.text, instant)
            assert (found if found is not None and found <= end else None) == upcoming, (drawn.text, instant)
            past = max((slot for slot in slots if slot <= instant), default=None)
            assert interval.latest_slot(instant, start) == past, (drawn.text, instant)
        assert interval.count_slots(start, start + 2 * REACH) == min(len(slots), 1000), drawn.text
