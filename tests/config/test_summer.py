"""In spring a roster import without a pause for the summer is told of, once per account, at its schedule."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gradesync.config.loader import Loaded, load
from gradesync.domain.problem import Problem
from tests.config.trees import GOOD, SETTINGS, pointed_at, tree

ROSTER = """\
  nightly:
    type: roster import
    interval: daily at 02:00
    posted_by: sis-admin
"""
APRIL = datetime(2027, 4, 15, tzinfo=UTC)


def load_at(root: Path, now: datetime = APRIL) -> Loaded:
    return load(root, now=now)


def told(root: Path, now: datetime = APRIL) -> list[Problem]:
    return [one for one in load_at(root, now).problems if one.code == "GS-117"]


def place(tmp_path: Path, more: str = "", settings: str = SETTINGS) -> Path:
    return tree(tmp_path, {"riverside.yaml": GOOD + ROSTER + more}, settings)


def test_a_roster_import_without_a_summer_blackout_is_told_of_in_spring(tmp_path: Path) -> None:
    root = place(tmp_path)
    [problem] = told(root)
    assert problem.warning
    assert pointed_at(root, problem) == "nightly"
    assert "between 2027-06-01 and 2027-08-31" in problem.message
    assert load_at(root).desired.accounts["riverside"].schedules.keys() == {"grades", "nightly"}


@pytest.mark.parametrize(("month", "number"), [(1, 0), (2, 0), (3, 1), (6, 1), (7, 0), (12, 0)])
def test_only_in_spring(tmp_path: Path, month: int, number: int) -> None:
    assert len(told(place(tmp_path), datetime(2027, month, 10, tzinfo=UTC))) == number


BLACKOUTS = {
    "of the summer": ("from: 2027-06-25 18:00, until: 2027-07-06 06:00", 0),
    "of this schedule": ("from: 2027-06-25 18:00, until: 2027-07-06 06:00, schedules: [nightly]", 0),
    "of another schedule": ("from: 2027-06-25 18:00, until: 2027-07-06 06:00, schedules: [grades]", 1),
    "of last summer": ("from: 2026-06-25 18:00, until: 2026-07-06 06:00", 1),
    "of Easter": ("from: 2027-04-01 18:00, until: 2027-04-10 06:00", 1),
    "from May to September": ("from: 2027-05-01 18:00, until: 2027-09-10 06:00", 0),
}


@pytest.mark.parametrize("name", BLACKOUTS)
def test_a_blackout_counts_when_it_covers_the_schedule_in_the_summer_to_come(
    tmp_path: Path, name: str
) -> None:
    times, number = BLACKOUTS[name]
    assert len(told(place(tmp_path, f"blackouts: [{{name: x, {times}}}]\n"))) == number


def test_a_blackout_of_the_whole_tree_counts_too(tmp_path: Path) -> None:
    everywhere = SETTINGS + "blackouts: [{name: x, from: 2027-06-25 18:00, until: 2027-07-06 06:00}]\n"
    assert told(place(tmp_path, settings=everywhere)) == []


@pytest.mark.parametrize("more", ["state: paused\nreason: later\n", "state: leaving\n"])
def test_an_account_that_does_not_run_is_left_alone(tmp_path: Path, more: str) -> None:
    assert told(place(tmp_path, more)) == []


def test_a_made_up_school_on_this_machine_knows_no_summer(tmp_path: Path) -> None:
    text = (GOOD + ROSTER).replace(
        "https://riverside.instructure.com", "http://127.0.0.1:8765/riverside/canvas"
    )
    assert told(tree(tmp_path, {"riverside.yaml": text}, "")) == []


def test_one_warning_per_account_names_the_others(tmp_path: Path) -> None:
    [problem] = told(place(tmp_path, ROSTER.replace("nightly", "noon")))
    assert "nor have noon" in problem.message
    assert told(place(tmp_path / "by hand", "    state: paused\n    reason: x\n")) == []
