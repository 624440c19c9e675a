"""Operators' wishes kept in the store: holds, requests, approvals; and the single facts of table `meta`.

Whether a hold blocks a start is decided in the domain; here it is only kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update

from gradesync.domain.approval import Approval
from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold, Request
from gradesync.domain.schedule import ScheduleId
from gradesync.store import history
from gradesync.store import tables as t
from gradesync.store.database import Prepared, Tx
from gradesync.store.rows import (
    approval_of,
    approval_values,
    hold_of,
    hold_values,
    oldest_request,
    request_of,
    request_values,
)


def add_hold(tx: Tx, hold: Hold, facts: Sequence[Fact]) -> None:
    """Keep a hold; the same hold twice is kept (and told) once."""
    if tx.insert_if_new(t.hold, hold_values(hold)):
        history.append(tx, facts)


def release_holds(tx: Tx, hold_ids: Sequence[str], at: datetime, facts: Sequence[Fact]) -> None:
    """End holds; nothing is told when all of them had been released already."""
    h = t.hold.c
    changed = tx.execute(
        update(t.hold).where(h.id.in_(list(hold_ids)), h.released_at.is_(None)).values(released_at=at)
    )
    if changed.rowcount:
        history.append(tx, facts)


def holds(tx: Tx, now: datetime, *, include_past: bool, account: str | None = None) -> list[Hold]:
    """Holds in force at `now`, or all of them; oldest first. `account` leaves out those of other accounts."""
    h = t.hold.c
    query = select(t.hold).order_by(h.created_at, h.id)
    if account is not None:
        query = query.where(or_(h.account.is_(None), h.account == account))
    if not include_past:
        query = query.where(
            or_(h.released_at.is_(None), h.released_at > now), or_(h.expires_at.is_(None), h.expires_at > now)
        )
    return [hold_of(row) for row in tx.execute(query)]


def expired_holds(tx: Tx, now: datetime) -> list[Hold]:
    """Holds whose time is over and of which nobody has said so yet; oldest first."""
    h = t.hold.c
    query = select(t.hold).where(h.released_at.is_(None), h.expires_at <= now).order_by(h.created_at, h.id)
    return [hold_of(row) for row in tx.execute(query)]


def try_hold(tx: Tx, hold_id: str, last: datetime | None, at: datetime, mark: str | None) -> bool:
    """Note that a breaker lets a run through; one caller alone is told yes for what it saw as the last time."""
    h = t.hold.c
    seen = h.tried_at.is_(None) if last is None else h.tried_at == last
    changed = tx.execute(
        update(t.hold).where(h.id == hold_id, h.released_at.is_(None), seen).values(tried_at=at, mark=mark)
    )
    return changed.rowcount == 1


def add_request(tx: Tx, request: Request, facts: Sequence[Fact]) -> bool:
    """Keep a request unless one is in force for the schedule."""
    q, s = t.request.c, t.schedule.c
    whose = (q.account == request.schedule.account, q.schedule == request.schedule.name)
    # A move takes requests along, and must meet none that comes up under the name meanwhile.
    named = (s.account == request.schedule.account, s.name == request.schedule.name)
    tx.execute(select(s.name).where(*named).with_for_update(read=True)).all()
    tx.execute(delete(t.request).where(*whose, q.created_at < oldest_request(tx.now())))
    if not tx.insert_if_new(t.request, request_values(request)):
        return False
    history.append(tx, facts)
    return True


def requests(tx: Tx, now: datetime) -> list[Request]:
    """Requests in force, oldest first."""
    q = t.request.c
    query = select(t.request).where(q.created_at >= oldest_request(now)).order_by(q.created_at, q.id)
    return [request_of(row) for row in tx.execute(query)]


def withdraw_request(tx: Tx, schedule: ScheduleId, facts: Sequence[Fact]) -> bool:
    """Forget the schedule's request; False when there is none."""
    q = t.request.c
    gone = tx.execute(delete(t.request).where(q.account == schedule.account, q.schedule == schedule.name))
    if not gone.rowcount:
        return False
    history.append(tx, facts)
    return True


def add_approval(tx: Tx, approval: Approval, facts: Sequence[Fact]) -> None:
    """Keep the consent to exactly what its digest covers; given again it counts from now on."""
    tx.execute(tx.upsert(t.approval), approval_values(approval))
    history.append(tx, facts)


def approvals(tx: Tx, account: str, now: datetime) -> list[Approval]:
    """Consents in force in the account, oldest first."""
    a = t.approval.c
    query = (
        select(t.approval).where(a.account == account, a.expires_at > now).order_by(a.created_at, a.digest)
    )
    return [approval_of(row) for row in tx.execute(query)]


COMMIT = "commit"
"""The fact of table `meta` that names the commit last applied."""

_META = Prepared(lambda _: select(t.meta.c.value).where(t.meta.c.key == bindparam("of_key")))


def get_meta(tx: Tx, key: str) -> str | None:
    """One fact about the store."""
    row = tx.run(_META, {"of_key": key}).one_or_none()
    return None if row is None else str(row.value)


def locked_commit(tx: Tx) -> str | None:
    """The commit last applied; whoever wants to move it on waits until this transaction has ended."""
    c = t.meta.c
    query = select(c.value).where(c.key == COMMIT).with_for_update(read=True)
    return tx.execute(query).scalar_one_or_none()


def advance_commit(tx: Tx, commit: str, seen: str | None) -> bool:
    """Move the applied commit from `seen` on to `commit`; False when it stands elsewhere by now."""
    if seen is None and tx.insert_if_new(t.meta, {"key": COMMIT, "value": commit}):
        return True
    c = t.meta.c
    moved = tx.execute(update(t.meta).where(c.key == COMMIT, c.value == seen).values(value=commit))
    return moved.rowcount == 1


def set_meta_once(tx: Tx, key: str, value: str) -> None:
    """Write one fact about the store; what is written already stays."""
    tx.insert_if_new(t.meta, {"key": key, "value": value})


def set_meta(tx: Tx, key: str, value: str) -> None:
    """Write one fact about the store."""
    tx.execute(tx.upsert(t.meta), {"key": key, "value": value})
