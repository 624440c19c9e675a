"""One CSV file of a roster export, read row by row and judged on the way: encoding, quoting, cells per row, ids.

Rows are checked at the speed of the csv module, because a district has hundreds of thousands of them: column by column,
what repeats (dates, words, flags) read once, and ids compared by their hashes. Only where a block of rows is not sound
it is gone through row by row, to say where. Which columns a file has is the business of `oneroster_csv` and
`canvas_csv`.
"""

from __future__ import annotations

import csv
from array import array
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from typing import IO, Any, TypeAlias, TypeVar

from gradesync.connectors.roster_faults import Faults
from gradesync.connectors.roster_package import DAMAGED, READING, Package

T = TypeVar("T")

Columns: TypeAlias = tuple[tuple[str, ...], ...]
"""The cells of some rows, column by column."""
Words: TypeAlias = Sequence[Iterable[Any]]
"""The values of the columns a layout has words for, in its order; a column that is empty throughout has no end."""
Make: TypeAlias = Callable[[Columns, Words], Iterable[T]]

_ROWS = 256
"""Rows judged together: few enough that all their cells stay in the processor's cache, or it takes a third longer."""
_BLOCK = 65_536
_LONGEST_LINE = 1_000_000
"""Characters; one endless line must not be read into memory."""
_REMEMBERED = 65_536
"""Different cells of a column that are kept; words and days are some hundreds."""
_BUCKETS = 64

NOT_UTF8 = "the file is not written in UTF-8"
EMPTY = "the file has no header row"
NO_ROWS = "the file holds a header and no row"
SPLIT_ROW = "a line break stands inside a cell"
BAD_QUOTES = "a quote is not closed or stands in the wrong place, or a cell is far too long"
WIDTH = "the row has more or fewer cells than the header"
MISSING_CELL = "the cell is empty and must not be"
TWICE = "an earlier row has the same id"
BACKWARDS = "the last day lies before the first"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How the cells of a column are read: `read` answers the value or raises ValueError; `what` says what is wrong.

    An empty cell is None without asking, unless `blank_too`.
    """

    read: Callable[[str], Any]
    what: str
    blank_too: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """What the rows of a file must be like. `key` names the columns that together are given once only;
    without any, nothing is said of rows that are equal.

    `words` are the columns whose few different values are read by a vocabulary, in the order `Make` gets them; `order`
    are two of them of which the second may not come before the first.
    """

    file: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    key: tuple[str, ...]
    words: Mapping[str, Vocabulary] = field(default_factory=dict)
    order: tuple[str, str] | None = None


class _Broken(Exception):  # never leaves this module
    """The file cannot be read on: why, and in which row."""


class Table:
    """A file of the package; each call reads it from its beginning, and leaves faults for what is wrong."""

    def __init__(self, package: Package, name: str, faults: Faults) -> None:
        self._package, self.name, self._faults = package, name, faults

    def fault(self, what: str, row: int | None = None, column: str = "") -> None:
        """Something is wrong in this file."""
        self._faults.add(what, file=self.name, row=row, column=column)

    def header(self) -> tuple[str, ...] | None:
        """The header row, or None with a fault."""
        found: tuple[str, ...] | None = None
        before = self._faults.total
        with self.reading() as reader:
            found = tuple(next(reader, ())) or None
        if found is None and self._faults.total == before:
            self.fault(EMPTY)
        return found

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A csv.reader over the file, its header first. Whatever ends it too early is a fault, not an error."""
        try:
            with closing(self._package.open(self.name)) as raw:
                yield _reader(raw)
        except _Broken as broken:
            self.fault(*broken.args)
        except csv.Error:
            self.fault(BAD_QUOTES, self._broken_row())
        except READING:
            self.fault(DAMAGED)

    def _broken_row(self) -> int:
        """Where the row begins that the reader could not end: it knows only where it gave up."""
        last = 0
        try:
            with closing(self._package.open(self.name)) as raw:
                reader = _reader(raw)
                for _ in reader:
                    last = reader.line_num
        except (csv.Error, _Broken, *READING):
            return last + 1
        return last

    def rows(
        self,
        layout: Layout,
        header: Sequence[str],
        make: Make[T],
        *,
        may_be_empty: bool = False,
        siblings: Siblings | None = None,
    ) -> Iterator[T]:
        """What `make` answers for the sound rows, one value per row. `header` is that of the file."""
        return chain.from_iterable(
            self.blocks(layout, header, make, may_be_empty=may_be_empty, siblings=siblings)
        )

    def blocks(
        self,
        layout: Layout,
        header: Sequence[str],
        make: Make[T],
        *,
        may_be_empty: bool = False,
        siblings: Siblings | None = None,
    ) -> Iterator[Iterable[T]]:
        """`rows` as `make` answers them, block by block. `siblings` are the files of the same kind read before."""
        judge = _Judge(layout, header)
        if siblings is not None:
            judge.marks = siblings.marks
        line, count = 1, 0
        try:
            with closing(self._package.open(self.name)) as raw:
                reader = _reader(raw)
                next(reader, None)
                while block := list(islice(reader, _ROWS)):
                    read = judge.read(block) if reader.line_num == line + len(block) else None
                    if read is None:
                        break
                    line += len(block)
                    count += len(block)
                    yield make(*read)
                else:
                    line = -1
        except (csv.Error, _Broken, *READING):
            # What is wrong is found, with its row, by the careful reading.
            pass
        if line != -1:
            for rows in self._carefully(judge, line):
                count += len(rows)
                if rows and (read := judge.read(rows)) is not None:
                    yield make(*read)
        elif not count and not may_be_empty:
            self.fault(NO_ROWS)
        earlier = () if siblings is None else siblings.read
        if twice := _doubles(judge.marks):
            self._tell_doubles(twice, judge, earlier)
        if siblings is not None:
            siblings.read = (*earlier, (self, judge))

    def _carefully(self, judge: _Judge, done: int) -> Iterator[list[list[str]]]:
        """The sound rows behind line `done`, in blocks; every other row leaves its faults."""
        sound: list[list[str]] = []
        with self.reading() as reader:
            before = 0
            for row in reader:
                line, lines = reader.line_num, reader.line_num - before
                before = line
                if line <= done or not row:
                    continue
                if lines > 1:
                    self.fault(SPLIT_ROW, line - lines + 1)
                elif len(row) != judge.width:
                    self.fault(WIDTH, line)
                else:
                    faults = judge.faults(row)
                    for what, column in faults:
                        self.fault(what, line, column)
                    if not faults:
                        sound.append(row)
                if len(sound) >= _ROWS:
                    yield sound
                    sound = []
        yield sound

    def _tell_doubles(
        self, twice: frozenset[int], judge: _Judge, earlier: Sequence[tuple[Table, _Judge]]
    ) -> None:
        """Read once more and name the rows: hashes tell that an id stands twice, but not where."""
        seen = {one for table, other in earlier for _, one in table.keys_among(twice, other)}
        columns = judge.layout.key
        for line, one in self.keys_among(twice, judge):
            if one in seen:
                self.fault(TWICE, line, columns[0] if len(columns) == 1 else "")
            seen.add(one)

    def keys_among(self, wanted: frozenset[int], judge: _Judge) -> Iterator[tuple[int, Any]]:
        """(row, key) of the rows whose key has one of these hashes."""
        with self.reading() as reader:
            next(reader, None)
            for row in reader:
                if len(row) == judge.width and hash(one := judge.key(row)) in wanted:
                    yield reader.line_num, one


class Siblings:
    """Files of one kind: an id that stands in two of them stands twice. `marks` are the hashes of all their keys."""

    def __init__(self) -> None:
        self.marks = [array("q") for _ in range(_BUCKETS)]
        self.read: tuple[tuple[Table, _Judge], ...] = ()


class _Judge:
    """Judges rows by a layout: whole blocks column by column, so that little Python is run per row, or one row alone.

    `marks` are the hashes of all keys seen, in buckets.
    """

    def __init__(self, layout: Layout, header: Sequence[str]) -> None:
        self.layout, self.width = layout, len(header)
        place = {name: at for at, name in enumerate(header)}
        self._need = [(name, place[name]) for name in layout.required]
        self._words = [(name, place[name], words) for name, words in layout.words.items()]
        # Cell -> value, per column; an empty cell that nobody asks about is None.
        self._known: list[dict[str, Any]] = [
            {} if words.blank_too else {"": None} for words in layout.words.values()
        ]
        self._key_at = [place[name] for name in layout.key]
        names = list(layout.words)
        self._order = None if layout.order is None else [names.index(name) for name in layout.order]
        self.marks = [array("q") for _ in range(_BUCKETS)]

    def key(self, row: Sequence[str]) -> Any:
        """What makes the row unique."""
        return row[self._key_at[0]] if len(self._key_at) == 1 else tuple(row[at] for at in self._key_at)

    def read(self, block: list[list[str]]) -> tuple[Columns, Words] | None:
        """The block's columns and the values of its words; None when a row is not sound."""
        if set(map(len, block)) != {self.width}:
            return None
        columns = tuple(zip(*block, strict=True))
        if any("" in columns[at] or True in map(str.isspace, columns[at]) for _, at in self._need):
            return None
        words: list[Iterable[Any]] = []
        for known, (_, at, vocabulary) in zip(self._known, self._words, strict=True):
            values = values_of(columns[at], known, vocabulary)
            if values is None:
                return None
            words.append(values)
        if self._order is not None and any(map(_backwards, *(words[at] for at in self._order))):
            return None
        if self._key_at:
            keys = columns[self._key_at[0]]
            marks = self.marks
            for mark in map(
                hash,
                keys if len(self._key_at) == 1 else zip(*(columns[at] for at in self._key_at), strict=True),
            ):
                marks[mark % _BUCKETS].append(mark)
        return columns, words

    def faults(self, row: Sequence[str]) -> list[tuple[str, str]]:
        """What is wrong in one row of the right width, with the column."""
        found = [(MISSING_CELL, name) for name, at in self._need if not row[at].strip()]
        for name, at, vocabulary in self._words:
            if (MISSING_CELL, name) in found or (not row[at] and not vocabulary.blank_too):
                continue
            try:
                vocabulary.read(row[at])
            except ValueError:
                found.append((vocabulary.what, name))
        if self._order is not None and not found:
            first, last = (self._words[at][2].read(row[self._words[at][1]]) for at in self._order)
            if _backwards(first, last):
                found.append((BACKWARDS, self._words[self._order[1]][0]))
        return found


def _backwards(first: Any, last: Any) -> bool:
    return bool(last < first)


def values_of(column: Sequence[str], known: dict[str, Any], vocabulary: Vocabulary) -> Iterable[Any] | None:
    """The values of a column's cells, each different cell read once; None when one cannot be read."""
    if not any(column) and "" in known:
        return repeat(known[""])
    try:
        return list(map(known.__getitem__, column))
    except KeyError:
        pass
    if len(known) > _REMEMBERED:
        blank = {"": known[""]} if "" in known else {}
        known.clear()
        known.update(blank)
    try:
        for cell in set(column) - known.keys():
            known[cell] = vocabulary.read(cell)
    except ValueError:
        return None
    return list(map(known.__getitem__, column))


def _doubles(buckets: Sequence[array[int]]) -> frozenset[int]:
    """The hashes that occur twice; looked for bucket by bucket, so that no set of all of them is ever in memory."""
    twice: set[int] = set()
    for bucket in buckets:
        if len(set(bucket)) == len(bucket):
            continue
        seen: set[int] = set()
        for mark in bucket:
            (twice if mark in seen else seen).add(mark)
    return frozenset(twice)


def _reader(raw: IO[bytes]) -> Any:
    """A csv.reader over the bytes of a file."""
    return csv.reader(chain.from_iterable(_lines(raw)), strict=True)


def _lines(raw: IO[bytes]) -> Iterator[list[str]]:
    """The file's lines without their ends, block by block. Raises _Broken."""
    decoder = getincrementaldecoder("utf-8")()
    rest, line, begun = "", 1, False
    while True:
        block = raw.read(_BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise _Broken(NOT_UTF8, line + error.object[: error.start].count(b"\n")) from None
        if not begun and text:
            text, begun = text.removeprefix("\ufeff"), True
        if "\0" in text:
            # UTF-16 without its mark looks like UTF-8 with a NUL beside every letter.
            raise _Broken(NOT_UTF8, line + text.count("\n", 0, text.index("\0")))
        whole = rest + text
        lines = whole.split("\n")
        if whole.count("\r") != whole.count("\r\n") + whole.endswith("\r"):
            raise _Broken(SPLIT_ROW, line + _lone_return(lines))
        rest = lines.pop() if block else ""
        if len(rest) > _LONGEST_LINE:
            raise _Broken(BAD_QUOTES, line + len(lines))
        line += len(lines)
        if not block:
            yield [one for one in lines if one]
            return
        yield lines


def _lone_return(lines: Sequence[str]) -> int:
    """The first line that holds a carriage return and does not end in it."""
    return next(at for at, one in enumerate(lines) if "\r" in one[:-1])
