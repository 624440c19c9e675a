"""Reports for programs: mappings of JSON values with stable keys. The shapes are documented in docs/json-output.md.

`version` grows only when a key changes its meaning or goes; new keys may come at any time. Instants are ISO 8601 in UTC
with `Z`, absent values are null, and nothing is left out because it is empty. The other side's own words and erasable
details never stand here: this output ends up in logs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gradesync.domain.action import Action, Plan
from gradesync.domain.due import Block
from gradesync.domain.history import HistoryEntry
from gradesync.domain.hold import Hold
from gradesync.domain.interval import Interval, IntervalWarning
from gradesync.domain.problem import CODES, Place, Problem
from gradesync.domain.report import AccountView, ClassCounts, PassReport, RunEnd, ScheduleRow
from gradesync.domain.run import Actor, Lease, Run, RunResult
from gradesync.ports import StoreInfo
from gradesync.reporting.words import declared_first_run, is_dry, needs_someone, next_run_of, state_words

VERSION = 1

Shape = dict[str, Any]


def _report(kind: str, **values: Any) -> Shape:
    return {"version": VERSION, "kind": kind, **values}


def instant(value: datetime | None) -> str | None:
    """`2026-11-25T20:00:00Z`; microseconds only when there are any."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def problems(problems: Sequence[Problem], sources: Callable[[str], str | None] | None = None) -> Shape:
    """All problems with place, remedy and who must act. `sources` is not needed: no line is repeated here."""
    del sources  # the same call as the other formats'
    return _report(
        "problems",
        errors=sum(not problem.warning for problem in problems),
        warnings=sum(problem.warning for problem in problems),
        problems=[_problem(problem) for problem in problems],
    )


def _problem(problem: Problem) -> Shape:
    return {
        "code": problem.code,
        **_code(problem.code),
        "message": problem.message,
        "hint": problem.hint or None,
        "severity": "warning" if problem.warning else "error",
        "account": problem.account,
        "place": _place(problem.place),
        "width": problem.width,
    }


def _code(code: str) -> Shape:
    entry = CODES.get(code)
    if entry is None:
        return {"title": None, "remedy": None, "who": None, "act": None}
    return {"title": entry.title, "remedy": entry.remedy, "who": entry.who, "act": entry.act.value}


def _place(place: Place | None) -> Shape | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


def plan(plan: Plan, problems: Sequence[Problem] = (), now: datetime | None = None) -> Shape:
    """The whole plan, complete enough to be saved and checked again."""
    return _report(
        "plan",
        at=instant(now),
        **_plan(plan),
        problems=[_problem(problem) for problem in problems],
    )


def _plan(plan: Plan) -> Shape:
    return {
        "commit": plan.commit,
        "changes": plan.changes,
        "digest": plan.digest or None,
        "accounts": plan.accounts,
        "schedules": plan.schedules,
        "unchanged": plan.unchanged,
        "counts": dict(sorted(plan.counts().items())),
        "actions": [_action(action) for action in plan.actions],
        "withheld": [_action(action) for action in plan.withheld],
        "stops": [{"account": s.account, "sentence": s.sentence, "hint": s.hint} for s in plan.stops],
        "frozen": list(plan.frozen),
        "revisions": dict(sorted(plan.revisions.items())),
    }


def _action(action: Action) -> Shape:
    return {
        "action": action.kind.value,
        "account": action.account,
        "schedule": action.schedule,
        "why": action.why,
        "place": _place(action.place),
        "fields": [
            {"path": f.path, "before": _value(f.before), "after": _value(f.after)} for f in action.fields
        ],
        "definition": _value(action.text),
        "digest": action.digest,
        "next_run_before": instant(action.next_run_before),
        "next_run_after": instant(action.next_run_after),
        "moved_from": action.moved_from,
        "held": action.held,
    }


def _value(text: str | None) -> Any:
    """A JSON text as its value; absent is null."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def pass_report(report: PassReport) -> Shape:
    """One pass: plan, run ends, and what was left alone."""
    return _report(
        "pass",
        at=instant(report.at),
        plan=None if report.plan is None else _plan(report.plan),
        problems=[_problem(problem) for problem in report.problems],
        applied=report.applied,
        raced=list(report.raced),
        runs=[_end(end) for end in report.ends],
        busy=[_lease(lease) for lease in report.busy],
        blocked=[
            {"schedule": str(id), "blocks": _blocks(blocks)} for id, blocks in sorted(report.blocked.items())
        ],
        missed={str(id): count for id, count in sorted(report.missed.items())},
        checkpoint=report.checkpoint,
        new_store=report.new_store,
        stale_commit=report.stale_commit,
        interrupted=report.interrupted,
    )


def run_end(end: RunEnd) -> Shape:
    """One run as it ended in this process."""
    return _report("run_end", **_end(end))


def _end(end: RunEnd) -> Shape:
    return {
        "run": _run(end.run),
        "dry": is_dry(end),
        "result": _result(end.result),
        "previous": _result(end.previous),
        "known": dict(sorted(end.known.items())),
        "new_or_worse": end.new_or_worse,
        "needs_person": end.needs_person,
        "problem": end.problem,
        "hint": end.hint,
        "classes": _classes(end.classes),
    }


def _result(result: RunResult | None) -> Shape | None:
    """`vendor` stays out: it may name people."""
    if result is None:
        return None
    return {
        "outcome": result.outcome.value,
        "stage": result.stage.value,
        "counts": dict(sorted(result.counts.items())),
        "codes": [{"code": code, "count": n, **_code(code)} for code, n in sorted(result.codes.items())],
    }


def _classes(classes: Sequence[ClassCounts]) -> list[Shape]:
    return [
        {
            "class": one.class_id,
            "counts": dict(sorted(one.counts.items())),
            "codes": dict(sorted(one.codes.items())),
        }
        for one in classes
    ]


def _actor(actor: Actor) -> Shape:
    return {"name": actor.name, "via": actor.via}


def _lease(lease: Lease | None) -> Shape | None:
    if lease is None:
        return None
    return {
        "account": lease.account,
        "run": lease.run_id,
        "holder": lease.holder,
        "epoch": lease.epoch,
        "since": instant(lease.since),
        "until": instant(lease.until),
    }


def _blocks(blocks: Iterable[Block]) -> list[Shape]:
    return [{"kind": block.kind, "sentence": block.sentence, "code": block.code} for block in blocks]


def run(run: Run, classes: Sequence[ClassCounts] = ()) -> Shape:
    """One run as the store keeps it."""
    return _report("run", run=_run(run), classes=_classes(classes))


def _run(run: Run) -> Shape:
    return {
        "id": run.id,
        "schedule": str(run.schedule),
        "type": run.type.value,
        "trigger": run.trigger.value,
        "mode": run.mode.value,
        "actor": _actor(run.actor),
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
        "result": _result(run.result),
    }


def rows(rows: Sequence[ScheduleRow], now: datetime) -> Shape:
    """The list, in the order given."""
    return _report(
        "schedules",
        at=instant(now),
        need_someone=sum(needs_someone(row) for row in rows),
        schedules=[_row(row) for row in rows],
    )


def schedule(row: ScheduleRow, now: datetime) -> Shape:
    """One schedule."""
    return _report("schedule", at=instant(now), schedule=_row(row))


def _row(row: ScheduleRow) -> Shape:
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
        "blocks": _blocks(row.blocks),
        "last_run": None if row.last is None else _run(row.last),
        "needs_someone": needs_someone(row),
        "account_busy": _lease(row.running),
        "group": row.group,
        "labels": dict(row.labels),
        "waiting": row.waiting,
    }


def account(view: AccountView, now: datetime) -> Shape:
    """One account with its schedules, holds and waiting records by code."""
    return _report(
        "account",
        at=instant(now),
        account=view.key,
        name=view.name,
        time_zone=view.time_zone,
        canvas_url=view.canvas_url,
        sis_url=view.sis_url,
        sis_profile=view.sis_profile,
        revision=view.revision,
        schedules=[_row(row) for row in view.rows],
        holds=[_hold(hold, now) for hold in view.holds],
        waiting=[{"code": code, "count": n, **_code(code)} for code, n in sorted(view.waiting.items()) if n],
        busy=_lease(view.lease),
    )


def history(entries: Sequence[HistoryEntry]) -> Shape:
    """History entries as appended, without their erasable details."""
    return _report("history", entries=[_entry(entry) for entry in entries])


def _entry(entry: HistoryEntry) -> Shape:
    fact = entry.fact
    return {
        "chain": entry.chain,
        "seq": entry.seq,
        "at": instant(entry.at),
        "what": fact.what,
        "actor": _actor(fact.actor),
        "account": fact.account,
        "schedule": fact.schedule,
        "run": fact.run_id,
        "data": _json(fact.data),
        "detail_hash": entry.detail_hash,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def holds(holds: Sequence[Hold], now: datetime) -> Shape:
    """Holds, in force or past."""
    return _report("holds", at=instant(now), holds=[_hold(hold, now) for hold in holds])


def _hold(hold: Hold, now: datetime) -> Shape:
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
        "actor": _actor(hold.actor),
        "reason": hold.reason,
        "created_at": instant(hold.created_at),
        "expires_at": instant(hold.expires_at),
        "released_at": instant(hold.released_at),
        "in_force": hold.in_force(now),
    }


def next_runs(
    interval: Interval, slots: Sequence[datetime], warnings: Sequence[IntervalWarning] = ()
) -> Shape:
    """What an interval means."""
    return _report(
        "next_runs",
        interval=interval.text,
        canonical_interval=interval.canonical,
        words=interval.words,
        time_zone=interval.time_zone,
        slots=[instant(slot) for slot in slots],
        warnings=[{"key": warning.key, "text": warning.text} for warning in warnings],
    )


def effective(rows: Sequence[tuple[str, object, Place]]) -> Shape:
    """Every value of an effective account and where it is written."""
    return _report(
        "effective",
        settings=[
            {"path": path, "value": _json(value), "place": _place(place)} for path, value, place in rows
        ],
    )


def store_info(info: StoreInfo) -> Shape:
    """What and where the store is."""
    return _report(
        "store",
        store=info.kind,
        place=info.place,
        lineage=info.lineage,
        schema=info.schema,
        counts=dict(sorted(info.counts.items())),
        created=info.created,
    )


def _json(value: object) -> Any:
    """A value as JSON can hold it; what JSON has no word for becomes text."""
    if isinstance(value, datetime):
        return instant(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [
            _json(one) for one in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)
        ]
    return str(value)
