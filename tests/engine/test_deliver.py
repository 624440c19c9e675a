"""A run that a queue brings: carried out when it is its turn, and left alone, without an error, when it is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.report import RunEnd
from gradesync.domain.run import Actor, Claimed, Headway, Outcome, Run, RunState
from gradesync.engine.passing import PassState
from gradesync.engine.runs import deliver
from gradesync.engine.slots import queue_due
from tests.engine.district import GRADES, OTHER, District


def queued() -> tuple[District, Run]:
    """A district whose first slot was claimed and left to workers."""
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    queue_due(PassState(district.tools, None))
    [run] = [run for run in district.runs() if run.state is RunState.QUEUED]
    return district, run


def delivered(district: District, run: Run) -> RunEnd | None:
    return asyncio.run(deliver(district.tools, run.id))


def state(district: District, run: Run) -> RunState:
    return next(one.state for one in district.runs() if one.id == run.id)


def test_a_run_is_carried_out_once_however_often_it_is_brought() -> None:
    district, run = queued()
    end = delivered(district, run)
    assert end is not None
    assert end.result is not None
    assert (end.result.outcome, end.result.counts["sent"]) == (Outcome.COMPLETED, 6)
    assert delivered(district, run) is None
    assert len(district.history("run ended")) == 1


def test_a_run_nobody_knows_is_nothing_to_do() -> None:
    district, run = queued()
    assert delivered(district, replace(run, id="another")) is None


def test_a_busy_account_leaves_the_run_queued() -> None:
    district, run = queued()
    other = replace(run, id="other", slot_key="manual:other")
    assert district.store.add_run(other)
    assert isinstance(district.store.claim(other.id, OTHER, 60), Claimed)
    assert delivered(district, run) is None
    assert state(district, run) is RunState.QUEUED


def test_a_hold_that_came_since_consumes_the_slot() -> None:
    district, run = queued()
    now = district.store.now()
    scope = HoldScope(account=GRADES.account)
    district.store.add_hold(
        Hold("h1", scope, Actor("sam", "OS user"), "roster looks wrong", now, None, HoldKind.OPERATOR), []
    )
    assert delivered(district, run) is None
    assert state(district, run) is RunState.ENDED
    assert not district.school.grades()


def test_a_process_that_is_asked_to_end_begins_nothing() -> None:
    district, run = queued()
    district.tools = replace(district.tools, halted=lambda: True)
    assert delivered(district, run) is None
    assert state(district, run) is RunState.QUEUED
    assert district.reconcile().left == 1


def test_a_run_is_handed_back_at_a_class_boundary_without_losing_an_attempt() -> None:
    district, run = queued()
    asked: list[bool] = []

    def halted() -> bool:
        asked.append(True)
        return len(asked) > 1  # begun, and asked to end before its first class

    district.tools = replace(district.tools, halted=halted)
    end = delivered(district, run)
    assert end is not None
    assert end.result is None
    assert "handed back" in str(end.problem)
    assert state(district, run) is RunState.QUEUED
    assert district.store.leases() == []
    assert district.history("run abandoned") == []
    district.tools = replace(district.tools, halted=lambda: False)
    again = delivered(district, run)
    assert again is not None
    assert again.result is not None
    assert again.result.counts["sent"] == 6


def test_whoever_looks_sees_how_far_a_run_has_come() -> None:
    district, run = queued()
    district.tools = replace(district.tools, lease_seconds=0.4)
    seen: list[Headway | None] = []
    put = district.school.sis.put_result

    async def slow(*args: object, **more: object) -> str:
        for _ in range(60):
            await asyncio.sleep(0.05)
            found = [lease.headway for lease in district.store.leases()]
            if found and found[0] is not None:
                seen.append(found[0])
                break
        return await put(*args, **more)  # type: ignore[arg-type]  # passed on as it came

    district.school.sis.put_result = slow  # type: ignore[method-assign]  # a SIS that takes its time
    delivered(district, run)
    assert seen
    assert seen[0] is not None
    assert seen[0].stage
