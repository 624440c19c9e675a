"""The breaker opens after five failures in a row or at once on a dead key, and says so once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.breaker import (
    BREAKER,
    DEAD_KEYS,
    EARLY,
    FAILURES,
    TRIAL_EVERY,
    Opening,
    closes,
    opening,
    trial_due,
    without_trials,
)
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.run import SCHEDULER, Mode, Outcome, Run, RunResult, RunState, Stage, Trigger
from gradesync.domain.schedule import ScheduleId, SyncType

T0 = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
GRADES = ScheduleId("riverside", "grades")
OUTCOMES = st.lists(st.sampled_from(list(Outcome)), max_size=12)


def result(outcome: Outcome, *codes: str) -> RunResult:
    return RunResult(outcome, Stage.FETCH, codes=dict.fromkeys(codes, 1))


def run(minutes: int = 0, ended: RunResult | None = None, trigger: Trigger = Trigger.SLOT) -> Run:
    return Run(
        id=f"{minutes}",
        schedule=GRADES,
        type=SyncType.GRADE_PASSBACK,
        slot_key=f"{minutes}",
        slot_at=None,
        trigger=trigger,
        mode=Mode.DELTA,
        actor=SCHEDULER,
        state=RunState.ENDED,
        created_at=T0 + timedelta(minutes=minutes),
        result=ended,
    )


def newest_first(outcomes: Sequence[Outcome]) -> list[Run]:
    return [run(at, result(outcome)) for at, outcome in enumerate(outcomes)][::-1]


def opened(outcomes: Sequence[Outcome], since: datetime | None = None) -> Opening | None:
    """What a sixth failed run opens after the given ends, oldest first."""
    return opening(
        run(99), result(Outcome.FAILED, "GS-503"), newest_first(outcomes), since, roster_from_files=False
    )


@given(outcomes=OUTCOMES)
def test_it_opens_exactly_after_five_failures_that_nothing_that_worked_parts(outcomes: list[Outcome]) -> None:
    row = 1
    for outcome in reversed(outcomes):
        if outcome in (Outcome.COMPLETED, Outcome.WARNING):
            break
        row += outcome in (Outcome.FAILED, Outcome.ABANDONED)
    found = opened(outcomes)
    assert (found is not None) == (row >= FAILURES)
    if found is not None:
        assert (found.scope, found.code) == (HoldScope("riverside", "grades"), "GS-503")


def test_failures_before_somebody_resumed_do_not_count() -> None:
    four = [Outcome.FAILED] * 4
    assert opened(four) is not None
    assert opened(four, since=T0 + timedelta(minutes=1)) is None


def test_a_person_who_tries_again_and_again_opens_nothing_and_a_success_by_hand_counts() -> None:
    by_hand = [run(at, result(Outcome.FAILED), Trigger.BY_HAND) for at in range(9)]
    failed = result(Outcome.FAILED, "GS-503")
    assert opening(run(99), failed, by_hand, None, roster_from_files=False) is None
    ends = newest_first([Outcome.FAILED] * 9)
    assert opening(run(99, trigger=Trigger.BY_HAND), failed, ends, None, roster_from_files=False) is None
    worked = run(50, result(Outcome.COMPLETED), Trigger.BY_HAND)
    assert opening(run(99), failed, [worked, *ends], None, roster_from_files=False) is None


@pytest.mark.parametrize(
    ("code", "files", "type"),
    [
        ("GS-201", False, None),
        ("GS-202", False, None),
        ("GS-202", True, SyncType.GRADE_PASSBACK),
        ("GS-210", True, SyncType.ROSTER_IMPORT),
    ],
)
def test_a_dead_key_opens_at_once_for_whoever_uses_it(code: str, files: bool, type: SyncType | None) -> None:
    found = opening(run(), result(Outcome.FAILED, code), [], None, roster_from_files=files)
    assert found is not None
    assert (found.scope, found.code) == (HoldScope("riverside", type=type), code)
    assert found.reason == DEAD_KEYS[code]


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.FAILED])
def test_nothing_but_a_failure_opens_it(outcome: Outcome) -> None:
    ends = newest_first([Outcome.FAILED] * 9)
    assert opening(run(99), result(outcome), ends, None, roster_from_files=False) is None


def test_a_run_that_worked_closes_it_and_one_that_was_stopped_does_not() -> None:
    assert closes(result(Outcome.COMPLETED))
    assert closes(result(Outcome.WARNING, "GS-401"))
    assert not closes(result(Outcome.WARNING, "GS-202"))
    assert not any(closes(result(o)) for o in (Outcome.STOPPED, Outcome.SKIPPED, Outcome.FAILED))


def breaker(tried: timedelta | None = None) -> Hold:
    at = None if tried is None else T0 + tried
    scope = HoldScope("riverside")
    return Hold("h", scope, BREAKER, "x", T0, None, HoldKind.BREAKER, mark="m", code="GS-202", tried_at=at)


def test_one_run_an_hour_is_let_through_and_one_at_once_when_the_definition_changed() -> None:
    assert not trial_due(breaker(), "m", T0 + timedelta(minutes=54))
    assert trial_due(breaker(), "m", T0 + TRIAL_EVERY - EARLY)
    assert trial_due(breaker(), "renewed", T0 + timedelta(minutes=1))
    assert not trial_due(breaker(timedelta(hours=1)), "m", T0 + timedelta(minutes=114))
    assert trial_due(breaker(timedelta(hours=1)), "m", T0 + timedelta(hours=2))


def test_only_runs_queued_at_the_trial_or_after_it_pass_the_breaker() -> None:
    tried = breaker(timedelta(minutes=60))
    assert without_trials([tried], run(60)) == ()
    assert without_trials([tried], run(59)) == (tried,)
    assert without_trials([breaker()], run(600)) == (breaker(),)
