"""One pass: apply what the files say, then run what is due or asked for, and say what happened.

Level-based: every pass does all that is owed, however late it comes, so a dropped CI job loses nothing. The order
is the one of DESIGN.md 2; every decision is a pure call.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gradesync.domain.action import Plan
from gradesync.domain.definition import Desired
from gradesync.domain.history import Fact
from gradesync.domain.plan import Safety, make_plan
from gradesync.domain.problem import Problem
from gradesync.domain.report import PassReport
from gradesync.engine.apply import apply_plan
from gradesync.engine.holding import end_holds
from gradesync.engine.passing import PassState
from gradesync.engine.runs import run_all
from gradesync.engine.slots import queue_due, take_requests
from gradesync.engine.tools import Tools


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What a pass is asked for. `desired` None works from the recorded definitions alone (`--due`).

    `only` limits it to accounts; `allow` is the digest of consented withheld actions; `run_syncs` False applies only.
    `enqueue` leaves the runs to workers.
    """

    desired: Desired | None = None
    problems: tuple[Problem, ...] = ()
    only: frozenset[str] | None = None
    allow: str | None = None
    reason: str | None = None
    safety: Safety = field(default_factory=Safety)
    run_syncs: bool = True
    enqueue: bool = False
    new_store: bool = False


def plan_only(tools: Tools, options: PassOptions) -> Plan:
    """The plan a pass would apply; reads, never writes."""
    assert options.desired is not None  # a plan needs the files
    recorded = tools.store.recorded(options.only)
    return make_plan(
        options.desired,
        recorded,
        tools.store.now(),
        safety=options.safety,
        allow=options.allow,
        only=options.only,
    )


async def reconcile(tools: Tools, options: PassOptions) -> PassReport:
    """Carry out one pass and report it. Raises StoreUnavailable; a run's own trouble is in the report."""
    at = tools.store.now()
    plan: Plan | None = None
    applied = 0
    raced: tuple[str, ...] = ()
    if options.desired is not None:
        plan = plan_only(tools, options)
        applied, raced = apply_plan(tools, plan)
        if raced:
            plan, raced = _settled(tools, options, plan, raced)
        if plan.allowed and applied:
            _tell_allowed(tools, options)
    # After the files were applied and before anything starts: a hold until a change ends with that change.
    end_holds(tools)
    state = PassState(tools, options.only)
    redelivered = 0
    if options.run_syncs:
        queue_due(state, enqueue=options.enqueue)
        take_requests(state, enqueue=options.enqueue)
        if options.enqueue:
            redelivered = tools.store.redeliver()
        else:
            await run_all(state)
    return PassReport(
        at=at,
        plan=plan,
        problems=options.problems,
        applied=applied,
        raced=raced,
        ends=tuple(state.ends),
        busy=tuple(state.busy.values()),
        blocked=state.blocked,
        missed=state.missed,
        checkpoint=tools.store.checkpoint(),
        new_store=options.new_store,
        enqueued=state.enqueued if options.enqueue else None,
        redelivered=redelivered,
        left=state.left,
    )


def _settled(
    tools: Tools, options: PassOptions, plan: Plan, raced: tuple[str, ...]
) -> tuple[Plan, tuple[str, ...]]:
    """The plan without accounts that another pass has just made as the files say, and the accounts really raced.

    Two passes of one merge meet often; where the quicker one left nothing to do, nobody has to look.
    """
    now = plan_only(tools, options)
    open_still = {action.account for action in (*now.actions, *now.withheld)}
    settled = frozenset(raced) - open_still
    kept = tuple(action for action in plan.actions if action.account not in settled)
    same = sum(
        action.account in settled and action.schedule is not None and action.text is not None
        for action in plan.actions
    )
    left = replace(plan, actions=kept, unchanged=plan.unchanged + same)
    return left, tuple(key for key in raced if key not in settled)


def _tell_allowed(tools: Tools, options: PassOptions) -> None:
    tools.store.append(
        [Fact("plan allowed", tools.actor, data={"digest": options.allow, "reason": options.reason})]
    )
