"""The waiting rows: what was not sent, why, and since when.

A row keeps its `since` while the record waits for the same code. Keyed subjects and codes only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select

from gradesync.domain.record import WaitingRecord, WaitingRow
from gradesync.store import tables as t
from gradesync.store.database import Prepared, Tx

_W = t.waiting.c
_OF_CLASS = (_W.account == bindparam("of_account"), _W.class_id == bindparam("of_class"))
_IN_CLASS = Prepared(lambda _: select(_W.subject, _W.code, _W.assignment_id, _W.since).where(*_OF_CLASS))
_WAITS = Prepared(lambda tx: tx.upsert(t.waiting))
_GONE = Prepared(lambda _: delete(t.waiting).where(*_OF_CLASS, _W.subject == bindparam("gone")))


def in_class(tx: Tx, account: str, class_id: str) -> dict[str, WaitingRow]:
    """What waits in the class, by subject."""
    rows = tx.rows(_IN_CLASS, {"of_account": account, "of_class": class_id})
    return {
        row[0]: WaitingRow(WaitingRecord(row[0], class_id, row[1], row[2]), t.instant_of(row[3]))
        for row in rows
    }


def replace(
    tx: Tx,
    account: str,
    class_id: str,
    records: Sequence[WaitingRecord],
    *,
    over: Iterable[str] | None,
    standing: Mapping[str, WaitingRow] | None = None,
) -> None:
    """Let `records` wait. `over` names subjects that wait no longer unless they are in `records`; None means all.

    What stands already is read first, unless the caller knows it, and only the difference is written: most classes
    at most ticks differ in nothing, and then this is one SELECT at most.
    """
    if standing is None:
        standing = in_class(tx, account, class_id)
    wanted = {record.subject: record for record in records}
    gone = (standing if over is None else standing.keys() & set(over)) - wanted.keys()
    if gone:
        place = {"of_account": account, "of_class": class_id}
        tx.run(_GONE, *({**place, "gone": subject} for subject in sorted(gone)))
    changed = [
        record
        for record in wanted.values()
        if (row := standing.get(record.subject)) is None or row.record != record
    ]
    if changed:
        now = tx.now()
        tx.run(_WAITS, *(_values(account, record, standing.get(record.subject), now) for record in changed))


def _values(
    account: str, record: WaitingRecord, row: WaitingRow | None, now: datetime
) -> Mapping[str, object]:
    since = row.since if row is not None and row.record.code == record.code else now
    return {
        "account": account,
        "class_id": record.class_id,
        "subject": record.subject,
        "code": record.code,
        "assignment_id": record.assignment_id,
        "since": t.micros_of(since),
    }


def of_account(tx: Tx, account: str, codes: Collection[str] | None) -> list[WaitingRow]:
    """Everything that waits in the account (for one of `codes`), oldest first."""
    query = (
        select(_W.subject, _W.class_id, _W.code, _W.assignment_id, _W.since)
        .where(_W.account == account)
        .order_by(_W.since, _W.class_id, _W.subject)
    )
    if codes is not None:
        query = query.where(_W.code.in_(sorted(codes)))
    return [WaitingRow(WaitingRecord(*row[:4]), row[4]) for row in tx.execute(query)]


def counts(tx: Tx, account: str | None) -> Mapping[tuple[str, str], int]:
    """(account, code) -> records waiting."""
    query = select(_W.account, _W.code, func.count()).group_by(_W.account, _W.code)
    if account is not None:
        query = query.where(_W.account == account)
    return {(row[0], row[1]): row[2] for row in tx.execute(query)}


def oldest(tx: Tx, account: str | None) -> Mapping[tuple[str, str], datetime]:
    """(account, code) -> when the oldest record began to wait for it."""
    query = select(_W.account, _W.code, func.min(_W.since)).group_by(_W.account, _W.code)
    if account is not None:
        query = query.where(_W.account == account)
    return {(row[0], row[1]): row[2] for row in tx.execute(query)}
