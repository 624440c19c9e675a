"""One database behind the store: its engine, its sessions' settings, its clock, and errors people can act on.

The only module that knows which database it is. A transaction is short, and none stays open across a network call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, CursorResult, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from gradesync.errors import StoreUnavailable
from gradesync.ports import Clock
from gradesync.store.faults import explain_postgresql, explain_sqlite, gone
from gradesync.store.tables import EPOCH

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

BUSY_TIMEOUT = 30_000
"""Milliseconds a process waits for another one's write on SQLite before it gives up."""

_WRITE = "gradesync_write"

# Without these a frozen process with an open transaction keeps its row locks for ever and stops recovery itself;
# the server's own default is no limit at all.
SESSION_SETTINGS = (
    "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '5s'; "
    "SET statement_timeout = '30s'; SET timezone = 'UTC'"
)
# What an operator asked for and waits for may take its time; whoever stands still in it is ended all the same.
_LONG = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '10min'; "
    "SET LOCAL application_name = 'gradesync, long'"
)

_LOCK_NOT_AVAILABLE = "55P03"

# Only sessions of this very role and of this program; what an operator asked for goes by another name.
_END_WHO_STANDS_STILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    " AND datname = current_database() AND usename = current_user"
    " AND application_name IN ('gradesync', 'gradesync worker') AND wait_event = 'ClientRead'"
    " AND state IN ('active', 'idle in transaction', 'idle in transaction (aborted)')"
    " AND state_change < clock_timestamp() - interval '20 seconds'"
)

_KEEPALIVE = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "gradesync",
}


_UPSERTS: dict[tuple[bool, str, tuple[str, ...]], sqlite.Insert | postgresql.Insert] = {}
"""Statements made before: they never change, and building one costs more than executing it for a class."""


class Prepared:
    """A statement compiled once and then sent as text: for the few that every class of a run needs.

    Compiling and caching by structure costs SQLAlchemy more than SQLite needs to execute. Only for columns whose
    values need no conversion (text and whole numbers), since bind processors are passed over.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[Tx], ClauseElement]) -> None:
        self._make = make
        self._made: dict[bool, tuple[str, tuple[str, ...] | None]] = {}

    def text_and_order(self, tx: Tx) -> tuple[str, tuple[str, ...] | None]:
        """The SQL for this database, and the order of its parameters (None: they go by name)."""
        made = self._made.get(tx.on_sqlite)
        if made is None:
            compiled = self._make(tx).compile(dialect=tx.connection.dialect)
            assert isinstance(compiled, SQLCompiler)
            made = (compiled.string, tuple(compiled.positiontup or ()) if compiled.positional else None)
            self._made[tx.on_sqlite] = made
        return made


class Tx:
    """One open transaction: executes statements and tells the store's time."""

    __slots__ = ("_clock", "_now", "connection", "on_sqlite")

    def __init__(self, connection: Connection, clock: Clock | None, *, on_sqlite: bool) -> None:
        self.connection = connection
        self.on_sqlite = on_sqlite
        self._clock = clock
        self._now: datetime | None = None

    def execute(
        self, statement: Executable, rows: Sequence[Mapping[str, object]] | Mapping[str, object] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute once, or once per row."""
        result = self.connection.execute(statement, rows)
        assert isinstance(result, CursorResult)
        return result

    def run(self, statement: Prepared, *rows: Mapping[str, object]) -> CursorResult[*tuple[Any, ...]]:
        """Execute a prepared statement, once per row of parameters."""
        text, order = statement.text_and_order(self)
        if order is None:
            return self.connection.exec_driver_sql(text, rows[0] if len(rows) == 1 else list(rows))
        values = [tuple([row[name] for name in order]) for row in rows]
        return self.connection.exec_driver_sql(text, values[0] if len(values) == 1 else values)

    def rows(self, statement: Prepared, row: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """All rows of a prepared SELECT as the driver gives them: for those that are read by the hundred."""
        cursor = self.run(statement, row).cursor
        assert cursor is not None  # a SELECT always has one
        return cursor.fetchall()

    def plain(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SELECT as the driver gives them, instants as numbers: for those read by the ten thousand."""
        cursor = self.execute(statement).cursor
        assert cursor is not None  # a SELECT always has one
        return cursor.fetchall()

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Insert many rows as they are, in the database's quickest way. For columns as they are stored."""
        driver: Any = self.connection.connection.driver_connection
        names = ", ".join(f'"{name}"' for name in columns)
        if self.on_sqlite:
            marks = ", ".join("?" * len(columns))
            driver.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows).close()  # noqa: S608 - names of our own tables
            return
        with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows this database's ON CONFLICT."""
        if self.on_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # 50 ms that SQLite users need not pay with every command

        return postgresql.insert(table)

    def upsert(self, table: Table, *columns: str) -> sqlite.Insert | postgresql.Insert:
        """INSERT, or update `columns` (default: all but the key) of the row with the same primary key."""
        made = _UPSERTS.get((self.on_sqlite, table.name, columns))
        if made is None:
            insert = self.insert(table)
            keys = [column.name for column in table.primary_key.columns]
            chosen = columns or [column.name for column in table.columns if column.name not in keys]
            made = insert.on_conflict_do_update(
                index_elements=keys, set_={name: insert.excluded[name] for name in chosen}
            )
            _UPSERTS[(self.on_sqlite, table.name, columns)] = made
        return made

    def insert_new(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """INSERT, leaving out rows whose key exists."""
        return self.insert(table).on_conflict_do_nothing()

    def insert_if_new(self, table: Table, row: Mapping[str, object]) -> bool:
        """INSERT one row; False when its key exists."""
        key = next(iter(table.primary_key.columns))
        return self.execute(self.insert_new(table).returning(key), row).first() is not None

    def now(self) -> datetime:
        """The time of this transaction, asked once; in a claim that is after the lease row is locked."""
        if self._now is None:
            self._now = self._database_now() if self._clock is None else self._host_now(self._clock)
        return self._now

    def _database_now(self) -> datetime:
        micros = self.connection.exec_driver_sql(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        ).scalar_one()
        return EPOCH + timedelta(microseconds=micros)

    def _host_now(self, clock: Clock) -> datetime:
        """The host's clock; on SQLite never before the latest time that was written."""
        now = clock()
        if self.on_sqlite:
            micros = (now - EPOCH) // timedelta(microseconds=1)
            moved = self.connection.exec_driver_sql(
                "UPDATE meta SET value = ? WHERE key = 'clock' AND CAST(value AS INTEGER) < ?",
                (str(micros), micros),
            )
            if moved.rowcount != 1:
                return self.latest() or now
        return now

    def latest(self) -> datetime | None:
        """The latest time written (SQLite)."""
        micros = self.connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'clock'").scalar()
        return None if micros is None else EPOCH + timedelta(microseconds=int(micros))


class Database:
    """The engine with its two kinds of transaction. `place` is printable: it never holds a password."""

    def __init__(self, url: URL, clock: Clock | None) -> None:
        self.on_sqlite = url.get_backend_name() == "sqlite"
        self.place = (url.database or "") if self.on_sqlite else _printable(url)
        self.kind = "sqlite" if self.on_sqlite else "postgresql"
        self._secrets = _secrets_of(url)
        self._clock = _host_clock if clock is None and self.on_sqlite else clock
        engine = _sqlite_engine(url) if self.on_sqlite else _postgresql_engine(url)
        self._engine = engine
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error
        # Several SELECTs of one read must see one moment: SQLite's BEGIN gives that, PostgreSQL when asked.
        self._reading = (
            engine if self.on_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._writing = engine.execution_options(**{_WRITE: True})

    @contextmanager
    def read(self, *, long: bool = False) -> Iterator[Tx]:
        """A consistent view that takes no lock; `long` for one that goes through a whole table."""
        with self._errors(), self._reading.begin() as connection:
            self._take_time(connection, long=long)
            yield Tx(connection, self._clock, on_sqlite=self.on_sqlite)

    @contextmanager
    def write(self, *, long: bool = False) -> Iterator[Tx]:
        """A write transaction: committed at the end, rolled back by any exception.

        `long` only for an operator's work on a whole table (migrating, importing, rekeying).
        """
        with self._errors(), self._writing.begin() as connection:
            self._take_time(connection, long=long)
            yield Tx(connection, self._clock, on_sqlite=self.on_sqlite)

    def now(self) -> datetime:
        """The store's time without writing anything."""
        with self.read() as tx:
            if self._clock is None or not self.on_sqlite:
                return tx.now()
            return max(self._clock(), tx.latest() or EPOCH)

    def _take_time(self, connection: Connection, *, long: bool) -> None:
        if long and not self.on_sqlite:
            connection.exec_driver_sql(_LONG)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                self._end_who_stands_still()
            known = self._explained(error)
            if known is None:
                raise
            # The driver's error may carry statement and values; the sentence made from it does not.
            raise known from None
        except self._driver_error as error:
            # Rows are loaded and fetched past SQLAlchemy where there are many, and it wraps no error there.
            known = self._explained(error)
            if known is None:
                raise
            raise known from None

    def _end_who_stands_still(self) -> None:
        """End sessions of ours that hold locks and have stood still for longer than the server should have let them.

        A process that freezes between two statements it sends together is, to the server, in the middle of a
        statement: its limit on idle transactions does not count, and the locks would be held for ever.
        """
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(_END_WHO_STANDS_STILL)
        except DBAPIError:
            # The trouble that led here is told by whoever met it.
            return

    def _explained(self, error: Exception) -> StoreUnavailable | None:
        """The error as a sentence with a remedy; None when it is a mistake of ours and must show as one."""
        origin = error.orig if isinstance(error, DBAPIError) else error
        if self.on_sqlite:
            return explain_sqlite(origin, self.place)
        return explain_postgresql(origin, self.place, self._secrets)


def _secrets_of(url: URL) -> list[str]:
    """The password, and those libpq takes as parameters (`password`, `sslpassword`)."""
    asked = [value for name in url.query if "password" in name.lower() for value in _values(url, name)]
    return [secret for secret in (str(url.password or ""), *asked) if secret]


def _values(url: URL, name: str) -> Sequence[str]:
    value = url.query[name]
    return (value,) if isinstance(value, str) else value


def _printable(url: URL) -> str:
    """The URL without any password, wherever it stands."""
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _host_clock() -> datetime:
    return datetime.now(UTC)


def _sqlite_engine(url: URL) -> Engine:
    # Every transaction here is committed or rolled back by its own block; a connection given back has none open.
    engine = create_engine(url, hide_parameters=True, pool_reset_on_return=None)
    path = Path(str(url.database))
    opened: list[tuple[int, int]] = []

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: its BEGIN is deferred, and a deferred read that
        # becomes a write fails at once when another process wrote meanwhile, whatever the timeout.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT}",
            "journal_mode = wal",
            "synchronous = normal",
            "foreign_keys = on",
            "recursive_triggers = on",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        if not opened:
            opened.append(_identity(path))

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # SQLite goes on writing into a file that was deleted or moved away, and all of it would be lost.
        if opened and _identity(path) != opened[0]:
            raise gone(str(path))
        statement = "BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITE) else "BEGIN"
        driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        try:
            # Straight to the driver: by SQLAlchemy's way the BEGIN costs more than most of what follows it.
            driver.execute(statement).close()
        except sqlite3.Error as error:
            raise DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True) from error

    return engine


def _identity(path: Path) -> tuple[int, int]:
    """Which file stands under the path: device and number; zeros for none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


def _postgresql_engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={name: value for name, value in _KEEPALIVE.items() if name not in url.query},
        )
    except ModuleNotFoundError:
        raise StoreUnavailable(
            "The store is a PostgreSQL URL, but its driver is not installed",
            hint="Install gradesync[postgres].",
        ) from None

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _entry: ConnectionPoolEntry) -> None:
        with connection.cursor() as cursor:
            cursor.execute(SESSION_SETTINGS)
        connection.commit()

    return engine
