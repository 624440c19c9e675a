"""A district's roster on disk instead of in memory: what the SIS sends is put by, and the Canvas files are written.

Everything here is student data, so it lies in files only this user can read (0600, the folder 0700), which are gone
at the end: the spool's own file has no name from the start, so that not even a killed process leaves it behind.
Nothing is decided here.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from gradesync.domain.roster import (
    SHARDS,
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
    shard_of,
)
from gradesync.domain.roster_csv import CanvasFile, Row, csv_text

T = TypeVar("T")

_BLOCK = 128
"""Rows of one part that are kept in memory before they go to disk."""
# Rows share no objects worth remembering: without references (marshal version 2) writing is quicker.
_VERSION = 2

_day = lru_cache(maxsize=4096)(date.fromordinal)


class _Shelf(Generic[T]):
    """Rows of one kind in their parts, as blocks of plain values in the spool's file."""

    def __init__(
        self,
        file: BinaryIO,
        key: Callable[[T], str],
        plain: Callable[[list[T]], list[Any]],
        made: Callable[[list[Any]], list[T]],
    ) -> None:
        self._file, self._key, self._plain, self._made = file, key, plain, made
        self._pending: list[list[T]] = [[] for _ in range(SHARDS)]
        self._blocks: list[list[int]] = [[] for _ in range(SHARDS)]
        self.count = 0

    def put(self, rows: Iterable[T]) -> None:
        """Take rows; no row is looked at beyond its key."""
        key, pending, count = self._key, self._pending, 0
        for row in rows:
            part = pending[shard_of(key(row))]
            part.append(row)
            count += 1
            if len(part) >= _BLOCK:
                self._flush(part, self._blocks[shard_of(key(row))])
        self.count += count

    def _flush(self, part: list[T], blocks: list[int]) -> None:
        blocks.append(self._file.seek(0, os.SEEK_END))
        marshal.dump(self._plain(part), self._file, _VERSION)
        part.clear()

    def part(self, number: int) -> list[T]:
        """All rows of a part."""
        found: list[T] = []
        for at in self._blocks[number]:
            self._file.seek(at)
            found += self._made(marshal.load(self._file))  # noqa: S302 - our own file, which nobody else can open
        return found + self._pending[number]


class _Shelved(Collection[T]):
    """What a shelf holds, to be gone through again and again (`domain.roster.Sharded`)."""

    def __init__(self, shelf: _Shelf[T]) -> None:
        self._shelf = shelf

    def __len__(self) -> int:
        return self._shelf.count

    def __iter__(self) -> Iterator[T]:
        for part in self.shards():
            yield from part

    def __contains__(self, row: object) -> bool:
        return any(row == one for one in self)

    def shards(self) -> Iterator[Sequence[T]]:
        """The parts, in order, each read when it is its turn."""
        return map(self._shelf.part, range(SHARDS))


class _Files:
    """The Canvas files of one run in the spool's folder (`domain.roster_csv.RowFiles`)."""

    def __init__(self, folder: Path, headers: Mapping[str, Row]) -> None:
        self._folder, self._headers = folder, headers
        self._open: dict[str, BinaryIO] = {}
        self._hashes: dict[str, Any] = {}

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        """Append rows; the first call makes the file with its header."""
        rows = rows if isinstance(rows, list) else list(rows)
        file = self._open.get(kind)
        text = csv_text(rows)
        if file is None:
            file = self._open[kind] = _private(self._folder / f"{kind}.csv")
            self._hashes[kind] = hashlib.sha256()
            text = csv_text([self._headers[kind]]) + text
        content = text.encode()
        self._hashes[kind].update(content)
        file.write(content)
        return len(rows)

    def finished(self) -> Mapping[str, CanvasFile]:
        """Close the files and tell what they are."""
        found = {}
        for kind, file in self._open.items():
            name = f"{kind}.csv"
            found[name] = CanvasFile(self._folder / name, file.tell(), self._hashes[kind].hexdigest())
            file.close()
        return found


def _private(path: Path) -> BinaryIO:
    """A new file that only this user can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


class DiskSpool:
    """RosterSpool on disk: takes a read as it comes, then gives it as a Roster; makes room for the Canvas files."""

    def __init__(self, folder: Path, file: BinaryIO) -> None:
        self._folder = folder
        self._orgs: list[Org] = []
        self._sessions: list[AcademicSession] = []
        self._courses: list[RosterCourse] = []
        self._classes: _Shelf[RosterClass] = _shelf(file, RosterClass, attrgetter("id"))
        self._users: _Shelf[RosterUser] = _shelf(file, RosterUser, attrgetter("id"))
        self._enrollments: _Shelf[RosterEnrollment] = _Shelf(
            file, attrgetter("user_id"), _plain_enrollments, _made_enrollments
        )
        self._written = 0

    def orgs(self, rows: Iterable[Org]) -> None:
        """Take districts and schools."""
        self._orgs.extend(rows)

    def sessions(self, rows: Iterable[AcademicSession]) -> None:
        """Take years, terms and grading periods."""
        self._sessions.extend(rows)

    def courses(self, rows: Iterable[RosterCourse]) -> None:
        """Take courses of the catalogue."""
        self._courses.extend(rows)

    def classes(self, rows: Iterable[RosterClass]) -> None:
        """Take classes."""
        self._classes.put(rows)

    def users(self, rows: Iterable[RosterUser]) -> None:
        """Take people."""
        self._users.put(rows)

    def enrollments(self, rows: Iterable[RosterEnrollment]) -> None:
        """Take enrollments."""
        self._enrollments.put(rows)

    def roster(self) -> Roster:
        """What was taken. It lives as long as the spool does."""
        return Roster(
            orgs=tuple(self._orgs),
            sessions=tuple(self._sessions),
            courses=tuple(self._courses),
            classes=_Shelved(self._classes),
            users=_Shelved(self._users),
            enrollments=_Shelved(self._enrollments),
        )

    def files(self, headers: Mapping[str, Row]) -> _Files:
        """Room for one set of Canvas files, `headers` by kind; they live as long as the spool does."""
        self._written += 1
        folder = self._folder / f"files-{self._written}"
        folder.mkdir(mode=0o700)
        return _Files(folder, headers)


def _shelf(file: BinaryIO, kind: Any, key: Callable[[Any], str]) -> _Shelf[Any]:
    """A shelf of one dataclass, whose fields are plain values."""
    plain = attrgetter(*(one.name for one in fields(kind)))
    return _Shelf(
        file, key, lambda rows: [plain(row) for row in rows], lambda rows: [kind(*row) for row in rows]
    )


def _plain_enrollments(rows: list[RosterEnrollment]) -> list[Any]:
    """Days as numbers, because marshal knows no dates."""
    return [(i, u, c, r, b and b.toordinal(), e and e.toordinal(), p) for i, u, c, r, b, e, p in rows]


def _made_enrollments(rows: list[Any]) -> list[RosterEnrollment]:
    make, day = RosterEnrollment._make, _day
    return [make((i, u, c, r, b and day(b), e and day(e), p)) for i, u, c, r, b, e, p in rows]


@contextmanager
def disk_spool(parent: Path | None = None) -> Iterator[DiskSpool]:
    """A spool in a private folder under `parent` (the system's temporary folder), gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="gradesync-", dir=parent))
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield DiskSpool(folder, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ListIntake:
    """RosterIntake in memory, for small rosters and tests."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Any]] = {}

    def orgs(self, rows: Iterable[Org]) -> None:
        """Take districts and schools."""
        self._rows.setdefault("orgs", []).extend(rows)

    def sessions(self, rows: Iterable[AcademicSession]) -> None:
        """Take years, terms and grading periods."""
        self._rows.setdefault("sessions", []).extend(rows)

    def courses(self, rows: Iterable[RosterCourse]) -> None:
        """Take courses of the catalogue."""
        self._rows.setdefault("courses", []).extend(rows)

    def classes(self, rows: Iterable[RosterClass]) -> None:
        """Take classes."""
        self._rows.setdefault("classes", []).extend(rows)

    def users(self, rows: Iterable[RosterUser]) -> None:
        """Take people."""
        self._rows.setdefault("users", []).extend(rows)

    def enrollments(self, rows: Iterable[RosterEnrollment]) -> None:
        """Take enrollments."""
        self._rows.setdefault("enrollments", []).extend(rows)

    def roster(self) -> Roster:
        """What was taken."""
        return Roster(**{kind: tuple(rows) for kind, rows in self._rows.items()})
