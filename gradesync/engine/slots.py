"""What is owed becomes queued runs: due slots, each once whoever else passes by, and people's requests.

Nothing is run here; `runs` does that, or a worker.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gradesync.domain.due import DueSchedule, SlotDecision, blocks, due
from gradesync.domain.history import Fact
from gradesync.domain.hold import REQUEST_LIFE
from gradesync.domain.interval import IntervalError
from gradesync.domain.run import SCHEDULER, Run, RunState, Trigger
from gradesync.domain.schedule import Schedule, ScheduleId
from gradesync.domain.upcoming import interval_of
from gradesync.engine.breakers import let_through
from gradesync.engine.passing import PassState
from gradesync.engine.runner import EffectiveAccount, queued_run
from gradesync.ports import DueRow, SlotClaim


def queue_due(state: PassState, *, enqueue: bool = False) -> None:
    """Turn due slots into queued runs, each slot once whoever else passes by; `enqueue` puts them on the queue too."""
    # A part of the accounts is asked for whole: rows that are nobody's here would only come again.
    limit = BATCH if state.only is None else sys.maxsize
    before: Sequence[DueRow] = ()
    while True:
        found = state.tools.store.due_rows(state.tools.store.now(), limit)
        if found == before:
            return
        mine = [row for row in found if state.concerns(row.schedule.account)]
        for at in range(0, len(mine), BATCH):
            _queue_batch(state, mine[at : at + BATCH], enqueue=enqueue)
        if len(found) < limit:
            return
        before = found


BATCH = 500
"""Due slots claimed in one transaction: few, so that ten thousand due at once never lock the store for long, nor lose
their connection on a slow machine for standing still in a transaction."""


def _queue_batch(state: PassState, rows: Sequence[DueRow], *, enqueue: bool) -> None:
    """One batch of due slots."""
    now = state.tools.store.now()
    if not rows:
        return
    state.load({row.schedule.account for row in rows})
    # Those that ended since too: a slot that came under a hold is not caught up once the hold has ended.
    holds = state.tools.store.holds(min(row.next_run_at for row in rows))
    accounts = {row.schedule.account for row in rows}
    ran, full = state.tools.store.first_runs(accounts), state.tools.store.last_full_runs(accounts)
    entries: Sequence[DueSchedule] = [
        entry for row in rows if (entry := _entry(state, row, ran, full)) is not None
    ]
    entries = let_through(state.tools, entries, holds, now)
    claims = [_claim(state, decision, now) for decision in due(entries, holds, now)]
    inserted = state.tools.store.claim_slots(claims, enqueue=enqueue)
    state.enqueued += len(inserted)
    _supersede(state, inserted)


def _entry(
    state: PassState, row: DueRow, ran: Mapping[ScheduleId, datetime], full: Mapping[ScheduleId, datetime]
) -> DueSchedule | None:
    target = state.account(row.schedule.account)
    if target is None:
        return None
    schedule = Schedule.from_definition(row.schedule, json.loads(row.text))
    try:
        interval_of(schedule)
    except IntervalError as error:
        # Recorded by another version, or with other zones: it waits for its file, and stops nobody else.
        state.tools.progress.say(row.schedule, f"its recorded interval is not understood: {error}")
        return None
    return DueSchedule(
        schedule=schedule,
        next_run_at=row.next_run_at,
        blackouts=target.account.blackouts,
        group=target.group,
        last_full_at=full.get(row.schedule),
        ran_before=row.schedule in ran,
    )


def _claim(state: PassState, decision: SlotDecision, now: datetime) -> SlotClaim:
    schedule = decision.schedule
    if decision.blocks:
        state.blocked[schedule.id] = decision.blocks
    run = None
    if decision.run:
        run = queued_run(
            _target(state, schedule.id.account).account,
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
        state.missed[schedule.id] = decision.missed
        facts.append(_missed_fact(decision, decision.missed))
    if decision.too_late:
        facts.append(_missed_fact(decision, 1))
    return SlotClaim(schedule.id, decision.expected, decision.next_run_at, run, tuple(facts))


def _supersede(state: PassState, inserted: Sequence[Run]) -> None:
    """An older slot that still waits (its account was busy) coalesces into the new one."""
    fresh = {run.schedule: run.id for run in inserted}
    stale = [
        run
        for run in state.tools.store.queued_runs({id.account for id in fresh})
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
        state.tools.store.skip_runs([run.id for run in stale], facts)


def take_requests(state: PassState, *, enqueue: bool = False) -> None:
    """Turn requests into queued runs; what is blocked keeps its request. `enqueue` as for slots."""
    now = state.tools.store.now()
    _forget_old(state, now)
    requests = [r for r in state.tools.store.requests(now) if state.concerns(r.schedule.account)]
    if not requests:
        return
    state.load({request.schedule.account for request in requests})
    holds = state.tools.store.holds(now)
    for request in requests:
        target = state.account(request.schedule.account)
        schedule = target.account.schedules.get(request.schedule.name) if target else None
        if target is None or schedule is None:
            continue
        found = blocks(schedule, holds, target.account.blackouts, now, target.group)
        if found:
            state.blocked[schedule.id] = found
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
            late_by=max(0, int((now - request.created_at).total_seconds())),
            reason=request.reason,
        )
        state.enqueued += state.tools.store.take_request(request, run, [], enqueue=enqueue)


def _forget_old(state: PassState, now: datetime) -> None:
    """End requests that were queued and have not begun within the life of a wish."""
    old = [run for run in state.tools.store.queued_runs(state.only) if too_old(run, now)]
    if old:
        state.tools.store.skip_runs([run.id for run in old], [forgotten(run) for run in old])


def too_old(run: Run, now: datetime) -> bool:
    """Whether the run is a request that waited in vain for as long as a wish lives."""
    asked_at = run.created_at - timedelta(seconds=run.late_by)
    waits = run.trigger is Trigger.REQUEST and run.state is RunState.QUEUED
    return waits and now - asked_at > REQUEST_LIFE


def forgotten(run: Run) -> Fact:
    """What the history says of such a run."""
    why = {"why": "it was asked for more than 24 hours ago, and could not start since"}
    return Fact("run skipped", SCHEDULER, run.schedule.account, run.schedule.name, run.id, why)


def _target(state: PassState, key: str) -> EffectiveAccount:
    target = state.account(key)
    assert target is not None  # entries are only made for loaded accounts
    return target


def _missed_fact(decision: SlotDecision, count: int) -> Fact:
    return Fact(
        "slots missed",
        SCHEDULER,
        decision.schedule.id.account,
        decision.schedule.id.name,
        data={"count": count, "before": decision.slot.isoformat(), "code": "GS-703"},
    )
