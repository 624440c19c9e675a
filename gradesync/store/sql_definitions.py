"""The verbs of the store over a database that concern definitions: read, applied, renamed, erased; and their commit.

Only the contract's surface stands here; no statement and no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gradesync.domain.action import Action
from gradesync.domain.definition import Recorded
from gradesync.domain.history import Fact
from gradesync.store import accounts, control, definitions, history
from gradesync.store.database import Database


class SqlDefinitions:
    """The part of `ports.Store` about definitions."""

    _db: Database

    def recorded(self, accounts: Iterable[str] | None = None) -> Recorded:
        """Recorded definitions, with next runs and whether a hold covers them now."""
        now = self._db.now()
        with self._db.read() as tx:
            held = control.holds(tx, now, include_past=False)
            return definitions.recorded(tx, accounts, held, control.get_meta(tx, "commit"))

    def apply_account(
        self,
        account: str,
        *,
        expected_revision: int | None,
        actions: Sequence[Action],
        facts: Sequence[Fact],
        commit: str | None,
        now: datetime,
    ) -> bool:
        """Apply one account's actions; False when the revision moved meanwhile."""
        with self._db.write() as tx:
            applied = definitions.apply(tx, account, expected_revision, actions, commit, now)
            if applied:
                history.append(tx, facts)
            return applied

    def advance_commit(self, commit: str, seen: str | None) -> bool:
        """Remember the commit whose tree is applied, if `seen` is still the last one."""
        with self._db.write() as tx:
            return control.advance_commit(tx, commit, seen)

    def origin(self, account: str) -> str:
        """The name the account's hashes are keyed with."""
        with self._db.read() as tx:
            return accounts.origin(tx, account)

    def forget_account(self, account: str, fact: Fact) -> Mapping[str, int] | None:
        """Erase what can be erased of an account that has left; None when it has not."""
        with self._db.write() as tx:
            erased = accounts.forget(tx, account)
            if erased is not None:
                history.append(tx, [replace(fact, data={**fact.data, "erased": dict(erased)})])
            return erased
