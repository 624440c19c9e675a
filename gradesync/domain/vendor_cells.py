"""A pasted table as rows of cells: HTML, tab- or comma-separated text, or columns aligned with blanks. Pure.

Whatever is pasted is hostile until shown otherwise: sizes are bounded, markup is only read for its cells, and nothing
of it is ever carried out or fetched. What a cell means is `vendor_table`'s.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

MOST_CHARACTERS = 262_144
MOST_ROWS = 500
MOST_CELLS = 40
_LONGEST_CELL = 300
_GAP = re.compile(r" {2,}")
_TABLE = re.compile(r"<\s*(table|tr|td|th)\b", re.IGNORECASE)
_SKIPPED = frozenset({"script", "style", "template", "title", "svg"})
_BREAKS = frozenset({"br", "p", "div", "li"})
_MOST_SPAN = 10


class TableTooLarge(ValueError):
    """More was pasted than any page of schedules has."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a person counts (lines of text, rows of HTML), and its cells without blanks around."""

    number: int
    cells: tuple[str, ...]


def rows_of(text: str, is_header: Callable[[Sequence[str]], bool]) -> list[Row]:
    """The rows of whatever kind of table this is; `is_header` knows the titles of its columns.

    Raises TableTooLarge.
    """
    if len(text) > MOST_CHARACTERS:
        raise TableTooLarge(f"at most {MOST_CHARACTERS // 1024} KiB can be read as a table")
    rows = _html(text) if _TABLE.search(text) else _plain(text, is_header)
    if len(rows) > MOST_ROWS:
        raise TableTooLarge(f"at most {MOST_ROWS} rows can be read as a table")
    return [row for row in rows if any(row.cells)]


def one_line(text: str) -> str:
    """A cell's text on one line, without control characters, cut where no cell of a schedule is longer."""
    seen = "".join(c if c.isprintable() else " " for c in text[: _LONGEST_CELL * 4].replace("\u00a0", " "))
    return " ".join(seen.split())[:_LONGEST_CELL]


def _plain(text: str, is_header: Callable[[Sequence[str]], bool]) -> list[Row]:
    for read in (_tabbed, _quoted, _aligned):
        rows = read(text)
        if any(is_header(row.cells) for row in rows):
            return rows
    return []


def _cells(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(part) for part in parts[:MOST_CELLS])


def _tabbed(text: str) -> list[Row]:
    return [Row(n, _cells(line.split("\t"))) for n, line in enumerate(text.splitlines(), 1)]


def _quoted(text: str) -> list[Row]:
    """CSV with the separator that the text uses most; a broken quote ends the reading, not the program."""
    separator = ";" if text.count(";") > text.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[Row] = []
    try:
        rows.extend(Row(reader.line_num, _cells(parts)) for parts in reader)
    except csv.Error:
        pass  # What was read so far is judged by its header.
    return rows


def _aligned(text: str) -> list[Row]:
    """Columns begin where the titles of the row above begin; the first line with two gaps is that row."""
    rows: list[Row] = []
    starts: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        shown = line.replace("\u00a0", " ").rstrip()
        parts = _GAP.split(shown.strip())
        if not starts:
            if len(parts) >= 3:
                starts = _starts(shown)
            rows.append(Row(number, _cells(parts)))
            continue
        if len(parts) == len(starts) or not _fits(shown, starts):
            rows.append(Row(number, _cells(parts)))
            continue
        ends = [*starts[1:], len(shown)]
        rows.append(Row(number, _cells([shown[a:b] for a, b in zip(starts, ends, strict=True)])))
    return rows


def _starts(line: str) -> list[int]:
    found = [0 if line[:1] != " " else len(line) - len(line.lstrip())]
    return found + [gap.end() for gap in _GAP.finditer(line) if gap.start() > 0 and gap.end() > found[0]]


def _fits(line: str, starts: Sequence[int]) -> bool:
    """Whether no word stands across the beginning of a column."""
    return all(at == 0 or at >= len(line) or line[at - 1] == " " for at in starts)


class _Cells(HTMLParser):
    """Collects the cells of every table; entities are single characters here, so none can grow."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[Row] = []
        self._cells: list[str] | None = None
        self._text: list[str] | None = None
        self._length = 0
        self._span = 1
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skip += 1
        elif tag == "tr":
            self._end_row()
            self._cells = []
        elif tag in ("td", "th"):
            self._end_cell()
            if self._cells is None:
                self._cells = []
            self._text, self._length = [], 0
            span = dict(attrs).get("colspan") or "1"
            self._span = min(int(span), _MOST_SPAN) if span.isdecimal() and len(span) < 4 else 1
        elif tag in _BREAKS:
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skip = max(0, self._skip - 1)
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table"):
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._skip and self._length < _LONGEST_CELL * 4:
            self._text.append(data)
            self._length += len(data)

    def close(self) -> None:
        super().close()
        self._end_row()

    def _end_cell(self) -> None:
        if self._text is not None and self._cells is not None:
            text = one_line("".join(self._text))
            self._cells += [text] + [""] * (self._span - 1)
        self._text = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._cells is not None and len(self.rows) <= MOST_ROWS:
            self.rows.append(Row(len(self.rows) + 1, tuple(self._cells[:MOST_CELLS])))
        self._cells = None


def _html(text: str) -> list[Row]:
    parser = _Cells()
    parser.feed(text)
    parser.close()
    return parser.rows
