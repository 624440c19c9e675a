"""`gradesync approve`: the stop says the very command, and the command lets that change through."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.sandbox.accidents import Accident
from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree, writes

ID = "riverside/roster-nightly"


@pytest.fixture
def stopped(live: Tree, sandbox: Sandbox) -> str:
    """What a stopped run said to the terminal: the SIS lost half of its rows after the first import."""
    live.run("run", ID, code=None)
    Accident(sandbox.schools["riverside"].sis, "half-the-rows")
    sandbox.forget_requests()
    return live.run("run", ID, code=3).output


def offered(tree: Tree) -> list[list[str]]:
    """What zsh is told behind `approve`: each run with its description."""
    line = f"gradesync -C {tree.root} approve "
    environment = {"_GRADESYNC_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": "4"}
    lines = CliRunner().invoke(group, [], env=environment).stdout.splitlines()
    return [lines[at + 1 : at + 3] for at in range(0, len(lines) - 2, 3)]


def test_completion_offers_the_run_that_waits_for_an_approval_and_no_other(
    live: Tree, sandbox: Sandbox
) -> None:
    live.run("run", "riverside/grades", code=None)
    assert offered(live) == []
    live.run("run", ID, code=None)
    Accident(sandbox.schools["riverside"].sis, "half-the-rows")
    run = run_of(live.run("run", ID, code=3).output)
    assert offered(live) == [[run, ID]]
    live.run("approve", run, "--reason", "West was closed")
    assert offered(live) == []
    (live.root / ".gradesync" / "store.db").write_bytes(b"no database at all")
    assert offered(live) == []


def run_of(said: str) -> str:
    [found] = re.findall(r'gradesync approve ([0-9a-f]{32}) --reason "\.\.\."', said)
    return str(found)


def test_a_stop_says_the_numbers_the_examples_and_both_commands(
    stopped: str, live: Tree, sandbox: Sandbox
) -> None:
    assert writes(sandbox) == 0
    flat = " ".join(stopped.split())
    assert "would go (" in flat
    assert "SCHOOL WHAT BEFORE AFTER CREATED CHANGED ENDED REMOVED MOVED NEW IDS" in flat
    assert "Examples, by pseudonym" in flat
    assert f"gradesync run {ID} --dry-run" in flat
    shown = live.run("show", run_of(stopped)).output
    assert "gradesync approve" in shown
    of_schedule = " ".join(live.run("show", ID).output.split())
    assert "SCHOOL WHAT BEFORE AFTER" in of_schedule
    assert run_of(of_schedule) == run_of(stopped)
    people = sandbox.schools["riverside"].district.people
    for output in (stopped, shown):
        assert not any(one.family_name in output or one.sourced_id in output for one in people)


def test_an_approval_says_what_until_when_and_what_next_and_the_next_run_goes_through(
    stopped: str, live: Tree, sandbox: Sandbox
) -> None:
    told = live.run("approve", run_of(stopped), "--reason", "West was closed").output
    flat = " ".join(told.split())
    assert "Approved for riverside/roster-nightly: this change and no other" in flat
    assert f"next gradesync run {ID}" in flat
    assert "West was closed" in flat
    end = json.loads(live.run("run", ID, "--format", "json", code=None).stdout)
    assert {one["code"] for one in end["result"]["codes"]} >= {"GS-614"}
    # What was approved has gone through; what is left to decide are the seats that only this filled Canvas has.
    assert end["result"]["stop"]["codes"] == ["GS-626"]
    assert writes(sandbox) > 0
    assert "roster approved" in live.run("history").output


def test_a_dry_run_with_seats_beyond_the_sis_says_where_the_line_to_approve_is(live: Tree) -> None:
    first = " ".join(live.run("run", ID, code=None).output.split())
    assert "seats (a sample)" in first
    assert "Seats are those of a sample of up to 50 classes" in first
    flat = " ".join(live.run("run", ID, "--dry-run", code=None).output.split())
    assert f"gradesync run {ID} --dry-run --csv-to DIR (in seats-beyond.csv)" in flat
    assert f"take out gradesync show {ID}" in flat
    assert "gradesync approve" in live.run("show", ID).output


def test_programs_are_told_the_same(stopped: str, live: Tree) -> None:
    run_id = run_of(stopped)
    run = json.loads(live.run("show", run_id, "--format", "json").stdout)["run"]
    stop = run["result"]["stop"]
    assert stop["codes"] == ["GS-602", "GS-601"]
    assert 0 < len(stop["examples"]) <= 10
    answer = json.loads(live.run("approve", run_id, "--reason", "closed", "--format", "json").stdout)
    assert (answer["kind"], answer["run"], answer["schedule"]) == ("approved", run_id, ID)
    assert answer["digest"] == stop["digest"]


def test_what_cannot_be_approved_says_why(live: Tree) -> None:
    assert "no run" in live.run("approve", "0" * 32, "--reason", "x", code=1).output
    assert "--reason" in live.run("approve", "0" * 32, code=64).output


def test_a_take_over_with_other_ids_stops_names_who_imports_and_can_be_approved(
    live: Tree, sandbox: Sandbox
) -> None:
    school = sandbox.schools["riverside"]
    Accident(school.sis, "new-class-ids")
    said = live.run("run", ID, code=3).output
    flat = " ".join(said.split())
    assert "GS-609" in flat
    assert "sections whose SIS ids we do not send" in flat
    assert "SCHOOL WHAT FROM THE SIS SAME IN CANVAS ONLY IN THE SIS ONLY IN CANVAS" in flat
    assert f"gradesync run {ID} --dry-run --csv-to DIR" in flat
    people = school.district.people
    assert not any(one.family_name in said or one.sourced_id in said for one in people)
    assert writes(sandbox) == 0
    live.run("approve", run_of(said), "--reason", "the old courses stay as an archive")
    end = json.loads(live.run("run", ID, "--format", "json", code=None).stdout)
    assert {one["code"] for one in end["result"]["codes"]} >= {"GS-614"}
    assert writes(sandbox) > 0
