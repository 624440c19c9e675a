"""The connectors against a whole school: quirks, faults, privacy, and what a run writes into its log."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gradesync.connectors.canvas import CanvasConnector, parse
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import OneRosterConnector, OneRosterReader
from gradesync.connectors.wire import Malformed
from gradesync.domain.gradebook import CourseGradebook, DueOverride
from gradesync.domain.roster import Roster
from gradesync.errors import ConnectionProblem, GradesyncError
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox
from tests.connectors.conftest import KEY, PROFILE, Sis, canvas_client, on_disk, roster_of, sis_client
from tests.connectors.hostile import TOKEN, client_of, hostile, says
from tests.connectors.test_conformance import item_for, result_for


async def roster(sandbox: Sandbox, **options: Any) -> Roster:
    async with sis_client(sandbox) as client:
        return await roster_of(OneRosterReader(client, PROFILE, **options))


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_clamped_pages_lose_nobody_with_or_without_headers(
    sandbox: Sandbox, totals: bool, links: bool
) -> None:
    behaviour = sandbox.schools[KEY].sis.behaviour
    whole = asyncio.run(roster(sandbox))
    behaviour.page_clamp, behaviour.total_header, behaviour.link_header = 17, totals, links
    assert asyncio.run(roster(sandbox)) == whole


def test_a_server_that_links_to_another_host_is_read_by_our_own_count(sandbox: Sandbox) -> None:
    behaviour = sandbox.schools[KEY].sis.behaviour
    whole = asyncio.run(roster(sandbox))
    behaviour.page_clamp, behaviour.link_origin = 17, "https://evil.example"
    assert asyncio.run(roster(sandbox)) == whole


def test_nothing_sensitive_of_a_person_is_kept(sandbox: Sandbox) -> None:
    shown = repr(asyncio.run(roster(sandbox)))
    for private in ("Sandbox faith", "Sandbox Street", "sandbox-asthma", "sandbox-504", "NJSMID"):
        assert private not in shown


def test_summer_is_a_reason_and_not_a_crash(sandbox: Sandbox) -> None:
    sandbox.schools[KEY].sis.behaviour.gradebook_inactive = True

    async def run() -> None:
        async with sis_client(sandbox) as client:
            with pytest.raises(ConnectionProblem) as caught:
                await OneRosterReader(client, PROFILE).catalogue()
            assert caught.value.code == "GS-501"

    asyncio.run(run())


async def all_courses(client: HttpClient) -> list[CourseGradebook]:
    source = CanvasConnector(client)
    return [await source.read_course(course, None) async for course in source.courses()]


def test_small_pages_give_the_same_courses(sandbox: Sandbox) -> None:
    def read() -> list[CourseGradebook]:
        async def run() -> list[CourseGradebook]:
            async with canvas_client(sandbox) as client:
                return await all_courses(client)

        return asyncio.run(run())

    whole = read()
    sandbox.schools[KEY].canvas.settings.max_per_page = 7
    small = read()
    for one, other in zip(whole, small, strict=True):
        assert (one.course, one.assignments, one.students) == (
            other.course,
            other.assignments,
            other.students,
        )
        assert set(one.submissions) == set(other.submissions)


@pytest.mark.parametrize("name", ["server-error", "cut", "throttle"])
def test_a_troubled_canvas_is_read_all_the_same(sandbox: Sandbox, name: str) -> None:
    async def run() -> None:
        async with canvas_client(sandbox) as client:
            calm = await all_courses(client)
            sandbox.front.faults.stand([name])
            troubled = await all_courses(client)
            assert [one.submissions for one in troubled] == [one.submissions for one in calm]
            assert sum(client.counts.values()) > client.counts["GET", 200]

    asyncio.run(run())


@pytest.mark.parametrize("name", ["unauthorized", "cut", "throttle", "server-error"])
def test_a_troubled_sis_is_read_all_the_same(sandbox: Sandbox, name: str) -> None:
    calm = asyncio.run(roster(sandbox))
    sandbox.front.faults.orders.append(FaultOrder(name, 2, side="sis", method="GET"))
    assert asyncio.run(roster(sandbox)) == calm


def test_a_write_whose_answer_was_lost_is_sent_again_and_stored_once(sandbox: Sandbox) -> None:
    async def run() -> None:
        class_id = Sis(sandbox, "oneroster").class_with_students()
        async with sis_client(sandbox) as client:
            sink = OneRosterConnector(client, PROFILE)
            item = await item_for(sink, class_id, "li-cut")
            student = min((await sink.read_class(class_id)).students)
            sandbox.front.faults.orders.append(FaultOrder("cut", 1, side="sis", method="PUT", when="after"))
            await sink.put_line_item(item)
            sandbox.front.faults.orders.append(FaultOrder("cut", 1, side="sis", method="PUT", when="after"))
            await sink.put_result(result_for(item, student, "r-cut"))
            assert [one.score for one in await sink.read_results(class_id) if one.id == "r-cut"] == [
                Decimal("9.1")
            ]

    asyncio.run(run())


def test_a_canvas_token_that_died_in_mid_run_is_said_so(sandbox: Sandbox) -> None:
    async def run() -> None:
        async with canvas_client(sandbox) as client:
            sandbox.front.faults.orders.append(
                FaultOrder("unauthorized", 1, side="canvas", path="assignment")
            )
            with pytest.raises(ConnectionProblem) as caught:
                await all_courses(client)
            assert (caught.value.code, caught.value.retryable) == ("GS-201", False)

    asyncio.run(run())


def test_log_records_never_hold_a_token_a_query_or_an_id(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    school = sandbox.schools[KEY]
    class_id = Sis(sandbox, "oneroster").class_with_students()

    async def run() -> None:
        async with canvas_client(sandbox) as canvas, sis_client(sandbox) as client:
            sandbox.front.faults.stand(["cut", "throttle"])
            await all_courses(canvas)
            sink = OneRosterConnector(client, PROFILE)
            await roster_of(sink)
            item = await item_for(sink, class_id, "li-secret")
            await sink.put_line_item(item)
            for student in (await sink.read_class(class_id)).students:
                await sink.put_result(result_for(item, student, f"r-secret-{student}"))
            with pytest.raises(ConnectionProblem):
                await sink.put_result(result_for(item, "nobody", "r-secret"))

    with caplog.at_level(logging.DEBUG):
        asyncio.run(run())
    lines = [record.getMessage() for record in caplog.records if record.name == "gradesync.http"]
    assert len(lines) > 50
    told = {getattr(record, "action", None) for record in caplog.records}
    assert {"request.retried", "request.throttled"} <= told, "what is told of retries was searched too"
    everything = "\n".join(record.getMessage() for record in caplog.records)
    private = [
        school.canvas.token,
        school.sis.client_secret,
        school.sis.client_id,
        class_id,
        "secret",
        "sandbox-token",
    ]
    private += [person.sourced_id for person in school.district.people]
    private += [person.family_name for person in school.district.people]
    for word in private:
        assert word not in everything
    assert "?" not in everything
    assert "Bearer" not in everything


@pytest.mark.parametrize("status", [301, 401, 404, 422, 429, 500])
def test_problems_repeat_neither_ids_nor_tokens(status: int) -> None:
    async def run() -> str:
        body = {"errors": [{"message": "Jane Doe 4711"}]}
        async with hostile(says(body, status)) as server, client_of(server) as client:
            with pytest.raises(ConnectionProblem) as caught:
                await client.get("/students/{}/classes", "kid-4711", query=[("filter", "doe")])
            return f"{caught.value} {caught.value.hint}"

    said = asyncio.run(run())
    assert "/students/{}/classes" in said
    for private in (TOKEN, "kid-4711", "doe", "Jane"):
        assert private not in said


def test_of_all_users_only_aides_are_taken_even_when_the_filter_is_ignored() -> None:
    rows = [
        {"sourcedId": "g", "role": "guardian", "givenName": "Private"},
        {"sourcedId": "a", "role": "aide", "username": "aide"},
    ]

    async def run() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            found = rows if request.path.endswith("/users") else []
            return web.json_response({"rows": found}, headers={"X-Total-Count": str(len(found))})

        async with hostile(answer) as server, client_of(server) as client:
            found = await roster_of(OneRosterReader(client, PROFILE))
            assert [one.id for one in found.users] == ["a"]
            asked = next(one for one in server.seen if one.path == "/users")
            assert asked.query["filter"] == "role='aide'"

    asyncio.run(run())


# -- what absent keys mean -------------------------------------------------------------------------------------------

COURSE: dict[str, Any] = {"id": 7, "sis_course_id": None, "workflow_state": "available", "time_zone": None}
ASSIGNMENT: dict[str, Any] = {
    "id": 1,
    "course_id": 7,
    "name": "Essay",
    "points_possible": Decimal("10.0"),
    "due_at": "2026-11-23T04:59:59Z",
    "created_at": "2026-11-01T00:00:00Z",
    "assignment_group_id": 3,
    "post_to_sis": True,
    "published": True,
    "has_overrides": False,
}


def test_sis_ids_that_are_not_shown_are_a_missing_right_and_not_an_empty_id() -> None:
    with pytest.raises(parse.MissingRight):
        parse.course({name: value for name, value in COURSE.items() if name != "sis_course_id"})
    assert parse.course(COURSE).sis_id is None


def test_overrides_that_are_silently_left_out_are_a_missing_right() -> None:
    assert parse.assignment(ASSIGNMENT, {3: "Homework"}).group == "Homework"
    with pytest.raises(parse.MissingRight):
        parse.assignment({**ASSIGNMENT, "has_overrides": True}, {})


def test_a_closed_period_and_manual_posting_are_read_where_canvas_tells_them() -> None:
    usual = parse.assignment(ASSIGNMENT, {})
    assert (usual.period_closed, usual.post_manually) == (False, False)
    told = parse.assignment({**ASSIGNMENT, "in_closed_grading_period": True, "post_manually": True}, {})
    assert (told.period_closed, told.post_manually) == (True, True)


def test_an_override_without_a_due_date_of_its_own_keeps_the_base_date() -> None:
    base = datetime(2026, 11, 23, 4, 59, 59, tzinfo=UTC)
    overrides = [
        {"course_section_id": 5, "unlock_at": None},
        {"course_section_id": 6, "due_at": None},
        {"student_ids": [1], "due_at": "2026-12-01T04:59:59Z"},
    ]
    found = parse.assignment({**ASSIGNMENT, "has_overrides": True, "overrides": overrides}, {})
    later = datetime(2026, 12, 1, 4, 59, 59, tzinfo=UTC)
    assert found.overrides == (DueOverride(5, base), DueOverride(6, None), DueOverride(None, later))


def test_a_submission_that_is_not_one_is_refused_as_a_whole() -> None:
    for wrong in ({"assignment_id": "1", "user_id": 2}, {"assignment_id": 1, "user_id": 2, "score": "ten"}):
        with pytest.raises(Malformed):
            parse.submissions([wrong], [])


def test_import_messages_are_counted_and_not_kept() -> None:
    status = parse.import_status(
        {
            "id": 3,
            "workflow_state": "imported_with_messages",
            "progress": 100,
            "processing_warnings": [["users.csv", "row of Jane Doe"]] * 24,
            "data": {
                "counts": {"users": 9, "warning_count": 31, "error_count": 0},
                "statistics": {"total_state_changes": 4, "Enrollment": {"created": 3, "deleted": 1}},
            },
        }
    )
    assert (status.warnings, status.errors, status.finished) == (31, 0, True)
    assert status.statistics == {"total_state_changes": 4, "Enrollment.created": 3, "Enrollment.deleted": 1}
    assert "Jane" not in repr(status)


def test_an_account_without_a_visible_uuid_still_has_one_name() -> None:
    async def identity(row: dict[str, Any]) -> str:
        async with hostile(says(row)) as server, client_of(server, side="canvas") as client:
            return await CanvasConnector(client).identity()

    assert asyncio.run(identity({"id": 1, "uuid": "abc"})) == "abc"
    assert asyncio.run(identity({"id": 1, "name": "A", "lti_guid": "g"})) == "account:1@g"
    one, other = (asyncio.run(identity({"id": 1, "name": name})) for name in ("A", "B"))
    assert one != other


def test_a_data_set_canvas_would_cut_is_refused(sandbox: Sandbox) -> None:
    async def run() -> None:
        async with canvas_client(sandbox) as client:
            for name in ("", "x" * 129, 'a"b', "a\r\nb"):
                with pytest.raises(GradesyncError):
                    await CanvasConnector(client).start_import({}, data_set=name, remaster=False)
            assert client.counts["POST", 200] == 0

    asyncio.run(run())


def test_an_import_brings_its_files_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    texts = {"terms.csv": "term_id,name,status\r\nT-NEW,Neuer Begriff ä,active\r\n"}

    async def run() -> None:
        async with canvas_client(sandbox) as client:
            sink = CanvasConnector(client)
            files = on_disk(tmp_path, texts)
            started = await sink.start_import(files, data_set="gradesync:whole", remaster=False)
            for _ in range(200):
                if (await sink.import_status(started.id)).finished:
                    break
                await asyncio.sleep(0.01)

    asyncio.run(run())
    terms = sandbox.schools[KEY].canvas.terms.values()
    assert [one.name for one in terms if one.sis_term_id == "T-NEW"] == ["Neuer Begriff ä"]
    job = list(sandbox.schools[KEY].canvas.imports.values())[-1]
    assert (job.diffing_data_set_identifier, job.change_threshold, job.diffing_drop_status) == (
        "gradesync:whole",
        10,
        "inactive",
    )
