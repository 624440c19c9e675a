"""Every finding a file or a run can have, as data: what it means, what to do, and who must do it.

Codes are appended and never renumbered: they stand in histories and in people's mails for years. No rendering here
and no vendor text: a code says what *we* think; what the other side said is kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradesync.domain.catalogue import canvas, connections, decisions, roster, runs, settings, sis
from gradesync.domain.catalogue.entry import Act, Code, Radius


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the tree a finding stands: `file` relative to the tree, `line` and `column` counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in the files people write. `message` never repeats a value that could be a secret.

    `width` is the length of the key or value the caret underlines; `warning` findings do not stop anything.
    """

    code: str
    message: str
    place: Place
    hint: str = ""
    account: str | None = None
    warning: bool = False
    width: int = 1


CODES: dict[str, Code] = {
    entry.code: entry
    for entries in (
        settings.ENTRIES,
        connections.ENTRIES,
        canvas.ENTRIES,
        decisions.ENTRIES,
        sis.ENTRIES,
        roster.ENTRIES,
        runs.ENTRIES,
    )
    for entry in entries
}
"""The catalogue, by code."""

ENDS_RUN = frozenset({"GS-201", "GS-202", "GS-205", "GS-206", "GS-207", "GS-208", "GS-510"})
"""Codes after which every further request of a run would meet the same refusal: the run ends at once."""

RESERVED = frozenset({"GS-701", "GS-706"})
"""Codes whose meaning is settled and which nothing meets yet."""

__all__ = ["CODES", "ENDS_RUN", "RESERVED", "Act", "Code", "Place", "Problem", "Radius"]
