"""The clock that a lease's end is counted on: it never steps, and it counts the time a machine sleeps.

Only the reading of a clock; what it is used for is the engine's business.
"""

from __future__ import annotations

import time


def awake_or_not() -> float:
    """Seconds since some fixed instant, those of a suspended machine included.

    Python's monotonic clock stands still while the machine sleeps: a laptop opened again, or a guest resumed, would
    believe for a moment that it still owns an account that another machine took over long ago.
    """
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Linux keeps the sleeping time apart; elsewhere the system's monotonic clock counts it."""
