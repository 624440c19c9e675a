"""The files just written, read again row by row. Nothing is decided and nothing is kept."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradesync.domain.roster_csv import Row


@contextmanager
def rows_of(path: Path) -> Iterator[tuple[Row, Iterator[Row]]]:
    """A file's header, and its rows one after the other."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = tuple(next(reader))
        yield header, (tuple(row) for row in reader)
