"""The store in RAM: the same contract without a file, for trying things out and for tests of the rooms above.

It ships with the package and passes the same conformance suite as the databases; it ends with its process.
"""

from __future__ import annotations

from gradesync.ports import StoreInfo
from gradesync.store.memory.alarms import Alarms
from gradesync.store.memory.control import Control
from gradesync.store.memory.definitions import Definitions
from gradesync.store.memory.terms import Terms
from gradesync.store.memory.work import Work


class MemoryStore(Definitions, Work, Control, Alarms, Terms):
    """`ports.Store` in RAM; safe to use from several threads of one process. `lease_grace` is in seconds."""

    def info(self, *, counted: bool = False) -> StoreInfo:
        """What the store holds."""
        with self.lock:
            counts = {
                "account": len(self.account_rows),
                "schedule": len(self.schedule_rows),
                "run": len(self.run_rows),
                "history": sum(len(chain) for chain in self.history_chains.values()),
                "ledger": len(self.ledger_rows),
                "waiting": len(self.waiting_table),
            }
        return StoreInfo("memory", "memory", self._lineage, "", counts if counted else {}, created=True)

    def close(self) -> None:
        """Nothing to give back."""
