"""What the engine works with: the ports, bundled once by the composition root.

Only a bundle; no behaviour may grow here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gradesync.domain.run import Actor, Holder
from gradesync.ports import Connections, Keys, Progress, Store

LEASE_SECONDS = 60.0
"""How long a lease lasts without renewal; renewed at a quarter of it (engine.md 5)."""

GUARD_MARGIN = 20.0
"""Seconds that must be left on the lease before an outside write may start; with the store's grace of 15 s this is
more than the 30 s a write may take."""


def never() -> bool:
    """Nobody asks this process to end."""
    return False


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside as the engine sees it. `monotonic` and `sleep` are arguments so that tests can fly."""

    store: Store
    connections: Connections
    keys: Keys
    progress: Progress
    holder: Holder
    actor: Actor
    lease_seconds: float = LEASE_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    accounts_at_once: int = 4
    halted: Callable[[], bool] = never
    """Whether this process was asked to end: nothing more is claimed, and runs are handed back at a class boundary."""
