"""Canvas's own SIS CSV files as source of rosters: read as values for scope and brake, and carried to Canvas as rows.

Such an export has its own idea of what is a course, a section and a term, under ids that are in Canvas already; made
anew from values it would build every course a second time. So its rows are carried as they are, but for what is never
carried: passwords, deletions of people and of their seats (they are suspended and inactive instead), and what is
outside the account's scope. What decides that is read from the same rows, so the brake measures what is sent.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar

from gradesync.connectors.canvas_csv.carried import Carried, Row, carried_rows
from gradesync.connectors.canvas_csv.layouts import (
    ACCOUNTS,
    COURSES,
    ENROLLMENTS,
    KINDS,
    NEEDED,
    SECTIONS,
    TERMS,
    USERS,
    kind_of,
)
from gradesync.connectors.canvas_csv.values import orgs_of, values_of
from gradesync.connectors.private_folder import private_folder
from gradesync.connectors.roster_faults import Faults
from gradesync.connectors.roster_package import ROSTER_LIMITS, Limits, Package, opened
from gradesync.connectors.roster_pickup import Pickup
from gradesync.connectors.roster_shelves import Heap, RowShelf
from gradesync.connectors.roster_table import Siblings, Table
from gradesync.domain.interval import zone
from gradesync.domain.roster import SHARDS, Roster
from gradesync.domain.roster_csv import HEADERS, CanvasFiles, RowFiles
from gradesync.ports import RosterIntake

T = TypeVar("T")

_CHUNK = 512
_NEVER_EMPTY = (*NEEDED, ACCOUNTS, TERMS)
"""A header alone says that an export broke off; a district may well have no cross-lists and no observers."""
_WORDS = (
    "user",
    "cour",
    "sect",
    "enrol",
    "term",
    "acc",
    "xlist",
    "observ",
    "staff",
    "stud",
    "teach",
    "school",
    "sis",
)
_TELLABLE = re.compile(r"[A-Za-z0-9_.-]{1,60}\Z")


class CanvasCsvSource:
    """RosterSource and ReadyFiles over the newest export that `pickup` brings. One object per run.

    `time_zone` is the district's: an instant of the export falls on a day there, not on that of Greenwich.
    """

    def __init__(self, pickup: Pickup, *, time_zone: str = "UTC", limits: Limits = ROSTER_LIMITS) -> None:
        self._pickup, self._limits = pickup, limits
        self._zone = zone(time_zone)
        self._path: Path | None = None

    async def identity(self) -> str:
        """Nothing: the files name no institution. Whose they are, the account's path says alone."""
        return ""

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """Hand over what the rows say; `told` hears how many kinds are done.

        Raises RosterFilesProblem at the end when anything was wrong, and ConnectionProblem GS-612 when the files
        changed meanwhile; what was handed over until then is not to be used.
        """
        self._path = (await self._pickup.fetch()).newest
        faults = Faults()
        with ExitStack() as stack:
            export = await asyncio.to_thread(_Export.open, stack, self._path, faults, self._limits)
            steps = (ACCOUNTS, TERMS, COURSES, SECTIONS, USERS, ENROLLMENTS)
            put: Mapping[str, Callable[[Any], None]] = {
                TERMS: intake.sessions,
                COURSES: intake.courses,
                SECTIONS: intake.classes,
                USERS: intake.users,
                ENROLLMENTS: intake.enrollments,
            }
            schools: dict[str, tuple[str, tuple[str, ...], str]] = {}
            accounts: list[Row] = []
            for done, kind in enumerate(steps):
                told(done, len(steps))
                rows = export.rows(kind)
                while chunk := await asyncio.to_thread(_some, rows):
                    if kind == ACCOUNTS:
                        accounts += chunk
                    else:
                        put[kind](values_of(kind, chunk, export.columns[kind], schools, self._zone))
            intake.orgs(orgs_of(accounts, schools))
            await asyncio.to_thread(export.judge_rest, steps)
            told(len(steps), len(steps))
        await self._pickup.unchanged()
        faults.stop()

    def headers(self) -> dict[str, Row]:
        """See ReadyFiles: the columns of every kind that is sent; to be asked after the read."""
        assert self._path is not None
        with ExitStack() as stack:
            export = _Export.open(stack, self._path, Faults(), self._limits)
            return {
                kind: export.columns.get(kind, columns) for kind, columns in HEADERS.items()
            } | export.columns

    def canvas_files(self, scoped: Roster, out: RowFiles) -> CanvasFiles:
        """See ReadyFiles: the rows in scope, as they came, people and seats in parts. Reads the export again."""
        assert self._path is not None
        faults = Faults()
        with ExitStack() as stack:
            export = _Export.open(stack, self._path, faults, self._limits)
            columns = self.headers()
            carried = Carried(scoped, columns)
            counts: Counter[str] = Counter()
            for kind in columns:
                # All files are there every night, even when nothing is in them: Canvas compares them by name.
                out.add(kind, ())
            heap = Heap(stack.enter_context(_unnamed()))
            for kind in KINDS:
                if kind not in columns:
                    continue
                rows: Iterator[Row] = (row for row in export.rows(kind) if carried.keeps(kind, row))
                if kind == SECTIONS:
                    rows = map(carried.shared, rows)
                if kind == USERS:
                    people = _put_by(heap, columns[kind], rows)
                elif kind == ENROLLMENTS:
                    seats = _put_by(heap, columns[kind], rows)
                    for part in range(SHARDS):
                        # Somebody's seats right behind them: what the brake knows of a person is then put away.
                        counts[USERS] += out.add(USERS, people.rows(part))
                        counts[ENROLLMENTS] += out.add(ENROLLMENTS, seats.rows(part))
                else:
                    while chunk := _some(rows):
                        counts[kind] += out.add(kind, chunk)
        faults.stop()
        return CanvasFiles(
            files=out.finished(),
            counts={kind: counts[kind] for kind in columns},
            section_ids=carried.sections,
            kept_enrollments=carried.seats,
            open_users=carried.open_users,
        )


def _some(rows: Iterator[T]) -> list[T]:
    return list(islice(rows, _CHUNK))


@contextmanager
def _unnamed() -> Iterator[BinaryIO]:
    """A file for student data that has no name from the start, and goes with the block."""
    with private_folder() as folder, tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        yield file


def _put_by(heap: Heap, columns: Row, rows: Iterator[Row]) -> RowShelf:
    """The rows in parts of people, so that a district's people are never in memory together."""
    shelf = RowShelf(heap, columns, "user_id")
    while chunk := _some(rows):
        shelf.put(chunk)
    return shelf


def _told(name: str, number: int) -> str:
    """What a file is called in a fault: its name, where that is plainly one of a roster file; any other could be
    anything, and is told by its place."""
    if _TELLABLE.match(name) and any(word in name.lower() for word in _WORDS):
        return name
    return f"file {number} of the export by name"


class _Alias:
    """A package in which one file has a name that may be told."""

    def __init__(self, package: Package, alias: str, name: str) -> None:
        self.names = frozenset({alias})
        self._package, self._name = package, name

    def open(self, _name: str) -> IO[bytes]:
        """The file's bytes."""
        return self._package.open(self._name)


class _Export:
    """The files of an export by kind. `columns` are those that are sent, by kind."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._tables: dict[str, list[tuple[Table, tuple[str, ...]]]] = {}
        self.columns: dict[str, Row] = {}

    @classmethod
    def open(cls, stack: ExitStack, path: Path, faults: Faults, limits: Limits) -> _Export:
        """Open the export and tell its files apart; what cannot be used is a fault."""
        package = stack.enter_context(opened(path, faults, limits))
        export = cls(faults)
        for number, name in enumerate(sorted(package.names), 1):
            export._add(package, name, number)
        if not faults.total:
            for kind in NEEDED:
                if kind not in export._tables:
                    faults.add("no file of the export has the columns of this kind", file=f"{kind}.csv")
        for kind, tables in export._tables.items():
            found = {column for _, header in tables for column in header}
            export.columns[kind] = KINDS[kind].carried(found)
        return export

    def _add(self, package: Package, name: str, number: int) -> None:
        told = _told(name, number)
        header = Table(_Alias(package, told, name), told, self._faults).header()
        if header is None:
            return
        columns = tuple(column.strip().lower() for column in header)
        kind = kind_of(columns)
        if kind is None:
            self._faults.add("the columns are of no kind that Canvas knows", file=told)
            return
        if kind not in KINDS:
            self._faults.add(
                "files of this kind are not carried; take it out of the export", file=f"{kind}.csv"
            )
            return
        tables = self._tables.setdefault(kind, [])
        alias = f"{kind}.csv"
        if name != alias and (tables or alias in package.names):
            alias = f"{kind}.csv ({told})"
        table = Table(_Alias(package, alias, name), alias, self._faults)
        missing = [column for column in KINDS[kind].layout.columns if column not in columns]
        for column in missing:
            table.fault("the column is missing from the header", 1, column)
        if len(set(columns)) < len(columns):
            table.fault("a column stands twice in the header", 1)
            missing = ["twice"]
        if not missing:
            tables.append((table, columns))

    def rows(self, kind: str) -> Iterator[Row]:
        """The rows of a kind as they are sent, in their columns."""
        siblings = Siblings()
        for table, header in self._tables.get(kind, ()):
            make = carried_rows(kind, header, self.columns[kind])
            rows = table.rows(
                KINDS[kind].fitting(header),
                header,
                make,
                may_be_empty=kind not in _NEVER_EMPTY,
                siblings=siblings,
            )
            yield from (row for row in rows if row is not None)

    def judge_rest(self, done: tuple[str, ...]) -> None:
        """Read the kinds that hold no values, for their faults alone."""
        for kind in self._tables.keys() - set(done):
            for _ in self.rows(kind):
                pass
