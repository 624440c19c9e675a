"""What waits is told by code and age, whoever must act first, and never by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gradesync.domain.schedule import ScheduleId
from gradesync.reporting import structured, text, words
from tests.reporting import samples as s


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (timedelta(seconds=20), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=3, hours=23), "3 days"),
        (-timedelta(minutes=3), "0 minutes"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_fits(age: timedelta, told: str) -> None:
    assert words.age(s.NOW - age, s.NOW) == told


def test_what_began_this_minute_began_just_now() -> None:
    assert words.since(s.NOW - timedelta(seconds=20), s.NOW) == "since just now"
    assert words.since(s.NOW + timedelta(seconds=20), s.NOW) == "since just now"
    assert words.since(s.NOW - timedelta(minutes=2), s.NOW) == "since 2 minutes"
    row = replace(s.GRADES_ROW, waiting={"GS-401": 1}, waiting_since={"GS-401": s.NOW})
    for shown in (text.rows([row], s.NOW, style=s.PLAIN), text.schedule(row, s.NOW, style=s.PLAIN)):
        assert "since just now" in shown
        assert "0 minutes" not in shown


def test_nothing_chosen_is_not_called_nothing_recorded() -> None:
    told = text.rows([], s.NOW, style=s.PLAIN, chosen_by="needs the district")
    assert told.strip() == "No schedule needs the district now."
    assert "reconcile" in text.rows([], s.NOW, style=s.PLAIN)


def test_what_needs_a_person_comes_first_and_the_oldest_of_it_before_the_rest() -> None:
    row = replace(
        s.GRADES_ROW,
        waiting={"GS-503": 4, "GS-405": 1, "GS-401": 12},
        waiting_since={"GS-503": s.at(1, 0, 1), "GS-405": s.at(14, 0, 1), "GS-401": s.at(14, 0, 22)},
    )
    told = text.rows([row], s.NOW, style=s.PLAIN).splitlines()[-1]
    assert told == (
        "Waiting, grades and their columns: 1 GS-405 since 24 days (teacher), 12 GS-401 since 3 days (teacher), "
        "4 GS-503 since 24 days (SIS admin)."
    )


def test_two_schedules_of_one_account_count_what_waits_once_and_accounts_add_up() -> None:
    other = replace(s.GRADES_ROW, schedule=replace(s.GRADES_ROW.schedule, id=ScheduleId("riverside", "late")))
    oak = replace(
        s.GRADES_ROW,
        schedule=replace(s.GRADES_ROW.schedule, id=ScheduleId("oak-hill", "grades")),
        waiting_since={"GS-401": s.at(14, 0, 20), "GS-411": s.at(14, 0)},
    )
    told = text.rows([s.GRADES_ROW, other, oak], s.NOW, style=s.PLAIN).splitlines()[-1]
    assert told.startswith("Waiting, grades and their columns: 24 GS-401 since 5 days (teacher), 2 GS-411")


def test_a_schedule_says_what_waits_with_the_remedy_and_for_how_long() -> None:
    shown = text.schedule(s.GRADES_ROW, s.NOW, style=s.PLAIN)
    assert (
        "Waiting in the account, grades and their columns\n"
        "  GS-401 No due date (12 records: since 3 days). Teacher: add a due date." in shown
    )


def test_where_nothing_waits_nothing_is_said_of_it() -> None:
    row = replace(s.GRADES_ROW, waiting={}, waiting_since={})
    assert "aiting" not in text.rows([row], s.NOW, style=s.PLAIN)
    assert "aiting" not in text.schedule(row, s.NOW, style=s.PLAIN)


def test_programs_get_code_number_and_since_when() -> None:
    row = structured.schedule(s.GRADES_ROW, s.NOW)["schedule"]
    assert row["waiting"] == 13
    assert [(one["code"], one["count"], one["since"]) for one in row["waiting_codes"]] == [
        ("GS-401", 12, "2026-11-22T19:05:00Z"),
        ("GS-411", 1, "2026-11-25T16:30:00Z"),
    ]
    (of_account,) = structured.account(s.VIEW, s.NOW)["waiting"]
    assert (of_account["code"], of_account["since"]) == ("GS-401", "2026-11-22T19:05:00Z")
    assert of_account["who"] == "teacher"
