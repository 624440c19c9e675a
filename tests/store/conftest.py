"""Opens every kind of store fresh for each test: from a file copied, from a database made by template, in RAM.

PostgreSQL is a real server from a wheel, started once per session and only if a test asks for it.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gradesync.ports import Store
from gradesync.store.memory import MemoryStore
from gradesync.store.open import open_store
from gradesync.store.tables import metadata
from tests.postgresql import running_server
from tests.store.samples import FakeClock

_numbers = itertools.count(1)
_free_databases: dict[str, list[str]] = {}
"""By server: other folders of tests that use these fixtures have one of their own."""
_made_databases: set[tuple[str, str]] = set()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    open_store(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a running server's database `postgres`; its database `template` holds a store."""
    with running_server() as server:
        uri = str(server.get_uri())
        _prepare(uri)
        yield uri


def _prepare(uri: str) -> None:
    # A test's data need not survive a power cut, and waiting for disks is most of what a test would cost.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        _execute(uri, f"ALTER SYSTEM SET {setting} = off")
    _execute(uri, "SELECT pg_reload_conf()")
    _execute(uri, "CREATE DATABASE template")
    open_store(uri.replace("/postgres?", "/template?"), create=True).close()


def _execute(uri: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement.encode())


@dataclass
class Place:
    """Where a database's store is, for opening it again and for tampering with it."""

    kind: str
    url: str
    spoilt: bool = False

    def open(self, clock: FakeClock | None, **more: Any) -> Store:
        return open_store(self.url, create=False, clock=clock, **more)

    def execute(self, statement: str) -> None:
        """One statement past the store, as somebody with the file or the password could do it."""
        if self.kind == "postgresql":
            _execute(self.url, statement)
            return
        with closing(sqlite3.connect(self.url, isolation_level=None)) as connection:
            connection.execute(statement)

    def unguarded(self, *statements: str) -> None:
        """The same by somebody who first drops the triggers."""
        self.spoilt = True
        triggers = {
            "sqlite": ("history_no_update", "history_no_delete", "history_no_replace"),
            "postgresql": ("history_no_change", "history_no_truncate"),
        }[self.kind]
        on = " ON history" if self.kind == "postgresql" else ""
        for name in triggers:
            self.execute(f"DROP TRIGGER {name}{on}")
        for statement in statements:
            self.execute(statement)


@contextmanager
def _place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if kind == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield Place(kind, str(path))
        return
    uri = str(request.getfixturevalue("postgresql_server"))
    free = _free_databases.setdefault(uri, [])
    name = free.pop() if free else f"store{next(_numbers)}"
    place = Place(kind, uri.replace("/postgres?", f"/{name}?"))
    if (uri, name) not in _made_databases:
        _execute(uri, f"CREATE DATABASE {name} TEMPLATE template")
        _made_databases.add((uri, name))
    yield place
    if not place.spoilt:
        # Emptying is ten times as fast as another database; only a superuser may pass the triggers like this.
        tables = "; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))
        place.execute(
            f"BEGIN; SET LOCAL session_replication_role = replica; {tables}; "
            "INSERT INTO meta VALUES ('lineage', 'emptied'), ('clock', '0'); COMMIT"
        )
        free.append(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with _place(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def database(place: Place, clock: FakeClock) -> Iterator[Store]:
    """A store in a database, with `place` to reach it from the side."""
    with closing(place.open(clock)) as store:
        yield store


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    """Every kind of store, empty."""
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    with _place(request.param, request, tmp_path) as made, closing(made.open(clock)) as opened:
        yield opened
