"""A wish is forgotten after a day and can be taken back, wherever it waits: before the queue or in it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gradesync.domain.hold import HoldScope
from gradesync.domain.run import Claimed, Mode, Outcome, Run, RunState, Trigger
from gradesync.engine.control import place_hold
from gradesync.engine.requests import Withdrawn, request_run, withdraw_request
from gradesync.engine.runs import deliver
from gradesync.errors import Blocked
from tests.engine.district import GRADES, OTHER, District
from tests.engine.test_pass import finish, queue_while_busy

HERE = HoldScope("riverside", "grades")


def queued_and_held(district: District, *, waited: float = 0) -> None:
    """A request became a queued run while the account was busy; then a hold came over it."""
    district.reconcile(district.tree(interval="weekly on Sunday at 03:00"))
    request_run(district.tools, GRADES, Mode.DELTA, None)
    district.later(waited)
    claimed = queue_while_busy(district)
    district.reconcile()
    finish(district, claimed)
    place_hold(district.tools, HERE, "SIS upgrade", timedelta(days=20))


def asked(district: District) -> Run:
    [run] = [run for run in district.runs() if run.trigger is Trigger.REQUEST]
    return run


def ends(district: District) -> list[tuple[str | None, object]]:
    return [(e.fact.run_id, e.fact.data["why"]) for e in district.history("run skipped")]


def test_a_queued_request_that_stays_blocked_ends_after_a_day() -> None:
    district = District()
    queued_and_held(district)
    district.later(23 * 60)
    district.reconcile()
    assert asked(district).state is RunState.QUEUED
    district.later(2 * 60)
    district.reconcile()
    run = asked(district)
    assert run.result is not None
    assert run.result.outcome is Outcome.SKIPPED
    assert ends(district) == [(run.id, "it was asked for more than 24 hours ago, and could not start since")]


def test_the_day_counts_from_the_wish_and_not_from_the_queue() -> None:
    district = District()
    queued_and_held(district, waited=20 * 60)
    district.later(5 * 60)
    district.reconcile()
    assert asked(district).state is RunState.ENDED


def test_a_worker_does_not_start_a_request_that_is_too_old() -> None:
    district = District()
    queued_and_held(district)
    district.later(25 * 60)
    assert asyncio.run(deliver(district.tools, asked(district).id)) is None
    assert asked(district).state is RunState.ENDED
    assert len(ends(district)) == 1


def test_a_queued_request_is_withdrawn_and_history_says_who_did_it() -> None:
    district = District()
    queued_and_held(district)
    assert withdraw_request(district.tools, GRADES) is Withdrawn.QUEUED
    run = asked(district)
    assert run.state is RunState.ENDED
    [told] = district.history("request withdrawn")
    assert (told.fact.actor.name, told.fact.run_id) == ("alex", run.id)
    assert ends(district) == [(run.id, "its request was withdrawn")]
    assert withdraw_request(district.tools, GRADES) is Withdrawn.NONE


def test_a_request_that_has_begun_is_not_withdrawn() -> None:
    district = District()
    queued_and_held(district)
    assert isinstance(district.store.claim(asked(district).id, OTHER, 3600), Claimed)
    assert withdraw_request(district.tools, GRADES) is Withdrawn.NONE
    assert asked(district).state is RunState.RUNNING


def test_one_request_waits_at_a_time_in_the_queue_too() -> None:
    district = District()
    queued_and_held(district)
    with pytest.raises(Blocked, match="waits already"):
        request_run(district.tools, GRADES, Mode.DELTA, None)
    withdraw_request(district.tools, GRADES)
    request_run(district.tools, GRADES, Mode.DELTA, None)
