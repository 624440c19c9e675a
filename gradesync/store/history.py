"""Appending to and reading the history: one hash chain per account, its head locked in the same transaction.

Entries are only ever inserted; triggers refuse everything else. What an entry is and how its hash is made is the
domain's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, or_, select

from gradesync.domain.history import (
    CHECKPOINT,
    GENESIS_HASH,
    Fact,
    HistoryEntry,
    chain_of,
    heads_digest,
    seal,
)
from gradesync.store import accounts
from gradesync.store import tables as t
from gradesync.store.database import Database, Tx
from gradesync.store.facts import checkpoint_fact
from gradesync.store.rows import entry_of, entry_values, to_json

PAGE = 2000
"""Entries of a chain read at a time, so that verifying a long one needs little memory and no long transaction."""


def append(tx: Tx, facts: Sequence[Fact]) -> list[HistoryEntry]:
    """Append facts in their order; the heads are locked last of all rows and in the order of their names."""
    by_chain: dict[str, list[Fact]] = {}
    for fact in facts:
        by_chain.setdefault(chain_of(fact.account), []).append(fact)
    if not by_chain:
        return []
    now = tx.now()
    entries: list[HistoryEntry] = []
    heads: list[dict[str, object]] = []
    for head in _lock_heads(tx, sorted(by_chain)):
        # A database's clock may step back; the order within a chain must not.
        at, seq, previous = max(now, head.at), head.seq, head.hash
        for fact in by_chain[head.chain]:
            entry = seal(head.chain, seq + 1, at, fact, previous)
            entries.append(entry)
            seq, previous = entry.seq, entry.hash
        heads.append({"chain": head.chain, "seq": seq, "hash": previous, "at": at})
    tx.execute(t.history.insert(), [entry_values(entry) for entry in entries])
    details = [
        {"chain": entry.chain, "seq": entry.seq, "detail": to_json(entry.fact.detail)}
        for entry in entries
        if entry.fact.detail is not None
    ]
    if details:
        tx.execute(t.history_detail.insert(), details)
    tx.execute(tx.upsert(t.history_head), heads)
    return entries


def _lock_heads(tx: Tx, chains: Sequence[str]) -> list[Row[*tuple[Any, ...]]]:
    found = _locked(tx, chains) if len(chains) == 1 else []
    if len(found) == len(chains):
        return found
    # Missing heads are made before any is locked: two transactions over the same new chains would else wait for
    # each other.
    names = t.history_head.c.chain
    known = {row.chain for row in tx.execute(select(names).where(names.in_(chains)))}
    missing = [
        {"chain": chain, "seq": 0, "hash": GENESIS_HASH, "at": t.EPOCH}
        for chain in chains
        if chain not in known
    ]
    if missing:
        tx.execute(tx.insert_new(t.history_head), missing)
    return _locked(tx, chains)


def _locked(tx: Tx, chains: Sequence[str]) -> list[Row[*tuple[Any, ...]]]:
    h = t.history_head.c
    rows = tx.execute(
        select(h.chain, h.seq, h.hash, h.at).where(h.chain.in_(chains)).order_by(h.chain).with_for_update()
    )
    return list(rows)


def newest(tx: Tx, account: str | None, schedule: str | None, limit: int) -> list[HistoryEntry]:
    """Newest first, of all chains or one; a moved schedule is found under its earlier names too."""
    h = t.history.c
    query = _entries()
    mine = [] if account is None else accounts.spans(tx, account)
    if mine:
        query = query.where(or_(*[_within(span) for span in mine]))
    if schedule is not None:
        query = query.where(h.schedule.in_(_names(tx, account, schedule)))
    # Within a chain `seq` is the order of time, and an index has it ready.
    order = (h.seq.desc(),) if len(mine) == 1 else (h.at.desc(), h.chain, h.seq.desc())
    return [entry_of(row) for row in tx.execute(query.order_by(*order).limit(limit))]


def _within(span: accounts.Span) -> ColumnElement[bool]:
    h = t.history.c
    own = and_(h.chain == span.chain, h.seq > span.low)
    return own if span.high is None else and_(own, h.seq <= span.high)


def _names(tx: Tx, account: str | None, schedule: str) -> list[str]:
    s = t.schedule.c
    query = select(s.formerly).where(s.name == schedule)
    if account is not None:
        query = query.where(s.account == account)
    return [schedule, *(name for row in tx.execute(query) for name in json.loads(row.formerly))]


def _entries() -> Select[*tuple[Any, ...]]:
    h, d = t.history.c, t.history_detail.c
    joined = t.history.outerjoin(t.history_detail, and_(d.chain == h.chain, d.seq == h.seq))
    return select(*t.history.columns, d.detail).select_from(joined)


def chain(database: Database, name: str) -> Iterator[HistoryEntry]:
    """One chain from its beginning, page by page."""
    h = t.history.c
    last = -1
    while True:
        with database.read() as tx:
            query = _entries().where(h.chain == name, h.seq > last).order_by(h.seq).limit(PAGE)
            entries = [entry_of(row) for row in tx.execute(query)]
        yield from entries
        if len(entries) < PAGE:
            return
        last = entries[-1].seq


def heads(tx: Tx) -> Mapping[str, str]:
    """chain -> head hash; an empty hash for entries whose head has vanished, so that verifying sees them."""
    h, e = t.history_head.c, t.history.c
    found = {row.chain: row.hash for row in tx.execute(select(h.chain, h.hash).order_by(h.chain))}
    orphans = select(e.chain).distinct().where(e.chain.not_in(select(h.chain)))
    return {**found, **{row.chain: "" for row in tx.execute(orphans)}}


def checkpoint(tx: Tx) -> str:
    """Append one entry over all heads, if any head moved since the last one; answers its hash.

    Printed where the store cannot reach it (a CI log), that hash is the outside witness of the whole history.
    """
    name = chain_of(None)
    if tx.execute(select(t.history_head.c.chain).limit(1)).first() is None:
        return GENESIS_HASH
    # Locked before the others are read: two checkpoints at once would tell the chains' progress out of order.
    [own] = _lock_heads(tx, [name])
    h, c = t.history_head.c, t.checkpoint_head.c
    joined = t.history_head.outerjoin(t.checkpoint_head, c.chain == h.chain)
    rows = list(
        tx.execute(
            select(h.chain, h.seq, h.hash, c.seq.label("before")).select_from(joined).where(h.chain != name)
        )
    )
    heads_now = {row.chain: row.hash for row in rows}
    e = t.history.c
    last = tx.execute(select(e.what, e.data).where(e.chain == name, e.seq == own.seq)).one_or_none()
    if last is not None and last.what == CHECKPOINT and _same_heads(last.data, heads_now):
        return str(own.hash)
    moved = {row.chain: row.seq for row in rows if row.seq != row.before}
    [entry] = append(tx, [checkpoint_fact(heads_now, sum(row.seq for row in rows), moved)])
    if moved:
        tx.execute(tx.upsert(t.checkpoint_head), [{"chain": one, "seq": seq} for one, seq in moved.items()])
    return entry.hash


def _same_heads(data: str, heads_now: Mapping[str, str]) -> bool:
    return bool(json.loads(data)["heads"] == heads_digest(heads_now))


def purge(tx: Tx, before: datetime, account: str | None = None) -> int:
    """Erase the details of entries older than `before`; the entries and their hashes stay."""
    return tx.execute(delete(t.history_detail).where(_old(tx, before, account))).rowcount


def erasable(tx: Tx, before: datetime, account: str | None = None) -> int:
    """How many details a purge would erase."""
    count = select(func.count()).select_from(t.history_detail).where(_old(tx, before, account))
    return int(tx.execute(count).scalar_one())


def _old(tx: Tx, before: datetime, account: str | None) -> ColumnElement[bool]:
    h, d = t.history.c, t.history_detail.c
    old = select(h.seq).where(h.chain == d.chain, h.seq == d.seq, h.at < before)
    if account is not None:
        old = old.where(or_(*[_within(span) for span in accounts.spans(tx, account)]))
    return old.exists()
