"""The queued runs of a pass, carried out in its own process: accounts beside each other, one run at a time in each.

What is owed was decided in `slots`; one run's own work is `runner`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gradesync.domain.breaker import without_trials
from gradesync.domain.due import blocks
from gradesync.domain.history import Fact
from gradesync.domain.report import RunEnd
from gradesync.domain.run import (
    ADOPTING,
    SCHEDULER,
    Busy,
    Claimed,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
    run_order,
)
from gradesync.engine.passing import PassState
from gradesync.engine.runner import EffectiveAccount, execute
from gradesync.engine.slots import forgotten, too_old
from gradesync.engine.tools import Tools
from gradesync.errors import LeaseLost
from gradesync.ports import RunQuery


async def run_all(state: PassState) -> None:
    """Every queued run: accounts beside each other, within one account one after the other.

    A process that is asked to end claims no more; what it leaves is counted.
    """
    queue = state.tools.store.queued_runs(state.only)
    by_account: dict[str, list[Run]] = {}
    for run in sorted(queue, key=run_order):
        by_account.setdefault(run.schedule.account, []).append(run)
    limit = asyncio.Semaphore(state.tools.accounts_at_once)

    async def account(runs: Sequence[Run]) -> None:
        async with limit:
            for run in runs:
                if state.tools.halted():
                    state.left += 1
                else:
                    await take_up(state, run)
                state.over += 1
                state.tools.progress.ended(run.schedule, state.over, len(queue))

    try:
        async with asyncio.TaskGroup() as group:
            for runs in by_account.values():
                group.create_task(account(runs))
    except BaseExceptionGroup as several:
        # The store is gone, or a bug: the command's error boundary knows the error, not its wrapping.
        raise _first(several) from several


async def deliver(tools: Tools, run_id: str) -> RunEnd | None:
    """Carry out one run that a queue brought, by the recorded definitions; None when there was nothing (left) to do.

    A busy account, a run that has ended and one that may not start now are no errors: the queue only delivers, and what
    stays queued is brought again. Raises StoreUnavailable.
    """
    found = tools.store.runs(RunQuery(run_id=run_id))
    if not found or found[0].state is RunState.ENDED or tools.halted():
        return None
    state = PassState(tools, None)
    await take_up(state, found[0])
    tools.progress.ended(found[0].schedule, 1, None)
    return state.ends[0] if state.ends else None


async def take_up(state: PassState, run: Run) -> None:
    """Start a queued run, unless its schedule was retired or something blocks it by now."""
    key = run.schedule.account
    if too_old(run, state.tools.store.now()):
        # Brought by a queue, which knows no age.
        state.tools.store.skip_runs([run.id], [forgotten(run)])
        return
    # Read anew: a pause merged while this pass was busy elsewhere must find the run not yet started.
    target = state.account_anew(key)
    if target is None or run.schedule.name not in target.account.schedules:
        broke_off = run.schedule.name.endswith(ADOPTING)
        _skip(state, run, _BROKE_OFF if broke_off else "the schedule was retired before the run could start")
        return
    if key in state.busy or _blocked_now(state, run, target):
        return
    answer = await execute(state.tools, run, target)
    if isinstance(answer, Busy):
        state.busy[key] = answer.lease
    elif isinstance(answer, RunEnd):
        state.ends.append(answer)
        state.tools.progress.say(run.schedule, end_sentence(answer))


def _blocked_now(state: PassState, run: Run, target: EffectiveAccount) -> bool:
    """Whether something has come between the run and its start since it was queued: a pause is never late.

    A slot is consumed, because a stop never catches up; a request waits on, as it would have unqueued. One whose
    process died in the middle has begun, and would be shown as running for as long as the block stands: it is given up.
    """
    schedule = target.account.schedules[run.schedule.name]
    now = state.tools.store.now()
    holds = without_trials(state.tools.store.holds(now, account=run.schedule.account), run)
    found = blocks(schedule, holds, target.account.blackouts, now, target.group)
    if not found:
        return False
    state.blocked[schedule.id] = found
    if run.trigger is not Trigger.REQUEST or run.state is RunState.RUNNING:
        _skip(state, run, "; ".join(sorted({block.kind for block in found})))
    return True


def _skip(state: PassState, run: Run, why: str) -> None:
    """End a run that is not to start (again)."""
    if run.state is RunState.RUNNING:
        _give_up(state, run, why)
        return
    fact = Fact("run skipped", SCHEDULER, run.schedule.account, run.schedule.name, run.id, {"why": why})
    state.tools.store.skip_runs([run.id], [fact])


def _give_up(state: PassState, run: Run, why: str) -> None:
    """End a run whose pass died. What it has sent stands in the ledger; only the claim frees its lease."""
    claimed = state.tools.store.claim(run.id, state.tools.holder, state.tools.lease_seconds)
    if not isinstance(claimed, Claimed):
        # Somebody else was quicker, or the run has ended with its lost attempt.
        return
    result = RunResult(Outcome.ABANDONED, Stage.FETCH, codes={"GS-702": 1})
    data = {"outcome": result.outcome.value, "codes": dict(result.codes), "why": why}
    fact = Fact("run ended", SCHEDULER, run.schedule.account, run.schedule.name, run.id, data)
    try:
        state.tools.store.finish(claimed, result, [fact])
    except LeaseLost:
        # Unlocked by a person in between: the run is in the queue again, and the next pass meets it there.
        return
    state.tools.progress.say(run.schedule, f"its run was given up: {why}")


_BROKE_OFF = "an adoption broke off; only a person can begin it again"


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = several.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def end_sentence(end: RunEnd) -> str:
    """One quiet line for a log: outcome and counts, nothing about anyone."""
    if end.result is None:
        return end.problem or "the lease was lost"
    told = ", ".join(
        f"{end.result.counts[word]} {word}"
        for word in (
            "sent",
            "line items sent",
            "blanked",
            "deleted",
            "line items deleted",
            "imported",
            "unchanged",
            "withheld",
            "refused",
            "nothing to send",
        )
        if end.result.counts.get(word)
    )
    codes = ", ".join(f"{code} x{count}" for code, count in sorted(end.result.codes.items()) if count)
    return "; ".join(part for part in (end.result.outcome.value, told, codes, end.problem) if part)
