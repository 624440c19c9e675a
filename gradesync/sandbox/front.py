"""What every API request passes before it reaches a side: the request log, latency and faults.

It knows nothing of Canvas or OneRoster beyond how each of them words a refusal. Requests to `/_sandbox`
pass freely.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Middleware

from gradesync.sandbox import canvas_state
from gradesync.sandbox.faults import Fault, FaultPlan
from gradesync.sandbox.odd_answers import ODD_ANSWERS
from gradesync.sandbox.school import SandboxSchool
from gradesync.sandbox.sis_behaviour import MANNERS, drop_manners, take_manner
from gradesync.sandbox.sis_errors import SisError, error_answer
from gradesync.sandbox.sis_world import utc_now

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SIDE_OF_MOUNT = {"canvas": "canvas", "genesis": "sis"}
_LOCAL_NAMES = frozenset(("127.0.0.1", "localhost"))
_KEPT_RECORDS = 200_000
_SLOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One API request: side canvas or sis, the path below the mount without its query, the status sent.

    A status of 0 means that the connection was cut. `run` is what the request said of itself in `X-Gradesync-Run`.
    """

    side: str
    district: str
    method: str
    path: str
    status: int
    at: datetime
    run: str = ""


@dataclass(slots=True)
class Front:
    """The middleware's state: what was asked, how slow to be, what goes wrong."""

    schools: Mapping[str, SandboxSchool]
    latency_ms: float = 0
    faults: FaultPlan = field(default_factory=FaultPlan)
    records: list[RequestRecord] = field(default_factory=list)
    counts: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)

    def count(
        self, *, side: str | None = None, method: str | None = None, district: str | None = None
    ) -> int:
        """How many API requests came since the last `forget`, narrowed by what is given."""
        return sum(
            number
            for (one_side, one_district, one_method, _), number in self.counts.items()
            if side in (None, one_side) and district in (None, one_district) and method in (None, one_method)
        )

    def forget(self) -> None:
        """Forget all requests."""
        self.records.clear()
        self.counts.clear()

    def stand(self, name: str, district: str | None = None) -> None:
        """Let a fault stand from now on: a share of all requests, or a manner of one side (of all districts', when
        none is named).

        Raises UsageProblem for an unknown name.
        """
        if name not in (*MANNERS, *canvas_state.MANNERS):
            self.faults.stand((*self.faults.standing, name))
            return
        for key, school in self.schools.items():
            if district not in (None, key):
                continue
            if name in MANNERS:
                take_manner(school.sis.behaviour, name, school.sis.current_periods)
            else:
                canvas_state.take_manner(school.canvas.settings, name)

    def calm(self, name: str | None = None) -> None:
        """Take one standing fault or manner back, or all of them; orders go with all."""
        if name is None:
            self.faults.clear()
        else:
            self.faults.stand(one for one in self.faults.standing if one != name)
        for school in self.schools.values():
            drop_manners(school.sis.behaviour, [one for one in MANNERS if name in (None, one)])
            for one in canvas_state.MANNERS:
                if name in (None, one):
                    canvas_state.drop_manner(school.canvas.settings, one)

    def middleware(self) -> Middleware:
        """The aiohttp middleware of the whole server."""

        @web.middleware
        async def pass_front(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.host.rpartition(":")[0] not in _LOCAL_NAMES and request.host not in _LOCAL_NAMES:
                # A web page could point a name of its own at loopback and so reach the sandbox.
                raise web.HTTPForbidden(text="the sandbox answers on 127.0.0.1 only")
            parts = request.rel_url.raw_path.split("/", 3)
            side = _SIDE_OF_MOUNT.get(parts[2]) if len(parts) == 4 else None
            if side is None or parts[1] not in self.schools:
                return await handler(request)
            return await self._serve(request, handler, side, parts[1], f"/{parts[3]}")

        return pass_front

    async def _serve(
        self, request: web.Request, handler: Handler, side: str, district: str, path: str
    ) -> web.StreamResponse:
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        status = 500
        try:
            fault = self.faults.choose(side, request.method, path)
            if fault is None:
                response = await handler(request)
            else:
                response = await self._faulty(request, handler, fault, side, district)
            cut = request.transport is None or request.transport.is_closing()
            status = 0 if cut else response.status
            return response
        except web.HTTPException as answer:
            status = answer.status
            raise
        except ConnectionResetError:
            # Whoever asked has gone away before saying all of it, as a stopped run does: nothing is wrong here.
            status = 0
            return web.Response(status=400)
        finally:
            run = request.headers.get("X-Gradesync-Run", "")
            self._record(RequestRecord(side, district, request.method, path, status, utc_now(), run))

    def _record(self, record: RequestRecord) -> None:
        if len(self.records) >= _KEPT_RECORDS:
            del self.records[: _KEPT_RECORDS // 2]
        self.records.append(record)
        self.counts[record.side, record.district, record.method, record.status] += 1

    async def _faulty(
        self, request: web.Request, handler: Handler, fault: Fault, side: str, district: str
    ) -> web.StreamResponse:
        """Serve one request with a fault; `after_effect` matters to server-error and cut alone."""
        if fault.name == "slow":
            await asyncio.sleep(_SLOW_SECONDS)
            return await handler(request)
        form = self.schools[district].sis.behaviour.error_form
        if fault.name == "throttle":
            return _canvas_throttled(fault.after_effect) if side == "canvas" else _sis_busy(form)
        if fault.name == "unauthorized":
            if side == "canvas":
                return _canvas_unauthorized()
            self.schools[district].sis.desk.revoke_all()
            return await handler(request)
        if fault.name == "sis-403-throttle":
            return web.Response(status=403, text="403 Forbidden Rate Limit\n")
        if fault.name in ODD_ANSWERS:
            return await ODD_ANSWERS[fault.name](request, await handler(request))
        response = await handler(request) if fault.after_effect else None
        if fault.name == "cut":
            return await _cut(request, response)
        status = 504 if fault.after_effect else 500
        return _canvas_broken(status) if side == "canvas" else _sis_refusal(status, form)


def _canvas_throttled(older_form: bool) -> web.Response:
    """Canvas says it as 403 with a text, or as 429."""
    text = (
        "403 Forbidden (Rate Limit Exceeded)" if older_form else "429 Too Many Requests (Rate Limit Exceeded)"
    )
    headers = {"X-Rate-Limit-Remaining": "0.0"}
    return web.Response(status=403 if older_form else 429, text=f"{text}\n", headers=headers)


def _sis_busy(form: str) -> web.Response:
    text, kind = error_answer(SisError(429, "server_busy", "too many requests"), form)
    return web.Response(text=text, status=429, content_type=kind, headers={"Retry-After": "1"})


def _sis_refusal(status: int, form: str) -> web.Response:
    text, kind = error_answer(SisError(status, "internal_server_error", "internal error"), form)
    return web.Response(text=text, status=status, content_type=kind)


def _canvas_unauthorized() -> web.Response:
    headers = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
    return web.json_response({"errors": [{"message": "Invalid access token."}]}, status=401, headers=headers)


def _canvas_broken(status: int) -> web.Response:
    body = {"errors": [{"message": "An error occurred.", "error_code": "internal_server_error"}]}
    return web.json_response(body, status=status)


async def _cut(request: web.Request, response: web.StreamResponse | None) -> web.StreamResponse:
    """Close the connection: without an answer, or in the middle of one whose request took effect."""
    body = response.body if isinstance(response, web.Response) else None
    if response is not None and isinstance(body, bytes) and len(body) > 1:
        # Content-Length promises all of it, so that the client can tell that half is missing.
        headers = {"Content-Type": response.content_type, "Content-Length": str(len(body))}
        half = web.StreamResponse(status=response.status, headers=headers)
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
        _close(request)
        return half
    _close(request)
    return web.Response(status=503)


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
