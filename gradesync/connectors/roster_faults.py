"""What is wrong in the roster files a SIS exported: by file, row and column, collected, capped, and without values.

A cell may hold a name or an id, so a fault says where it is and what was expected there, never what was found. No
reading lives here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gradesync.errors import ConnectionProblem

KINDS_KEPT = 200
"""Different faults (file, column, what) that are kept; further ones are only counted."""
ROWS_KEPT = 3
"""Rows named for each of them: a column that is wrong in every row is one mistake."""
KINDS_TOLD = 10
"""How many of them the message spells out."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """One mistake in a file: `rows` are the first rows it is met in, counted from 1 with the header, `times` all.

    `file` "" is the export as a whole; `column` "" the row as a whole; no `rows` mean the file as a whole.
    """

    file: str
    column: str
    what: str
    rows: tuple[int, ...] = ()
    times: int = 1

    def __str__(self) -> str:
        where = [self.file or "the export"]
        if self.rows:
            where.append(f"row {self.rows[0]}")
        if self.column:
            where.append(f"column {self.column}")
        more = f" ({self.times} rows)" if self.times > 1 else ""
        return f"{', '.join(where)}: {self.what}{more}"


class RosterFilesProblem(ConnectionProblem):
    """The export has faults, and nothing of it is used (GS-610). `faults` are the different ones, in order met."""

    def __init__(self, faults: tuple[FileFault, ...], total: int) -> None:
        told = "; ".join(str(fault) for fault in faults[:KINDS_TOLD])
        rest = total - sum(fault.times for fault in faults[:KINDS_TOLD])
        more = f"; and {rest} more" if rest > 0 else ""
        count = "1 fault" if total == 1 else f"{total} faults"
        super().__init__(
            f"The roster files have {count}, so nothing of them is sent: {told}{more}.",
            code="GS-610",
            hint="mend the export in the SIS and export again; Canvas stays as the last import left it",
        )
        self.faults = faults
        self.total = total


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
