"""Rows of a roster put by in one file of the run's private folder, in parts, and had back by rows or by columns.

The file is student data: who makes it sees to it that nobody else can read it and that it goes with the run
(`spool`). Nothing is decided here.
"""

from __future__ import annotations

import errno
import marshal
import os
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, MutableMapping, Sequence
from functools import partial
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, BinaryIO, Generic, TypeVar, overload
from zlib import crc32

from gradesync.domain.roster import SHARDS, RosterClass, RosterEnrollment, shard_of
from gradesync.domain.roster_columns import Enrollments, Kind, Numbering, Seats

T = TypeVar("T")

_BLOCK = 64
"""Rows of one part that are kept in memory before they go to disk."""
_CHUNK = 512
"""Rows that are sorted into parts at once."""
# Rows share no objects worth remembering: without references (marshal version 2) writing is quicker.
_VERSION = 2


_WRITTEN_TOGETHER = 1 << 18
"""Bytes of blocks that are written at once."""
_FIRST = itemgetter(0)


class Heap:
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


class Blocks:
    """Rows of one kind in their parts, as blocks of plain columns in the spool's file.

    `names` are a row's fields, of which the first is what rows are cut by.
    """

    def __init__(self, file: Heap, names: tuple[str, ...]) -> None:
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
                whole += _unpacked(piece)
        if waiting := self._pending[number]:
            for whole, column in zip(found, zip(*waiting, strict=True), strict=True):
                whole += column
        return found

    def column(self, name: str) -> Iterator[Any]:
        """One field of all rows, which is not a number, without making the rows."""
        at = self._names.index(name)
        for number in range(SHARDS):
            for block in self._blocks_of(number):
                yield from _unpacked(block[at])
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


def _packed(column: tuple[Any, ...]) -> Any:
    """A column as it goes to disk: numbers as four bytes each, texts as one, all else as it is."""
    first = column[0]
    if type(first) is int:
        return array("I", column).tobytes()
    if type(first) is str and None not in column:
        text = "\n".join(column)
        if text.count("\n") == len(column) - 1:
            return text
    return column


def _unpacked(piece: Any) -> Sequence[Any]:
    """A column as it was before it went to disk."""
    if type(piece) is bytes:
        return array("I", piece)
    return piece.split("\n") if type(piece) is str else piece


class Shelf(Blocks, Generic[T]):
    """Rows that are named tuples of the type `kind`, cut by their first field."""

    def __init__(self, file: Heap, kind: Any) -> None:
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


class RowShelf(Blocks):
    """Rows of plain text as wide as `names`, cut by the column `by`; each part keeps the order they came in."""

    def __init__(self, file: Heap, names: tuple[str, ...], by: str) -> None:
        super().__init__(file, names)
        self._key = itemgetter(names.index(by))

    def put(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Take rows."""
        self._sort(list(map(self._key, rows)), rows)

    def rows(self, number: int) -> list[tuple[str, ...]]:
        """All rows of a part."""
        return list(zip(*self.columns(number), strict=True))


class SeatShelf(Blocks):
    """Enrollments: their person, and numbers for their class and for their role and days.

    A district has half a million enrollments in some thousand classes, so that a class's id is not kept as often.
    """

    def __init__(self, file: Heap) -> None:
        super().__init__(file, ("user_id", "class_number", "kind_number"))
        self._classes: Numbering[str] = Numbering()
        self._kinds: Numbering[Kind] = Numbering()

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

    def known(self, class_ids: list[str]) -> list[str]:
        """The ids as they are kept here already, so that a district's classes are not named twice in memory."""
        if not self._classes:
            return class_ids
        kept, numbers = self._classes.values_in_order, map(self._classes.get, class_ids)
        return [one if at is None else kept[at] for one, at in zip(class_ids, numbers, strict=True)]

    def seats(self, number: int) -> Seats:
        """All rows of a part."""
        # Nothing comes any more, and looking ids up costs as much memory as they do.
        self._classes.settle()
        self._kinds.settle()
        user_ids, class_numbers, kind_numbers = self.columns(number)
        classes, kinds = self._classes.values_in_order, self._kinds.values_in_order
        return Seats(user_ids, class_numbers, kind_numbers, classes, kinds)


class ClassShelf(Shelf[RosterClass]):
    """Classes, under the very ids that their enrollments name."""

    def __init__(self, file: Heap, known: Callable[[list[str]], list[str]]) -> None:
        super().__init__(file, RosterClass)
        self._known = known

    def columns(self, number: int) -> list[list[Any]]:
        """All rows of a part, field by field."""
        ids, *others = super().columns(number)
        return [self._known(ids), *others]


class Seated(Collection[RosterEnrollment]):
    """The enrollments of a shelf, to be gone through again and again (`domain.roster.Sharded`)."""

    def __init__(self, shelf: SeatShelf) -> None:
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


class Chunks(MutableMapping[tuple[str, str], bytes]):
    """Pieces of a generation by kind and school, in the spool's file."""

    def __init__(self, file: Heap) -> None:
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


class Part(Sequence[T]):
    """One part of a shelf, read when it is asked for."""

    def __init__(self, shelf: Shelf[T], number: int) -> None:
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


class Shelved(Collection[T]):
    """What a shelf holds, to be gone through again and again (`domain.roster.Sharded`)."""

    def __init__(self, shelf: Shelf[T]) -> None:
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
        return (Part(self._shelf, number) for number in range(SHARDS))

    def column(self, name: str) -> Iterator[Any]:
        """One field of all rows, in the order of the parts."""
        return self._shelf.column(name)
