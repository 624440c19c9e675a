"""Accounts whose file has problems, for whoever asks later why a merged change is not there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.report import ScheduleRow
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import folded

_NAMED = 5


def frozen_lines(rows: Sequence[ScheduleRow], now: datetime, style: Style) -> list[str]:
    """A line for each frozen account among the rows, on its own clock; the longest frozen first."""
    found = {row.schedule.id.account: row for row in rows if row.frozen_since is not None}
    ordered = sorted(found.values(), key=lambda row: (row.frozen_since or now, row.schedule.id))
    lines: list[str] = []
    for row in ordered[:_NAMED]:
        since = words.clock(row.frozen_since or now, row.schedule.time_zone, now)
        told = (
            f"! {clean(row.schedule.id.account)} is frozen: its file has problems since {since}, and the last good "
            "definition keeps running; `gradesync validate` says what is wrong"
        )
        lines += folded(told, style, "", "  ", color="yellow")
    if len(ordered) > _NAMED:
        lines.append(f"  and {words.plural(len(ordered) - _NAMED, 'more account')}: see `gradesync validate`")
    return lines


__all__ = ["frozen_lines"]
