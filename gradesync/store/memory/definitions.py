"""Definitions and slots of the store in RAM: the verbs of a plan and of due selection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gradesync.domain.action import Action, ActionKind
from gradesync.domain.definition import Recorded, RecordedAccount, RecordedSchedule
from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold, HoldKind
from gradesync.domain.run import Run
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.ports import DueRow, SlotClaim
from gradesync.store.memory.accounts import Accounts
from gradesync.store.memory.state import AccountRow, ScheduleRow, no_queue


class Definitions(Accounts):
    """Recorded definitions, due rows, claimed slots."""

    def recorded(self, accounts: Iterable[str] | None = None) -> Recorded:
        """Recorded definitions, with next runs and whether a hold covers them now."""
        with self.lock:
            wanted = None if accounts is None else set(accounts)
            kept = {
                key: row for key, row in sorted(self.account_rows.items()) if wanted is None or key in wanted
            }
            schedules: dict[str, dict[str, RecordedSchedule]] = {key: {} for key in kept}
            for id_, row in sorted(self.schedule_rows.items()):
                if id_.account in schedules:
                    schedules[id_.account][id_.name] = self._recorded_schedule(id_, row)
            return Recorded(
                accounts={
                    key: RecordedAccount(key, row.text, row.digest, row.revision, schedules[key], row.retired)
                    for key, row in kept.items()
                },
                commit=self._commit,
                holds=self._holds_now(),
            )

    def _holds_now(self) -> tuple[Hold, ...]:
        now = self.now()
        found = [hold for hold in self.hold_rows.values() if hold.in_force(now)]
        return tuple(sorted(found, key=lambda hold: (hold.created_at, hold.id)))

    def _recorded_schedule(self, id_: ScheduleId, row: ScheduleRow) -> RecordedSchedule:
        now, group = self.now(), self.account_rows[id_.account].group
        over = [
            hold.kind
            for hold in self.hold_rows.values()
            if hold.in_force(now) and hold.scope.covers(id_, SyncType(row.type), group)
        ]
        by_person = HoldKind.OPERATOR in over
        return RecordedSchedule(
            id_.account, id_.name, row.text, row.digest, row.next_run_at, row.retired, bool(over), by_person
        )

    def apply_account(
        self,
        account: str,
        *,
        expected_revision: int | None,
        actions: Sequence[Action],
        facts: Sequence[Fact],
        commit: str | None,
        now: datetime,  # noqa: ARG002 - kept beside the account by the databases only
    ) -> bool:
        """Apply one account's actions; False when the revision moved meanwhile."""
        with self.lock:
            old = next((a.moved_from for a in actions if a.moved_from and a.schedule is None), account)
            row = self.account_rows.get(old)
            if (row.revision if row else None) != expected_revision:
                return False
            if commit is not None and self._commit not in (None, commit):
                return False
            if any(a.kind is not ActionKind.RETIRE and (a.text is None or a.digest is None) for a in actions):
                raise ValueError(f"an action on {account} carries no definition")
            if old != account and not self.rename_account(old, account):
                return False
            row = self.account_rows.setdefault(account, AccountRow(origin=self.origin_of_new(account)))
            self._move(account, [a for a in actions if a.moved_from is not None and a.schedule])
            for action in actions:
                self._apply_one(row, action)
            row.revision += 1
            self._append(facts)
            return True

    def _apply_one(self, account: AccountRow, action: Action) -> None:
        if action.kind is ActionKind.RETIRE:
            account.retired = account.retired or action.schedule is None
            for id_, row in self.schedule_rows.items():
                if id_.account == action.account and action.schedule in (None, id_.name):
                    row.retired, row.next_run_at = True, None
            return
        assert action.text is not None
        assert action.digest is not None
        account.retired = False
        if action.schedule is None:
            account.text, account.digest = action.text, action.digest
            return
        id_ = ScheduleId(action.account, action.schedule)
        fresh = ScheduleRow(action.text, action.digest, action.next_run_after)
        found = self.schedule_rows.setdefault(id_, fresh)
        found.text, found.digest = fresh.text, fresh.digest
        found.next_run_at, found.retired = fresh.next_run_at, False

    def _move(self, account: str, moves: Sequence[Action]) -> None:
        """Rename in two steps, so that two schedules may swap their names."""
        for action in moves:
            assert action.moved_from is not None
            self._rename(account, action.moved_from, f"moving/{action.schedule}", action.moved_from)
        for action in moves:
            assert action.schedule is not None
            self._rename(account, f"moving/{action.schedule}", action.schedule, None)

    def _rename(self, account: str, old: str, new: str, formerly: str | None) -> None:
        source, target = ScheduleId(account, old), ScheduleId(account, new)
        row = self.schedule_rows.pop(source, None)
        if row is None:
            return
        names = [*row.formerly, *([formerly] if formerly else [])]
        row.formerly = [name for name in dict.fromkeys(names) if name != new]
        self.schedule_rows[target] = row
        self.request_rows.pop(target, None)
        request = self.request_rows.pop(source, None)
        if request is not None:
            self.request_rows[target] = replace(request, schedule=target)
        for id_, hold in self.hold_rows.items():
            if (hold.scope.account, hold.scope.schedule) == (account, old):
                self.hold_rows[id_] = replace(hold, scope=replace(hold.scope, schedule=new))
        for id_, run in self.run_rows.items():
            if run.schedule == source and not self._slot_taken(target, run.slot_key):
                self.run_rows[id_] = replace(run, schedule=target)

    def advance_commit(self, commit: str, seen: str | None) -> bool:
        """Remember the commit whose tree is applied, if `seen` is still the last one."""
        with self.lock:
            if self._commit != seen:
                return False
            self._commit = commit
            return True

    def due_rows(self, now: datetime, limit: int = 5000) -> Sequence[DueRow]:
        """Schedules whose next run has come, longest due first."""
        with self.lock:
            rows = [
                DueRow(id_, row.text, row.next_run_at)
                for id_, row in self.schedule_rows.items()
                if row.next_run_at is not None and row.next_run_at <= now
            ]
        return sorted(rows, key=lambda row: (row.next_run_at, row.schedule))[:limit]

    def claim_slots(self, claims: Sequence[SlotClaim], *, enqueue: bool = False) -> Sequence[Run]:
        """Insert the runs of slots not yet claimed, and advance."""
        if enqueue:
            raise no_queue()
        inserted = []
        with self.lock:
            for claim in sorted(claims, key=lambda claim: (claim.schedule, claim.expected)):
                row = self.schedule_rows.get(claim.schedule)
                if row is None or row.next_run_at != claim.expected:
                    continue
                row.next_run_at = claim.next_run_at
                if claim.run is not None and not self._insert(claim.run):
                    continue
                if claim.run is not None:
                    inserted.append(claim.run.id)
                self._append(claim.facts)
        return [claim.run for claim in claims if claim.run is not None and claim.run.id in inserted]

    def _insert(self, run: Run) -> bool:
        if run.id in self.run_rows or self._slot_taken(run.schedule, run.slot_key):
            return False
        self.run_rows[run.id] = run
        return True

    def redeliver(self) -> int:
        """There is no queue in RAM."""
        raise no_queue()

    def add_run(self, run: Run, facts: Sequence[Fact] = ()) -> bool:
        """Queue one run by hand."""
        with self.lock:
            if not self._insert(run):
                return False
            self._append(facts)
            return True

    def last_full_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, datetime]:
        """When each schedule last started a full run that worked."""
        with self.lock:
            wanted = None if accounts is None else set(accounts)
            return {
                id_: row.last_full_at
                for id_, row in self.schedule_rows.items()
                if row.last_full_at is not None and (wanted is None or id_.account in wanted)
            }

    def first_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, datetime]:
        """When each schedule first really ran."""
        wanted = None if accounts is None else set(accounts)
        with self.lock:
            return {
                id_: row.first_ran_at
                for id_, row in self.schedule_rows.items()
                if row.first_ran_at is not None and (wanted is None or id_.account in wanted)
            }

    def last_runs(self, accounts: Iterable[str] | None = None) -> Mapping[ScheduleId, Run]:
        """The latest ended run of each schedule; a skipped one only where there is no other."""
        with self.lock:
            wanted = None if accounts is None else set(accounts)
            return {
                id_: self.run_rows[row.last_run_id]
                for id_, row in sorted(self.schedule_rows.items())
                if row.last_run_id is not None and (wanted is None or id_.account in wanted)
            }
