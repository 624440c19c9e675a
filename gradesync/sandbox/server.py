"""The sandbox as a server: one process, one loopback port, several districts with both their sides.

Mounts Canvas at `/<district>/canvas` and the SIS at `/<district>/genesis`, the control door at `/_sandbox`.
What the sides answer lives in their own modules.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from aiohttp import web

from gradesync.errors import GradesyncError, UsageProblem
from gradesync.sandbox.canvas_app import build_canvas_app
from gradesync.sandbox.canvas_state import MANNERS as CANVAS_MANNERS
from gradesync.sandbox.control import add_control
from gradesync.sandbox.faults import FaultPlan
from gradesync.sandbox.front import Front, RequestRecord
from gradesync.sandbox.school import SandboxSchool, open_school, write_secrets
from gradesync.sandbox.sis_app import build_sis_app
from gradesync.sandbox.sis_behaviour import MANNERS, SisBehaviour
from gradesync.sandbox.sis_rows import API

DISTRICTS = ("riverside", "oak-hill", "lakeside")
_HOST = "127.0.0.1"
_LARGEST_BODY = 256 * 1024 * 1024

__all__ = ["DISTRICTS", "Sandbox", "SandboxSchool", "running", "serve_forever", "write_secrets"]


class SandboxOptions(TypedDict, total=False):
    """What `Sandbox` takes besides its districts."""

    students: int
    seed: int
    latency_ms: float
    faults: Iterable[str]
    populated: bool
    port: int
    today: date | None
    host: str
    sis_write: str


class Sandbox:
    """A set of made-up districts served over HTTP.

    `students` is per district. `faults` are names of standing faults and of manners of the SIS, `sis_write` is who may
    mint ids there (put, post, server-ids), `latency_ms` is added to every API
    request. `today` is the schools' day (default: the real one in their time zone). `port` 0 takes a free
    one. The districts come to life in `start`.
    """

    def __init__(
        self,
        districts: Iterable[str] = DISTRICTS,
        *,
        students: int = 120,
        seed: int = 1,
        latency_ms: float = 0,
        faults: Iterable[str] = (),
        populated: bool = True,
        port: int = 0,
        today: date | None = None,
        host: str = _HOST,
        sis_write: str = "put",
    ) -> None:
        if host != _HOST:
            raise UsageProblem("the sandbox is served on 127.0.0.1 only", hint="leave the host out")
        self.schools: dict[str, SandboxSchool] = {}
        faults = tuple(faults)
        manners = (*MANNERS, *CANVAS_MANNERS)
        self._manners = tuple(name for name in faults if name in manners)
        requests = tuple(name for name in faults if name not in manners)
        self.front = Front(self.schools, latency_ms, FaultPlan(requests, seed=seed))
        self._behaviour = {"write_mode": sis_write}
        SisBehaviour().change(self._behaviour)
        self._districts = tuple(districts)
        self._students = students
        self._seed = seed
        self._populated = populated
        self._port = port
        self._today = today or datetime.now(ZoneInfo("America/New_York")).date()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the running server, without a slash at the end."""
        return f"http://{_HOST}:{self._port}"

    @property
    def requests(self) -> list[RequestRecord]:
        """API requests since the last `forget_requests`, oldest first."""
        return self.front.records

    def canvas_url(self, district: str) -> str:
        """The Canvas address of a district, as a client's base URL."""
        return f"{self.url}/{district}/canvas"

    def sis_url(self, district: str) -> str:
        """The SIS address of a district: `/token` and `/ims/oneroster` (1.1 and 1.2) are below it."""
        return f"{self.url}/{district}/genesis"

    def count(
        self, *, side: str | None = None, method: str | None = None, district: str | None = None
    ) -> int:
        """How many API requests came since the last `forget_requests`, narrowed by what is given."""
        return self.front.count(side=side, method=method, district=district)

    def forget_requests(self) -> None:
        """Start counting requests anew."""
        self.front.forget()

    def write_secrets(self, folder: Path) -> None:
        """Write every district's credentials below `folder` (see `school.write_secrets`)."""
        write_secrets(folder, self.schools.values())

    async def start(self) -> None:
        """Bind, fill the districts and serve; raises `GradesyncError` when the port is taken."""
        bound = _bind(self._port)
        self._port = bound.getsockname()[1]
        try:
            app = self._build()
            self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
            await self._runner.setup()
            await web.SockSite(self._runner, bound, backlog=1024).start()
        except BaseException:
            bound.close()
            raise

    async def stop(self) -> None:
        """End serving; the worlds stay readable."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _build(self) -> web.Application:
        app = web.Application(middlewares=[self.front.middleware()], client_max_size=_LARGEST_BODY)
        for key in self._districts:
            school = open_school(
                key,
                students=self._students,
                seed=self._seed,
                populated=self._populated,
                today=self._today,
                sis_base=f"{self.sis_url(key)}{API}",
            )
            school.sis.behaviour.change(self._behaviour)
            self.schools[key] = school
            app.add_subapp(f"/{key}/canvas", build_canvas_app(school.canvas))
            app.add_subapp(f"/{key}/genesis", build_sis_app(school.sis))
        for name in self._manners:
            self.front.stand(name)
        add_control(app, self.front)
        return app


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError as problem:
        listener.close()
        raise GradesyncError(
            f"port {port} of 127.0.0.1 cannot be used: something serves there already",
            hint="end that, or take another --port and write it into the addresses under schedules/",
        ) from problem
    return listener


@contextmanager
def running(districts: Iterable[str] = DISTRICTS, **options: Unpack[SandboxOptions]) -> Iterator[Sandbox]:
    """Run a sandbox in a thread with its own event loop; takes what `Sandbox` takes.

    The caller may read and change the worlds directly while real HTTP is served.
    """
    sandbox = Sandbox(districts, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gradesync-sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result()
        yield sandbox
    finally:
        asyncio.run_coroutine_threadsafe(sandbox.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def serve_forever(
    districts: Iterable[str] = DISTRICTS,
    *,
    secrets_folder: Path,
    announce: Callable[[str], None] = print,
    **options: Unpack[SandboxOptions],
) -> None:
    """Serve until SIGINT or SIGTERM, then end cleanly; `announce` gets one readable block once it is ready.

    Takes what `Sandbox` takes; the credentials are written below `secrets_folder`.
    """
    asyncio.run(_serve(Sandbox(districts, **options), secrets_folder, announce))


async def _serve(sandbox: Sandbox, secrets_folder: Path, announce: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await sandbox.start()
    # The districts stay for good: collecting garbage among them would only slow every answer down.
    gc.freeze()
    try:
        sandbox.write_secrets(secrets_folder)
        announce(welcome(sandbox, secrets_folder))
        await stop.wait()
    finally:
        await sandbox.stop()


def welcome(sandbox: Sandbox, secrets_folder: Path) -> str:
    """What a person who has just started a sandbox needs to know."""
    lines = [f"gradesync sandbox at {sandbox.url}: made-up schools, this machine only, nothing is kept.", ""]
    for key, school in sandbox.schools.items():
        pupils = sum(person.role == "student" for person in school.district.people)
        lines += [
            f"{school.district.name} ({key}): {pupils} students, {len(school.district.classes)} classes",
            f"  Canvas  {sandbox.canvas_url(key)}",
            f"  SIS     {sandbox.sis_url(key)}   (OneRoster 1.1 and 1.2 below /ims/oneroster, token at /token)",
        ]
    lines += [
        "",
        f"Credentials: {secrets_folder}/<district>/canvas_token, sis_id, sis_secret",
        f"Let teachers work:  gradesync sandbox teach --url {sandbox.url}   (by hand in the SIS: sandbox sis-edit)",
        "Stop: Ctrl-C",
    ]
    return "\n".join(lines)
