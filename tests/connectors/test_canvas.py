"""What Canvas is asked, and what its refusals and silences mean."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gradesync.connectors.canvas import CanvasConnector, CanvasReader
from gradesync.domain.account import Scope
from gradesync.domain.gradebook import CanvasCourse
from gradesync.errors import ConnectionProblem
from tests.connectors.conftest import on_disk
from tests.connectors.hostile import Hostile, client_of, hostile, says

COURSE = CanvasCourse(7, "C-7", "available", "America/New_York")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def row(number: int, end: str | None, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "sis_course_id": None,
        "workflow_state": "available",
        "term": {"end_at": end},
        **more,
    }


@pytest.mark.parametrize(
    ("terms", "kept"), [("current", [1, 2, 3]), ("all", [1, 2, 3, 4]), (("2020",), [1, 2, 3, 4])]
)
def test_archived_years_are_not_read_for_a_current_scope(
    terms: str | tuple[str, ...], kept: list[int]
) -> None:
    rows = [
        row(1, None),
        row(2, "2027-06-30T00:00:00Z"),
        row(3, "2026-01-31T00:00:00Z"),
        row(4, "2020-06-30T00:00:00Z"),
        row(1, None),
    ]

    async def run() -> list[int]:
        async with hostile(says(rows)) as server, client_of(server, side="canvas") as client:
            source = CanvasReader(client, Scope(terms=terms), now=lambda: NOW)
            return [course.id async for course in source.courses()]

    assert asyncio.run(run()) == kept


async def read(server: Hostile, since: datetime | None) -> ConnectionProblem | None:
    async with client_of(server, side="canvas") as client:
        try:
            await CanvasReader(client).read_course(COURSE, since)
        except ConnectionProblem as problem:
            return problem
        return None


def test_the_flag_is_never_a_filter_and_a_delta_is_never_grouped() -> None:
    async def run() -> None:
        async with hostile(says([], Date="Mon, 23 Nov 2026 12:00:00 GMT")) as server:
            assert await read(server, None) is None
            assert await read(server, NOW) is None
            full, delta = (one for one in server.seen if one.path.endswith("/students/submissions"))
            assert "grouped" in full.query
            assert "grouped" not in delta.query
            assert (delta.query["graded_since"], delta.query["order"]) == ("2026-11-23T12:00:00.000Z", "id")
            assert all("post_to_sis" not in one.query for one in server.seen)
            assert sum(one.path.endswith("/enrollments") for one in server.seen) == 1

    asyncio.run(run())


def test_a_row_that_two_pages_of_a_delta_show_counts_once_as_it_was_read_last() -> None:
    def graded(id: int, score: float) -> dict[str, Any]:
        at = "2026-11-23T12:00:00Z"
        return {"assignment_id": id, "user_id": 5, "score": score, "posted_at": at, "graded_at": at}

    pages = {"1": [graded(1, 7), graded(2, 8)], "2": [graded(2, 9), graded(3, 6)]}

    async def answer(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/submissions"):
            return web.json_response([])
        page = request.query.get("page", "1")
        other = f'<{request.url.with_query(page="2")}>; rel="{"next" if page == "1" else "current"}"'
        return web.json_response(pages[page], headers={"Link": other})

    async def run() -> dict[int, Any]:
        async with hostile(answer) as server, client_of(server, side="canvas") as client:
            book = await CanvasReader(client).read_course(COURSE, NOW)
            assert len(book.submissions) == 3
            return {one.assignment_id: one.score for one in book.submissions}

    assert asyncio.run(run()) == {1: 7, 2: 9, 3: 6}


def test_a_record_that_canvas_hides_ids_of_is_a_missing_right() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        hidden = [{"id": 1, "user_id": 2, "course_section_id": 3, "type": "StudentEnrollment"}]
        return web.json_response(hidden if request.path.endswith("/enrollments") else [])

    async def run() -> None:
        async with hostile(answer) as server:
            problem = await read(server, None)
            assert problem is not None
            assert problem.code == "GS-203"

    asyncio.run(run())


def test_one_failed_listing_ends_the_others() -> None:
    stopped = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/assignments"):
            return web.json_response({}, status=403)
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return web.json_response([])

    async def run() -> None:
        async with hostile(answer) as server:
            problem = await asyncio.wait_for(read(server, None), 30)
            assert problem is not None
            assert problem.code == "GS-203"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"errors": ["SIS imports can only be executed on root accounts"]}, "GS-606"),
        (403, {"errors": ["SIS imports are not enabled for this account"]}, "GS-203"),
        (503, {}, "GS-302"),
    ],
)
def test_an_import_that_may_not_start_says_why(status: int, body: object, code: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with hostile(says(body, status)) as server, client_of(server, side="canvas") as client:
            files = on_disk(tmp_path, {"a.csv": "x"})
            with pytest.raises(ConnectionProblem) as caught:
                await CanvasConnector(client).start_import(files, data_set="d", remaster=False)
            assert caught.value.code == code
            assert len(server.seen) == 1

    asyncio.run(run())


def test_imports_of_any_tool_that_are_not_done_are_named() -> None:
    rows = [
        {"id": number, "workflow_state": state}
        for number, state in enumerate(["created", "importing", "cleanup_batch", "imported", "initializing"])
    ]

    async def run() -> None:
        async with hostile(says({"sis_imports": rows})) as server, client_of(server, side="canvas") as client:
            assert [one.id for one in await CanvasReader(client).unfinished_imports()] == [0, 1, 2]

    asyncio.run(run())


@pytest.mark.parametrize("payload", [{}, {"sis_imports": None}, [], {"sis_imports": [{}]}])
def test_an_unreadable_list_of_imports_is_not_an_empty_one(payload: object) -> None:
    async def run() -> None:
        async with hostile(says(payload)) as server, client_of(server, side="canvas") as client:
            with pytest.raises(ConnectionProblem) as caught:
                await CanvasReader(client).unfinished_imports()
            assert caught.value.code == "GS-306"

    asyncio.run(run())
