"""What is wrong in the roster files a SIS exported: by file, row and column, collected, capped, and without values.

A cell may hold a name or an id, so a fault says where it is and what was expected there, never what was found. No
reading lives here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gradesync.domain.roster_change import FileFault
from gradesync.domain.roster_faults import RosterFilesProblem

KINDS_KEPT = 200
"""Different faults (file, column, what) that are kept; further ones are only counted."""
ROWS_KEPT = 3
"""Rows named for each of them: a column that is wrong in every row is one mistake."""


@dataclass(slots=True)
class _Kind:
    rows: list[int] = field(default_factory=list)
    times: int = 0


class Faults:
    """Collects faults while files are read; however many rows are wrong, it stays small."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], _Kind] = {}
        self.total = 0

    def add(self, what: str, *, file: str = "", row: int | None = None, column: str = "") -> None:
        """One more fault. `what` is a constant sentence: it must never hold anything read from a file."""
        self.total += 1
        key = (file, column, what)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= KINDS_KEPT:
                return
            kind = self._kinds[key] = _Kind()
        kind.times += 1
        if row is not None and len(kind.rows) < ROWS_KEPT:
            kind.rows.append(row)

    def found(self) -> tuple[FileFault, ...]:
        """The different faults, in the order they were met."""
        return tuple(
            FileFault(file, column, what, tuple(kind.rows), kind.times)
            for (file, column, what), kind in self._kinds.items()
        )

    def stop(self) -> None:
        """Raise RosterFilesProblem when there is any fault."""
        if self.total:
            raise RosterFilesProblem(self.found(), self.total)


__all__ = ["Faults", "RosterFilesProblem"]
