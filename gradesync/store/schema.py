"""Which schema the database has, and bringing it to the one this package knows.

The everyday case is one SELECT against a constant; Alembic is imported only when they differ. A database that
holds other people's tables is never touched.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect

from gradesync.errors import StoreMissing, StoreUnavailable
from gradesync.store import tables as t
from gradesync.store.database import Database, Tx
from gradesync.store.faults import explain_sqlite

_log = logging.getLogger(__name__)

REVISION = "0005"
"""The newest migration; a test compares it with the folder."""

VERSION_TABLE = "gradesync_schema"
"""Alembic's version table under a name of our own: another application may have the usual one."""

MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK_KEY = 7_402_911
"""PostgreSQL advisory lock that lets one process migrate while the others wait."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What opening found: whether it `created` the store, the schema it had `before`, the copy it put by first."""

    created: bool = False
    before: str | None = None
    backup: str | None = None


def prepare(database: Database, *, create: bool, migrate: bool = False) -> Prepared:
    """Make sure that the schema is ours and current.

    An SQLite file is copied and brought up to date by whoever opens it. On PostgreSQL only `migrate` does that: its
    tables belong to a role that passes do not have, and who asks has made a backup. Raises StoreUnavailable for a
    missing store (`create` False), foreign tables, a newer schema, or an older one that is not to be touched.
    """
    with database.read() as tx:
        found = _current(tx)
        if found == REVISION:
            return Prepared()
        _refuse_schema(found, database, migrate=migrate)
    with database.write(long=True) as tx:
        found = lock(tx)
        if found == REVISION:
            return Prepared()
        _refuse_schema(found, database, migrate=migrate)
        if found is None:
            make(tx, database.place, asked=create)
            return Prepared(created=True)
        backup = copied(database.place, f"schema-{found}") if tx.on_sqlite else None
        _upgrade(tx)
    if backup is not None:
        # Any command may be the first of a new version: whoever runs it should know that there is no way back but this.
        _log.warning(
            "the store had schema %s and has %s now; the file as it was: %s", found, REVISION, backup
        )
    return Prepared(before=found, backup=backup)


def lock(tx: Tx) -> str | None:
    """Keep every other process from making or migrating this store; answers its revision, None without one."""
    if not tx.on_sqlite:
        tx.connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
    return _current(tx)


def make(tx: Tx, place: str, *, asked: bool) -> None:
    """Make all tables in a database that has none. Raises StoreUnavailable for other tables, or when not `asked`."""
    _refuse_foreign(tx, place)
    if not asked:
        raise missing(place)
    _upgrade(tx)
    rows = [{"key": "lineage", "value": uuid.uuid4().hex}, {"key": "clock", "value": "0"}]
    tx.execute(t.meta.insert(), rows)


def _refuse_schema(found: str | None, database: Database, *, migrate: bool) -> None:
    """Raise for a schema this package cannot use."""
    if found is None:
        return
    if found not in {path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}:
        raise StoreUnavailable(
            f"The store at {database.place} has schema {found}, newer than this gradesync ({REVISION})",
            hint="Upgrade gradesync on this machine; nothing was changed.",
        )
    if not database.on_sqlite and not migrate and found != REVISION:
        raise StoreUnavailable(
            f"The store at {database.place} has schema {found}, older than this gradesync ({REVISION})",
            hint="Make a backup; then the owner of its tables runs `gradesync store migrate --backed-up`."
            " Nothing was changed.",
        )


def copied(place: str, suffix: str) -> str:
    """A whole copy of the SQLite file beside it, mode 0600; answers its path. A copy of that name is replaced."""
    aim = Path(f"{place}.{suffix}")
    aside = Path(f"{place}.{suffix}.part")
    aside.unlink(missing_ok=True)
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        # A connection of its own: the copy is a reader beside the transaction that is about to change the file.
        with closing(sqlite3.connect(place)) as source:
            source.execute("VACUUM INTO ?", (str(aside),))
        aside.replace(aim)
    except sqlite3.Error as error:
        raise explain_sqlite(error, str(aside)) or StoreUnavailable(
            f"No copy of {place} could be made", hint="Look at the folder's space and rights."
        ) from None
    finally:
        aside.unlink(missing_ok=True)
    return str(aim)


def missing(place: object) -> StoreMissing:
    """The error of a store that is not there."""
    return StoreMissing(
        f"There is no store at {place}",
        hint="the first `gradesync reconcile` or `gradesync store init` makes one; "
        "if there should be one, look at `store` in gradesync.yaml",
    )


def _current(tx: Tx) -> str | None:
    """The recorded revision; None when this database has none."""
    if not inspect(tx.connection).has_table(VERSION_TABLE):
        return None
    return str(tx.connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar())  # noqa: S608 - a constant


def _refuse_foreign(tx: Tx, place: str) -> None:
    others = inspect(tx.connection).get_table_names()
    if others:
        raise StoreUnavailable(
            f"{place} holds other tables ({', '.join(sorted(others)[:3])}), so it is not used as a store",
            hint="Use an empty database or file (on PostgreSQL an own schema by `?options=-csearch_path=NAME`).",
        )


def _upgrade(tx: Tx) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = tx.connection
    command.upgrade(config, "head")
