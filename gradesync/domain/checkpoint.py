"""What a checkpoint proves: that every chain held just these entries when it was made.

Each checkpoint tells a digest over all other chains' heads, and how far the chains have come that grew since the one
before; so, read in order, every one of them can be made again from the entries. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradesync.domain.history import heads_digest


@dataclass
class Progress:
    """Reads the checkpoints in their order; knows how far every chain had come at the last one read."""

    positions: dict[str, int] = field(default_factory=dict)

    def read(self, at: str, data: Mapping[str, Any]) -> Witnessed | None:
        """One checkpoint more; None when it cannot be made again, because it is not whole."""
        moved = data.get("moved")
        if not isinstance(moved, Mapping) or not all(isinstance(seq, int) for seq in moved.values()):
            return None
        self.positions |= {str(chain): seq for chain, seq in moved.items()}
        return Witnessed(at, data, self.positions)


@dataclass
class Witnessed:
    """One checkpoint, and what was met of the entries it saw."""

    at: str
    data: Mapping[str, Any]
    positions: Mapping[str, int]
    lengths: dict[str, int] = field(default_factory=dict)
    met: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Later checkpoints move on from here, and this one stays what it was.
        self.positions = dict(self.positions)

    def meet(self, chain: str, seq: int, entry_hash: str) -> None:
        """An entry that is there, in the order of its chain."""
        last = self.positions.get(chain, 0)
        if seq <= last:
            self.lengths[chain] = seq
            if seq == last:
                self.met[chain] = entry_hash

    def fault(self) -> str | None:
        """What no longer fits, once every entry was met; None when the checkpoint can be made again."""
        seen, present = self.data.get("entries"), sum(self.lengths.values())
        if seen != present:
            return f"the checkpoint of {self.at} saw {seen} entries, now there are {present} of them"
        if heads_digest(self.met) != self.data.get("heads"):
            return f"the entries are not the ones the checkpoint of {self.at} saw"
        return None


__all__ = ["Progress", "Witnessed"]
