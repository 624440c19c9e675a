"""One run: claim it, do its sync under a kept lease, and always write down how it ended.

`execute` is not supposed to raise for anything a sync meets: every end becomes a RunEnd with an outcome, a stage
and codes. What a sync decides is not its business.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from gradesync.domain.account import Account
from gradesync.domain.definition import RecordedAccount
from gradesync.domain.history import Fact
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import KeyedHash, refuse_other_key
from gradesync.domain.report import ClassCounts, RunEnd
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.run import (
    Actor,
    Busy,
    Claimed,
    Gone,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Trigger,
)
from gradesync.domain.schedule import ScheduleId, State, SyncType
from gradesync.engine.comparing import known_waiting, left_waiting, result_before
from gradesync.engine.ending import finish
from gradesync.engine.headway import Overheard
from gradesync.engine.lease import LeaseGuard, kept
from gradesync.engine.rosters import roster_look
from gradesync.engine.telling import tell_begin, tell_end
from gradesync.engine.tools import Tools
from gradesync.errors import ConnectionProblem, GradesyncError, Halted, LeaseLost, NotFound, StoreUnavailable
from gradesync.events import tell, within
from gradesync.ports import GradebookSource
from gradesync.syncs.grade_passback import PassbackJob, pass_back, preview_passback
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.roster_import import RosterJob, import_roster, preview_roster
from gradesync.syncs.stage import StageTracker
from gradesync.syncs.waiting import Waiting

STILL_ARRIVES = 1.0
"""Seconds after which a write that a stop cut off has reached the other side, or never will."""


@dataclass(frozen=True, slots=True)
class EffectiveAccount:
    """A recorded account ready to be run: typed, with the digest its policies are known by."""

    account: Account
    digest: str
    group: str | None


def effective(recorded: RecordedAccount) -> EffectiveAccount:
    """Typed values of a recorded account; retired schedules are left out."""
    definition = json.loads(recorded.text)
    schedules = {name: json.loads(s.text) for name, s in recorded.schedules.items() if not s.retired}
    account = Account.from_definitions(recorded.key, definition, schedules)
    return EffectiveAccount(account, recorded.digest, definition.get("group"))


async def execute(
    tools: Tools, run: Run, target: EffectiveAccount, broken: ConnectionProblem | None = None
) -> RunEnd | Busy | Gone:
    """Claim and carry out one queued run; one that was found `broken` beforehand is recorded as failed with it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # A cancel that an error of the run before outshone: shutting down, nothing more is claimed.
        raise asyncio.CancelledError
    before = tools.monotonic()
    answer = tools.store.claim(run.id, tools.holder, tools.lease_seconds)
    if isinstance(answer, (Busy, Gone)):
        return answer
    with within(account=run.schedule.account, schedule=run.schedule.name, run=run.id):
        tell_begin(answer)
        end = await _carried_out(tools, answer, target, before, broken)
        tell_end(end)
        return end


async def _carried_out(
    tools: Tools, answer: Claimed, target: EffectiveAccount, before: float, broken: ConnectionProblem | None
) -> RunEnd:
    """The claimed run, to its end."""
    run = answer.run
    guard = LeaseGuard(tools.lease_seconds, tools.monotonic, f"{run.id}/{answer.epoch}")
    guard.extend_from(before)
    overheard = Overheard(tools.progress, tools.monotonic)
    tools, tracker = replace(tools, progress=overheard), StageTracker()
    previous, known = result_before(tools, run), known_waiting(tools, run)
    problem: GradesyncError | None = None
    try:
        async with kept(tools, run.schedule.account, answer.epoch, guard, lambda: overheard.latest):
            result, problem = await _sync(tools, answer, target, guard, tracker, broken)
    except Halted as halted:
        with suppress(LeaseLost, StoreUnavailable):
            tools.store.hand_back(answer)
        return RunEnd(run, None, problem=str(halted))
    except LeaseLost:
        if not tools.store.stop_asked(run.id):
            return RunEnd(run, None, problem="the lease was lost; another pass goes on")
        # What was cut off on its way may still arrive: until then nobody else is let into the account.
        await tools.sleep(STILL_ARRIVES)
        # An operator's stop: until somebody else claims, the run may still say what it has sent.
        tracker.codes["GS-708"] += 1
        result = tracker.result(Outcome.STOPPED)
    except asyncio.CancelledError:
        # Shutting down: what is done is in the ledger; the rest is for the next pass. Where it cannot be handed back,
        # the lease ends with this process.
        with suppress(LeaseLost, StoreUnavailable):
            tools.store.hand_back(answer)
            if run.trigger is Trigger.BY_HAND:
                why = {"why": "interrupted; handed back to the next pass"}
                tools.store.append(
                    [
                        Fact(
                            "run interrupted",
                            tools.actor,
                            run.schedule.account,
                            run.schedule.name,
                            run.id,
                            why,
                        )
                    ]
                )
        raise
    end = await finish(tools, answer, replace(result, seconds=overheard.seconds()), problem, guard)
    return replace(end, previous=previous, known=known, waits=left_waiting(tools, run))


async def _sync(
    tools: Tools,
    claimed: Claimed,
    target: EffectiveAccount,
    guard: LeaseGuard,
    tracker: StageTracker,
    broken: ConnectionProblem | None,
) -> tuple[RunResult, GradesyncError | None]:
    """The sync itself; whatever it meets becomes a result."""
    try:
        if broken is not None:
            raise broken
        if target.account.schedules[claimed.run.schedule.name].state is State.OBSERVE:
            return await _observed(tools, claimed.run, target, tracker), None
        if claimed.run.type is SyncType.ROSTER_IMPORT:
            return await _roster(tools, claimed, target, guard, tracker), None
        return await _passback(tools, claimed, target, guard, tracker), None
    except ConnectionProblem as problem:
        tracker.codes[problem.code] += 1
        tracker.answered(problem)
        _name_reference(problem, target.account)
        return tracker.result(Outcome.FAILED), problem
    except (LeaseLost, Halted):
        raise
    except StoreUnavailable as problem:
        tracker.codes["GS-705"] += 1
        return tracker.result(Outcome.FAILED), problem
    except GradesyncError as problem:
        tracker.codes["GS-709"] += 1
        return tracker.result(Outcome.FAILED), problem
    except Exception as bug:
        # The last net: a bug of ours must not leave the run without an end, and its text may hold student data,
        # so only the exception's type goes to the log.
        tell("run.broken", "the run broke off by {error}", level=logging.ERROR, error=type(bug).__name__)
        tracker.codes["GS-709"] += 1
        return tracker.result(Outcome.FAILED), None


async def _observed(tools: Tools, run: Run, target: EffectiveAccount, tracker: StageTracker) -> RunResult:
    """A full dry run in the place of a run: sides that cannot write, and counts that do not claim to have."""
    end = await dry_run(tools, replace(run, mode=Mode.FULL), target, tracker)
    assert end.result is not None  # a dry run has no lease to lose
    counts = {_WOULD.get(word, word): count for word, count in end.result.counts.items()}
    return replace(end.result, counts=counts)


_WOULD = {
    "sent": "would send",
    "line items sent": "would send line items",
    "blanked": "would blank",
    "deleted": "would delete",
    "line items deleted": "would delete line items",
    "imported": "would import",
}


def _name_reference(problem: ConnectionProblem, account: Account) -> None:
    """Tell where a refused key comes from; a reference is no secret, and 600 accounts have many."""
    refused = {"GS-201": account.canvas.token, "GS-202": account.sis.client_secret}.get(problem.code)
    if refused:
        renew = f"renew what `{refused}` refers to"
        problem.hint = f"{problem.hint}; {renew}" if problem.hint else renew


async def _roster(
    tools: Tools, claimed: Claimed, target: EffectiveAccount, guard: LeaseGuard, tracker: StageTracker
) -> RunResult:
    run = claimed.run
    brake = roster_brake(tools, target.account)
    async with tools.connections.roster(target.account, guard) as (source, sink):
        return await import_roster(
            RosterJob(
                account=target.account,
                schedule=run.schedule,
                mode=run.mode,
                today=_today(tools.store.now(), target.account),
                source=source,
                records=tools.store.records(claimed),
                data_set=f"gradesync:{tools.store.origin(run.schedule.account)}",
                guard=guard,
                progress=tools.progress,
                sink=sink,
                spool=tools.connections.spool,
                sleep=tools.sleep,
                brake=brake,
                remaster=run.mode is Mode.FULL,
                tracker=tracker,
                halted=tools.halted,
            )
        )


def roster_brake(tools: Tools, account: Account) -> Brake:
    """What the brake of a roster import goes by: the key of its hashes, and the changes a person has let through."""
    approved = tools.store.approvals(account.key, tools.store.now())
    return Brake(known_key(tools, account.key), frozenset(one.digest for one in approved))


async def _passback(
    tools: Tools, claimed: Claimed, target: EffectiveAccount, guard: LeaseGuard, tracker: StageTracker
) -> RunResult:
    keyed = known_key(tools, target.account.key)
    async with tools.connections.gradebook(target.account, guard) as (source, sink):
        job = passback_job(tools, target, claimed.run, tracker, source, keyed)
        await pass_back(job, sink, tools.store.records(claimed))
    return tracker.result()


def passback_job(
    tools: Tools,
    target: EffectiveAccount,
    run: Run,
    tracker: StageTracker,
    source: GradebookSource,
    keyed: KeyedHash,
) -> PassbackJob:
    """The passback that a run means."""
    job = look_job(tools, target, run.schedule, tracker, source, keyed, class_filter=run.class_filter)
    return replace(job, mode=run.mode, waiting=_waiting(tools, target.account.key), halted=tools.halted)


def look_job(
    tools: Tools,
    target: EffectiveAccount,
    schedule: ScheduleId,
    tracker: StageTracker,
    source: GradebookSource,
    keyed: KeyedHash,
    *,
    class_filter: str | None = None,
) -> PassbackJob:
    """A full look at both sides through a schedule's eyes, for whoever compares, adopts or explains."""
    return PassbackJob(
        account=target.account,
        schedule=schedule,
        mode=Mode.FULL,
        policy=target.digest,
        today=_today(tools.store.now(), target.account),
        source=source,
        keyed=keyed,
        progress=tools.progress,
        tracker=tracker,
        workers=_workers(target.account),
        class_filter=class_filter,
    )


Keep = Callable[[Mapping[str, Path]], None]
"""Is handed the files of a dry roster import, by name, before they go."""


async def dry_run(
    tools: Tools,
    run: Run,
    target: EffectiveAccount,
    tracker: StageTracker | None = None,
    *,
    keep: Keep | None = None,
) -> RunEnd:
    """What the run would do: no lease, no row, and sides that cannot write. Raises ConnectionProblem."""
    tracker = StageTracker() if tracker is None else tracker
    if run.type is SyncType.ROSTER_IMPORT:
        return await _dry_roster(tools, run, target, tracker, keep)
    keyed = known_key(tools, target.account.key)
    async with tools.connections.gradebook_readonly(target.account) as (gradebook, reader):
        job = passback_job(tools, target, run, tracker, gradebook, keyed)
        previews = await preview_passback(job, reader, tools.store.read_records(run.schedule.account))
    classes = tuple(ClassCounts(p.class_id, p.counts, p.codes) for p in previews)
    return RunEnd(run, tracker.result(), classes=classes)


async def _dry_roster(
    tools: Tools, run: Run, target: EffectiveAccount, tracker: StageTracker, keep: Keep | None
) -> RunEnd:
    brake = roster_brake(tools, target.account)
    async with tools.connections.roster_readonly(target.account) as sides:
        job = roster_look(tools, target.account, run.schedule, tracker, sides, brake)
        result = await preview_roster(replace(job, mode=run.mode, remaster=run.mode is Mode.FULL, look=keep))
    if result.roster is not None:
        # Nobody may approve what was only looked at: an approval is for a run that was stopped.
        result = replace(result, roster=replace(result.roster, dry=True))
    return RunEnd(run, result, change=result.roster or RosterChange(dry=True))


def _waiting(tools: Tools, account: str) -> Waiting:
    store = tools.store
    since = {code: at for (_, code), at in store.waiting_since(account).items()}
    return Waiting(store.now(), since, partial(store.waiting_rows, account))


def known_key(tools: Tools, account: str) -> KeyedHash:
    """The account's keyed hash; stops before the first read when the key is not the one the ledger was made with.

    Going on with another key would make every value look like a hand edit.
    """
    keyed = tools.keys.keyed(account)
    known = tools.store.key_id()
    if known is None:
        # Asked again: of two passes that begin a ledger with two keys only one may go on.
        tools.store.set_key_id(keyed.key_id)
        known = tools.store.key_id()
    refuse_other_key(known, keyed)
    return keyed


def _today(now: datetime, account: Account) -> date:
    return to_local(now, account.time_zone).date()


def _workers(account: Account) -> int:
    """Enough courses in work that neither side's connections fall idle while the other is waited for."""
    return account.canvas.concurrency + account.sis.profile.concurrency


def queued_run(
    account: Account,
    name: str,
    *,
    slot_key: str,
    slot_at: datetime | None,
    trigger: Trigger,
    mode: Mode,
    actor: Actor,
    now: datetime,
    late_by: int = 0,
    class_filter: str | None = None,
    reason: str | None = None,
) -> Run:
    """A new run row of a schedule. Raises NotFound when the account has no such schedule."""
    schedule = account.schedules.get(name)
    if schedule is None:
        names = ", ".join(sorted(account.schedules)) or "none"
        raise NotFound(f"{account.key} has no schedule {name}", hint=f"it has: {names}")
    return Run(
        id=uuid4().hex,
        schedule=schedule.id,
        type=schedule.type,
        slot_key=slot_key,
        slot_at=slot_at,
        trigger=trigger,
        mode=mode,
        actor=actor,
        state=RunState.QUEUED,
        created_at=now,
        late_by=late_by,
        class_filter=class_filter,
        reason=reason,
    )
