"""One pull request over real HTTP: whose comments are ours, every page, labels, and what a token may not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from gradesync.connectors.auth import BearerToken
from gradesync.connectors.github import HEADERS, GitHubPullRequest
from gradesync.connectors.http import HttpClient
from gradesync.domain.plan_labels import LABELS, SCHEDULE, STORE
from gradesync.errors import ConnectionProblem, UsageProblem
from tests.connectors.fake_github import ANA, JOB, REPOSITORY, FakeGitHub, github
from tests.connectors.hostile import Sleeps

T = TypeVar("T")


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with github() as fake:
        yield fake


def ask(
    hub: FakeGitHub,
    what: Callable[[GitHubPullRequest], Awaitable[T]],
    token: str = "job",
    number: int = 212,
    app: str = "github-actions[bot]",
) -> T:
    """Open the pull request with a token and ask one thing of it."""

    async def body() -> T:
        client = HttpClient(hub.url, side="github", auth=BearerToken(token), headers=HEADERS, sleep=Sleeps())
        async with client:
            return await what(GitHubPullRequest(client, REPOSITORY, number, app=app))

    return asyncio.run(body())


def test_only_comments_that_our_own_token_wrote_are_ours(hub: FakeGitHub) -> None:
    stranger = {"id": 9, "login": "stranger", "type": "User"}
    other_app = {"id": 10, "login": "renovate[bot]", "type": "Bot"}
    posing = {"id": 11, "login": "github-actions[bot]", "type": "User"}
    for user in (JOB, ANA, stranger, other_app, posing):
        hub.comment(f"by {user['login']}", user)

    assert [one.body for one in ask(hub, lambda pull: pull.comments())] == ["by github-actions[bot]"]
    assert [one.body for one in ask(hub, lambda pull: pull.comments(), "ana")] == ["by aortiz"]
    assert [one.body for one in ask(hub, lambda pull: pull.comments(), app="Renovate[bot]")] == [
        "by renovate[bot]"
    ]


def test_every_page_is_read(hub: FakeGitHub) -> None:
    hub.page = 3
    for n in range(10):
        hub.comment(f"{n}")
    assert [one.body for one in ask(hub, lambda pull: pull.comments())] == [str(n) for n in range(10)]


def test_a_next_page_on_another_server_is_not_followed(hub: FakeGitHub) -> None:
    hub.page = 1
    hub.comment("1")
    hub.comment("2")
    there = hub.url
    hub.url = "https://elsewhere.example"
    with pytest.raises(ConnectionProblem) as refused:
        ask_at(there, hub)
    assert refused.value.code == "GS-206"


def ask_at(url: str, hub: FakeGitHub) -> None:
    """The comments, asked at `url` whatever the server calls itself."""

    async def body() -> None:
        async with HttpClient(url, side="github", auth=BearerToken("job"), sleep=Sleeps()) as client:
            await GitHubPullRequest(client, REPOSITORY, 212).comments()

    asyncio.run(body())


def test_a_comment_is_posted_edited_and_taken_away(hub: FakeGitHub) -> None:
    posted = ask(hub, lambda pull: pull.post("one \ud800 é"))
    edited = ask(hub, lambda pull: pull.edit(posted, "two"))
    assert (edited.id, hub.bodies()) == (posted.id, ["two"])
    for _ in range(2):
        ask(hub, lambda pull: pull.remove(posted))
    assert hub.bodies() == []


def test_labels_are_made_with_a_colour_once_and_others_stay(hub: FakeGitHub) -> None:
    hub.labels[212] = ["bug"]
    hub.known["bug"] = "000000"
    for _ in range(2):
        ask(hub, lambda pull: pull.add_labels([SCHEDULE, STORE], LABELS))
    assert hub.labels[212] == ["bug", SCHEDULE, STORE]
    assert hub.known[SCHEDULE] == LABELS[SCHEDULE][0]
    for _ in range(2):
        ask(hub, lambda pull: pull.remove_label(SCHEDULE))
    assert ask(hub, lambda pull: pull.labels()) == ["bug", STORE]


def test_a_job_that_may_label_and_not_design_labels_all_the_same(hub: FakeGitHub) -> None:
    hub.before = lambda method, path: (403, {}) if path.endswith("sync/labels") and method == "POST" else None
    ask(hub, lambda pull: pull.add_labels([STORE], LABELS))
    assert hub.labels[212] == [STORE]


@pytest.mark.parametrize(
    ("token", "number", "status"), [("nobody", 212, 401), ("fork", 212, 403), ("job", 4711, 404)]
)
def test_a_refusal_names_its_status_and_neither_the_repository_nor_the_token(
    hub: FakeGitHub, token: str, number: int, status: int
) -> None:
    async def both(pull: GitHubPullRequest) -> None:
        await pull.head()
        await pull.post("x")

    with pytest.raises(ConnectionProblem) as refused:
        ask(hub, both, token, number)
    assert (refused.value.code, refused.value.status) == ("GS-712", status)
    assert REPOSITORY not in str(refused.value)
    assert token not in str(refused.value)


def test_what_is_throttled_is_asked_again(hub: FakeGitHub) -> None:
    answers = iter([(403, {"message": "You have exceeded a secondary rate limit."}), (429, {})])
    hub.before = lambda _method, _path: next(answers, None)
    assert ask(hub, lambda pull: pull.head()) == "a" * 40


def test_a_comment_is_not_posted_twice_when_the_answer_is_lost(hub: FakeGitHub) -> None:
    hub.before = lambda method, _path: (502, {}) if method == "POST" else None
    with pytest.raises(ConnectionProblem):
        ask(hub, lambda pull: pull.post("x"))
    assert len(hub.written()) == 1


@pytest.mark.parametrize("body", [{"id": "x"}, [], None, "text"])
def test_an_answer_that_makes_no_sense_is_a_problem_and_no_crash(hub: FakeGitHub, body: object) -> None:
    hub.before = lambda method, _path: (200, body) if method == "POST" else None
    with pytest.raises(ConnectionProblem):
        ask(hub, lambda pull: pull.post("x"))


def test_a_repository_is_a_name_and_no_path(hub: FakeGitHub) -> None:
    async def body(name: str) -> None:
        async with HttpClient(hub.url, side="github", auth=BearerToken("job")) as client:
            GitHubPullRequest(client, name, 1)

    for name in ("district", "a/b/c", "a/b?c", ""):
        with pytest.raises(UsageProblem):
            asyncio.run(body(name))
