"""What the HTTP client promises whatever the other side does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from gradesync.connectors.auth import BearerToken
from gradesync.connectors.http import HttpClient
from gradesync.connectors.retry import Timeouts, retry_after
from gradesync.errors import ConnectionProblem, LeaseLost
from tests.connectors.hostile import Answer, Hostile, Sleeps, client_of, cut, hostile, never, says, text

Action = Callable[[HttpClient], Any]


async def _get(client: HttpClient) -> object:
    return (await client.get("/things")).json()


async def _put(client: HttpClient) -> object:
    return (await client.put("/things/{}", "a", body=b"{}")).status


async def _post(client: HttpClient) -> object:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"

    return (await client.upload("/things", body=body, length=1, content_type="text/csv")).status


def play(action: Action, *script: Answer, **options: Any) -> tuple[Any, Hostile, HttpClient]:
    """The action's answer, or the problem it met."""

    async def run() -> tuple[Any, Hostile, HttpClient]:
        async with hostile(*script) as server, client_of(server, **options) as client:
            try:
                return await action(client), server, client
            except ConnectionProblem as problem:
                return problem, server, client

    return asyncio.run(run())


def test_every_request_names_us_and_carries_the_token() -> None:
    answer, server, client = play(_get, says([1]))
    assert answer == [1]
    assert server.seen[0].headers["user-agent"].startswith("gradesync/")
    assert server.seen[0].headers["authorization"].startswith("Bearer ")
    assert client.counts == {("GET", 200): 1}


@pytest.mark.parametrize(
    "url", ["http://school.example", "ftp://school.example", "https://me:pw@school.example", "x"]
)
def test_an_address_that_could_leak_the_token_is_refused_before_any_request(url: str) -> None:
    with pytest.raises(ConnectionProblem) as caught:
        HttpClient(url, side="canvas", auth=BearerToken("t"))
    assert caught.value.code == "GS-108"
    assert "school" not in str(caught.value)


def test_a_redirect_is_never_followed() -> None:
    async def run() -> None:
        async with hostile(says([])) as other:

            async def away(_request: object) -> Any:
                from aiohttp import web

                return web.Response(status=302, headers={"Location": f"{other.url}/things"})

            async with hostile(away) as server, client_of(server) as client:
                with pytest.raises(ConnectionProblem) as caught:
                    await client.get("/things")
                assert caught.value.code == "GS-206"
                assert len(server.seen) == 1
            assert other.seen == []

    asyncio.run(run())


def test_ids_stay_one_path_segment() -> None:
    async def read(client: HttpClient) -> object:
        return (await client.get("/classes/{}/results", "a/../b ?#%é")).json()

    _, server, _ = play(read, says([]))
    assert server.seen[0].path == "/classes/a%2F..%2Fb%20%3F%23%25%C3%A9/results"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("action", [_get, _put])
def test_passing_trouble_is_tried_again(status: int, action: Action) -> None:
    answer, server, _ = play(action, says({}, status), says({}))
    assert not isinstance(answer, ConnectionProblem)
    assert len(server.seen) == 2


@pytest.mark.parametrize(("action", "asked"), [(_get, 3), (_put, 1)])
def test_an_internal_error_is_tried_again_for_reads_only(action: Action, asked: int) -> None:
    answer, server, _ = play(action, says({}, 500))
    assert answer.code == "GS-508"
    assert answer.retryable
    assert len(server.seen) == asked


def test_a_post_is_not_repeated_when_it_may_have_arrived() -> None:
    for broken in (says({}, 503), cut()):
        answer, server, _ = play(_post, broken, side="canvas")
        assert answer.code == "GS-302"
        assert len(server.seen) == 1


def test_a_post_refused_at_the_door_knocks_again() -> None:
    answer, server, _ = play(_post, text("403 Forbidden (Rate Limit Exceeded)", 403), says({}), side="canvas")
    assert answer == 200
    assert len(server.seen) == 2


@pytest.mark.parametrize("action", [_get, _put])
def test_a_connection_cut_in_mid_body_is_tried_again(action: Action) -> None:
    answer, server, client = play(action, cut(), says([1]))
    assert answer in ([1], 200)
    assert len(server.seen) == 2
    assert sum(count for (_, status), count in client.counts.items() if status == 0) == 1


def test_trying_ends_and_names_the_side() -> None:
    for side, code in (("canvas", "GS-302"), ("sis", "GS-508")):
        answer, server, _ = play(_get, says({}, 503), side=side)
        assert (answer.code, answer.retryable, len(server.seen)) == (code, True, 5)


def test_waits_grow_and_a_retry_after_is_a_lower_bound() -> None:
    sleeps = Sleeps()
    play(_get, says({}, 503), says({}, 503, Retry_After="7"), says({}, 503), says([]), sleep=sleeps)
    assert sleeps.asked == [0.25, 7.0, 1.0]


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    sleeps = Sleeps()
    answer, server, _ = play(_get, says({}, 429, Retry_After="86400"), sleep=sleeps)
    assert (answer.code, answer.retryable) == ("GS-507", True)
    assert sleeps.asked == []
    assert len(server.seen) == 1


def test_retry_after_is_read_in_both_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert retry_after("120") == 120.0
    assert 80 < (retry_after(soon) or 0) <= 90
    assert retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0.0
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_a_silent_server_is_a_problem_and_not_a_hang() -> None:
    quick = Timeouts(connect=0.2, read=0.05, write=0.05, whole=0.3)
    answer, _, _ = play(_get, never(), timeouts=quick)
    assert (answer.code, answer.retryable) == ("GS-508", True)


def test_a_dead_port_is_a_problem_that_may_pass() -> None:
    async def run() -> None:
        async with hostile(says([])) as server:
            pass
        async with client_of(server) as client:
            with pytest.raises(ConnectionProblem) as caught:
                await client.get("/things")
            assert (caught.value.code, caught.value.retryable) == ("GS-508", True)
            assert client.counts == {("GET", 0): 5}

    asyncio.run(run())


def test_plain_text_on_a_tls_port_is_a_certificate_problem() -> None:
    async def run() -> None:
        async with hostile(says([])) as server:
            server.url = server.url.replace("http:", "https:")
            async with client_of(server) as client:
                with pytest.raises(ConnectionProblem) as caught:
                    await client.get("/things")
                assert caught.value.code == "GS-205"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("side", "status", "headers", "code"),
    [
        ("canvas", 401, {"WWW_Authenticate": 'Bearer realm="canvas-lms"'}, "GS-201"),
        ("canvas", 401, {}, "GS-203"),
        ("canvas", 403, {}, "GS-203"),
        ("canvas", 404, {}, "GS-305"),
        ("canvas", 418, {}, "GS-306"),
        ("sis", 401, {}, "GS-202"),
        ("sis", 403, {}, "GS-203"),
    ],
)
def test_refusals_of_the_key_are_told_apart(
    side: str, status: int, headers: dict[str, str], code: str
) -> None:
    answer, server, _ = play(_get, says({"errors": []}, status, **headers), side=side)
    assert answer.code == code
    assert not answer.retryable
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"a": [1, 2', "", "NaN", "[" * 100_000, "\xff"])
def test_a_body_that_is_not_json_is_a_typed_problem(body: str) -> None:
    answer, _, _ = play(_get, text(body, content_type="application/json"))
    assert answer.code == "GS-599"
    assert "Sign in" not in str(answer)


def test_an_endless_body_is_cut_off() -> None:
    async def flood(request: Any) -> Any:
        from aiohttp import web

        stream = web.StreamResponse()
        await stream.prepare(request)
        for _ in range(64):
            await stream.write(b"x" * 65_536)
        return stream

    answer, _, _ = play(_get, flood, max_bytes=100_000)
    assert answer.code == "GS-599"
    assert not answer.retryable


def test_a_compressed_bomb_counts_unpacked() -> None:
    import gzip

    packed = gzip.compress(b"[" + b" " * 20_000_000 + b"]")

    async def bomb(_request: Any) -> Any:
        from aiohttp import web

        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    answer, _, _ = play(_get, bomb, max_bytes=1_000_000)
    assert isinstance(answer, ConnectionProblem)


def test_a_long_error_page_is_read_only_in_part() -> None:
    answer, _, _ = play(_get, text("x" * 1_000_000, 404))
    assert len(answer.vendor_text) <= 200


def test_the_guard_is_asked_right_before_each_sending_of_a_write() -> None:
    asked: list[int] = []

    async def run() -> None:
        async with hostile(cut(), says({}, 503), says({})) as server, client_of(server) as client:
            client.guard = lambda: asked.append(len(server.seen))
            await _put(client)
            await _get(client)

    asyncio.run(run())
    assert asked == [0, 1, 2]


def test_a_guard_that_says_no_stops_the_write_even_between_tries() -> None:
    def guard() -> None:
        if guard_calls.pop():
            raise LeaseLost("gone")

    guard_calls = [True, False]

    async def run() -> None:
        async with hostile(says({}, 503)) as server, client_of(server, guard=guard) as client:
            with pytest.raises(LeaseLost):
                await _put(client)
            assert len(server.seen) == 1
            assert (await _nothing_inside(client)) is True

    asyncio.run(run())


async def _nothing_inside(client: HttpClient) -> bool:
    return client._gate.inside == 0


def test_never_more_requests_in_flight_than_configured() -> None:
    inside = 0
    most = 0

    async def slow(_request: object) -> Any:
        from aiohttp import web

        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.005)
        inside -= 1
        return web.json_response([])

    async def many(client: HttpClient) -> object:
        return await asyncio.gather(*(client.get("/things") for _ in range(30)))

    play(many, slow, concurrency=3)
    assert most == 3


def test_a_low_canvas_bucket_halves_the_pace_and_calm_answers_restore_it() -> None:
    async def run() -> None:
        script = [says([], X_Rate_Limit_Remaining="149.9"), says([], X_Rate_Limit_Remaining="600.0")]
        async with hostile(*script) as server, client_of(server, side="canvas", concurrency=4) as client:
            await client.get("/things")
            assert client.width == 2
            for _ in range(20):
                await client.get("/things")
            assert client.width == 3
            for _ in range(200):
                await client.get("/things")
            assert client.width == 4

    asyncio.run(run())


def test_a_throttled_client_recovers_by_itself() -> None:
    refused = text("403 Forbidden (Rate Limit Exceeded)\n", 403, X_Rate_Limit_Remaining="0.0")
    answer, server, client = play(_get, refused, refused, says([1]), side="canvas", concurrency=4)
    assert answer == [1]
    assert len(server.seen) == 3
    assert client.width < 4


def test_a_closed_client_says_so() -> None:
    async def run() -> None:
        client = HttpClient("http://127.0.0.1:1", side="sis", auth=BearerToken("t"))
        with pytest.raises(ConnectionProblem):
            await client.get("/things")

    asyncio.run(run())


def test_cookies_of_one_answer_do_not_travel_with_the_next_request() -> None:
    async def twice(client: HttpClient) -> object:
        await client.get("/things")
        return (await client.get("/things")).json()

    _, server, _ = play(twice, says([], Set_Cookie="session=1; Path=/"))
    assert "cookie" not in server.seen[1].headers
