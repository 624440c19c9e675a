"""The store in RAM: an account takes another name, or what was kept of it is erased."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from gradesync.domain.history import Fact, HistoryEntry, chain_of
from gradesync.domain.schedule import ScheduleId
from gradesync.store.memory.state import LeaseRow, MemoryState

T = TypeVar("T")
V = TypeVar("V")


class Accounts(MemoryState):
    """What happens to an account as a whole."""

    def origin(self, account: str) -> str:
        """The name the account's hashes are keyed with."""
        with self.lock:
            row = self.account_rows.get(account)
            return (row.origin if row is not None else None) or account

    def origin_of_new(self, account: str) -> str | None:
        """None for its own name, something fresh where a renamed account came from it."""
        taken = any(row.origin == account for row in self.account_rows.values())
        return f"{account}/{uuid.uuid4().hex}" if taken else None

    def rename_account(self, old: str, new: str) -> bool:
        """Everything kept of `old` is kept of `new`; False when `new` is taken, and while a run works in it."""
        leases = [self.lease_rows.get(name, LeaseRow()) for name in (old, new)]
        if new in self.account_rows or any(row.lease is not None for row in leases):
            return False
        row = self.account_rows.pop(old)
        row.origin = row.origin or old
        row.formerly = [*row.formerly, (old, len(self.history_chains.get(chain_of(old), ())))]
        self.account_rows[new] = row
        self.lease_rows[new] = LeaseRow(epoch=max(lease.epoch for lease in leases))
        self._rows_renamed(old, new)
        return True

    def _rows_renamed(self, old: str, new: str) -> None:
        def id_of(id_: ScheduleId) -> ScheduleId:
            return ScheduleId(new, id_.name) if id_.account == old else id_

        # Wishes for a name that nobody bore until now are nobody's.
        _dropped(self.request_rows, [id_ for id_ in self.request_rows if id_.account == new])
        _dropped(self.approval_rows, [key for key in self.approval_rows if key[0] == new])
        _dropped(self.alarm_rows, [key for key in self.alarm_rows if key.account == new])
        self.alarm_rows = {
            (moved := replace(key, account=new if key.account == old else key.account)): replace(
                row, key=moved
            )
            for key, row in self.alarm_rows.items()
        }
        self.schedule_rows = {id_of(id_): row for id_, row in self.schedule_rows.items()}
        self.run_rows = {
            key: replace(run, schedule=id_of(run.schedule)) for key, run in self.run_rows.items()
        }
        self.request_rows = {
            id_of(id_): replace(one, schedule=id_of(one.schedule)) for id_, one in self.request_rows.items()
        }
        self.approval_rows = {
            (new if key[0] == old else key[0], key[1]): replace(one, account=new) if key[0] == old else one
            for key, one in self.approval_rows.items()
        }
        for key, hold in self.hold_rows.items():
            if hold.scope.account == old:
                self.hold_rows[key] = replace(hold, scope=replace(hold.scope, account=new))
        self.event_rows = [(new if account == old else account, event) for account, event in self.event_rows]
        if old in self.generation_rows:
            self.generation_rows[new] = self.generation_rows.pop(old)
        self.ledger_rows = _renamed(self.ledger_rows, old, new)
        self.waiting_table = _renamed(self.waiting_table, old, new)
        self.term_rows = {
            (new if account == old else account, class_id): term
            for (account, class_id), term in self.term_rows.items()
        }
        self.watermark_rows = {
            (new if account == old else account, name): value
            for (account, name), value in self.watermark_rows.items()
        }

    def is_of(self, account: str, entry: HistoryEntry) -> bool:
        """Whether the entry is the account's: of its own chain, or of its part of the chain of an earlier name."""
        low = 0
        for key, row in self.account_rows.items():
            for name, seq in row.formerly:
                if key == account and entry.chain == chain_of(name) and entry.seq <= seq:
                    return True
                if key != account and name == account:
                    low = max(low, seq)
        return entry.chain == chain_of(account) and entry.seq > low

    def forget_account(self, account: str, fact: Fact) -> Mapping[str, int] | None:
        """Erase what can be erased of an account that has left; None when it has not."""
        with self.lock:
            row, lease = self.account_rows.get(account), self.lease_rows.get(account, LeaseRow())
            if row is None or not row.retired or lease.lease is not None:
                return None
            erased = self._rows_erased(account) | {"history details": self._details_erased(account)}
            self._append([replace(fact, data={**fact.data, "erased": erased})])
            return erased

    def _rows_erased(self, account: str) -> dict[str, int]:
        kept_events = [(whose, event) for whose, event in self.event_rows if whose != account]
        erased = {
            "request": _dropped(
                self.request_rows, [id_ for id_ in self.request_rows if id_.account == account]
            ),
            "approval": _dropped(
                self.approval_rows, [key for key in self.approval_rows if key[0] == account]
            ),
            "alarm": _dropped(self.alarm_rows, [key for key in self.alarm_rows if key.account == account]),
            "waiting": _dropped(self.waiting_table, [key for key in self.waiting_table if key[0] == account]),
            "ledger": _dropped(self.ledger_rows, [key for key in self.ledger_rows if key[0] == account]),
            "record_event": len(self.event_rows) - len(kept_events),
            "watermark": _dropped(
                self.watermark_rows, [key for key in self.watermark_rows if key[0] == account]
            ),
            "class_term": _dropped(self.term_rows, [key for key in self.term_rows if key[0] == account]),
            "roster_generation": int(account in self.generation_rows),
            "roster_chunk": len(self.generation_rows.pop(account, ("", {}))[1]),
        }
        self.event_rows = kept_events
        texts = 0
        for key, run in self.run_rows.items():
            if run.schedule.account == account and run.result is not None:
                said = run.result.vendor or run.result.roster
                texts += bool(said)
                self.run_rows[key] = replace(run, result=replace(run.result, vendor={}, roster=None))
        return {**erased, "run texts": texts}

    def _details_erased(self, account: str) -> int:
        erased = 0
        for chain in self.history_chains.values():
            for place, entry in enumerate(chain):
                if entry.fact.detail is not None and self.is_of(account, entry):
                    chain[place] = replace(entry, fact=replace(entry.fact, detail=None))
                    erased += 1
        return erased


def _renamed(table: dict[tuple[str, str, str], T], old: str, new: str) -> dict[tuple[str, str, str], T]:
    return {(new if key[0] == old else key[0], *key[1:]): value for key, value in table.items()}


def _dropped(table: dict[T, V], keys: list[T]) -> int:
    for key in keys:
        del table[key]
    return len(keys)
