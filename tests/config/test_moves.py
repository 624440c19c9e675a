"""Renames and protection as the files declare them, and the slips that are found before any store is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.config.test_loader import definitions
from tests.config.trees import GOOD, account, errors, loaded, tree


def test_renames_in_a_row_are_followed_to_a_schedule_of_the_file(tmp_path: Path) -> None:
    found = loaded(tree(tmp_path, {"riverside.yaml": GOOD + "moved: {quarterly: hourly, hourly: grades}\n"}))
    assert not errors(found)
    assert found.desired.accounts["riverside"].moved == {"quarterly": "hourly", "hourly": "grades"}


def test_a_schedule_renamed_back_is_no_circle(tmp_path: Path) -> None:
    moved = "moved: {hourly: other, other: grades}\n"
    assert not errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + moved})))


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ("{a: b, b: a}", "moves in a circle"),
        ("{a: b, b: nowhere}", "there is no schedule `nowhere` to move to"),
        ("{grades: grades}", "is still a schedule of this file"),
    ],
)
def test_renames_that_end_nowhere_are_problems(moved: str, said: str, tmp_path: Path) -> None:
    found = errors(loaded(tree(tmp_path, {"riverside.yaml": GOOD + f"moved: {moved}\n"})))
    assert {p.code for p in found} == {"GS-110"}
    assert any(said in p.message for p in found)


def test_an_account_whose_old_name_still_has_a_file_has_not_moved(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "riverside.yaml": GOOD,
        "new.yaml": account("new") + "moved_from: riverside\n",
    }
    result = loaded(tree(tmp_path, files))
    [problem] = errors(result)
    assert (problem.code, problem.place.file) == ("GS-110", "schedules/new.yaml")
    assert "`riverside` is still an account of this tree" in problem.message
    assert "schedules/riverside.yaml" in problem.message
    assert {"new", "riverside"} <= result.desired.frozen, "neither is changed until somebody decides"


def test_two_accounts_cannot_have_been_one(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"{name}.yaml": account(name) + "moved_from: old\nshared: true\n" for name in ("a", "b")
    }
    found = errors(loaded(tree(tmp_path, files)))
    assert [(p.code, p.place.file) for p in found] == [
        ("GS-112", "schedules/a.yaml"),
        ("GS-112", "schedules/b.yaml"),
    ]


def test_protection_stands_with_each_schedule_and_only_where_it_is_meant(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": GOOD + "protect: true\n"})
    assert definitions(root)[1]["grades"]["protect"] is True
    assert "protect" not in definitions(root)[0]
    root = tree(
        tmp_path,
        {"riverside.yaml": GOOD.replace("    type:", "    protect: false\n    type:", 1) + "protect: true\n"},
    )
    assert "protect" not in definitions(root)[1]["grades"]
    plain = tree(tmp_path, {"riverside.yaml": GOOD})
    said = tree(tmp_path, {"riverside.yaml": GOOD + "protect: false\n"})
    assert json.dumps(definitions(plain)) == json.dumps(definitions(said)), "unprotected is the usual"
