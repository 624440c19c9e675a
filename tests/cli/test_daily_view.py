"""The daily view on real runs: causes by who must act, the command behind each, and the same for a program."""

from __future__ import annotations

import json
import re

from tests.cli.conftest import Tree


def test_each_morning_one_sees_what_waits_for_whom_and_follows_it(live: Tree) -> None:
    for account in ("riverside", "oak-hill"):
        live.run("run", f"{account}/grades", "--full", "--yes", code=None)
    shown = live.run("list", "--needs", "teacher").stdout
    assert re.match(r"Waiting for the teacher: \d+ causes in 2 accounts, \d+ new since yesterday\n", shown)
    assert "\nNew since yesterday\n" in shown
    command = next(line.strip() for line in shown.splitlines() if "--code" in line)
    rows = live.run(*command.split()[1:]).stdout
    assert "oak-hill/grades" in rows
    assert "riverside/grades" in rows
    assert "roster-nightly" not in rows
    found = json.loads(live.run("list", "--needs", "teacher", "--format", "json").stdout)
    codes = [one["code"] for one in found["causes"]]
    assert command.split()[-1] in codes
    assert all(f"  {code} " in shown for code in codes)
    assert {one["id"] for one in found["schedules"]} == {"riverside/grades", "oak-hill/grades"}
    one = json.loads(live.run("list", "--needs", "teacher", "--code", codes[0], "--format", "json").stdout)
    assert [cause["code"] for cause in one["causes"]] == codes[:1]


def test_questions_that_mean_nothing_are_refused(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    assert "--all belongs to --needs" in tree.run("list", "--all", code=64).stderr
    assert "no code 998" in tree.run("list", "--code", "998", code=64).stderr
    assert "fits what was asked for" in tree.run("list", "--code", "gs-405").stdout
