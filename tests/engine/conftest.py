"""The stores of every kind, for what the engine must do the same on each."""

from __future__ import annotations

from tests.store.conftest import clock, postgresql_server, sqlite_template, store

__all__ = ["clock", "postgresql_server", "sqlite_template", "store"]
