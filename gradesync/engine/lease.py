"""Keeping a claimed lease: renewal beside the sync, and the guard before every outside write.

The guard trusts only the monotonic clock, counted from before the renewal was sent, so that neither a slow database
nor a stepped wall clock can make a run believe it still owns an account (engine.md 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gradesync.engine.tools import GUARD_MARGIN, Tools
from gradesync.errors import LeaseLost, StoreUnavailable


class LeaseGuard:
    """`check()` raises LeaseLost when an outside write could outlive the lease."""

    def __init__(self, lease_seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seconds = lease_seconds
        # A short lease (tests, impatient operators) keeps the same proportion of safety.
        self._margin = min(GUARD_MARGIN, lease_seconds / 3)
        self.deadline = 0.0
        self.lost = False

    def extend_from(self, before: float) -> None:
        """The lease was confirmed by a request sent at `before` (monotonic seconds)."""
        self.deadline = before + self._seconds

    def check(self) -> None:
        """Raises LeaseLost when the lease is gone or too close to its end."""
        if self.lost or self._monotonic() > self.deadline - self._margin:
            raise LeaseLost(
                "the right to work in this account has ended", hint="the next pass takes the run up again"
            )


@asynccontextmanager
async def kept(tools: Tools, account: str, epoch: int, guard: LeaseGuard) -> AsyncIterator[None]:
    """Renew at a quarter of the lease while the body runs; a lost lease cancels the body with LeaseLost."""
    body = asyncio.current_task()
    assert body is not None  # a coroutine always runs in a task
    renewing = asyncio.create_task(_renew(tools, account, epoch, guard, body))
    try:
        yield
    except asyncio.CancelledError:
        if guard.lost:
            body.uncancel()
            raise LeaseLost("the lease was taken by another pass") from None
        raise
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def _renew(
    tools: Tools, account: str, epoch: int, guard: LeaseGuard, body: asyncio.Task[object]
) -> None:
    while True:
        await asyncio.sleep(tools.lease_seconds / 4)
        before = tools.monotonic()
        try:
            ours = tools.store.renew(account, epoch, tools.lease_seconds)
        except StoreUnavailable:
            # The database may come back before the deadline; until then the guard counts down by itself.
            continue
        if not ours:
            guard.lost = True
            body.cancel()
            return
        guard.extend_from(before)
