"""The rights of PostgreSQL's roles, written down as SQL for the owner of the tables to run.

Three roles: the owner makes and migrates the tables; one that runs passes reads and writes rows and can neither change
a table nor an entry of the history; one that only reads suffices for `plan`, `list`, `show` and `history`. Pure text:
nothing here connects.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradesync.store.schema import VERSION_TABLE
from gradesync.store.tables import metadata

APPEND_ONLY = frozenset({"history"})
"""Rows that nobody may change or remove; a trigger refuses it too."""

ERASABLE = frozenset({"history_detail"})
"""Rows that go when they are old and never change."""


def grants(*, read: str, run: str, schema: str = "public") -> str:
    """SQL that gives both roles exactly their rights; run again it changes nothing.

    What else such a role held on these tables is taken away first, so that an older, wider grant does not stay.
    """
    return "\n".join(_statements(_quoted(read), _quoted(run), _quoted(schema))) + "\n"


def _statements(read: str, run: str, schema: str) -> Iterator[str]:
    yield "-- Run by the owner of the tables, after `store init` and after every `store migrate`."
    yield "BEGIN;"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {read}, {run};"
    for name in [*sorted(metadata.tables), VERSION_TABLE]:
        table = f"{schema}.{_quoted(name)}"
        yield f"REVOKE ALL ON {table} FROM {read}, {run};"
        yield f"GRANT SELECT ON {table} TO {read};"
        yield f"GRANT {_rights(name)} ON {table} TO {run};"
    for name, column in _numbered():
        yield (
            f"DO $$ BEGIN EXECUTE 'GRANT USAGE ON SEQUENCE ' || "
            f"pg_get_serial_sequence('{schema}.{name}', '{column}') || ' TO {run}'; END $$;"
        )
    yield _queue(read, run, schema)
    yield "COMMIT;"


def _rights(table: str) -> str:
    if table == VERSION_TABLE:
        return "SELECT"
    if table in APPEND_ONLY:
        return "SELECT, INSERT"
    if table in ERASABLE:
        return "SELECT, INSERT, DELETE"
    return "SELECT, INSERT, UPDATE, DELETE"


def _numbered() -> Iterator[tuple[str, str]]:
    """Tables whose rows the database numbers, with the column."""
    for name in sorted(metadata.tables):
        column = metadata.tables[name].autoincrement_column
        if column is not None:
            yield name, column.name


def _queue(read: str, run: str, schema: str) -> str:
    """The tables of the queue, where there is one: they hold deliveries, never what was delivered."""
    return (
        "DO $$ DECLARE found record; BEGIN\n"  # noqa: S608 - all three names were quoted by `_quoted`
        "  FOR found IN SELECT oid::regclass AS name, relkind FROM pg_class\n"
        f"    WHERE relnamespace = '{schema}'::regnamespace\n"
        "      AND relname LIKE 'procrastinate\\_%' AND relkind IN ('r', 'S')\n"
        "  LOOP\n"
        "    IF found.relkind = 'S' THEN\n"
        f"      EXECUTE format('GRANT USAGE ON SEQUENCE %s TO {run}', found.name);\n"
        "    ELSE\n"
        f"      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {run}', found.name);\n"
        f"      EXECUTE format('GRANT SELECT ON %s TO {read}', found.name);\n"
        "    END IF;\n"
        "  END LOOP;\n"
        "END $$;"
    )


def _quoted(name: str) -> str:
    """An SQL identifier. Raises ValueError for what cannot be one here."""
    if not name or any(sign in name for sign in "\"'$\\\0") or len(name.encode()) > 63:
        raise ValueError(f"`{name}` is no name of a role or a schema")
    return f'"{name}"'
