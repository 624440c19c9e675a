"""The coming days: what runs, what does not and why, and readable however many accounts there are."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gradesync.domain.hold import Hold, HoldScope
from gradesync.domain.run import Actor
from gradesync.domain.schedule import Schedule, ScheduleId, State, SyncType
from gradesync.domain.week import AccountWeek, account_week
from gradesync.reporting.style import PLAIN, Style
from gradesync.reporting.text.coming_days import upcoming as as_text
from gradesync.reporting.upcoming_markdown import upcoming as as_markdown
from gradesync.reporting.upcoming_words import LINES
from tests.cli.conftest import Tree

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
HOSTILE = "x\x1b[2J ::set-output @everyone | <script>"
GRADES = Schedule(
    ScheduleId("a", "grades"),
    SyncType.GRADE_PASSBACK,
    "every 15 minutes",
    "America/New_York",
    "2026-09-01 07:00",
)
ROSTER = replace(GRADES, id=ScheduleId("a", "roster"), type=SyncType.ROSTER_IMPORT, interval="daily at 02:00")


def hold(account: str | None, reason: str = "SIS upgrade", hours: int | None = None) -> Hold:
    end = None if hours is None else NOW + timedelta(hours=hours)
    return Hold("h", HoldScope(account), Actor("alex", "OS user"), reason, NOW - timedelta(days=1), end)


def week(account: str, *holds: Hold, days: int = 7) -> AccountWeek:
    schedules = [replace(one, id=ScheduleId(account, one.id.name)) for one in (GRADES, ROSTER)]
    return account_week(account, account, "America/New_York", schedules, holds, (), NOW, days)


def test_each_day_is_named_with_its_runs_and_frequent_ones_are_one_line(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    shown = tree.run("upcoming", "riverside", "--days", "3").stdout
    assert shown.startswith("riverside schools (riverside): today and the next 2 days, America/New_York")
    assert shown.count("riverside/roster-nightly  roster import") in (2, 3)
    assert "oak-hill" not in shown
    assert "oak-hill/grades" in tree.run("upcoming").stdout
    table = tree.run("upcoming", "riverside", "--days", "3", "--format", "markdown").stdout
    assert table.startswith("**riverside schools (riverside): today and the next 2 days")
    assert "riverside/roster-nightly" in table.replace("`", "")


def test_a_hold_and_a_blackout_are_named_at_the_slots_they_stop(tree: Tree) -> None:
    text = tree.text("riverside").replace("daily at 04:00", "every 30 minutes")
    begin = (datetime.now(UTC) + timedelta(days=2)).date()
    window = f"{{name: Roll-over, from: {begin} 00:00, until: {begin + timedelta(days=1)} 00:00}}"
    tree.account("riverside", text.replace("schedules:\n", f"blackouts:\n  - {window}\nschedules:\n", 1))
    tree.run("reconcile", "--no-syncs")
    tree.run("pause", "riverside/roster-nightly", "--reason", "new SIS", "--for", "29d")
    shown = tree.run("upcoming", "riverside").stdout
    assert "grade passback, 48 times, every 30 minutes, does not run: blackout Roll-over until" in shown
    assert "Not running in these days\n  riverside/roster-nightly: roster import, held by" in shown
    assert "new SIS" in shown
    assert "1 hold in force" in shown
    assert f"- Roll-over: {begin} 00:00" in shown


def test_one_day_is_the_rest_of_today_and_a_slot_after_midnight_is_told() -> None:
    shown = as_text([week("a", days=1)], 1, NOW, style=PLAIN)
    assert shown.startswith("a: the rest of today, America/New_York\n")
    assert "\nNo slot in these days\n  a/roster: roster import, daily at 02:00; its next slot is " in shown
    assert re.search(r"its next slot is \w{3} \d+ \w{3} 02:00 E[SD]T\n", shown)
    assert re.search(r"\d+ runs of 1 schedule today\.\n", shown)
    assert as_text([week("a", days=2)], 2, NOW, style=PLAIN).startswith(
        "a: today and tomorrow, America/New_York\n"
    )
    paused = replace(ROSTER, state=State.PAUSED)
    none = account_week("a", "a", "America/New_York", [paused], (), (), NOW, 1)
    assert "its next slot" not in as_text([none], 1, NOW, style=PLAIN)


def test_what_stops_many_lines_is_told_once_and_pointed_at() -> None:
    shown = as_text([week("a", hold("a", "a long story", hours=80))], 7, NOW, style=PLAIN)
    assert shown.count("a long story") == 1
    assert "Stopped by\n  [1] held by alex until" in shown
    assert shown.count("does not run: [1]") > 3


def test_machines_read_every_slot_with_what_stops_it(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.run("pause", "riverside/grades", "--reason", "x", "--for", "2d")
    told = json.loads(tree.run("upcoming", "riverside", "--days", "5", "--format", "json").stdout)
    (account,) = told["accounts"]
    slots = [one for day in account["days"] for one in day["slots"] if one["schedule"] == "riverside/grades"]
    assert len(account["days"]) == 5
    assert {one["runs"] for one in slots} == {True, False}
    assert all(bool(one["blocks"]) is not one["runs"] for one in slots)
    assert account["holds"][0]["reason"] == "x"


def test_type_group_and_account_narrow_it(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    only = tree.run("upcoming", "--type", "roster-import").stdout
    assert "roster-nightly" in only
    assert "grades" not in only
    assert "No schedules" in tree.run("upcoming", "--group", "north").stdout
    assert "no account nowhere" in tree.run("upcoming", "nowhere", code=1).stderr
    tree.run("upcoming", "--days", "32", code=64)


def test_many_accounts_are_one_line_a_day_and_how_to_narrow() -> None:
    weeks = [week(f"account-{number:03}") for number in range(600)]
    shown = as_text(weeks, 7, NOW, style=PLAIN)
    assert len(shown.splitlines()) < 20
    assert "--group" in shown
    assert "Tue 24 Nov            58,200 runs" in shown
    assert as_markdown(weeks, 7, NOW).count("- Tue 24 Nov: 58,200 runs") == 1


def test_the_reasons_of_many_stops_are_told_with_how_many_each_stops() -> None:
    everything = hold(None)
    weeks = [week(f"account-{number:03}", everything) for number in range(40)]
    shown = as_text(weeks, 7, NOW, style=PLAIN)
    assert "80 schedules of 40 accounts: held by alex until resumed: SIS upgrade" in shown
    assert len(shown.splitlines()) < 30


def test_no_answer_for_people_is_longer_than_a_person_reads() -> None:
    for accounts in (1, 5, 9, 30):
        weeks = [week(f"account-{n}", hold(f"account-{n}", hours=30)) for n in range(accounts)]
        assert len(as_text(weeks, 7, NOW, style=PLAIN).splitlines()) < LINES + 60


@pytest.mark.parametrize("style", [PLAIN, Style(color=True, width=60, terminal=True)])
def test_what_people_wrote_does_nothing_where_it_is_shown(style: Style) -> None:
    weeks = [week("a", hold("a", HOSTILE, hours=9))]
    shown = as_text(weeks, 2, NOW, style=style)
    assert "\x1b[2J" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    marked = as_markdown(weeks, 2, NOW)
    assert "<script>" not in marked.replace("\\<script>", "")
    assert "@everyone" not in marked


def test_a_narrow_terminal_keeps_every_line_within_its_width() -> None:
    shown = as_text(
        [week("a", hold("a", hours=9))], 2, NOW, style=Style(color=False, width=60, terminal=True)
    )
    assert max(map(len, shown.splitlines())) <= 60
