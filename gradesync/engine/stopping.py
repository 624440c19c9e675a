"""Taking the right to run away: one run, all of an account, or what a hold covers.

A running sync learns of it at its next renewal, wherever it runs, and ends as `stopped` with its counts; a queued run
ends at once. Nothing is undone: what was sent stays sent, and the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gradesync.domain.history import Fact
from gradesync.domain.hold import HoldScope
from gradesync.domain.report import Stopped
from gradesync.domain.run import Claimed, Run, RunState
from gradesync.engine.ending import STOP_ASKED
from gradesync.engine.lease import RENEWALS
from gradesync.engine.tools import Tools
from gradesync.errors import GradesyncError, NotFound
from gradesync.ports import RunQuery

PATIENCE = 10.0
"""Seconds beyond one renewal after which nobody waits any longer for a run to end."""

SLIPPED = 1.0
"""Seconds within which a run that has passed the look for holds is claimed."""

_LOOK = 0.2


def stop_run(tools: Tools, run_id: str, reason: str) -> Stopped:
    """Stop one run. Raises NotFound when there is none of that id, GradesyncError when it has ended already."""
    _need(reason)
    found = tools.store.runs(RunQuery(run_id=run_id, limit=1))
    if not found:
        raise NotFound(f"no run {run_id} is recorded", hint="`gradesync history` shows runs")
    stopped = _stop(tools, found[0], reason)
    if stopped is None:
        raise GradesyncError(
            f"run {run_id} of {found[0].schedule} has ended, or was asked to stop already",
            hint=f"see how: gradesync show {run_id}",
        )
    return stopped


def stop_account(tools: Tools, account: str, reason: str) -> tuple[Stopped, ...]:
    """Stop what runs in the account and what is queued behind it; empty when nothing is."""
    _need(reason)
    if account not in tools.store.recorded([account]).accounts:
        raise NotFound(f"no account {account} is recorded", hint="check the name with `gradesync list`")
    # What is queued first: it must not start in the place of what was stopped.
    runs = sorted(_open_runs(tools, account), key=lambda run: run.state is RunState.RUNNING)
    return tuple(one for run in runs if (one := _stop(tools, run, reason)) is not None)


async def stop_covered(tools: Tools, scope: HoldScope, reason: str) -> tuple[Stopped, ...]:
    """Stop what runs now under a hold that was just placed; what is queued the hold itself keeps from starting.

    Looked for twice: a run may have passed the look for holds just before this one was placed, and be claimed after.
    """
    _need(reason)
    first = _stop_covered(tools, scope, reason)
    await tools.sleep(SLIPPED)
    return first + _stop_covered(tools, scope, reason)


def _stop_covered(tools: Tools, scope: HoldScope, reason: str) -> tuple[Stopped, ...]:
    stopped = []
    for lease in tools.store.leases():
        for run in tools.store.runs(RunQuery(run_id=lease.run_id, limit=1)):
            if scope.covers(run.schedule, run.type, _group(tools, lease.account, scope)):
                one = _stop(tools, run, reason)
                stopped += [one] if one is not None else []
    return tuple(stopped)


def _group(tools: Tools, account: str, scope: HoldScope) -> str | None:
    if scope.group is None:
        return None
    from gradesync.domain.hold_rules import group_of

    recorded = tools.store.recorded([account]).accounts.get(account)
    return group_of(recorded) if recorded is not None else None


def _open_runs(tools: Tools, account: str) -> Sequence[Run]:
    """Queued runs, and the one at work; those whose holder has died are among the queued ones."""
    found = {run.id: run for run in tools.store.queued_runs([account])}
    for lease in tools.store.leases():
        if lease.account == account:
            found |= {run.id: run for run in tools.store.runs(RunQuery(run_id=lease.run_id, limit=1))}
    return list(found.values())


def _stop(tools: Tools, run: Run, reason: str) -> Stopped | None:
    data = {"reason": reason.strip(), "was": run.state.value}
    what = STOP_ASKED if run.state is RunState.RUNNING else "run stopped"
    fact = Fact(what, tools.actor, run.schedule.account, run.schedule.name, run.id, data)
    if not tools.store.stop_run(run.id, [fact]):
        return None
    holder = next((one.holder for one in tools.store.leases() if one.run_id == run.id), None)
    if run.state is RunState.RUNNING and holder is None:
        # Its process is gone: nobody is left to hear of it. Who claims it finds it asked to stop, and ends it.
        claimed = tools.store.claim(run.id, tools.holder, tools.lease_seconds)
        if isinstance(claimed, Claimed):
            tools.store.hand_back(claimed)
    return Stopped(run, holder)


def _need(reason: str) -> None:
    if not reason.strip():
        raise GradesyncError("to stop a run needs a reason", hint="add --reason '...'")


def renewal(tools: Tools) -> float:
    """Seconds within which a running sync hears of its stop."""
    return tools.lease_seconds / RENEWALS


async def wait_for_end(tools: Tools, run_ids: Collection[str]) -> tuple[Run, ...]:
    """The runs as they stand once all have ended, or when nobody waits any longer."""
    until = tools.monotonic() + renewal(tools) + PATIENCE
    while True:
        runs = [run for id in run_ids for run in tools.store.runs(RunQuery(run_id=id, limit=1))]
        if all(run.state is RunState.ENDED for run in runs) or tools.monotonic() >= until:
            return tuple(runs)
        await tools.sleep(_LOOK)


__all__ = ["Stopped", "renewal", "stop_account", "stop_covered", "stop_run", "wait_for_end"]
