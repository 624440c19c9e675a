"""Ending in order: a first signal, or a time that is up, ends work at a class boundary; a second signal at once.

No work is done here and nothing is decided about runs; what hands them back is the engine.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from gradesync.cli.boundary import RunsHandedBack
from gradesync.cli.common import tell

T = TypeVar("T")

GRACE = 60.0
"""Seconds that work is given to reach a class boundary; then it is cut off where it is, and handed back by that."""

_LOOK = 0.2


class Halt:
    """Whether this process is to end: because somebody asked, or because `after` seconds have gone by."""

    def __init__(
        self, after: float | None = None, *, grace: float = GRACE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._ends_at = None if after is None else clock() + after
        self._grace = grace
        # No `threading.Event`: a signal's handler runs between any two steps of whoever waits, and setting an event
        # takes the lock that its waiter may hold just then. Neither would ever go on.
        self._told = False
        self._told_at = 0.0

    def ask(self) -> None:
        """End at the next class boundary."""
        if not self._told:
            self._told_at = self._clock()
            self._told = True

    @property
    def told(self) -> bool:
        """Whether somebody asked, rather than the clock."""
        return self._told

    def asked(self) -> bool:
        """Whether to claim nothing more and to hand back at the next class boundary."""
        return self.told or (self._ends_at is not None and self._clock() >= self._ends_at)

    def overdue(self) -> bool:
        """Whether the time to reach a class boundary is up too."""
        since = [self._told_at] if self.told else []
        if self._ends_at is not None:
            since.append(self._ends_at)
        return bool(since) and self._clock() >= min(since) + self._grace

    def wait(self, seconds: float) -> bool:
        """Sleep, but not longer than until the end; whether that has come."""
        if self._ends_at is not None:
            seconds = min(seconds, self._ends_at - self._clock())
        until = time.monotonic() + seconds
        while not self._told and (left := until - time.monotonic()) > 0:
            # Looked at now and then: a sleep goes on after a signal's handler has run.
            time.sleep(min(left, _LOOK))
        return self.asked()


@contextmanager
def heeding_signals(halt: Halt) -> Iterator[None]:
    """SIGINT and SIGTERM ask for the end; the second raises RunsHandedBack: what is at work is queued again."""

    def asked(_number: int, _frame: FrameType | None) -> None:
        if halt.told:
            raise RunsHandedBack
        halt.ask()
        tell("stopping at the next class boundary (again to end at once)")

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, asked)
    except ValueError:
        pass  # not the main thread: whoever embeds us handles signals
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def carry_out_until(work: Coroutine[Any, Any, T], halt: Halt) -> T | None:
    """Run async work to its end; None when it was cut off because it did not end in time."""

    async def body() -> T:
        task = asyncio.ensure_future(work)
        cut = False
        while not task.done():
            # Looked at now and then: a signal's handler runs between two steps and wakes nobody up.
            await asyncio.wait({task}, timeout=_LOOK)
            if halt.overdue() and not cut:
                cut = task.cancel()
        return await task

    try:
        return asyncio.run(body())
    except asyncio.CancelledError:
        if not halt.overdue():
            raise
        return None
