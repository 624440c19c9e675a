"""The right to run: claim, renew, finish, hand back, stop, unlock, and the fence every write of a run passes.

The account's lease row is locked first, always; the epoch only grows; who lost the lease writes nothing. No sync
is started here and no network is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, select, update

from gradesync.domain.history import Fact
from gradesync.domain.run import (
    Busy,
    ClaimAnswer,
    Claimed,
    Gone,
    Headway,
    Holder,
    Lease,
    Outcome,
    RunResult,
    RunState,
    Stage,
)
from gradesync.errors import AccountBusy, LeaseLost
from gradesync.store import history, runs
from gradesync.store import tables as t
from gradesync.store.database import Prepared, Tx
from gradesync.store.facts import abandoned_fact, outcome_of_lost
from gradesync.store.holder import is_over
from gradesync.store.rows import holder_of, lease_of, run_of

_FREE = {
    "run_id": None,
    "holder": None,
    "host": None,
    "pid": None,
    "process_start": None,
    "boot_id": None,
    "since": None,
    "until": None,
    "heard_at": None,
    "stage": None,
    "done": None,
    "total": None,
}


_OTHER = t.account.alias()
_IS_CALLED_OTHERWISE = and_(
    ~select(t.account.c.key).where(t.account.c.key == t.run.c.account).exists(),
    select(_OTHER.c.key).where(_OTHER.c.formerly.like('%"' + t.run.c.account + '"%')).exists(),
)
"""Of a run: its account was renamed. Who queued it by the old name must not work beside those of the new one."""


def claim(tx: Tx, run_id: str, holder: Holder, ttl: float, grace: float) -> ClaimAnswer:
    """Take lease and run in one transaction, or say why not."""
    r = t.run.c
    where = tx.execute(select(r.account).where(r.id == run_id)).one_or_none()
    if where is None:
        return Gone(run_id)
    lease = _lock(tx, where.account)
    now = tx.now()
    lost: list[Fact] = []
    if lease.run_id is not None:
        if not is_over(holder_of(lease), lease.until, now, grace):
            return Busy(lease_of(lease))
        # Both runs and both schedules in everybody's order: each of them may be changed below.
        runs.lock(tx, [run_id, lease.run_id])
        lost = abandon(tx, lease)
    answer = _take(tx, run_id, lease, holder, ttl)
    # Told last: who holds the history's head waits for no other row, or two could wait crosswise.
    history.append(tx, lost)
    return answer


def _take(tx: Tx, run_id: str, lease: Row[*tuple[Any, ...]], holder: Holder, ttl: float) -> Claimed | Gone:
    """Give the run the account's lease, which is locked and free."""
    r, now, epoch = t.run.c, tx.now(), lease.epoch + 1
    taken = tx.execute(
        update(t.run)
        # A rename may have come between the first look and the lock: then this is no account's lease any more.
        .where(
            r.id == run_id,
            r.account == lease.account,
            r.state == RunState.QUEUED.value,
            ~_IS_CALLED_OTHERWISE,
        )
        .values(state=RunState.RUNNING.value, attempt=r.attempt + 1, epoch=epoch, started_at=now)
    )
    if taken.rowcount != 1:
        return Gone(run_id)
    tx.execute(
        update(t.account_lease)
        .where(t.account_lease.c.account == lease.account)
        .values(
            epoch=epoch,
            run_id=run_id,
            holder=holder.name,
            host=holder.host,
            pid=holder.pid,
            process_start=holder.process_start,
            boot_id=holder.boot_id,
            since=now,
            until=now + timedelta(seconds=ttl),
            heard_at=now,
        )
    )
    run = run_of(tx.execute(select(t.run).where(r.id == run_id)).one())
    s = t.schedule.c
    tx.execute(
        update(t.schedule)
        .where(s.account == run.schedule.account, s.name == run.schedule.name, s.first_ran_at.is_(None))
        .values(first_ran_at=now)
    )
    return Claimed(run=run, epoch=epoch, ttl=ttl)


def _lock(tx: Tx, account: str) -> Row[*tuple[Any, ...]]:
    """The account's lease row, made if missing, locked until the end of the transaction."""
    query = select(t.account_lease).where(t.account_lease.c.account == account).with_for_update()
    row = tx.execute(query).one_or_none()
    if row is None:
        tx.execute(tx.insert_new(t.account_lease), {"account": account, "epoch": 0, **_FREE})
        row = tx.execute(query).one()
    return row


def abandon(tx: Tx, lease: Row[*tuple[Any, ...]]) -> list[Fact]:
    """Free a lease whose holder is gone; its run goes back to the queue. Answers what the history is to be told.

    A run that lost too many attempts, or that an operator had asked to stop, ends here.
    """
    r = t.run.c
    tx.execute(
        update(t.account_lease).where(t.account_lease.c.account == lease.account).values(**_FREE)
    )  # fmt: skip
    row = tx.execute(
        select(t.run).where(r.id == lease.run_id, r.state == RunState.RUNNING.value).with_for_update()
    ).one_or_none()
    if row is None:
        return []
    lost = row.abandoned + 1
    outcome = outcome_of_lost(lost, stop_asked=row.stop_asked)
    values: dict[str, object] = {"abandoned": lost}
    if outcome is None:
        values |= {"state": RunState.QUEUED.value, "started_at": None}
    tx.execute(update(t.run).where(r.id == row.id).values(values))
    if outcome is not None:
        runs.end(tx, row.id, RunResult(outcome, Stage.FETCH, codes={"GS-702": 1}))
    return [abandoned_fact(run_of(row).schedule.name, lease_of(lease), row.attempt, outcome)]


def renew(tx: Tx, account: str, epoch: int, ttl: float, headway: Headway | None) -> bool:
    """Extend the lease (never shorten it); False when it is lost or an operator asked to stop."""
    lease, r = t.account_lease.c, t.run.c
    mine = (lease.account == account, lease.epoch == epoch, lease.run_id.is_not(None))
    # Locked before the time is asked: the wait for the row must not count as time already granted.
    row = tx.execute(select(lease.until, lease.run_id).where(*mine).with_for_update()).one_or_none()
    if row is None:
        return False
    if tx.execute(select(r.id).where(r.id == row.run_id, r.stop_asked)).one_or_none() is not None:
        return False
    values: dict[str, object] = {
        "until": max(row.until, tx.now() + timedelta(seconds=ttl)),
        "heard_at": tx.now(),
    }
    if headway is not None:
        values |= {"stage": headway.stage, "done": headway.done, "total": headway.total}
    return tx.execute(update(t.account_lease).where(*mine).values(values)).rowcount == 1


_LOCKED_LEASE = Prepared(
    lambda _: (
        select(t.account_lease.c.epoch, t.account_lease.c.run_id)
        .where(t.account_lease.c.account == bindparam("of_account"))
        .with_for_update()
    )
)


def fence(tx: Tx, claimed: Claimed) -> None:
    """Lock the lease row; raises LeaseLost unless it is still this run's."""
    row = tx.run(_LOCKED_LEASE, {"of_account": claimed.run.schedule.account}).first()
    if row is None or tuple(row) != (claimed.epoch, claimed.run.id):
        raise lost(claimed)


def lost(claimed: Claimed) -> LeaseLost:
    """The error of a write that came too late."""
    return LeaseLost(
        f"Run {claimed.run.id} of {claimed.run.schedule} lost its lease (epoch {claimed.epoch})",
        hint="Somebody else works in the account now; nothing was written.",
    )


def _free(tx: Tx, claimed: Claimed) -> None:
    lease = t.account_lease.c
    freed = tx.execute(
        update(t.account_lease)
        .where(
            lease.account == claimed.run.schedule.account,
            lease.epoch == claimed.epoch,
            lease.run_id == claimed.run.id,
        )
        .values(**_FREE)
    )
    if freed.rowcount != 1:
        raise lost(claimed)


def finish(tx: Tx, claimed: Claimed, result: RunResult, facts: Sequence[Fact]) -> None:
    """Free the lease and end the run, both or nothing."""
    _free(tx, claimed)
    r = t.run.c
    mine = (r.epoch == claimed.epoch, r.state == RunState.RUNNING.value)
    if not runs.end(tx, claimed.run.id, result, *mine):
        raise lost(claimed)
    history.append(tx, facts)


def hand_back(tx: Tx, claimed: Claimed) -> None:
    """Free the lease and queue the run again; one that an operator asked to stop ends instead."""
    _free(tx, claimed)
    r = t.run.c
    mine = (r.epoch == claimed.epoch, r.state == RunState.RUNNING.value)
    if runs.end(tx, claimed.run.id, RunResult(Outcome.STOPPED, Stage.FETCH, codes={"GS-708": 1}), *mine,
                r.stop_asked):  # fmt: skip
        return
    changed = tx.execute(
        update(t.run)
        .where(r.id == claimed.run.id, *mine)
        .values(state=RunState.QUEUED.value, started_at=None)
    )
    if changed.rowcount != 1:
        raise lost(claimed)


def stop(tx: Tx, run_id: str, facts: Sequence[Fact]) -> bool:
    """End a queued run as `stopped`, or ask a running one to stop; False when it has ended."""
    r = t.run.c
    queued = r.state == RunState.QUEUED.value
    stopped = RunResult(Outcome.STOPPED, Stage.FETCH, codes={"GS-708": 1})
    asked = runs.end(tx, run_id, stopped, queued) or (
        tx.execute(
            update(t.run)
            .where(r.id == run_id, r.state == RunState.RUNNING.value, ~r.stop_asked)
            .values(stop_asked=True)
        ).rowcount
        == 1
    )
    if asked:
        history.append(tx, facts)
    return asked


def unlock(tx: Tx, account: str, facts: Sequence[Fact]) -> bool:
    """Take a lease away as if its holder had died; False when the account is free."""
    lease = _lock(tx, account)
    if lease.run_id is None:
        return False
    history.append(tx, [*abandon(tx, lease), *facts])
    return True


def in_force(tx: Tx, now: datetime, grace: float) -> list[Lease]:
    """Leases whose holder may still work, with the schedule each of them runs."""
    c, r = t.account_lease.c, t.run.c
    rows = tx.execute(
        select(t.account_lease, r.schedule)
        .join(t.run, r.id == c.run_id, isouter=True)
        .where(c.run_id.is_not(None))
        .order_by(c.account)
    )
    return [
        replace(lease_of(row), schedule=row.schedule or "")
        for row in rows
        if not is_over(holder_of(row), row.until, now, grace)
    ]


def require_none(tx: Tx, grace: float) -> None:
    """Raise AccountBusy while any run works; until this transaction ends none can begin."""
    if not tx.on_sqlite:
        # Rows alone would leave room for an account that has none yet.
        tx.connection.exec_driver_sql("LOCK TABLE account_lease IN EXCLUSIVE MODE")
    busy = [lease.account for lease in in_force(tx, tx.now(), grace)]
    if busy:
        more = f" and in {len(busy) - 3} more" if len(busy) > 3 else ""
        raise AccountBusy(
            f"A run is at work in {', '.join(busy[:3])}{more}",
            hint="Wait for it, or `gradesync stop` it; pause what starts passes meanwhile.",
        )
