"""Requests: durable wishes that a schedule run at the next pass, left, found and taken back.

A wish lives until it has begun to run, is withdrawn, or is a day old, wherever it waits: kept as such, or as the
queued run a pass has made of it. `slots` makes that run and forgets the old ones.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from uuid import uuid4

from gradesync.domain.history import Fact
from gradesync.domain.hold import Request
from gradesync.domain.run import Mode, Outcome, Run, RunState, Trigger
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.control import find_account
from gradesync.engine.runner import queued_run
from gradesync.engine.slots import too_old
from gradesync.engine.tools import Tools
from gradesync.errors import Blocked
from gradesync.ports import RunQuery


class Withdrawn(Enum):
    """What became of a request that somebody took back."""

    WAITED = "it waited for the next pass"
    QUEUED = "its run waited in the queue, and is ended as skipped"
    BEGUN = "its run has begun"
    NONE = "there was none"


def request_run(tools: Tools, schedule: ScheduleId, mode: Mode, reason: str | None) -> Request:
    """Leave a wish for the next pass. Raises NotFound, Blocked when one waits already."""
    target = find_account(tools, schedule.account)
    now = tools.store.now()
    # Built for its check of the schedule's name: a request for nothing would wait for ever.
    queued_run(
        target.account,
        schedule.name,
        slot_key="check",
        slot_at=None,
        trigger=Trigger.REQUEST,
        mode=mode,
        actor=tools.actor,
        now=now,
    )
    waiting = _queued_request(tools, schedule)
    if waiting is not None and not too_old(waiting, now):
        raise Blocked(
            f"a request for {schedule} waits already, as queued run {waiting.id}",
            hint=f"gradesync show {schedule} tells what keeps it; --withdraw takes it back",
        )
    request = Request(uuid4().hex, schedule, tools.actor, mode, now, reason)
    fact = Fact(
        "run requested",
        tools.actor,
        schedule.account,
        schedule.name,
        data={"mode": mode.value, **({"reason": reason} if reason else {})},
    )
    if not tools.store.add_request(request, [fact]):
        raise Blocked(f"a request for {schedule} waits already", hint="it is taken up by the next pass")
    return request


def withdraw_request(tools: Tools, schedule: ScheduleId) -> Withdrawn:
    """Take a wish back, also when a pass has queued it already; what has begun takes `stop`."""
    told = Fact("request withdrawn", tools.actor, schedule.account, schedule.name)
    if tools.store.withdraw_request(schedule, [told]):
        return Withdrawn.WAITED
    run = _queued_request(tools, schedule)
    if run is None:
        return Withdrawn.NONE
    skipped = Fact(
        "run skipped",
        tools.actor,
        schedule.account,
        schedule.name,
        run.id,
        {"why": "its request was withdrawn"},
    )
    tools.store.skip_runs([run.id], [replace(told, run_id=run.id), skipped])
    [now] = tools.store.runs(RunQuery(run_id=run.id, limit=1))
    ended = now.result is not None and now.result.outcome is Outcome.SKIPPED
    return Withdrawn.QUEUED if ended else Withdrawn.BEGUN


def _queued_request(tools: Tools, schedule: ScheduleId) -> Run | None:
    """The schedule's request that a pass has queued and nobody has begun."""
    for run in tools.store.queued_runs([schedule.account]):
        if (run.schedule, run.trigger, run.state) == (schedule, Trigger.REQUEST, RunState.QUEUED):
            return run
    return None


__all__ = ["Withdrawn", "request_run", "withdraw_request"]
