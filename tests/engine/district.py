"""One small district behind the engine: its two sides in RAM, its store, and a clock that moves when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

from gradesync.connectors.spool import disk_spool
from gradesync.domain.account import Account
from gradesync.domain.definition import Desired
from gradesync.domain.history import HistoryEntry
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.report import PassReport
from gradesync.domain.run import Actor, Holder, Run
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.reconcile import PassOptions, reconcile
from gradesync.engine.tools import Tools
from gradesync.ports import Guard, RosterSpool, RunQuery
from gradesync.store.holder import this_holder
from tests.domain.plan_samples import account, desired, schedule
from tests.syncs.passback_school import Canvas, School, Sis, Watching

GRADES = ScheduleId("riverside", "grades")
OTHER = Holder("ci-7", "another-host", 7, "77", "another-boot")


class Keys:
    """One key for all."""

    key = b"k" * 32

    def keyed(self, account: str) -> KeyedHash:
        return KeyedHash(self.key, account)


class ReadOnly:
    """A SIS without its writing methods: whoever tries finds none."""

    def __init__(self, sis: Sis) -> None:
        for name in ("identity", "catalogue", "read_class", "read_results", "read_line_items"):
            setattr(self, name, getattr(sis, name))


class Connections:
    """Hands out the school's two sides; the SIS asks the guard before every write, as the real one does."""

    def __init__(self, school: School) -> None:
        self.school = school

    @asynccontextmanager
    async def gradebook(self, account: Account, guard: Guard) -> AsyncIterator[tuple[Canvas, Sis]]:
        self.school.sis.guard = guard.check
        yield self.school.canvas, self.school.sis

    @asynccontextmanager
    async def gradebook_readonly(self, account: Account) -> AsyncIterator[tuple[Canvas, Any]]:
        yield self.school.canvas, ReadOnly(self.school.sis)

    @asynccontextmanager
    async def roster(self, account: Account, guard: Guard) -> AsyncIterator[tuple[Any, Any]]:
        yield self.school.sis, self.school.canvas

    def spool(self) -> AbstractContextManager[RosterSpool]:
        return disk_spool()

    @asynccontextmanager
    async def roster_readonly(self, account: Account) -> AsyncIterator[tuple[Any, Any]]:
        yield self.school.sis, self.school.canvas


class District:
    """An account `riverside` with one schedule `grades`, every 15 minutes; passes run when told."""

    def __init__(self, **schedule_fields: Any) -> None:
        self.school = School()
        self.store = self.school.store
        self.keys = Keys()
        self.tools = Tools(
            store=self.store,
            connections=Connections(self.school),
            keys=self.keys,
            progress=Watching(),
            holder=this_holder("test"),
            actor=Actor("alex", "OS user"),
        )
        self.fields = schedule_fields

    def tree(self, commit: str | None = None, more: Any = None, **fields: Any) -> Desired:
        schedules = {"grades": schedule(**{**self.fields, **fields}), **(more or {})}
        return desired(account("riverside", schedules, scope={"terms": "all"}), commit=commit)

    def reconcile(self, tree: Desired | None = None, **options: Any) -> PassReport:
        return asyncio.run(reconcile(self.tools, PassOptions(desired=tree, **options)))

    def started(self) -> PassReport:
        """The files applied, the first slot run."""
        self.reconcile(self.tree())
        self.school.later(15)
        return self.reconcile()

    def later(self, minutes: float = 15) -> None:
        self.school.now += timedelta(minutes=minutes)

    def runs(self) -> list[Run]:
        return list(self.store.runs(RunQuery(account="riverside")))

    def history(self, what: str | None = None) -> list[HistoryEntry]:
        """Oldest first."""
        found = self.store.history("riverside", limit=500)
        return [e for e in reversed(list(found)) if what in (None, e.fact.what)]

    def words(self) -> Iterable[str]:
        return [entry.fact.what for entry in self.history()]
