"""What is due: which schedules start a run in this pass, which slots are consumed without one, and why.

Pure: `plan`, `upcoming` and `reconcile` ask the same function. Late slots coalesce into the latest; a slot that
comes while something blocks its schedule is consumed, because a stop never catches up (DESIGN.md 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gradesync.domain.hold import HoldsByAccount
from gradesync.domain.interval import local_to_utc, to_local
from gradesync.domain.run import Mode
from gradesync.domain.schedule import Schedule, State, SyncType
from gradesync.domain.upcoming import interval_of

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout
    from gradesync.domain.hold import Hold

FULL_AFTER_HOUR = 2
"""Local hour after which a passback's first slot of the day runs full."""


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that stops a schedule: `kind` is paused, hold, breaker or blackout; `sentence` says it to a person.

    `scope` is that of a hold or breaker as `gradesync resume` takes it, because only the same scope ends it.
    """

    kind: str
    sentence: str
    code: str
    scope: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule whose next run has come, with what may block it. `blackouts` are its account's.

    `trials` are the ids of breakers that let this slot through to see whether things work again.
    """

    schedule: Schedule
    next_run_at: datetime
    blackouts: tuple[Blackout, ...] = ()
    group: str | None = None
    last_full_at: datetime | None = None
    ran_before: bool = False
    trials: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SlotDecision:
    """What becomes of a due schedule: its `slot` runs, or is consumed with `blocks`/`too_late` saying why.

    `missed` counts older slots that coalesced into this one; `next_run_at` is the schedule's next slot.
    """

    schedule: Schedule
    expected: datetime
    slot: datetime
    run: bool
    mode: Mode
    missed: int
    late_by: int
    next_run_at: datetime | None
    blocks: tuple[Block, ...] = ()
    too_late: bool = False


def due(schedules: Iterable[DueSchedule], holds: Sequence[Hold], now: datetime) -> tuple[SlotDecision, ...]:
    """Decide every due schedule at `now` (aware UTC), in the order they should run.

    `holds` may hold past ones: a slot that came under a hold is not run once the hold has ended.
    Order: slot, then roster before grades (grades need the people), then id.
    """
    by_account = HoldsByAccount(holds)
    decisions = [_decide(entry, by_account.of(entry.schedule.id.account), now) for entry in schedules]
    return tuple(
        sorted(
            decisions,
            key=lambda d: (d.slot, d.schedule.type is not SyncType.ROSTER_IMPORT, str(d.schedule.id)),
        )
    )


def _decide(entry: DueSchedule, holds: Sequence[Hold], now: datetime) -> SlotDecision:
    schedule = entry.schedule
    interval = interval_of(schedule)
    # `since` is just before the slot the store waits for, so that this slot itself counts.
    since = entry.next_run_at - timedelta(microseconds=1)
    slot = interval.latest_slot(now, since) or entry.next_run_at
    late_by = max(0, int((now - slot).total_seconds()))
    too_late = schedule.start_within is not None and late_by > schedule.start_within * 60
    holds = [hold for hold in holds if hold.id not in entry.trials] if entry.trials else holds
    # What stood in the way when the slot came has consumed it, even if this pass comes after it ended.
    then = [hold for hold in holds if hold.created_at <= slot]
    found = blocks(schedule, holds, entry.blackouts, now, entry.group) or blocks(
        schedule, then, entry.blackouts, slot, entry.group
    )
    return SlotDecision(
        schedule=schedule,
        expected=entry.next_run_at,
        slot=slot,
        run=not found and not too_late,
        mode=mode_of(schedule, slot, entry.last_full_at, ran_before=entry.ran_before),
        missed=max(0, interval.count_slots(since, slot) - 1),
        late_by=late_by,
        next_run_at=interval.next_slot(now),
        blocks=found,
        too_late=too_late,
    )


def blocks(
    schedule: Schedule,
    holds: Sequence[Hold],
    blackouts: Sequence[Blackout],
    now: datetime,
    group: str | None = None,
) -> tuple[Block, ...]:
    """Everything that stops a start at `now`; never merged into one flag, so that `show` can name each."""
    found: list[Block] = []
    if schedule.state is State.PAUSED:
        reason = f" ({schedule.reason})" if schedule.reason else ""
        found.append(Block("paused", f"paused in its YAML file{reason}", "GS-707"))
    found += [
        block_of(hold, schedule.time_zone)
        for hold in holds
        if hold.in_force(now) and hold.scope.covers(schedule.id, schedule.type, group)
    ]
    for blackout in blackouts:
        if blackout.covers(schedule.id.name) and in_blackout(blackout, now):
            until_text = f"{blackout.until:%Y-%m-%d %H:%M} {blackout.time_zone}"
            found.append(Block("blackout", f"blackout {blackout.name} until {until_text}", "GS-605"))
    return tuple(found)


def block_of(hold: Hold, time_zone: str = "UTC") -> Block:
    """A hold in force, as whoever looks at one schedule is told: on its clock, whatever else is covered."""
    if hold.kind.value == "breaker":
        why = f"{hold.reason} ({hold.code})" if hold.code else hold.reason
        since = f"breaker open since {_stamp(hold.created_at, time_zone)}"
        told = f"{since}: {why}; one run an hour is let through to see"
        return Block("breaker", told, "GS-711", hold.scope.arguments)
    until = f"until {_stamp(hold.expires_at, time_zone)}" if hold.expires_at else "until resumed"
    if hold.until_changed:
        until = f"until its definition changes, {until.replace('until', 'at the latest')}"
    return Block("hold", f"held by {hold.actor.name} {until}: {hold.reason}", "GS-707", hold.scope.arguments)


def _stamp(at: datetime, zone: str) -> str:
    return f"{to_local(at, zone):%Y-%m-%d %H:%M %Z}"


def in_blackout(blackout: Blackout, now: datetime) -> bool:
    """Whether `now` lies in the window; compared in UTC, so that a clock change cannot stretch it."""
    start = local_to_utc(blackout.start, blackout.time_zone)
    return start <= now < local_to_utc(blackout.until, blackout.time_zone)


def phase_of(blackout: Blackout, now: datetime) -> str:
    """`upcoming`, `ongoing` or `past`."""
    if in_blackout(blackout, now):
        return "ongoing"
    return "upcoming" if now < local_to_utc(blackout.start, blackout.time_zone) else "past"


def mode_of(schedule: Schedule, slot: datetime, last_full_at: datetime | None, *, ran_before: bool) -> Mode:
    """Full on the first run and in the first slot after local 02:00, delta otherwise (DESIGN.md 5)."""
    if schedule.type is SyncType.ROSTER_IMPORT:
        # A roster is always read whole; "full" would mean re-sending what is unchanged.
        return Mode.DELTA
    if not ran_before or last_full_at is None:
        return Mode.FULL
    local = to_local(slot, schedule.time_zone)
    boundary = local.replace(hour=FULL_AFTER_HOUR, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    if local.hour < FULL_AFTER_HOUR:
        boundary -= timedelta(days=1)
    return Mode.FULL if last_full_at < local_to_utc(boundary, schedule.time_zone) else Mode.DELTA
