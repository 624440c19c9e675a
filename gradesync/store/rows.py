"""Between rows and domain values: how a run, a lease, a hold, a request and an entry are kept.

Pure conversions, no statement and no rule; the one constant is how long a request lives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row

from gradesync.domain.approval import Approval
from gradesync.domain.history import Fact, HistoryEntry
from gradesync.domain.hold import REQUEST_LIFE, Hold, HoldKind, HoldScope, Request
from gradesync.domain.run import (
    Actor,
    Headway,
    Holder,
    Lease,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
)
from gradesync.domain.schedule import ScheduleId, SyncType

if TYPE_CHECKING:
    from gradesync.domain.roster_change import RosterChange

_E = TypeVar("_E", bound=StrEnum)


def to_json(value: object) -> str:
    """JSON text in ASCII with sorted keys; ASCII so that every character survives every database."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def run_values(run: Run) -> dict[str, object]:
    """A new run's row."""
    return {
        "id": run.id,
        "account": run.schedule.account,
        "schedule": run.schedule.name,
        "type": run.type.value,
        "slot_key": run.slot_key,
        "slot_at": run.slot_at,
        "trigger": run.trigger.value,
        "mode": run.mode.value,
        "actor": run.actor.name,
        "via": run.actor.via,
        "state": run.state.value,
        "created_at": run.created_at,
        "attempt": run.attempt,
        "abandoned": 0,
        "epoch": run.epoch,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "late_by": run.late_by,
        "class_filter": run.class_filter,
        "reason": run.reason,
        "stop_asked": False,
        **result_values(run.result),
    }


def result_values(result: RunResult | None) -> dict[str, object]:
    """The columns a result fills; all NULL without one."""
    if result is None:
        return dict.fromkeys(("outcome", "stage", "counts", "codes", "vendor", "roster"))
    return {
        "outcome": result.outcome.value,
        "stage": result.stage.value,
        # A stage's time is of the run as its counts are, under a name that no count has.
        "counts": to_json(
            {**result.counts, **{f"{SECONDS}{stage}": spent for stage, spent in result.seconds.items()}}
        ),
        # An answer's key is its code and more, so that both share one column.
        "codes": to_json({**result.codes, **result.answers}),
        "vendor": to_json(dict(result.vendor)) if result.vendor else None,
        "roster": result.roster.to_text() if result.roster is not None else None,
    }


def _by_value(kind: type[_E]) -> Mapping[str, _E]:
    """Calling an enum costs five times as much as this, and `list` reads a run for every schedule."""
    return {member.value: member for member in kind}


TYPES, TRIGGERS, MODES, STATES = (
    _by_value(SyncType),
    _by_value(Trigger),
    _by_value(Mode),
    _by_value(RunState),
)
OUTCOMES, STAGES = _by_value(Outcome), _by_value(Stage)

_RUN_COLUMNS = 27


def run_of(row: Row[*tuple[Any, ...]]) -> Run:
    """The run in a row that begins with the columns of table `run`, in their order."""
    # By place, not by name: asking a row by name costs more than making the run.
    id_, account, schedule, type_, slot_key, slot_at, trigger, mode, actor, via, state, *rest = row[
        :_RUN_COLUMNS
    ]
    created_at, attempt, _, epoch, started_at, ended_at, late_by, class_filter, reason, _, *result = rest
    return Run(
        id=id_,
        schedule=ScheduleId(account, schedule),
        type=TYPES[type_],
        slot_key=slot_key,
        slot_at=slot_at,
        trigger=TRIGGERS[trigger],
        mode=MODES[mode],
        actor=Actor(actor, via),
        state=STATES[state],
        created_at=created_at,
        attempt=attempt,
        epoch=epoch,
        started_at=started_at,
        ended_at=ended_at,
        late_by=late_by,
        result=None if result[0] is None else _result_of(*result),
        class_filter=class_filter,
        reason=reason,
    )


def _result_of(
    outcome: str, stage: str, counts: str, codes: str, vendor: str | None, roster: str | None
) -> RunResult:
    found, counted = _numbers(codes), _numbers(counts)
    # Only answers of the other side are written with a blank in their key, and few runs met any.
    answered = " " in codes
    seconds: dict[str, float] = {}
    if SECONDS in counts:
        seconds = {key.removeprefix(SECONDS): n for key, n in counted.items() if key.startswith(SECONDS)}
        counted = {key: n for key, n in counted.items() if not key.startswith(SECONDS)}
    return RunResult(
        outcome=OUTCOMES[outcome],
        stage=STAGES[stage],
        counts=counted,
        codes={key: n for key, n in found.items() if " " not in key} if answered else found,
        vendor=json.loads(vendor) if vendor else {},
        answers={key: n for key, n in found.items() if " " in key} if answered else {},
        roster=_roster_of(roster) if roster else None,
        seconds=seconds,
    )


SECONDS = "seconds of "
"""Begins the name under which a stage's time is kept among a run's counts."""

_READ = json.JSONDecoder().raw_decode


def _numbers(text: str) -> dict[str, int]:
    """What `to_json` wrote of counts; a page reads tens of thousands, so nothing is asked of the text twice."""
    read: dict[str, int] = _READ(text)[0] if text != "{}" else {}
    return read


def _roster_of(text: str) -> RosterChange:
    from gradesync.domain.roster_change import RosterChange  # few runs carry one, and `list` reads many

    return RosterChange.from_text(text)


def lease_of(row: Row[*tuple[Any, ...]]) -> Lease:
    """The lease in a row that is not free."""
    return Lease(
        account=row.account,
        epoch=row.epoch,
        run_id=row.run_id,
        holder=row.holder,
        since=row.since,
        until=row.until,
        host=row.host,
        heard_at=row.heard_at,
        headway=Headway(row.stage, row.done, row.total) if row.stage else None,
    )


def holder_of(row: Row[*tuple[Any, ...]]) -> Holder:
    """The holder in a lease row that is not free."""
    return Holder(
        name=row.holder,
        host=row.host,
        pid=row.pid,
        process_start=row.process_start,
        boot_id=row.boot_id,
    )


def hold_values(hold: Hold) -> dict[str, object]:
    """A hold's row."""
    return {
        "id": hold.id,
        "account": hold.scope.account,
        "schedule": hold.scope.schedule,
        "group_name": hold.scope.group,
        "type": hold.scope.type.value if hold.scope.type else None,
        "actor": hold.actor.name,
        "via": hold.actor.via,
        "reason": hold.reason,
        "created_at": hold.created_at,
        "expires_at": hold.expires_at,
        "released_at": hold.released_at,
        "kind": hold.kind.value,
        "mark": hold.mark,
        "code": hold.code,
        "tried_at": hold.tried_at,
    }


def hold_of(row: Row[*tuple[Any, ...]]) -> Hold:
    """The hold in a row."""
    return Hold(
        id=row.id,
        scope=HoldScope(row.account, row.schedule, row.group_name, SyncType(row.type) if row.type else None),
        actor=Actor(row.actor, row.via),
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        kind=HoldKind(row.kind),
        released_at=row.released_at,
        mark=row.mark,
        code=row.code,
        tried_at=row.tried_at,
    )


def request_values(request: Request) -> dict[str, object]:
    """A request's row."""
    return {
        "account": request.schedule.account,
        "schedule": request.schedule.name,
        "id": request.id,
        "actor": request.actor.name,
        "via": request.actor.via,
        "mode": request.mode.value,
        "created_at": request.created_at,
        "reason": request.reason,
    }


def request_of(row: Row[*tuple[Any, ...]]) -> Request:
    """The request in a row."""
    return Request(
        id=row.id,
        schedule=ScheduleId(row.account, row.schedule),
        actor=Actor(row.actor, row.via),
        mode=Mode(row.mode),
        created_at=row.created_at,
        reason=row.reason,
    )


def approval_values(approval: Approval) -> dict[str, object]:
    """An approval's row."""
    return {
        "account": approval.account,
        "digest": approval.digest,
        "run_id": approval.run_id,
        "actor": approval.actor.name,
        "via": approval.actor.via,
        "reason": approval.reason,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
    }


def approval_of(row: Row[*tuple[Any, ...]]) -> Approval:
    """The approval in a row."""
    return Approval(
        account=row.account,
        digest=row.digest,
        run_id=row.run_id,
        actor=Actor(row.actor, row.via),
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def entry_values(entry: HistoryEntry) -> dict[str, object]:
    """An entry's row, without the erasable detail."""
    return {
        "chain": entry.chain,
        "seq": entry.seq,
        "at": entry.at,
        "what": entry.fact.what,
        "actor": entry.fact.actor.name,
        "via": entry.fact.actor.via,
        "schedule": entry.fact.schedule,
        "run_id": entry.fact.run_id,
        "data": to_json(dict(entry.fact.data)),
        "detail_hash": entry.detail_hash,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def entry_of(row: Row[*tuple[Any, ...]]) -> HistoryEntry:
    """The entry in a row of `history` joined with its detail (None once purged)."""
    fact = Fact(
        what=row.what,
        actor=Actor(row.actor, row.via),
        account=None if row.chain == "-" else row.chain,
        schedule=row.schedule,
        run_id=row.run_id,
        data=_data_of(row.data),
        detail=None if row.detail is None else _detail_of(row.detail),
    )
    return HistoryEntry(
        chain=row.chain,
        seq=row.seq,
        at=row.at,
        fact=fact,
        detail_hash=row.detail_hash,
        previous=row.previous,
        hash=row.hash,
    )


def _data_of(text: str) -> Mapping[str, object]:
    """An entry's data. What somebody has spoilt must not hide the rest: its hash tells that it was changed."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": True}


def _detail_of(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return "(unreadable)"


def definition_values(text: str) -> Mapping[str, object]:
    """The columns `list` filters by, read from a schedule's canonical text."""
    d = json.loads(text)
    posted_by = d.get("posted_by")
    return {
        "type": str(d.get("type", "")),
        "interval_text": str(d.get("interval", "")),
        "time_zone": str(d.get("time_zone", "")),
        "posted_by": None if posted_by is None else str(posted_by),
    }


def oldest_request(now: datetime) -> datetime:
    """Requests made before this instant are over."""
    return now - REQUEST_LIFE
