"""The breaker: what opens it, whom it stops, when it lets a run through to see, and what closes it.

Pure. A breaker is a hold without an expiry that gradesync places itself, once: further failures under it are no news.
It is never a person's job to find out that a key works again: once an hour a run is let through, and one that works
closes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.run import Actor, Outcome, Run, RunResult, Trigger
from gradesync.domain.schedule import ScheduleId, SyncType

FAILURES = 5
"""So many failed runs of a schedule in a row open its breaker."""

TRIAL_EVERY = timedelta(hours=1)
"""How long an open breaker waits before it lets a run through; a changed definition ends the wait."""

EARLY = timedelta(minutes=5)
"""So much sooner is soon enough: passes come a little earlier or later, and an hourly slot must not wait for two."""

BREAKER = Actor("gradesync", "breaker")

DEAD_KEYS = {
    "GS-201": "Canvas refuses our key",
    "GS-202": "the SIS refuses our key",
    "GS-210": "the file server refuses our login",
}
"""Answers that a repeat cannot change: asking on may lock the key's owner out."""

_FAILED = frozenset({Outcome.FAILED, Outcome.ABANDONED})
_WORKED = frozenset({Outcome.COMPLETED, Outcome.WARNING})


@dataclass(frozen=True, slots=True)
class Opening:
    """A breaker that has to open: what it covers, the code that opened it, and why in a sentence."""

    scope: HoldScope
    code: str | None
    reason: str


def opening(
    run: Run, result: RunResult, earlier: Iterable[Run], since: datetime | None, *, roster_from_files: bool
) -> Opening | None:
    """What a run's end opens. `earlier` are the schedule's runs before it, newest first.

    Only those created after `since` count: a person has resumed the schedule then. `roster_from_files` tells that
    roster imports of the account do without the SIS's key.
    """
    if result.outcome is not Outcome.FAILED:
        return None
    dead = next((code for code in DEAD_KEYS if result.codes.get(code)), None)
    if dead is not None:
        scope = HoldScope(run.schedule.account, type=_users_of(dead, roster_from_files=roster_from_files))
        return Opening(scope, dead, DEAD_KEYS[dead])
    if run.trigger is Trigger.BY_HAND or 1 + _streak(earlier, since) < FAILURES:
        # Somebody who tries again and again by hand is looking at it already.
        return None
    code = min((code for code, count in result.codes.items() if count), default=None)
    reason = f"{FAILURES} runs in a row failed"
    return Opening(HoldScope(run.schedule.account, run.schedule.name), code, reason)


def _users_of(code: str, *, roster_from_files: bool) -> SyncType | None:
    """The sync type that alone uses the key; None when both do."""
    if code == "GS-210":
        return SyncType.ROSTER_IMPORT
    return SyncType.GRADE_PASSBACK if code == "GS-202" and roster_from_files else None


def _streak(earlier: Iterable[Run], since: datetime | None) -> int:
    """Failures before the first run that worked; runs that were stopped or skipped say nothing either way."""
    number = 0
    for run in earlier:
        if run.result is None or (run.trigger is Trigger.BY_HAND and run.result.outcome in _FAILED):
            continue
        if run.result.outcome in _WORKED or (since is not None and run.created_at <= since):
            break
        number += run.result.outcome in _FAILED
    return number


def covering(
    holds: Iterable[Hold], schedule: ScheduleId, type: SyncType, group: str | None, now: datetime
) -> tuple[Hold, ...]:
    """The open breakers that stand over the schedule."""
    return tuple(
        hold
        for hold in holds
        if hold.kind is HoldKind.BREAKER and hold.in_force(now) and hold.scope.covers(schedule, type, group)
    )


def closes(result: RunResult) -> bool:
    """Whether a run that ended so proves what the breakers over it doubt."""
    return result.outcome in _WORKED and not any(result.codes.get(code) for code in DEAD_KEYS)


def trial_due(hold: Hold, mark: str | None, now: datetime) -> bool:
    """Whether a run may be let through now; `mark` tells what the definitions look like now."""
    return hold.mark != mark or now - (hold.tried_at or hold.created_at) >= TRIAL_EVERY - EARLY


def without_trials(holds: Sequence[Hold], run: Run) -> tuple[Hold, ...]:
    """The holds that stop a queued run: not a breaker that lets it through to see.

    Such a run was queued when the breaker was tried. Where one of them fails, the breaker is noted as tried again,
    and the rest are older than that.
    """
    return tuple(
        hold
        for hold in holds
        if not (
            hold.kind is HoldKind.BREAKER and hold.tried_at is not None and run.created_at >= hold.tried_at
        )
    )
