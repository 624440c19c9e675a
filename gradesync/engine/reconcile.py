"""One pass: apply what the files say, then run what is due or asked for, and say what happened.

Level-based: every pass does all that is owed, however late it comes, so a dropped CI job loses nothing. The order
is the one of DESIGN.md 2; every decision is a pure call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gradesync.domain.action import Plan
from gradesync.domain.definition import Desired, RecordedAccount
from gradesync.domain.due import Block, DueSchedule, SlotDecision, blocks, due
from gradesync.domain.history import Fact
from gradesync.domain.interval import IntervalError
from gradesync.domain.plan import Safety, make_plan
from gradesync.domain.problem import Problem
from gradesync.domain.report import PassReport, RunEnd
from gradesync.domain.run import (
    ADOPTING,
    SCHEDULER,
    Busy,
    Claimed,
    Lease,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
)
from gradesync.domain.schedule import Schedule, ScheduleId, SyncType
from gradesync.domain.upcoming import interval_of
from gradesync.engine.apply import apply_plan
from gradesync.engine.runner import EffectiveAccount, effective, execute, queued_run
from gradesync.engine.tools import Tools
from gradesync.errors import LeaseLost
from gradesync.ports import DueRow, SlotClaim


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What a pass is asked for. `desired` None works from the recorded definitions alone (`--due`).

    `only` limits it to accounts; `allow` is the digest of consented withheld actions; `run_syncs` False applies only.
    """

    desired: Desired | None = None
    problems: tuple[Problem, ...] = ()
    only: frozenset[str] | None = None
    allow: str | None = None
    reason: str | None = None
    safety: Safety = field(default_factory=Safety)
    run_syncs: bool = True
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
    syncs = _Syncs(tools, options.only)
    if options.run_syncs:
        syncs.queue_due()
        syncs.take_requests()
        await syncs.run_all()
    return PassReport(
        at=at,
        plan=plan,
        problems=options.problems,
        applied=applied,
        raced=raced,
        ends=tuple(syncs.ends),
        busy=tuple(syncs.busy.values()),
        blocked=syncs.blocked,
        missed=syncs.missed,
        checkpoint=tools.store.checkpoint(),
        new_store=options.new_store,
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


@dataclass
class _Syncs:
    """The second half of a pass: slots, requests, runs."""

    tools: Tools
    only: frozenset[str] | None
    ends: list[RunEnd] = field(default_factory=list)
    busy: dict[str, Lease] = field(default_factory=dict)
    blocked: dict[ScheduleId, tuple[Block, ...]] = field(default_factory=dict)
    missed: dict[ScheduleId, int] = field(default_factory=dict)
    _accounts: dict[str, EffectiveAccount | None] = field(default_factory=dict)

    def queue_due(self) -> None:
        """Turn due slots into queued runs, each slot once whoever else passes by."""
        now = self.tools.store.now()
        rows = [
            r for r in self.tools.store.due_rows(now) if self.only is None or r.schedule.account in self.only
        ]
        if not rows:
            return
        self._load({row.schedule.account for row in rows})
        # Past ones too: a slot that came under a hold is not caught up once the hold has ended.
        holds = self.tools.store.holds(now, include_past=True)
        ran = self.tools.store.first_runs()
        full = self.tools.store.last_full_runs({row.schedule.account for row in rows})
        entries = [entry for row in rows if (entry := self._entry(row, ran, full)) is not None]
        claims = [self._claim(decision, now) for decision in due(entries, holds, now)]
        inserted = self.tools.store.claim_slots(claims)
        self._supersede(inserted)

    def _entry(
        self, row: DueRow, ran: Mapping[ScheduleId, datetime], full: Mapping[ScheduleId, datetime]
    ) -> DueSchedule | None:
        target = self._accounts.get(row.schedule.account)
        if target is None:
            return None
        schedule = Schedule.from_definition(row.schedule, json.loads(row.text))
        try:
            interval_of(schedule)
        except IntervalError as error:
            # Recorded by another version, or with other zones: it waits for its file, and stops nobody else.
            self.tools.progress.say(row.schedule, f"its recorded interval is not understood: {error}")
            return None
        return DueSchedule(
            schedule=schedule,
            next_run_at=row.next_run_at,
            blackouts=target.account.blackouts,
            group=target.group,
            last_full_at=full.get(row.schedule),
            ran_before=row.schedule in ran,
        )

    def _claim(self, decision: SlotDecision, now: datetime) -> SlotClaim:
        schedule = decision.schedule
        if decision.blocks:
            self.blocked[schedule.id] = decision.blocks
        run = None
        if decision.run:
            run = queued_run(
                self._target(schedule.id.account).account,
                schedule.id.name,
                slot_key=decision.slot.isoformat(),
                slot_at=decision.slot,
                trigger=Trigger.SLOT,
                mode=decision.mode,
                actor=SCHEDULER,
                now=now,
                late_by=decision.late_by,
            )
        facts = []
        if decision.missed and not decision.blocks:
            self.missed[schedule.id] = decision.missed
            facts.append(_missed_fact(decision, decision.missed))
        if decision.too_late:
            facts.append(_missed_fact(decision, 1))
        return SlotClaim(schedule.id, decision.expected, decision.next_run_at, run, tuple(facts))

    def _supersede(self, inserted: Sequence[Run]) -> None:
        """An older slot that still waits (its account was busy) coalesces into the new one."""
        fresh = {run.schedule: run.id for run in inserted}
        stale = [
            run
            for run in self.tools.store.queued_runs({id.account for id in fresh})
            if run.trigger is Trigger.SLOT
            and run.schedule in fresh
            and run.id != fresh[run.schedule]
            and run.attempt == 0
        ]
        if stale:
            facts = [
                Fact(
                    "slot missed",
                    SCHEDULER,
                    run.schedule.account,
                    run.schedule.name,
                    run.id,
                    {
                        "slot": run.slot_key,
                        "code": "GS-703",
                        "why": "the account was busy until the next slot",
                    },
                )
                for run in stale
            ]
            self.tools.store.skip_runs([run.id for run in stale], facts)

    def take_requests(self) -> None:
        """Turn requests into queued runs; what is blocked keeps its request."""
        now = self.tools.store.now()
        requests = [
            r for r in self.tools.store.requests(now) if self.only is None or r.schedule.account in self.only
        ]
        if not requests:
            return
        self._load({request.schedule.account for request in requests})
        holds = self.tools.store.holds(now)
        for request in requests:
            target = self._accounts.get(request.schedule.account)
            schedule = target.account.schedules.get(request.schedule.name) if target else None
            if target is None or schedule is None:
                continue
            found = blocks(schedule, holds, target.account.blackouts, now, target.group)
            if found:
                self.blocked[schedule.id] = found
                continue
            run = queued_run(
                target.account,
                schedule.id.name,
                slot_key=f"request:{request.id}",
                slot_at=None,
                trigger=Trigger.REQUEST,
                mode=request.mode,
                actor=request.actor,
                now=now,
                reason=request.reason,
            )
            self.tools.store.take_request(request, run, [])

    async def run_all(self) -> None:
        """Every queued run: accounts beside each other, within one account one after the other."""
        queue = self.tools.store.queued_runs(self.only)
        by_account: dict[str, list[Run]] = {}
        for run in sorted(queue, key=_order):
            by_account.setdefault(run.schedule.account, []).append(run)
        self._load(set(by_account))
        limit = asyncio.Semaphore(self.tools.accounts_at_once)

        async def account(key: str, runs: Sequence[Run]) -> None:
            async with limit:
                for run in runs:
                    await self._run(key, run)

        try:
            async with asyncio.TaskGroup() as group:
                for key, runs in by_account.items():
                    group.create_task(account(key, runs))
        except BaseExceptionGroup as several:
            # The store is gone, or a bug: the command's error boundary knows the error, not its wrapping.
            raise _first(several) from several

    async def _run(self, key: str, run: Run) -> None:
        # Read anew: a pause merged while this pass was busy elsewhere must find the run not yet started.
        self._accounts.pop(key, None)
        self._load({key})
        target = self._accounts[key]
        if target is None or run.schedule.name not in target.account.schedules:
            broke_off = run.schedule.name.endswith(ADOPTING)
            self._skip(
                run, _BROKE_OFF if broke_off else "the schedule was retired before the run could start"
            )
            return
        if key in self.busy or self._blocked_now(run, target):
            return
        answer = await execute(self.tools, run, target)
        if isinstance(answer, Busy):
            self.busy[key] = answer.lease
        elif isinstance(answer, RunEnd):
            self.ends.append(answer)
            self.tools.progress.say(run.schedule, end_sentence(answer))

    def _blocked_now(self, run: Run, target: EffectiveAccount) -> bool:
        """Whether something has come between the run and its start since it was queued: a pause is never late.

        A slot is consumed, because a stop never catches up; a request waits on, as it would have unqueued.
        """
        schedule = target.account.schedules[run.schedule.name]
        now = self.tools.store.now()
        found = blocks(schedule, self.tools.store.holds(now), target.account.blackouts, now, target.group)
        if not found:
            return False
        self.blocked[schedule.id] = found
        if run.trigger is not Trigger.REQUEST:
            self._skip(run, "; ".join(sorted({block.kind for block in found})))
        return True

    def _skip(self, run: Run, why: str) -> None:
        """End a run that is not to start (again)."""
        if run.state is RunState.RUNNING:
            self._give_up(run, why)
            return
        fact = Fact("run skipped", SCHEDULER, run.schedule.account, run.schedule.name, run.id, {"why": why})
        self.tools.store.skip_runs([run.id], [fact])

    def _give_up(self, run: Run, why: str) -> None:
        """End a run whose pass died. What it has sent stands in the ledger; only the claim frees its lease."""
        claimed = self.tools.store.claim(run.id, self.tools.holder, self.tools.lease_seconds)
        if not isinstance(claimed, Claimed):
            # Somebody else was quicker, or the run has ended with its lost attempt.
            return
        result = RunResult(Outcome.ABANDONED, Stage.FETCH, codes={"GS-702": 1})
        data = {"outcome": result.outcome.value, "codes": dict(result.codes), "why": why}
        fact = Fact("run ended", SCHEDULER, run.schedule.account, run.schedule.name, run.id, data)
        try:
            self.tools.store.finish(claimed, result, [fact])
        except LeaseLost:
            # Unlocked by a person in between: the run is in the queue again, and the next pass meets it there.
            return
        self.tools.progress.say(run.schedule, f"its run was given up: {why}")

    def _load(self, keys: set[str]) -> None:
        missing = [key for key in keys if key not in self._accounts]
        if missing:
            recorded = self.tools.store.recorded(missing).accounts
            for key in missing:
                self._accounts[key] = _usable(recorded.get(key))

    def _target(self, key: str) -> EffectiveAccount:
        target = self._accounts[key]
        assert target is not None  # entries are only made for loaded accounts
        return target


_BROKE_OFF = "an adoption broke off; only a person can begin it again"


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = several.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _usable(recorded: RecordedAccount | None) -> EffectiveAccount | None:
    return effective(recorded) if recorded is not None and recorded.text else None


def _order(run: Run) -> tuple[datetime, bool, str]:
    """Slot time, then roster before grades (grades need the people), then id; people's runs as they came."""
    return (run.slot_at or run.created_at, run.type is not SyncType.ROSTER_IMPORT, str(run.schedule))


def _missed_fact(decision: SlotDecision, count: int) -> Fact:
    return Fact(
        "slots missed",
        SCHEDULER,
        decision.schedule.id.account,
        decision.schedule.id.name,
        data={"count": count, "before": decision.slot.isoformat(), "code": "GS-703"},
    )


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
