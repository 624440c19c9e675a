"""Holds and breakers through whole passes, on memory, SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.run import SCHEDULER, Claimed, Mode, Outcome, RunState, Trigger
from gradesync.engine.control import place_hold, release
from gradesync.engine.passing import PassState
from gradesync.engine.runner import effective, queued_run
from gradesync.engine.slots import queue_due
from gradesync.engine.stopping import stop_account, stop_covered, stop_run
from gradesync.ports import RunQuery, Store
from gradesync.store.verify import verify_history
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import GRADES, OTHER, District
from tests.engine.test_breakers import broken, outcomes, passes
from tests.store.samples import FakeClock

HERE = HoldScope("riverside", "grades")


class Town(District):
    """The district on one of the stores, whose clock is the school's."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        super().__init__()
        self.store = store  # type: ignore[assignment]  # of any kind
        self.tools = replace(self.tools, store=store)
        self.clock = clock
        clock.at = self.school.now

    def later(self, minutes: float = 15) -> None:
        super().later(minutes)
        self.clock.at = self.school.now


@pytest.fixture
def town(store: Store, clock: FakeClock) -> Town:
    made = Town(store, clock)
    made.reconcile(made.tree())
    return made


def in_force(town: Town) -> list[Hold]:
    return list(town.store.holds(town.store.now()))


def test_a_dead_key_is_told_once_and_closes_when_it_works(town: Town) -> None:
    with broken(town, "GS-202"):
        assert passes(town, 150) == ["failed"] * 3
    assert [hold.kind for hold in in_force(town)] == [HoldKind.BREAKER]
    assert passes(town, 45) == ["completed"]
    assert in_force(town) == []
    whats = [e.fact.what for e in town.history() if e.fact.what.startswith("breaker")]
    assert whats == ["breaker opened", "breaker closed"]
    assert list(verify_history(town.store)) == []


def test_a_hold_goes_with_its_schedule_and_its_end_is_told(town: Town) -> None:
    place_hold(town.tools, HERE, "SIS upgrade", timedelta(minutes=50))
    made = account("riverside", {"hourly": schedule()}, scope={"terms": "all"})
    town.later(15)
    town.reconcile(desired(replace(made, moved={"grades": "hourly"})))
    assert [hold.scope.schedule for hold in in_force(town)] == ["hourly"]
    town.later(30)
    assert outcomes(town.reconcile()) == []
    town.later(6)
    assert outcomes(town.reconcile()) == []
    assert in_force(town) == []
    assert len(town.history("hold expired")) == 1
    assert passes(town, 15) == ["completed"]


def test_a_hold_until_changed_ends_with_the_change(town: Town) -> None:
    place_hold(town.tools, HERE, "wrong map", None, until_changed=True)
    town.reconcile(town.tree())
    assert len(in_force(town)) == 1
    changed = account(
        "riverside", {"grades": schedule()}, scope={"terms": "all"}, passback={"excused": "exempt"}
    )
    town.reconcile(desired(changed))
    assert in_force(town) == []
    assert passes(town, 15) == ["completed"]


def test_a_person_resumes_what_the_breaker_stopped(town: Town) -> None:
    with broken(town, "GS-503"):
        passes(town, 75)
    (hold,) = in_force(town)
    assert [one.id for one in release(town.tools, HoldScope("riverside")).released] == [hold.id]
    assert passes(town, 15) == ["completed"]


def test_stopping_an_account_ends_what_is_queued_and_asks_what_runs(town: Town) -> None:
    town.later(15)
    town.reconcile(run_syncs=False)
    target = effective(town.store.recorded(["riverside"]).accounts["riverside"])
    runs = [
        queued_run(
            target.account,
            GRADES.name,
            slot_key=f"{number}",
            slot_at=None,
            trigger=Trigger.REQUEST,
            mode=Mode.DELTA,
            actor=SCHEDULER,
            now=town.store.now(),
        )
        for number in range(3)
    ]
    for run in runs:
        assert town.store.add_run(run)
    claimed = town.store.claim(runs[0].id, OTHER, 60)
    assert isinstance(claimed, Claimed)
    stopped = stop_account(town.tools, "riverside", "wrong term")
    assert {one.run.id: one.holder for one in stopped} == {
        runs[0].id: OTHER.name,
        runs[1].id: None,
        runs[2].id: None,
    }
    assert not town.store.renew("riverside", claimed.epoch, 60)
    assert [e.fact.run_id for e in town.history("stop asked")] == [runs[0].id]
    told = [e.fact for what in ("stop asked", "run stopped") for e in town.history(what)]
    assert len(told) == 3
    assert {(fact.actor.name, fact.data["reason"]) for fact in told} == {("alex", "wrong term")}
    assert stop_account(town.tools, "riverside", "again") == ()
    # Its process dies before it hears of it: whoever looks next ends it.
    town.later(5)
    town.reconcile()
    (ended,) = town.store.runs(RunQuery(run_id=runs[0].id))
    assert ended.state is RunState.ENDED
    assert ended.result is not None
    assert ended.result.outcome is Outcome.STOPPED


def test_a_run_whose_holder_is_gone_ends_at_once(town: Town) -> None:
    town.later(15)
    queue_due(PassState(town.tools, None))
    (run,) = town.store.queued_runs()
    claimed = town.store.claim(run.id, OTHER, 60)
    assert isinstance(claimed, Claimed)
    town.later(5)
    stopped = stop_run(town.tools, run.id, "not tonight")
    assert stopped.holder is None
    (ended,) = town.store.runs(RunQuery(run_id=run.id))
    assert ended.result is not None
    assert ended.result.outcome is Outcome.STOPPED
    assert town.store.leases() == []


def test_a_run_that_slips_past_a_hold_being_placed_is_stopped_too(town: Town) -> None:
    town.later(15)
    queue_due(PassState(town.tools, None))
    (run,) = town.store.queued_runs()
    claimed = []

    async def meanwhile(_: float) -> None:
        """It had looked for holds just before this one was placed, and is claimed just after."""
        claimed.append(town.store.claim(run.id, OTHER, 60))

    place_hold(town.tools, HERE, "leaked key", None)
    tools = replace(town.tools, sleep=meanwhile)
    stopped = asyncio.run(stop_covered(tools, HERE, "leaked key"))
    assert [one.run.id for one in stopped] == [run.id]
    (answer,) = claimed
    assert isinstance(answer, Claimed)
    assert not town.store.renew("riverside", answer.epoch, 60)
    assert asyncio.run(stop_covered(tools, HoldScope("oak-hill"), "x")) == ()
