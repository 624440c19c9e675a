"""Recorded definitions: read for a plan, and changed by one account's actions in one transaction.

The plan decides what an action means; here it only becomes rows. Nothing is ever deleted: what is retired keeps
its row, its runs, its history and its ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy import and_, delete, select, update

from gradesync.domain.action import Action, ActionKind
from gradesync.domain.definition import Recorded, RecordedAccount, RecordedSchedule
from gradesync.domain.hold import Hold, HoldKind, HoldsByAccount
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.ports import DueRow
from gradesync.store import accounts, control
from gradesync.store import tables as t
from gradesync.store.database import Tx
from gradesync.store.rows import definition_values, to_json

_MOVING = "moving/"
"""Prefix of a schedule's name in the middle of a move: no schedule can be called so, names hold no slash."""


def recorded(tx: Tx, accounts: Iterable[str] | None, holds: Sequence[Hold], commit: str | None) -> Recorded:
    """All or the named accounts; `holds` are those in force."""
    a, s = t.account.c, t.schedule.c
    account_query = select(a.key, a.text, a.digest, a.revision, a.retired, a.group_name).order_by(a.key)
    schedule_query = select(
        s.account, s.name, s.text, s.digest, s.next_run_at, s.retired, s.type
    ).order_by(s.account, s.name)  # fmt: skip
    if accounts is not None:
        keys = list(accounts)
        account_query = account_query.where(a.key.in_(keys))
        schedule_query = schedule_query.where(s.account.in_(keys))
    account_rows = tx.execute(account_query).all()
    groups = {row.key: row.group_name for row in account_rows} if holds else {}
    schedules: dict[str, dict[str, RecordedSchedule]] = {row.key: {} for row in account_rows}
    # Row by row costs a quarter more, and all rows at once twice the memory.
    rows = chain.from_iterable(tx.execute(schedule_query).partitions(500))
    by_account = HoldsByAccount(holds)
    for account, name, text, digest, next_run_at, retired, type_ in rows:
        held = stopped = False
        if holds:
            over = _over(by_account.of(account), ScheduleId(account, name), type_, groups.get(account))
            held, stopped = bool(over), any(hold.kind is HoldKind.OPERATOR for hold in over)
        schedules[account][name] = RecordedSchedule(
            account, name, text, digest, next_run_at, retired, held, stopped
        )
    return Recorded(
        accounts={
            row.key: RecordedAccount(
                row.key, row.text, row.digest, row.revision, schedules[row.key], row.retired
            )
            for row in account_rows
        },
        commit=commit,
        holds=tuple(holds),
    )


def _over(holds: Sequence[Hold], schedule: ScheduleId, type_: str, group: str | None) -> list[Hold]:
    return [hold for hold in holds if hold.scope.covers(schedule, SyncType(type_), group)]


def due_rows(tx: Tx, now: datetime, limit: int) -> list[DueRow]:
    """Schedules whose next run has come, longest due first."""
    s = t.schedule.c
    rows = tx.execute(
        select(s.account, s.name, s.text, s.next_run_at)
        .where(s.next_run_at <= now)
        .order_by(s.next_run_at, s.account, s.name)
        .limit(limit)
    )
    return [DueRow(ScheduleId(row.account, row.name), row.text, row.next_run_at) for row in rows]


def apply(
    tx: Tx,
    key: str,
    expected_revision: int | None,
    actions: Sequence[Action],
    commit: str | None,
    now: datetime,
) -> bool:
    """Turn actions into rows if the account still stands at `expected_revision` (None: does not exist yet).

    False too when the tree of another commit is being applied by now, and while a run works in a renamed account.
    """
    a = t.account.c
    if commit is not None and control.locked_commit(tx) not in (None, commit):
        return False
    old = next(
        (action.moved_from for action in actions if action.moved_from and action.schedule is None), None
    )
    if old is not None and not accounts.rename(tx, old, key, expected_revision):
        return False
    if expected_revision is None:
        fresh = {"key": key, "text": "{}", "digest": "", "revision": 0, "retired": False, "applied_at": now}
        fresh["origin"] = accounts.origin_of_new(tx, key)
        if not tx.insert_if_new(t.account, fresh):
            return False
    row = tx.execute(select(a.revision).where(a.key == key).with_for_update()).one_or_none()
    if row is None or row.revision != (expected_revision or 0):
        return False
    moves = [action for action in actions if action.moved_from is not None and action.schedule]
    if expected_revision is not None:
        _lock(tx, key, with_runs=bool(moves))
    _move(tx, key, moves)
    kept: list[dict[str, object]] = []
    values: dict[str, object] = {}
    leaves = False
    for action in actions:
        if action.kind is ActionKind.RETIRE:
            _retire(tx, key, action.schedule)
            leaves = leaves or action.schedule is None
        elif action.schedule is None:
            values = _account_values(action)
        else:
            kept.append(_schedule_values(action))
    if kept:
        columns = [name for name in kept[0] if name not in ("account", "name", "formerly")]
        tx.execute(tx.upsert(t.schedule, *columns), kept)
        values["retired"] = False
    if leaves:
        values["retired"] = True
    values |= {"revision": row.revision + 1, "applied_commit": commit, "applied_at": now}
    tx.execute(update(t.account).where(a.key == key).values(values))
    return True


def _lock(tx: Tx, key: str, *, with_runs: bool) -> None:
    """Lock what is about to change in the order of everybody else: a pass beside this one would wait crosswise."""
    r, s = t.run.c, t.schedule.c
    if with_runs:
        # Whoever ends a run locks the run before its schedule.
        open_ = r.state.in_(("queued", "running"))
        tx.execute(select(r.id).where(r.account == key, open_).order_by(r.id).with_for_update()).all()
    # Slots are claimed in this order, while actions come in that of the plan.
    tx.execute(select(s.name).where(s.account == key).order_by(s.account, s.name).with_for_update()).all()


def _account_values(action: Action) -> dict[str, object]:
    text = _text(action)
    group = json.loads(text).get("group")
    return {"text": text, "digest": action.digest, "group_name": group, "retired": False}


def _schedule_values(action: Action) -> dict[str, object]:
    text = _text(action)
    return {
        "account": action.account,
        "name": action.schedule,
        "text": text,
        "digest": action.digest,
        **definition_values(text),
        "next_run_at": action.next_run_after,
        "retired": False,
        "formerly": "[]",
    }


def _text(action: Action) -> str:
    if action.text is None or action.digest is None:
        raise ValueError(f"action `{action.kind}` on {action.subject} carries no definition")
    return action.text


def _retire(tx: Tx, key: str, name: str | None) -> None:
    """Retire one schedule, or (None) the account with all of them."""
    s = t.schedule.c
    statement = update(t.schedule).where(s.account == key).values(retired=True, next_run_at=None)
    if name is not None:
        statement = statement.where(s.name == name)
    tx.execute(statement)


def _move(tx: Tx, key: str, moves: Sequence[Action]) -> None:
    """Rename schedules in two steps, so that two of them may swap their names (a resume may move too)."""
    for action in moves:
        assert action.moved_from is not None
        assert action.schedule is not None
        _rename(tx, key, action.moved_from, _MOVING + action.schedule, formerly=action.moved_from)
    for action in moves:
        assert action.schedule is not None
        _rename(tx, key, _MOVING + action.schedule, action.schedule, formerly=None)


def _rename(tx: Tx, key: str, old: str, new: str, formerly: str | None) -> None:
    s = t.schedule.c
    row = tx.execute(select(s.formerly).where(s.account == key, s.name == old)).one_or_none()
    if row is None:
        return
    # Only a retired schedule can stand under the new name by now; its runs and its history stay under it.
    tx.execute(delete(t.schedule).where(s.account == key, s.name == new))
    tx.execute(delete(t.request).where(t.request.c.account == key, t.request.c.schedule == new))
    names = json.loads(row.formerly) + ([formerly] if formerly else [])
    tx.execute(
        update(t.schedule)
        .where(s.account == key, s.name == old)
        .values(name=new, formerly=to_json([name for name in dict.fromkeys(names) if name != new]))
    )
    for table in (t.hold, t.request):
        c = table.c
        tx.execute(update(table).where(c.account == key, c.schedule == old).values(schedule=new))
    # A slot both have run stays where it is: (schedule, slot) is unique.
    other = t.run.alias()
    taken = select(other.c.slot_key).where(and_(other.c.account == key, other.c.schedule == new))
    r = t.run.c
    tx.execute(
        update(t.run)
        .where(r.account == key, r.schedule == old, r.slot_key.not_in(taken))
        .values(schedule=new)
    )
