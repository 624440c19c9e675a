"""Opening a store by its path or URL, and checking that it is the one that was meant.

The one door to this room for the composition root. SQLAlchemy is imported inside, so that importing this costs
nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gradesync.errors import StoreUnavailable
from gradesync.ports import Clock, Store

if TYPE_CHECKING:
    from sqlalchemy import URL

    from gradesync.store.database import Database
    from gradesync.store.queue import Deliveries

LEASE_GRACE = 15.0
"""Seconds past a lease's end in which its holder may still finish an outside write (engine.md 5)."""

_POSTGRESQL = ("postgresql://", "postgres://", "postgresql+psycopg://")


def open_store(
    url: str | Path,
    *,
    create: bool,
    clock: Clock | None = None,
    lease_grace: float = LEASE_GRACE,
    migrate: bool = False,
) -> Store:
    """Open a store: a path or `sqlite:///PATH`, or `postgresql://...`; missing ones are made when `create`.

    `clock` replaces the store's own clock. An older schema is brought up to date on SQLite, after a copy of the file,
    and on PostgreSQL only when `migrate`. Raises StoreUnavailable, which never names a password, for everything that
    keeps the store from being used.
    """
    from gradesync.store.schema import REVISION, prepare
    from gradesync.store.sql import SqlStore

    database = connect(url, create=create, clock=clock)
    try:
        found = prepare(database, create=create, migrate=migrate)
    except BaseException:
        database.close()
        raise
    return SqlStore(
        database,
        schema=REVISION,
        lease_grace=lease_grace,
        created=found.created,
        migrated_from=found.before,
        backup=found.backup,
    )


def connect(url: str | Path, *, create: bool, clock: Clock | None = None) -> Database:
    """The database alone, whatever is in it; for `open_store` and for what moves a store as a whole.

    Nothing is asked of a server yet. Raises StoreUnavailable for a place that cannot be one.
    """
    from gradesync.store.database import Database

    place = _postgresql_url(str(url)) if is_postgresql(url) else _sqlite_url(url, create=create)
    return Database(place, clock)


def is_postgresql(url: str | Path) -> bool:
    """Whether the URL names a PostgreSQL store."""
    return str(url).startswith(_POSTGRESQL)


def open_queue(place: str | Path) -> Deliveries:
    """The queue of a store as a worker takes from it; the worker opens it. Raises StoreUnavailable where there is none.

    Its tables are made or brought up to date first, for which the store must exist.
    """
    try:
        from gradesync.store.queue import deliveries, no_queue, prepare
    except ModuleNotFoundError:
        raise StoreUnavailable(
            "Workers and --enqueue need what is not installed here", hint="Install gradesync[cluster]."
        ) from None
    if not is_postgresql(place):
        raise no_queue("sqlite")
    database = connect(place, create=False)
    try:
        prepare(database)
    finally:
        database.close()
    return deliveries(_postgresql_url(str(place)))


def check_lineage(store: Store, pinned: str | None) -> None:
    """Raise StoreUnavailable when the settings pin a lineage and this store is of another."""
    lineage = store.info().lineage
    if pinned is not None and lineage != pinned:
        raise StoreUnavailable(
            f"The store is of lineage {lineage}, but `lineage` in gradesync.yaml pins {pinned}",
            hint="Point `store` to the right database; for a deliberate fresh start pin the new lineage.",
        )


def _postgresql_url(text: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url("postgresql://" + text.partition("://")[2])
    except (ArgumentError, ValueError):
        # The cause would repeat the URL with its password.
        raise StoreUnavailable(
            "The store's PostgreSQL URL cannot be read",
            hint="Write it as postgresql://USER@HOST:PORT/DATABASE; encode special characters with %XX.",
        ) from None


def _sqlite_url(url: str | Path, *, create: bool) -> URL:
    from sqlalchemy import URL

    text = str(url)
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif "://" in text:
        raise StoreUnavailable(
            f"A store cannot be kept at `{text.partition('://')[0]}://`",
            hint="Use a path, sqlite:///PATH or postgresql://...",
        )
    path = Path(text)
    try:
        _make_private(path, create=create)
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be used as a store: {error.strerror}",
            hint="Give this user the right to write file and folder, or choose another path.",
        ) from None
    return URL.create("sqlite", database=str(path.absolute()))


def _make_private(path: Path, *, create: bool) -> None:
    """Make folders (0700) and file (0600) before SQLite does, which would follow the umask.

    Folders that exist are left as they are; SQLite gives its side files the mode of the file.
    """
    if not path.exists():
        if not create:
            from gradesync.store.schema import missing

            raise missing(path)
        for folder in [folder for folder in reversed(path.parents) if not folder.exists()]:
            folder.mkdir(mode=0o700, exist_ok=True)
    if path.is_dir():
        raise StoreUnavailable(
            f"{path} is a folder, not a store", hint="Name a file, such as store.db in it."
        )
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_mode & 0o077 and os.fstat(handle).st_uid == os.geteuid():
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
