"""Drops and adds of a roster import, class by class, for a person who looks at one run."""

from __future__ import annotations

from gradesync.domain.roster_change import RosterChange
from gradesync.reporting import words
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, table

_MOST_ROWS = 40
"""Rows shown, those with the most comings and goings; JSON has all that the run kept."""


def class_change_lines(change: RosterChange | None, style: Style) -> list[str]:
    """The table; nothing where no class gained or lost anybody."""
    if change is None or not change.classes:
        return []
    cells = [
        (Cell(one.class_id, "bold"), Cell(one.school), Cell(f"{one.added:,}"), Cell(f"{one.dropped:,}"))
        for one in change.classes[:_MOST_ROWS]
    ]
    more = len(change.classes) - _MOST_ROWS
    told = (
        [f"and {words.plural(more, 'more class', 'more classes')} (--format json has them)"]
        if more > 0
        else []
    )
    return [*table(("CLASS", "SCHOOL", "ADDED", "DROPPED"), cells, style), *told]


def read_back_lines(change: RosterChange | None, style: Style) -> list[str]:
    """What reading back showed, school by school; nothing where nobody looked."""
    if change is None or not change.read_back:
        return []
    cells = [
        (
            Cell(one.school or "(none)", "bold"),
            Cell(f"{one.looked:,}"),
            Cell(f"{one.missing:,}", "red" if one.missing else ""),
        )
        for one in change.read_back
    ]
    return table(("SCHOOL", "SEATS READ BACK", "NOT IN CANVAS"), cells, style)
