"""The last good roster read of an account, kept whole: a head as JSON and its chunks of keyed hashes.

One generation per account. It is replaced in one transaction, so that nobody ever reads half of two.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from gradesync.store import tables as t
from gradesync.store.database import Tx


def head(tx: Tx, account: str) -> str | None:
    """The head of the account's generation; None while there is none."""
    g = t.roster_generation.c
    found = tx.execute(select(g.head).where(g.account == account)).scalar_one_or_none()
    return None if found is None else str(found)


def chunk(tx: Tx, account: str, kind: str, school: str) -> bytes:
    """One chunk; empty when there is none."""
    c = t.roster_chunk.c
    mine = (c.account == account, c.kind == kind, c.school == school)
    return bytes(tx.execute(select(c.numbers).where(*mine)).scalar_one_or_none() or b"")


def keep(tx: Tx, account: str, head: str, chunks: Mapping[tuple[str, str], bytes]) -> None:
    """Replace the account's generation."""
    tx.execute(delete(t.roster_chunk).where(t.roster_chunk.c.account == account))
    rows = [
        {"account": account, "kind": kind, "school": school, "numbers": numbers}
        for (kind, school), numbers in chunks.items()
    ]
    if rows:
        tx.execute(insert(t.roster_chunk), rows)
    tx.execute(tx.upsert(t.roster_generation), {"account": account, "head": head, "at": tx.now()})


def forget(tx: Tx) -> None:
    """Drop all of them: under another key their hashes mean nothing."""
    tx.execute(delete(t.roster_chunk))
    tx.execute(delete(t.roster_generation))
