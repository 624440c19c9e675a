"""Listings are read to their true end, or not at all: no server can make rows vanish silently."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.connectors.canvas.paging import Listing
from gradesync.connectors.oneroster import OneRosterReader
from gradesync.connectors.oneroster.paging import Collections
from gradesync.domain.profile import PROFILES
from gradesync.errors import ConnectionProblem
from tests.connectors.hostile import Answer, Hostile, client_of, hostile, says, text


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"sourcedId": f"id-{number:04d}", "status": "active", **more}


def roster_server(
    count: int, *, clamp: int, total: bool = False, link: str = "", sorts: bool = True, overlap: int = 0
) -> Answer:
    """A OneRoster collection of `count` rows with the quirks of real ones; `link` is the origin in Link."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if "sort" in request.query and not sorts:
            return web.json_response({"imsx_description": "cannot sort"}, status=400)
        limit = min(int(request.query["limit"]), clamp)
        offset = int(request.query["offset"])
        rows = [row(number) for number in range(count)][max(0, offset - overlap if offset else 0) :][:limit]
        headers = {"X-Total-Count": str(count)} if total else {}
        if link:
            more = offset + limit < count
            following = f'<{link}/things?limit={limit}&offset={offset + limit}>; rel="next", ' if more else ""
            headers["Link"] = f'{following}<{link}/things?limit={limit}&offset=0>; rel="first"'
        return web.json_response({"things": rows}, headers=headers)

    return answer


async def read(server: Hostile, page_size: int = 1000) -> list[str]:
    async with client_of(server) as client:
        found = await Collections(client, page_size).read(
            "/things", key="things", parser=lambda one, _row: one
        )
        return list(found)


def ids(count: int) -> list[str]:
    return [f"id-{number:04d}" for number in range(count)]


def refused(*script: Answer) -> ConnectionProblem:
    async def run() -> ConnectionProblem:
        async with hostile(*script) as server:
            with pytest.raises(ConnectionProblem) as caught:
                await read(server)
            return caught.value

    return asyncio.run(run())


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(0, 23),
    clamp=st.integers(2, 9),
    total=st.booleans(),
    link=st.sampled_from(["", "relative"]),
    sorts=st.booleans(),
    overlap=st.integers(0, 1),
)
def test_every_row_arrives_once_whatever_the_server_says_of_pages(
    count: int, clamp: int, total: bool, link: str, sorts: bool, overlap: int
) -> None:
    # A row that shows up again on the next page must not push another one out of sight: with an overlap the server
    # serves fewer new rows per page, and only headers or the empty page can tell the end.
    async def run() -> list[str]:
        script = roster_server(
            count,
            clamp=clamp,
            total=total,
            link="" if link == "" else "/x",
            sorts=sorts,
            overlap=0 if total or link else overlap,
        )
        async with hostile(script) as server:
            return await read(server)

    if overlap and not total and not link and count:
        # Such a server never reaches an empty page: it is stopped instead of being believed.
        try:
            assert asyncio.run(run()) == ids(count)
        except ConnectionProblem as problem:
            assert problem.code == "GS-599"  # noqa: PT017 - either end is right, silence is not
        return
    assert asyncio.run(run()) == ids(count)


def test_sorting_is_given_up_for_good_once_refused() -> None:
    async def run() -> None:
        async with hostile(roster_server(5, clamp=2, sorts=False)) as server:
            assert await read(server) == ids(5)
            assert ["sort" in one.query for one in server.seen] == [True, False, False, False, False]

    asyncio.run(run())


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_bears_small_pages_only_is_asked_for_small_ones(status: int) -> None:
    honest = roster_server(230, clamp=100)

    async def answer(request: web.Request) -> web.StreamResponse:
        if int(request.query["limit"]) > 100 or "sort" in request.query:
            return web.json_response({"imsx_description": "too much"}, status=status)
        return await honest(request)

    async def run() -> None:
        async with hostile(answer) as server, client_of(server) as client:
            rows = Collections(client, 1000)
            for _ in range(2):
                found = await rows.read("/things", key="things", parser=lambda one, _row: one)
                assert list(found) == ids(230)
            refused = [one for one in server.seen if one.query["limit"] != "100"]
            # Each refusal is met once (a 500 is repeated before it is believed), and never again.
            assert len(refused) == (6 if status == 500 else 2)

    asyncio.run(run())


def test_a_server_that_breaks_at_sorting_is_read_unsorted() -> None:
    honest = roster_server(5, clamp=2)

    async def answer(request: web.Request) -> web.StreamResponse:
        if "sort" in request.query:
            return web.Response(status=500, text="<html>oops</html>", content_type="text/html")
        return await honest(request)

    async def run() -> None:
        async with hostile(answer) as server:
            assert await read(server) == ids(5)

    asyncio.run(run())


def test_a_next_link_to_another_server_is_neither_followed_nor_in_the_way() -> None:
    async def run() -> None:
        async with hostile(says({"things": []})) as other, hostile(says()) as server:
            server.script = [roster_server(9, clamp=3, link=other.url.replace("127.0.0.1", "localhost"))]
            assert await read(server) == ids(9)
            assert other.seen == []
            assert len(server.seen) == 3

    asyncio.run(run())


def test_of_a_next_link_only_the_paging_is_taken() -> None:
    evil = '</admin?limit=2&offset=2&filter=evil&access_token=x>; rel="next"'

    async def run() -> None:
        first = says({"things": [row(0), row(1)]}, Link=evil)
        async with hostile(first, says({"things": []})) as server:
            assert await read(server) == ids(2)
            assert server.seen[1].path == "/things"
            assert set(server.seen[1].query) == {"limit", "offset", "sort", "orderBy"}

    asyncio.run(run())


def test_a_link_that_would_skip_rows_does_not() -> None:
    async def run() -> None:
        jump = says({"things": [row(0), row(1)]}, Link='</things?limit=1000&offset=1000>; rel="next"')
        async with hostile(jump, says({"things": [row(2)]}), says({"things": []})) as server:
            assert await read(server) == ids(3)
            assert server.seen[1].query["offset"] == "2"

    asyncio.run(run())


def test_a_server_that_repeats_a_page_is_stopped() -> None:
    assert refused(says({"things": [row(0), row(1)]})).code == "GS-599"


def test_a_row_removed_while_pages_are_read_makes_no_other_row_vanish() -> None:
    rows = [row(number) for number in range(6)]

    async def answer(request: web.Request) -> web.StreamResponse:
        limit, offset = 2, int(request.query["offset"])
        page = web.json_response(
            {"things": rows[offset : offset + limit]}, headers={"X-Total-Count": str(len(rows))}
        )
        if offset == 0 and len(rows) == 6:
            del rows[0]
        return page

    async def run() -> list[str]:
        async with hostile(answer) as server:
            return await read(server, 2)

    assert asyncio.run(run()) == ids(6)[1:]


def test_a_server_whose_totals_always_shrink_is_read_to_its_end_all_the_same() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        offset = int(request.query["offset"])
        left = [row(number) for number in range(5)][offset:]
        following = f'</things?limit=2&offset={offset + 2}>; rel="next"' if len(left) > 2 else ""
        headers = {"X-Total-Count": str(len(left)), "Link": following or '</things>; rel="first"'}
        return web.json_response({"things": left[:2]}, headers=headers)

    async def run() -> list[str]:
        async with hostile(answer) as server:
            return await read(server, 2)

    assert asyncio.run(run()) == ids(5)


def test_a_listing_that_ends_before_its_own_total_is_incomplete() -> None:
    first = says({"things": [row(0)]}, X_Total_Count="5")
    assert refused(first, says({"things": []}, X_Total_Count="5")).code == "GS-599"


@pytest.mark.parametrize(
    "answer",
    [
        says({"things": [{"status": "active"}]}),
        says({"things": [{"sourcedId": 5}]}),
        says({"things": ["x"]}),
        says({"things": {"sourcedId": "x"}}),
        says({"a": [], "b": []}),
        says("x"),
        text("<html>login</html>"),
    ],
)
def test_an_answer_of_another_shape_is_no_empty_listing(answer: Answer) -> None:
    assert refused(answer).code == "GS-599"


def test_rows_marked_as_gone_are_left_out_and_odd_envelopes_are_opened() -> None:
    async def run() -> None:
        rows = [row(0), row(1, status="tobedeleted"), row(2, status="inactive"), {"sourcedId": "id-0003"}]
        async with hostile(says({"teachers": rows}), says({"teachers": []})) as server:
            assert await read(server) == ["id-0000", "id-0003"]

    asyncio.run(run())


def test_an_unauthorized_page_in_mid_read_ends_the_read() -> None:
    problem = refused(says({"things": [row(0)]}), says({}, 401))
    assert problem.code == "GS-202"


def test_a_district_without_a_district_org_is_known_by_its_roots() -> None:
    async def run() -> None:
        parent = {"href": "x", "sourcedId": "id-0002", "type": "org"}
        rows = [row(1, type="school", parent=parent), row(2, type="local"), row(0, type="school")]
        async with hostile(says({"orgs": rows}, X_Total_Count="3")) as server, client_of(server) as client:
            assert await OneRosterReader(client, PROFILES["genesis"]).identity() == "id-0000+id-0002"

    asyncio.run(run())


# -- Canvas ------------------------------------------------------------------------------------------------------------


async def canvas_rows(server: Hostile, page_size: int = 100) -> list[dict[str, Any]]:
    async with client_of(server, side="canvas", max_pages=20) as client:
        return await Listing(client, "/api/v1/things", query=[("a[]", "1")], page_size=page_size).rows()


def canvas_refused(*script: Answer) -> ConnectionProblem:
    async def run() -> ConnectionProblem:
        async with hostile(*script) as server:
            with pytest.raises(ConnectionProblem) as caught:
                await canvas_rows(server)
            return caught.value

    return asyncio.run(run())


def test_canvas_links_are_opaque_and_applied_to_our_own_address() -> None:
    link = '</other/place?page=bookmark:WzEs&per_page=7>; rel="next", </x>; rel="current"'

    async def run() -> None:
        async with hostile(says([{"id": 1}], Link=link), says([{"id": 2}])) as server:
            assert [one["id"] for one in await canvas_rows(server)] == [1, 2]
            assert server.seen[1].path == "/api/v1/things"
            assert server.seen[1].query == {"page": "bookmark:WzEs", "per_page": "7"}

    asyncio.run(run())


def test_a_canvas_link_to_another_server_is_refused() -> None:
    link = '<https://evil.example/api/v1/things?page=2>; rel="next"'
    assert canvas_refused(says([{"id": 1}], Link=link)).code == "GS-206"


@pytest.mark.parametrize("size", [10, 50, 100])
def test_a_full_canvas_page_without_any_link_is_not_taken_for_the_last(size: int) -> None:
    assert canvas_refused(says([{"id": n} for n in range(size)])).code == "GS-306"


@pytest.mark.parametrize("size", [0, 3, 100])
def test_a_full_canvas_page_that_names_itself_is_the_last(size: int) -> None:
    async def run() -> None:
        link = '</x?page=1>; rel="current", </x?page=1>; rel="first"'
        async with hostile(says([{"id": n} for n in range(size)], Link=link)) as server:
            assert len(await canvas_rows(server)) == size

    asyncio.run(run())


def test_canvas_pages_that_go_in_a_circle_are_stopped() -> None:
    assert canvas_refused(says([{"id": 1}], Link='</x?page=2>; rel="next"')).code == "GS-306"


def test_canvas_pages_without_end_are_stopped() -> None:
    number = iter(range(10_000))

    async def more(_request: web.Request) -> web.StreamResponse:
        return web.json_response([{"id": 1}], headers={"Link": f'</x?page={next(number)}>; rel="next"'})

    assert canvas_refused(more).code == "GS-306"


@pytest.mark.parametrize("payload", [{"errors": []}, ["x"], None, 5])
def test_a_canvas_answer_that_is_no_list_is_no_empty_list(payload: object) -> None:
    assert canvas_refused(says(payload)).code == "GS-306"
