"""The part of the store on SQLite and PostgreSQL that keeps alarms: one verb, one transaction. No rule stands here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gradesync.domain.alarm import Alarm, AlarmChange, AlarmKey
from gradesync.domain.history import Fact
from gradesync.store import alarms, history
from gradesync.store.database import Database


class SqlAlarms:
    """What each rule was told, and when passes ended."""

    _db: Database

    def alarms(self) -> Sequence[Alarm]:
        """Everything that stands, or whose end was not told yet."""
        with self._db.read() as tx:
            return alarms.alarms(tx)

    def swap_alarms(self, changes: Sequence[AlarmChange]) -> frozenset[AlarmKey]:
        """Carry out each change whose row stands as it was seen."""
        if not changes:
            return frozenset()
        with self._db.write() as tx:
            return alarms.swap(tx, changes)

    def passes(self) -> Sequence[datetime]:
        """When the last passes ended."""
        with self._db.read() as tx:
            return alarms.passes(tx)

    def note_pass(self, at: datetime) -> None:
        """Remember that a pass ended."""
        with self._db.write() as tx:
            alarms.note_pass(tx, at)

    def frozen(self) -> Mapping[str, datetime]:
        """Accounts whose file has problems, and since when."""
        with self._db.read() as tx:
            return alarms.frozen(tx)

    def note_frozen(self, frozen: Mapping[str, datetime], facts: Sequence[Fact]) -> None:
        """Remember them, with the facts."""
        with self._db.write() as tx:
            alarms.note_frozen(tx, frozen)
            history.append(tx, facts)
