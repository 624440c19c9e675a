"""Alarms of the store in RAM, and when passes ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gradesync.domain.alarm import Alarm, AlarmChange, AlarmKey
from gradesync.domain.alarm_passes import with_pass
from gradesync.domain.history import Fact
from gradesync.store.memory.state import MemoryState


class Alarms(MemoryState):
    """What each rule was told of each cause."""

    def alarms(self) -> Sequence[Alarm]:
        """All rows, by key."""
        with self.lock:
            return sorted(self.alarm_rows.values(), key=lambda row: row.key)

    def swap_alarms(self, changes: Sequence[AlarmChange]) -> frozenset[AlarmKey]:
        """Carry out each change whose row stands as it was seen."""
        with self.lock:
            return frozenset(change.key for change in changes if self._swapped(change))

    def _swapped(self, change: AlarmChange) -> bool:
        stands = self.alarm_rows.get(change.key)
        if (stands and stands.turn) != (change.before and change.before.turn):
            return False
        if change.after is None:
            del self.alarm_rows[change.key]
        else:
            self.alarm_rows[change.key] = change.after
        return True

    def passes(self) -> Sequence[datetime]:
        """When the last passes ended."""
        with self.lock:
            return self.pass_ends

    def note_pass(self, at: datetime) -> None:
        """Remember that a pass ended."""
        with self.lock:
            self.pass_ends = with_pass(self.pass_ends, at)

    def frozen(self) -> Mapping[str, datetime]:
        """Accounts whose file has problems, and since when."""
        with self.lock:
            return dict(self.frozen_since)

    def note_frozen(self, frozen: Mapping[str, datetime], facts: Sequence[Fact]) -> None:
        """Remember them, with the facts."""
        with self.lock:
            self.frozen_since = dict(frozen)
            self._append(facts)
