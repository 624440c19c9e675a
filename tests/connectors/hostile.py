"""A small server that answers whatever a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gradesync.connectors.auth import Auth, BearerToken
from gradesync.connectors.http import HttpClient

TOKEN = "obviously-fake-token-4711"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Hostile:
    """Plays `script` in order, its last entry for ever."""

    script: list[Answer]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(
            Seen(request.method, request.raw_path.split("?")[0], dict(request.query), headers, body)
        )
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await step(request)


@asynccontextmanager
async def hostile(*script: Answer) -> AsyncIterator[Hostile]:
    server = Hostile(list(script))
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sockets = runner.addresses
    server.url = f"http://127.0.0.1:{sockets[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def says(payload: Any = None, status: int = 200, **headers: str) -> Answer:
    """JSON, with headers whose underscores are dashes."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(
            body=json.dumps(payload).encode(), status=status, headers=sent, content_type="application/json"
        )

    return answer


def text(body: str, status: int = 200, content_type: str = "text/plain", **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=body, status=status, headers=sent, content_type=content_type)

    return answer


def cut(promised: int = 1000, sent: bytes = b"[1,") -> Answer:
    """Break the connection off in the middle of the body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        half = web.StreamResponse(
            headers={"Content-Length": str(promised), "Content-Type": "application/json"}
        )
        await half.prepare(request)
        await half.write(sent)
        assert request.transport is not None
        request.transport.close()
        return half

    return answer


def never() -> Answer:
    """Does not answer for as long as any client waits."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    return answer


@dataclass
class Sleeps:
    """A sleep that only writes down how long."""

    asked: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


@asynccontextmanager
async def client_of(
    server: Hostile, *, side: str = "sis", auth: Auth | None = None, **options: Any
) -> AsyncIterator[HttpClient]:
    options.setdefault("sleep", Sleeps())
    options.setdefault("random", lambda: 0.5)
    client = HttpClient(server.url, side=side, auth=auth or BearerToken(TOKEN), **options)  # type: ignore[arg-type]  # tests name the side as text
    async with client:
        yield client
