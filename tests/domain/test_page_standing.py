"""The word of an account: what a stop hides, what is worst, and what a public number may give away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.due import Block
from gradesync.domain.page_standing import (
    LATE_AFTER,
    TOP,
    WORST_FIRST,
    Word,
    bucket,
    standing_of,
    tally_of,
    word_of,
)
from gradesync.domain.problem import CODES
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import SCHEDULER, Lease, Mode, Outcome, Run, RunResult, RunState, Stage, Trigger
from gradesync.domain.run_line import line_of
from gradesync.domain.schedule import Schedule, ScheduleId, State, SyncType

NOW = datetime(2026, 11, 25, 19, 5, tzinfo=UTC)
ID = ScheduleId("riverside", "grades")
HOLD = Block("hold", "held by dana until resumed: SIS upgrade", "GS-707")
BREAKER = Block("breaker", "breaker open", "GS-711")
BLACKOUT = Block("blackout", "blackout Summer", "GS-605")
PAUSED = Block("paused", "paused in its YAML file", "GS-707")


def a_run(outcome: Outcome, hours_ago: float = 1, name: str = "grades", **result: object) -> Run:
    at = NOW - timedelta(hours=hours_ago)
    return Run(
        f"{name}-{hours_ago}",
        ScheduleId("riverside", name),
        SyncType.GRADE_PASSBACK,
        at.isoformat(),
        at,
        Trigger.SLOT,
        Mode.DELTA,
        SCHEDULER,
        RunState.ENDED,
        at,
        started_at=at,
        ended_at=at,
        result=RunResult(outcome, Stage.RECORD, **result),  # type: ignore[arg-type]  # counts and codes by name
    )


def a_row(name: str = "grades", outcome: Outcome | None = Outcome.COMPLETED, **more: object) -> ScheduleRow:
    schedule = Schedule(ScheduleId("riverside", name), SyncType.GRADE_PASSBACK, "hourly", "UTC")
    row = ScheduleRow(
        schedule,
        next_run_at=NOW + timedelta(hours=1),
        first_ran_at=None,
        blocks=(),
        last=None if outcome is None else a_run(outcome, name=name),
        running=None,
    )
    return replace(row, **more)  # type: ignore[arg-type]  # fields of the row by name


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (a_row(), Word.OK),
        (a_row(outcome=None), Word.NEW),
        (a_row(outcome=None, next_run_at=None), Word.OK),
        (a_row(outcome=Outcome.WARNING), Word.WAITING),
        (a_row(outcome=Outcome.STOPPED), Word.OK),
        (a_row(outcome=Outcome.FAILED), Word.FAILING),
        (a_row(outcome=Outcome.ABANDONED), Word.FAILING),
        (a_row(blocks=(BREAKER,)), Word.FAILING),
        (a_row(blocks=(BLACKOUT,)), Word.HELD),
        (a_row(outcome=Outcome.FAILED, blocks=(HOLD, BREAKER)), Word.HELD),
        (a_row(outcome=Outcome.FAILED, blocks=(PAUSED,)), Word.PAUSED),
        (a_row(waiting={"GS-405": 3}), Word.WAITING),
        (a_row(waiting={"GS-411": 3}), Word.OK),
        (a_row(next_run_at=NOW - LATE_AFTER - timedelta(minutes=1)), Word.LATE),
        (a_row(next_run_at=NOW - LATE_AFTER + timedelta(minutes=1)), Word.OK),
    ],
)
def test_a_schedule_has_one_word(row: ScheduleRow, word: Word) -> None:
    assert word_of(row, NOW) is word


def test_a_schedule_that_waits_for_a_run_at_work_is_not_late() -> None:
    lease = Lease("riverside", 1, "r", "sam", NOW, NOW)
    assert word_of(a_row(next_run_at=NOW - timedelta(hours=2), running=lease), NOW) is Word.OK


@given(st.lists(st.sampled_from(list(Outcome)), max_size=5), st.integers(0, 3))
def test_the_account_s_word_is_the_worst_of_those_that_are_not_paused(
    outcomes: list[Outcome], paused: int
) -> None:
    rows = [a_row(f"s{n}", outcome) for n, outcome in enumerate(outcomes)]
    rows += [a_row(f"p{n}", Outcome.FAILED, blocks=(PAUSED,)) for n in range(paused)]
    word = standing_of(rows, [], (), NOW).word
    if not outcomes:
        assert word is Word.PAUSED
    else:
        ranks = [WORST_FIRST[word_of(row, NOW)] for row in rows[: len(outcomes)]]
        assert WORST_FIRST[word] == min(ranks)


def test_an_account_in_which_nothing_ran_is_not_told_to_be_well_and_a_new_schedule_spoils_no_other() -> None:
    new = a_row("new", outcome=None)
    assert standing_of([new], [], (), NOW).word is Word.NEW
    assert standing_of([new, a_row()], [], (), NOW).word is Word.OK
    assert standing_of([new, a_row(outcome=Outcome.FAILED)], [], (), NOW).word is Word.FAILING


def test_failing_since_the_first_failure_of_the_unbroken_row() -> None:
    runs = [
        a_run(Outcome.FAILED, 1),
        a_run(Outcome.COMPLETED, 1.5, name="other"),
        a_run(Outcome.FAILED, 2),
        a_run(Outcome.COMPLETED, 3),
        a_run(Outcome.FAILED, 4),
    ]
    found = standing_of([a_row(outcome=Outcome.FAILED)], [line_of(run) for run in runs], (), NOW)
    assert found.since == NOW - timedelta(hours=2)
    assert found.last_good_at == NOW - timedelta(hours=1.5)


def test_a_run_that_was_skipped_or_stopped_does_not_end_the_row_of_failures() -> None:
    runs = [a_run(Outcome.SKIPPED, 1), a_run(Outcome.FAILED, 2), a_run(Outcome.STOPPED, 3)]
    runs += [a_run(Outcome.FAILED, 4), a_run(Outcome.COMPLETED, 5)]
    row = replace(a_row(outcome=Outcome.FAILED), last=runs[1])
    found = standing_of([row], [line_of(run) for run in runs], (), NOW)
    assert (found.word, found.since) == (Word.FAILING, NOW - timedelta(hours=4))


def test_held_since_the_oldest_hold() -> None:
    since = NOW - timedelta(days=3)
    assert standing_of([a_row(blocks=(HOLD,))], [], (), NOW, held_since=since).since == since


def test_waiting_since_the_oldest_record_that_needs_a_person() -> None:
    began = {"GS-405": NOW - timedelta(days=2), "GS-411": NOW - timedelta(days=9)}
    row = a_row(waiting={"GS-405": 1, "GS-411": 4}, waiting_since=began)
    assert standing_of([row], [], (), NOW).since == NOW - timedelta(days=2)


def test_what_a_person_must_act_on_is_named_before_larger_numbers_of_the_rest() -> None:
    row = a_row(waiting={"GS-411": 900, "GS-405": 2, "GS-401": 7, "GS-413": 5, "GS-404": 4})
    causes = standing_of([row], [], (), NOW).causes
    assert causes == (("GS-401", 7), ("GS-413", 5), ("GS-404", 4))
    assert len(causes) == TOP


def test_whoever_must_act_finds_what_to_do_however_many_records_others_have() -> None:
    grades = a_row(waiting={"GS-401": 70, "GS-413": 50, "GS-404": 40})
    roster = a_row("roster", last=a_run(Outcome.WARNING, codes={"GS-626": 1}))
    found = standing_of([grades, roster], [], (), NOW)
    assert found.causes == (("GS-401", 70), ("GS-413", 50), ("GS-626", 1))


def test_records_that_the_run_met_and_that_wait_are_not_counted_twice() -> None:
    last = a_run(Outcome.WARNING, codes={"GS-405": 3})
    row = a_row(last=last, waiting={"GS-405": 5})
    assert standing_of([row, a_row("second", waiting={"GS-405": 5})], [], (), NOW).causes == (("GS-405", 5),)


def test_a_roster_import_s_rows_count_once() -> None:
    result = RunResult(Outcome.COMPLETED, Stage.RECORD, {"sent": 1183, "imported": 1183, "users": 136})
    assert tally_of([result]).ok == 1183


def test_nothing_starts_by_itself_while_everything_is_blocked() -> None:
    assert standing_of([a_row(blocks=(HOLD,))], [], (), NOW).next_at is None


@given(
    st.dictionaries(st.sampled_from(sorted(CODES)), st.integers(0, 50), max_size=8), st.sampled_from(Outcome)
)
def test_every_account_has_a_standing_whatever_its_codes(codes: dict[str, int], outcome: Outcome) -> None:
    row = a_row(last=a_run(outcome, codes=codes), waiting=codes)
    found = standing_of([row], [line_of(row.last)] if row.last else [], ("teacher",), NOW)
    assert len(found.causes) <= TOP
    assert all(number > 0 for _, number in found.causes)


@given(st.integers(0, 10**9))
def test_a_bucket_never_tells_one_number_from_its_neighbours_but_at_the_edges(number: int) -> None:
    assert bucket(number) in ("0", "1-9", "10-99", "100+")
    assert (bucket(number) == bucket(number + 1)) == (number not in (0, 9, 99))


def test_a_paused_schedule_s_state_stands_in_its_file() -> None:
    schedule = Schedule(ID, SyncType.GRADE_PASSBACK, "hourly", "UTC", state=State.PAUSED)
    assert word_of(a_row(schedule=schedule, blocks=(PAUSED,)), NOW) is Word.PAUSED
