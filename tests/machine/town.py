"""One small school with both its servers, a store and a clock, and runs of the engine in this process.

Requests are real HTTP over loopback; only waiting between retries is left out, and time moves when told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from gradesync.connectors.http import HttpClient
from gradesync.domain.account import Account
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.record import WaitingRow
from gradesync.domain.report import RunEnd
from gradesync.domain.run import Actor, Busy, Gone, Mode, Trigger
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.runner import EffectiveAccount, execute, queued_run
from gradesync.engine.tools import Tools
from gradesync.sandbox.server import running
from gradesync.store.holder import this_holder
from gradesync.store.memory import MemoryStore
from gradesync.wiring.connections import HttpConnections
from tests.whole.harness import at_request

KEY = "riverside"
START = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
OPEN = (102, 105, 106, 107, 110)
"""Courses that are published: one with two sections, one with an untied section, letters, pass or fail."""

ABANDONED = timedelta(minutes=2)
"""After a kill this long, the lease of the dead run is over."""


class Secrets:
    """Credentials by reference."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def value(self, reference: str, account: str, name: str) -> str:
        """See ports."""
        return self._values[reference]


class Keys:
    """One key for all."""

    def keyed(self, account: str) -> KeyedHash:
        """See ports."""
        return KeyedHash(b"k" * 32, account)


class Silent:
    """Nobody watches."""

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """See ports."""

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """See ports."""

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None:
        """See ports."""


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


class Town:
    """The school, and what one does with it. `sis` and `passback` are keys of the account's file."""

    def __init__(
        self, *, sis: Mapping[str, Any], passback: Mapping[str, Any], sis_write: str = "put"
    ) -> None:
        self.now = START
        self._numbers = iter(range(1, 1_000_000))
        self._stack = ExitStack()
        enter = self._stack.enter_context
        enter(patch("gradesync.sandbox.school.utc_now", lambda: START))
        self.sandbox = enter(running((KEY,), students=8, seed=1, today=START.date(), sis_write=sis_write))
        school = self.sandbox.schools[KEY]
        self.canvas, self.sis = school.canvas, school.sis
        self.canvas.now = self.sis.now = lambda: self.now
        for course in self.canvas.courses.values():
            course.workflow_state = "available" if course.id in OPEN else "claimed"
        for assignment in self.canvas.assignments.values():
            assignment.name = f"A{assignment.id} {assignment.name}"
        self.store = MemoryStore(clock=lambda: self.now)
        self.keyed = Keys().keyed(KEY)
        self.account = self._account_of(sis, passback)
        secrets = {"token": self.canvas.token, "id": self.sis.client_id, "secret": self.sis.client_secret}
        self._tools = Tools(
            store=self.store,
            connections=HttpConnections(Secrets(secrets)),
            keys=Keys(),
            progress=Silent(),
            holder=this_holder("test"),
            actor=Actor("alex", "OS user"),
        )
        enter(patch("gradesync.wiring.connections.HttpClient", partial(HttpClient, sleep=_at_once)))

    def _account_of(self, sis: Mapping[str, Any], passback: Mapping[str, Any]) -> Account:
        definition = {
            "account": KEY,
            "time_zone": "America/New_York",
            "canvas": {"url": self.sandbox.canvas_url(KEY), "token": "token", "concurrency": 1},
            "sis": {
                "url": self.sandbox.sis_url(KEY),
                "client_id": "id",
                "client_secret": "secret",
                "concurrency": 1,
                **sis,
            },
            "passback": dict(passback),
        }
        grades = {
            "type": "grade passback",
            "interval": "every 15 minutes",
            "canonical_interval": "every 15 minutes",
            "time_zone": "America/New_York",
        }
        return Account.from_definitions(KEY, definition, {"grades": grades})

    def close(self) -> None:
        """The servers stop."""
        self._stack.close()

    def later(self, **length: float) -> None:
        """The clock of both sides and of the store."""
        self.now += timedelta(**length)

    # - runs -

    def run(self, mode: Mode, *, kill_at: int | None = None) -> RunEnd | None:
        """One run to its end, or None when it was killed at its `kill_at`-th writing request."""
        self.later(seconds=20)
        run = queued_run(
            self.account,
            "grades",
            slot_key=f"manual:{next(self._numbers)}",
            slot_at=None,
            trigger=Trigger.BY_HAND,
            mode=mode,
            actor=self._tools.actor,
            now=self.now,
        )
        assert self.store.add_run(run)
        target = EffectiveAccount(self.account, "one policy", None)
        answer = asyncio.run(self._killed(partial(execute, self._tools, run, target), kill_at))
        assert not isinstance(answer, (Busy, Gone)), answer
        if answer is None:
            self.now += ABANDONED
        return answer

    async def _killed(self, work: Callable[[], Any], kill_at: int | None) -> RunEnd | Busy | Gone | None:
        task: asyncio.Task[RunEnd | Busy | Gone] = asyncio.ensure_future(work())
        if kill_at is None:
            return await task
        loop = asyncio.get_running_loop()

        def kill() -> None:
            loop.call_soon_threadsafe(task.cancel)

        with (
            # Who is dead hands nothing back: the lease stands until its time is over.
            patch.object(self.store, "hand_back", lambda claimed: None),
            at_request(self.sandbox, kill_at, kill, method="PUT|POST|DELETE", path="/ims/oneroster"),
        ):
            await asyncio.wait([task])
        return None if task.cancelled() else task.result()

    # - looking -

    def writes(self) -> int:
        """Requests that changed, or tried to change, something in the SIS since they were last forgotten."""
        return sum(
            one.side == "sis" and one.method in ("PUT", "POST", "DELETE") and not one.path.endswith("/token")
            for one in list(self.sandbox.requests)
        )

    def waiting(self) -> Sequence[WaitingRow]:
        """What waits in the account."""
        return self.store.waiting_rows(KEY)


@contextmanager
def town(**options: Any) -> Iterator[Town]:
    """A town for one test."""
    made = Town(**options)
    try:
        yield made
    finally:
        made.close()
