"""What a run's end means to a person, and the exit code of a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gradesync.domain.action import Action, ActionKind, Plan
from gradesync.domain.problem import CODES, Place, Problem
from gradesync.domain.report import PassReport, RunEnd, exit_code_of
from gradesync.domain.run import (
    SCHEDULER,
    Lease,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
    outcome_of,
)
from gradesync.domain.saved_plan import StaleAction
from gradesync.domain.schedule import ScheduleId, SyncType

AT = datetime(2026, 10, 6, 14, tzinfo=UTC)
RUN = Run(
    id="1",
    schedule=ScheduleId("r", "grades"),
    type=SyncType.GRADE_PASSBACK,
    slot_key="x",
    slot_at=AT,
    trigger=Trigger.SLOT,
    mode=Mode.DELTA,
    actor=SCHEDULER,
    state=RunState.ENDED,
    created_at=AT,
)


def result(outcome: Outcome, **codes: int) -> RunResult:
    return RunResult(outcome, Stage.RECORD, {}, {code.replace("_", "-"): n for code, n in codes.items()})


def end(now: RunResult | None, before: RunResult | None = None, **known: int) -> RunEnd:
    return RunEnd(RUN, now, before, {code.replace("_", "-"): n for code, n in known.items()})


def report(*ends: RunEnd, **more: Any) -> PassReport:
    usual = PassReport(AT, None, (), 0, (), ends, (), {}, {}, None)
    return replace(usual, **more)


WARNING = result(Outcome.WARNING, GS_401=2)
FAILED = result(Outcome.FAILED, GS_202=1)


@pytest.mark.parametrize(
    ("one", "news"),
    [
        (end(None), False),
        (end(result(Outcome.COMPLETED)), False),
        (end(result(Outcome.STOPPED)), False),
        (end(WARNING), True),
        (end(WARNING, WARNING), False),
        (end(WARNING, None, GS_401=2), False),
        (end(WARNING, None, GS_401=1), True),
        (end(result(Outcome.WARNING, GS_401=1), WARNING), False),
        (end(result(Outcome.WARNING, GS_401=3), WARNING), True),
        (end(result(Outcome.WARNING, GS_401=2, GS_405=1), WARNING), True),
        (end(result(Outcome.WARNING, GS_401=2, GS_411=9), WARNING), False),
        (end(FAILED), True),
        (end(FAILED, WARNING), True),
        (end(FAILED, FAILED), False),
        (end(result(Outcome.FAILED, GS_508=1), FAILED), True),
        (end(WARNING, FAILED), True),
    ],
)
def test_only_what_a_person_has_not_been_told_is_news(one: RunEnd, news: bool) -> None:
    assert one.new_or_worse is news


STALE = StaleAction("a", "b", "change", recorded=True)
PROBLEM = Problem("GS-102", "x", Place("a.yaml"))
HELD = Plan(actions=(), withheld=(Action(ActionKind.RETIRE, "a", "b", "why"),))


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (report(), 0),
        (report(end(result(Outcome.COMPLETED))), 0),
        (report(end(WARNING)), 3),
        (report(problems=(PROBLEM,)), 1),
        (report(problems=(replace(PROBLEM, warning=True),)), 0),
        (report(raced=("a",)), 1),
        (report(stale_commit="abc"), 1),
        (report(plan=HELD), 5),
        (report(end(WARNING), plan=HELD, problems=(PROBLEM,)), 5),
        (report(end(WARNING), problems=(PROBLEM,)), 1),
        (report(plan=HELD, interrupted=True), 130),
        (report(plan=HELD, stale=(STALE,), problems=(PROBLEM,)), 6),
        (report(plan=HELD, stale=(STALE,), interrupted=True), 130),
    ],
)
def test_the_exit_code_is_the_gravest_thing_that_happened(one: PassReport, code: int) -> None:
    assert exit_code_of(one) == code


def test_a_busy_account_is_an_answer_only_to_whoever_asked_for_that_one() -> None:
    busy = (Lease("r", 1, "run", "somebody", AT, AT),)
    waiting = report(end(WARNING), busy=busy)
    assert [exit_code_of(waiting, asked=name) for name in (None, "r", "other")] == [3, 4, 3]
    assert exit_code_of(replace(waiting, problems=(PROBLEM,)), asked="r") == 1


def test_fail_on_chooses_whether_old_trouble_counts() -> None:
    old = report(end(WARNING, WARNING))
    assert [exit_code_of(old, fail_on) for fail_on in ("new", "any", "none")] == [0, 3, 0]
    assert exit_code_of(report(end(FAILED)), "none") == 0


def test_what_rests_behind_a_breaker_is_nothing_new_but_still_trouble() -> None:
    resting = report(resting=("riverside",))
    assert [exit_code_of(resting, fail_on) for fail_on in ("new", "any", "none")] == [0, 3, 0]


def test_a_pass_in_which_no_run_could_have_its_key_is_red_whatever_runs_are_told() -> None:
    keyless = report(end(WARNING), no_key="the key is gone")
    assert [exit_code_of(keyless, fail_on) for fail_on in ("new", "any", "none")] == [1, 1, 1]
    assert exit_code_of(replace(keyless, plan=HELD)) == 5


def test_a_run_is_a_warning_exactly_when_a_person_or_we_must_act() -> None:
    for code, entry in CODES.items():
        expected = Outcome.WARNING if entry.act.value in ("person", "bug") else Outcome.COMPLETED
        assert outcome_of({code: 1}) is expected
        assert outcome_of({code: 0}) is Outcome.COMPLETED


@pytest.mark.parametrize("word", ["sent", "line items sent", "would send", "withheld", "refused", "imported"])
def test_a_run_that_changed_or_held_anything_back_is_history(word: str) -> None:
    assert not RunResult(Outcome.COMPLETED, Stage.RECORD, {word: 1}).did_nothing
    assert RunResult(Outcome.COMPLETED, Stage.RECORD, {word: 0, "unchanged": 9}).did_nothing
    assert not RunResult(Outcome.WARNING, Stage.RECORD, {}).did_nothing
