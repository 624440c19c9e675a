"""What the store in RAM holds, and the parts every verb needs: the clock, the history, the fence.

No verb of the contract stands here.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gradesync.domain.alarm import Alarm, AlarmKey
from gradesync.domain.approval import Approval
from gradesync.domain.class_terms import ClassTerm
from gradesync.domain.history import (
    GENESIS_HASH,
    Fact,
    HistoryEntry,
    chain_of,
    detail_hash,
    entry_hash,
)
from gradesync.domain.hold import Hold, Request
from gradesync.domain.record import LedgerEntry, PastEvent, WaitingRow
from gradesync.domain.run import Claimed, Holder, Lease, Outcome, Run, RunResult, RunState
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import LeaseLost, StoreUnavailable
from gradesync.ports import Clock
from gradesync.store.facts import was_full
from gradesync.store.holder import is_over


@dataclass(slots=True)
class ScheduleRow:
    """One recorded schedule."""

    text: str
    digest: str
    next_run_at: datetime | None
    retired: bool = False
    first_ran_at: datetime | None = None
    last_run_id: str | None = None
    last_full_at: datetime | None = None
    formerly: list[str] = field(default_factory=list)

    @property
    def type(self) -> str:
        """The sync type's text."""
        return str(json.loads(self.text).get("type", ""))


@dataclass(slots=True)
class AccountRow:
    """One recorded account."""

    text: str = "{}"
    digest: str = ""
    revision: int = 0
    retired: bool = False
    origin: str | None = None
    formerly: list[tuple[str, int]] = field(default_factory=list)

    @property
    def group(self) -> str | None:
        """The group the account stands in."""
        group = json.loads(self.text).get("group")
        return None if group is None else str(group)


@dataclass(slots=True)
class LeaseRow:
    """An account's lease; `lease` None means free, `epoch` only grows."""

    epoch: int = 0
    lease: Lease | None = None
    holder: Holder | None = None

    def is_over(self, now: datetime, grace: float) -> bool:
        """Whether a lease that is not free has ended."""
        assert self.lease is not None
        assert self.holder is not None
        return is_over(self.holder, self.lease.until, now, grace)

    def free(self) -> None:
        """Give the lease back."""
        self.lease = self.holder = None


class MemoryState:
    """The tables as plain mappings, one lock around every verb."""

    def __init__(self, clock: Clock | None = None, lease_grace: float = 15.0) -> None:
        self._clock = clock or _host_clock
        self._grace = lease_grace
        self.lock = threading.RLock()
        self._latest = datetime(1970, 1, 1, tzinfo=UTC)
        self._lineage = uuid.uuid4().hex
        self._commit: str | None = None
        self._key_id: str | None = None
        self.account_rows: dict[str, AccountRow] = {}
        self.schedule_rows: dict[ScheduleId, ScheduleRow] = {}
        self.run_rows: dict[str, Run] = {}
        self.abandoned_counts: dict[str, int] = {}
        self.stops_asked: set[str] = set()
        self.lease_rows: dict[str, LeaseRow] = {}
        self.hold_rows: dict[str, Hold] = {}
        self.request_rows: dict[ScheduleId, Request] = {}
        self.approval_rows: dict[tuple[str, str], Approval] = {}
        self.alarm_rows: dict[AlarmKey, Alarm] = {}
        self.pass_ends: tuple[datetime, ...] = ()
        self.frozen_since: dict[str, datetime] = {}
        self.generation_rows: dict[str, tuple[str, dict[tuple[str, str], bytes]]] = {}
        self.history_chains: dict[str, list[HistoryEntry]] = {}
        self.checkpoint_heads: dict[str, int] = {}
        self.ledger_rows: dict[tuple[str, str, str], LedgerEntry] = {}
        self.waiting_table: dict[tuple[str, str, str], WaitingRow] = {}
        self.event_rows: list[tuple[str, PastEvent]] = []
        self.term_rows: dict[tuple[str, str], ClassTerm] = {}
        self.watermark_rows: dict[tuple[str, str], str] = {}

    def now(self) -> datetime:
        """The clock, never before the latest time written."""
        with self.lock:
            return max(self._clock(), self._latest)

    def written_now(self) -> datetime:
        """The time of a write: from now on no earlier one is told."""
        self._latest = max(self._clock(), self._latest)
        return self._latest

    def _append(self, facts: Sequence[Fact]) -> list[HistoryEntry]:
        entries = []
        for fact in facts:
            name = chain_of(fact.account)
            entries.append(self._append_one(name, self.history_chains.setdefault(name, []), fact))
        return entries

    def _append_one(self, name: str, chain: list[HistoryEntry], fact: Fact) -> HistoryEntry:
        previous = chain[-1].hash if chain else GENESIS_HASH
        # As a database would give it back: JSON values only, and nobody else's mapping.
        kept = replace(fact, data=json.loads(json.dumps(dict(fact.data))))
        hidden = detail_hash(fact.detail)
        seq, at = len(chain) + 1, self.written_now()
        entry = HistoryEntry(
            chain=name,
            seq=seq,
            at=at,
            fact=kept,
            detail_hash=hidden,
            previous=previous,
            hash=entry_hash(name, seq, at, kept, hidden, previous),
        )
        chain.append(entry)
        return entry

    def fence(self, claimed: Claimed) -> LeaseRow:
        """The lease row; raises LeaseLost unless it is still this run's."""
        row = self.lease_rows.get(claimed.run.schedule.account)
        mine = row is not None and row.lease is not None
        if not (
            row and mine and row.lease and (row.epoch, row.lease.run_id) == (claimed.epoch, claimed.run.id)
        ):
            raise LeaseLost(
                f"Run {claimed.run.id} of {claimed.run.schedule} lost its lease (epoch {claimed.epoch})",
                hint="Somebody else works in the account now; nothing was written.",
            )
        return row

    def _end(self, run_id: str, result: RunResult) -> None:
        run = self.run_rows[run_id]
        self.run_rows[run_id] = replace(
            run, state=RunState.ENDED, ended_at=self.written_now(), result=_kept(result)
        )
        schedule = self.schedule_rows.get(run.schedule)
        if schedule is not None:
            if result.outcome is not Outcome.SKIPPED or schedule.last_run_id is None:
                schedule.last_run_id = run_id
            if was_full(run.mode, run.class_filter, result) and run.started_at is not None:
                schedule.last_full_at = run.started_at

    def _slot_taken(self, schedule: ScheduleId, slot_key: str) -> bool:
        return any(run.schedule == schedule and run.slot_key == slot_key for run in self.run_rows.values())


def _kept(result: RunResult) -> RunResult:
    return replace(
        result,
        counts=dict(result.counts),
        codes=dict(result.codes),
        vendor=dict(result.vendor),
        answers=dict(result.answers),
    )


def no_queue() -> StoreUnavailable:
    """The error of a verb that needs a queue."""
    return StoreUnavailable(
        "A queue needs a store on PostgreSQL, and this one is in memory",
        hint="Point `store` to a PostgreSQL URL.",
    )


def _host_clock() -> datetime:
    return datetime.now(UTC)
