"""One pull request on GitHub: its head, our own comments on it, its labels (REST API, version 2022-11-28).

Only what `ports.PullRequest` asks for. Which comment is ours is told by who wrote it, never by what stands in it; what
becomes of it is decided above. Works with the token of a job, of a person, or of an app.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from gradesync.connectors.http import HttpClient
from gradesync.connectors.links import link_relations
from gradesync.domain.sticky import OwnComment
from gradesync.errors import ConnectionProblem, UsageProblem

HEADERS = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"))
JOB_LOGIN = "github-actions[bot]"
"""Who writes with a job's own token. No person can take a name with brackets."""

_PAGE = 100
_MAX_PAGES = 50
_REPOSITORY = re.compile(r"([A-Za-z0-9_.-]{1,100})/([A-Za-z0-9_.-]{1,100})")
_PULL = "/repos/{}/{}/pulls/{}"
_ISSUE = "/repos/{}/{}/issues/{}"
_COMMENT = "/repos/{}/{}/issues/comments/{}"
_LABEL = "/repos/{}/{}/labels"


class GitHubPullRequest:
    """`ports.PullRequest` on GitHub. `app` is the login that comments of an app's token bear."""

    def __init__(self, client: HttpClient, repository: str, number: int, *, app: str = JOB_LOGIN) -> None:
        found = _REPOSITORY.fullmatch(repository)
        if found is None or number < 1:
            raise UsageProblem("a pull request is named by OWNER/NAME and its number")
        self._client = client
        self._repository = (found[1], found[2])
        self._issue = (found[1], found[2], number)
        self._app = app.casefold()
        self._person: int | None = None
        self._known = False

    async def head(self) -> str | None:
        """The newest commit of the pull request; None when GitHub does not say."""
        answer = (await self._client.get(_PULL, *self._issue)).json()
        sha = _at(answer, "head", "sha")
        return sha if isinstance(sha, str) else None

    async def comments(self) -> Sequence[OwnComment]:
        """Our own comments, oldest first."""
        await self._learn_who_we_are()
        return [
            self._comment(row)
            async for row in self._rows(f"{_ISSUE}/comments")
            if self._is_ours(row.get("user"))
        ]

    async def post(self, body: str) -> OwnComment:
        """Write a new comment."""
        answer = await self._client.post(f"{_ISSUE}/comments", *self._issue, body=_json({"body": body}))
        return self._comment(answer.json())

    async def edit(self, comment: OwnComment, body: str) -> OwnComment:
        """Write another text into a comment of ours."""
        answer = await self._client.patch(_COMMENT, *self._repository, comment.id, body=_json({"body": body}))
        return self._comment(answer.json())

    async def remove(self, comment: OwnComment) -> None:
        """Take a comment of ours away; that somebody else did so already is fine."""
        try:
            await self._client.delete(_COMMENT, *self._repository, comment.id)
        except ConnectionProblem as problem:
            if problem.status != 404:
                raise

    async def labels(self) -> Sequence[str]:
        """The names of all labels of the pull request."""
        names = [row.get("name") async for row in self._rows(f"{_ISSUE}/labels")]
        return [name for name in names if isinstance(name, str)]

    async def add_labels(self, labels: Collection[str], looks: Mapping[str, tuple[str, str]]) -> None:
        """Add labels; one the repository does not know yet is made, with its colour and description of `looks`."""
        for name in labels:
            color, description = looks.get(name, ("ededed", ""))
            body = _json({"name": name, "color": color, "description": description})
            try:
                await self._client.post(_LABEL, *self._repository, body=body)
            except ConnectionProblem as problem:
                # 422: it is there already. 403 or 404: the job may label and not design; GitHub picks a colour then.
                if problem.status not in (403, 404, 422):
                    raise
        await self._client.post(f"{_ISSUE}/labels", *self._issue, body=_json({"labels": sorted(labels)}))

    async def remove_label(self, label: str) -> None:
        """Take a label away; that somebody else did so already is fine."""
        try:
            await self._client.delete(f"{_ISSUE}/labels/{{}}", *self._issue, label)
        except ConnectionProblem as problem:
            if problem.status != 404:
                raise

    async def _learn_who_we_are(self) -> None:
        """A person's token says whose it is; an app's (and a job's) may not ask, and bears the app's name."""
        if self._known:
            return
        try:
            answer = (await self._client.get("/user")).json()
        except ConnectionProblem as problem:
            if problem.status not in (403, 404):
                raise
        else:
            number = answer.get("id") if isinstance(answer, dict) else None
            self._person = number if isinstance(number, int) else None
        self._known = True

    def _is_ours(self, user: object) -> bool:
        if not isinstance(user, dict):
            return False
        if self._person is not None:
            return user.get("id") == self._person
        return user.get("type") == "Bot" and str(user.get("login")).casefold() == self._app

    async def _rows(self, template: str) -> AsyncIterator[Mapping[str, Any]]:
        """Every row of a list, page by page; only the query of a next-link is believed."""
        query: Sequence[tuple[str, str]] | str = [("per_page", str(_PAGE))]
        for _ in range(_MAX_PAGES):
            reply = await self._client.get(template, *self._issue, query=query)
            rows = reply.json()
            if not isinstance(rows, list):
                raise self._client.unclear("a list was expected.")
            for row in rows:
                if isinstance(row, dict):
                    yield row
            following = link_relations(reply.headers.get("Link", "")).get("next")
            if following is None:
                return
            query = self._client.query_of_next(following)
        raise self._client.unclear(f"the list has more than {_PAGE * _MAX_PAGES:,} entries.")

    def _comment(self, row: object) -> OwnComment:
        number, body = (row.get("id"), row.get("body")) if isinstance(row, dict) else (None, None)
        if not isinstance(number, int):
            raise self._client.unclear("a comment without a number.")
        url = row.get("html_url") if isinstance(row, dict) else None
        return OwnComment(number, body if isinstance(body, str) else "", url if isinstance(url, str) else "")


def _at(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _json(value: Mapping[str, object]) -> bytes:
    """Plain ASCII, so that even half a character in a title is JSON."""
    return json.dumps(value).encode("ascii")


__all__ = ["HEADERS", "JOB_LOGIN", "GitHubPullRequest"]
