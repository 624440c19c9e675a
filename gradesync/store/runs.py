"""Run rows outside a lease: slots claimed once, queued runs, requests turned into runs, and reading them.

Exactly once is the unique key on schedule and slot plus the comparison with the stored next run; nothing here
starts a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, select, text, update

from gradesync.domain.history import Fact
from gradesync.domain.run import Mode, Outcome, Run, RunResult, RunState, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import RunQuery, SlotClaim
from gradesync.store import history
from gradesync.store import tables as t
from gradesync.store.database import Tx
from gradesync.store.facts import was_full
from gradesync.store.holder import is_over
from gradesync.store.rows import holder_of, result_values, run_of, run_values

CHUNK = 500


def claim_slots(tx: Tx, claims: Sequence[SlotClaim]) -> list[Run]:
    """Advance the schedules still standing at the expected slot and insert their runs; the rest is left out."""
    # Rows are locked in one global order, so that two passes wait for each other instead of embracing.
    ordered = sorted(claims, key=lambda claim: (claim.schedule, claim.expected))
    won: list[SlotClaim] = []
    for at in range(0, len(ordered), CHUNK):
        won += _still_due(tx, ordered[at : at + CHUNK])
    if not won:
        return []
    _advance(tx, won)
    inserted = _insert(tx, [claim.run for claim in won if claim.run is not None])
    facts = [
        fact
        for claim in won
        if claim.run is None or claim.run.id in inserted
        for fact in claim.facts
    ]  # fmt: skip
    history.append(tx, facts)
    return [claim.run for claim in claims if claim.run is not None and claim.run.id in inserted]


def _still_due(tx: Tx, claims: Sequence[SlotClaim]) -> list[SlotClaim]:
    s = t.schedule.c
    accounts = sorted({claim.schedule.account for claim in claims})
    rows = tx.execute(
        select(s.account, s.name, s.next_run_at)
        .where(s.account.in_(accounts), s.next_run_at.is_not(None))
        .order_by(s.account, s.name)
        .with_for_update()
    )
    standing = {ScheduleId(row.account, row.name): row.next_run_at for row in rows}
    return [claim for claim in claims if standing.pop(claim.schedule, None) == claim.expected]


def _advance(tx: Tx, won: Sequence[SlotClaim]) -> None:
    s = t.schedule.c
    tx.execute(
        update(t.schedule)
        .where(s.account == bindparam("key_account"), s.name == bindparam("key_name"))
        .values(next_run_at=bindparam("advanced")),
        [
            {
                "key_account": claim.schedule.account,
                "key_name": claim.schedule.name,
                "advanced": claim.next_run_at,
            }
            for claim in won
        ],
    )


def _insert(tx: Tx, new: Sequence[Run]) -> set[str]:
    """Insert runs whose slot is free; answers the ids really inserted."""
    if not new:
        return set()
    statement = tx.insert_new(t.run).returning(t.run.c.id)
    return {row.id for row in tx.execute(statement, [run_values(one) for one in new])}


def add_run(tx: Tx, new: Run, facts: Sequence[Fact]) -> bool:
    """Queue one run; False when its slot key exists."""
    if not _insert(tx, [new]):
        return False
    history.append(tx, facts)
    return True


def take_request(tx: Tx, request_id: str, new: Run, facts: Sequence[Fact]) -> bool:
    """Replace a request by a queued run; False when the request is gone."""
    q = t.request
    # Under the name it is run by: one that a rename has moved is the next pass's.
    whose = (q.c.account == new.schedule.account, q.c.schedule == new.schedule.name)
    found = tx.execute(select(q.c.id).where(q.c.id == request_id, *whose).with_for_update())
    if found.one_or_none() is None:
        return False
    if not _insert(tx, [new]):
        return False
    tx.execute(q.delete().where(q.c.id == request_id))
    history.append(tx, facts)
    return True


def queued(tx: Tx, accounts: Iterable[str] | None, now: datetime, grace: float) -> list[Run]:
    """Queued runs, and running ones whose lease is over; oldest first."""
    r, lease = t.run.c, t.account_lease.c
    joined = t.run.outerjoin(t.account_lease, and_(lease.account == r.account, lease.run_id == r.id))
    query = select(*t.run.columns, *(lease[name] for name in _HOLDER)).select_from(joined).where(_OPEN)
    if accounts is not None:
        # Few runs are open and many are an account's; SQLite would begin with the account.
        whose = literal_column("+run.account") if tx.on_sqlite else r.account
        query = query.where(whose.in_(list(accounts)))
    # Sorted here: asked for in order, SQLite would rather go through every run there ever was.
    found = sorted(tx.execute(query), key=lambda row: (row.created_at, row.id))
    return [
        run_of(row)
        for row in found
        if row.state == RunState.QUEUED or row.until is None or is_over(holder_of(row), row.until, now, grace)
    ]


_OPEN = text(f"run.state IN ('{RunState.QUEUED.value}', '{RunState.RUNNING.value}')")
"""Written out: the condition of the partial index, which a database cannot see behind a parameter."""

_HOLDER = ("holder", "host", "pid", "process_start", "boot_id", "until")


def skip(tx: Tx, run_ids: Sequence[str], facts: Sequence[Fact]) -> None:
    """End queued runs as `skipped`; facts about runs that were not queued any more are left out."""
    skipped = RunResult(Outcome.SKIPPED, Stage.FETCH)
    queued = t.run.c.state == RunState.QUEUED.value
    # Every run before any schedule, and those in the order in which slots are claimed: two never wait crosswise.
    ended = [run_id for run_id in sorted(run_ids) if _ended(tx, run_id, skipped, queued)]
    if ended:
        _lock_schedules_of(tx, ended)
        for run_id in ended:
            _make_latest(tx, run_id, skipped)
        history.append(tx, [fact for fact in facts if fact.run_id is None or fact.run_id in ended])


def end(tx: Tx, run_id: str, result: RunResult, *conditions: object) -> bool:
    """End the run if the conditions hold, and make it its schedule's latest; False when they do not.

    A skipped run looked at nothing: it never takes the place of a run that says how things stand.
    """
    if not _ended(tx, run_id, result, *conditions):
        return False
    _make_latest(tx, run_id, result)
    return True


def _ended(tx: Tx, run_id: str, result: RunResult, *conditions: object) -> bool:
    r = t.run.c
    changed = tx.execute(
        update(t.run)
        .where(r.id == run_id, *conditions)  # type: ignore[arg-type]  # column comparisons are typed as bool
        .values(state=RunState.ENDED.value, ended_at=tx.now(), **result_values(result))
    )
    return changed.rowcount == 1


def lock(tx: Tx, run_ids: Sequence[str]) -> None:
    """Lock runs, then their schedules, as everybody does who needs more than one."""
    r = t.run.c
    tx.execute(select(r.id).where(r.id.in_(run_ids)).order_by(r.id).with_for_update()).all()
    _lock_schedules_of(tx, run_ids)


def _lock_schedules_of(tx: Tx, run_ids: Sequence[str]) -> None:
    r, s = t.run.c, t.schedule.c
    for at in range(0, len(run_ids), CHUNK):
        whose = and_(s.account == r.account, s.name == r.schedule)
        query = select(s.name).join(t.run, whose).where(r.id.in_(run_ids[at : at + CHUNK]))
        tx.execute(query.order_by(s.account, s.name).with_for_update(of=t.schedule)).all()


def _make_latest(tx: Tx, run_id: str, result: RunResult) -> None:
    r, s = t.run.c, t.schedule.c
    whose = select(r.account, r.schedule, r.mode, r.started_at, r.class_filter).where(r.id == run_id)
    row = tx.execute(whose).one()
    values: dict[str, object] = {"last_run_id": run_id}
    if was_full(Mode(row.mode), row.class_filter, result) and row.started_at is not None:
        values["last_full_at"] = row.started_at
    schedule = update(t.schedule).where(s.account == row.account, s.name == row.schedule)
    if result.outcome is Outcome.SKIPPED:
        schedule = schedule.where(s.last_run_id.is_(None))
    tx.execute(schedule.values(values))


_ID_LENGTH = 32
"""Hexadecimal digits of a run's id."""


def read(tx: Tx, query: RunQuery) -> list[Run]:
    """Runs newest first."""
    r = t.run.c
    statement = select(t.run).order_by(r.created_at.desc(), r.id.desc()).limit(query.limit)
    for column, value in ((r.account, query.account), (r.schedule, query.schedule), (r.id, query.run_id)):
        if value is not None:
            statement = statement.where(column == value)
    if query.id_begins is not None:
        # Between two whole ids, which the primary key answers on both databases whatever their sort order.
        first, last = (query.id_begins.ljust(_ID_LENGTH, digit) for digit in "0f")
        statement = statement.where(r.id.between(first, last))
    return [run_of(row) for row in tx.execute(statement)]


def counted(tx: Tx, accounts: Iterable[str] | None) -> Mapping[str, int]:
    """How many runs are recorded of each account."""
    r = t.run.c
    query = select(r.account, func.count().label("number")).group_by(r.account)
    if accounts is not None:
        query = query.where(r.account.in_(list(accounts)))
    return {row.account: row.number for row in tx.execute(query)}


def last(tx: Tx, accounts: Iterable[str] | None) -> Mapping[ScheduleId, Run]:
    """The latest ended run of each schedule."""
    s, r = t.schedule.c, t.run.c
    query = (
        select(*t.run.columns, s.name.label("now_called"))
        .select_from(t.schedule.join(t.run, r.id == s.last_run_id))
        .order_by(s.account, s.name)
    )
    if accounts is not None:
        query = query.where(s.account.in_(list(accounts)))
    return {ScheduleId(row.account, row.now_called): run_of(row) for row in tx.execute(query)}


def first(tx: Tx, accounts: Iterable[str] | None) -> Mapping[ScheduleId, datetime]:
    """When each schedule first really ran."""
    s = t.schedule.c
    query = select(s.account, s.name, s.first_ran_at).where(s.first_ran_at.is_not(None))
    if accounts is not None:
        query = query.where(s.account.in_(list(accounts)))
    return {ScheduleId(row.account, row.name): row.first_ran_at for row in tx.execute(query)}


def last_full(tx: Tx, accounts: Iterable[str] | None) -> Mapping[ScheduleId, datetime]:
    """When each schedule last started a full run that worked."""
    s = t.schedule.c
    query = select(s.account, s.name, s.last_full_at).where(s.last_full_at.is_not(None))
    if accounts is not None:
        query = query.where(s.account.in_(list(accounts)))
    return {ScheduleId(row.account, row.name): row.last_full_at for row in tx.execute(query)}


def old_texts(before: datetime, account: str | None) -> tuple[ColumnElement[bool], ...]:
    """Which runs hold other systems' words, or what was found in a roster, from before an instant."""
    r = t.run.c
    old = (r.ended_at < before, r.vendor.is_not(None) | r.roster.is_not(None))
    return old if account is None else (*old, r.account == account)


def with_old_texts(tx: Tx, before: datetime, account: str | None) -> int:
    """How many runs these are."""
    count = select(func.count()).select_from(t.run).where(*old_texts(before, account))
    return int(tx.execute(count).scalar_one())
