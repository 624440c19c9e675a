"""A pull request opened with what a job's environment gives: GITHUB_API_URL and GITHUB_TOKEN.

The token is read here, goes to the one client, and is never told to anybody.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gradesync.connectors.auth import BearerToken
from gradesync.connectors.github import HEADERS, JOB_LOGIN, GitHubPullRequest
from gradesync.connectors.http import HttpClient
from gradesync.connectors.retry import RetryPolicy, Timeouts

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of the variable, not its value
_API = "https://api.github.com"
# A comment is worth a minute of a job and no more; a run of grades would be worth the wait.
_TIMEOUTS = Timeouts(connect=10.0, read=20.0, write=20.0, whole=60.0)
_RETRIES = RetryPolicy(tries=4, tries_throttled=4, tries_broken=3)


def has_token(environ: Mapping[str, str] | None = None) -> bool:
    """Whether there is a token at all."""
    return bool((os.environ if environ is None else environ).get(TOKEN))


@asynccontextmanager
async def open_pull_request(
    repository: str, number: int, *, app: str = JOB_LOGIN, environ: Mapping[str, str] | None = None
) -> AsyncIterator[GitHubPullRequest]:
    """The pull request, for the time of a `with`. Raises ConnectionProblem for an address that is not https."""
    env = os.environ if environ is None else environ
    client = HttpClient(
        env.get("GITHUB_API_URL") or _API,
        side="github",
        auth=BearerToken(env[TOKEN]),
        headers=HEADERS,
        timeouts=_TIMEOUTS,
        retries=_RETRIES,
    )
    async with client:
        yield GitHubPullRequest(client, repository, number, app=app)
