"""What one pass knows while it works: the accounts it reads, and what it will report.

Shared by `slots` (what is owed becomes queued runs) and `runs` (queued runs are carried out). No decision here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from gradesync.domain.definition import RecordedAccount
from gradesync.domain.due import Block
from gradesync.domain.report import RunEnd
from gradesync.domain.run import Lease
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.runner import EffectiveAccount, effective
from gradesync.engine.tools import Tools


@dataclass
class PassState:
    """One pass under way; `only` limits it to accounts. What it meets is collected for the report."""

    tools: Tools
    only: frozenset[str] | None
    ends: list[RunEnd] = field(default_factory=list)
    busy: dict[str, Lease] = field(default_factory=dict)
    blocked: dict[ScheduleId, tuple[Block, ...]] = field(default_factory=dict)
    missed: dict[ScheduleId, int] = field(default_factory=dict)
    enqueued: int = 0
    left: int = 0
    over: int = 0
    _accounts: dict[str, EffectiveAccount | None] = field(default_factory=dict)

    def concerns(self, account: str) -> bool:
        """Whether the pass looks at the account at all."""
        return self.only is None or account in self.only

    def load(self, keys: Collection[str]) -> None:
        """Read the recorded definitions of accounts that were not read yet."""
        missing = [key for key in keys if key not in self._accounts]
        if missing:
            recorded = self.tools.store.recorded(missing).accounts
            for key in missing:
                self._accounts[key] = _usable(recorded.get(key))

    def account(self, key: str) -> EffectiveAccount | None:
        """An account that was loaded; None when nothing usable is recorded of it."""
        return self._accounts.get(key)

    def account_anew(self, key: str) -> EffectiveAccount | None:
        """The account as it is recorded at this moment."""
        self._accounts.pop(key, None)
        self.load({key})
        return self._accounts[key]


def _usable(recorded: RecordedAccount | None) -> EffectiveAccount | None:
    return effective(recorded) if recorded is not None and recorded.text else None
