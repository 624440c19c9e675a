"""`adopt`: what another tool's sync wrote becomes ours, in the ledger alone; neither gradebook is written to.

A preview needs no lease. Writing claims the account's lease as a run does, because a run that decides from the ledger
meanwhile would decide from half of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import uuid4

from gradesync.domain.adoption import ClassAdoption, Fate
from gradesync.domain.history import Fact
from gradesync.domain.run import ADOPTING, Busy, Claimed, Gone, Mode, Outcome, RunResult, Trigger
from gradesync.domain.schedule import ScheduleId
from gradesync.domain.take_over import KINDS, TakeOver, history_counts
from gradesync.engine.compare import passback_account
from gradesync.engine.control import busy_error, not_begun
from gradesync.engine.lease import LeaseGuard, kept
from gradesync.engine.runner import EffectiveAccount, known_key, look_job, queued_run
from gradesync.engine.tools import Tools
from gradesync.errors import ConnectionProblem, GradesyncError, LeaseLost, RunStopped, StoreUnavailable
from gradesync.ports import GradebookSource, ReadRecords, RunRecords
from gradesync.syncs.adopt import find_adoptable, take_over
from gradesync.syncs.compare import NOT_READ
from gradesync.syncs.grade_passback import PassbackJob
from gradesync.syncs.stage import StageTracker


@dataclass(frozen=True, slots=True)
class AdoptWish:
    """What to adopt. `write` puts it into the ledger; else it is only told."""

    schedule: ScheduleId
    class_filter: str | None = None
    write: bool = False


@dataclass
class _Finds:
    """What was found so far; also told when the rest could not be read."""

    classes: list[ClassAdoption] = field(default_factory=list)
    counts: Mapping[str, Counter[Fate]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})

    def add(self, one: ClassAdoption) -> None:
        self.classes.append(one)
        for kind in KINDS:
            self.counts[kind].update(one.counts(kind))


async def adopt(tools: Tools, wish: AdoptWish) -> TakeOver:
    """Find what the SIS holds already and, if wished, write it into the ledger.

    Raises NotFound, UsageProblem for a roster import, AccountBusy while somebody works in the account,
    ConnectionProblem when a side cannot be read at all; what was written until then stays.
    """
    target = passback_account(tools, wish.schedule)
    tracker, finds = StageTracker(), _Finds()
    if not wish.write:
        records = tools.store.read_records(wish.schedule.account)
        await _read(tools, wish, target, tracker, finds, records)
        return _told(wish, tracker, finds)
    claimed, guard = _claim(tools, wish, target)
    try:
        async with kept(tools, wish.schedule.account, claimed.epoch, guard):
            await _write(tools, wish, target, tracker, finds, tools.store.records(claimed))
    except ConnectionProblem as problem:
        tracker.codes[problem.code] += 1
        _finish(tools, wish, claimed, tracker, finds, Outcome.FAILED)
        raise
    except asyncio.CancelledError:
        # Not handed back to the next pass: that one sends grades, and this was a person's other wish.
        with suppress(LeaseLost, StoreUnavailable):
            _finish(tools, wish, claimed, tracker, finds, Outcome.STOPPED)
        raise
    except LeaseLost as lost:
        if tools.store.stop_asked(claimed.run.id):
            tracker.codes["GS-708"] += 1
            with suppress(LeaseLost):
                _finish(tools, wish, claimed, tracker, finds, Outcome.STOPPED)
            raise RunStopped(
                "the adoption was stopped by a person",
                hint=f"who and why: gradesync history {wish.schedule.account}; what was adopted so far stays",
            ) from lost
        raise LeaseLost(str(lost), hint="what was adopted so far stays; repeat the command") from lost
    _finish(tools, wish, claimed, tracker, finds, None)
    return replace(_told(wish, tracker, finds), written=True, run_id=claimed.run.id)


def _told(wish: AdoptWish, tracker: StageTracker, finds: _Finds) -> TakeOver:
    return TakeOver(
        schedule=str(wish.schedule),
        classes=tuple(sorted(finds.classes, key=lambda one: one.class_id)),
        unread={word: tracker.counts[word] for word in NOT_READ if tracker.counts[word]},
        codes={code: count for code, count in sorted(tracker.codes.items()) if count},
    )


def _claim(tools: Tools, wish: AdoptWish, target: EffectiveAccount) -> tuple[Claimed, LeaseGuard]:
    run = queued_run(
        target.account,
        wish.schedule.name,
        slot_key=f"manual:{uuid4().hex}",
        slot_at=None,
        trigger=Trigger.BY_HAND,
        mode=Mode.FULL,
        actor=tools.actor,
        now=tools.store.now(),
        class_filter=wish.class_filter,
    )
    run = replace(run, schedule=ScheduleId(wish.schedule.account, wish.schedule.name + ADOPTING))
    tools.store.add_run(run)
    before = tools.monotonic()
    answer = tools.store.claim(run.id, tools.holder, tools.lease_seconds)
    if isinstance(answer, Claimed):
        guard = LeaseGuard(tools.lease_seconds, tools.monotonic, run=f"{run.id}/{answer.epoch}")
        guard.extend_from(before)
        return answer, guard
    tools.store.skip_runs([run.id], [not_begun(tools, run)])
    if isinstance(answer, Busy):
        raise busy_error(wish.schedule, answer.lease)
    assert isinstance(answer, Gone)
    raise GradesyncError("the adoption was withdrawn before it could start", hint="start it again")


async def _read(
    tools: Tools,
    wish: AdoptWish,
    target: EffectiveAccount,
    tracker: StageTracker,
    finds: _Finds,
    records: ReadRecords,
) -> None:
    async with tools.connections.gradebook_readonly(target.account) as (source, reader):
        job = _job(tools, wish, target, tracker, source)
        await find_adoptable(job, reader, records, finds.add)


async def _write(
    tools: Tools,
    wish: AdoptWish,
    target: EffectiveAccount,
    tracker: StageTracker,
    finds: _Finds,
    records: RunRecords,
) -> None:
    async with tools.connections.gradebook_readonly(target.account) as (source, reader):
        await take_over(_job(tools, wish, target, tracker, source), reader, records, finds.add)


def _job(
    tools: Tools, wish: AdoptWish, target: EffectiveAccount, tracker: StageTracker, source: GradebookSource
) -> PassbackJob:
    keyed = known_key(tools, target.account.key)
    return look_job(tools, target, wish.schedule, tracker, source, keyed, class_filter=wish.class_filter)


def _finish(
    tools: Tools,
    wish: AdoptWish,
    claimed: Claimed,
    tracker: StageTracker,
    finds: _Finds,
    outcome: Outcome | None,
) -> None:
    """Write down how it ended: who, how many records, and why it broke off if it did."""
    counts = history_counts(finds.counts)
    codes = {code: count for code, count in sorted(tracker.codes.items()) if count}
    result = RunResult(outcome or Outcome.COMPLETED, tracker.stage, counts, codes)
    data = {"outcome": result.outcome.value, "counts": counts, "codes": codes, "classes": len(finds.classes)}
    fact = Fact(
        what="records adopted",
        actor=tools.actor,
        account=wish.schedule.account,
        schedule=wish.schedule.name,
        run_id=claimed.run.id,
        data=data | ({"class": wish.class_filter} if wish.class_filter else {}),
    )
    tools.store.finish(claimed, result, [fact])


__all__ = ["AdoptWish", "adopt"]
