"""Which schema the database has, and bringing it to the one this package knows.

The everyday case is one SELECT against a constant; Alembic is imported only when they differ. A database that
holds other people's tables is never touched.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from sqlalchemy import inspect

from gradesync.errors import StoreMissing, StoreUnavailable
from gradesync.store import tables as t
from gradesync.store.database import Database, Tx

REVISION = "0004"
"""The newest migration; a test compares it with the folder."""

VERSION_TABLE = "gradesync_schema"
"""Alembic's version table under a name of our own: another application may have the usual one."""

MIGRATIONS = Path(__file__).parent / "migrations"

_LOCK_KEY = 7_402_911
"""PostgreSQL advisory lock that lets one process migrate while the others wait."""


def prepare(database: Database, *, create: bool) -> bool:
    """Make sure that the schema is ours and current; True when the store was made just now.

    Raises StoreUnavailable for a missing store (`create` False), foreign tables, or a newer schema.
    """
    with database.read() as tx:
        if _current(tx) == REVISION:
            return False
    with database.write() as tx:
        if not tx.on_sqlite:
            tx.connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
        found = _current(tx)
        if found == REVISION:
            return False
        if found is None:
            _refuse_foreign(tx, database.place)
            if not create:
                raise missing(database.place)
        _upgrade(tx, found, database.place)
        if found is None:
            tx.execute(
                t.meta.insert(),
                [{"key": "lineage", "value": uuid.uuid4().hex}, {"key": "clock", "value": "0"}],
            )
        return found is None


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


def _upgrade(tx: Tx, found: str | None, place: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreUnavailable(
            f"The store at {place} has schema {found}, newer than this gradesync ({REVISION})",
            hint="Upgrade gradesync on this machine; nothing was changed.",
        )
    config.attributes["connection"] = tx.connection
    command.upgrade(config, "head")
