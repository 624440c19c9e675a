"""One CSV file of a roster export, read row by row and judged on the way: encoding, quoting, cells per row, ids.

Rows are checked at the speed of the csv module, because a district has hundreds of thousands of them: what repeats
(dates, words, flags) is read once per combination, and ids are compared by their hashes. Which columns a file has is
the business of `oneroster_csv` and `canvas_csv`.
"""

from __future__ import annotations

import csv
from array import array
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import IO, Any, TypeVar

from gradesync.connectors.roster_faults import Faults
from gradesync.connectors.roster_package import DAMAGED, READING, Package

T = TypeVar("T")

_BLOCK = 262_144
_LONGEST_LINE = 1_000_000
"""Characters; one endless line must not be read into memory."""
_REMEMBERED = 4096
"""Combinations of cells that are kept; few files have more than some hundreds."""
_BUCKETS = 64

NOT_UTF8 = "the file is not written in UTF-8"
EMPTY = "the file has no header row"
NO_ROWS = "the file holds a header and no row"
SPLIT_ROW = "a line break stands inside a cell"
BAD_QUOTES = "a quote is not closed or stands in the wrong place, or a cell is far too long"
WIDTH = "the row has more or fewer cells than the header"
MISSING_CELL = "the cell is empty and must not be"
TWICE = "an earlier row has the same id"


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

    `words` are the columns whose few different values are read by a vocabulary, in the order `make` gets them.
    """

    file: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    key: tuple[str, ...]
    words: Mapping[str, Vocabulary] = field(default_factory=dict)


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
        make: Callable[[list[str], tuple[Any, ...]], T | None],
        *,
        may_be_empty: bool = False,
    ) -> Iterator[T]:
        """What `make` answers for each sound row, without its Nones. `header` is that of the file."""
        place = {name: at for at, name in enumerate(header)}
        need = _getter([place[name] for name in layout.required])
        pick = _getter([place[name] for name in layout.words])
        key = itemgetter(*(place[name] for name in layout.key)) if layout.key else None
        width, line, count = len(header), 1, 0
        known: dict[tuple[str, ...], tuple[Any, ...]] = {}
        buckets = [array("q") for _ in range(_BUCKETS)]
        with self.reading() as reader:
            next(reader, None)
            for row in reader:
                line += 1
                if reader.line_num != line or len(row) != width:
                    if row:
                        count += 1
                        self.fault(WIDTH if reader.line_num == line else SPLIT_ROW, line)
                    line = reader.line_num
                    continue
                count += 1
                if "" in need(row):
                    self._missing(layout.required, place, row, line)
                    continue
                cells = pick(row)
                words = known.get(cells)
                if words is None:
                    words = self._read(layout.words, cells, line)
                    if words is None:
                        continue
                    if len(known) >= _REMEMBERED:
                        known.clear()
                    known[cells] = words
                if key is not None:
                    mark = hash(key(row))
                    buckets[mark % _BUCKETS].append(mark)
                made = make(row, words)
                if made is not None:
                    yield made
        if not count and not may_be_empty and not self._faults.total:
            self.fault(NO_ROWS)
        if key is not None and (twice := _doubles(buckets)):
            self._tell_doubles(twice, key, layout.key)

    def _missing(
        self, required: Sequence[str], place: Mapping[str, int], row: Sequence[str], line: int
    ) -> None:
        for name in required:
            if not row[place[name]]:
                self.fault(MISSING_CELL, line, name)

    def _read(
        self, words: Mapping[str, Vocabulary], cells: Sequence[str], line: int
    ) -> tuple[Any, ...] | None:
        """The values of one combination of cells, or None with a fault for each that is wrong."""
        values: list[Any] = []
        wrong = False
        for (column, vocabulary), cell in zip(words.items(), cells, strict=True):
            try:
                values.append(vocabulary.read(cell) if cell or vocabulary.blank_too else None)
            except ValueError:
                self.fault(vocabulary.what, line, column)
                wrong = True
        return None if wrong else tuple(values)

    def _tell_doubles(
        self, twice: frozenset[int], key: Callable[[list[str]], Any], columns: Sequence[str]
    ) -> None:
        """Read once more and name the rows: hashes tell that an id stands twice, but not where."""
        seen: set[Any] = set()
        with self.reading() as reader:
            width = len(next(reader, ()))
            for row in reader:
                if len(row) != width or hash(key(row)) not in twice:
                    continue
                if (one := key(row)) in seen:
                    self.fault(TWICE, reader.line_num, columns[0] if len(columns) == 1 else "")
                seen.add(one)


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


def _getter(places: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """The cells at these places, always as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return lambda _row: ()
    only = places[0]
    return lambda row: (row[only],)


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
