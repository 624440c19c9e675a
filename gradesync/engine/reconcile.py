"""One pass: apply what the files say, then run what is due or asked for, and say what happened.

Level-based: every pass does all that is owed, however late it comes, so a dropped CI job loses nothing. The order
is the one of DESIGN.md 2; every decision is a pure call.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gradesync.domain.definition import Desired
from gradesync.domain.hold import HoldKind
from gradesync.domain.plan import Safety
from gradesync.domain.problem import Problem
from gradesync.domain.report import PassReport
from gradesync.domain.saved_plan import SavedPlan
from gradesync.engine.apply import Applied, Behind, Credit, Wish, apply_wish
from gradesync.engine.freezing import note_frozen
from gradesync.engine.holding import end_holds
from gradesync.engine.passing import PassState
from gradesync.engine.runs import run_all
from gradesync.engine.slots import queue_due, take_requests
from gradesync.engine.tools import Tools
from gradesync.events import tell


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What a pass is asked for. `desired` None works from the recorded definitions alone (`--due`).

    `only` limits it to accounts; `allow` is the digest of consented withheld actions; `run_syncs` False applies only.
    `saved`, `behind`, `any_commit` and `credit` as in `apply.Wish`.
    `enqueue` leaves the runs to workers. `no_key` says why no run could have the ledger's key.
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
    saved: SavedPlan | None = None
    behind: Behind | None = None
    any_commit: bool = False
    credit: Credit | None = None
    no_key: str | None = None

    @property
    def wish(self) -> Wish:
        """What the files want; there must be some."""
        assert self.desired is not None  # a plan needs the files
        return Wish(
            desired=self.desired,
            only=self.only,
            safety=self.safety,
            allow=self.allow,
            reason=self.reason,
            saved=self.saved,
            behind=self.behind,
            any_commit=self.any_commit,
            credit=self.credit,
        )


async def reconcile(tools: Tools, options: PassOptions) -> PassReport:
    """Carry out one pass and report it. Raises StoreUnavailable; a run's own trouble is in the report."""
    at = tools.store.now()
    tell(
        "pass.begun",
        "a pass begins" if options.desired is not None else "a pass of recorded schedules begins",
    )
    # A tree that is behind applies nothing, but what is due runs from the recorded definitions.
    files = Applied(None) if options.desired is None else apply_wish(tools, options.wish)
    if options.desired is not None and files.behind is None:
        note_frozen(tools, options.desired.frozen, options.only, options.problems)
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
    tell(
        "pass.ended",
        "the pass is over: {changes} changes applied, {runs} runs ended, {busy} accounts busy",
        changes=files.count,
        runs=len(state.ends),
        busy=len(state.busy),
        left=state.left,
    )
    return PassReport(
        at=at,
        plan=files.plan,
        problems=options.problems,
        applied=files.count,
        raced=files.raced,
        stale=files.stale,
        stale_commit=files.behind[0] if files.behind is not None else None,
        stale_why=files.behind[1] if files.behind is not None else "",
        ends=tuple(state.ends),
        busy=tuple(state.busy.values()),
        blocked=state.blocked,
        missed=state.missed,
        checkpoint=tools.store.checkpoint(),
        new_store=options.new_store,
        enqueued=state.enqueued if options.enqueue else None,
        redelivered=redelivered,
        left=state.left,
        resting=_resting(state),
        no_key=options.no_key,
    )


def _resting(state: PassState) -> tuple[str, ...]:
    """What gradesync itself stops by now, accounts before their schedules."""
    holds = state.tools.store.holds(state.tools.store.now())
    scopes = {hold.scope for hold in holds if hold.kind is not HoldKind.OPERATOR}
    mine = {
        scope.account if scope.schedule is None else f"{scope.account}/{scope.schedule}"
        for scope in scopes
        if scope.account is not None and state.concerns(scope.account)
    }
    return tuple(sorted(mine))
