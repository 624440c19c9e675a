"""What `upcoming` tells, without a layout: the lines of each day, what never runs in these days, and the counts.

Text and markdown draw the same lines. Whatever people wrote is cleaned by the one who draws it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gradesync.domain.due import Block
from gradesync.domain.schedule import Schedule, State
from gradesync.domain.upcoming import interval_of
from gradesync.domain.week import AccountWeek, Stretch
from gradesync.reporting import words

LINES = 120
"""So many lines of single days are read by a person; more become one line a day."""

MOST_LISTED = 30
"""So many schedules that never run are named one by one; more are told by what stops them."""

NARROW = (
    "Too much to name it all: give an ACCOUNT, --group, --type or fewer --days; --format json has everything."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One stretch as told: `when` on the account's clock, `subject` the schedule, `what` happens."""

    when: str
    subject: str
    what: str
    kind: str = ""

    @property
    def runs(self) -> bool:
        """`kind` is the kind of the first block, empty where nothing stops it."""
        return not self.kind


@dataclass(frozen=True, slots=True)
class DayLines:
    """One local day of all accounts shown: its title and lines; without lines, `counts` alone tells it."""

    title: str
    counts: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Everything `upcoming` says. `stops` are what stops several lines, by the mark that these carry.

    `never` are schedules whose every slot is stopped, `idle` those without a slot.
    """

    title: str
    days: tuple[DayLines, ...]
    stops: tuple[str, ...]
    never: tuple[str, ...]
    idle: tuple[str, ...]
    closing: str
    cut: bool


def told(weeks: Sequence[AccountWeek], days: int) -> Told:
    """The coming days in words."""
    stopped = {schedule: why for week in weeks for schedule, why in _always_stopped(week).items()}
    by_day: dict[date, list[tuple[AccountWeek, Stretch]]] = {}
    for week in weeks:
        for one in week.stretches:
            if one.schedule not in stopped:
                by_day.setdefault(one.day, []).append((week, one))
    cut = sum(map(len, by_day.values())) > LINES
    marks = {} if cut else _marks(one for found in by_day.values() for _, one in found)
    calendar = sorted({day for week in weeks for day in week.days})
    never = _never(stopped)
    idle = [(week, one) for week in weeks for one in week.idle]
    return Told(
        title=_title(weeks, days),
        days=tuple(_day(day, by_day.get(day, []), calendar[0], marks, cut=cut) for day in calendar),
        stops=tuple(f"{mark} {why}" for why, mark in marks.items()),
        never=tuple(never),
        idle=tuple(
            [_idle(*one) for one in idle]
            if len(idle) <= MOST_LISTED
            else [words.plural(len(idle), "schedule")]
        ),
        closing=_closing(weeks, days),
        cut=cut,
    )


def _title(weeks: Sequence[AccountWeek], days: int) -> str:
    if len(weeks) == 1:
        (one,) = weeks
        name = one.account if one.name == one.account else f"{one.name} ({one.account})"
        return f"{name}: {_length(days)}, {one.time_zone}"
    return f"{words.plural(len(weeks), 'account')}: {_length(days)}, each on its own clock"


def _length(days: int) -> str:
    """The first of the days is what is left of today, so `1 day` would promise too much."""
    if days == 1:
        return "the rest of today"
    return "today and tomorrow" if days == _TWO else f"today and the next {days - 1:,} days"


_TWO = 2


def _idle(week: AccountWeek, one: Schedule) -> str:
    """A schedule without a slot in these days, and when it has one: that may be an hour after midnight."""
    told = f"{one.id}: {one.type.value}, {one.interval}"
    if one.state is State.PAUSED:
        return told
    slot = interval_of(one).next_slot(week.at)
    return told if slot is None else f"{told}; its next slot is {words.clock(slot, week.time_zone, week.at)}"


def _always_stopped(week: AccountWeek) -> dict[Schedule, tuple[Block, ...]]:
    """Schedules all of whose slots are stopped by one and the same, with what it is: said once, not every day."""
    stops: dict[Schedule, tuple[Block, ...]] = {}
    for one in week.stretches:
        known = stops.get(one.schedule, one.blocks)
        stops[one.schedule] = tuple(block for block in known if block in one.blocks)
    return {schedule: common for schedule, common in stops.items() if common}


def _day(
    day: date,
    found: Sequence[tuple[AccountWeek, Stretch]],
    today: date,
    marks: Mapping[str, str],
    *,
    cut: bool,
) -> DayLines:
    title = words.day(datetime(day.year, day.month, day.day), datetime(today.year, 1, 1))  # noqa: DTZ001 - a calendar day
    ordered = sorted(found, key=lambda pair: (pair[1].first, str(pair[1].schedule.id)))
    lines = () if cut else tuple(_line(week, one, marks) for week, one in ordered)
    return DayLines(f"{title}, from now" if day == today else title, _day_counts(found), lines)


def _line(week: AccountWeek, one: Stretch, marks: Mapping[str, str]) -> Line:
    kind = one.schedule.type.value
    often = _often(one)
    if one.runs:
        dry = "a dry run, its state is observe" if one.schedule.state is State.OBSERVE else ""
        what = ", ".join(part for part in (kind, often, dry) if part)
        return Line(_when(one, week.time_zone), str(one.schedule.id), what)
    why = _why(one.blocks)
    what = f"{kind}{f', {often},' if often else ''} does not run: {marks.get(why, why)}"
    return Line(_when(one, week.time_zone), str(one.schedule.id), what, one.blocks[0].kind)


def _why(blocks: Iterable[Block]) -> str:
    return "; ".join(block.sentence for block in blocks)


def _marks(stretches: Iterable[Stretch]) -> dict[str, str]:
    """A mark for everything that stops several stretches, in their order: told once, and pointed at."""
    number = Counter(_why(one.blocks) for one in stretches if not one.runs)
    several = [why for why, count in number.items() if count > 1]
    return {why: f"[{place}]" for place, why in enumerate(several, 1)}


def _when(one: Stretch, time_zone: str) -> str:
    """`02:00 EST`, or `00:00-23:45 EST`; both letters where the clocks change between them."""
    first, last = words.local(one.first, time_zone), words.local(one.last, time_zone)
    letters, then = words.abbreviation(first), words.abbreviation(last)
    if one.count == 1:
        return f"{first:%H:%M} {letters}"
    return f"{first:%H:%M}{'' if letters == then else f' {letters}'}-{last:%H:%M} {then}"


def _often(one: Stretch) -> str:
    """`96 times, every 15 minutes`; empty for a single slot."""
    if one.count == 1:
        return ""
    times = f"{one.count:,} times{' or more' if one.capped else ''}"
    return times if one.every is None else f"{times}, every {words.plural(one.every, 'minute')}"


def _day_counts(found: Iterable[tuple[AccountWeek, Stretch]]) -> str:
    running, stopped = _runs_and_stops(one for _, one in found)
    if not running and not stopped:
        return "nothing"
    told = words.plural(running, "run")
    return f"{told}, {stopped:,} stopped" if stopped else told


def _runs_and_stops(stretches: Iterable[Stretch]) -> tuple[int, int]:
    counted: Counter[bool] = Counter()
    for one in stretches:
        counted[one.runs] += one.count
    return counted[True], counted[False]


def _never(stopped: Mapping[Schedule, Sequence[Block]]) -> list[str]:
    """One line a schedule; where that is too much, one line for each reason with how many it stops."""
    why = {schedule: _why(blocks) for schedule, blocks in stopped.items()}
    if len(why) <= MOST_LISTED:
        return [f"{schedule.id}: {schedule.type.value}, {reason}" for schedule, reason in why.items()]
    number = Counter(why.values())
    accounts: dict[str, set[str]] = {}
    for schedule, reason in why.items():
        accounts.setdefault(reason, set()).add(schedule.id.account)
    told = number.most_common(MOST_LISTED)
    lines = [
        f"{words.plural(count, 'schedule')} of {words.plural(len(accounts[reason]), 'account')}: {reason}"
        for reason, count in told
    ]
    rest = len(why) - sum(count for _, count in told)
    return [*lines, f"and {words.plural(rest, 'more schedule')}"] if rest else lines


def _closing(weeks: Sequence[AccountWeek], days: int) -> str:
    running, stopped = _runs_and_stops(one for week in weeks for one in week.stretches)
    number = len({one.schedule.id for week in weeks for one in week.stretches if one.runs})
    capped = " or more" if any(one.capped for week in weeks for one in week.stretches) else ""
    length = "today" if days == 1 else f"in {words.plural(days, 'day')}"
    told = f"{words.plural(running, 'run')}{capped} of {words.plural(number, 'schedule')} {length}"
    return f"{told}; {words.plural(stopped, 'slot')} stopped." if stopped else f"{told}."
