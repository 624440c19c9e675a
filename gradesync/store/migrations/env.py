"""Alembic's environment: works on the connection and in the transaction it is given, never on one of its own."""

from __future__ import annotations

from alembic import context

from gradesync.store.schema import VERSION_TABLE
from gradesync.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
# The caller has begun the transaction and commits it: schema and first rows appear together or not at all.
context.run_migrations()
