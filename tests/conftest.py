"""What holds for every test: nothing fails because the machine is busy, and nothing is said in the name of the job that
runs the tests."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis times each example and the making of it; a slow machine is no defect, and speed is measured elsewhere.
settings.register_profile("gradesync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gradesync")

# Commands under test write outputs and summaries where these say: those of the tests' own job are not theirs.
for _name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_TOKEN"):
    os.environ.pop(_name, None)


@pytest.fixture(autouse=True)
def _log_of_the_next_test() -> Iterator[None]:
    """A command in this process attaches the log to its own stderr; the next test's begins as a new process's would."""
    yield
    ours = logging.getLogger("gradesync")
    ours.handlers, ours.propagate = [], True
    ours.setLevel(logging.NOTSET)


_LONG = ("tests/whole/", "tests/machine/", "tests/browser/", "tests/actions/", "tests/store/")
"""Folders whose files take minutes. They begin, so that no process is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; everything else stays in its order."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))
