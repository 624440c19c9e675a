"""Alarms kept in the store, and when passes ended. What is told to whom is decided in the domain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from gradesync.domain.alarm import Alarm, AlarmChange, AlarmKey
from gradesync.domain.alarm_passes import with_pass
from gradesync.store import tables as t
from gradesync.store.control import get_meta, set_meta
from gradesync.store.database import Tx
from gradesync.store.tables import instant_of, micros_of

_PASSES = "passes"
"""The fact of table `meta` that holds when the last passes ended: whole microseconds, as JSON."""

_FROZEN = "frozen"
"""The fact that holds which accounts are frozen: whole microseconds since when, by account, as JSON."""


def alarms(tx: Tx) -> list[Alarm]:
    """All rows, by key."""
    a = t.alarm.c
    query = select(t.alarm).order_by(a.rule, a.kind, a.account, a.subject)
    return [_alarm(row._mapping) for row in tx.execute(query)]  # noqa: SLF001 - a row's public name for its mapping


def swap(tx: Tx, changes: Sequence[AlarmChange]) -> frozenset[AlarmKey]:
    """Carry out the changes whose rows stand as they were seen. In the order of keys: two never wait crosswise."""
    ordered = sorted(changes, key=lambda change: change.key)
    return frozenset(change.key for change in ordered if _swapped(tx, change))


def _swapped(tx: Tx, change: AlarmChange) -> bool:
    before, after = change.before, change.after
    if before is None:
        return after is not None and tx.insert_if_new(t.alarm, _values(after))
    a, key = t.alarm.c, before.key
    seen = (a.rule == key.rule, a.kind == key.kind, a.account == key.account, a.subject == key.subject)
    if after is None:
        return tx.execute(delete(t.alarm).where(*seen, a.turn == before.turn)).rowcount == 1
    changed = tx.execute(update(t.alarm).where(*seen, a.turn == before.turn).values(**_values(after)))
    return changed.rowcount == 1


def passes(tx: Tx) -> tuple[datetime, ...]:
    """When the last passes ended, oldest first."""
    return tuple(instant_of(one) for one in json.loads(get_meta(tx, _PASSES) or "[]"))


def note_pass(tx: Tx, at: datetime) -> None:
    """Remember that a pass ended. Two that end at once may leave one behind: the next is a minute away."""
    set_meta(tx, _PASSES, json.dumps([micros_of(one) for one in with_pass(passes(tx), at)]))


def frozen(tx: Tx) -> dict[str, datetime]:
    """Accounts whose file has problems in the tree applied last, and since when."""
    return {key: instant_of(at) for key, at in json.loads(get_meta(tx, _FROZEN) or "{}").items()}


def note_frozen(tx: Tx, since: Mapping[str, datetime]) -> None:
    """Remember which accounts are frozen now. Of two passes that end at once the later one is right about it."""
    set_meta(tx, _FROZEN, json.dumps({key: micros_of(at) for key, at in sorted(since.items())}))


def _values(row: Alarm) -> dict[str, Any]:
    return {
        "rule": row.key.rule,
        "kind": row.key.kind,
        "account": row.key.account,
        "subject": row.key.subject,
        "turn": row.turn,
        "text": row.text,
        "raised_at": row.raised_at,
        "news_at": row.news_at,
        "told_at": row.told_at,
        "ended_at": row.ended_at,
        "claimed_until": row.claimed_until,
        "tried_at": row.tried_at,
        "attempts": row.attempts,
    }


def _alarm(row: Any) -> Alarm:
    key = AlarmKey(row["rule"], row["kind"], row["account"], row["subject"])
    rest = {name: row[name] for name in _REST}
    return Alarm(key, **rest)


_REST = (
    *("turn", "text", "raised_at", "news_at", "told_at", "ended_at"),
    *("claimed_until", "tried_at", "attempts"),
)
