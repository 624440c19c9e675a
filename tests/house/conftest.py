"""Readers follow the documents at their own terminal, whoever runs these tests: in a CI job a pass makes no store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

JOB = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "BUILDKITE", "CIRCLECI")


@pytest.fixture(scope="module", autouse=True)
def at_a_terminal() -> Iterator[None]:
    """No variable of a CI job for the time of a module."""
    with pytest.MonkeyPatch.context() as patched:
        for name in JOB:
            patched.delenv(name, raising=False)
        yield
