"""What the machine of passes knows of slots and holds: multiples of minutes and two instants, nothing of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gradesync.domain.hold import Hold
from gradesync.domain.schedule import SyncType
from tests.machine.passes_world import GROUPS


@dataclass
class Known:
    """A recorded schedule as the model sees it: slots after `since` are owed."""

    minutes: int
    state: str
    since: datetime


def slots(minutes: int, after: datetime, until: datetime) -> Iterable[datetime]:
    """Every whole `minutes` of the clock in (after, until]; zones are off UTC by whole hours here."""
    step = timedelta(minutes=minutes)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    at = start + ((after - start) // step + 1) * step
    while at <= until:
        yield at
        at += step


def stands(hold: Hold, account: str, name: str, at: datetime) -> bool:
    """Whether a hold stopped a schedule at an instant; every schedule here is a grade passback."""
    s = hold.scope
    ends = [end for end in (hold.expires_at, hold.released_at) if end is not None]
    covers = (
        s.account in (None, account)
        and s.schedule in (None, name)
        and s.group in (None, GROUPS[account])
        and s.type in (None, SyncType.GRADE_PASSBACK)
    )
    return covers and hold.created_at <= at and all(at < end for end in ends)


def next_slot(minutes: int, after: datetime) -> datetime:
    """The first slot after an instant."""
    return next(iter(slots(minutes, after, after + timedelta(hours=2))))
