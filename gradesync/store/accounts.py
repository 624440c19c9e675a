"""What happens to an account as a whole: it takes another name, or what was kept of it is erased.

The history is never touched: entries stay in the chain of the name they were made under, and a renamed account
knows up to where those of its earlier names are its own.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table, and_, delete, func, select, update

from gradesync.domain.history import chain_of
from gradesync.store import tables as t
from gradesync.store.database import Tx

_STAYING = frozenset({"schedule", "run", "hold"})
"""What stays of an account whose data is erased; runs lose their texts."""


def _tables() -> list[Table]:
    """Every table whose rows belong to an account, but for leases. Runs come first: whoever ends one begins there."""
    found = [
        table for table in t.metadata.sorted_tables if "account" in table.c and table is not t.account_lease
    ]
    return sorted(found, key=lambda table: table is not t.run)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a chain: entries after `low`, up to `high` (None: all that follow)."""

    chain: str
    low: int = 0
    high: int | None = None


def rename(tx: Tx, old: str, new: str, revision: int | None) -> bool:
    """Everything kept of `old`, at its `revision`, is kept of `new` from now on.

    False, and nothing is changed, when it stands elsewhere by now, when `new` is taken, and while a run works in it.
    """
    a = t.account.c
    found = tx.execute(select(t.account).where(a.key == old).with_for_update())
    row = found.mappings().one_or_none()
    if row is None or row["revision"] != revision:
        return False
    if tx.execute(select(a.key).where(a.key == new)).one_or_none() is not None:
        return False
    if not _lease_moved(tx, old, new):
        return False
    values = dict(row)
    h = t.history_head.c
    seq = tx.execute(select(h.seq).where(h.chain == chain_of(old))).scalar_one_or_none() or 0
    formerly = [*json.loads(values["formerly"] or "[]"), [old, seq]]
    values |= {"key": new, "origin": values["origin"] or old, "formerly": json.dumps(formerly)}
    if not tx.insert_if_new(t.account, values):
        return False
    for table in (t.request, t.approval, t.alarm):
        # Wishes for a name that nobody bore until now are nobody's.
        tx.execute(delete(table).where(table.c.account == new))
    for table in _tables():
        tx.execute(update(table).where(table.c.account == old).values(account=new))
    # Slots that were claimed before their schedules were locked above have brought runs since.
    tx.execute(update(t.run).where(t.run.c.account == old).values(account=new))
    tx.execute(delete(t.account).where(a.key == old))
    return True


def _lease_moved(tx: Tx, old: str, new: str) -> bool:
    """The new name goes on with the higher epoch, and the old one keeps its own: epochs only grow. False: not free."""
    lease = t.account_lease.c
    # Made where it is missing: a first run must find it locked, not missing too.
    tx.execute(tx.insert_new(t.account_lease), {"account": old, "epoch": 0})
    rows = tx.execute(
        select(lease.account, lease.epoch, lease.run_id)
        .where(lease.account.in_((old, new)))
        .order_by(lease.account)
        .with_for_update()
    ).all()
    if any(row.run_id is not None for row in rows):
        return False
    epochs = {row.account: row.epoch for row in rows}
    if epochs:
        highest = max(epochs.values())
        tx.execute(tx.insert_new(t.account_lease), {"account": new, "epoch": highest})
        tx.execute(update(t.account_lease).where(lease.account == new).values(epoch=highest))
    return True


def origin_of_new(tx: Tx, key: str) -> str | None:
    """The origin of a new account: None for its own name, something fresh where a renamed account came from it."""
    a = t.account.c
    taken = tx.execute(select(func.count()).select_from(t.account).where(a.origin == key)).scalar_one()
    return f"{key}/{uuid.uuid4().hex}" if taken else None


def origin(tx: Tx, key: str) -> str:
    """What the account's hashes are keyed with: the name under which it was first recorded."""
    a = t.account.c
    return tx.execute(select(a.origin).where(a.key == key)).scalar_one_or_none() or key


def spans(tx: Tx, key: str) -> list[Span]:
    """Where the account's history stands: its own chain, and its part of the chains of its earlier names."""
    a = t.account.c
    low, earlier = 0, []
    for row in tx.execute(select(a.key, a.formerly).where(a.formerly.is_not(None))):
        for name, seq in json.loads(row.formerly):
            if row.key == key:
                earlier.append((name, seq))
            elif name == key:
                # Another account bore this name before: up to here the chain is that one's.
                low = max(low, seq)
    found = [Span(chain_of(key), low)]
    reached: dict[str, int] = {}
    for name, seq in earlier:
        found.append(Span(chain_of(name), reached.get(name, 0), seq))
        reached[name] = seq
    return found


def forget(tx: Tx, key: str) -> Mapping[str, int] | None:
    """Erase what can be erased of an account that has left; None for one that is live, unknown or worked in.

    Rows of runs stay with their counts, entries and their hashes stay in the history, which still verifies.
    """
    a, lease, r = t.account.c, t.account_lease.c, t.run.c
    retired = tx.execute(select(a.retired).where(a.key == key).with_for_update()).scalar_one_or_none()
    works = tx.execute(
        select(lease.run_id).where(lease.account == key).with_for_update()
    ).scalar_one_or_none()
    if not retired or works is not None:
        return None
    erased = {
        table.name: tx.execute(delete(table).where(table.c.account == key)).rowcount
        for table in _tables()
        if table.name not in _STAYING
    }
    erased["run texts"] = tx.execute(
        update(t.run)
        .where(r.account == key, r.vendor.is_not(None) | r.roster.is_not(None))
        .values(vendor=None, roster=None)
    ).rowcount
    d = t.history_detail.c
    erased["history details"] = 0
    for span in spans(tx, key):
        mine = [d.chain == span.chain, d.seq > span.low]
        if span.high is not None:
            mine.append(d.seq <= span.high)
        erased["history details"] += tx.execute(delete(t.history_detail).where(and_(*mine))).rowcount
    return erased
