"""A schedule's state that its account's leaves without effect is told of at its line; it freezes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gradesync.config.loader import Loaded, load
from tests.config.trees import GOOD, pointed_at, tree

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def written(root: Path, account: str, schedule: str, defaults: str | None = None) -> Loaded:
    head = f"state: {account}\nreason: ticket 4711\n" if account else ""
    state = f"    state: {schedule}\n" if schedule else ""
    text = head + GOOD.rstrip("\n") + "\n" + state
    files: dict[str, str | bytes] = {"riverside.yaml": text}
    if defaults is not None:
        files["_defaults.yaml"] = defaults
    return load(tree(root, files), now=NOW)


@pytest.mark.parametrize(
    ("account", "schedule", "stands"),
    [
        ("paused", "active", "stays paused"),
        ("paused", "observe", "stays paused"),
        ("observe", "active", "nothing is sent"),
    ],
)
def test_a_state_without_effect_is_a_warning_at_its_line(
    account: str, schedule: str, stands: str, tmp_path: Path
) -> None:
    loaded = written(tmp_path, account, schedule)
    [problem] = loaded.problems
    assert (problem.code, problem.warning) == ("GS-120", True)
    assert pointed_at(tmp_path, problem) == schedule
    assert f"`state: {account}`" in problem.message
    assert stands in problem.message
    [found] = loaded.desired.accounts["riverside"].schedules.values()
    assert f'"state":"{account}"' in found.text


@pytest.mark.parametrize(
    ("account", "schedule"),
    [
        ("", "active"),
        ("active", "paused"),
        ("paused", ""),
        ("paused", "paused"),
        ("observe", "paused"),
        ("observe", "observe"),
        ("leaving", "active"),
    ],
)
def test_a_state_that_counts_or_changes_nothing_is_left_alone(
    account: str, schedule: str, tmp_path: Path
) -> None:
    assert written(tmp_path, account, schedule).problems == ()


def test_an_account_that_only_observes_by_its_defaults_is_told_of_in_its_own_file(tmp_path: Path) -> None:
    [problem] = written(tmp_path, "", "active", "state: observe\n").problems
    assert (problem.code, problem.place.file) == ("GS-120", "schedules/riverside.yaml")


def test_it_comes_with_the_problems_of_the_same_file(tmp_path: Path) -> None:
    root = tree(
        tmp_path, {"riverside.yaml": "state: paused\n" + GOOD + "    state: active\n    intervall: x\n"}
    )
    assert {one.code for one in load(root, now=NOW).problems} >= {"GS-120", "GS-102"}
