"""Verifying the whole history of a store: every chain, and the last checkpoint against what is there now.

Reads only; works on any store of the contract, so that it judges all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradesync.domain.checkpoint import Progress, Witnessed
from gradesync.domain.history import CHECKPOINT, ChainFault, HistoryEntry, chain_of, verify_chain
from gradesync.ports import Store


def verify_history(store: Store) -> list[ChainFault]:
    """All faults, at most one per chain and one of the last checkpoint; empty when everything fits.

    The last checkpoint is made again from the entries: a chain cut together with its head, or written anew from
    somewhere on, fits itself and not its checkpoint.
    """
    faults: list[ChainFault] = []
    own = chain_of(None)
    progress = Progress()
    last: list[Witnessed | None] = [None]

    def met(entries: Iterator[HistoryEntry]) -> Iterator[HistoryEntry]:
        for entry in entries:
            if entry.chain == own and entry.fact.what == CHECKPOINT:
                last[0] = progress.read(entry.at.isoformat(), entry.fact.data)
            elif entry.chain != own and last[0] is not None:
                last[0].meet(entry.chain, entry.seq, entry.hash)
            yield entry

    # The checkpoints come first: what they say is asked of every other chain.
    for chain, head in sorted(store.chains().items(), key=lambda one: (one[0] != own, one[0])):
        entries = met(iter(store.chain(chain)))
        fault = verify_chain(chain, entries, head)
        if fault is not None:
            faults.append(fault)
            # Whatever follows the fault was there too, and the checkpoint counts it.
            for _ in entries:
                pass
    what = last[0].fault() if last[0] is not None else None
    return [*faults, ChainFault(own, 0, what)] if what is not None else faults
