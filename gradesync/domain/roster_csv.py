"""The Canvas SIS CSV files themselves: their columns, their text, and what is known of a written set. Pure.

The rules of the files are Canvas's (`canvas.md` 2.5 to 2.8). Which record becomes which row is `roster_mapping`'s;
scope, guards and sending live elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, overload

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster_columns import Numbering

Row = tuple[str, ...]

HEADERS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_id", "parent_account_id", "name", "status", "integration_id"),
    "terms": ("term_id", "name", "status", "start_date", "end_date", "integration_id"),
    "courses": ("course_id", "short_name", "long_name", "status", "account_id", "term_id", "integration_id"),
    "sections": ("section_id", "course_id", "name", "status", "start_date", "end_date", "integration_id"),
    "users": ("user_id", "login_id", "first_name", "last_name", "email", "status"),
    "enrollments": ("section_id", "user_id", "role", "status", "start_date", "end_date"),
}
"""The columns of every file. Canvas tells the files apart by their columns alone, not by their names.

What a missing column would do decided the list (`canvas.md` 2.8):

- `integration_id` of accounts, terms, courses and sections is set to null both by a missing column and by an empty
  value. The only id this import can vouch for is the SIS's own, so that is written: it never flickers.
- `integration_id` of users is kept by Canvas while the column is missing, and wiped when it is empty: left out.
- Dates of sections and enrollments are cleared either way. They stand here empty, on purpose: dates of a section or
  of a person override those of the term, and an enrollment's `status` already says today's truth.
- Dates of courses are cleared only by a present, empty column: left out, so that a date set in Canvas survives.
"""

_BY_SETTING: Mapping[str, tuple[str, ...]] = {
    "xlists": ("xlist_course_id", "section_id", "status"),
    "user_observers": ("observer_id", "student_id", "status"),
}

INFORMED = frozenset({"GS-622"})
"""Codes of records that are carried all the same."""


def headers(mapping: RosterMapping) -> dict[str, tuple[str, ...]]:
    """The files of an account and their columns, in Canvas's order: the same every night while the mapping stays.

    A type that is missing removes nothing in Canvas, so a file that only a setting brings may come and go. With
    `people: integration_id` people are known by that column, and `user_id` is the number people know.
    """
    found = dict(HEADERS)
    if mapping.people == "integration_id":
        found["users"] = (*HEADERS["users"], "integration_id")
        found["enrollments"] = tuple(
            "user_integration_id" if name == "user_id" else name for name in HEADERS["enrollments"]
        )
    if mapping.cross_list:
        found["xlists"] = _BY_SETTING["xlists"]
    if mapping.guardians == "observers":
        found["user_observers"] = _BY_SETTING["user_observers"]
    return found


@dataclass(frozen=True, slots=True)
class CanvasFile:
    """One written file: where it is, its bytes, and the SHA-256 of them (hexadecimal)."""

    path: Path
    size: int
    digest: str


class Coded(Sequence[str]):
    """A column of few different texts: row n holds `table[numbers[n]]`. The table may hold more than is needed.

    `plain`: no text of the table needs a quote; None when nobody has looked yet.
    """

    __slots__ = ("numbers", "plain", "table")

    def __init__(self, numbers: Sequence[int], table: Sequence[str], plain: bool | None = None) -> None:
        self.numbers, self.table, self.plain = numbers, table, plain

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[str]:
        return map(self.table.__getitem__, self.numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return Coded(self.numbers[at], self.table, self.plain)
        return self.table[self.numbers[at]]


def is_plain(texts: Iterable[str]) -> bool:
    """Whether none of the texts needs a quote in a CSV file."""
    whole = "".join(texts)
    return not ("," in whole or '"' in whole or "\n" in whole or "\r" in whole)


def coded(column: Sequence[str]) -> Coded:
    """A column as numbers; one that is so already stays what it is."""
    if isinstance(column, Coded):
        return column
    table: Numbering[str] = Numbering()
    return Coded(list(map(table.__getitem__, column)), table.values_in_order)


class RowColumns(Sequence[Row]):
    """Rows that are held column by column, and made only while they are gone through."""

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[Sequence[str]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        return zip(*self.columns, strict=True)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if not isinstance(at, slice):
            return tuple([one[at] for one in self.columns])
        columns: list[Sequence[str]] = []
        numbers: Sequence[int] | None = None
        for column in self.columns:
            last = columns[-1] if columns else None
            if isinstance(column, Coded) and isinstance(last, Coded) and column.numbers is numbers:
                # They go on sharing their numbers.
                columns.append(Coded(last.numbers, column.table, column.plain))
                continue
            numbers = column.numbers if isinstance(column, Coded) else None
            columns.append(column[at])
        return RowColumns(columns)

    @property
    def plain(self) -> bool:
        """Whether no cell needs a quote."""
        for column in self.columns:
            if not isinstance(column, Coded):
                if not is_plain(column):
                    return False
                continue
            if column.plain is None:
                column.plain = is_plain(column.table)
            if not column.plain:
                return False
        return True

    def lines(self) -> Iterable[str]:
        """The rows with commas between their cells; cells that go together are joined once and not in every row."""
        columns: list[Sequence[str]] = []
        for column in self.columns:
            last = columns[-1] if columns else None
            if isinstance(column, Coded) and isinstance(last, Coded) and column.numbers is last.numbers:
                table = [f"{one},{other}" for one, other in zip(last.table, column.table, strict=True)]
                columns[-1] = Coded(column.numbers, table)
            else:
                columns.append(column)
        match columns:
            case [classes, people, rest]:
                # What enrollments come down to; a format is twice as quick as a tuple and a join.
                return [f"{one},{two},{three}" for one, two, three in zip(classes, people, rest, strict=True)]
            case _:
                return map(",".join, zip(*columns, strict=True))


class RowFiles(Protocol):
    """Where the files are written, row by row, so that a district's rows are never in memory together."""

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        """Append rows to the kind's file, which begins with its header; answers how many there were."""
        ...

    def finished(self) -> Mapping[str, CanvasFile]:
        """Close all files; by name (`users.csv`)."""
        ...


@dataclass(frozen=True, slots=True)
class CanvasFiles:
    """The upload: `files` by name (the same names every night, so that Canvas can compare uploads).

    `counts` are rows by kind (`accounts` ... `enrollments`); `kept_enrollments` those not withdrawn (active or
    completed); `open_users` the people not suspended; `future` enrollments that have not begun and are not sent yet;
    `strangers` enrollments in force of people whom the read does not hold; `problems` records by code.
    """

    files: Mapping[str, CanvasFile]
    counts: Mapping[str, int]
    section_ids: Set[str]
    kept_enrollments: int = 0
    open_users: int = 0
    future: int = 0
    strangers: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def paths(self) -> dict[str, Path]:
        """Where each file lies, by name."""
        return {name: one.path for name, one in self.files.items()}

    @property
    def rows(self) -> int:
        """Rows of all files together, without headers."""
        return sum(self.counts.values())

    @property
    def dropped(self) -> int:
        """Records that cannot be carried over."""
        return sum(number for code, number in self.problems.items() if code not in INFORMED)


def files_digest(files: CanvasFiles) -> str:
    """One hash over names and contents; equal digests mean that there is nothing to send."""
    digest = hashlib.sha256()
    for name, one in sorted(files.files.items()):
        digest.update(f"{name}\0{one.size}\0{one.digest}\0".encode())
    return digest.hexdigest()


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as text, quoted and ended as RFC 4180 says (CRLF)."""
    if not rows:
        return ""
    # Nearly always nothing needs a quote, and then joining gives the same text in a third of the time. Every
    # character that would need one shows in the counts.
    lines = rows.lines() if isinstance(rows, RowColumns) else map(",".join, rows)
    text = "\r\n".join(lines) + "\r\n"
    if isinstance(rows, RowColumns) and rows.plain:
        return text
    if (
        '"' not in text
        and text.count(",") == _cells(rows) - len(rows)
        and text.count("\n") == text.count("\r") == len(rows)
    ):
        return text
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _cells(rows: Sequence[Row]) -> int:
    return len(rows) * len(rows.columns) if isinstance(rows, RowColumns) else sum(map(len, rows))
