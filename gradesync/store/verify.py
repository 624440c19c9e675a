"""Verifying the whole history of a store: every chain, and the last checkpoint against what is there now.

Reads only; works on any store of the contract, so that it judges all of them alike.
"""

from __future__ import annotations

from gradesync.domain.history import CHECKPOINT, ChainFault, chain_of, verify_chain
from gradesync.ports import Store


def verify_history(store: Store) -> list[ChainFault]:
    """All faults, at most one per chain and one of the last checkpoint; empty when everything fits.

    A checkpoint counts the entries it saw: fewer now means that a chain was cut together with its head, which the
    chain alone cannot show.
    """
    faults: list[ChainFault] = []
    lengths: dict[str, int] = {}
    seen_by_checkpoint = 0
    for chain, head in sorted(store.chains().items()):
        entries = []
        for entry in store.chain(chain):
            entries.append(entry)
            lengths[chain] = entry.seq
            if entry.fact.what == CHECKPOINT and chain == chain_of(None):
                seen_by_checkpoint = int(str(entry.fact.data.get("entries", 0)))
        fault = verify_chain(chain, entries, head)
        if fault is not None:
            faults.append(fault)
    present = sum(length for chain, length in lengths.items() if chain != chain_of(None))
    if present < seen_by_checkpoint:
        what = f"the last checkpoint saw {seen_by_checkpoint} entries, now there are {present}"
        faults.append(ChainFault(chain_of(None), 0, what))
    return faults
