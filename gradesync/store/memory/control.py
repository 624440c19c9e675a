"""Holds, requests, approvals, history and keys of the store in RAM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gradesync.domain.approval import Approval
from gradesync.domain.history import CHECKPOINT, GENESIS_HASH, Fact, HistoryEntry, chain_of, heads_digest
from gradesync.domain.hold import REQUEST_LIFE, Hold, Request
from gradesync.domain.record import EVENTS_KEPT, PastEvent
from gradesync.domain.run import Run
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import AccountBusy
from gradesync.store.facts import checkpoint_fact
from gradesync.store.memory.accounts import Accounts
from gradesync.store.memory.state import no_queue


class Control(Accounts):
    """Operators' wishes and the history."""

    def add_hold(self, hold: Hold, facts: Sequence[Fact]) -> None:
        """Keep a hold; the same one twice is kept and told once."""
        with self.lock:
            if hold.id not in self.hold_rows:
                self.hold_rows[hold.id] = hold
                self._append(facts)

    def release_holds(self, hold_ids: Sequence[str], at: datetime, facts: Sequence[Fact]) -> None:
        """End holds early; nothing is told when all of them had been released already."""
        with self.lock:
            known = [self.hold_rows[hold_id] for hold_id in set(hold_ids) if hold_id in self.hold_rows]
            open_ = [hold for hold in known if hold.released_at is None]
            for hold in open_:
                self.hold_rows[hold.id] = replace(hold, released_at=at)
            if open_:
                self._append(facts)

    def holds(self, now: datetime, include_past: bool = False, account: str | None = None) -> Sequence[Hold]:
        """Holds in force, or all; oldest first. `account` leaves out those of other accounts."""
        with self.lock:
            found = [
                hold
                for hold in self.hold_rows.values()
                if (include_past or hold.in_force(now))
                and (account is None or hold.scope.account in (None, account))
            ]
        return sorted(found, key=lambda hold: (hold.created_at, hold.id))

    def expired_holds(self, now: datetime) -> Sequence[Hold]:
        """Holds whose expiry was not told yet; oldest first."""
        with self.lock:
            found = [
                hold
                for hold in self.hold_rows.values()
                if hold.released_at is None and hold.expires_at is not None and hold.expires_at <= now
            ]
        return sorted(found, key=lambda hold: (hold.created_at, hold.id))

    def try_hold(self, hold_id: str, last: datetime | None, at: datetime, mark: str | None) -> bool:
        """Note that a breaker lets a run through; one caller alone is told yes."""
        with self.lock:
            hold = self.hold_rows.get(hold_id)
            if hold is None or hold.released_at is not None or hold.tried_at != last:
                return False
            self.hold_rows[hold_id] = replace(hold, tried_at=at, mark=mark)
            return True

    def add_request(self, request: Request, facts: Sequence[Fact]) -> bool:
        """Keep a request; False when one waits already."""
        with self.lock:
            waiting = self.request_rows.get(request.schedule)
            if waiting is not None and waiting.created_at >= self.written_now() - REQUEST_LIFE:
                return False
            self.request_rows[request.schedule] = request
            self._append(facts)
            return True

    def requests(self, now: datetime) -> Sequence[Request]:
        """Requests in force, oldest first."""
        with self.lock:
            found = [r for r in self.request_rows.values() if r.created_at >= now - REQUEST_LIFE]
        return sorted(found, key=lambda request: (request.created_at, request.id))

    def take_request(
        self, request: Request, run: Run, facts: Sequence[Fact], *, enqueue: bool = False
    ) -> bool:
        """Turn the request into a queued run."""
        if enqueue:
            raise no_queue()
        with self.lock:
            found = [r for r in self.request_rows.values() if r.id == request.id]
            if not found or run.id in self.run_rows or self._slot_taken(run.schedule, run.slot_key):
                return False
            self.run_rows[run.id] = run
            del self.request_rows[found[0].schedule]
            self._append(facts)
            return True

    def withdraw_request(self, schedule: ScheduleId, facts: Sequence[Fact]) -> bool:
        """Forget the schedule's request."""
        with self.lock:
            if self.request_rows.pop(schedule, None) is None:
                return False
            self._append(facts)
            return True

    def add_approval(self, approval: Approval, facts: Sequence[Fact]) -> None:
        """Keep a consent; given again it counts from now on."""
        with self.lock:
            self.approval_rows[approval.account, approval.digest] = approval
            self._append(facts)

    def approvals(self, account: str, now: datetime) -> Sequence[Approval]:
        """Consents in force in the account, oldest first."""
        with self.lock:
            found = [
                one for one in self.approval_rows.values() if one.account == account and one.in_force(now)
            ]
        return sorted(found, key=lambda one: (one.created_at, one.digest))

    def append(self, facts: Sequence[Fact]) -> None:
        """Append facts."""
        with self.lock:
            self._append(facts)

    def history(
        self, account: str | None = None, schedule: str | None = None, limit: int = 50
    ) -> Sequence[HistoryEntry]:
        """Newest first; a moved schedule is found under its earlier names too."""
        with self.lock:
            names = {schedule}
            for id_, row in self.schedule_rows.items():
                if id_.name == schedule and account in (None, id_.account):
                    names.update(row.formerly)
            found = [
                entry
                for chain in self.history_chains.values()
                for entry in chain
                if (account is None or self.is_of(account, entry))
                and (schedule is None or entry.fact.schedule in names)
            ]
        newest = sorted(found, key=lambda entry: (-entry.at.timestamp(), entry.chain, -entry.seq))
        return newest[:limit]

    def chain(self, chain: str) -> Iterable[HistoryEntry]:
        """One chain from its beginning."""
        with self.lock:
            return list(self.history_chains.get(chain, ()))

    def chains(self) -> Mapping[str, str]:
        """chain -> head hash."""
        with self.lock:
            return {name: chain[-1].hash for name, chain in sorted(self.history_chains.items())}

    def checkpoint(self) -> str:
        """One entry over all heads if any moved; answers its hash."""
        with self.lock:
            own_name = chain_of(None)
            own = self.history_chains.get(own_name, [])
            others = {name: chain for name, chain in self.history_chains.items() if name != own_name}
            heads = {name: chain[-1].hash for name, chain in others.items()}
            if not own and not heads:
                return GENESIS_HASH
            last = own[-1] if own else None
            if last and last.fact.what == CHECKPOINT and last.fact.data["heads"] == heads_digest(heads):
                return last.hash
            moved = {
                name: len(chain)
                for name, chain in others.items()
                if self.checkpoint_heads.get(name) != len(chain)
            }
            self.checkpoint_heads |= moved
            entries = sum(len(chain) for chain in others.values())
            [entry] = self._append([checkpoint_fact(heads, entries, moved)])
            return entry.hash

    def erasable(self, before: datetime, account: str | None = None) -> Mapping[str, int]:
        """What a purge would erase."""
        with self.lock:
            return {
                "details": len(self._old_details(before, account)),
                "vendor texts": len(self._old_texts(before, account)),
                "record events": sum(self._old_event(one, before, account) for one in self.event_rows),
            }

    def purge(self, before: datetime, facts: Sequence[Fact], account: str | None = None) -> int:
        """Erase old details and the texts of old runs, and drop old record events."""
        with self.lock:
            self.written_now()
            details, texts = self._old_details(before, account), self._old_texts(before, account)
            for name, at in details:
                entry = self.history_chains[name][at]
                self.history_chains[name][at] = replace(entry, fact=replace(entry.fact, detail=None))
            for run in texts:
                assert run.result is not None  # only runs with a result have texts
                self.run_rows[run.id] = replace(run, result=replace(run.result, vendor={}, roster=None))
            kept = [one for one in self.event_rows if not self._old_event(one, before, account)]
            erased = len(details) + len(texts) + len(self.event_rows) - len(kept)
            self.event_rows[:] = kept
            self._append(facts)
        return erased

    def _old_details(self, before: datetime, account: str | None) -> list[tuple[str, int]]:
        return [
            (name, at)
            for name, chain in self.history_chains.items()
            for at, entry in enumerate(chain)
            if entry.at < before
            and entry.fact.detail is not None
            and (account is None or self.is_of(account, entry))
        ]

    def _old_texts(self, before: datetime, account: str | None) -> list[Run]:
        return [
            run
            for run in self.run_rows.values()
            if account in (None, run.schedule.account)
            and run.ended_at is not None
            and run.ended_at < before
            and run.result is not None
            and (run.result.vendor or run.result.roster is not None)
        ]

    def _old_event(self, row: tuple[str, PastEvent], before: datetime, account: str | None) -> bool:
        whose, past = row
        return account in (None, whose) and past.at < max(before, self.now() - EVENTS_KEPT)

    def key_id(self) -> str | None:
        """The id of the ledger's key."""
        with self.lock:
            return self._key_id

    def set_key_id(self, key_id: str) -> None:
        """Name the ledger's key, unless another was quicker."""
        with self.lock:
            if self._key_id is None:
                self._key_id = key_id

    def rekey(self, key_id: str, facts: Sequence[Fact]) -> None:
        """Forget what was hashed with the old key."""
        with self.lock:
            busy = [
                account
                for account, row in self.lease_rows.items()
                if row.lease is not None and not row.is_over(self.now(), self._grace)
            ]
            if busy:
                raise AccountBusy(f"A run is at work in {', '.join(sorted(busy)[:3])}", hint="Wait for it.")
            for schedule in self.schedule_rows.values():
                schedule.last_full_at = None
            self.ledger_rows.clear()
            self.waiting_table.clear()
            self.event_rows.clear()
            self.generation_rows.clear()
            self._key_id = key_id
            self._append(facts)
