"""Verifying the whole history of a store: every chain, and the last checkpoint against what is there now.

Reads only; works on any store of the contract, so that it judges all of them alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.history import CHECKPOINT, ChainFault, chain_of, verify_chain
from gradesync.ports import Store
from gradesync.store.facts import heads_digest


def verify_history(store: Store) -> list[ChainFault]:
    """All faults, at most one per chain and one of the last checkpoint; empty when everything fits.

    A checkpoint counts the entries it saw: fewer now means that a chain was cut together with its head, which the
    chain alone cannot show. As long as there are no more, their heads must be the ones it saw: a chain written anew
    from somewhere on fits itself, and not its checkpoint.
    """
    faults: list[ChainFault] = []
    lengths: dict[str, int] = {}
    checkpoint: Mapping[str, object] = {}
    heads = dict(store.chains())
    for chain, head in sorted(heads.items()):
        entries = []
        for entry in store.chain(chain):
            entries.append(entry)
            lengths[chain] = entry.seq
            if entry.fact.what == CHECKPOINT and chain == chain_of(None):
                checkpoint = entry.fact.data
        fault = verify_chain(chain, entries, head)
        if fault is not None:
            faults.append(fault)
    fault = _checkpoint_fault(checkpoint, heads, lengths)
    return [*faults, fault] if fault is not None else faults


def _checkpoint_fault(
    checkpoint: Mapping[str, object], heads: Mapping[str, str], lengths: Mapping[str, int]
) -> ChainFault | None:
    """What of the last checkpoint no longer fits; None when nothing can be said against it."""
    own = chain_of(None)
    seen = checkpoint.get("entries")
    if not isinstance(seen, int):
        return None  # no checkpoint yet, or one that was changed, which its chain has told
    present = sum(length for chain, length in lengths.items() if chain != own)
    if present < seen:
        return ChainFault(own, 0, f"the last checkpoint saw {seen} entries, now there are {present}")
    others = {chain: head for chain, head in heads.items() if chain != own}
    if present == seen and heads_digest(others) != checkpoint.get("heads"):
        return ChainFault(own, 0, "the entries are not the ones the last checkpoint saw")
    return None
