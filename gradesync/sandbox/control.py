"""The sandbox's own door, `/_sandbox/...`: health, the whole world, request counts, faults, teachers' work,
the SIS changed by hand, a school year going by, exports that break.

For tests, the demo and `gradesync sandbox teach`; a product under test never calls it. No rule of either
side here.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from datetime import date
from typing import Any

from aiohttp import web

from gradesync.errors import GradesyncError
from gradesync.sandbox.accidents import Accident
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.front import Front
from gradesync.sandbox.other_tool import sync_with_other_tool
from gradesync.sandbox.school_year import SchoolYear
from gradesync.sandbox.sis_edit import edit_sis
from gradesync.sandbox.teach import teach


def add_control(app: web.Application, front: Front) -> None:
    """Add the control routes to the server's application."""
    control = _Control(front)
    app.router.add_get("/_sandbox/health", control.health)
    app.router.add_get("/_sandbox/world/{district}", control.world)
    app.router.add_get("/_sandbox/requests", control.requests)
    app.router.add_post("/_sandbox/requests/forget", control.forget)
    app.router.add_post("/_sandbox/faults", control.order_fault)
    app.router.add_delete("/_sandbox/faults", control.clear_faults)
    app.router.add_post("/_sandbox/behaviour/{district}", control.behave)
    app.router.add_post("/_sandbox/edit/{district}", control.edit)
    app.router.add_post("/_sandbox/other-tool", control.other_tool)
    app.router.add_post("/_sandbox/sis-edit", control.sis_edit)
    app.router.add_post("/_sandbox/teach", control.teach)
    app.router.add_post("/_sandbox/year/{district}", control.year)
    app.router.add_post("/_sandbox/accident/{district}", control.accident)
    app.router.add_delete("/_sandbox/accident/{district}", control.repair)


class _Control:
    """The handlers; they share the front and how often teachers have worked."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._rounds_taught = 0
        self._edits = 0
        self._accidents: dict[str, list[Accident]] = {}

    async def health(self, _request: web.Request) -> web.Response:
        schools = self._front.schools
        days = {school.district.today.isoformat() for school in schools.values()}
        return web.json_response(
            {"ok": True, "districts": list(schools), "today": min(days), "pid": os.getpid()}
        )

    async def world(self, request: web.Request) -> web.Response:
        key = request.match_info["district"]
        if key not in self._front.schools:
            return _error(404, "no such district")
        school = self._front.schools[key]
        return web.json_response({"canvas": school.canvas.raw(), "sis": school.sis.raw()})

    async def requests(self, _request: web.Request) -> web.Response:
        counts = self._front.counts
        answer: dict[str, Any] = {"total": sum(counts.values())}
        for position, name in enumerate(("side", "district", "method", "status")):
            totals: Counter[str] = Counter()
            for key, number in counts.items():
                totals[str(key[position])] += number
            answer[name] = dict(totals)
        return web.json_response(answer)

    async def forget(self, _request: web.Request) -> web.Response:
        self._front.forget()
        return web.json_response({"ok": True})

    async def order_fault(self, request: web.Request) -> web.Response:
        """Body: name, times (absent: standing), side, method, path, when; district for a manner of one SIS."""
        body = await _body(request)
        try:
            if body.get("times") is None:
                self._front.stand(str(body.get("name")), body.get("district"))
            else:
                self._front.faults.orders.append(FaultOrder(**body))
        except GradesyncError as problem:
            return _error(400, str(problem))
        except TypeError:
            return _error(400, "a fault with times takes name, side, method, path and when")
        return web.json_response({"ok": True})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Ends one standing fault (`?name=`) or everything that was ordered or stands."""
        self._front.calm(request.query.get("name"))
        return web.json_response({"ok": True})

    async def behave(self, request: web.Request) -> web.Response:
        """Body: fields of `SisBehaviour` to change in one district's SIS."""
        school = self._front.schools.get(request.match_info["district"])
        body = await _body(request)
        if school is None:
            return _error(404, "no such district")
        try:
            school.sis.behaviour.change(body)
        except GradesyncError as problem:
            return _error(400, str(problem))
        return web.json_response({"ok": True})

    async def edit(self, request: web.Request) -> web.Response:
        """A score changed by hand in the SIS. Body: result (its sourcedId), score."""
        school = self._front.schools.get(request.match_info["district"])
        body = await _body(request)
        if school is None or body.get("result") not in school.sis.rows["results"]:
            return _error(404, "no such district or result")
        school.sis.edit_score(body["result"], float(body.get("score", 0)))
        return web.json_response({"ok": True})

    async def other_tool(self, request: web.Request) -> web.Response:
        """Body: district (absent: all), seed, share. Answers counts."""
        body = await _body(request)
        wanted = body.get("district")
        keys = list(self._front.schools) if wanted is None else [wanted]
        if not set(keys) <= self._front.schools.keys():
            return _error(404, "no such district")
        try:
            seed, share = int(body.get("seed") or 1), float(body.get("share") or 1.0)
        except (ValueError, TypeError) as problem:
            return _error(400, str(problem))
        counts = {key: sync_with_other_tool(self._front.schools[key], seed=seed, share=share) for key in keys}
        return web.json_response(counts)

    async def sis_edit(self, request: web.Request) -> web.Response:
        """Body: district (absent: all), acts, times, seed (absent: another each time), target, value. Counts."""
        body = await _body(request)
        wanted = body.get("district")
        keys = list(self._front.schools) if wanted is None else [wanted]
        if not set(keys) <= self._front.schools.keys():
            return _error(404, "no such district")
        try:
            times, seed = int(body.get("times") or 1), body.get("seed")
            seed = 1000 + self._edits if seed is None else int(seed)
            self._edits += times
            acts = tuple(str(act) for act in body.get("acts") or ())
            counts = {
                key: edit_sis(
                    self._front.schools[key].sis,
                    seed=seed,
                    acts=acts,
                    times=times,
                    target=body.get("target"),
                    value=body.get("value"),
                )
                for key in keys
            }
        except (ValueError, TypeError, GradesyncError) as problem:
            return _error(400, str(problem), getattr(problem, "hint", None))
        return web.json_response(counts)

    async def year(self, request: web.Request) -> web.Response:
        """Days pass in one SIS. Body: until (a day), acts_a_day; or act, times; and seed. Answers day and counts."""
        school = self._front.schools.get(request.match_info["district"])
        body = await _body(request)
        if school is None:
            return _error(404, "no such district")
        try:
            year = SchoolYear(school.sis, seed=int(body.get("seed") or 1))
            if body.get("act") is not None:
                done = year.act(str(body["act"]), int(body.get("times") or 1))
            else:
                until = date.fromisoformat(str(body.get("until")))
                done = year.advance(until, acts_a_day=int(body.get("acts_a_day") or 1))
        except (ValueError, TypeError, GradesyncError) as problem:
            return _error(400, str(problem), getattr(problem, "hint", None))
        return web.json_response({"day": year.day.isoformat(), "done": done})

    async def accident(self, request: web.Request) -> web.Response:
        """An export breaks. Body: name."""
        key = request.match_info["district"]
        school = self._front.schools.get(key)
        body = await _body(request)
        if school is None:
            return _error(404, "no such district")
        try:
            broken = Accident(school.sis, str(body.get("name")))
        except GradesyncError as problem:
            return _error(400, str(problem), getattr(problem, "hint", None))
        self._accidents.setdefault(key, []).append(broken)
        return web.json_response({"ok": True})

    async def repair(self, request: web.Request) -> web.Response:
        """Takes every accident of a district back, the latest first."""
        for broken in reversed(self._accidents.pop(request.match_info["district"], [])):
            broken.repair()
        return web.json_response({"ok": True})

    async def teach(self, request: web.Request) -> web.Response:
        """Body: district (absent: all), rounds, seed (absent: another each time), style, acts. Answers counts."""
        body = await _body(request)
        wanted = body.get("district")
        keys = list(self._front.schools) if wanted is None else [wanted]
        if not set(keys) <= self._front.schools.keys():
            return _error(404, "no such district")
        counts = {}
        try:
            rounds, seed = int(body.get("rounds") or 1), body.get("seed")
            seed = 1000 + self._rounds_taught if seed is None else int(seed)
            self._rounds_taught += rounds
            for key in keys:
                world = self._front.schools[key].canvas
                acts = tuple(str(act) for act in body.get("acts") or ())
                counts[key] = teach(
                    world, seed=seed, rounds=rounds, style=body.get("style") or "day", acts=acts
                )
                # Let waiting requests through between two districts.
                await asyncio.sleep(0)
        except (ValueError, KeyError, TypeError, GradesyncError) as problem:
            return _error(400, str(problem), getattr(problem, "hint", None))
        return web.json_response(counts)


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    try:
        body = json.loads(text or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def _error(status: int, message: str, hint: str | None = None) -> web.Response:
    return web.json_response({"error": message, "hint": hint}, status=status)
