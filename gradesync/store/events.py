"""The life of single records as appended events: what was done to a record, when, in which run.

Keyed subjects and keyed hashes of values only. Nothing here changes an event; it is dropped when it is older than a
school year, or with the key that made its hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select

from gradesync.domain.record import EVENTS_KEPT, PastEvent, RecordEvent
from gradesync.domain.run import Claimed
from gradesync.store import tables as t
from gradesync.store.database import Prepared, Tx

CHUNK = 500
"""Subjects per SELECT: databases limit the number of parameters."""

_COLUMNS = tuple(column.name for column in t.record_event.columns if column.name != "seq")
_APPEND = Prepared(lambda _: insert(t.record_event).values(dict.fromkeys(_COLUMNS)))


def append(tx: Tx, claimed: Claimed, events: Sequence[RecordEvent], key_id: str | None) -> None:
    """Append what happened in the run, at this transaction's time."""
    at = t.micros_of(tx.now())
    account, run_id = claimed.run.schedule.account, claimed.run.id
    tx.run(
        _APPEND,
        *(
            {
                "account": account,
                "subject": event.subject,
                "at": at,
                "run_id": run_id,
                "class_id": event.class_id,
                "what": event.what,
                "code": event.code,
                "value": event.value,
                "key_id": key_id,
            }
            for event in events
        ),
    )


def of_subjects(tx: Tx, account: str, subjects: Sequence[str]) -> list[PastEvent]:
    """The events of the named records, oldest first."""
    e = t.record_event.c
    found = []
    for at in range(0, len(subjects), CHUNK):
        query = select(e.subject, e.class_id, e.what, e.code, e.value, e.at, e.run_id, e.seq).where(
            e.account == account, e.subject.in_(subjects[at : at + CHUNK])
        )
        found += list(tx.execute(query))
    found.sort(key=lambda row: row.seq)
    return [PastEvent(RecordEvent(*row[:5]), row[5], row[6]) for row in found]


def purge(tx: Tx, before: datetime, account: str | None = None) -> int:
    """Drop events older than `before`, and those older than a school year in any case."""
    return tx.execute(delete(t.record_event).where(*_old(tx, before, account))).rowcount


def erasable(tx: Tx, before: datetime, account: str | None = None) -> int:
    """How many events a purge would drop."""
    count = select(func.count()).select_from(t.record_event).where(*_old(tx, before, account))
    return int(tx.execute(count).scalar_one())


def _old(tx: Tx, before: datetime, account: str | None) -> tuple[ColumnElement[bool], ...]:
    e = t.record_event.c
    old = (e.at < max(before, tx.now() - EVENTS_KEPT),)
    return old if account is None else (*old, e.account == account)
