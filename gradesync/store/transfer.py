"""A whole store as a file of JSON lines, and back: between SQLite and PostgreSQL, nothing lost, nothing rounded.

The file begins with a line about the store, then every table: its columns, its rows as arrays, its count and sum; the
last line names the digest of all tables. Instants are whole microseconds, bytes base64. A sum does not depend on the
order of rows, so that two stores with the same content have the same digest whatever database holds them. Rows
stream: neither side ever holds a table in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import Boolean, LargeBinary, Table, column, delete, func, select, table

from gradesync.errors import AccountBusy, ExportUnusable, StoreUnavailable
from gradesync.store import leases, schema
from gradesync.store import tables as t
from gradesync.store.control import get_meta
from gradesync.store.database import Database, Tx

KIND = "gradesync store"
VERSION = 1

ROWS = 5_000
"""Rows read or written at a time."""

_ALL = 2**256


@dataclass(frozen=True, slots=True)
class Moved:
    """What was written to a file or taken in: the store's `lineage`, its `rows` in all and the `digest` of them."""

    lineage: str
    rows: int
    digest: str


def export(
    database: Database,
    out: BinaryIO,
    *,
    grace: float,
    despite_runs: bool = False,
    told: Callable[[int], None] | None = None,
) -> Moved:
    """Write the whole store as it is at one moment; reading rights suffice. `told` hears how many rows are written.

    Raises AccountBusy while a run is at work, unless `despite_runs`: a copy made then shows the run as working, and
    whoever uses the copy takes the run up again.
    """
    now = database.now()
    with database.read(long=True) as tx:
        if not despite_runs:
            _refuse_runs(tx, now, grace)
        lineage = get_meta(tx, "lineage") or ""
        first = {"kind": KIND, "version": VERSION, "schema": schema.REVISION, "lineage": lineage}
        out.write(_line({**first, "at": now.isoformat()}))
        sums: list[_Sum] = []
        for each in t.metadata.sorted_tables:
            sums.append(_write_table(tx, each, out, sum(one.rows for one in sums), told))
        moved = _moved(lineage, sums)
        out.write(_line({"end": KIND, "tables": len(sums), "rows": moved.rows, "digest": moved.digest}))
    return moved


def _refuse_runs(tx: Tx, now: datetime, grace: float) -> None:
    busy = [lease.account for lease in leases.in_force(tx, now, grace)]
    if busy:
        more = f" and in {len(busy) - 3} more" if len(busy) > 3 else ""
        raise AccountBusy(
            f"A run is at work in {', '.join(busy[:3])}{more}",
            hint="Stop what starts passes and wait for the runs, or `gradesync stop` them; `--despite-runs` copies"
            " all the same.",
        )


@dataclass(frozen=True, slots=True)
class _Sum:
    """A table's content without the order of its rows."""

    table: str
    rows: int
    sum: int

    @property
    def text(self) -> str:
        """The sum in hex."""
        return f"{self.sum:064x}"


class _Adder:
    """Adds rows up as they pass."""

    def __init__(self) -> None:
        self.rows = 0
        self.sum = 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Rows as they stand in the file, without their line ends."""
        digest, count, added = hashlib.sha256, 0, 0
        for line in lines:
            added += int.from_bytes(digest(line).digest(), "big")
            count += 1
        self.rows += count
        self.sum = (self.sum + added) % _ALL

    def of(self, name: str) -> _Sum:
        """The sum so far."""
        return _Sum(name, self.rows, self.sum)


def _moved(lineage: str, sums: Sequence[_Sum]) -> Moved:
    body = json.dumps(sorted([one.table, one.rows, one.text] for one in sums))
    return Moved(lineage, sum(one.rows for one in sums), hashlib.sha256(body.encode()).hexdigest())


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _write_table(
    tx: Tx, whole: Table, out: BinaryIO, before: int, told: Callable[[int], None] | None
) -> _Sum:
    out.write(_line({"table": whole.name, "columns": [each.name for each in whole.columns]}))
    adder = _Adder()
    for lines in _lines_of(tx, whole):
        adder.add(lines)
        out.write(b"\n".join(lines) + b"\n")
        if told is not None:
            told(before + adder.rows)
    made = adder.of(whole.name)
    out.write(_line({"end": made.table, "rows": made.rows, "sum": made.text}))
    return made


def _lines_of(tx: Tx, whole: Table) -> Iterator[list[bytes]]:
    """The table's rows as lines of the file, some thousands at a time."""
    bare = table(whole.name, *(column(each.name) for each in whole.columns))
    encode = json.JSONEncoder(separators=(",", ":")).encode
    changes = [(at, _OUT[kind]) for at, kind in _kinds(whole) if kind in _OUT]
    rows = tx.execute(select(*bare.columns).execution_options(yield_per=ROWS))
    for part in rows.partitions():
        yield [encode(_changed(row, changes)).encode() for row in part]


def _kinds(whole: Table) -> list[tuple[int, type]]:
    """Columns whose values the databases or JSON have no common form for: their place and type."""
    return [
        (at, kind)
        for at, each in enumerate(whole.columns)
        for kind in (Boolean, LargeBinary)
        if isinstance(each.type, kind)
    ]


_OUT: dict[type, Callable[[Any], object]] = {
    Boolean: bool,
    LargeBinary: lambda value: base64.b64encode(bytes(value)).decode(),
}
_IN: dict[type, Callable[[Any], object]] = {LargeBinary: base64.b64decode}


def _changed(row: Sequence[Any], changes: Sequence[tuple[int, Callable[[Any], object]]]) -> list[Any]:
    values = list(row)
    for at, change in changes:
        if values[at] is not None:
            values[at] = change(values[at])
    return values


def check(lines: Iterable[bytes]) -> Moved:
    """Go through a file from its first line to its last. Raises ExportUnusable for one that was cut or changed."""
    feed = iter(lines)
    first = _first(feed)
    sums = [_checked(each, feed) for each in t.metadata.sorted_tables]
    moved = _moved(str(first["lineage"]), sums)
    last = _object(feed)
    if last.get("end") != KIND or last.get("digest") != moved.digest or next(feed, None) is not None:
        raise _spoilt("its last line does not fit the rest")
    return moved


def load(database: Database, lines: Callable[[], Iterable[bytes]], *, pinned: str | None = None) -> Moved:
    """Take a whole file in, in one transaction: all of it stands afterwards, or nothing.

    `lines` opens the file: it is checked as a whole before the database is touched. Only where there is no store yet,
    or one in which nothing was recorded. What was written is read again and compared with the file before it counts.
    `pinned` is the lineage that the settings demand. Raises ExportUnusable for the file, StoreUnavailable for the
    database.
    """
    moved = check(lines())
    if pinned not in (None, moved.lineage):
        raise ExportUnusable(
            f"The file is of lineage {moved.lineage}, but `lineage` in gradesync.yaml pins {pinned}",
            hint="Take the right file; to move this store here on purpose, pin its lineage.",
        )
    with database.write(long=True) as tx:
        _make_room(tx, database.place)
        feed = iter(lines())
        next(feed)
        for each in t.metadata.sorted_tables:
            _fill(tx, each, feed)
            _go_on_counting(tx, each)
        if _moved(moved.lineage, [_stored(tx, each) for each in t.metadata.sorted_tables]) != moved:
            raise StoreUnavailable(
                f"{database.place} does not hold what was written to it",
                hint="Nothing was kept; look at the disk.",
            )
    return moved


def _first(feed: Iterator[bytes]) -> dict[str, Any]:
    first = _object(feed)
    if first.get("kind") != KIND or not isinstance(first.get("lineage"), str):
        raise ExportUnusable("This is no file of `gradesync store export`", hint="Name the exported file.")
    if (first.get("version"), first.get("schema")) != (VERSION, schema.REVISION):
        raise ExportUnusable(
            f"The file has schema {first.get('schema')}, this gradesync {schema.REVISION}",
            hint="Import it with the version of gradesync that exported it, then let this one migrate the store.",
        )
    return first


def _object(feed: Iterator[bytes]) -> dict[str, Any]:
    try:
        found = json.loads(next(feed, b"null"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _spoilt("it ends too early, or a line of it cannot be read")
    return found


def _spoilt(what: str) -> ExportUnusable:
    return ExportUnusable(f"The file is damaged: {what}", hint="Export again; nothing was taken in.")


def _checked(whole: Table, feed: Iterator[bytes]) -> _Sum:
    begin = _object(feed)
    if begin.get("table") != whole.name or begin.get("columns") != [each.name for each in whole.columns]:
        raise _spoilt(f"table {whole.name} was expected with its columns")
    adder = _Adder()
    for lines in _batched(iter(feed.__next__, None)):
        if lines[-1].startswith(b"{"):
            adder.add(lines[:-1])
            break
        adder.add(lines)
    else:
        raise _spoilt("it ends too early")
    made = adder.of(whole.name)
    if json.loads(lines[-1]) != {"end": whole.name, "rows": made.rows, "sum": made.text}:
        raise _spoilt(f"the rows of {whole.name} are not those that were exported")
    return made


def _batched(feed: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines without their ends, some thousands at a time; a part ends with the line that ends a table."""
    part: list[bytes] = []
    for line in feed:
        part.append(line.rstrip(b"\n"))
        if line.startswith(b"{") or len(part) >= ROWS:
            yield part
            part = []
    if part:
        yield part


def _make_room(tx: Tx, place: str) -> None:
    """Make the tables where there are none; remove the few facts that a new store begins with."""
    found = schema.lock(tx)
    if found is None:
        schema.make(tx, place, asked=True)
    elif found != schema.REVISION:
        raise StoreUnavailable(
            f"The store at {place} has another schema", hint="Import into a new file or database."
        )
    full = [each.name for each in t.metadata.sorted_tables if each is not t.meta and _any_row(tx, each)]
    if full:
        raise StoreUnavailable(
            f"The store at {place} is not empty ({', '.join(full[:3])})",
            hint="Import into a new file or database; nothing was changed.",
        )
    tx.execute(delete(t.meta))


def _any_row(tx: Tx, whole: Table) -> bool:
    return tx.execute(select(next(iter(whole.columns))).limit(1)).first() is not None


def _fill(tx: Tx, whole: Table, feed: Iterator[bytes]) -> None:
    next(feed)
    names = [each.name for each in whole.columns]
    changes = [(at, _IN[kind]) for at, kind in _kinds(whole) if kind in _IN]
    decode = json.JSONDecoder().decode
    for lines in _batched(feed):
        ends = lines[-1].startswith(b"{")
        rows = [_changed(decode(line.decode()), changes) for line in (lines[:-1] if ends else lines)]
        if rows:
            tx.load(whole.name, names, rows)
        if ends:
            return


def _go_on_counting(tx: Tx, whole: Table) -> None:
    """Let PostgreSQL number new rows after those taken in; SQLite does by itself."""
    numbered = whole.autoincrement_column
    if tx.on_sqlite or numbered is None:
        return
    highest = tx.execute(select(func.max(numbered))).scalar()
    if highest is not None:
        tx.execute(select(func.setval(func.pg_get_serial_sequence(whole.name, numbered.name), highest)))


def _stored(tx: Tx, whole: Table) -> _Sum:
    adder = _Adder()
    for lines in _lines_of(tx, whole):
        adder.add(lines)
    return adder.of(whole.name)
