"""Whole screens, as people see them: what stands where, and that nothing else does."""

from __future__ import annotations

import re
from dataclasses import replace
from textwrap import dedent

import pytest

from gradesync.domain.action import Plan
from gradesync.domain.hold import HoldScope
from gradesync.domain.interval import parse_interval, warnings
from gradesync.domain.problem import CODES, Place, Problem
from gradesync.domain.report import ClassCounts, RunEnd
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import StoreInfo
from gradesync.reporting import plan_words, structured, text
from gradesync.reporting.clean import cell_width
from gradesync.reporting.text.layout import Cell, table
from gradesync.reporting.text.passes import closing
from tests.reporting import samples as s


def screen(expected: str) -> str:
    return dedent(expected).lstrip("\n")


def test_problems_show_the_line_a_caret_and_the_way_out() -> None:
    assert text.problems(s.PROBLEMS, s.source, style=s.PLAIN) == screen(
        """
        schedules/riverside.yaml:4:10: GS-107 this looks like a key or token
           4 | (line not shown: it may hold a secret)
          hint: rotate the key now

        schedules/riverside.yaml:7:5: GS-102 unknown setting `intervall`
           7 |     intervall: hourly
             |     ^^^^^^^^^
          hint: did you mean `interval`?

        schedules/riverside.yaml:8:12: warning: GS-115 runs on no day of February
           8 |     state: of
             |            ^^

        2 problems in 1 file, 1 warning.
        """
    )


def test_no_problems_is_one_line() -> None:
    assert text.problems((), s.source, style=s.PLAIN) == "No problems.\n"


def test_a_file_with_very_many_problems_says_how_many_are_hidden() -> None:
    many = [Problem("GS-102", f"unknown {n}", Place("a.yaml", n, 1)) for n in range(1, 61)]
    other = Problem("GS-103", "twice", Place("b.yaml", 1, 1))
    shown = text.problems([*many, other], lambda _: None, style=s.PLAIN)
    assert shown.count("GS-102") == 50
    assert "a.yaml: 10 more findings not shown" in shown
    assert "b.yaml:1:1: GS-103 twice" in shown
    assert shown.endswith("61 problems in 2 files.\n")


def test_warnings_give_way_to_what_stops_the_file() -> None:
    warned = [Problem("GS-115", "odd", Place("a.yaml", n, 1), warning=True) for n in range(1, 60)]
    stopping = Problem("GS-102", "unknown", Place("a.yaml", 90, 1))
    assert "a.yaml:90:1: GS-102" in text.problems([*warned, stopping], lambda _: None, style=s.PLAIN)


def test_the_plan_names_places_fields_and_what_it_means_in_time() -> None:
    assert text.plan(s.PLAN, s.PROBLEMS, s.NOW, style=s.PLAIN) == screen(
        """
        Plan at commit 4f2c1ab99001: 2 accounts, 38 schedules read, 1 frozen
        ! 1 hold touches this plan: 1 change will be stored and start nothing. A merge ends no hold (`gradesync holds`).
          held by dana until 2026-11-27 13:00 UTC: SIS upgrade (1 change)

        elm is frozen: its file has problems, so nothing of it changes; its last good definition keeps running.

        oakhill
          = pause     grades  schedules/oakhill.yaml:27
              paused in schedules/oakhill.yaml: SIS upgrade
              state  active -> paused
              next run  Wed 25 Nov 15:00 EST -> none
          + create    roster  schedules/oakhill.yaml:20
              next run  Thu 26 Nov 02:00 EST

        riverside
          ~ change    grades  schedules/riverside.yaml:31
              interval  every 15 minutes -> hourly
              next run  14:15 -> 15:00 Wed 25 Nov EST, unless a hold still stands
              held: the change is stored, and nothing starts (held by dana until 2026-11-27 13:00 UTC: SIS upgrade)

        Withheld: nothing below is applied until somebody consents
          ! riverside: 2 of 4 schedules would be retired, over the limit of 30%
            hint: check the change, then allow exactly this plan by its digest

        riverside
          ! retire    grades-old  schedules/riverside.yaml:12
              no longer in schedules/riverside.yaml; it never runs again, and its history stays
              next run  Wed 25 Nov 20:00 UTC -> none
          to consent to exactly these: gradesync reconcile --allow DIGEST --reason '...'
          or on GitHub: Actions, act, Run workflow (action `allow`, target `DIGEST`, and a reason)

        2 problems in 1 file, 1 warning. See `gradesync validate`.
        Plan: 1 to create, 1 to change, 1 to pause, 1 withheld. 34 unchanged. 1 account frozen by problems.
        """
    ).replace("DIGEST", s.PLAN.digest)


def test_a_plan_with_nothing_to_do_is_one_line() -> None:
    assert text.plan(s.NOTHING, (), s.NOW, style=s.PLAIN) == (
        "Nothing to do: 2 accounts as the files say, 38 unchanged.\n"
    )


def test_a_next_run_is_told_on_the_clock_of_the_schedules_own_zone() -> None:
    action = replace(s.CHANGE, text=s.definition(time_zone="America/Sao_Paulo"), next_run_before=None)
    shown = text.plan(Plan((action,)), (), s.NOW, style=s.PLAIN)
    assert "next run  none -> Wed 25 Nov 17:00 UTC-03" in shown


def test_a_date_of_another_year_names_its_year() -> None:
    later = replace(s.CREATE, next_run_after=s.at(2, 0, 26).replace(year=2027))
    assert "next run  Fri 26 Nov 2027 02:00 EST" in text.plan(Plan((later,)), (), s.NOW, style=s.PLAIN)


def test_the_list_is_the_vendor_pages_columns_when_piped() -> None:
    shown = text.rows(s.ROWS, s.NOW, style=s.PLAIN).splitlines()
    cells = [re.split(r" {2,}", line) for line in shown[:4]]
    assert cells == [
        [
            "SCHEDULE",
            "TYPE",
            "INTERVAL",
            "FIRST RUN",
            "NEXT RUN",
            "TIME ZONE",
            "POSTED BY",
            "STATE",
            "LAST RUN",
            "OUTCOME",
        ],
        [
            "riverside/grades",
            "grade passback",
            "every 15 minutes",
            "2026-11-02 07:00 EST",
            "2026-11-25 14:15 EST",
            s.ZONE,
            "sis-admin",
            "active",
            "2026-11-25 14:01 EST",
            "warning",
        ],
        [
            "riverside/roster-nightly",
            "roster import",
            "daily at 02:00",
            "2026-09-01 02:00 EDT",
            "-",
            s.ZONE,
            "sis-admin",
            "held",
            "-",
            "-",
        ],
        [
            "riverside/grades-old",
            "grade passback",
            "every 15 minutes",
            "-",
            "-",
            s.ZONE,
            "-",
            "paused, held",
            "2026-11-25 14:01 EST",
            "completed",
        ],
    ]
    assert shown[4:] == [
        "",
        "3 schedules: 1 active, 1 held, 1 paused. 1 needs someone.",
        "Waiting, grades and their columns: 13",
        "  12 GS-401 No due date, for 3 days (teacher)",
        f"  1 GS-411 {CODES['GS-411'].title}, for 2 hours (teacher)",
    ]
    assert len({line.index(s.ZONE) for line in shown[1:4]}) == 1


def test_a_blocked_schedule_shows_no_next_run_even_if_one_is_stored() -> None:
    row = replace(s.ROSTER_ROW, next_run_at=s.at(2, 0, 26))
    assert "2026-11-26" not in text.rows([row], s.NOW, style=s.PLAIN)


def test_a_newer_attempt_that_was_skipped_is_told_in_the_page_s_words() -> None:
    row = replace(s.GRADES_ROW, skipped_at=s.at(14))
    said = "last attempt skipped, Wed 25 Nov 14:00 EST"
    shown = text.rows([row, s.ROSTER_ROW], s.NOW, style=s.PLAIN)
    assert f"1 needs someone.\nriverside/grades: {said}\n" in shown
    assert f"{said}; `gradesync history riverside/grades` says why" in text.schedule(
        row, s.NOW, style=s.PLAIN
    )
    found = structured.rows([row, s.ROSTER_ROW], s.NOW)["schedules"]
    assert [one["last_attempt_skipped_at"] for one in found] == ["2026-11-25T19:00:00Z", None]
    many = text.rows([row] * 20, s.NOW, style=s.PLAIN)
    assert many.count(said) == 8
    assert "\nand 12 schedules more: `gradesync list --format json` names them\n" in many


def test_a_next_run_that_has_passed_is_called_overdue() -> None:
    shown = text.rows(s.ROWS, s.at(14, 16), style=s.PLAIN)
    assert "1 needs someone. 1 overdue: no pass has taken them up yet.\n" in shown


@pytest.mark.parametrize("width", [80, 100, 112, 120, 140, 200])
@pytest.mark.parametrize("color", [False, True])
def test_the_list_fits_the_terminal_and_cuts_no_word(width: int, color: bool) -> None:
    shown = text.rows(s.ROWS, s.NOW, style=s.terminal(width, color=color))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(cell_width(line) for line in lines) <= width
    assert len(lines[0].split("OUTCOME")) == 2
    for word in ("roster-nightly", "completed", "paused", "warning"):
        assert word in shown
    assert ("\x1b[" in shown) is color


def test_a_narrow_terminal_gets_a_line_per_schedule_and_is_told_what_is_missing() -> None:
    assert text.rows(s.ROWS, s.NOW, style=s.terminal(80)) == screen(
        """
        SCHEDULE                  NEXT RUN      STATE         LAST RUN      OUTCOME
        riverside/grades          25 Nov 14:15  active        25 Nov 14:01  warning
        riverside/roster-nightly                held
        riverside/grades-old                    paused, held  25 Nov 14:01  completed

        Without type, interval, first run, time zone, posted by: no room in 80 columns;
        piped or as JSON they are there. Times are on each schedule's own clock.

        3 schedules: 1 active, 1 held, 1 paused. 1 needs someone.
        Waiting, grades and their columns: 13
          12 GS-401 No due date, for 3 days (teacher)
          1 GS-411 Grade not posted yet, for 2 hours (teacher)
        """
    )


def test_a_wide_terminal_gets_every_column_and_no_note() -> None:
    shown = text.rows(s.ROWS, s.NOW, style=s.terminal(200))
    assert all(title in shown for title in ("FIRST RUN", "POSTED BY", "2026-11-25 14:15 EST"))
    assert "no room" not in shown


def test_the_last_thing_a_tiny_terminal_goes_without_is_the_outcome() -> None:
    shown = text.rows(s.ROWS, s.NOW, style=s.terminal(40)).splitlines()
    assert shown[0].split() == ["SCHEDULE", "OUTCOME"]
    assert shown[1].split() == ["riverside/grades", "warning"]


def test_history_is_one_line_per_entry_with_counts_and_codes() -> None:
    entries = s.entries()
    shown = text.history(entries, style=s.PLAIN).splitlines()
    assert [re.split(r" {2,}", line) for line in shown] == [
        ["WHEN", "WHAT", "SCHEDULE", "WHO (VIA)", "TRIGGER", "STAGE", "OUTCOME", "DETAILS", "ENTRY"],
        [
            "2026-11-25 19:02:00Z",
            "run ended (grade passback)",
            "riverside/grades",
            "scheduler (slot)",
            "slot",
            "record",
            "warning",
            "12 sent, 3 withheld; GS-401 x2, GS-411",
            entries[0].hash[:8],
        ],
        [
            "2026-11-25 19:03:00Z",
            "hold placed",
            "riverside/grades",
            "dana (OS user)",
            "-",
            "-",
            "-",
            "scope: riverside/grades; reason: SIS upgrade",
            entries[1].hash[:8],
        ],
    ]


def test_history_wraps_on_a_terminal() -> None:
    shown = text.history(s.entries(), style=s.terminal(60)).splitlines()
    assert max(len(line) for line in shown) <= 60
    assert [line[:4] == "    " for line in shown].count(False) == 3
    wide = text.history(s.entries(), style=s.terminal(160)).splitlines()
    assert wide[0] == "WHEN  WHAT  SCHEDULE  WHO (VIA)  TRIGGER  STAGE  OUTCOME  DETAILS  ENTRY"
    assert f" entry {s.entries()[0].hash[:8]} " in " ".join(" ".join(wide).split())


def test_history_of_one_account_is_told_on_its_clock_and_in_words() -> None:
    first = s.entries()[0]
    fact = replace(first.fact, data={"until": "2026-11-28T14:00:00+00:00", "uncommitted changes": True})
    shown = text.history((replace(first, fact=fact),), zone=s.ZONE, style=s.PLAIN)
    assert "2026-11-25 14:02:00 EST" in shown
    assert "until: 2026-11-28 09:00 EST; uncommitted changes: yes" in shown


def test_erasable_details_are_never_shown() -> None:
    assert "Jane" not in text.history(s.entries(), style=s.PLAIN)


def test_a_pass_tells_every_run_who_must_act_and_what_was_left_alone() -> None:
    assert text.pass_report(s.REPORT, style=s.PLAIN) == screen(
        f"""
        elm: not applied: it changed meanwhile, a run works in it, or another tree was applied.

        Runs
          riverside/grades  grade passback  warning: 12 sent, 1,040 unchanged, 3 withheld
            GS-401 No due date (2 records). Teacher: add a due date.
            GS-411 Grade not posted yet (1 record, for information). Teacher: post the grades when they are ready.
          riverside/roster-nightly  roster import  failed at fetch: nothing was sent
            GS-202 SIS refuses our key. SIS admin: renew the client id and secret in the SIS.
            the SIS refuses the key
            hint: renew the client id and secret in the SIS

        busy     oakhill: ci on runner-7 works in it since 2026-11-25 19:03 UTC
        blocked  riverside/grades-old: paused in its YAML file (summer); {s.HELD.sentence}
        missed   riverside/grades: 3 late slots joined the latest one

        history checkpoint {"ab" * 32}
        3 changes applied, 2 runs (1 failed, 1 warning), 1 busy account, 1 blocked schedule. 2 need someone, 2 of them new or worse.
        """  # noqa: E501 - a screen is compared as it stands
    )


def test_what_the_vendor_said_is_never_shown() -> None:
    assert "Jane" not in text.pass_report(s.REPORT, style=s.PLAIN)
    assert "Jane" not in text.run(s.run(), style=s.PLAIN)


def test_a_pass_that_did_nothing_says_so() -> None:
    assert text.pass_report(s.QUIET, style=s.PLAIN) == "Nothing to do.\n"


def test_a_pass_over_frozen_accounts_does_not_say_that_all_is_well() -> None:
    frozen = replace(s.QUIET, plan=replace(s.NOTHING, frozen=("elm",)), problems=s.PROBLEMS)
    assert text.pass_report(frozen, style=s.PLAIN) == screen(
        """
        elm is frozen: its file has problems, so nothing of it changes; its last good definition keeps running.
        2 problems in 1 file, 1 warning. See `gradesync validate`.

        Nothing to do in the accounts without problems.
        """
    )


def test_a_pass_with_nothing_due_names_what_keeps_others_from_their_work() -> None:
    resting = replace(s.QUIET, resting=tuple(f"school-{n}" for n in range(7)))
    assert text.pass_report(resting, style=s.PLAIN).replace("\n", " ").strip() == (
        "Nothing to do. Stopped by gradesync itself: school-0, school-1, school-2, school-3, school-4, 2 more; "
        "gradesync holds says why."
    )
    keyless = replace(s.QUIET, no_key="nothing is found at env:GRADESYNC_KEY")
    assert text.pass_report(keyless, style=s.PLAIN).replace("\n", " ").strip() == (
        "Nothing to do. GS-207: no run can do its work: nothing is found at env:GRADESYNC_KEY."
    )


def test_a_pass_over_a_store_without_any_account_says_so() -> None:
    fresh = replace(s.QUIET, checkpoint="0" * 64)
    assert closing(fresh) == "Nothing to do: no account is recorded yet, and the files describe none."
    of_a_clock = replace(fresh, plan=None)
    assert closing(of_a_clock) == (
        "Nothing to do: no account is recorded yet. A pass without --due records what the files say."
    )
    assert closing(replace(of_a_clock, checkpoint="4f" * 32)) == "Nothing to do."


def test_a_plan_with_frozen_accounts_alone_does_not_begin_with_nothing_to_do() -> None:
    told = text.plan(replace(s.NOTHING, frozen=("elm",)), s.PROBLEMS, s.NOW, style=s.PLAIN)
    assert told.endswith(
        "1 account is frozen: files have problems. In all others nothing would change: 38 unchanged.\n"
    )


def test_a_changed_list_of_blackouts_is_told_in_words() -> None:
    before = '[{"from": "2027-06-25 18:00", "name": "Summer", "schedules": ["a", "b"], "until": "2027-07-06 06:00"}]'
    told = "name Summer, from 2027-06-25 18:00, until 2027-07-06 06:00, schedules a and b"
    assert (plan_words.value(before), plan_words.value("[]")) == (told, "(none)")


def test_a_new_store_a_stale_tree_and_an_interruption_are_told() -> None:
    told = text.pass_report(
        replace(s.QUIET, new_store=True, stale_commit="4f2c1ab99001122", interrupted=True), style=s.PLAIN
    )
    assert "The store is new" in told
    assert "GS-704 The tree does not follow commit 4f2c1ab99001," in told
    assert told.endswith("Interrupted before anything was done.\n")


def test_a_dry_run_says_what_would_be_sent_by_class_and_code() -> None:
    assert text.run_end(s.DRY, style=s.PLAIN) == screen(
        """
        riverside/grades  grade passback  dry run: 12 would be sent, 1,040 unchanged, 3 withheld
          GS-401 No due date (2 records). Teacher: add a due date.
          GS-411 Grade not posted yet (1 record, for information). Teacher: post the grades when they are ready.

        CLASS      WOULD BE SENT  UNCHANGED  WITHHELD  LINE ITEMS  CODES
        class-101  12             40         0         1           -
        class-102  0              1,000      3         0           GS-401 x2, GS-411

        Dry run: nothing was sent and nothing was recorded.
        """
    )


def test_a_dry_run_that_would_take_scores_back_has_a_column_for_them() -> None:
    taking = replace(s.DRY, classes=(ClassCounts("class-101", {"sent": 1, "blanked": 2}, {}),))
    assert screen(
        """
        CLASS      WOULD BE SENT  UNCHANGED  WITHHELD  LINE ITEMS  WOULD BE BLANKED  CODES
        class-101  1              0          0         0           2                 -
        """
    ) in text.run_end(taking, style=s.PLAIN)


def test_a_run_whose_lease_was_lost_says_who_goes_on() -> None:
    lost = replace(s.FAILED, result=None, problem=None, hint=None)
    assert text.run_end(lost, style=s.PLAIN) == (
        "riverside/roster-nightly  roster import  handed on: the lease was lost; another pass goes on\n"
    )


def test_show_names_every_block_of_a_schedule() -> None:
    assert text.schedule(s.OLD_ROW, s.NOW, style=s.PLAIN) == screen(
        """
        riverside/grades-old
          type       grade passback
          interval   every 15 minutes
          time zone  America/New_York
          next run   none while it is blocked
          state      paused: summer

        Blocked
          - paused in its YAML file (summer) (GS-707)
          - held by dana until 2026-11-27 13:00 UTC: SIS upgrade (GS-707)

        Last run
          run      r1
          started  2026-11-25 14:01 EST
          ended    2026-11-25 14:02 EST
          trigger  slot, scheduler (slot)
          outcome  completed
          stage    record
        """
    )


def test_a_plan_says_that_there_are_warnings() -> None:
    told = text.plan(s.PLAN, [one for one in s.PROBLEMS if one.warning], s.NOW, style=s.PLAIN)
    assert "\nNo problems, 1 warning. See `gradesync validate`.\n" in told
    assert "warning" not in text.plan(s.PLAN, [], s.NOW, style=s.PLAIN)


def test_show_tells_a_declared_first_run_from_one_that_occurred() -> None:
    assert "first run  2026-09-01 02:00 EDT (declared)" in text.schedule(s.ROSTER_ROW, s.NOW, style=s.PLAIN)
    assert "first run  2026-11-02 07:00 EST\n" in text.schedule(s.GRADES_ROW, s.NOW, style=s.PLAIN)


def test_an_account_shows_both_sides_holds_and_what_waits_for_whom() -> None:
    shown = text.account(s.VIEW, s.NOW, style=s.PLAIN)
    assert shown.startswith(
        screen(
            """
            riverside
              name       Riverside Public Schools
              time zone  America/New_York
              Canvas     https://riverside.instructure.com
              SIS        https://genesis.riverside.example (profile genesis)
              revision   12

            Holds
              - riverside/grades: by dana (OS user), until 2026-11-28 09:00 EST: SIS upgrade
                to end it: gradesync resume riverside/grades

            Waiting, grades and their columns
              GS-401 No due date (2 records: for 3 days). Teacher: add a due date.

            Blocked
              - roster-nightly: held by dana until 2026-11-27 13:00 UTC: SIS upgrade (GS-707)
              - grades-old: paused in its YAML file (summer) (GS-707)
              - grades-old: held by dana until 2026-11-27 13:00 UTC: SIS upgrade (GS-707)

            SCHEDULE """
        )
    )


def test_an_account_shows_what_its_last_runs_left_for_somebody_beside_the_records_that_wait() -> None:
    left = RunResult(Outcome.WARNING, Stage.RECORD, codes={"GS-626": 1, "GS-401": 2})
    roster = replace(s.ROSTER_ROW, last=replace(s.run(), result=left))
    shown = text.account(replace(s.VIEW, rows=(roster,)), s.NOW, style=s.PLAIN)
    assert (
        "\nLast runs\n  roster-nightly: GS-626 Canvas holds seats that the SIS does not have (1 record). Support: "
        in shown
    )
    assert "`gradesync run riverside/roster-nightly --dry-run --csv-to DIR`" in shown
    assert shown.count("GS-401") == 1, "the two that wait"


def test_a_run_is_shown_with_its_codes() -> None:
    shown = text.run(s.run(), style=s.PLAIN)
    assert "  late by    61 seconds\n" in shown
    assert "  counts     12 sent, 1,040 unchanged, 3 withheld\n" in shown
    assert "  GS-401 No due date (2 records). Teacher: add a due date.\n" in shown


def test_holds_say_who_why_and_until_when() -> None:
    shown = text.holds((s.HOLD, s.BREAKER), s.NOW, style=s.PLAIN).splitlines()
    assert re.split(r" {2,}", shown[1]) == [
        *("riverside/grades", "operator", "dana (OS user)", "2026-11-25 14:00 UTC"),
        *("2026-11-28 14:00 UTC", "SIS upgrade", "h1234567"),
    ]
    assert "a run works, or resumed" in shown[2]
    assert shown[-1] == "2 holds in force."


def test_a_hold_is_told_on_the_clock_it_is_given() -> None:
    wide = replace(s.HOLD, scope=HoldScope(group="north"))
    shown = text.holds((wide,), s.NOW, zones={wide.id: s.ZONE}, style=s.PLAIN).splitlines()
    assert re.split(r" {2,}", shown[1])[3:5] == ["2026-11-25 09:00 EST", "2026-11-28 09:00 EST"]
    account = text.account(replace(s.VIEW, holds=(wide,)), s.NOW, style=s.PLAIN)
    assert "- group north: by dana (OS user), until 2026-11-28 09:00 EST: SIS upgrade" in account


def test_past_holds_say_that_they_are_past() -> None:
    released = replace(s.HOLD, released_at=s.at(10))
    expired = replace(s.HOLD, expires_at=s.at(10))
    shown = text.holds((released, expired), s.NOW, style=s.PLAIN)
    assert "released 2026-11-25 15:00 UTC" in shown
    assert "expired 2026-11-25 15:00 UTC" in shown
    assert shown.endswith("0 holds in force.\n")


def test_next_runs_stand_on_both_clocks_with_notes() -> None:
    interval = parse_interval("monthly on 31 at 02:30", s.ZONE)
    slot = interval.next_slot(s.NOW)
    assert slot is not None
    shown = text.next_runs(interval, [slot], warnings(interval, s.NOW), style=s.PLAIN)
    assert "  Thu 31 Dec 2026 02:30 EST     2026-12-31 07:30 UTC\n" in shown
    assert "note: there is no 31st in" in shown


def test_effective_values_stand_beside_their_file_and_line() -> None:
    values = (("canvas.url", "https://x.example", Place("schedules/_defaults.yaml", 3, 5)),)
    shown = text.effective(values, style=s.PLAIN).splitlines()
    assert re.split(r" {2,}", shown[1]) == ["canvas.url", "https://x.example", "schedules/_defaults.yaml:3"]


def test_store_info_says_when_the_store_was_just_made() -> None:
    info = StoreInfo("sqlite", ".gradesync/store.db", "lin-1", "0003", {"runs": 1200}, created=True)
    assert text.store_info(info, style=s.PLAIN) == screen(
        """
        Store, made just now
          kind     sqlite
          place    .gradesync/store.db
          lineage  lin-1
          schema   0003
          runs     1,200
        """
    )


def test_what_several_runs_met_is_told_once_with_the_runs_that_met_it() -> None:
    runs = [s.run(ScheduleId(f"school-{n}", "grades")) for n in range(7)]
    report = replace(s.QUIET, ends=tuple(RunEnd(run, run.result) for run in runs))
    shown = text.pass_report(report, style=s.PLAIN)
    assert shown.count("GS-401 No due date") == 1
    assert "GS-401 No due date (14 records: school-0/grades 2, school-1/grades 2," in shown
    assert "2 runs more). Teacher: add a due date." in shown
    assert shown.count("grade passback  warning: 12 sent") == 7


def test_a_failed_run_explains_its_codes_itself() -> None:
    others = [s.run(ScheduleId(f"school-{n}", "grades")) for n in range(2)]
    report = replace(s.QUIET, ends=(s.FAILED, *(RunEnd(run, run.result) for run in others)))
    lines = text.pass_report(report, style=s.PLAIN).splitlines()
    told = next(i for i, line in enumerate(lines) if "failed at" in line)
    assert lines[told + 1].strip().startswith("GS-202")


def test_a_cell_longer_than_the_terminal_is_wrapped_below_its_name() -> None:
    codes = {f"GS-{number}": 10 for number in range(401, 421)}
    dry = replace(s.DRY, classes=(ClassCounts("c-1", {"sent": 3}, codes),))
    shown = text.run_end(dry, style=s.terminal(60))
    assert max(map(len, shown.splitlines())) <= 60
    assert all(code in shown for code in codes)


_COMMANDS = re.compile(r"gradesync \w|[0-9a-f]{64}")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_report_is_wider_than_the_terminal_but_for_what_is_to_be_copied(width: int) -> None:
    style = s.terminal(width)
    long = replace(s.HOLD, reason="the roster looked wrong after the change of the export, ticket 4711 " * 3)
    shown = (
        text.rows(s.ROWS, s.NOW, style=style),
        text.schedule(s.GRADES_ROW, s.NOW, style=style),
        text.account(s.VIEW, s.NOW, style=style),
        text.history(s.entries(), style=style),
        text.plan(s.PLAN, s.PROBLEMS, s.NOW, style=style),
        text.pass_report(s.REPORT, style=style),
        text.run_end(s.DRY, style=style),
        text.run_end(s.FAILED, style=style),
        text.holds([long, s.BREAKER], s.NOW, style=style),
        text.problems(s.PROBLEMS, s.source, style=style),
        *(text.code(entry, style=style) for entry in CODES.values()),
    )
    for report in shown:
        for line in report.splitlines():
            assert cell_width(line) <= width or _COMMANDS.search(line) or len(line.split()) == 1, line


def test_a_narrow_table_loses_nothing_of_a_text() -> None:
    said = "write the whole address, beginning with https:// on, then a / alone"
    for width in range(60, 130, 7):
        shown = "\n".join(table(("RULE", "WHAT TO DO"), [(Cell("ops"), Cell(said))], s.terminal(width)))
        assert said.replace(" ", "") in "".join(shown.split()), width
