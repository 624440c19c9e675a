"""A district's roster on disk instead of in memory: what the SIS sends is put by, and the Canvas files are written.

Everything here is student data, so it lies in files only this user can read (0600, the folder 0700), which are gone
at the end: the spool's own file has no name from the start, so that not even a killed process leaves it behind.
Nothing is decided here.
"""

from __future__ import annotations

import gc
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from gradesync.connectors.private_folder import private_folder
from gradesync.connectors.roster_shelves import Chunks, ClassShelf, Heap, Seated, SeatShelf, Shelf, Shelved
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.domain.roster_csv import CanvasFile, Row, csv_text

T = TypeVar("T")

_COLLECT_AFTER = 50_000
_LINES = 1024
"""Rows whose text is made at once."""


class _Files:
    """The Canvas files of one run in the spool's folder (`domain.roster_csv.RowFiles`)."""

    def __init__(self, folder: Path, headers: Mapping[str, Row]) -> None:
        self._folder, self._headers = folder, headers
        self._open: dict[str, BinaryIO] = {}
        self._hashes: dict[str, Any] = {}

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        """Append rows; the first call makes the file with its header."""
        rows = rows if isinstance(rows, Sequence) else list(rows)
        if kind not in self._open:
            self._open[kind] = _private(self._folder / f"{kind}.csv")
            self._hashes[kind] = hashlib.sha256()
            self._write(kind, csv_text([self._headers[kind]]))
        for at in range(0, len(rows), _LINES):
            self._write(kind, csv_text(rows[at : at + _LINES]))
        return len(rows)

    def _write(self, kind: str, text: str) -> None:
        content = text.encode()
        self._hashes[kind].update(content)
        self._open[kind].write(content)

    def finished(self) -> Mapping[str, CanvasFile]:
        """Close the files and tell what they are."""
        found = {}
        for kind, file in self._open.items():
            name = f"{kind}.csv"
            found[name] = CanvasFile(self._folder / name, file.tell(), self._hashes[kind].hexdigest())
            file.close()
        return found

    def close(self) -> None:
        """Close all files, finished or not."""
        for file in self._open.values():
            file.close()


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
        heap = self._heap = Heap(file)
        self._users: Shelf[RosterUser] = Shelf(heap, RosterUser)
        self._enrollments = SeatShelf(heap)
        self._classes = ClassShelf(heap, self._enrollments.known)
        self._written: list[_Files] = []

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
            classes=Shelved(self._classes),
            users=Shelved(self._users),
            enrollments=Seated(self._enrollments),
        )

    def chunks(self) -> MutableMapping[tuple[str, str], bytes]:
        """Room for the chunks of one generation; they live as long as the spool does."""
        return Chunks(self._heap)

    def files(self, headers: Mapping[str, Row]) -> _Files:
        """Room for one set of Canvas files, `headers` by kind; they live as long as the spool does."""
        folder = self._folder / f"files-{len(self._written)}"
        folder.mkdir(mode=0o700)
        self._written.append(_Files(folder, headers))
        return self._written[-1]

    def close(self) -> None:
        """Close what a run that broke off left open."""
        for one in self._written:
            one.close()


@contextmanager
def disk_spool(parent: Path | None = None) -> Iterator[DiskSpool]:
    """A spool in a private folder under `parent` (the system's temporary folder), gone when the block ends."""
    threshold = gc.get_threshold()
    try:
        # Millions of tuples come and go here and none of them is in a cycle: a seventh of the time went into looking.
        gc.set_threshold(max(threshold[0], _COLLECT_AFTER), *threshold[1:])
        with (
            private_folder(parent) as folder,
            tempfile.TemporaryFile(dir=folder, buffering=0) as file,
            closing(DiskSpool(folder, file)) as spool,
        ):
            yield spool
    finally:
        gc.set_threshold(*threshold)


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
