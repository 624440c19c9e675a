"""One collection of a roster, whatever a server says of its pages: every row once and in time, or a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import Collections
from gradesync.connectors.oneroster.seen import Seen
from gradesync.connectors.oneroster.stream import Stream, View
from gradesync.connectors.wire import Malformed
from gradesync.domain.roster_columns import Enrollments
from gradesync.errors import ConnectionProblem
from tests.connectors.hostile import Answer, Hostile, client_of, hostile, says

VIEW = View("/things", "things", ("sourcedId", "status", "name"), frozenset({"sourcedId", "name"}))


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"sourcedId": f"id-{number:04d}", "status": "active", "name": "n", **more}


def ids(count: int) -> list[str]:
    return [f"id-{number:04d}" for number in range(count)]


async def read(server: Hostile, page_size: int = 1000) -> list[str]:
    found: list[str] = []
    async with client_of(server, max_pages=200) as client:
        stream = Stream(client, Collections(client, page_size))
        await stream.read(
            VIEW, (), lambda page: found.extend(one["sourcedId"] for one in page), Seen(), alone=True
        )
    return found


def found_by(*script: Answer, page_size: int = 1000) -> list[str]:
    async def run() -> list[str]:
        async with hostile(*script) as server:
            return await read(server, page_size)

    return asyncio.run(run())


def refused(*script: Answer, page_size: int = 1000) -> ConnectionProblem:
    with pytest.raises(ConnectionProblem) as caught:
        found_by(*script, page_size=page_size)
    return caught.value


def server_of(
    all_rows: list[dict[str, Any]],
    *,
    clamp: int,
    total: Callable[[int, int], int] | None = None,
    links: str = "",
    skipping: int = 1,
    overlap: int = 0,
) -> Answer:
    """Pages of `clamp` rows. `total` makes the header of (offset, rows shown); `links` are none, true ones, or ones
    made by somebody who forgot the clamp. `skipping` N shows every Nth page only."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked, offset = int(request.query["limit"]), int(request.query["offset"])
        limit = min(asked, clamp)
        start = max(0, offset * skipping - (overlap if offset else 0))
        page = all_rows[start : start + limit]
        headers = {"X-Total-Count": str(total(offset, len(page)))} if total else {}
        if links:
            step = asked if links == "forgetful" else limit
            more = offset + step < len(all_rows)
            following = f'</things?limit={limit}&offset={offset + step}>; rel="next", ' if more else ""
            headers["Link"] = f'{following}</things?limit={limit}&offset=0>; rel="first"'
        return web.json_response({"things": page}, headers=headers)

    return answer


TOTALS: dict[str, Callable[[int], Callable[[int, int], int] | None]] = {
    "none": lambda _count: None,
    "true": lambda count: lambda _offset, _shown: count,
    "page": lambda _count: lambda _offset, shown: shown,
    "rest": lambda count: lambda offset, _shown: max(0, count - offset),
}


@example(count=74, clamp=25, total="true", links="", overlap=2)
@example(count=21, clamp=20, total="page", links="", overlap=0)
@example(count=99, clamp=20, total="rest", links="", overlap=1)
@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 130),
    clamp=st.sampled_from([20, 25, 50, 100]),
    total=st.sampled_from(sorted(TOTALS)),
    links=st.sampled_from(["", "true", "forgetful"]),
    overlap=st.integers(0, 2),
)
def test_no_row_is_lost_and_none_comes_twice_whatever_is_said_of_pages(
    count: int, clamp: int, total: str, links: str, overlap: int
) -> None:
    if total == "page" and links:
        # Where two signs lie together, only pages as large as real servers' are looked behind.
        clamp, overlap = 100, 0
    all_rows = [row(number) for number in range(count)]
    script = server_of(all_rows, clamp=clamp, total=TOTALS[total](count), links=links, overlap=overlap)
    assert found_by(script) == ids(count)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(50, 130),
    clamp=st.sampled_from([10, 20, 25]),
    links=st.sampled_from(["", "true", "forgetful"]),
    skipping=st.integers(2, 3),
)
def test_missing_pages_are_a_problem_where_the_server_counts_them(
    count: int, clamp: int, links: str, skipping: int
) -> None:
    all_rows = [row(number) for number in range(count)]
    script = server_of(all_rows, clamp=clamp, total=TOTALS["true"](count), links=links, skipping=skipping)
    problem = refused(script)
    assert problem.code == "GS-602"
    assert f"holds {count} records and shows" in str(problem)


def test_a_collection_that_is_cut_at_an_offset_is_incomplete() -> None:
    honest = server_of([row(number) for number in range(90)], clamp=30)

    async def answer(request: web.Request) -> web.StreamResponse:
        if int(request.query["offset"]) >= 60:
            return web.json_response({"imsx_description": "offset too large"}, status=400)
        return await honest(request)

    problem = refused(answer)
    assert (problem.code, "up to record 60" in str(problem)) == ("GS-602", True)


def test_a_link_that_would_skip_rows_does_not() -> None:
    jump = says({"things": [row(0), row(1)]}, Link='</things?limit=1000&offset=1000>; rel="next"')
    assert found_by(jump, says({"things": [row(2)]}), says({"things": []})) == ids(3)

    async def honest(request: web.Request) -> web.StreamResponse:
        offset = int(request.query["offset"])
        link = '</things?limit=1000&offset=1000>; rel="next"' if offset < 4 else '</things>; rel="first"'
        page = [row(number) for number in range(6)][offset : offset + 2]
        return web.json_response({"things": page}, headers={"Link": link})

    assert found_by(honest) == ids(6)


def test_a_server_that_refuses_what_lies_behind_the_end_has_ended() -> None:
    honest = server_of([row(number) for number in range(30)], clamp=30, total=lambda _o, shown: shown)

    async def answer(request: web.Request) -> web.StreamResponse:
        if int(request.query["offset"]):
            return web.json_response({"imsx_description": "no such page"}, status=404)
        return await honest(request)

    assert found_by(answer) == ids(30)


def test_a_server_that_knows_no_pages_at_all_is_read_once() -> None:
    everything = says({"things": [row(number) for number in range(150)]})
    assert found_by(everything, page_size=100) == ids(150)


def test_a_page_for_ever_the_same_is_no_end() -> None:
    assert refused(says({"things": [row(number) for number in range(100)]}), page_size=100).code == "GS-599"


def test_rows_that_come_in_before_the_others_push_none_out_of_sight() -> None:
    all_rows = [row(number) for number in range(10, 70)]

    async def answer(request: web.Request) -> web.StreamResponse:
        offset = int(request.query["offset"])
        page = all_rows[offset : offset + 20]
        if offset == 20 and len(all_rows) == 60:
            all_rows.insert(0, row(0))
        return web.json_response({"things": page})

    assert sorted(found_by(answer)) == ["id-0000", *ids(70)[10:]]


def test_a_collection_that_never_holds_still_is_not_believed() -> None:
    number = iter(range(10_000))

    async def answer(request: web.Request) -> web.StreamResponse:
        first = next(number) * 15
        left = 60 - int(request.query["offset"])
        page = [row(first + one) for one in range(20)] if left > 0 else []
        return web.json_response({"things": page})

    problem = refused(answer)
    assert (problem.code, problem.retryable) == ("GS-602", True)


def test_a_choice_of_fields_that_loses_what_is_needed_is_given_up() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        whole = [row(number) for number in range(3)]
        lacking = [{"sourcedId": one["sourcedId"]} for one in whole]
        return web.json_response(
            {"things": lacking if "fields" in request.query else whole}, headers={"X-Total-Count": "3"}
        )

    async def run() -> None:
        async with hostile(answer) as server, client_of(server) as client:
            stream = Stream(client, Collections(client, 100))
            for _ in range(2):
                found: list[Any] = []
                await stream.read(VIEW, (), found.extend, Seen())
                assert [one["name"] for one in found] == ["n"] * 3
            assert ["fields" in one.query for one in server.seen] == [True, False, False]

    asyncio.run(run())


def test_a_refused_choice_of_fields_costs_one_question() -> None:
    honest = server_of([row(number) for number in range(5)], clamp=2, total=lambda _o, _s: 5)

    async def answer(request: web.Request) -> web.StreamResponse:
        if "fields" in request.query:
            return web.json_response({"imsx_description": "invalid_selection_field"}, status=400)
        return await honest(request)

    async def run() -> None:
        async with hostile(answer) as server:
            async with client_of(server) as client:
                stream = Stream(client, Collections(client, 1000))
                for _ in range(2):
                    found: list[Any] = []
                    await stream.read(VIEW, (), found.extend, Seen())
                    assert len(found) == 5
            assert ["fields" in one.query for one in server.seen] == [True, *[False] * 6]
            assert all("sort" in one.query for one in server.seen)

    asyncio.run(run())


def test_rows_marked_as_gone_are_not_handed_over_and_are_not_missing() -> None:
    things = [row(0), row(1, status="tobedeleted"), row(2, status="inactive"), row(3)]
    assert found_by(says({"things": things}, X_Total_Count="4")) == ["id-0000", "id-0003"]


@pytest.mark.parametrize(
    "broken", [{"status": "active"}, {"sourcedId": 5}, {"sourcedId": ""}, "x", None, {"sourcedId": None}]
)
def test_a_row_without_an_id_ends_the_read(broken: object) -> None:
    assert refused(says({"things": [row(0), broken]}, X_Total_Count="2")).code == "GS-599"


# -- what was seen -----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.lists(st.text(min_size=1, max_size=4), max_size=60), max_size=30))
def test_ids_are_told_apart_as_a_set_tells_them(pages: list[list[str]]) -> None:
    seen, known = Seen(), set[str]()
    for page in pages:
        wanted = [one for number, one in enumerate(page) if one not in known and one not in page[:number]]
        known.update(page)
        assert [one["sourcedId"] for one in seen.fresh([{"sourcedId": one} for one in page])] == wanted
        assert len(seen) == len(known)
    assert all(one in seen for one in known)
    assert "never seen" not in seen


@pytest.mark.parametrize("expected", [0, 7, 30_000, 10**11])
def test_ids_of_a_whole_district_are_told_apart(expected: int) -> None:
    seen = Seen()
    seen.expect(expected)
    for start in range(0, 30_000, 1000):
        page = [{"sourcedId": f"E-{number:08d}"} for number in range(start, start + 1000)]
        assert len(seen.fresh(page)) == 1000
        assert seen.fresh(page) == []
    assert len(seen) == 30_000
    assert "E-00029999" in seen
    assert "E-00030000" not in seen


# -- enrollments by the page ------------------------------------------------------------------------------------------

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "2026-09-01", "2026-09-01T00:00:00Z", "true", "false", True, "student", "ext:aide", 5, [], {}]
)
REFERENCES: st.SearchStrategy[Any] = st.just({"sourcedId": "x"}) | st.sampled_from(
    [None, {}, {"sourcedId": "x"}, {"sourcedId": None}, {"sourcedId": 5}, {"sourcedId": ""}, "x", []]
)


@example([{"sourcedId": "e", "user": {"sourcedId": 5}, "class": {"sourcedId": "c"}, "role": "student"}])
@example([{"sourcedId": "e", "user": {"sourcedId": "u"}, "class": {"sourcedId": "c"}, "role": "student"}] * 2)
@settings(max_examples=200)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"sourcedId": st.text(min_size=1, max_size=3)},
            optional={
                "user": REFERENCES,
                "class": REFERENCES,
                "role": VALUES,
                "beginDate": VALUES,
                "endDate": VALUES,
                "primary": VALUES,
            },
        ),
        max_size=4,
    )
)
def test_a_page_of_enrollments_is_what_its_rows_are_one_by_one(page: list[dict[str, Any]]) -> None:
    try:
        wanted: object = rows.parsed(page, rows.enrollment)
    except Malformed:
        wanted = Malformed
    try:
        found: object = rows.enrollments(page)
    except Malformed:
        found = Malformed
    assert (list(found) if isinstance(found, Enrollments) else found) == wanted
