"""A small made-up Canvas for tests, served over real HTTP within one asyncio run."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from yarl import URL

from gradesync.sandbox.canvas_app import build_canvas_app
from gradesync.sandbox.canvas_seed import fill_canvas
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.district import District
from gradesync.sandbox.generate import generate

Result = TypeVar("Result")

TODAY = date(2026, 11, 23)


@dataclass
class Clock:
    """A clock that tests move."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 18, 0, 0, 250000, UTC))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **delta: float) -> datetime:
        """Moves the clock on and returns the new time."""
        self.at += timedelta(**delta)
        return self.at


def district(students: int = 60) -> District:
    """The district most tests share."""
    return generate("riverside", students=students, seed=1, today=TODAY)


def world(*, populated: bool = True, clock: Clock | None = None, students: int = 60) -> CanvasWorld:
    """A freshly filled Canvas without waiting times."""
    made = fill_canvas(district(students), seed=1, populated=populated, now=clock or Clock())
    made.settings.import_delay = 0.0
    return made


@dataclass
class Answer:
    """An answer read whole; header names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The JSON of the answer."""
        return json.loads(self.text)

    def link(self, rel: str) -> str | None:
        """The URL of a Link relation."""
        for part in self.headers.get("link", "").split(","):
            if part.endswith(f'rel="{rel}"'):
                return part[1 : part.index(">")]
        return None


@dataclass
class Canvas:
    """A client of the served world; paths are sent exactly as written."""

    world: CanvasWorld
    base: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Answer:
        """GET below /api/v1, or an absolute URL as Link headers give it."""
        url = path if path.startswith("http") else f"{self.base}{path}"
        sent = {"Authorization": f"Bearer {self.world.token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        async with self.session.get(URL(url, encoded=True), headers=sent) as answer:
            return await _read(answer)

    async def every(self, path: str) -> list[Any]:
        """All rows of a listing, following `next`."""
        rows: list[Any] = []
        at: str | None = path
        while at is not None:
            answer = await self.get(at)
            assert answer.status == 200, answer.text
            rows += answer.body
            at = answer.link("next")
        return rows

    async def post_import(self, files: dict[str, str], query: str = "", **fields: str) -> Answer:
        """POST of a zip with these files as a form."""
        form = aiohttp.FormData()
        form.add_field("attachment", zipped(files), filename="roster.zip", content_type="application/zip")
        for name, value in fields.items():
            form.add_field(name, value)
        headers = {"Authorization": f"Bearer {self.world.token}"}
        url = f"{self.base}/accounts/self/sis_imports{query}"
        async with self.session.post(url, data=form, headers=headers) as answer:
            return await _read(answer)

    async def run_import(self, files: dict[str, str], **fields: str) -> dict[str, Any]:
        """Posts an import and waits for its end."""
        answer = await self.post_import(files, **fields)
        assert answer.status == 200, answer.text
        return await self.ended(answer.body["id"])

    async def ended(self, import_id: int) -> dict[str, Any]:
        """Polls an import until it is neither waiting nor running."""
        for _ in range(500):
            found: dict[str, Any] = (await self.get(f"/accounts/self/sis_imports/{import_id}")).body
            if found["workflow_state"] not in ("created", "importing"):
                return found
            await asyncio.sleep(0.002)
        raise AssertionError("the import did not end")


async def _read(answer: aiohttp.ClientResponse) -> Answer:
    text = await answer.text()
    return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, text)


def zipped(files: dict[str, str]) -> bytes:
    """A zip of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


@asynccontextmanager
async def served(made: CanvasWorld) -> AsyncIterator[Canvas]:
    """The world behind a prefix on a free port of loopback."""
    root = web.Application()
    root.add_subapp("/riverside/canvas", build_canvas_app(made))
    runner = web.AppRunner(root)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Canvas(made, f"http://127.0.0.1:{port}/riverside/canvas/api/v1", session)
    finally:
        await runner.cleanup()


def talk(made: CanvasWorld, story: Callable[[Canvas], Awaitable[Result]]) -> Result:
    """Serves the world for one story."""

    async def tell() -> Result:
        async with served(made) as canvas:
            return await story(canvas)

    return asyncio.run(tell())
