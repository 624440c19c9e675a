"""What waits is told by code and age, whoever must act first, and never by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gradesync.domain.problem import CODES
from gradesync.domain.report import RunEnd
from gradesync.domain.run import Outcome, RunResult, Stage, Trigger
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
    assert words.how_long(s.NOW - timedelta(seconds=20), s.NOW) == "just now"
    assert words.how_long(s.NOW + timedelta(seconds=20), s.NOW) == "just now"
    assert words.how_long(s.NOW - timedelta(minutes=2), s.NOW) == "for 2 minutes"
    row = replace(s.GRADES_ROW, waiting={"GS-401": 1}, waiting_since={"GS-401": s.NOW})
    for shown in (text.rows([row], s.NOW, style=s.PLAIN), text.schedule(row, s.NOW, style=s.PLAIN)):
        assert "just now" in shown
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
    assert waiting_lines(text.rows([row], s.NOW, style=s.PLAIN)) == [
        "Waiting, grades and their columns: 17",
        f"  1 GS-405 {CODES['GS-405'].title}, for 24 days (teacher)",
        "  12 GS-401 No due date, for 3 days (teacher)",
        f"  4 GS-503 {CODES['GS-503'].title}, for 24 days (SIS admin)",
    ]


def waiting_lines(shown: str) -> list[str]:
    """What is said of what waits, to the end."""
    lines = shown.splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith("Waiting")) :]


def test_of_many_codes_the_first_few_are_named_and_the_rest_counted() -> None:
    codes = [code for code, entry in CODES.items() if code.startswith("GS-4") and entry.needs_person][:9]
    row = replace(s.GRADES_ROW, waiting=dict.fromkeys(codes, 3), waiting_since={})
    head, *told, rest = waiting_lines(text.rows([row], s.NOW, style=s.PLAIN))
    assert head.endswith(": 27")
    assert len(told) == 4
    assert rest == "  and 5 codes more with 15; see `gradesync show ACCOUNT`"


def test_records_of_a_closed_period_make_a_schedule_need_someone_as_the_lists_of_needs_say() -> None:
    assert s.GRADES_ROW.last is not None
    quiet = replace(s.GRADES_ROW.last, result=RunResult(Outcome.COMPLETED, Stage.RECORD))
    row = replace(s.GRADES_ROW, waiting={"GS-501": 1212}, waiting_since={}, last=quiet)
    assert "1 needs someone." in text.rows([row], s.NOW, style=s.PLAIN)


def quiet_end(trigger: Trigger) -> RunEnd:
    assert s.GRADES_ROW.last is not None
    run = replace(s.GRADES_ROW.last, trigger=trigger, attempt=1)
    return RunEnd(run, RunResult(Outcome.COMPLETED, Stage.RECORD), waits={"GS-501": 1212})


def test_a_run_that_found_nothing_changed_says_how_many_wait_and_how_they_are_tried() -> None:
    told = " ".join(text.run_end(quiet_end(Trigger.BY_HAND), style=s.PLAIN).split())
    assert "completed: nothing had changed, and 1,212 records wait" in told
    assert "not tried by this run: 1,212 GS-501 (Marking period closed)" in told
    assert "gradesync run riverside/grades --full" in told


def test_the_runs_of_slots_say_it_in_three_words() -> None:
    told = " ".join(text.run_end(quiet_end(Trigger.SLOT), style=s.PLAIN).split())
    assert told.endswith("nothing had changed, and 1,212 records wait")


def test_two_schedules_of_one_account_count_what_waits_once_and_accounts_add_up() -> None:
    other = replace(s.GRADES_ROW, schedule=replace(s.GRADES_ROW.schedule, id=ScheduleId("riverside", "late")))
    oak = replace(
        s.GRADES_ROW,
        schedule=replace(s.GRADES_ROW.schedule, id=ScheduleId("oak-hill", "grades")),
        waiting_since={"GS-401": s.at(14, 0, 20), "GS-411": s.at(14, 0)},
    )
    _, first, second = waiting_lines(text.rows([s.GRADES_ROW, other, oak], s.NOW, style=s.PLAIN))
    assert first == "  24 GS-401 No due date, for 5 days (teacher)"
    assert second.startswith("  2 GS-411 ")


def test_a_schedule_says_what_waits_with_the_remedy_and_for_how_long() -> None:
    shown = text.schedule(s.GRADES_ROW, s.NOW, style=s.PLAIN)
    assert (
        "Waiting in the account, grades and their columns\n"
        "  GS-401 No due date (12 records: for 3 days). Teacher: add a due date." in shown
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
