"""Tokens: one per run, fetched once for all who wait, renewed once when refused, sent nowhere else."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.http import HttpClient
from gradesync.errors import ConnectionProblem
from tests.connectors.hostile import Hostile, Sleeps, hostile


class Desk:
    """A token endpoint and one resource. `form_only` refuses Basic; `alive` holds tokens that work."""

    def __init__(self, *, form_only: bool = False, answer: dict[str, Any] | None = None) -> None:
        self.form_only = form_only
        self.answer = answer or {"expires_in": 3600}
        self.issued = 0
        self.alive: set[str] = set()
        self.refuse: dict[str, Any] | None = None

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return await self.token(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in self.alive:
            return web.json_response([])
        return web.json_response({}, status=401)

    async def token(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        basic = request.headers.get("Authorization", "")
        if self.refuse is not None:
            return web.json_response(self.refuse, status=400)
        if self.form_only and (basic or form.get("client_secret") != "s3cret"):
            return web.json_response({"error": "invalid_client"}, status=401)
        if not self.form_only and base64.b64decode(basic.removeprefix("Basic ")) != b"id:s3cret":
            return web.json_response({"error": "invalid_client"}, status=401)
        await asyncio.sleep(0.01)
        self.issued += 1
        token = f"token-{self.issued}"
        self.alive = {token}
        return web.json_response({"access_token": token, "token_type": "bearer", **self.answer})


@asynccontextmanager
async def talking(
    desk: Desk, *, clock: Callable[[], float] = lambda: 0.0, secret: str = "s3cret"
) -> AsyncIterator[tuple[HttpClient, Hostile]]:
    async with hostile(desk) as server:
        auth = ClientCredentials(f"{server.url}/token", "id", secret, ["a", "b"], clock=clock)
        async with HttpClient(server.url, side="sis", auth=auth, sleep=Sleeps()) as client:
            yield client, server


def test_many_requests_share_one_token() -> None:
    async def run() -> None:
        desk = Desk()
        async with talking(desk) as (client, server):
            await asyncio.gather(*(client.get("/things") for _ in range(12)))
            assert desk.issued == 1
            asked = next(one for one in server.seen if one.path == "/token")
            assert b"scope=a+b" in asked.body
            assert b"s3cret" not in asked.body

    asyncio.run(run())


def test_a_server_that_wants_form_fields_gets_them() -> None:
    async def run() -> None:
        desk = Desk(form_only=True)
        async with talking(desk) as (client, server):
            await client.get("/things")
            assert [one.path for one in server.seen] == ["/token", "/token", "/things"]

    asyncio.run(run())


@pytest.mark.parametrize("answer", [{"expires_in": 3600}, {"expires_in": "3600"}, {"expires_in": None}, {}])
def test_a_token_is_renewed_before_it_ends(answer: dict[str, Any]) -> None:
    async def run() -> None:
        now = [0.0]
        desk = Desk(answer=answer)
        async with talking(desk, clock=lambda: now[0]) as (client, _):
            await client.get("/things")
            now[0] = 500.0
            await client.get("/things")
            assert desk.issued == 1
            now[0] = 3541.0
            await client.get("/things")
            assert desk.issued == 2

    asyncio.run(run())


def test_a_token_that_died_in_mid_run_is_replaced_once_for_all() -> None:
    async def run() -> None:
        desk = Desk()
        async with talking(desk) as (client, _):
            await client.get("/things")
            desk.alive.clear()
            await asyncio.gather(*(client.get("/things") for _ in range(4)))
            assert desk.issued == 2

    asyncio.run(run())


def test_fresh_tokens_that_are_refused_again_and_again_end_it() -> None:
    async def run() -> None:
        desk = Desk()
        async with talking(desk) as (client, server):

            async def locked(request: web.Request) -> web.StreamResponse:
                return await desk(request) if request.path == "/token" else web.json_response({}, status=401)

            server.script = [locked]
            with pytest.raises(ConnectionProblem) as caught:
                await client.get("/things")
            assert caught.value.code == "GS-202"
            assert desk.issued == 4

    asyncio.run(run())


def test_a_refused_secret_is_asked_with_only_once() -> None:
    async def run() -> None:
        desk = Desk()
        async with talking(desk, secret="wrong") as (client, server):
            for _ in range(3):
                with pytest.raises(ConnectionProblem) as caught:
                    await client.get("/things")
                assert caught.value.code == "GS-202"
                assert "wrong" not in str(caught.value)
            assert len(server.seen) == 2

    asyncio.run(run())


def test_a_scope_that_is_not_granted_is_a_missing_right() -> None:
    async def run() -> None:
        desk = Desk()
        desk.refuse = {"error": "invalid_scope"}
        async with talking(desk) as (client, _):
            with pytest.raises(ConnectionProblem) as caught:
                await client.get("/things")
            assert caught.value.code == "GS-203"

    asyncio.run(run())


def test_the_secret_does_not_go_to_another_host_by_itself() -> None:
    elsewhere = ClientCredentials("https://login.example/token", "id", "s")
    with pytest.raises(ConnectionProblem) as caught:
        HttpClient("https://sis.example/api", side="sis", auth=elsewhere)
    assert caught.value.code == "GS-108"
    named = ClientCredentials("https://login.example/token", "id", "s", other_host=True)
    HttpClient("https://sis.example/api", side="sis", auth=named)


@pytest.mark.parametrize("token", ["", " ", "a b", "a\r\nX-Evil: 1", "tökén"])
def test_a_token_that_could_write_headers_is_refused(token: str) -> None:
    with pytest.raises(ConnectionProblem) as caught:
        BearerToken(token)
    assert caught.value.code == "GS-207"


def test_no_repr_shows_a_secret() -> None:
    assert "s3cret" not in repr(ClientCredentials("https://x.example/token", "id", "s3cret"))
    assert "s3cret" not in repr(BearerToken("s3cret"))
