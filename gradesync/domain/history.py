"""The history's facts and its hash chain: what happened, who caused it, and proof that nothing was changed since.

One chain per account and one more (`account` None) for facts without an account. Pure: the store appends, this
room only says what an entry is and how its hash is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gradesync.domain.run import Actor

GENESIS_HASH = "0" * 64
"""What the first entry of a chain names as its predecessor."""


CHECKPOINT = "checkpoint"
"""`what` of an entry over the heads of all chains (`data`: their digest, `chains`, `entries` in all)."""


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


def entry_values(
    chain: str, seq: int, at: datetime, fact: Fact, detail: str | None, previous: str
) -> dict[str, object]:
    """Everything an entry's hash covers, as JSON values; `detail` is the detail's hash."""
    return {
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
    }


def canonical_json(values: Mapping[str, object]) -> str:
    """The one text of a JSON object: keys in the order of their characters, no blanks, no character escaped without
    need. docs/history-file.md says it for those who write it anew."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_of(values: Mapping[str, object]) -> str:
    """SHA-256 over the canonical JSON, in UTF-8."""
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()


def entry_hash(chain: str, seq: int, at: datetime, fact: Fact, detail: str | None, previous: str) -> str:
    """The hash over everything in the entry, `detail` being the detail's hash."""
    return hash_of(entry_values(chain, seq, at, fact, detail, previous))


def heads_digest(heads: Mapping[str, str]) -> str:
    """What a checkpoint says of all other chains' heads: SHA-256 over the canonical JSON of chain -> hash."""
    return hash_of(dict(heads))


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


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first place where a chain does not verify; `seq` 0 speaks of the chain as a whole."""

    chain: str
    seq: int
    what: str


def verify_chain(chain: str, entries: Iterable[HistoryEntry], head: str) -> ChainFault | None:
    """Walk a chain from its beginning; None when every entry, every link and the head fit.

    Only the first fault is told: whatever follows a changed entry cannot be judged. A purged detail is no fault, a
    detail that differs from its hash is.
    """
    previous, seq = GENESIS_HASH, 0
    for entry in entries:
        seq += 1
        fault = _entry_fault(entry, seq, previous)
        if fault is not None:
            return ChainFault(chain, seq, fault)
        previous = entry.hash
    if head != previous:
        return ChainFault(chain, seq, "the last entries are missing, or the recorded head was changed")
    return None


def _entry_fault(entry: HistoryEntry, seq: int, previous: str) -> str | None:
    if entry.seq != seq:
        return f"entry {seq} is missing"
    if entry.previous != previous:
        return "the entry does not follow the one before it"
    made = entry_hash(entry.chain, entry.seq, entry.at, entry.fact, entry.detail_hash, entry.previous)
    if made != entry.hash:
        return "the entry was changed"
    if entry.fact.detail is not None and detail_hash(entry.fact.detail) != entry.detail_hash:
        return "the entry's detail was changed"
    return None
