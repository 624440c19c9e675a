"""A district's roster on disk instead of in memory: what the SIS sends is put by, and the Canvas files are written.

Everything here is student data, so it lies in files only this user can read (0600, the folder 0700), which are gone
at the end: the spool's own file has no name from the start, so that not even a killed process leaves it behind.
Nothing is decided here.
"""

from __future__ import annotations

import errno
import gc
import hashlib
import marshal
import os
import tempfile
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, overload
from zlib import crc32

from gradesync.connectors.private_folder import private_folder
from gradesync.domain.roster import (
    SHARDS,
    AcademicSession,
    Enrollments,
    Kind,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
    Seats,
    Table,
    shard_of,
)
from gradesync.domain.roster_csv import CanvasFile, Row, csv_text

T = TypeVar("T")

_BLOCK = 64
"""Rows of one part that are kept in memory before they go to disk."""
_COLLECT_AFTER = 50_000
_CHUNK = 512
"""Rows that are sorted into parts at once."""
# Rows share no objects worth remembering: without references (marshal version 2) writing is quicker.
_VERSION = 2


_WRITTEN_TOGETHER = 1 << 18
"""Bytes of blocks that are written at once."""
_LINES = 1024
"""Rows whose text is made at once."""
_FIRST = itemgetter(0)


class _Heap:
    """The spool's file: blocks are appended, and read by their place."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size = file, 0
        self._pending: list[bytes] = []
        self._written = 0

    def append(self, content: bytes) -> int:
        """Put a block at the end; answers its place. Raises OSError for a full disk, perhaps only at a later block."""
        at = self._size
        self._size += len(content)
        self._pending.append(content)
        if self._size - self._written >= _WRITTEN_TOGETHER:
            self._write()
        return at

    def _write(self) -> None:
        content = b"".join(self._pending)
        self._pending.clear()
        self._written = self._size
        if self._file.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self, at: int, size: int) -> bytes:
        """The block at a place."""
        if self._pending:
            self._write()
        # By place, so that reading never moves where the next block is written.
        return os.pread(self._file.fileno(), size, at)


class _Blocks:
    """Rows of one kind in their parts, as blocks of plain columns in the spool's file.

    `names` are a row's fields, of which the first is what rows are cut by.
    """

    def __init__(self, file: _Heap, names: tuple[str, ...]) -> None:
        self._file, self._names = file, names
        self._pending: list[list[tuple[Any, ...]]] = [[] for _ in range(SHARDS)]
        # Place and size of each block, one behind the other.
        self._places: list[array[int]] = [array("Q") for _ in range(SHARDS)]
        self.count = 0

    def _sort(self, keys: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Append each row to its part; parts that are full go to disk."""
        pending = self._pending
        for number, row in zip(_shards(keys), rows, strict=True):
            pending[number].append(row)
        self.count += len(keys)
        for number, part in enumerate(pending):
            if len(part) >= _BLOCK:
                self._flush(part, self._places[number])

    def _flush(self, part: list[tuple[Any, ...]], places: array[int]) -> None:
        content = marshal.dumps(list(map(_packed, zip(*part, strict=True))), _VERSION)
        places.extend((self._file.append(content), len(content)))
        part.clear()

    def columns(self, number: int) -> list[list[Any]]:
        """All rows of a part, field by field."""
        found: list[list[Any]] = [[] for _ in self._names]
        for block in self._blocks_of(number):
            for whole, piece in zip(found, block, strict=True):
                whole += array("I", piece) if type(piece) is bytes else piece
        if waiting := self._pending[number]:
            for whole, column in zip(found, zip(*waiting, strict=True), strict=True):
                whole += column
        return found

    def column(self, name: str) -> Iterator[Any]:
        """One field of all rows, which is not a number, without making the rows."""
        at = self._names.index(name)
        for number in range(SHARDS):
            for block in self._blocks_of(number):
                yield from block[at]
            yield from map(itemgetter(at), self._pending[number])

    def _blocks_of(self, number: int) -> Iterator[list[Any]]:
        places = self._places[number]
        for at, size in zip(places[::2], places[1::2], strict=True):
            yield marshal.loads(self._file.read(at, size))  # noqa: S302 - our own file, open to nobody else


def _shards(keys: Sequence[str]) -> list[int]:
    """`shard_of` each key, all in a few calls of C; that function where text has lone surrogates."""
    try:
        return [check % SHARDS for check in map(crc32, map(str.encode, keys))]
    except UnicodeEncodeError:
        return list(map(shard_of, keys))


def _packed(column: tuple[Any, ...]) -> tuple[Any, ...] | bytes:
    """A column as it goes to disk: numbers as four bytes each, all else as it is."""
    return array("I", column).tobytes() if type(column[0]) is int else column


class _Shelf(_Blocks, Generic[T]):
    """Rows that are named tuples of the type `kind`, cut by their first field."""

    def __init__(self, file: _Heap, kind: Any) -> None:
        super().__init__(file, kind._fields)
        # The constructor of a named tuple is a function of Python's, that of tuples is not: half the time.
        self._made: Callable[[tuple[Any, ...]], T] = partial(tuple.__new__, kind)

    def put(self, rows: Iterable[Any]) -> None:
        """Take rows; none is looked at beyond its key."""
        waiting = iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            self._sort(list(map(_FIRST, chunk)), chunk)

    def rows(self, number: int) -> list[T]:
        """All rows of a part."""
        return list(map(self._made, zip(*self.columns(number), strict=True)))


class _SeatShelf(_Blocks):
    """Enrollments: their person, and numbers for their class and for their role and days.

    A district has half a million enrollments in some thousand classes, so that a class's id is not kept as often.
    """

    def __init__(self, file: _Heap) -> None:
        super().__init__(file, ("user_id", "class_number", "kind_number"))
        self._classes: Table[str] = Table()
        self._kinds: Table[Kind] = Table()

    def put(self, rows: Iterable[RosterEnrollment]) -> None:
        """Take rows; those in columns cost half as much."""
        if isinstance(rows, Enrollments):
            self._put(rows)
            return
        waiting = iter(rows)
        while chunk := list(islice(waiting, _CHUNK)):
            self._put(Enrollments.of(chunk))

    def _put(self, rows: Enrollments) -> None:
        user_ids, class_ids, roles, begins, ends, _ = rows.columns
        class_numbers = map(self._classes.__getitem__, class_ids)
        kind_numbers = map(self._kinds.__getitem__, zip(roles, begins, ends, strict=True))
        self._sort(user_ids, zip(user_ids, class_numbers, kind_numbers, strict=True))

    def known(self, class_id: str) -> str:
        """The id as it is kept here already, so that a district's classes are not named twice in memory."""
        number = self._classes.get(class_id)
        return class_id if number is None else self._classes.values_in_order[number]

    def seats(self, number: int) -> Seats:
        """All rows of a part."""
        # Nothing comes any more, and looking ids up costs as much memory as they do.
        self._classes.settle()
        self._kinds.settle()
        user_ids, class_numbers, kind_numbers = self.columns(number)
        classes, kinds = self._classes.values_in_order, self._kinds.values_in_order
        return Seats(user_ids, class_numbers, kind_numbers, classes, kinds)


class _ClassShelf(_Shelf[RosterClass]):
    """Classes, under the very ids that their enrollments name."""

    def __init__(self, file: _Heap, known: Callable[[str], str]) -> None:
        super().__init__(file, RosterClass)
        self._known = known

    def columns(self, number: int) -> list[list[Any]]:
        """All rows of a part, field by field."""
        ids, *others = super().columns(number)
        return [list(map(self._known, ids)), *others]


class _Seated(Collection[RosterEnrollment]):
    """The enrollments of a shelf, to be gone through again and again (`domain.roster.Sharded`)."""

    def __init__(self, shelf: _SeatShelf) -> None:
        self._shelf = shelf

    def __len__(self) -> int:
        return self._shelf.count

    def __iter__(self) -> Iterator[RosterEnrollment]:
        for part in self.shards():
            yield from part

    def __contains__(self, row: object) -> bool:
        return any(row == one for one in self)

    def shards(self) -> Iterator[Seats]:
        """The parts, in order, each read when it is its turn."""
        return map(self._shelf.seats, range(SHARDS))

    def column(self, name: str) -> Iterator[Any]:
        """One field of all rows, in the order of the parts."""
        return map(attrgetter(name), self)


class _Chunks(MutableMapping[tuple[str, str], bytes]):
    """Pieces of a generation by kind and school, in the spool's file."""

    def __init__(self, file: _Heap) -> None:
        self._file = file
        self._places: dict[tuple[str, str], tuple[int, int]] = {}

    def __setitem__(self, key: tuple[str, str], chunk: bytes) -> None:
        self._places[key] = (self._file.append(chunk), len(chunk))

    def __getitem__(self, key: tuple[str, str]) -> bytes:
        return self._file.read(*self._places[key])

    def __delitem__(self, key: tuple[str, str]) -> None:
        del self._places[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class _Part(Sequence[T]):
    """One part of a shelf, read when it is asked for."""

    def __init__(self, shelf: _Shelf[T], number: int) -> None:
        self._shelf, self._number = shelf, number
        self._rows: list[T] | None = None

    def _all(self) -> list[T]:
        if self._rows is None:
            self._rows = self._shelf.rows(self._number)
        return self._rows

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        return self._all()[at]

    def __iter__(self) -> Iterator[T]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


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
        return (_Part(self._shelf, number) for number in range(SHARDS))

    def column(self, name: str) -> Iterator[Any]:
        """One field of all rows, in the order of the parts."""
        return self._shelf.column(name)


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
        heap = self._heap = _Heap(file)
        self._users: _Shelf[RosterUser] = _Shelf(heap, RosterUser)
        self._enrollments = _SeatShelf(heap)
        self._classes = _ClassShelf(heap, self._enrollments.known)
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
            classes=_Shelved(self._classes),
            users=_Shelved(self._users),
            enrollments=_Seated(self._enrollments),
        )

    def chunks(self) -> MutableMapping[tuple[str, str], bytes]:
        """Room for the chunks of one generation; they live as long as the spool does."""
        return _Chunks(self._heap)

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
