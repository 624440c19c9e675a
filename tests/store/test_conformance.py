"""The contract on all three stores: in RAM, on SQLite, on a real PostgreSQL."""

from __future__ import annotations

from tests.store.conformance import Conformance


class TestStore(Conformance):
    """Each behaviour, once per kind of store (fixture `store`)."""
