"""Runs and leases of the store in RAM: claim, renew, finish, and a run's fenced records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gradesync.domain.class_terms import ClassTerm
from gradesync.domain.history import Fact
from gradesync.domain.needs import streaks
from gradesync.domain.record import LedgerEntry, PastEvent, RecordEvent, WaitingRecord, WaitingRow
from gradesync.domain.run import (
    Busy,
    ClaimAnswer,
    Claimed,
    Gone,
    Headway,
    Holder,
    Lease,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
)
from gradesync.domain.run_line import RunLine, line_of
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import ReadRecords, RunQuery, RunRecords
from gradesync.store.facts import abandoned_fact, outcome_of_lost
from gradesync.store.memory.state import LeaseRow, MemoryState


class Work(MemoryState):
    """Runs, leases, ledger."""

    def claim(self, run_id: str, holder: Holder, ttl: float) -> ClaimAnswer:
        """Take the account's lease and the run."""
        with self.lock:
            run = self.run_rows.get(run_id)
            if run is None:
                return Gone(run_id)
            account = run.schedule.account
            row = self.lease_rows.setdefault(account, LeaseRow())
            now = self.written_now()
            if row.lease is not None:
                if not row.is_over(now, self._grace):
                    return Busy(row.lease)
                self._abandon(row)
            run = self.run_rows[run_id]
            if run.state is not RunState.QUEUED:
                return Gone(run_id)
            row.epoch += 1
            row.holder = holder
            until = now + timedelta(seconds=ttl)
            row.lease = Lease(
                account, row.epoch, run_id, holder.name, now, until, host=holder.host, heard_at=now
            )
            run = replace(
                run, state=RunState.RUNNING, attempt=run.attempt + 1, epoch=row.epoch, started_at=now
            )
            self.run_rows[run_id] = run
            schedule = self.schedule_rows.get(run.schedule)
            if schedule is not None and schedule.first_ran_at is None:
                schedule.first_ran_at = now
            return Claimed(run, row.epoch, ttl)

    def _abandon(self, row: LeaseRow) -> None:
        lease = row.lease
        assert lease is not None
        row.free()
        run = self.run_rows[lease.run_id]
        lost = self.abandoned_counts[run.id] = self.abandoned_counts.get(run.id, 0) + 1
        outcome = outcome_of_lost(lost, stop_asked=run.id in self.stops_asked)
        if outcome is None:
            self.run_rows[run.id] = replace(run, state=RunState.QUEUED, started_at=None)
        else:
            self._end(run.id, RunResult(outcome, Stage.FETCH, codes={"GS-702": 1}))
        self._append([abandoned_fact(run.schedule.name, lease, run.attempt, outcome)])

    def renew(self, account: str, epoch: int, ttl: float, headway: Headway | None = None) -> bool:
        """Extend the lease."""
        with self.lock:
            row = self.lease_rows.get(account)
            if row is None or row.lease is None or row.epoch != epoch:
                return False
            until = self.written_now() + timedelta(seconds=ttl)
            if row.lease.run_id in self.stops_asked:
                return False
            row.lease = replace(
                row.lease,
                until=max(row.lease.until, until),
                heard_at=self.written_now(),
                headway=headway or row.lease.headway,
            )
            return True

    def finish(self, claimed: Claimed, result: RunResult, facts: Sequence[Fact]) -> None:
        """End the run and free the lease, fenced."""
        with self.lock:
            self.fence(claimed).free()
            self._end(claimed.run.id, result)
            self._append(facts)

    def hand_back(self, claimed: Claimed) -> None:
        """Queue the run again and free the lease, fenced."""
        with self.lock:
            self.fence(claimed).free()
            run_id = claimed.run.id
            if run_id in self.stops_asked:
                self._end(run_id, RunResult(Outcome.STOPPED, Stage.FETCH, codes={"GS-708": 1}))
            else:
                self.run_rows[run_id] = replace(self.run_rows[run_id], state=RunState.QUEUED, started_at=None)

    def stop_run(self, run_id: str, facts: Sequence[Fact]) -> bool:
        """End a queued run, or ask a running one to stop."""
        with self.lock:
            run = self.run_rows.get(run_id)
            if run is None or run.state is RunState.ENDED or run_id in self.stops_asked:
                return False
            if run.state is RunState.QUEUED:
                self._end(run_id, RunResult(Outcome.STOPPED, Stage.FETCH, codes={"GS-708": 1}))
            else:
                self.stops_asked.add(run_id)
            self._append(facts)
            return True

    def stop_asked(self, run_id: str) -> bool:
        """Whether an operator asked the run to stop."""
        with self.lock:
            return run_id in self.stops_asked

    def unlock(self, account: str, facts: Sequence[Fact]) -> bool:
        """Take a lease away as if its holder had died."""
        with self.lock:
            row = self.lease_rows.get(account)
            if row is None or row.lease is None:
                return False
            self._abandon(row)
            self._append(facts)
            return True

    def skip_runs(self, run_ids: Sequence[str], facts: Sequence[Fact]) -> None:
        """End queued runs as `skipped`."""
        with self.lock:
            ended = set()
            for run_id in sorted(set(run_ids)):
                run = self.run_rows.get(run_id)
                if run is not None and run.state is RunState.QUEUED:
                    self._end(run_id, RunResult(Outcome.SKIPPED, Stage.FETCH))
                    ended.add(run_id)
            if ended:
                self._append([fact for fact in facts if fact.run_id is None or fact.run_id in ended])

    def queued_runs(self, accounts: Iterable[str] | None = None) -> Sequence[Run]:
        """Runs to be claimed, oldest first."""
        with self.lock:
            wanted = None if accounts is None else set(accounts)
            found = [
                run
                for run in self.run_rows.values()
                if (wanted is None or run.schedule.account in wanted) and self._claimable(run)
            ]
        return sorted(found, key=lambda run: (run.created_at, run.id))

    def _claimable(self, run: Run) -> bool:
        if run.state is not RunState.RUNNING:
            return run.state is RunState.QUEUED
        return self.lease_rows[run.schedule.account].is_over(self.now(), self._grace)

    def leases(self) -> Sequence[Lease]:
        """Leases in force."""
        with self.lock:
            now = self.now()
            rows = [row for _, row in sorted(self.lease_rows.items()) if row.lease is not None]
            return [
                replace(row.lease, schedule=self.run_rows[row.lease.run_id].schedule.name)
                for row in rows
                if row.lease and not row.is_over(now, self._grace)
            ]

    def runs(self, query: RunQuery) -> Sequence[Run]:
        """Runs, newest first."""
        with self.lock:
            found = [
                run
                for run in self.run_rows.values()
                if query.account in (None, run.schedule.account)
                and query.schedule in (None, run.schedule.name)
                and query.run_id in (None, run.id)
                and run.id.startswith(query.id_begins or "")
            ]
        return sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)[: query.limit]

    def met_since(
        self, met: Collection[tuple[ScheduleId, str]], each: int
    ) -> Mapping[tuple[ScheduleId, str], tuple[datetime, bool]]:
        """Since when the runs of a schedule meet a code."""
        return streaks(self.runs(RunQuery(limit=len(self.run_rows))), met, each)

    def recent_runs(self, each: int, accounts: Iterable[str] | None = None) -> Sequence[RunLine]:
        """The newest runs of every schedule, newest first."""
        wanted = None if accounts is None else set(accounts)
        with self.lock:
            runs = [run for run in self.run_rows.values() if run.schedule in self.schedule_rows]
        taken: Counter[ScheduleId] = Counter()
        found: list[RunLine] = []
        for run in sorted(runs, key=lambda run: (run.created_at, run.id), reverse=True):
            taken[run.schedule] += 1
            if taken[run.schedule] <= each and (wanted is None or run.schedule.account in wanted):
                found.append(line_of(run))
        return found

    def run_counts(self, accounts: Iterable[str] | None = None) -> Mapping[str, int]:
        """Account -> how many runs are recorded."""
        wanted = None if accounts is None else set(accounts)
        with self.lock:
            return Counter(
                run.schedule.account
                for run in self.run_rows.values()
                if wanted is None or run.schedule.account in wanted
            )

    def records(self, claimed: Claimed) -> RunRecords:
        """The store as the claimed run sees it."""
        return MemoryRunRecords(self, claimed)

    def read_records(self, account: str) -> ReadRecords:
        """The store as a dry run sees it."""
        return MemoryReadRecords(self, account)

    def waiting_counts(self, account: str | None = None) -> Mapping[tuple[str, str], int]:
        """(account, code) -> records waiting."""
        counts: dict[tuple[str, str], int] = {}
        with self.lock:
            for (whose, _, _), row in self.waiting_table.items():
                if account in (None, whose):
                    key = (whose, row.record.code)
                    counts[key] = counts.get(key, 0) + 1
        return counts

    def waiting_rows(self, account: str, codes: Collection[str] | None = None) -> Sequence[WaitingRow]:
        """Everything that waits in the account (for one of `codes`), oldest first."""
        with self.lock:
            rows = [row for (whose, _, _), row in self.waiting_table.items() if whose == account]
        rows = [row for row in rows if codes is None or row.record.code in codes]
        return sorted(rows, key=lambda row: (row.since, row.record.class_id, row.record.subject))

    def waiting_since(self, account: str | None = None) -> Mapping[tuple[str, str], datetime]:
        """(account, code) -> when the oldest record began to wait."""
        oldest: dict[tuple[str, str], datetime] = {}
        with self.lock:
            for (whose, _, _), row in self.waiting_table.items():
                if account in (None, whose):
                    key = (whose, row.record.code)
                    oldest[key] = min(row.since, oldest.get(key, row.since))
        return oldest

    def record_events(self, account: str, subjects: Sequence[str]) -> Sequence[PastEvent]:
        """The events of the named records, oldest first."""
        wanted = set(subjects)
        with self.lock:
            return [
                past for whose, past in self.event_rows if whose == account and past.event.subject in wanted
            ]

    def ledger_entries(self, account: str, subjects: Sequence[str]) -> Sequence[LedgerEntry]:
        """The ledger's entries of the named records."""
        wanted = set(subjects)
        with self.lock:
            found = [
                entry
                for (whose, _, subject), entry in self.ledger_rows.items()
                if whose == account and subject in wanted
            ]
        return sorted(found, key=lambda entry: (entry.kind, entry.subject))

    def classes(self, account: str) -> Sequence[str]:
        """Classes in which anything is remembered or waits."""
        with self.lock:
            known = {entry.class_id for (whose, _, _), entry in self.ledger_rows.items() if whose == account}
            return sorted(known | {class_id for whose, class_id, _ in self.waiting_table if whose == account})


class MemoryReadRecords:
    """What a dry run may see of an account."""

    def __init__(self, state: MemoryState, account: str) -> None:
        self._state = state
        self._account = account

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]:
        """What was last written in the class, by (kind, subject)."""
        with self._state.lock:
            return {
                (kind, subject): entry
                for (account, kind, subject), entry in self._state.ledger_rows.items()
                if account == self._account and entry.class_id == class_id
            }

    def watermark(self, name: str) -> str | None:
        """A stored watermark of the account."""
        with self._state.lock:
            return self._state.watermark_rows.get((self._account, name))

    def waiting(self, class_id: str) -> Mapping[str, WaitingRow]:
        """What waits in the class, by subject."""
        with self._state.lock:
            return {
                subject: row
                for (account, class_, subject), row in self._state.waiting_table.items()
                if (account, class_) == (self._account, class_id)
            }

    def generation(self) -> str | None:
        """The head of the last good roster read."""
        with self._state.lock:
            kept = self._state.generation_rows.get(self._account)
            return None if kept is None else kept[0]

    def generation_chunk(self, kind: str, school: str) -> bytes:
        """One chunk of it."""
        with self._state.lock:
            kept = self._state.generation_rows.get(self._account)
            return b"" if kept is None else kept[1].get((kind, school), b"")


class MemoryRunRecords(MemoryReadRecords):
    """The same for a claimed run, with the fenced writes."""

    def __init__(self, state: MemoryState, claimed: Claimed) -> None:
        super().__init__(state, claimed.run.schedule.account)
        self._claimed = claimed

    def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Write down what is about to be sent; what is known of a record stays as it is."""
        with self._state.lock:
            self._state.fence(self._claimed)
            for entry in entries:
                key = (self._account, entry.kind, entry.subject)
                known = self._state.ledger_rows.get(key)
                if known is not None:
                    entry = replace(entry, sent=known.sent, read_back=known.read_back)
                self._state.ledger_rows[key] = entry

    def checkpoint(
        self,
        class_id: str,
        *,
        ledger: Sequence[LedgerEntry],
        waiting: Sequence[WaitingRecord],
        complete: bool,
        events: Sequence[RecordEvent] = (),
        forgotten: Sequence[tuple[str, str]] = (),
    ) -> None:
        """One class is done; a record in `ledger` or `forgotten` waits no longer unless it is among `waiting`."""
        with self._state.lock:
            self._state.fence(self._claimed)
            for entry in ledger:
                self._state.ledger_rows[self._account, entry.kind, entry.subject] = entry
            for kind, subject in forgotten:
                self._state.ledger_rows.pop((self._account, kind, subject), None)
            handled = {entry.subject for entry in ledger} | {subject for _, subject in forgotten}
            self._let_wait(class_id, waiting, None if complete else handled)
            if events:
                now, run_id = self._state.written_now(), self._claimed.run.id
                self._state.event_rows += [(self._account, PastEvent(event, now, run_id)) for event in events]

    def _let_wait(self, class_id: str, waiting: Sequence[WaitingRecord], over: set[str] | None) -> None:
        table, standing = self._state.waiting_table, self.waiting(class_id)
        for subject in standing:
            if over is None or subject in over:
                del table[self._account, class_id, subject]
        for record in waiting:
            row = standing.get(record.subject)
            if row is None or row.record.code != record.code:
                row = WaitingRow(record, self._state.written_now())
            table[self._account, record.class_id, record.subject] = replace(row, record=record)

    def set_watermarks(self, values: Mapping[str, str]) -> None:
        """Store watermarks."""
        with self._state.lock:
            self._state.fence(self._claimed)
            for name, value in values.items():
                self._state.watermark_rows[self._account, name] = value

    def note_terms(self, terms: Mapping[str, ClassTerm]) -> None:
        """Remember when classes are over."""
        with self._state.lock:
            self._state.fence(self._claimed)
            for class_id, term in terms.items():
                self._state.term_rows[self._account, class_id] = term

    def keep_generation(self, head: str, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace the last good roster read."""
        with self._state.lock:
            self._state.fence(self._claimed)
            self._state.generation_rows[self._account] = (head, dict(chunks))
