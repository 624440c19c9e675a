"""The history's facts and its hash chain: what happened, who caused it, and proof that nothing was changed since.

One chain per account and one more (`account` None) for facts without an account. Pure: the store appends, this
room only says what an entry is and how its hash is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gradesync.domain.run import Actor

GENESIS_HASH = "0" * 64
"""What the first entry of a chain names as its predecessor."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, not yet appended. `what` is a stable key such as `schedule created`.

    `data` holds counts, codes, fields and instants as JSON values: never names, person ids, titles or scores.
    `detail` is erasable text kept beside the chain; only its hash is covered.
    """

    what: str
    actor: Actor
    account: str | None = None
    schedule: str | None = None
    run_id: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A fact as appended: `seq` counts from 1 within its chain; `hash` covers everything and the entry before."""

    chain: str
    seq: int
    at: datetime
    fact: Fact
    detail_hash: str | None
    previous: str
    hash: str


def chain_of(account: str | None) -> str:
    """The chain's name: the account's key, or `-` for facts without one (no account can be called so)."""
    return account if account is not None else "-"


def detail_hash(detail: str | None) -> str | None:
    """Hash of the erasable part; purging the detail leaves it in place, so the chain still verifies."""
    return None if detail is None else hashlib.sha256(detail.encode()).hexdigest()


def entry_hash(chain: str, seq: int, at: datetime, fact: Fact, detail: str | None, previous: str) -> str:
    """SHA-256 over the canonical JSON of everything in the entry, `detail` being the detail's hash."""
    body = json.dumps(
        {
            "chain": chain,
            "seq": seq,
            "at": at.isoformat(timespec="microseconds"),
            "what": fact.what,
            "actor": fact.actor.name,
            "via": fact.actor.via,
            "schedule": fact.schedule,
            "run": fact.run_id,
            "data": fact.data,
            "detail": detail,
            "previous": previous,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(body.encode()).hexdigest()


def seal(chain: str, seq: int, at: datetime, fact: Fact, previous: str) -> HistoryEntry:
    """Make the entry that follows `previous` in its chain."""
    detail = detail_hash(fact.detail)
    return HistoryEntry(
        chain=chain,
        seq=seq,
        at=at,
        fact=fact,
        detail_hash=detail,
        previous=previous,
        hash=entry_hash(chain, seq, at, fact, detail, previous),
    )
