"""The next watermark is told by Canvas's clock, never by ours: machines that forget everything have clocks that err."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from aiohttp import web

from gradesync.connectors.canvas import CanvasReader
from gradesync.domain.account import Scope
from gradesync.domain.gradebook import CanvasCourse
from tests.connectors.hostile import Answer, client_of, hostile

COURSE = CanvasCourse(7, "C-7", "available", "America/New_York")
OURS = datetime(2031, 1, 1, tzinfo=UTC)
"""Years off: a watermark from here would pass over every grade until then."""
THEIRS = datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)
EARLIEST = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at_canvas() -> Answer:
    """An empty course; its assignments are answered a little earlier than the rest."""

    async def answer(request: web.Request) -> web.StreamResponse:
        moment = EARLIEST if request.path.endswith("/assignments") else THEIRS
        return web.json_response([], headers={"Date": format_datetime(moment, usegmt=True)})

    return answer


@pytest.mark.parametrize("since", [None, datetime(2026, 11, 22, tzinfo=UTC)])
def test_a_course_was_read_when_canvas_gave_its_first_answer(since: datetime | None) -> None:
    async def run() -> datetime:
        async with hostile(at_canvas()) as server, client_of(server, side="canvas") as client:
            book = await CanvasReader(client, Scope(), now=lambda: OURS).read_course(COURSE, since)
            return book.read_at

    assert asyncio.run(run()) == EARLIEST
