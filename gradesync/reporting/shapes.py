"""The parts JSON documents are made of: a run, a row, an action, a hold. Only shapes; the documents are `structured`'s.

The other side's own words and erasable details never stand here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gradesync.domain.account import Blackout
from gradesync.domain.acting import parts_of
from gradesync.domain.action import Action, Plan
from gradesync.domain.due import Block, phase_of
from gradesync.domain.history import HistoryEntry
from gradesync.domain.hold import Hold
from gradesync.domain.needs import Cause
from gradesync.domain.problem import CODES, Place, Problem
from gradesync.domain.report import ClassCounts, RunEnd, ScheduleRow
from gradesync.domain.run import Actor, Lease, Run, RunResult, answers_to
from gradesync.reporting.plan_words import begins, zone_of
from gradesync.reporting.roster_shapes import (
    change_shape,
    class_change_shapes,
    fault_shapes,
    matching_shapes,
    read_back_shapes,
    stop_shape,
)
from gradesync.reporting.words import declared_first_run, is_dry, needs_someone, next_run_of, state_words

Shape = dict[str, Any]


def instant(value: datetime | None) -> str | None:
    """`2026-11-25T20:00:00Z`; microseconds only when there are any."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def problem_shape(problem: Problem) -> Shape:
    return {
        "code": problem.code,
        **code_keys(problem.code),
        "message": problem.message,
        "hint": problem.hint or None,
        "severity": "warning" if problem.warning else "error",
        "account": problem.account,
        "place": place_shape(problem.place),
        "width": problem.width,
    }


def code_keys(code: str) -> Shape:
    entry = CODES.get(code)
    if entry is None:
        return {"title": None, "remedy": None, "who": None, "act": None, "radius": None}
    return {
        "title": entry.title,
        "remedy": entry.remedy,
        "who": entry.who,
        "act": entry.act.value,
        "radius": entry.radius.value,
    }


def place_shape(place: Place | None) -> Shape | None:
    if place is None:
        return None
    return {"file": place.file, "line": place.line or None, "column": place.column or None}


def plan_keys(plan: Plan) -> Shape:
    return {
        "commit": plan.commit,
        "uncommitted": plan.dirty,
        "changes": plan.changes,
        "digest": plan.digest or None,
        "accounts": plan.accounts,
        "schedules": plan.schedules,
        "unchanged": plan.unchanged,
        "counts": dict(sorted(plan.counts().items())),
        "actions": [action_shape(action) for action in plan.actions],
        "withheld": [action_shape(action) for action in plan.withheld],
        "stops": [
            {"account": s.account, "sentence": s.sentence, "hint": s.hint, "locked": s.locked}
            for s in plan.stops
        ],
        "frozen": list(plan.frozen),
        "unrecorded": list(plan.unrecorded),
        "revisions": dict(sorted(plan.revisions.items())),
    }


def action_shape(action: Action) -> Shape:
    return {
        "action": action.kind.value,
        "account": action.account,
        "schedule": action.schedule,
        "why": action.why,
        "place": place_shape(action.place),
        "fields": [
            {"path": f.path, "before": value_of(f.before), "after": value_of(f.after)} for f in action.fields
        ],
        "definition": value_of(action.text),
        "digest": action.digest,
        "next_run_before": instant(action.next_run_before),
        "next_run_after": instant(action.next_run_after),
        "moved_from": action.moved_from,
        "held": action.held,
        "held_by": action.held_by or None,
        "holds": list(action.hold_ids),
        "despite_holds": list(action.despite),
        "time_zone": zone_of(action),
        "locked": action.locked,
        "begins": begins(action),
    }


def value_of(text: str | None) -> Any:
    """A JSON text as its value; absent is null."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def end_keys(end: RunEnd) -> Shape:
    return {
        "run": run_shape(end.run),
        "dry": is_dry(end),
        "result": result_shape(end.result),
        "previous": result_shape(end.previous),
        "known": dict(sorted(end.known.items())),
        "untried": dict(sorted(end.untried.items())),
        "new_or_worse": end.new_or_worse,
        "needs_person": end.needs_person,
        "problem": end.problem,
        "hint": end.hint,
        "classes": class_shapes(end.classes),
        "change": change_shape(end.change),
    }


def result_shape(result: RunResult | None) -> Shape | None:
    """`vendor` stays out: it may name people."""
    if result is None:
        return None
    return {
        "outcome": result.outcome.value,
        "stage": result.stage.value,
        "counts": dict(sorted(result.counts.items())),
        "codes": [
            {"code": code, "count": n, **code_keys(code), "answers": answer_shapes(result, code)}
            for code, n in sorted(result.codes.items())
        ],
        "stop": stop_shape(result.roster),
        "class_changes": class_change_shapes(result.roster),
        "read_back": read_back_shapes(result.roster),
        "first_contact": matching_shapes(result.roster),
        "file_faults": fault_shapes(result.roster),
    }


def answer_shapes(result: RunResult, code: str) -> list[Shape]:
    """What the other side answered, told apart by fingerprints; empty where the code says it all."""
    return [{"fingerprint": one, "count": n} for one, n in answers_to(result, code)]


def class_shapes(classes: Sequence[ClassCounts]) -> list[Shape]:
    return [
        {
            "class": one.class_id,
            "counts": dict(sorted(one.counts.items())),
            "codes": dict(sorted(one.codes.items())),
        }
        for one in classes
    ]


def actor_shape(actor: Actor) -> Shape:
    """`via` whole and taken apart; what somebody claimed with --as is never the name."""
    parts = parts_of(actor)
    return {
        "name": actor.name,
        "via": actor.via,
        "how": parts.how,
        "login": parts.login,
        "run_url": parts.run_url,
        "os_user": parts.os_user,
        "claims": parts.claims,
    }


def lease_shape(lease: Lease | None) -> Shape | None:
    if lease is None:
        return None
    return {
        "account": lease.account,
        "run": lease.run_id,
        "holder": lease.holder,
        "epoch": lease.epoch,
        "since": instant(lease.since),
        "until": instant(lease.until),
        "schedule": f"{lease.account}/{lease.schedule}" if lease.schedule else None,
        "host": lease.host or None,
        "heard_at": instant(lease.heard_at),
        "stage": lease.headway.stage if lease.headway else None,
        "done": lease.headway.done if lease.headway else None,
        "total": lease.headway.total if lease.headway else None,
    }


def block_shapes(blocks: Iterable[Block]) -> list[Shape]:
    return [{"kind": block.kind, "sentence": block.sentence, "code": block.code} for block in blocks]


def run_shape(run: Run) -> Shape:
    return {
        "id": run.id,
        "schedule": str(run.schedule),
        "type": run.type.value,
        "trigger": run.trigger.value,
        "mode": run.mode.value,
        "actor": actor_shape(run.actor),
        "state": run.state.value,
        "slot": instant(run.slot_at),
        "late_by_seconds": run.late_by,
        "created_at": instant(run.created_at),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "attempt": run.attempt,
        "epoch": run.epoch,
        "class": run.class_filter,
        "reason": run.reason,
        "result": result_shape(run.result),
    }


def row_shape(row: ScheduleRow, now: datetime) -> Shape:
    s = row.schedule
    return {
        "id": str(s.id),
        "account": s.id.account,
        "name": s.id.name,
        "type": s.type.value,
        "interval": s.interval,
        "canonical_interval": s.canonical_interval,
        "time_zone": s.time_zone,
        "first_run_declared": instant(declared_first_run(s)),
        "first_ran_at": instant(row.first_ran_at),
        "next_run_at": instant(next_run_of(row)),
        "posted_by": s.posted_by,
        "declared_state": s.state.value,
        "state": list(state_words(row)),
        "reason": s.reason,
        "start_within_minutes": s.start_within,
        "spread_minutes": s.spread,
        "blocks": block_shapes(row.blocks),
        "blackouts": [blackout_shape(one, now) for one in row.blackouts],
        "last_run": None if row.last is None else run_shape(row.last),
        "last_attempt_skipped_at": instant(row.skipped_at),
        "needs_someone": needs_someone(row),
        "account_busy": lease_shape(row.running),
        "group": row.group,
        "labels": dict(row.labels),
        "frozen_since": instant(row.frozen_since),
        "waiting": sum(row.waiting.values()),
        "waiting_codes": waiting_shapes(row.waiting, row.waiting_since),
    }


def cause_shape(cause: Cause) -> Shape:
    """One cause; `since` is null where nobody knows, `since_at_least` tells that it may be older."""
    return {
        "code": cause.code or None,
        "needs": cause.group,
        "host": cause.host or None,
        "accounts": list(cause.accounts),
        "schedules": [str(one) for one in cause.schedules],
        "records": cause.records,
        "since": instant(cause.since),
        "since_at_least": cause.capped,
        "new_since_yesterday": cause.fresh,
        "runs_fail": cause.failing,
        **(code_keys(cause.code) if cause.code else {}),
    }


def waiting_shapes(waiting: Mapping[str, int], since: Mapping[str, datetime]) -> list[Shape]:
    """By code: how many records wait, and since when the oldest of them does."""
    return [
        {"code": code, "count": n, "since": instant(since.get(code)), **code_keys(code)}
        for code, n in sorted(waiting.items())
        if n
    ]


def entry_shape(entry: HistoryEntry) -> Shape:
    fact = entry.fact
    return {
        "chain": entry.chain,
        "seq": entry.seq,
        "at": instant(entry.at),
        "what": fact.what,
        "actor": actor_shape(fact.actor),
        "account": fact.account,
        "schedule": fact.schedule,
        "run": fact.run_id,
        "data": json_value(fact.data),
        "detail_hash": entry.detail_hash,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def hold_shape(hold: Hold, now: datetime) -> Shape:
    scope = hold.scope
    return {
        "id": hold.id,
        "kind": hold.kind.value,
        "covers": str(scope),
        "scope": {
            "account": scope.account,
            "schedule": scope.schedule,
            "group": scope.group,
            "type": None if scope.type is None else scope.type.value,
        },
        "actor": actor_shape(hold.actor),
        "reason": hold.reason,
        "created_at": instant(hold.created_at),
        "expires_at": instant(hold.expires_at),
        "released_at": instant(hold.released_at),
        "in_force": hold.in_force(now),
        "until_changed": hold.until_changed,
        "code": hold.code,
        "tried_at": instant(hold.tried_at),
    }


def blackout_shape(one: Blackout, now: datetime | None = None) -> Shape:
    """A blackout by its local times; with `now`, the phase it is in."""
    shape: Shape = {
        "name": one.name,
        "from": f"{one.start:%Y-%m-%d %H:%M}",
        "until": f"{one.until:%Y-%m-%d %H:%M}",
        "time_zone": one.time_zone,
        "schedules": None if one.schedules is None else list(one.schedules),
    }
    return shape if now is None else {**shape, "phase": phase_of(one, now)}


def json_value(value: object) -> Any:
    """A value as JSON can hold it; what JSON has no word for becomes text."""
    if isinstance(value, datetime):
        return instant(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): json_value(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [
            json_value(one)
            for one in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)
        ]
    return str(value)
