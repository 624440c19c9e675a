"""Pausing, resuming, requesting: holds only subtract, have a reason and an end, and say who placed them."""

from __future__ import annotations

import json

from tests.cli.conftest import Tree


def test_a_hold_has_a_reason_an_end_and_a_name_and_resume_ends_it(tree: Tree) -> None:
    tree.run("reconcile")
    placed = tree.run(
        "--as", "Ana Ortiz", "pause", "riverside/grades", "--reason", "SIS upgrade", "--for", "4h"
    )
    assert "America/New_York" in placed.stderr
    held = json.loads(tree.run("holds", "--format", "json").stdout)["holds"]
    assert len(held) == 1
    assert "claims Ana Ortiz" in json.dumps(held[0])
    assert "SIS upgrade" in tree.run("list").output + tree.run("show", "riverside/grades").output
    assert "released" in tree.run("resume", "riverside/grades").stderr
    assert json.loads(tree.run("holds", "--format", "json").stdout)["holds"] == []
    assert len(json.loads(tree.run("holds", "--past", "--format", "json").stdout)["holds"]) == 1


def test_what_was_placed_asked_and_released_can_be_read_by_machines(tree: Tree) -> None:
    tree.run("reconcile")
    placed = json.loads(
        tree.run("pause", "riverside/grades", "--reason", "x", "--for", "1h", "--format", "json").stdout
    )
    assert (placed["kind"], len(placed["holds"])) == ("holds", 1)
    asked = json.loads(tree.run("request", "riverside/grades", "--format", "json").stdout)
    assert [one["schedule"] for one in asked["requests"]] == ["riverside/grades"]
    done = json.loads(tree.run("resume", "riverside/grades", "--format", "json").stdout)
    assert done["released"] == [placed["holds"][0]["id"]]
    assert (done["still_blocked"], done["paused_in_files"]) == ([], [])
    everything = json.loads(tree.run("pause-all", "--everything", "--reason", "x", "--format", "json").stdout)
    assert everything["holds"][0]["covers"] == "everything"


def test_a_hold_needs_a_reason_and_may_not_last_for_ever(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("pause", "riverside", code=64)
    assert "30 days" in tree.run("pause", "riverside", "--reason", "x", "--for", "31d", code=1).stderr
    tree.run("pause", "riverside", "--reason", "x", "--for", "soon", code=64)
    tree.run("pause", "riverside", "--reason", "x", "--until", "2020-01-01 00:00", code=64)
    tree.run("pause", "riverside", "--reason", "x", "--until", "2020-01-01", "--for", "1h", code=64)
    assert "no account" in tree.run("pause", "nowhere", "--reason", "x", code=1).stderr


def test_pause_all_covers_what_its_scope_says(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("pause-all", "--type", "grade-passback", "--reason", "vendor outage", "--for", "6h")
    rows = json.loads(tree.run("list", "--format", "json").stdout)["schedules"]
    blocked = {row["id"] for row in rows if row["next_run_at"] is None}
    assert blocked == {"riverside/grades", "oak-hill/grades"}
    assert "still blocked" in tree.run("resume", "riverside/grades").stderr
    tree.run("resume", "--type", "grade-passback")
    tree.run("pause-all", "--everything", "--reason", "leaked key")
    tree.run("resume", "--everything")
    tree.run("pause-all", "--everything", "riverside", "--reason", "x", code=64)


def test_resume_cannot_start_what_the_file_pauses_and_names_the_line(tree: Tree) -> None:
    text = tree.text("riverside").replace(
        "    posted_by: sis-admin", "    state: paused\n    reason: ticket 4711"
    )
    path = tree.account("riverside", text)
    tree.run("reconcile")
    line = 1 + path.read_text().splitlines().index("    state: paused")
    result = tree.run("resume", "riverside/grades", code=1)
    assert f"schedules/riverside.yaml:{line}" in result.stderr


def test_a_blocked_schedule_runs_by_hand_only_with_the_block_named_and_a_reason(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("pause", "riverside/grades", "--reason", "SIS upgrade")
    refused = tree.run("run", "riverside/grades", code=1)
    assert "SIS upgrade" in refused.stderr
    assert "--despite hold" in refused.stderr
    tree.run("run", "riverside/grades", "--despite", "hold", code=64)


def test_one_request_waits_at_a_time_and_can_be_withdrawn(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("request", "riverside/grades", "oak-hill/grades")
    assert "waits already" in tree.run("request", "riverside/grades", code=1).stderr
    tree.run("request", "riverside/grades", "--withdraw")
    tree.run("request", "riverside/grades", "--withdraw", code=1)
    assert "no schedule" in tree.run("request", "riverside/nothing", code=1).stderr


def test_unlocking_a_free_account_says_so(tree: Tree) -> None:
    tree.run("reconcile")
    assert "nobody works" in tree.run("store", "unlock", "riverside", "--reason", "x", code=1).stderr


def test_a_hold_of_no_length_is_a_slip_of_the_hand(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    told = tree.run("pause", "riverside", "--reason", "x", "--for", "0m", code=64)
    assert "no time at all" in told.stderr
