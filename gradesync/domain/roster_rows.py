"""Rows of an upload that Canvas would not take: what was wrong by code, and how a row is known again. Pure.

Canvas counts a row it refused as known and never tries it again by itself (`canvas.md` 2.6). So the rows are
remembered, by keyed hashes of their keys, and sent again by themselves until Canvas takes them. The texts of Canvas's
messages quote people; they are turned into codes where they are read, and nothing here holds one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_csv import Row

MOST_REMEMBERED = 2000
"""How many refused rows are remembered one by one; of more, the whole roster is sent again."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "terms": ("term_id",),
    "courses": ("course_id",),
    "sections": ("section_id",),
    "xlists": ("section_id",),
    "users": ("user_id",),
    "logins": ("user_id",),
    "user_observers": ("observer_id", "student_id"),
    "enrollments": (
        "course_id",
        "section_id",
        "user_id",
        "user_integration_id",
        "role",
        "role_id",
        "associated_user_id",
    ),
}
"""What makes a row the same row from night to night; Canvas compares uploads by the same columns."""


@dataclass(frozen=True, slots=True)
class RowMessage:
    """One message of an import. `kind` is the file's (`users` ...), empty when unknown; `row` counts from 1 with the
    header, and may be missing; `code` says what was wrong."""

    kind: str
    row: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The messages of one import: how many by code, how many by kind, and which rows of the files they name.

    `unplaced` are messages that name no row.
    """

    codes: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, frozenset[int]] = field(default_factory=dict)
    unplaced: int = 0

    @property
    def total(self) -> int:
        """All messages."""
        return sum(self.codes.values())


def refused(messages: Iterable[RowMessage]) -> Refused:
    """The messages, counted."""
    codes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    rows: dict[str, set[int]] = {}
    unplaced = 0
    for one in messages:
        codes[one.code] += 1
        kinds[one.kind or "files"] += 1
        if one.kind and one.row is not None and one.row > 1:
            rows.setdefault(one.kind, set()).add(one.row)
        else:
            unplaced += 1
    return Refused(
        dict(codes), dict(kinds), {kind: frozenset(found) for kind, found in rows.items()}, unplaced
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """Refused rows as the store keeps them: keyed hashes by kind. `unplaced`: the last look left some unnamed."""

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unplaced: bool = False

    def __len__(self) -> int:
        return sum(len(one) for one in self.keys.values())

    def text(self) -> str:
        """For the store."""
        keys = {kind: sorted(found) for kind, found in sorted(self.keys.items()) if found}
        return json.dumps({"keys": keys, "unplaced": self.unplaced}, sort_keys=True)

    @classmethod
    def of(cls, text: str | None) -> Remembered:
        """From the store; nothing is remembered of nothing."""
        if not text:
            return cls()
        found = json.loads(text)
        return cls({kind: frozenset(keys) for kind, keys in found["keys"].items()}, bool(found["unplaced"]))


def row_key(keyed: KeyedHash, kind: str, header: Row, row: Row) -> str:
    """What the store may know a row by."""
    parts = [row[at] for at, name in enumerate(header) if name in _KEYS.get(kind, header)]
    return keyed(f"roster row {kind}", *parts)


def keys_at(
    keyed: KeyedHash, kind: str, header: Row, rows: Iterable[Row], wanted: frozenset[int]
) -> frozenset[str]:
    """The keys of the rows with these numbers; row 2 is the first below the header.

    No row of ours holds a line break, so rows and lines are the same.
    """
    last = max(wanted, default=0)
    found: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if number > last:
            break
        if number in wanted:
            found.add(row_key(keyed, kind, header, row))
    return frozenset(found)


def rows_with(
    keyed: KeyedHash, kind: str, header: Row, rows: Iterable[Row], keys: frozenset[str]
) -> Iterator[Row]:
    """The rows that carry one of these keys."""
    return (row for row in rows if row_key(keyed, kind, header, row) in keys)
