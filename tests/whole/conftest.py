"""Fixtures of the whole path: PostgreSQL databases to keep a team's store in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.conftest import _execute, postgresql_server

__all__ = ["postgresql_server"]

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def new_database(postgresql_server: str) -> Callable[[], str]:
    """Makes an empty PostgreSQL database and answers its URL."""

    def make() -> str:
        name = f"whole{next(_numbers)}"
        _execute(postgresql_server, f"CREATE DATABASE {name}")
        return postgresql_server.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests of one file share."""
    return tmp_path_factory.mktemp("tree")
