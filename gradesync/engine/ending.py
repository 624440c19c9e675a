"""Writing down how a run ended: the row, its history entry, and the hold over a changed identity.

Nothing here syncs or decides an outcome; whatever happens, the end is written once and fenced by the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.report import RunEnd
from gradesync.domain.run import Actor, Claimed, Outcome, Run, RunResult, RunState, Trigger
from gradesync.engine.again import ask_again
from gradesync.engine.breakers import after_run
from gradesync.engine.lease import LeaseGuard
from gradesync.engine.tools import Tools
from gradesync.errors import GradesyncError, LeaseLost, StoreUnavailable
from gradesync.events import tell
from gradesync.ports import RunQuery

QUIET_LOOKBACK = 500
"""How many runs back a streak of uneventful runs is counted."""

STOP_ASKED = "stop asked"
"""The entry of a stop that a running sync has to hear of: it may end by itself before."""

FINISH_RETRY = 1.0
"""Seconds between two tries to write down a run's end while the database is away."""


async def finish(
    tools: Tools,
    claimed: Claimed,
    result: RunResult,
    problem: GradesyncError | None,
    guard: LeaseGuard,
) -> RunEnd:
    """Write the end down; a database that is away for a moment is waited for as long as the lease lasts."""
    run, hold_id, asked_before = claimed.run, uuid4().hex, False
    stop = _stop_of(tools, run) if result.outcome is Outcome.STOPPED else {}
    while True:
        try:
            if "GS-208" in result.codes:
                _hold_identity(tools, run, hold_id)
            facts = [] if _uneventful(run, result) else [_ended(tools, run, result, stop)]
            tools.store.finish(claimed, result, facts)
        except StoreUnavailable:
            if guard.left() <= 0:
                raise
            asked_before = True
            await tools.sleep(FINISH_RETRY)
        except LeaseLost:
            # After a lost answer this may be our own end, written before the connection broke.
            if not (asked_before and _has_ended(tools, claimed)):
                return RunEnd(run, None, problem="the lease was lost; another pass goes on")
            break
        else:
            break
    text, hint = (str(problem), problem.hint) if problem is not None else (None, None)
    if stop:
        text = f"stopped by {stop['stopped by']}: {stop['why']}"
    # What could not be told now is seen by the next run that fails.
    with suppress(StoreUnavailable):
        ask_again(tools, run, result)
        opened = after_run(tools, run, result)
        if opened is not None:
            hint = f"{hint}; {_opened(opened)}" if hint else _opened(opened)
            tell(
                "breaker.opened",
                "it failed too often and rests; one run an hour is let through",
                code=opened.code,
            )
    ended = replace(run, state=RunState.ENDED, ended_at=tools.store.now(), result=result)
    return RunEnd(ended, result, problem=text, hint=hint)


def _opened(breaker: Hold) -> str:
    target = (
        f"{breaker.scope.account}/{breaker.scope.schedule}"
        if breaker.scope.schedule
        else breaker.scope.account
    )
    kind = f" --type {str(breaker.scope.type).replace(' ', '-')}" if breaker.scope.type else ""
    return (
        f"the breaker is open for {breaker.scope}: one run an hour is let through to see, and one that works "
        f"closes it; gradesync resume {target}{kind} closes it at once"
    )


def _has_ended(tools: Tools, claimed: Claimed) -> bool:
    """Whether the run was ended under this very claim."""
    found = tools.store.runs(RunQuery(run_id=claimed.run.id))
    return any(run.state is RunState.ENDED and run.epoch == claimed.epoch for run in found)


def _uneventful(run: Run, result: RunResult) -> bool:
    """A scheduled run that did nothing is no history entry of its own; a person's run always is."""
    return result.did_nothing and run.trigger is Trigger.SLOT


def _stop_of(tools: Tools, run: Run) -> dict[str, object]:
    """Who stopped the run and why; empty when nobody is known to have."""
    try:
        entries = tools.store.history(run.schedule.account, limit=QUIET_LOOKBACK)
    except StoreUnavailable:
        return {}  # said in an entry of its own, and the end is worth more than its wording
    for entry in entries:
        if entry.fact.what == STOP_ASKED and entry.fact.run_id == run.id:
            return {"stopped by": entry.fact.actor.name, "why": entry.fact.data.get("reason")}
    return {}


def _ended(tools: Tools, run: Run, result: RunResult, stop: Mapping[str, object]) -> Fact:
    data: dict[str, object] = {
        "type": run.type.value,
        "trigger": run.trigger.value,
        "mode": run.mode.value,
        "outcome": result.outcome.value,
        "stage": result.stage.value,
        "counts": {word: count for word, count in sorted(result.counts.items()) if count},
        "codes": dict(sorted(result.codes.items())),
        "attempt": run.attempt,
    }
    if result.answers:
        data["answers"] = dict(sorted(result.answers.items()))
    if run.slot_at is not None:
        data |= {"slot": run.slot_at.isoformat(), "late by": run.late_by}
    if run.reason:
        data["reason"] = run.reason
    data |= stop
    quiet = _quiet_before(tools, run)
    if quiet:
        data["uneventful runs before"] = quiet
    return Fact(
        what="run ended",
        actor=run.actor,
        account=run.schedule.account,
        schedule=run.schedule.name,
        run_id=run.id,
        data=data,
    )


def _quiet_before(tools: Tools, run: Run) -> int:
    quiet = 0
    query = RunQuery(account=run.schedule.account, schedule=run.schedule.name, limit=QUIET_LOOKBACK)
    for earlier in tools.store.runs(query):
        if earlier.id == run.id or earlier.result is None:
            continue
        if not _uneventful(earlier, earlier.result):
            break
        quiet += 1
    return quiet


def _hold_identity(tools: Tools, run: Run, hold_id: str) -> None:
    """Another institution answered: nothing more may start in the account until a person has looked."""
    now = tools.store.now()
    actor = Actor("gradesync", "identity check")
    reason = "the other side is not the institution recorded"
    hold = Hold(
        id=hold_id,
        scope=HoldScope(account=run.schedule.account),
        actor=actor,
        reason=reason,
        created_at=now,
        expires_at=None,
        kind=HoldKind.IDENTITY,
    )
    fact = Fact(
        "hold placed", actor, run.schedule.account, run_id=run.id, data={"reason": reason, "kind": "identity"}
    )
    tools.store.add_hold(hold, [fact])
