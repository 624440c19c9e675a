"""Two accounts behind one store, several passes at once that may die at any moment, and a clock that jumps.

Both sides of every account are empty and in RAM: what is watched here is when runs start, not what they send.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gradesync.connectors.memory import MemoryCanvas, MemorySis
from gradesync.connectors.spool import disk_spool
from gradesync.domain.account import Account
from gradesync.domain.definition import Desired
from gradesync.domain.plan import Safety
from gradesync.domain.roster import Roster
from gradesync.domain.run import Actor, Holder, Run
from gradesync.engine.reconcile import PassOptions, reconcile
from gradesync.engine.tools import Tools
from gradesync.ports import Guard, RosterSpool, RunQuery, Store
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import Keys
from tests.syncs.passback_school import Watching

START = datetime(2026, 10, 6, 14, 2, 30, tzinfo=UTC)
ACCOUNTS = ("elm", "oak")
GROUPS = {"elm": "north", "oak": "south"}
GROWN_UP = Safety(account_share=1.0, account_least=99, all_share=1.0, all_least=99)
"""Guards are tested elsewhere; here files may change as they like."""


class Killed(BaseException):
    """kill -9: nothing may catch this, and nothing of the process happens afterwards."""


class Mortal:
    """A store as one process sees it: after its death every call ends the caller, so that no clean-up is written."""

    def __init__(self, store: Store, process: Process) -> None:
        self._store, self._process = store, process

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found
        if name == "records":
            return lambda claimed: Mortal(found(claimed), self._process)

        def call(*arguments: Any, **named: Any) -> Any:
            self._process.step()
            answer = found(*arguments, **named)
            self._process.step()
            return answer

        return call


@dataclass
class Process:
    """One reconciler. `life` counts the moments it may still see; None: it lives to the end of its pass."""

    number: int
    life: int | None = None
    dead: bool = False
    inside: set[str] = field(default_factory=set)
    frozen: asyncio.Event | None = None
    thawed: asyncio.Event | None = None

    async def freeze(self, key: str) -> None:
        """Stand still in the middle of a run, if told to: its machine is suspended, and nothing of it happens."""
        if self.frozen is not None and self.thawed is not None:
            self.inside.discard(key)
            self.frozen.set()
            await self.thawed.wait()

    def step(self) -> None:
        """One moment: before and after each call of the store, and while it talks with the other sides."""
        if self.life is not None:
            self.life -= 1
            if self.life < 0:
                self.dead = True
        if self.dead:
            # What it worked in is nobody's any more.
            self.inside.clear()
            raise Killed


class Connections:
    """Empty sides that take a while, and tell who works where."""

    def __init__(self, world: World, process: Process) -> None:
        self._world, self._process = world, process

    @asynccontextmanager
    async def gradebook(self, account: Account, guard: Guard) -> AsyncIterator[tuple[Any, Any]]:
        """See ports."""
        self._world.enter(account.key, self._process)
        await self._process.freeze(account.key)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
                self._process.step()
                self._world.meanwhile()
            yield self._world.sides(account.key)
            self._process.step()
        finally:
            self._process.inside.discard(account.key)

    @asynccontextmanager
    async def gradebook_readonly(self, account: Account) -> AsyncIterator[tuple[Any, Any]]:
        """See ports."""
        yield self._world.sides(account.key)

    def roster(self, account: Account, guard: Guard) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        """No roster is imported here."""
        raise AssertionError("a roster import ran")

    def roster_readonly(self, account: Account) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        """No roster is imported here."""
        raise AssertionError("a roster import ran")

    def spool(self) -> AbstractContextManager[RosterSpool]:
        """See ports."""
        return disk_spool()


async def _for_ever(_seconds: float) -> None:
    """No time passes while a pass runs, so no lease falls due for renewal."""
    await asyncio.Event().wait()


class World:
    """The store, the files as they stand, and the processes that pass by."""

    def __init__(self, make_store: Callable[[Callable[[], datetime]], Store]) -> None:
        self.clock = START
        self.store = make_store(lambda: self.clock)
        self.files: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in ACCOUNTS}
        self.edits = 0
        self.processes: list[Process] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self._sides = {
            key: (MemoryCanvas(f"root-{key}"), MemorySis(f"district-{key}", roster=Roster()))
            for key in ACCOUNTS
        }

    def sides(self, key: str) -> tuple[Any, Any]:
        """The account's Canvas and SIS."""
        return self._sides[key]

    def enter(self, key: str, process: Process) -> None:
        """A run begins its work in an account: nobody else alive may be there."""
        others = [one.number for one in self.processes if key in one.inside]
        assert not others, f"two runs of {key} at once"
        process.inside.add(key)

    def tree(self) -> Desired:
        """The files as they stand."""
        return desired(
            *(account(key, self.files[key], group=GROUPS[key], scope={"terms": "all"}) for key in ACCOUNTS)
        )

    def write(self, key: str, name: str, minutes: int, state: str) -> None:
        """Put a schedule into an account's file."""
        interval = f"every {minutes} minutes"
        # Two alike, one gone and one new, would look like a rename: each has a first run of its own, long ago.
        hour = 7 + len(name) + ord(name[0]) % 3
        self.files[key][name] = schedule(
            interval=interval, canonical_interval=interval, state=state, first_run=f"2026-09-01 {hour:02}:00"
        )

    def tools(self, process: Process) -> Tools:
        """The engine's ports for one process on a host of its own."""
        store: Any = Mortal(self.store, process)
        number = process.number
        return Tools(
            store=store,
            connections=Connections(self, process),
            keys=Keys(),
            progress=Watching(),
            holder=Holder(f"pass {number}", f"host-{number}", number, str(number), "boot"),
            actor=Actor("alex", "OS user"),
            monotonic=lambda: 0.0,
            sleep=_for_ever,
        )

    def process(self, life: int | None = None) -> Process:
        """One more process."""
        self.processes = [one for one in self.processes if not one.dead]
        self.processes.append(Process(len(self.processes) + self.edits * 10 + 1, life))
        return self.processes[-1]

    def passes(self, tree: Desired | None, lives: list[int | None]) -> bool:
        """Carry out as many passes at once as there are lives; True when at least one came to its end."""
        whole = asyncio.run(self._passes(tree, lives))
        self.processes.clear()
        return whole

    async def _passes(self, tree: Desired | None, lives: list[int | None]) -> bool:
        async def one(process: Process) -> bool:
            try:
                await reconcile(self.tools(process), PassOptions(desired=tree, safety=GROWN_UP))
            except BaseException:
                # Whatever a dead process still says, nobody hears it.
                if not process.dead:
                    raise
                return False
            return True

        return any(await asyncio.gather(*(one(self.process(life)) for life in lives)))

    def frozen_pass(self, tree: Desired, minutes: float, told: Callable[[], None]) -> None:
        """A pass stands still in its first run; `minutes` later another passes by, and then the first one wakes up.

        `told` is called when each of the two has taken up what it found.
        """
        asyncio.run(self._frozen_pass(tree, minutes, told))
        self.processes.clear()

    async def _frozen_pass(self, tree: Desired, minutes: float, told: Callable[[], None]) -> None:
        options = PassOptions(desired=tree, safety=GROWN_UP)
        sleeper = self.process()
        sleeper.frozen, sleeper.thawed = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(reconcile(self.tools(sleeper), options))
        asleep = asyncio.create_task(sleeper.frozen.wait())
        await asyncio.wait({first, asleep}, return_when=asyncio.FIRST_COMPLETED)
        asleep.cancel()
        told()
        self.later(minutes)
        await reconcile(self.tools(self.process()), options)
        told()
        sleeper.thawed.set()
        await first

    def runs(self) -> list[Run]:
        """All runs there are."""
        return list(self.store.runs(RunQuery(limit=100_000)))

    def recorded(self) -> Mapping[str, Mapping[str, str]]:
        """Live schedules as recorded: account -> name -> definition."""
        return {
            key: {
                name: one.text
                for name, one in self.store.recorded().accounts[key].schedules.items()
                if not one.retired
            }
            if key in self.store.recorded().accounts
            else {}
            for key in ACCOUNTS
        }

    def later(self, minutes: float) -> None:
        """The host's clock moves, back too."""
        self.clock += timedelta(minutes=minutes)
