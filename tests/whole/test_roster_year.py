"""A school year in the SIS, night after night: Canvas always holds exactly what the SIS says, by another's reading.

Adds, drops, transfers between classes and schools, re-entry, renames, classes and terms that come and go, staff
changes, the roll-over, and the clearing out of the old year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gradesync.sandbox.registrar import REGISTRAR_ACTS
from gradesync.sandbox.server import Sandbox, running
from tests.whole.roster_nights import Nights
from tests.whole.roster_oracle import Rules

FIRST = date(2026, 8, 26)
NIGHTS = (
    *(date(2026, 9, day) for day in (1, 2, 4, 8, 10, 14, 18, 22, 25, 30)),
    *(date(2026, 10, day) for day in (2, 9, 16, 23)),
    *(date(2026, 11, day) for day in (6, 9, 10, 11, 20, 23)),
    *(date(2026, 12, day) for day in (4, 21)),
    *(date(2027, 1, day) for day in (4, 11, 12, 29, 31)),
    *(date(2027, 2, day) for day in (1, 2, 8, 9)),
    *(date(2027, 3, day) for day in (1, 15, 18)),
    *(date(2027, 4, day) for day in (14, 15)),
    *(date(2027, 5, day) for day in (3, 28)),
    *(date(2027, 6, day) for day in (18, 30)),
)
NEXT_YEAR = (date(2027, 7, 1), date(2027, 7, 2), date(2027, 8, 14), date(2027, 8, 16), date(2027, 9, 3))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False, today=FIRST) as sandbox:
        yield sandbox


def test_after_every_night_of_a_year_canvas_holds_what_the_sis_says(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(tmp_path, sandbox, monkeypatch)
    nights.good_night()
    happened: Counter[str] = Counter()
    for day in (*NIGHTS, *NEXT_YEAR):
        happened.update(nights.until(day))
        nights.good_night()
    never = {*REGISTRAR_ACTS, "roll-over", "classes archived"} - happened.keys()
    assert never == set(), "every kind of change was part of the year"


def test_the_autumn_of_a_district_that_chose_otherwise_over_oneroster_1_2(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Rules(names="preferred", terms="school_year", ended="completed", leavers="keep")
    policy = "{names: preferred, terms: school_year, ended: completed, leavers: keep, accounts: tree}"
    nights = Nights(tmp_path, sandbox, monkeypatch, profile="oneroster-1.2", roster=policy, rules=rules)
    nights.good_night()
    for day in (*NIGHTS[1:12:3], date(2026, 11, 10), date(2026, 11, 25), date(2027, 2, 2)):
        nights.until(day, seed=2)
        nights.good_night()


def test_a_night_on_which_nothing_changed_reads_everything_and_imports_nothing(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(tmp_path, sandbox, monkeypatch)
    nights.good_night()
    sandbox.forget_requests()
    assert nights.night().code == 0
    assert sandbox.count(side="canvas", method="POST") == 0
    assert sandbox.count(side="sis", method="GET") > 4


def test_a_year_is_the_same_whenever_it_is_played(tmp_path: Path) -> None:
    def played() -> list[str]:
        with running(("riverside",), students=60, populated=False, today=FIRST) as sandbox:
            from gradesync.sandbox.school_year import SchoolYear

            world = sandbox.schools["riverside"].sis
            SchoolYear(world, seed=3).advance(FIRST + timedelta(days=40), acts_a_day=3)
            return sorted(
                repr({name: value for name, value in row.items() if name != "dateLastModified"}).replace(
                    sandbox.url, ""
                )
                for kind in ("users", "classes", "enrollments")
                for row in world.rows[kind].values()
            )

    assert played() == played()
