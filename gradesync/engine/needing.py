"""`list --needs`: what waits for people over all accounts, by cause. Reads the store, never the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradesync.domain.needs import FROZEN, Cause, causes, needs
from gradesync.domain.report import ScheduleRow
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.queries import ListFilter, schedule_rows
from gradesync.ports import Store


def needing(store: Store, wanted: ListFilter) -> tuple[tuple[ScheduleRow, ...], tuple[Cause, ...]]:
    """The rows that wait for the people asked for, worst first, and their causes. Raises NotFound."""
    rows = schedule_rows(store, wanted, attempts=True)
    now = store.now()
    began = store.met_since(_told_by_runs(rows), LOOKBACK)
    hosts: Mapping[str, tuple[str, str]] = {row.schedule.id.account: row.hosts for row in rows}
    found = causes(rows, now, group=wanted.needs, hosts=hosts, began=began)
    if wanted.code is not None:
        found = tuple(one for one in found if one.code == wanted.code)
    return rows, found


def _told_by_runs(rows: Sequence[ScheduleRow]) -> set[tuple[ScheduleId, str]]:
    """Schedules and codes of which only the runs know since when; what waits has its own date."""
    return {
        (row.schedule.id, need.code)
        for row in rows
        for need in needs(row)
        if need.code not in row.waiting_since and need.code != FROZEN
    }


LOOKBACK = 200
"""How many runs back the beginning of a streak is looked for."""


__all__ = ["needing"]
