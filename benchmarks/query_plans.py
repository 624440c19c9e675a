"""How the database means to answer what the store asks: every statement of a call, with its plan.

Nothing is timed here; the benchmark of the store and the tests of its indexes both look through this.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from gradesync.store.sql import SqlStore


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement and the lines of its plan."""

    statement: str
    plan: tuple[str, ...]


def plans_of(store: SqlStore, call: Callable[[], object], *, without_seqscan: bool = False) -> list[Asked]:
    """Carry out the call and explain what it asked, in order; writes are explained too, and not done twice.

    `without_seqscan` tells PostgreSQL to go through a whole table only where no index helps: in a small table it would
    always do that.
    """
    database = store._db  # noqa: SLF001 - a look below the contract is what this is for
    asked: list[tuple[str, Any]] = []

    def note(
        _c: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool
    ) -> None:
        asked.append((statement, parameters[0] if many else parameters))

    engine = database._engine  # noqa: SLF001 - as above
    with _listening(engine, note):
        call()
    found = []
    with engine.connect() as connection:
        if not database.on_sqlite and without_seqscan:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in asked:
            if statement.split(None, 1)[0].upper() in ("SELECT", "UPDATE", "DELETE", "WITH"):
                plan = _plan(connection, statement, parameters, on_sqlite=database.on_sqlite)
                found.append(Asked(statement, tuple(plan)))
        if not database.on_sqlite and without_seqscan:
            connection.exec_driver_sql("RESET enable_seqscan")
    return found


@contextmanager
def _listening(engine: Any, note: Callable[..., None]) -> Any:
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _plan(connection: Connection, statement: str, parameters: Any, *, on_sqlite: bool) -> list[str]:
    word = "EXPLAIN QUERY PLAN " if on_sqlite else "EXPLAIN "
    rows = connection.exec_driver_sql(word + statement, parameters)
    return [str(row[3]) if on_sqlite else str(row[0]) for row in rows]
