"""The manners of the made-up Canvas: tokens, User-Agent, throttle, ids, pages, headers."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import aiohttp
import pytest

from gradesync.sandbox.canvas_world import CanvasWorld

from .canvas_client import Canvas, Clock, talk, world


@pytest.fixture(scope="module")
def shared() -> CanvasWorld:
    """One populated world that no test of this module changes."""
    return world(students=120)


def test_a_request_without_user_agent_is_forbidden(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        answer = await canvas.get("/users/self", User_Agent="")
        assert answer.status == 403
        assert "user agent" in answer.body["message"]

    talk(shared, story)


@pytest.mark.parametrize(
    ("header", "message"), [("Bearer wrong", "Invalid access token."), ("", "user authorization required")]
)
def test_bad_and_missing_tokens_are_challenged(shared: CanvasWorld, header: str, message: str) -> None:
    async def story(canvas: Canvas) -> None:
        answer = await canvas.get("/users/self", Authorization=header)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="canvas-lms"'
        assert answer.body["errors"][0]["message"] == message

    talk(shared, story)


def test_an_unknown_path_and_an_unknown_id_look_the_same(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        for path in ("/nowhere", "/courses/999999", "/courses/sis_course_id:none", "/sections/sis_user_id:x"):
            answer = await canvas.get(path)
            assert answer.status == 404
            assert answer.body == {"errors": [{"message": "The specified resource does not exist."}]}

    talk(shared, story)


def test_ids_become_strings_on_request(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        course = next(iter(shared.courses.values()))
        answer = await canvas.get(f"/courses/{course.id}", Accept="application/json+canvas-string-ids")
        assert answer.body["id"] == str(course.id)
        assert answer.body["account_id"] == str(course.account_id)
        assert answer.body["sis_course_id"] == course.sis_course_id

    talk(shared, story)


def test_sis_ids_with_slashes_dots_and_blanks_work_when_encoded() -> None:
    made = world()
    course = next(iter(made.courses.values()))
    for sis_id in ("CS/101.11é", "A B:C", "50%25"):
        made.index_sis("course", sis_id, course.id)

    async def story(canvas: Canvas) -> None:
        for path in ("CS%2F101%2E11%C3%A9", "A%20B%3AC", "50%2525"):
            answer = await canvas.get(f"/courses/sis_course_id:{path}/sections")
            assert answer.status == 200, path
            assert answer.body[0]["course_id"] == course.id
        assert (await canvas.get("/courses/sis_course_id:CS%2F101.11%C3%A9/sections")).status == 404

    talk(made, story)


def test_special_ids_and_logins_resolve(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        assert (await canvas.get("/accounts/self")).body["uuid"] == shared.uuid
        assert (await canvas.get("/users/self")).body["id"] == shared.admin_id
        assert (await canvas.get("/users/sis_login_id:SIS-Admin")).body["id"] == shared.admin_id
        found = await canvas.get("/accounts/self/users?search_term=sis-admin")
        assert [one["login_id"] for one in found.body] == ["sis-admin"]

    talk(shared, story)


def test_pages_are_ten_rows_by_default_and_never_more_than_the_maximum(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        assert len((await canvas.get("/accounts/self/users")).body) == 10
        assert len((await canvas.get("/accounts/self/users?per_page=5000")).body) == 100
        assert (await canvas.get("/accounts/self/users?page=999")).body == []

    talk(shared, story)


def test_following_next_finds_every_row_once(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        courses = await canvas.every("/accounts/self/courses?per_page=7&state[]=all")
        assert sorted(one["id"] for one in courses) == sorted(shared.courses)
        course_id = courses[0]["id"]
        rows = await canvas.every(f"/courses/{course_id}/students/submissions?student_ids[]=all&per_page=7")
        ids = [one["id"] for one in rows]
        assert len(ids) > 20
        assert all(first < second for first, second in pairwise(ids))

    talk(shared, story)


def test_links_keep_the_prefix_and_the_query_but_never_the_token(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        answer = await canvas.get(
            f"/accounts/self/courses?state[]=available&per_page=2&access_token={shared.token}",
            Authorization="",
        )
        assert answer.status == 200
        following = answer.link("next")
        assert following is not None
        assert following.startswith(f"{canvas.base}/accounts/self/courses?")
        assert "state%5B%5D=available" in following
        assert "token" not in following
        assert answer.link("last") is None

    talk(shared, story)


def test_a_very_long_query_loses_its_next_link(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        padding = "&".join(f"include[]=padding{number:04d}" for number in range(260))
        answer = await canvas.get(f"/accounts/self/courses?per_page=1&{padding}")
        assert len(answer.body) == 1
        assert answer.link("next") is None

    talk(shared, story)


def test_a_broken_bookmark_and_a_number_are_no_pages_of_a_bookmark_listing(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        course_id = next(iter(shared.courses))
        for page in ("2", "bookmark:%21%21", "bookmark:WyJ4Il0"):
            assert (await canvas.get(f"/courses/{course_id}/enrollments?page={page}")).status == 404

    talk(shared, story)


def test_header_names_go_over_the_wire_in_lower_case(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        headers = {"Authorization": f"Bearer {shared.token}"}
        async with canvas.session.get(f"{canvas.base}/accounts/self/courses", headers=headers) as answer:
            names = {name.decode() for name, _ in answer.raw_headers}
        assert {"link", "x-request-cost", "x-rate-limit-remaining", "date"} <= names

    talk(shared, story)


def test_the_date_header_is_the_worlds_clock() -> None:
    async def story(canvas: Canvas) -> None:
        assert (await canvas.get("/users/self")).headers["date"] == "Mon, 23 Nov 2026 18:00:00 GMT"

    talk(world(populated=False, clock=Clock()), story)


@pytest.mark.parametrize(("status", "start"), [(403, "403 Forbidden"), (429, "429 Too Many Requests")])
def test_the_twelfth_request_in_flight_is_throttled(status: int, start: str) -> None:
    made = world(populated=False)
    made.settings.hold_seconds = 0.2
    made.settings.throttle_status = status

    async def story(canvas: Canvas) -> None:
        answers = await asyncio.gather(*(canvas.get("/users/self") for _ in range(12)))
        refused = [one for one in answers if one.status != 200]
        assert len(refused) == 1
        assert refused[0].status == status
        assert refused[0].text.startswith(start)
        assert "Rate Limit Exceeded" in refused[0].text
        assert refused[0].headers["content-type"].startswith("text/plain")
        assert refused[0].headers["x-rate-limit-remaining"] == "0.0"
        assert "x-request-cost" not in refused[0].headers
        # One after the other never fills the bucket.
        made.settings.hold_seconds = 0.0
        for _ in range(30):
            assert (await canvas.get("/users/self")).status == 200

    talk(made, story)


def test_a_fast_client_with_a_few_requests_at_once_is_never_throttled(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        answers = [
            answer
            for _ in range(100)
            for answer in await asyncio.gather(*(canvas.get("/users/self") for _ in range(5)))
        ]
        assert {one.status for one in answers} == {200}
        assert float(answers[-1].headers["x-rate-limit-remaining"]) > 340

    talk(shared, story)


def test_missing_permission_has_no_challenge(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        course_id = next(iter(shared.courses))
        # Without student_ids the caller means himself, and he is no student there.
        answer = await canvas.get(f"/courses/{course_id}/students/submissions")
        assert answer.status == 401
        assert "www-authenticate" not in answer.headers
        assert answer.body["status"] == "unauthorized"

    talk(shared, story)


def test_a_client_session_without_headers_needs_a_token(shared: CanvasWorld) -> None:
    async def story(canvas: Canvas) -> None:
        async with aiohttp.ClientSession() as plain, plain.get(f"{canvas.base}/accounts/self") as answer:
            assert answer.status == 401

    talk(shared, story)


def test_a_world_left_empty_has_a_root_account_and_an_admin_only() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        assert (await canvas.get("/accounts/self/courses")).body == []
        assert (await canvas.get("/accounts/self/sis_imports")).body == {"sis_imports": []}
        assert [one["login_id"] for one in (await canvas.get("/accounts/self/users")).body] == ["sis-admin"]

    talk(made, story)
