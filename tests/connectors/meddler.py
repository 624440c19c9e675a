"""A server between the product and an honest SIS that may answer in its place, or change what it says.

Knows of each request which class it is about, so that one class of a district can be badly served and its
neighbours well. Real HTTP on both sides; no rule of the product may live here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from gradesync.sandbox.server import SandboxSchool


@dataclass(frozen=True)
class Ask:
    """One request: `about` is the class it concerns, None when it concerns no single one."""

    request: web.Request
    body: bytes
    about: str | None

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE") and not self.path.endswith("/token")


@dataclass
class Got:
    """What the honest SIS answered; may be changed."""

    status: int
    headers: dict[str, str]
    body: bytes


Before = Callable[[Ask], Awaitable[web.StreamResponse | None]]
After = Callable[[Ask, Got], None]


@dataclass
class Meddler:
    """Passes everything on unless told otherwise. `writes` lists method and path of every write that came."""

    school: SandboxSchool
    target: str
    url: str = ""
    before: Before | None = None
    after: After | None = None
    writes: list[tuple[str, str]] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        ask = Ask(request, body, self._class_of(request, body))
        if ask.writes:
            self.writes.append((ask.method, ask.path))
        if self.before is not None and (said := await self.before(ask)) is not None:
            return said
        got = await self._passed_on(request, body)
        if self.after is not None:
            self.after(ask, got)
        return web.Response(status=got.status, headers=got.headers, body=got.body)

    async def _passed_on(self, request: web.Request, body: bytes) -> Got:
        assert self._session is not None
        kept = {k: v for k, v in request.headers.items() if k.lower() not in ("content-length", "connection")}
        url = URL(self.target + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, data=body, headers=kept) as answer:
            passed = ("content-type", "link", "x-total-count", "retry-after", "www-authenticate")
            headers = {k: v for k, v in answer.headers.items() if k.lower() in passed}
            return Got(answer.status, headers, await answer.read())

    def _class_of(self, request: web.Request, body: bytes) -> str | None:
        rows = self.school.sis.rows
        parts = [part for part in request.path.split("/") if part]
        record: dict[str, Any] = {}
        if body.startswith(b"{"):
            sent = json.loads(body)
            found = next(iter(sent.values())) if sent else {}
            record = found[0] if isinstance(found, list) else found
        if "class" in record:
            return str(record["class"]["sourcedId"])
        item = rows["lineItems"].get(record["lineItem"]["sourcedId"]) if "lineItem" in record else None
        if item is not None:
            return str(item["class"]["sourcedId"])
        if "classes" in parts[:-1]:
            # Encoded slashes are part of an id, so the longest id that fits is the class.
            rest = request.path.partition("/classes/")[2]
            return max((one for one in rows["classes"] if rest.startswith(one)), key=len, default=None)
        return None


@asynccontextmanager
async def meddling(meddler: Meddler) -> AsyncIterator[Meddler]:
    """Serve it; `url` is set."""
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", meddler.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    meddler.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        meddler._session = session
        try:
            yield meddler
        finally:
            await runner.cleanup()


# -- odd answers ------------------------------------------------------------------------------------------------------


async def huge(request: web.Request, megabytes: int = 50) -> web.StreamResponse:
    """So many megabytes of spaces, or as many as somebody takes."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        for _ in range(megabytes):
            await response.write(b" " * 1_000_000)
    except (ConnectionError, aiohttp.ClientError):
        pass  # The other side hung up, which is what it should do.
    return response


async def drip(request: web.Request) -> web.StreamResponse:
    """One byte after the other, for longer than anybody should wait."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        for _ in range(2000):
            await response.write(b" ")
            await asyncio.sleep(0.05)
    except (ConnectionError, aiohttp.ClientError, asyncio.CancelledError):
        pass  # The other side hung up, which is what it should do.
    return response


async def torn(request: web.Request) -> web.StreamResponse:
    """Half a body, and then the connection breaks."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"results": [{"sourcedId"')
    if request.transport is not None:
        request.transport.close()
    return response
