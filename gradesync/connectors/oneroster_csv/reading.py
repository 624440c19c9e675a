"""A OneRoster CSV export as source of rosters: manifest first, then every file row by row, faults collected.

A read with any fault hands over nothing that is used: it ends in RosterFilesProblem with all of them, because a file
that is wrong in one place has lost the trust that what is missing from it has really ended. References that lead
nowhere are no faults of a file; the mapping leaves such records out and counts them.

Changes (`delta`) are taken only onto a bulk export that the account names as their base. Nothing in the format tells
whether an export of changes was missed, so changes on top of an unknown state are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from gradesync.connectors.oneroster_csv.layouts import (
    ABSENT,
    BULK,
    DELTA,
    MAY_END_WITHOUT,
    TO_BE_DELETED,
    V1P2,
    in_mode,
    layouts,
)
from gradesync.connectors.oneroster_csv.manifest import Manifest, read_manifest
from gradesync.connectors.oneroster_csv.rows import better, makers
from gradesync.connectors.roster_faults import Faults
from gradesync.connectors.roster_package import ROSTER_LIMITS, Limits, Package, opened
from gradesync.connectors.roster_pickup import Pickup
from gradesync.connectors.roster_table import Columns, Layout, Make, Table, Words
from gradesync.domain.roster import Org
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterIntake

T = TypeVar("T")

_CHUNK = 256
"""Rows handed over together; few, so that they stay in the processor's cache."""
_BLOCKS = 16
"""Blocks of rows read beside the loop at a time, which stays free to keep the lease."""
_MOST_CHANGES = 500_000
"""Rows of changes that are held in memory; a district that changes more exports bulk."""

_ORDER = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")


class OneRosterCsvSource:
    """RosterSource over the newest export that `pickup` brings. One object per run."""

    def __init__(self, pickup: Pickup, *, guardians: bool = False, limits: Limits = ROSTER_LIMITS) -> None:
        self._pickup, self._guardians, self._limits = pickup, guardians, limits

    async def identity(self) -> str:
        """The sourcedId of the district org, else of all root orgs, joined by `+` in their order.

        Raises RosterFilesProblem with the faults of the whole export when the orgs cannot be relied on.
        """
        files = await self._pickup.fetch()
        found = await asyncio.to_thread(self._orgs, files.newest, files.base)
        if found is None:
            await self.read_roster(lambda _done, _total: None, _Nobody())
        orgs = {one.id: one for one in found or ()}
        districts = [one.id for one in orgs.values() if one.kind == "district"]
        roots = [one.id for one in orgs.values() if one.parent_id is None or one.parent_id not in orgs]
        ids = sorted(districts or roots)
        if not ids:
            raise ConnectionProblem("The roster files name no district and no school.", code="GS-610")
        return "+".join(ids)

    def _orgs(self, newest: Path, base: Path | None) -> list[Org] | None:
        faults = Faults()
        with ExitStack() as stack:
            export = _Export.open(stack, newest, base, faults, self._limits, guardians=self._guardians)
            found = list(export.rows("orgs")) if export is not None else []
        return None if faults.total else found

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """Hand over the whole export; `told` hears how many of its files are done.

        Raises RosterFilesProblem at the end when anything was wrong, and ConnectionProblem GS-612 when the files
        changed meanwhile; what was handed over until then is not to be used.
        """
        files = await self._pickup.fetch()
        faults = Faults()
        with ExitStack() as stack:
            export = await asyncio.to_thread(
                partial(_Export.open, guardians=self._guardians),
                stack,
                files.newest,
                files.base,
                faults,
                self._limits,
            )
            if export is not None:
                await self._pour(export, told, intake)
        await self._pickup.unchanged()
        faults.stop()

    async def _pour(
        self, export: _Export, told: Callable[[int, int | None], None], intake: RosterIntake
    ) -> None:
        put: dict[str, Callable[[Any], None]] = {
            "orgs": intake.orgs,
            "academicSessions": intake.sessions,
            "courses": intake.courses,
            "classes": intake.classes,
            "users": intake.users,
            "enrollments": intake.enrollments,
        }
        for done, name in enumerate(_ORDER):
            told(done, len(_ORDER))
            blocks = export.blocks(name)
            while await asyncio.to_thread(_some, blocks, put[name]):
                pass
        told(len(_ORDER), len(_ORDER))


def _some(blocks: Iterator[T], put: Callable[[T], None]) -> bool:
    """Hand over a few blocks; whether there were any."""
    some = False
    for block in islice(blocks, _BLOCKS):
        some = True
        put(block)
    return some


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of one package, judged by its header already."""

    table: Table
    layout: Layout
    header: tuple[str, ...]


class _Export:
    """The files of an export by name: each whole, or a base and the changes to it."""

    def __init__(self, version: str, faults: Faults, *, guardians: bool) -> None:
        self._version, self._faults, self._guardians = version, faults, guardians
        self._whole: dict[str, _Part] = {}
        self._changes: dict[str, _Part] = {}
        self._roles: dict[str, str] | None = None

    @classmethod
    def open(
        cls,
        stack: ExitStack,
        newest: Path,
        base: Path | None,
        faults: Faults,
        limits: Limits,
        *,
        guardians: bool,
    ) -> _Export | None:
        """Open the export and judge manifest and headers; None when there is nothing to read on."""
        package = stack.enter_context(opened(newest, faults, limits))
        manifest = read_manifest(package, faults)
        if manifest is None:
            return None
        export = cls(manifest.version, faults, guardians=guardians)
        wanted = layouts(manifest.version)
        changes = any(manifest.mode(name) == DELTA for name in wanted)
        below = export._base(stack, base, limits) if changes else None
        for name, layout in wanted.items():
            export._place(name, layout, (package, manifest), below, changes=changes)
        return export

    def _base(self, stack: ExitStack, base: Path | None, limits: Limits) -> tuple[Package, Manifest] | None:
        """The bulk export that changes count from."""
        if base is None:
            self._faults.add(
                "the export holds changes only (delta), and no base is named that they count from: export bulk"
            )
            return None
        package = stack.enter_context(opened(base, self._faults, limits))
        manifest = read_manifest(package, self._faults)
        if manifest is None:
            return None
        if manifest.version != self._version:
            self._faults.add("changes and their base are of different versions of OneRoster: export bulk")
            return None
        if any(manifest.mode(name) != BULK for name in layouts(self._version)):
            self._faults.add("the base of the changes is not a whole export: export bulk")
            return None
        return package, manifest

    def _place(
        self,
        name: str,
        layout: Layout,
        newest: tuple[Package, Manifest],
        below: tuple[Package, Manifest] | None,
        *,
        changes: bool,
    ) -> None:
        package, manifest = newest
        mode = manifest.mode(name)
        if mode == BULK:
            self._add(self._whole, name, package, layout, BULK)
        elif mode == DELTA:
            self._add(self._changes, name, package, layout, DELTA)
        if mode != BULK and below is not None:
            self._add(self._whole, name, below[0], layout, BULK)
        if mode == ABSENT and not changes:
            self._faults.add("the manifest calls the file absent, and a roster needs it", file=layout.file)

    def _add(self, parts: dict[str, _Part], name: str, package: Package, layout: Layout, mode: str) -> None:
        table = Table(package, layout.file, self._faults)
        header = table.header()
        if header is not None and _sound_header(table, layout, header, MAY_END_WITHOUT.get(name)):
            parts[name] = _Part(table, in_mode(layout, mode), header)

    def rows(self, name: str) -> Iterator[Any]:
        """The file's rows as values, changes applied; its faults are known once all were gone through."""
        whole, changes = self._whole.get(name), self._changes.get(name)
        if name == "users" and self._version == V1P2:
            self._read_roles()
        rows: Iterator[Any] = iter(())
        if whole is not None:
            rows = whole.table.rows(whole.layout, whole.header, self._make(name, whole))
            if name == "users" and not self._guardians:
                rows = (row for row in rows if row is not None)
        if changes is None:
            yield from rows
            if name == "users":
                # Tens of thousands of people's roles: nobody needs them any more.
                self._roles = None
        else:
            news = self._news(name, changes)
            for row in rows:
                if row.id not in news:
                    yield row
                elif (changed := news.pop(row.id)) is not None:
                    yield changed
            yield from (row for row in news.values() if row is not None)

    def blocks(self, name: str) -> Iterator[Iterable[Any]]:
        """The same block by block; enrollments in columns where there are no changes."""
        whole = self._whole.get(name)
        if name == "enrollments" and whole is not None and name not in self._changes:
            yield from whole.table.blocks(whole.layout, whole.header, self._make(name, whole))
            return
        rows = self.rows(name)
        while block := list(islice(rows, _CHUNK)):
            yield block

    def _make(self, name: str, part: _Part) -> Make[Any]:
        roles: Mapping[str, str] = self._roles or {}
        return makers(self._version, {name: part.header}, roles, guardians=self._guardians)[name]

    def _news(self, name: str, part: _Part) -> dict[str, Any]:
        """What each changed id has become; None where it is gone."""
        make = self._make(name, part)

        def change(cells: Columns, words: Words) -> Iterable[tuple[str, Any]]:
            made = zip(cells[0], words[0], make(cells, words), strict=True)
            return ((id, None if status == TO_BE_DELETED else row) for id, status, row in made)

        news: dict[str, Any] = {}
        for sourced_id, value in part.table.rows(part.layout, part.header, change, may_be_empty=True):
            if len(news) >= _MOST_CHANGES:
                part.table.fault(f"the file holds more than {_MOST_CHANGES} changes: export bulk")
                break
            news[sourced_id] = value
        return news

    def _read_roles(self) -> None:
        """roles.csv of 1.2, before the users: each person's role that counts."""
        if self._roles is not None:
            return
        found: dict[str, str] = {}
        for one in self.rows("roles"):
            found[one.user_id] = better(one.role, found.get(one.user_id))
        self._roles = found


def _sound_header(table: Table, layout: Layout, header: tuple[str, ...], may_lack: str | None) -> bool:
    """Whether the columns are those of the standard, in its order, with nothing but `metadata.` behind them.

    A column's name is told only as the standard has it: a file without a header begins with somebody's data.
    """
    wanted = layout.columns
    if may_lack is not None and may_lack not in header:
        wanted = tuple(name for name in wanted if name != may_lack)
    for at, name in enumerate(wanted):
        if at >= len(header):
            table.fault("the column is missing from the header", 1, name)
            return False
        if header[at] != name:
            table.fault(f"column {at + 1} of the header is not this one", 1, name)
            return False
    if not all(name.startswith("metadata.") for name in header[len(wanted) :]):
        table.fault("behind the standard's columns the header has one that does not begin with metadata.", 1)
        return False
    return True


class _Nobody:
    """An intake that keeps nothing: for reading an export only to find all that is wrong in it."""

    def orgs(self, rows: object) -> None:
        """Let go."""

    def sessions(self, rows: object) -> None:
        """Let go."""

    def courses(self, rows: object) -> None:
        """Let go."""

    def classes(self, rows: object) -> None:
        """Let go."""

    def users(self, rows: object) -> None:
        """Let go."""

    def enrollments(self, rows: object) -> None:
        """Let go."""
