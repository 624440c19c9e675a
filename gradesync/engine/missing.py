"""Whether passes still come, for whoever looks. Light: `list` asks it each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gradesync.domain.alarm_passes import gap_now

if TYPE_CHECKING:
    from gradesync.ports import Store


def no_pass_since(store: Store, late_after: timedelta | None = None) -> datetime | None:
    """When the last pass ended, if it was too long ago; None while passes come, or a run is at work."""
    gap = gap_now(store.passes(), store.now(), late_after)
    return None if gap is None or store.leases() else gap.since
