"""Breakers at work: opened and closed by how runs end, and tried when a slot comes.

Every decision is `domain.breaker`'s; here the store is asked and told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from gradesync.domain.breaker import (
    BREAKER,
    DEAD_KEYS,
    Opening,
    closes,
    covering,
    opening,
    trial_due,
)
from gradesync.domain.definition import RecordedAccount
from gradesync.domain.due import DueSchedule, blocks
from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold, HoldKind, HoldsByAccount
from gradesync.domain.hold_rules import mark_of
from gradesync.domain.run import ADOPTING, Outcome, Run, RunResult
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.tools import Tools
from gradesync.ports import RunQuery

LOOKBACK = 50
"""How many runs back a row of failures is looked for: stopped and skipped ones lie between."""

_TICK = timedelta(microseconds=1)


def after_run(tools: Tools, run: Run, result: RunResult) -> Hold | None:
    """Open, keep or close the breakers over a run that has ended; answers the one that it opened."""
    if run.schedule.name.endswith(ADOPTING):
        return None
    now = tools.store.now()
    over = covering(tools.store.holds(now, account=run.schedule.account), run.schedule, run.type, None, now)
    if closes(result):
        _close(tools, run, over, now)
        return None
    if result.outcome is not Outcome.FAILED:
        return None
    account = tools.store.recorded([run.schedule.account]).accounts.get(run.schedule.account)
    if account is None or not account.text:
        return None
    for hold in over:
        # Runs that were queued together with this one must not try the same again, and an hour counts from its slot.
        at = max(run.created_at, hold.tried_at or run.created_at) + _TICK
        tools.store.try_hold(hold.id, hold.tried_at, at, mark_of(hold.scope, account))
    found = _opening(tools, run, result, account)
    if found is None or _stands(found, over):
        return None
    return _open(tools, run, found, account, now)


def _opening(tools: Tools, run: Run, result: RunResult, account: RecordedAccount) -> Opening | None:
    query = RunQuery(account=run.schedule.account, schedule=run.schedule.name, limit=LOOKBACK)
    earlier = [one for one in tools.store.runs(query) if one.id != run.id]
    files = "roster" in json.loads(account.text).get("sis", {})
    if opening(run, result, earlier, None, roster_from_files=files) is None:
        return None
    since = max(
        (
            hold.released_at
            for hold in tools.store.holds(tools.store.now(), include_past=True, account=account.key)
            if hold.kind is HoldKind.BREAKER
            and hold.released_at is not None
            and hold.scope.covers(run.schedule, run.type, None)
        ),
        default=None,
    )
    return opening(run, result, earlier, since, roster_from_files=files)


def _stands(found: Opening, over: Sequence[Hold]) -> bool:
    """Whether people were told already: one alarm for one cause."""
    if found.code in DEAD_KEYS:
        return any(hold.scope == found.scope for hold in over)
    return bool(over)


def _open(tools: Tools, run: Run, found: Opening, account: RecordedAccount, now: datetime) -> Hold:
    hold = Hold(
        id=uuid4().hex,
        scope=found.scope,
        actor=BREAKER,
        reason=found.reason,
        created_at=now,
        expires_at=None,
        kind=HoldKind.BREAKER,
        mark=mark_of(found.scope, account),
        code=found.code,
    )
    data = {"scope": str(hold.scope), "reason": hold.reason, "code": hold.code}
    fact = Fact("breaker opened", BREAKER, found.scope.account, found.scope.schedule, run.id, data)
    tools.store.add_hold(hold, [fact])
    return hold


def _close(tools: Tools, run: Run, over: Sequence[Hold], now: datetime) -> None:
    for hold in over:
        data = {"scope": str(hold.scope), "open since": hold.created_at.isoformat(), "why": "a run worked"}
        fact = Fact("breaker closed", BREAKER, hold.scope.account, hold.scope.schedule, run.id, data)
        tools.store.release_holds([hold.id], now, [fact])


def let_through(
    tools: Tools, entries: Sequence[DueSchedule], holds: Sequence[Hold], now: datetime
) -> Sequence[DueSchedule]:
    """The due schedules, those whose breakers are tried in this pass with the ids of those breakers.

    All breakers over a schedule are tried together, and each by one pass only. All due schedules under them are
    queued; where the first fails, the others are stopped before they start.
    """
    by_account = HoldsByAccount(holds)
    over = {
        entry.schedule.id: found
        for entry in entries
        if (mine := by_account.of(entry.schedule.id.account))
        and (found := covering(mine, entry.schedule.id, entry.schedule.type, entry.group, now))
        and not _blocked_otherwise(entry, mine, now)
    }
    if not over:
        return entries
    accounts = tools.store.recorded({id.account for id in over}).accounts
    granted: dict[str, bool] = {}
    trials: dict[ScheduleId, frozenset[str]] = {}
    for id, found in over.items():
        marks = {hold.id: mark_of(hold.scope, accounts[id.account]) for hold in found}
        if all(granted.get(hold.id) or trial_due(hold, marks[hold.id], now) for hold in found):
            for hold in found:
                if hold.id not in granted:
                    granted[hold.id] = tools.store.try_hold(hold.id, hold.tried_at, now, marks[hold.id])
            if all(granted[hold.id] for hold in found):
                trials[id] = frozenset(hold.id for hold in found)
    return [replace(one, trials=trials.get(one.schedule.id, frozenset())) for one in entries]


def _blocked_otherwise(entry: DueSchedule, holds: Sequence[Hold], now: datetime) -> bool:
    """Whether something else stops the schedule, so that a trial would be spent on nothing."""
    others = [hold for hold in holds if hold.kind is not HoldKind.BREAKER]
    return bool(blocks(entry.schedule, others, entry.blackouts, now, entry.group))


__all__ = ["after_run", "let_through"]
