"""Keeping a claimed lease: renewal beside the sync, and the guard before every outside write.

The guard trusts only the monotonic clock, counted from before the renewal was sent, so that neither a slow database
nor a stepped wall clock can make a run believe it still owns an account (engine.md 5).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gradesync.domain.run import Headway
from gradesync.engine.tools import GUARD_MARGIN, Tools
from gradesync.errors import LeaseLost, StoreUnavailable
from gradesync.events import tell

RENEWALS = 4
_TRIES = 20
"""Into how many parts a lease is cut: a renewal falls due after one of four; one that failed is tried again after
one of twenty, so that a database that restarts costs a run nothing."""


class LeaseGuard:
    """`check()` raises LeaseLost when an outside write could outlive the lease."""

    def __init__(self, lease_seconds: float, monotonic: Callable[[], float], run: str = "") -> None:
        """`run` is what requests under this guard say of themselves."""
        self.run = run
        self._monotonic = monotonic
        self._seconds = lease_seconds
        # A short lease (tests, impatient operators) keeps the same proportion of safety.
        self._margin = min(GUARD_MARGIN, lease_seconds / 3)
        self.deadline = 0.0
        self.lost = False

    def extend_from(self, before: float) -> None:
        """The lease was confirmed by a request sent at `before` (monotonic seconds)."""
        self.deadline = before + self._seconds

    def left(self) -> float:
        """Seconds until the lease ends; none or fewer when it has."""
        return self.deadline - self._monotonic()

    def check(self) -> None:
        """Raises LeaseLost when the lease is gone or too close to its end."""
        if self.lost or self._monotonic() > self.deadline - self._margin:
            raise LeaseLost(
                "the right to work in this account has ended", hint="the next pass takes the run up again"
            )


Look = Callable[[], Headway | None]
"""Answers how far the run has come."""


@asynccontextmanager
async def kept(
    tools: Tools, account: str, epoch: int, guard: LeaseGuard, look: Look = lambda: None
) -> AsyncIterator[None]:
    """Renew at a quarter of the lease while the body runs; a lost lease cancels the body with LeaseLost.

    What `look` answers is kept with each renewal, for people.

    A lease that could not be renewed until its end is lost too: what was begun under it (an upload of minutes) must
    have ended before somebody else may claim.
    """
    body = asyncio.current_task()
    assert body is not None  # a coroutine always runs in a task
    renewing = asyncio.create_task(_renew(tools, account, epoch, guard, body, look))
    try:
        yield
    finally:
        renewing.cancel()
        try:
            await asyncio.gather(renewing, return_exceptions=True)
        except asyncio.CancelledError:
            if not guard.lost:
                raise
        # What the body raised may already be its answer to our cancel; a cancel from outside stays in force.
        if guard.lost:
            if body.uncancel():
                raise asyncio.CancelledError
            raise LeaseLost("the lease was taken by another pass, or could not be renewed") from None


async def _renew(
    tools: Tools, account: str, epoch: int, guard: LeaseGuard, body: asyncio.Task[object], look: Look
) -> None:
    wait = tools.lease_seconds / RENEWALS
    try:
        while True:
            await asyncio.sleep(min(wait, max(0.0, guard.left())))
            before = tools.monotonic()
            ours = await _renewed(tools, account, epoch, guard, look())
            if ours:
                guard.extend_from(before)
            elif ours is False or guard.left() <= 0:
                break
            wait = tools.lease_seconds / (RENEWALS if ours else _TRIES)
    except asyncio.CancelledError:
        return
    except BaseException:
        # A bug in the store must not leave a run that believes in its lease.
        _lose(guard, body)
        raise
    _lose(guard, body)


async def _renewed(
    tools: Tools, account: str, epoch: int, guard: LeaseGuard, headway: Headway | None
) -> bool | None:
    """Whether the lease is still ours; None when the database could not be asked.

    In a thread: a database that hangs must not stop the clock that ends a write in time.
    """
    try:
        async with asyncio.timeout(max(0.0, guard.left())):
            return await asyncio.to_thread(tools.store.renew, account, epoch, tools.lease_seconds, headway)
    except (StoreUnavailable, TimeoutError):
        return None


def _lose(guard: LeaseGuard, body: asyncio.Task[object]) -> None:
    tell(
        "lease.lost",
        "the right to work in the account has ended; the run is broken off",
        level=logging.WARNING,
    )
    guard.lost = True
    body.cancel()
