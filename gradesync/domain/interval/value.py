"""The interval of a schedule as one value: parsed once, compared on its canonical form, asked for slots.

Reading is in `grammar`, the zone rule in `grid`; this module joins them with the first run and the spread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from gradesync.domain.interval.grammar import FIRST_YEAR, LAST_YEAR, read_moment, read_rule, refuse
from gradesync.domain.interval.grid import FIRST_SLOT, LAST_SLOT, Grid, grid_for
from gradesync.domain.interval.refusal import IntervalError
from gradesync.domain.interval.rules import CronRule, DatesRule, ElapsedRule, ManualRule, OnceRule, Rule
from gradesync.domain.interval.steps import shortest_gap
from gradesync.domain.interval.words import sentence
from gradesync.domain.interval.zones import local_to_utc, zone

Kind = Literal["elapsed", "calendar", "once", "manual"]

# Missed slots are counted for a person to read; beyond this the number says "very many" and costs time.
COUNT_CAP = 1_000
_BEFORE_ALL = FIRST_SLOT - timedelta(minutes=1)

_KINDS: dict[type[Rule], Kind] = {
    CronRule: "calendar",
    DatesRule: "calendar",
    ElapsedRule: "elapsed",
    OnceRule: "once",
    ManualRule: "manual",
}


@dataclass(frozen=True, slots=True)
class Interval:
    """How often a schedule runs. Made by `parse_interval` only.

    `canonical` is for comparing (equal meanings have equal texts, anchored forms keep their anchor), not for
    reading back. `text` is what the file says. `first_run` is naive local wall time, `spread_minutes` what
    `with_spread` adds to every slot. Equal intervals have equal slots and an equal first run.
    """

    canonical: str
    time_zone: str
    first_run: datetime | None
    kind: Kind
    text: str = field(compare=False)
    rule: Rule = field(compare=False, repr=False)
    grid: Grid = field(compare=False, repr=False)
    not_before: datetime | None = field(compare=False, repr=False)
    spread_minutes: int = 0

    def next_slot(self, after: datetime) -> datetime | None:
        """The first slot strictly after `after` (aware), in UTC; None for manual and when none is left."""
        floor = _utc_minute(after, self.spread_minutes)
        # A slot at the lower bound itself counts, and the grid answers strictly after.
        if self.not_before is not None and floor < self.not_before:
            floor = self.not_before - timedelta(minutes=1)
        if floor >= LAST_SLOT:
            return None
        slot = self.grid.next(floor)
        if slot is None or slot >= LAST_SLOT:
            return None
        return slot + timedelta(minutes=self.spread_minutes) if self.spread_minutes else slot

    def latest_slot(self, now: datetime, since: datetime) -> datetime | None:
        """The last slot in (since, now], both aware, in UTC. The cost does not grow with the span."""
        until = _utc_minute(now, self.spread_minutes)
        slot = self.grid.latest(until)
        if slot is None or slot <= _utc_minute(since, self.spread_minutes) or slot < FIRST_SLOT:
            return None
        if self.not_before is not None and slot < self.not_before:
            return None
        return slot + timedelta(minutes=self.spread_minutes)

    def count_slots(self, since: datetime, until: datetime) -> int:
        """How many slots lie in (since, until], both aware; COUNT_CAP means that many or more."""
        low, high = (_utc_minute(instant, self.spread_minutes) for instant in (since, until))
        if self.not_before is not None and low < self.not_before:
            low = self.not_before - timedelta(minutes=1)
        return self.grid.count(low, high, COUNT_CAP) if low < high else 0

    @property
    def words(self) -> str:
        """The interval as a plain sentence part, such as "every Monday at 06:30"; the zone is not in it."""
        spread = f", {self.spread_minutes} minutes later by spread" if self.spread_minutes else ""
        return sentence(self.rule) + spread

    @property
    def shortest_gap_minutes(self) -> int | None:
        """The fewest minutes between two slots in wall time; None for once and manual."""
        if isinstance(self.rule, ElapsedRule):
            return self.rule.minutes
        return shortest_gap(self.rule) if isinstance(self.rule, (CronRule, DatesRule)) else None

    def with_spread(self, minutes: int, key: str) -> Interval:
        """The same interval with every slot later by a stable number of minutes, 0 up to `minutes` - 1.

        `key` (the schedule's id) decides the number, so it is the same on every machine and in every pass.
        Raises IntervalError ("spread") unless 1 <= minutes and minutes is below the shortest gap.
        """
        if minutes < 1:
            raise refuse("spread", f"spread must be at least one minute, not {minutes}")
        gap = self.shortest_gap_minutes
        if minutes >= (gap or 1440):
            limit = f"the shortest time between two slots, {gap} minutes" if gap else "a day"
            raise refuse("spread", f"a spread of {minutes} minutes must be below {limit}")
        offset = int.from_bytes(sha256(key.encode()).digest()[:8]) % minutes
        return replace(self, spread_minutes=offset)

    def __reduce__(self) -> tuple[Callable[..., Interval], tuple[object, ...]]:
        # The grid holds locks and shared memory of answers; a copy looks them up again.
        return _rebuild, (self.text, self.time_zone, self.first_run, self.spread_minutes)


def _utc_minute(instant: datetime, earlier: int) -> datetime:
    """An aware instant as UTC, cut to the minute and to the years with slots, `earlier` minutes back.

    Slots are whole minutes, so cutting changes no answer to "strictly after" or "at or before".
    """
    if instant.tzinfo is not UTC:
        if instant.utcoffset() is None:
            raise ValueError("an aware instant is needed, not a wall time")
        if not 1999 <= instant.year <= LAST_SLOT.year:
            # astimezone overflows at the very ends of the calendar, and no slot is out there.
            instant = instant.replace(tzinfo=UTC)
        instant = instant.astimezone(UTC)
    instant = instant.replace(second=0, microsecond=0)
    instant = max(_BEFORE_ALL, min(LAST_SLOT, instant))
    return instant - timedelta(minutes=earlier) if earlier else instant


def _rebuild(text: str, time_zone: str, first_run: datetime | None, spread_minutes: int) -> Interval:
    return replace(parse_interval(text, time_zone, first_run), spread_minutes=spread_minutes)


def parse_interval(text: str, time_zone: str, first_run: datetime | str | None = None) -> Interval:
    """Read an interval with its zone and its first run (local wall time, "YYYY-MM-DD HH:MM" or naive).

    Calls with equal arguments share one value. Raises IntervalError, whose `culprit` says which argument.
    """
    if not isinstance(text, str):
        raise refuse("looks-like-number", f"an interval is text, not {text!r}; write it in quotes")
    if not isinstance(time_zone, str):
        raise refuse("unknown-zone", "a time zone is a name, such as America/New_York", "time_zone")
    return _parse(text, time_zone, _first_run(first_run))


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    return read_moment(text, "first_run")


def _first_run(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _moment(value)
    if not isinstance(value, datetime):
        raise refuse(
            "first-run", "first_run is not a local date and time; write YYYY-MM-DD HH:MM", "first_run"
        )
    if value.tzinfo is not None:
        raise refuse("first-run", "first_run is local wall time, without a zone or an offset", "first_run")
    if value.second or value.microsecond or not FIRST_YEAR <= value.year <= LAST_YEAR:
        text = f"first_run is a whole minute of the years {FIRST_YEAR} to {LAST_YEAR}"
        raise refuse("first-run", text, "first_run")
    return value.replace(fold=0)


@lru_cache(maxsize=32768)
def _parse(text: str, time_zone: str, first_run: datetime | None) -> Interval:
    zone(time_zone)
    rule = read_rule(text, first_run)
    if isinstance(rule, OnceRule) and first_run is not None and first_run > rule.at:
        raise _after_once(rule)
    return Interval(
        canonical=rule.canonical,
        time_zone=time_zone,
        first_run=first_run,
        kind=_KINDS[type(rule)],
        text=text.strip(),
        rule=rule,
        grid=grid_for(rule, time_zone),
        not_before=None if first_run is None else local_to_utc(first_run, time_zone),
    )


def _after_once(rule: OnceRule) -> IntervalError:
    return refuse("first-run", f"first_run is after the only slot, {rule.at:%Y-%m-%d %H:%M}", "first_run")
