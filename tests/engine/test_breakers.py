"""Breakers at work: one alarm, no storm of failing runs, and a key that works again is noticed without a person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.report import PassReport
from gradesync.domain.run import Mode
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.control import ByHand, place_hold, release, run_by_hand
from gradesync.engine.requests import request_run
from gradesync.errors import Blocked, ConnectionProblem
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import GRADES, District

ACCOUNT = HoldScope(account="riverside")
HERE = HoldScope(account="riverside", schedule="grades")
SECOND = ScheduleId("riverside", "second")
TWO = {"second": schedule(posted_by="x")}


@contextmanager
def broken(district: District, code: str) -> Iterator[list[int]]:
    """The SIS refuses every question; the list counts how often it was asked."""
    sis = district.school.sis
    asked: list[int] = []
    whole = sis.identity

    async def refuse() -> str:
        asked.append(1)
        raise ConnectionProblem("no", code=code)

    sis.identity = refuse  # type: ignore[method-assign]  # this one object's
    try:
        yield asked
    finally:
        sis.identity = whole  # type: ignore[method-assign]  # as it was


def breakers(district: District) -> list[Hold]:
    now = district.store.now()
    return [hold for hold in district.store.holds(now) if hold.kind is HoldKind.BREAKER]


def outcomes(report: PassReport) -> list[str]:
    return [end.result.outcome.value for end in report.ends if end.result]


def passes(district: District, minutes: int) -> list[str]:
    """Passes every 15 minutes for so long; how their runs ended."""
    found: list[str] = []
    for _ in range(minutes // 15):
        district.later(15)
        found += outcomes(district.reconcile())
    return found


def test_a_dead_key_is_told_once_and_asked_once_an_hour() -> None:
    district = District()
    district.reconcile(district.tree(more=TWO))
    with broken(district, "GS-202") as asked:
        district.later(15)
        first = district.reconcile()
        assert outcomes(first) == ["failed"], "the second schedule uses the same key"
        assert set(first.blocked) == {SECOND}
        assert "breaker is open for riverside" in str(first.ends[0].hint)
        # A pass with nothing due would look like one where all is well.
        quiet = district.reconcile()
        assert (quiet.ends, quiet.resting) == ((), ("riverside",))
        assert passes(district, 6 * 60) == ["failed"] * 6
        assert len(asked) == 7
    assert [e.fact.data["code"] for e in district.history("breaker opened")] == ["GS-202"]
    (hold,) = breakers(district)
    assert (hold.scope, hold.code, hold.expires_at) == (ACCOUNT, "GS-202", None)


def test_a_key_that_works_again_closes_it_and_both_schedules_run() -> None:
    district = District()
    district.reconcile(district.tree(more=TWO))
    with broken(district, "GS-202"):
        assert passes(district, 30) == ["failed"]
    assert passes(district, 30) == []
    district.later(15)
    assert outcomes(district.reconcile()) == ["completed", "completed"]
    assert breakers(district) == []
    assert district.reconcile().resting == ()
    (closed,) = district.history("breaker closed")
    assert (closed.fact.actor.via, closed.fact.data["why"]) == ("breaker", "a run worked")
    assert passes(district, 15) == ["completed", "completed"]


def test_a_changed_reference_is_tried_at_the_next_slot() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-202"):
        passes(district, 15)
    assert passes(district, 15) == []
    schedules = {"grades": schedule()}
    sis = {"profile": "genesis", "url": "https://riverside.sis.example", "client_id": "env:ID"}
    renewed = account(
        "riverside", schedules, scope={"terms": "all"}, sis={**sis, "client_secret": "env:NEW_SECRET"}
    )
    district.later(15)
    assert outcomes(district.reconcile(desired(renewed))) == ["completed"]
    assert breakers(district) == []


def test_five_failures_in_a_row_open_the_schedules_own_breaker() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-503"):
        assert passes(district, 4 * 15) == ["failed"] * 4
        assert breakers(district) == []
        assert passes(district, 15) == ["failed"]
        (hold,) = breakers(district)
        assert (hold.scope, hold.code) == (HERE, "GS-503")
        assert passes(district, 4 * 60) == ["failed"] * 4
    assert len(district.history("breaker opened")) == 1
    assert passes(district, 60) == ["completed"]
    assert breakers(district) == []


def test_a_person_who_resumes_gets_five_tries_again() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-503"):
        passes(district, 5 * 15)
        assert [hold.scope for hold in release(district.tools, HERE).released] == [HERE]
        assert passes(district, 4 * 15) == ["failed"] * 4
        assert breakers(district) == []
        passes(district, 15)
        assert len(breakers(district)) == 1


def test_a_breaker_names_itself_and_a_person_may_go_over_it_by_name() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-202"):
        passes(district, 15)
    with pytest.raises(Blocked, match=r"breaker open since .*the SIS refuses our key \(GS-202\)"):
        asyncio.run(run_by_hand(district.tools, ByHand(GRADES, despite=frozenset({"hold"}), reason="x")))
    wish = ByHand(GRADES, despite=frozenset({"breaker"}), reason="the key was renewed")
    end = asyncio.run(run_by_hand(district.tools, wish))
    assert end.result is not None
    assert breakers(district) == [], "a run that works closes it, whoever started it"


def test_a_request_waits_behind_a_breaker() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-202"):
        passes(district, 15)
    request_run(district.tools, GRADES, Mode.DELTA, None)
    assert outcomes(district.reconcile()) == []
    assert passes(district, 60) == ["completed"]
    assert outcomes(district.reconcile()) == ["completed"]


def test_a_trial_is_not_spent_under_a_hold() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-202"):
        passes(district, 15)
    place_hold(district.tools, HERE, "roster looks wrong", None)
    assert passes(district, 90) == []
    release(district.tools, HERE)
    assert passes(district, 15) == ["completed"]


def test_two_breakers_over_one_schedule_are_tried_together() -> None:
    district = District()
    district.reconcile(district.tree())
    with broken(district, "GS-503"):
        passes(district, 5 * 15)
        assert len(breakers(district)) == 1
    with broken(district, "GS-202"):
        passes(district, 60)
        assert {hold.scope for hold in breakers(district)} == {HERE, ACCOUNT}
        assert passes(district, 120).count("failed") in (1, 2)
    assert "completed" in passes(district, 120)
    assert breakers(district) == []


@settings(max_examples=60, deadline=None)
@given(
    weather=st.lists(st.tuples(st.sampled_from(["fine", "GS-202", "GS-503"]), st.integers(1, 10)), max_size=6)
)
def test_whatever_comes_failures_are_few_alarms_fewer_and_a_sis_that_works_is_found(
    weather: list[tuple[str, int]],
) -> None:
    """Times of day in quarters of an hour, in which the SIS works, refuses the key, or is broken."""
    district = District()
    district.reconcile(district.tree(more=TWO))
    for code, quarters in [*weather, ("fine", 6)]:
        if code == "fine":
            passes(district, quarters * 15)
            continue
        with broken(district, code) as asked:
            passes(district, quarters * 15)
            # Five before each of two breakers opens, or one; then one an hour and schedule.
            assert len(asked) <= 10 + 2 * (1 + quarters // 4)
    # An hour and a half of a SIS that works leave nothing open, and everything runs.
    assert breakers(district) == []
    assert passes(district, 15) == ["completed", "completed"]
    opened, closed = (len(district.history(f"breaker {what}")) for what in ("opened", "closed"))
    assert opened == closed <= 3 * len(weather)
