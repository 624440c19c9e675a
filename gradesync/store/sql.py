"""The store on SQLite and PostgreSQL: one verb, one transaction, the work done by the modules of this room.

Only the contract's surface stands here; no statement and no rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from gradesync.domain.approval import Approval
from gradesync.domain.class_terms import PastTerm
from gradesync.domain.history import Fact, HistoryEntry
from gradesync.domain.hold import Hold, Request
from gradesync.domain.record import LedgerEntry, PastEvent, WaitingRow
from gradesync.domain.run import ClaimAnswer, Claimed, Headway, Holder, Lease, Run, RunResult
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import StoreUnavailable
from gradesync.ports import DueRow, ReadRecords, RunQuery, RunRecords, SlotClaim, StoreInfo
from gradesync.store import (
    control,
    definitions,
    events,
    history,
    leases,
    ledger,
    lines,
    runs,
    streaks,
    terms,
    waiting,
)
from gradesync.store import tables as t
from gradesync.store.database import Database
from gradesync.store.sql_alarms import SqlAlarms
from gradesync.store.sql_definitions import SqlDefinitions

if TYPE_CHECKING:
    from gradesync.domain.run_line import RunLine
    from gradesync.store.queue import Queue


class SqlStore(SqlDefinitions, SqlAlarms):
    """`ports.Store` over a database; safe to use from several threads. `lease_grace` is in seconds."""

    def __init__(
        self,
        database: Database,
        *,
        schema: str,
        lease_grace: float,
        created: bool,
        migrated_from: str | None = None,
        backup: str | None = None,
    ) -> None:
        self._db = database
        self._schema = schema
        self._grace = lease_grace
        self._created = created
        self._migrated_from = migrated_from
        self._backup = backup

    # life

    def info(self, *, counted: bool = False) -> StoreInfo:
        """What and where the store is; the place never holds a password."""
        counted_tables = ("account", "schedule", "run", "history", "ledger", "waiting") if counted else ()
        with self._db.read(long=counted) as tx:
            counts = {
                name: tx.execute(select(func.count()).select_from(t.metadata.tables[name])).scalar_one()
                for name in counted_tables
            }
            lineage = control.get_meta(tx, "lineage") or ""
        return StoreInfo(
            kind=self._db.kind,
            place=self._db.place,
            lineage=lineage,
            schema=self._schema,
            counts=counts,
            created=self._created,
            migrated_from=self._migrated_from,
            backup=self._backup,
        )

    def now(self) -> datetime:
        """The store's clock."""
        return self._db.now()

    def close(self) -> None:
        """Give the connections back; the store can be used again."""
        self._db.close()

    # slots and runs

    def due_rows(self, now: datetime, limit: int = 5000) -> Sequence[DueRow]:
        """Schedules whose next run has come."""
        with self._db.read() as tx:
            return definitions.due_rows(tx, now, limit)

    def claim_slots(self, claims: Sequence[SlotClaim], *, enqueue: bool = False) -> Sequence[Run]:
        """Insert the runs of slots not yet claimed, advance, and put them on the queue."""
        queue = self._queue() if enqueue else None
        with self._db.write() as tx:
            inserted = runs.claim_slots(tx, claims)
            if queue is not None:
                queue.defer(tx, inserted)
            return inserted

    def redeliver(self) -> int:
        """Put waiting runs that no worker was told of on the queue."""
        queue = self._queue()
        with self._db.write() as tx:
            return queue.redeliver(tx, self._grace)

    def _queue(self) -> Queue:
        """Loaded here, because it brings a library of its own and few stores have a queue."""
        try:
            from gradesync.store.queue import queue_of
        except ModuleNotFoundError:
            raise StoreUnavailable(
                "Workers and --enqueue need what is not installed here", hint="Install gradesync[cluster]."
            ) from None
        return queue_of(self._db)

    def add_run(self, run: Run, facts: Sequence[Fact] = ()) -> bool:
        """Queue one run by hand."""
        with self._db.write() as tx:
            return runs.add_run(tx, run, facts)

    def queued_runs(self, accounts: Iterable[str] | None = None) -> Sequence[Run]:
        """Runs to be claimed, oldest first."""
        now = self._db.now()
        with self._db.read() as tx:
            return runs.queued(tx, accounts, now, self._grace)

    def skip_runs(self, run_ids: Sequence[str], facts: Sequence[Fact]) -> None:
        """End queued runs as `skipped`."""
        with self._db.write() as tx:
            runs.skip(tx, run_ids, facts)

    def claim(self, run_id: str, holder: Holder, ttl: float) -> ClaimAnswer:
        """Take the account's lease and the run."""
        with self._db.write() as tx:
            return leases.claim(tx, run_id, holder, ttl, self._grace)

    def renew(self, account: str, epoch: int, ttl: float, headway: Headway | None = None) -> bool:
        """Extend the lease."""
        with self._db.write() as tx:
            return leases.renew(tx, account, epoch, ttl, headway)

    def finish(self, claimed: Claimed, result: RunResult, facts: Sequence[Fact]) -> None:
        """End the run and free the lease, fenced."""
        with self._db.write() as tx:
            leases.finish(tx, claimed, result, facts)

    def hand_back(self, claimed: Claimed) -> None:
        """Queue the run again and free the lease, fenced."""
        with self._db.write() as tx:
            leases.hand_back(tx, claimed)

    def stop_run(self, run_id: str, facts: Sequence[Fact]) -> bool:
        """End a queued run, or ask a running one to stop."""
        with self._db.write() as tx:
            return leases.stop(tx, run_id, facts)

    def stop_asked(self, run_id: str) -> bool:
        """Whether an operator asked the run to stop."""
        r = t.run.c
        with self._db.read() as tx:
            return bool(tx.execute(select(r.stop_asked).where(r.id == run_id)).scalar_one_or_none())

    def unlock(self, account: str, facts: Sequence[Fact]) -> bool:
        """Take a lease away as if its holder had died."""
        with self._db.write() as tx:
            return leases.unlock(tx, account, facts)

    def records(self, claimed: Claimed) -> RunRecords:
        """The store as the claimed run sees it."""
        return ledger.SqlRunRecords(self._db, claimed)

    def read_records(self, account: str) -> ReadRecords:
        """The store as a dry run sees it."""
        return ledger.SqlReadRecords(self._db, account)

    def runs(self, query: RunQuery) -> Sequence[Run]:
        """Runs, newest first."""
        with self._db.read() as tx:
            return runs.read(tx, query)

    def recent_runs(self, each: int, accounts: Iterable[str] | None = None) -> Sequence[RunLine]:
        """The newest runs of every schedule, newest first."""
        with self._db.read() as tx:
            return lines.recent(tx, each, accounts)

    def met_since(
        self, met: Collection[tuple[ScheduleId, str]], each: int
    ) -> Mapping[tuple[ScheduleId, str], tuple[datetime, bool]]:
        """Since when the runs of a schedule meet a code."""
        with self._db.read() as tx:
            return streaks.met_since(tx, met, each)

    def run_counts(self, accounts: Iterable[str] | None = None) -> Mapping[str, int]:
        """Account -> how many runs are recorded."""
        with self._db.read() as tx:
            return runs.counted(tx, accounts)

    def last_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, Run]:
        """The latest ended run of each schedule; a skipped one only where there is no other."""
        with self._db.read() as tx:
            return runs.last(tx, accounts)

    def first_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, datetime]:
        """When each schedule first really ran."""
        with self._db.read() as tx:
            return runs.first(tx, accounts)

    def last_full_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, datetime]:
        """When each schedule last started a full run that worked."""
        with self._db.read() as tx:
            return runs.last_full(tx, accounts)

    def leases(self) -> Sequence[Lease]:
        """Leases in force."""
        now = self._db.now()
        with self._db.read() as tx:
            return leases.in_force(tx, now, self._grace)

    def waiting_counts(self, account: str | None = None) -> Mapping[tuple[str, str], int]:
        """(account, code) -> records waiting."""
        with self._db.read() as tx:
            return waiting.counts(tx, account)

    def waiting_rows(self, account: str, codes: Collection[str] | None = None) -> Sequence[WaitingRow]:
        """Everything that waits in the account (for one of `codes`)."""
        with self._db.read() as tx:
            return waiting.of_account(tx, account, codes)

    def waiting_since(self, account: str | None = None) -> Mapping[tuple[str, str], datetime]:
        """(account, code) -> when the oldest record began to wait."""
        with self._db.read() as tx:
            return waiting.oldest(tx, account)

    def record_events(self, account: str, subjects: Sequence[str]) -> Sequence[PastEvent]:
        """The events of the named records, oldest first."""
        with self._db.read() as tx:
            return events.of_subjects(tx, account, subjects)

    def ledger_entries(self, account: str, subjects: Sequence[str]) -> Sequence[LedgerEntry]:
        """The ledger's entries of the named records."""
        with self._db.read() as tx:
            return ledger.of_subjects(tx, account, subjects)

    def classes(self, account: str) -> Sequence[str]:
        """Classes in which anything is remembered or waits."""
        with self._db.read() as tx:
            return ledger.classes(tx, account)

    # operators

    def add_hold(self, hold: Hold, facts: Sequence[Fact]) -> None:
        """Keep a hold."""
        with self._db.write() as tx:
            control.add_hold(tx, hold, facts)

    def release_holds(self, hold_ids: Sequence[str], at: datetime, facts: Sequence[Fact]) -> None:
        """End holds early."""
        with self._db.write() as tx:
            control.release_holds(tx, hold_ids, at, facts)

    def holds(self, now: datetime, include_past: bool = False, account: str | None = None) -> Sequence[Hold]:
        """Holds in force, or all; of an account, those that may cover it."""
        with self._db.read() as tx:
            return control.holds(tx, now, include_past=include_past, account=account)

    def expired_holds(self, now: datetime) -> Sequence[Hold]:
        """Holds whose expiry was not told yet."""
        with self._db.read() as tx:
            return control.expired_holds(tx, now)

    def try_hold(self, hold_id: str, last: datetime | None, at: datetime, mark: str | None) -> bool:
        """Note that a breaker lets a run through; one caller alone is told yes."""
        with self._db.write() as tx:
            return control.try_hold(tx, hold_id, last, at, mark)

    def add_request(self, request: Request, facts: Sequence[Fact]) -> bool:
        """Keep a request; False when one waits already."""
        with self._db.write() as tx:
            return control.add_request(tx, request, facts)

    def requests(self, now: datetime) -> Sequence[Request]:
        """Requests in force."""
        with self._db.read() as tx:
            return control.requests(tx, now)

    def take_request(
        self, request: Request, run: Run, facts: Sequence[Fact], *, enqueue: bool = False
    ) -> bool:
        """Turn the request into a queued run."""
        queue = self._queue() if enqueue else None
        with self._db.write() as tx:
            taken = runs.take_request(tx, request.id, run, facts)
            if taken and queue is not None:
                queue.defer(tx, [run])
            return taken

    def withdraw_request(self, schedule: ScheduleId, facts: Sequence[Fact]) -> bool:
        """Forget the schedule's request."""
        with self._db.write() as tx:
            return control.withdraw_request(tx, schedule, facts)

    def add_approval(self, approval: Approval, facts: Sequence[Fact]) -> None:
        """Keep a consent."""
        with self._db.write() as tx:
            control.add_approval(tx, approval, facts)

    def approvals(self, account: str, now: datetime) -> Sequence[Approval]:
        """Consents in force in the account."""
        with self._db.read() as tx:
            return control.approvals(tx, account, now)

    # history

    def append(self, facts: Sequence[Fact]) -> None:
        """Append facts."""
        with self._db.write() as tx:
            history.append(tx, facts)

    def history(
        self, account: str | None = None, schedule: str | None = None, limit: int = 50
    ) -> Sequence[HistoryEntry]:
        """Newest first."""
        with self._db.read() as tx:
            return history.newest(tx, account, schedule, limit)

    def chain(self, chain: str) -> Iterable[HistoryEntry]:
        """One chain from its beginning."""
        return history.chain(self._db, chain)

    def chains(self) -> Mapping[str, str]:
        """chain -> head hash."""
        with self._db.read() as tx:
            return history.heads(tx)

    def checkpoint(self) -> str:
        """One entry over all heads; answers its hash."""
        with self._db.write() as tx:
            return history.checkpoint(tx)

    def erasable(self, before: datetime, account: str | None = None) -> Mapping[str, int]:
        """What a purge would erase."""
        with self._db.read(long=True) as tx:
            return {
                "details": history.erasable(tx, before, account),
                "vendor texts": runs.with_old_texts(tx, before, account),
                "record events": events.erasable(tx, before, account),
            }

    def purge(self, before: datetime, facts: Sequence[Fact], account: str | None = None) -> int:
        """Erase old details and the texts of old runs, and drop old record events."""
        with self._db.write(long=True) as tx:
            erased = history.purge(tx, before, account) + events.purge(tx, before, account)
            erased += tx.execute(
                update(t.run).where(*runs.old_texts(before, account)).values(vendor=None, roster=None)
            ).rowcount
            history.append(tx, facts)
            return erased

    # what is over

    def past_terms(self, before: datetime, account: str | None = None) -> Sequence[PastTerm]:
        """Terms that are over and of whose classes something is remembered."""
        with self._db.read(long=True) as tx:
            return terms.past(tx, before, account)

    def prune(self, term: PastTerm, facts: Sequence[Fact]) -> int:
        """Forget a past term's classes."""
        return terms.prune(self._db, term, facts, self._grace)

    # keys and identity

    def key_id(self) -> str | None:
        """The id of the ledger's key."""
        with self._db.read() as tx:
            return control.get_meta(tx, ledger.KEY_ID)

    def set_key_id(self, key_id: str) -> None:
        """Name the ledger's key, unless another process was quicker."""
        with self._db.write() as tx:
            control.set_meta_once(tx, ledger.KEY_ID, key_id)

    def rekey(self, key_id: str, facts: Sequence[Fact]) -> None:
        """Forget what was hashed with the old key."""
        with self._db.write(long=True) as tx:
            ledger.rekey(tx, key_id, self._grace)
            history.append(tx, facts)
