"""One small sandbox for the folder, and both kinds of each side over the same school: over HTTP and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.canvas import CanvasConnector
from gradesync.connectors.http import HttpClient
from gradesync.connectors.memory import MemoryCanvas, MemoryCourse, MemorySis
from gradesync.connectors.oneroster import OneRosterConnector, OneRosterReader
from gradesync.connectors.spool import ListIntake
from gradesync.domain.profile import PROFILES
from gradesync.domain.roster import Roster
from gradesync.sandbox.canvas_state import CanvasSettings
from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.sis_behaviour import SisBehaviour
from tests.connectors.hostile import Sleeps

PROFILE = PROFILES["genesis"]
KEY = "riverside"


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with running((KEY,), students=60, today=date(2026, 11, 23)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, its behaviour put back afterwards."""
    yield shared_sandbox
    shared_sandbox.front.faults.clear()
    shared_sandbox.schools[KEY].sis.behaviour = SisBehaviour()
    shared_sandbox.schools[KEY].canvas.settings = CanvasSettings(import_delay=0.01)


def sis_auth(sandbox: Sandbox) -> ClientCredentials:
    desk = sandbox.schools[KEY].sis.desk
    url = f"{sandbox.sis_url(KEY)}/token"
    return ClientCredentials(url, desk.client_id, desk.client_secret, PROFILE.write_scopes)


@asynccontextmanager
async def sis_client(sandbox: Sandbox) -> AsyncIterator[HttpClient]:
    url = sandbox.sis_url(KEY) + PROFILE.rostering_path
    async with HttpClient(url, side="sis", auth=sis_auth(sandbox), sleep=Sleeps()) as client:
        yield client


@asynccontextmanager
async def canvas_client(sandbox: Sandbox) -> AsyncIterator[HttpClient]:
    auth = BearerToken(sandbox.schools[KEY].canvas.token)
    async with HttpClient(sandbox.canvas_url(KEY), side="canvas", auth=auth, sleep=Sleeps()) as client:
        yield client


async def roster_of(
    source: MemorySis | OneRosterReader, told: Callable[[int, int | None], None] = lambda _done, _total: None
) -> Roster:
    """One full read, in memory."""
    intake = ListIntake()
    await source.read_roster(told, intake)
    return intake.roster()


def on_disk(folder: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """Files to upload, by name."""
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    return {name: folder / name for name in files}


@dataclass
class Sis:
    """One kind of SIS under test. `close` closes grading periods, `stop` makes the guard refuse."""

    sandbox: Sandbox
    kind: str

    @asynccontextmanager
    async def open(
        self, *, closed: tuple[str, ...] = (), guard: object = None
    ) -> AsyncIterator[MemorySis | OneRosterConnector]:
        async with sis_client(self.sandbox) as client:
            real = OneRosterConnector(client, PROFILE)
            if self.kind == "oneroster":
                self.sandbox.schools[KEY].sis.behaviour.closed_periods = closed
                client.guard = guard  # type: ignore[assignment]  # tests hand in a callable
                yield real
                return
            roster = await roster_of(real)
            catalogue = await real.catalogue()
            classes = await asyncio.gather(*(real.read_class(one.id) for one in roster.classes))
            yield MemorySis(
                district=await real.identity(),
                roster=roster,
                categories=catalogue.categories,
                periods=catalogue.periods,
                students={one.class_id: one.students for one in classes},
                closed=frozenset(closed),
                guard=guard,  # type: ignore[arg-type]  # tests hand in a callable
            )

    def class_with_students(self) -> str:
        """A class whose students the SIS counts as current."""
        world = self.sandbox.schools[KEY].sis
        return next(one for one in world.rows["classes"] if len(world.people_of_class(one, "student")) > 2)


@dataclass
class Canvas:
    """One kind of Canvas under test."""

    sandbox: Sandbox
    kind: str

    def open(self, *, guard: object = None) -> AbstractAsyncContextManager[MemoryCanvas | CanvasConnector]:
        return self._open(guard)

    @asynccontextmanager
    async def _open(self, guard: object) -> AsyncIterator[MemoryCanvas | CanvasConnector]:
        async with canvas_client(self.sandbox) as client:
            real = CanvasConnector(client)
            if self.kind == "canvas":
                client.guard = guard  # type: ignore[assignment]  # tests hand in a callable
                yield real
                return
            fake = MemoryCanvas(await real.identity(), guard=guard)  # type: ignore[arg-type]  # as above
            async for course in real.courses():
                book = await real.read_course(course, None)
                fake.hold(
                    [
                        MemoryCourse(
                            course, list(book.assignments), list(book.students), list(book.submissions)
                        )
                    ]
                )
            yield fake


@pytest.fixture(params=["oneroster", "memory"])
def sis(sandbox: Sandbox, request: pytest.FixtureRequest) -> Sis:
    return Sis(sandbox, request.param)


@pytest.fixture(params=["canvas", "memory"])
def canvas(sandbox: Sandbox, request: pytest.FixtureRequest) -> Canvas:
    return Canvas(sandbox, request.param)
