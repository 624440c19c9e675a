"""Pausing, resuming, requesting: holds only subtract, have a reason and an end, and say who placed them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from gradesync.cli.main import group
from gradesync.cli.options import REASON
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


def test_a_reason_is_at_most_500_characters_and_a_longer_one_of_before_can_still_be_read(tree: Tree) -> None:
    tree.run("reconcile")
    told = tree.run("pause", "riverside/grades", "--reason", "x" * 501, code=64).stderr
    assert "at most 500 characters, and this one has 501" in " ".join(told.split())
    tree.run("pause", "riverside/grades", "--reason", f" {'x' * 500} ", "--for", "1h")
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as store, store:
        store.execute("UPDATE hold SET reason = ?", ("ticket 4711 " + "y" * 10_000,))
    [held] = json.loads(tree.run("holds", "--format", "json").stdout)["holds"]
    assert len(held["reason"]) == 10_012
    for words in (["holds"], ["show", "riverside/grades"], ["plan"]):
        assert "Traceback" not in tree.run(*words).output
    assert "ticket 4711" in tree.run("show", "riverside/grades").output
    assert "released" in tree.run("resume", "riverside/grades").stderr


def test_every_reason_that_a_command_takes_has_the_limit() -> None:
    doors = [
        (name, param)
        for name, command in every_command(group)
        for param in command.params
        if param.name == "reason"
    ]
    assert len(doors) > 10
    assert [name for name, param in doors if param.type is not REASON] == []


def every_command(of: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name in of.list_commands(click.Context(of)):
        command = of.get_command(click.Context(of), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command)
        else:
            yield name, command


def test_a_hold_over_several_accounts_is_told_on_the_clock_they_share_else_in_utc(tree: Tree) -> None:
    tree.account("oak-hill", tree.text("oak-hill").replace("America/New_York", "America/Chicago"))
    tree.run("reconcile")
    tree.run("pause-all", "--type", "grade-passback", "--reason", "outage", "--for", "6h")
    assert re.search(r"^type grade passback .* UTC +20.* UTC +outage", tree.run("holds").stdout, re.MULTILINE)
    # Whoever looks at one account reads its own clock.
    assert re.search(r"until .* C[DS]T: outage", tree.run("show", "oak-hill").stdout)
    tree.run("resume", "--type", "grade-passback")
    tree.account("oak-hill", tree.text("oak-hill").replace("America/Chicago", "America/New_York"))
    tree.run("reconcile")
    tree.run("pause-all", "--type", "grade-passback", "--reason", "outage", "--for", "6h")
    assert re.search(
        r"^type grade passback .* E[DS]T +20.* E[DS]T +outage", tree.run("holds").stdout, re.MULTILINE
    )


def test_pause_all_covers_what_its_scope_says(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("pause-all", "--type", "grade-passback", "--reason", "vendor outage", "--for", "6h")
    rows = json.loads(tree.run("list", "--format", "json").stdout)["schedules"]
    blocked = {row["id"] for row in rows if row["next_run_at"] is None}
    assert blocked == {"riverside/grades", "oak-hill/grades"}
    told = tree.run("resume", "riverside/grades", code=1).stderr
    assert "still blocked" in told
    assert "to end what holds it: gradesync resume --type grade-passback" in told
    assert "to end it: gradesync resume --type grade-passback" in tree.run("show", "riverside/grades").stdout
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


def test_resume_names_the_account_s_line_where_no_schedule_s_own_helps(tree: Tree) -> None:
    text = tree.text("riverside").replace("    posted_by: sis-admin", "    state: active")
    path = tree.account("riverside", text + "state: paused\nreason: SIS upgrade\n")
    tree.run("reconcile")
    line = 1 + path.read_text().splitlines().index("state: paused")
    assert f"schedules/riverside.yaml:{line};" in tree.run("resume", "riverside/grades", code=1).stderr


def test_a_blocked_schedule_runs_by_hand_only_with_the_block_named_and_a_reason(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("pause", "riverside/grades", "--reason", "SIS upgrade")
    refused = tree.run("run", "riverside/grades", code=1)
    assert "SIS upgrade" in refused.stderr
    assert "--despite hold" in refused.stderr
    # Ending the hold comes before going over it.
    assert refused.stderr.index("`gradesync resume riverside/grades`") < refused.stderr.index(
        "--despite hold"
    )
    tree.run("run", "riverside/grades", "--despite", "hold", code=64)


def test_one_request_waits_at_a_time_and_can_be_withdrawn(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("request", "riverside/grades", "oak-hill/grades")
    assert "waits already" in tree.run("request", "riverside/grades", code=1).stderr
    tree.run("request", "riverside/grades", "--withdraw")
    tree.run("request", "riverside/grades", "--withdraw", code=1)
    assert "no schedule" in tree.run("request", "riverside/nothing", code=1).stderr


def test_a_wish_for_what_is_held_does_not_promise_the_next_pass(tree: Tree) -> None:
    tree.run("reconcile")
    tree.run("pause", "riverside/grades", "--reason", "SIS upgrade", "--for", "4h")
    told = tree.run("request", "riverside/grades").stderr
    assert "will run in the next pass" not in told
    assert "SIS upgrade; the request waits until that ends, for 24 hours at most" in told
    assert "will run in the next pass" in tree.run("request", "oak-hill/grades").stderr


def test_unlocking_a_free_account_says_so(tree: Tree) -> None:
    tree.run("reconcile")
    assert "nobody works" in tree.run("store", "unlock", "riverside", "--reason", "x", code=1).stderr


def test_a_hold_of_no_length_is_a_slip_of_the_hand(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    told = tree.run("pause", "riverside", "--reason", "x", "--for", "0m", code=64)
    assert "not a time at all" in told.stderr


def test_a_hold_until_changed_ends_with_the_merge_that_was_waited_for(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    placed = tree.run("pause", "riverside/grades", "--reason", "wrong map", "--until-changed")
    assert "until its definition changes in the files" in placed.stderr
    assert "until its definition changes" in tree.run("show", "riverside/grades").stdout
    (held,) = json.loads(tree.run("holds", "--format", "json").stdout)["holds"]
    assert held["until_changed"]
    tree.account("riverside", tree.text("riverside").replace("excused: exempt", "excused: withhold"))
    tree.run("reconcile", "--no-syncs")
    assert "No holds." in tree.run("holds").stdout
    assert "its definition changed" in tree.run("history", "riverside").stdout
    tree.run("pause-all", "--everything", "--reason", "x", "--until-changed", code=1)


def test_a_hold_without_an_end_ends_in_the_accounts_working_hours(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    told = tree.run("pause", "riverside", "--reason", "x").stderr
    assert re.search(r"held until (Mon|Tue|Wed|Thu|Fri) .* (09|1[0-5]):\d\d America/New_York", told)
    assert "covered now: 2 schedules" in told
    wide = tree.run("pause-all", "--type", "grade-passback", "--reason", "x").stderr
    assert re.search(r"(09|1[0-5]):\d\d America/New_York; `gradesync resume --type grade-passback`", wide)
    assert "no schedule is covered now" in tree.run("pause-all", "--group", "nroth", "--reason", "x").stderr


def test_forgotten_holds_are_found_by_their_age(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.run("holds", "--exit-code")
    tree.run("pause", "riverside", "--reason", "x")
    tree.run("holds", "--exit-code", code=1)
    tree.run("holds", "--older-than", "7d", "--exit-code")
    tree.run("holds", "--older-than", "long", code=64)
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db", isolation_level=None)) as store:
        store.execute("UPDATE hold SET created_at = created_at - 8 * 24 * 3600 * 1000000")
    tree.run("pause", "oak-hill", "--reason", "of today")
    old = tree.run("holds", "--older-than", "7d", "--exit-code", code=1).stdout
    assert "riverside" in old
    assert "oak-hill" not in old
    assert "2 holds in force, the oldest for 8 days" in tree.run("list").stdout


def test_pause_all_works_with_a_broken_file_and_with_broken_settings(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.account("oak-hill", "account: [oak-hill\n")
    tree.run("pause-all", "riverside", "--reason", "roll-over")
    tree.run("pause-all", "--everything", "--reason", "leaked key", "--now")
    settings = tree.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {account_share: lots}\n")
    tree.run("pause-all", "--type", "grade-passback", "--reason", "even so")
    assert "3 holds in force" in tree.run("holds").stdout
    tree.run("resume", "--everything", code=1)  # to start something takes sound settings
    settings.write_text("stor: elsewhere\n")
    tree.run("pause-all", "--everything", "--reason", "which store?", code=1)


BLACKOUTS = """\
blackouts:
  - {name: Last summer, from: 2025-06-25 18:00, until: 2025-07-06 06:00}
  - {name: This century, from: 2026-01-01 00:00, until: 2099-12-31 00:00, schedules: [roster-nightly]}
  - {name: The next one, from: 2100-06-25 18:00, until: 2100-07-06 06:00}
"""


def test_blackouts_are_shown_before_while_and_after_they_are(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside") + BLACKOUTS)
    tree.run("reconcile", "--no-syncs")
    now = tree.run("holds").stdout
    assert re.search(r"This century +ongoing +2026-01-01 00:00 .* roster-nightly +riverside", now)
    assert re.search(r"The next one +upcoming", now)
    assert "Last summer" not in now
    assert re.search(r"Last summer +past", tree.run("holds", "--past").stdout)
    whole = tree.run("show", "riverside").stdout
    for name, phase in (("Last summer", "past"), ("This century", "ongoing"), ("The next one", "upcoming")):
        assert re.search(rf"- {name}: .*{phase}", whole)
    assert "This century" not in tree.run("show", "riverside/grades").stdout
    assert (
        "blackout This century until 2099-12-31 00:00" in tree.run("show", "riverside/roster-nightly").stdout
    )
    assert "Blackouts: This century until 2099-12-31 00:00" in tree.run("list").stdout
    found = json.loads(tree.run("holds", "--past", "--format", "json").stdout)["blackouts"]
    assert [(one["phase"], one["accounts"]) for one in found] == [
        ("ongoing", ["riverside"]),
        ("upcoming", ["riverside"]),
        ("past", ["riverside"]),
    ]


def test_the_plan_begins_with_what_is_held(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.run("--as", "Ana Ortiz", "pause-all", "--type", "grade-passback", "--reason", "vendor outage")
    tree.account("riverside", tree.text("riverside").replace("daily at 04:00", "daily at 05:00"))
    plan = tree.run("plan").stdout
    assert "1 hold touches this plan: 1 change" in plan.splitlines()[1]
    assert "vendor outage" in plan
    (change,) = json.loads(tree.run("plan", "--format", "json").stdout)["actions"]
    assert change["held"]
    assert "vendor outage" in change["held_by"]
    assert "1 hold touches this plan: 1 change" in "".join(
        tree.run("plan", "--format", "markdown").stdout.splitlines()[:6]
    )


def test_stopping_where_nothing_runs_says_so(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    assert "nothing runs" in tree.run("stop", "riverside", "--reason", "x").stderr
    tree.run("stop", "riverside", code=64)
    tree.run("stop", "riverside/grades", "--reason", "x", code=64)
    assert "no account" in tree.run("stop", "nowhere", "--reason", "x", code=1).stderr
    assert "no run" in tree.run("stop", "0" * 32, "--reason", "x", code=1).stderr
    assert json.loads(tree.run("stop", "riverside", "--reason", "x", "--format", "json").stdout)["runs"] == []


def test_a_pause_under_a_longer_one_says_the_end_that_counts(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.run("pause", "riverside", "--reason", "SIS upgrade", "--for", "5d")
    told = tree.run("pause", "riverside/grades", "--reason", "short", "--for", "1h").stderr
    holds = json.loads(tree.run("holds", "--format", "json").stdout)["holds"]
    ends = {hold["reason"]: datetime.fromisoformat(hold["expires_at"]) for hold in holds}
    zone = ZoneInfo("America/New_York")
    late, early = (
        f"{ends[reason].astimezone(zone):%a %Y-%m-%d %H:%M}" for reason in ("SIS upgrade", "short")
    )
    assert f"riverside/grades is held until {late} America/New_York, by an earlier hold" in told
    assert f"(SIS upgrade); the new one lasts only until {early}" in told
    assert "`gradesync resume riverside/grades` and `gradesync resume riverside`" in told
    # What joins the account later is under the account's own hold alone.
    tree.run("resume", "riverside")
    assert "earlier hold" not in tree.run("pause", "riverside", "--reason", "y", "--for", "30m").stderr
    assert "earlier hold" not in tree.run("pause", "oak-hill/grades", "--reason", "z", "--for", "30m").stderr
