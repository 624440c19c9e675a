"""One small sandbox for the whole folder; tests that change how it behaves put that back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest

from gradesync.sandbox.sis_behaviour import SisBehaviour

from .sis_client import Client

if TYPE_CHECKING:
    from gradesync.sandbox.server import Sandbox, SandboxSchool


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """Two districts on a fixed day in the second marking period."""
    # Only tests that ask for it should depend on both sides being importable.
    from gradesync.sandbox.server import running

    with running(("riverside", "oak-hill"), students=60, today=date(2026, 11, 23)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox without requests, faults or odd behaviour before and after."""
    shared_sandbox.forget_requests()
    yield shared_sandbox
    shared_sandbox.front.faults.clear()
    shared_sandbox.front.latency_ms = 0
    for school in shared_sandbox.schools.values():
        school.sis.behaviour = SisBehaviour()


@pytest.fixture
def school(sandbox: Sandbox) -> SandboxSchool:
    """The first district's worlds."""
    return sandbox.schools["riverside"]


@pytest.fixture
def sis(sandbox: Sandbox) -> Client:
    """A client of the first district's SIS with every scope."""
    return Client(sandbox.sis_url("riverside"), "riverside")
