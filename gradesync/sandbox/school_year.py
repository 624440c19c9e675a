"""A school year going by in a SIS, day after day: what happens when, drawn from a seed.

The same district, seed and days always give the same year. What an act does is `registrar.py`'s and `roll_over.py`'s;
a broken export is `accidents.py`'s. Nothing here knows Canvas or HTTP.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from gradesync.errors import UsageProblem
from gradesync.sandbox.registrar import REGISTRAR_ACTS, act
from gradesync.sandbox.registrar_desk import Desk
from gradesync.sandbox.roll_over import archive, roll_over
from gradesync.sandbox.sis_world import SisWorld

__all__ = ["YEAR_ACTS", "SchoolYear"]

YEAR_ACTS = (*REGISTRAR_ACTS, "roll-over", "archive")

_ALWAYS = {
    "admit-student": 2,
    "withdraw-student": 1,
    "readmit-student": 1,
    "purge-leaver": 1,
    "add-class": 3,
    "drop-class": 3,
    "return-to-class": 2,
    "switch-section": 3,
    "change-school": 1,
    "enroll-ahead": 2,
    "delete-enrollment": 1,
    "marry": 1,
    "rename-student": 1,
    "prefer-name": 1,
    "rename-class": 1,
    "replace-teacher": 1,
    "hire-aide": 1,
}
"""How often each act happens beside the others on any school day."""

_AT_THE_START = {"admit-student": 4, "switch-section": 8, "add-class": 4, "drop-class": 4, "open-class": 2}
"""What happens more often in the first weeks: schedules are still being made."""

_IN_THE_SUMMER = {"rename-student": 1, "marry": 1, "hire-aide": 1, "admit-student": 1}
_ON_DAYS = {
    (10, 5): "add-guardian",
    (11, 20): "add-term",
    (1, 11): "open-class",
    (2, 8): "close-class",
    (3, 3): "remove-guardian",
    (3, 15): "add-term",
}
"""Once a year, on or after that day."""


class SchoolYear:
    """The days of one SIS. `day` is the school's day as the SIS has it; `advance` lets the next ones pass."""

    def __init__(self, world: SisWorld, *, seed: int = 1) -> None:
        self.world = world
        self.seed = seed

    @property
    def day(self) -> date:
        """The day the SIS is at."""
        return self.world.today

    def advance(self, until: date, *, acts_a_day: int = 1) -> dict[str, int]:
        """Let every day after the present one pass, up to and including `until`; counts what happened.

        About `acts_a_day` acts on each school day, twice as many in September; the roll-over on the first of July, and
        in August the archive. Raises UsageProblem when `until` lies in the past.
        """
        if until < self.day:
            raise UsageProblem("a school year does not run backwards")
        done: Counter[str] = Counter()
        while self.day < until:
            done.update(self._pass(self.day + timedelta(days=1), acts_a_day))
        return dict(+done)

    def act(self, name: str, times: int = 1, *, seed: int | None = None) -> dict[str, int]:
        """Let one of YEAR_ACTS happen today. Raises UsageProblem for one that nobody does."""
        desk = self._desk(f"{name} {seed if seed is not None else self._size()}")
        done: Counter[str] = Counter()
        for _ in range(times):
            done.update(_one(desk, name))
        return dict(+done)

    def _pass(self, day: date, acts_a_day: int) -> Counter[str]:
        self.world.district = replace(self.world.district, today=day)
        desk = self._desk("")
        done: Counter[str] = Counter()
        if (day.month, day.day) == (7, 1):
            done.update(_one(desk, "roll-over"))
        if (day.month, day.day) == (8, 15):
            done.update(_one(desk, "archive"))
        if day.weekday() >= 5:
            return done
        for name in self._plan(desk, acts_a_day):
            done.update(_one(desk, name))
        return done

    def _plan(self, desk: Desk, acts_a_day: int) -> Iterable[str]:
        day = desk.day
        weights = _IN_THE_SUMMER if day.month in (7, 8) else _ALWAYS
        number = acts_a_day
        if day.month == 9:
            weights = {**_ALWAYS, **_AT_THE_START}
            number = 2 * acts_a_day
        yield from desk.rng.choices(list(weights), list(weights.values()), k=number)
        for (month, first), name in _ON_DAYS.items():
            # The first school day on or after the one named: never on a weekend.
            days = [date(day.year, month, first) + timedelta(days=ahead) for ahead in range(3)]
            if day == next(one for one in days if one.weekday() < 5):
                yield name

    def _desk(self, what: str) -> Desk:
        world = self.world
        rng = random.Random(f"year {world.district.key} {self.seed} {self.day} {what}")  # noqa: S311 -- repeatable play
        return Desk(world, rng, self.day)

    def _size(self) -> str:
        return f"{len(self.world.rows['users'])} {len(self.world.rows['enrollments'])}"


def _one(desk: Desk, name: str) -> Counter[str]:
    """One act, counted under its name."""
    if name == "roll-over":
        done = roll_over(desk)
        return Counter({"roll-over": 1 if done else 0}) + done
    if name == "archive":
        return Counter({"classes archived": archive(desk)})
    return Counter({name: act(desk, name)})
