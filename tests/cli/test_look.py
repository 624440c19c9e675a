"""Looking: filters narrow, unknown names are errors with a way on, and every answer also comes as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from tests.cli.conftest import Tree


@pytest.fixture
def recorded(tree: Tree) -> Tree:
    """Three accounts, one of them in a group and with a label."""
    folder = tree.root / "schedules" / "pilot"
    folder.mkdir()
    (folder / "lakeside.yaml").write_text(tree.text("lakeside") + "labels: {region: north}\n")
    tree.run("reconcile")
    return tree


def _ids(tree: Tree, *arguments: str) -> set[str]:
    answer = json.loads(tree.run("list", *arguments, "--format", "json").stdout)
    return {row["id"] for row in answer["schedules"]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["oak-hill"], {"oak-hill/grades", "oak-hill/roster-nightly"}),
        (["--group", "pilot"], {"lakeside/grades", "lakeside/roster-nightly"}),
        (["--label", "region=north"], {"lakeside/grades", "lakeside/roster-nightly"}),
        (["--type", "grade-passback", "--group", "pilot"], {"lakeside/grades"}),
        (["--type", "roster import", "oak-hill"], {"oak-hill/roster-nightly"}),
        (["--needs", "teacher"], set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_filters_narrow_the_list(recorded: Tree, arguments: list[str], expected: set[str]) -> None:
    assert _ids(recorded, *arguments) == expected


def test_the_list_of_one_account_counts_no_hold_of_another(recorded: Tree) -> None:
    recorded.run("pause", "oak-hill", "--reason", "SIS upgrade", "--for", "4h")
    assert "1 hold in force" in recorded.run("list").stdout
    assert "1 hold in force" in recorded.run("list", "oak-hill").stdout
    assert "in force" not in recorded.run("list", "riverside").stdout


def test_the_list_shows_the_vendor_pages_columns(recorded: Tree) -> None:
    heading = recorded.run("list").stdout.splitlines()[0]
    for column in (
        "TYPE",
        "INTERVAL",
        "FIRST RUN",
        "NEXT RUN",
        "TIME ZONE",
        "POSTED BY",
        "STATE",
        "LAST RUN",
    ):
        assert column in heading


@pytest.mark.parametrize(
    "arguments",
    [["list", "nowhere"], ["show", "nowhere"], ["show", "riverside/nothing"], ["show", "0" * 32]],
    ids=" ".join,
)
def test_an_unknown_name_is_an_error_with_a_hint(recorded: Tree, arguments: list[str]) -> None:
    assert "hint: " in recorded.run(*arguments, code=1).stderr


@pytest.mark.parametrize(
    "arguments", [["list", "--label", "north"], ["show", "a/b/c"], ["history", "--last", "0"]]
)
def test_what_cannot_be_a_name_or_filter_is_wrong_usage(recorded: Tree, arguments: list[str]) -> None:
    recorded.run(*arguments, code=64)


def test_before_anything_is_recorded_looking_says_what_to_do(tree: Tree) -> None:
    for command in ("list", "holds", "history"):
        result = tree.run(command, code=1)
        assert "no store" in result.stderr
        assert "hint: " in result.stderr


def test_the_history_narrows_to_an_account_and_to_a_schedule(recorded: Tree) -> None:
    def seen(*target: str) -> list[tuple[str | None, str | None]]:
        entries = json.loads(recorded.run("history", *target, "--format", "json").stdout)["entries"]
        return [(entry["account"], entry["schedule"]) for entry in entries]

    assert {account for account, _ in seen("oak-hill")} == {"oak-hill"}
    assert set(seen("oak-hill/grades")) == {("oak-hill", "grades")}
    assert len(seen("--last", "3")) == 3


def test_every_look_comes_as_versioned_json(recorded: Tree) -> None:
    looks = (
        ["list"],
        ["show", "riverside"],
        ["show", "riverside/grades"],
        ["show", "riverside", "--effective"],
        ["holds"],
        ["history"],
        ["history", "--verify"],
        ["store", "info"],
        ["explain", "GS-401"],
        ["plan"],
        ["validate"],
        ["next", "hourly", "--time-zone", "America/New_York"],
    )
    for look in looks:
        answer = json.loads(recorded.run(*look, "--format", "json").stdout)
        assert answer["version"] == 1, look
        assert answer["kind"], look


def test_in_a_folder_that_is_no_tree_nobody_is_told_to_make_a_store(tmp_path: Path) -> None:
    for words in (["list"], ["store", "init"], ["pause", "riverside", "--reason", "x"]):
        answer = CliRunner().invoke(group, ["-C", str(tmp_path), *words])
        assert answer.exit_code == 1
        assert "holds neither gradesync.yaml nor a folder schedules" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_history_of_a_name_nobody_knows_is_an_error(tree: Tree) -> None:
    tree.run("reconcile")
    assert "did you mean oak-hill?" in tree.run("history", "oak-hil", code=1).stderr


def test_a_file_that_says_nothing_has_no_values_to_show(tree: Tree) -> None:
    tree.account("elm", "{}\n")
    answer = tree.run("show", "elm", "--effective", code=1)
    assert answer.stdout == ""
    assert "schedules/elm.yaml:1:1: the file says nothing" in answer.stderr


def test_a_value_without_a_line_names_its_origin_alone(tree: Tree) -> None:
    tree.run("reconcile")
    shown = tree.run("show", "riverside", "--effective").stdout
    assert "  default\n" in shown
    assert ":0\n" not in shown


def test_explain_sends_those_who_ask_for_a_schedule_to_show(tree: Tree) -> None:
    assert "gradesync show riverside/grades" in tree.run("explain", "riverside/grades", code=1).stderr


def test_a_question_nobody_answers_to_is_not_called_an_empty_store(tree: Tree) -> None:
    tree.run("store", "init")
    for asked in ([], ["--needs", "district"]):
        assert "is recorded by" in tree.run("list", *asked).stdout
    tree.run("reconcile", "--no-syncs")
    assert tree.run("list", "--needs", "district").stdout.strip() == "Nothing waits for the district now."
    assert tree.run("list", "--group", "nobody").stdout.strip() == "No schedule fits what was asked for now."
    assert json.loads(tree.run("list", "--needs", "district", "--format", "json").stdout)["schedules"] == []


def test_show_says_that_an_account_is_frozen_by_its_file(recorded: Tree) -> None:
    assert "frozen" not in recorded.run("show", "oak-hill").stderr
    file = recorded.root / "schedules" / "oak-hill.yaml"
    file.write_text(file.read_text() + "collor: red\n")
    for target in ("oak-hill", "oak-hill/grades"):
        told = recorded.run("show", target)
        assert "oak-hill is frozen" in told.stderr
        assert "oak-hill is frozen" not in told.stdout
    assert "frozen" not in recorded.run("show", "lakeside").stderr
    recorded.run("reconcile", "--no-syncs", code=1)
    for target in ("oak-hill", "oak-hill/grades"):
        told = recorded.run("show", target)
        assert told.output.count("is frozen") == 1, told.output
        assert "since" in told.stdout
