"""What goes to the SIS byte for byte, and what its odder answers mean."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gradesync.connectors.oneroster import OneRosterConnector, rows
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.profile import PROFILES, SisProfile
from gradesync.errors import ConnectionProblem
from tests.connectors.conftest import PROFILE
from tests.connectors.hostile import Answer, Hostile, client_of, hostile, says

NOW = datetime(2026, 11, 23, 12, 30, 0, 123_456, tzinfo=UTC)
ITEM = LineItem(
    id="li/1",
    title="Essay",
    class_id="c 1",
    category_id="cat",
    period_id="mp1",
    assign_date=datetime(2026, 11, 1, tzinfo=UTC),
    due_date=datetime(2026, 11, 20, 4, 59, 59, tzinfo=UTC),
    minimum=Decimal(0),
    maximum=Decimal("12.50"),
    school_id="s1",
)
RESULT = Result("r1", "li/1", "p1", Decimal("9.10"), "fully graded", date(2026, 11, 19), "c 1", "A-")


def put(
    record: LineItem | Result, profile: SisProfile = PROFILE, answer: Answer | None = None
) -> tuple[Hostile, Any]:
    async def run() -> tuple[Hostile, Any]:
        async with hostile(answer or says(None, 201)) as server, client_of(server) as client:
            sink = OneRosterConnector(client, profile, now=lambda: NOW)
            write = sink.put_line_item(record) if isinstance(record, LineItem) else sink.put_result(record)
            await write
            return server, json.loads(server.seen[0].body)

    return asyncio.run(run())


def test_a_line_item_is_sent_whole() -> None:
    server, body = put(ITEM)
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.headers["content-type"]) == (
        "PUT",
        "/lineItems/li%2F1",
        "application/json",
    )
    root = server.url
    assert body == {
        "lineItem": {
            "sourcedId": "li/1",
            "status": "active",
            "dateLastModified": "2026-11-23T12:30:00.123Z",
            "title": "Essay",
            "assignDate": "2026-11-01T00:00:00.000Z",
            "dueDate": "2026-11-20T04:59:59.000Z",
            "class": {"href": f"{root}/classes/c%201", "sourcedId": "c 1", "type": "class"},
            "category": {"href": f"{root}/categories/cat", "sourcedId": "cat", "type": "category"},
            "gradingPeriod": {
                "href": f"{root}/academicSessions/mp1",
                "sourcedId": "mp1",
                "type": "academicSession",
            },
            "resultValueMin": 0,
            "resultValueMax": 12.5,
        }
    }


def test_a_result_is_sent_whole_and_without_a_comment() -> None:
    server, body = put(RESULT)
    assert body == {
        "result": {
            "sourcedId": "r1",
            "status": "active",
            "dateLastModified": "2026-11-23T12:30:00.123Z",
            "lineItem": {"href": f"{server.url}/lineItems/li%2F1", "sourcedId": "li/1", "type": "lineItem"},
            "student": {"href": f"{server.url}/users/p1", "sourcedId": "p1", "type": "user"},
            "scoreStatus": "fully graded",
            "scoreDate": "2026-11-19",
            "score": 9.1,
        }
    }
    assert b'"score":9.1}' in server.seen[0].body


def test_a_newer_service_gets_the_fields_it_knows() -> None:
    newer = replace(PROFILE, version="1.2", can_send_text=True, score_required=False)
    assert put(ITEM, newer)[1]["lineItem"]["school"]["sourcedId"] == "s1"
    body = put(replace(RESULT, score=None), newer)[1]["result"]
    assert (body["textScore"], body["class"]["type"]) == ("A-", "class")
    assert "score" not in body


def test_a_result_this_sis_cannot_say_is_never_sent() -> None:
    with pytest.raises(ConnectionProblem) as caught:
        put(replace(RESULT, score=None))
    assert caught.value.code == "GS-422"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_kind_of_yes_is_a_yes(status: int) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    put(RESULT, answer=answer)


def reading(answers: dict[str, Any]) -> Answer:
    """Answers each collection by its path's last word, empty when not named, 404 when None."""

    async def answer(request: web.Request) -> web.StreamResponse:
        rows = answers.get(request.path.rpartition("/")[2], [])
        if rows is None:
            return web.json_response({"imsx_description": "unknown"}, status=404)
        return web.json_response({"x": rows}, headers={"X-Total-Count": str(len(rows))})

    return answer


def session(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "sourcedId": name,
        "type": kind,
        "title": name,
        "startDate": "2026-07-01",
        "endDate": "2027-07-01",
        **more,
    }


def test_grading_periods_shown_only_in_their_own_view_are_found() -> None:
    parent = {"sourcedId": "t"}
    answers = {
        "academicSessions": [session("t", "term")],
        "gradingPeriods": [session("mp", "gradingPeriod", parent=parent)],
        "categories": [
            {"sourcedId": "k1", "title": "Homework", "metadata": {"classId": "c1"}},
            {"sourcedId": "k2", "title": "Tests", "metadata": None},
        ],
        "classes": [{"sourcedId": "c1", "classCode": "A", "school": {"sourcedId": "s"}, "terms": [parent]}],
    }

    async def run() -> None:
        async with hostile(reading(answers)) as server, client_of(server) as client:
            found = await OneRosterConnector(client, PROFILE).catalogue()
            assert [(one.id, one.parent_id) for one in found.periods] == [("mp", "t")]
            assert [one.class_id for one in found.categories] == ["c1", None]
            assert found.classes["c1"].term_ids == ("t",)
            assert found.sessions["t"] == ("t", date(2026, 7, 1), date(2027, 7, 1))

    asyncio.run(run())


def test_a_server_without_that_view_has_no_grading_periods() -> None:
    answers = {"academicSessions": [session("t", "term")], "gradingPeriods": None}

    async def run() -> None:
        async with hostile(reading(answers)) as server, client_of(server) as client:
            assert (await OneRosterConnector(client, PROFILE).catalogue()).periods == ()

    asyncio.run(run())


def test_a_session_without_dates_is_no_reason_to_guess() -> None:
    answers = {"academicSessions": [session("t", "term", endDate=None)]}

    async def run() -> None:
        async with hostile(reading(answers)) as server, client_of(server) as client:
            with pytest.raises(ConnectionProblem) as caught:
                await OneRosterConnector(client, PROFILE).catalogue()
            assert caught.value.code == "GS-599"

    asyncio.run(run())


def test_line_items_of_other_classes_are_left_out_and_odd_results_are_read() -> None:
    item = {"sourcedId": "a", "title": "A", "class": {"sourcedId": "c1"}, "resultValueMax": "10"}
    other = {**item, "sourcedId": "b", "class": {"sourcedId": "c2"}}
    result = {
        "sourcedId": "r",
        "lineItem": {"sourcedId": "a"},
        "student": {"sourcedId": "p"},
        "score": 9.100000381,
        "scoreStatus": "fully graded",
        "scoreDate": "2026-11-19T05:00:00Z",
    }
    answers = {"lineItems": [item, other], "results": [result], "students": [{"sourcedId": "p"}]}

    async def run() -> None:
        async with hostile(reading(answers)) as server, client_of(server) as client:
            book = await OneRosterConnector(client, PROFILE).read_class("c1")
            assert [(one.id, one.maximum) for one in book.line_items] == [("a", Decimal(10))]
            assert book.results[0].score == Decimal("9.100000381")
            assert book.results[0].score_date == date(2026, 11, 19)
            assert book.students == {"p"}

    asyncio.run(run())


def test_two_services_on_two_addresses_each_get_their_own() -> None:
    async def run() -> None:
        async with (
            hostile(reading({"students": [{"sourcedId": "p"}]})) as roster,
            hostile(reading({})) as book,
            client_of(roster) as one,
            client_of(book) as other,
        ):
            sink = OneRosterConnector(one, PROFILE, gradebook=other)
            assert (await sink.read_class("c1")).students == {"p"}
            assert {seen.path for seen in roster.seen} == {"/classes/c1/students"}
            assert {seen.path for seen in book.seen} == {"/classes/c1/results", "/classes/c1/lineItems"}

    asyncio.run(run())


def test_a_server_that_shows_no_single_column_is_asked_for_the_class_and_soon_only_for_it() -> None:
    row = {
        "sourcedId": "r",
        "status": "active",
        "lineItem": {"sourcedId": "li"},
        "student": {"sourcedId": "s"},
        "score": 5,
        "scoreStatus": "fully graded",
        "scoreDate": "2026-11-02",
    }
    nothing_here = says({"imsx_codeMajor": "failure"}, status=404)
    page = says({"results": [row]}, X_Total_Count="1")

    async def run() -> None:
        script = (nothing_here, page) * 3 + (page,)
        async with hostile(*script) as server, client_of(server) as client:
            sink = OneRosterConnector(client, PROFILE)
            for _ in range(5):
                found = await sink.read_line_item_results("c", "li")
                assert [one.id for one in found] == ["r"]
            asked = [seen.path for seen in server.seen if "lineItems" in seen.path]
            assert len(asked) == 3

    asyncio.run(run())


@pytest.mark.parametrize(
    ("said", "enabled"),
    [
        ("true", True),
        ("True", True),
        (True, True),
        (1, True),
        ("Y", True),
        ("false", False),
        (False, False),
        (0, False),
        ("No", False),
        (None, True),
        ("", True),
        ("perhaps", True),
    ],
)
def test_nobody_is_suspended_for_an_odd_spelling(said: object, enabled: bool) -> None:
    assert rows.user("u1", {"enabledUser": said}).enabled is enabled


def test_a_person_of_several_roles_is_taken_in_the_one_asked_for() -> None:
    org = {"sourcedId": "s1"}
    roles = [
        {"roleType": "secondary", "role": "teacher", "org": org},
        {"roleType": "primary", "role": "principal", "org": org},
        {"roleType": "secondary", "role": "ext:aide", "org": org},
    ]
    row = {"sourcedId": "u1", "roles": roles}
    assert rows.user("u1", row).role == "principal"
    assert rows.user_as("teacher")("u1", row).role == "teacher"
    assert rows.user_as("student")("u1", row).role == "principal"
    found = rows.user_only("aide")("u1", row)
    assert found is not None
    assert found.role == "aide"
    assert rows.user_only("aide")("u1", {"roles": roles[:2]}) is None
    assert rows.user_as("teacher")("u2", {"role": "administrator"}).role == "administrator"
    assert rows.user_as("teacher")("u3", {}).role == "teacher"


def test_1_2_flags_letters_and_terms_are_read() -> None:
    row = {
        "lineItem": {"sourcedId": "li"},
        "student": {"sourcedId": "p"},
        "scoreStatus": "not submitted",
        "textScore": "B+",
        "late": "true",
        "missing": True,
    }
    found = rows.result_of("c")("r", row)
    assert (found.score, found.text, found.late, found.missing) == (None, "B+", True, True)
    plain = rows.result_of("c")("r", {**row, "late": "false", "missing": None, "textScore": ""})
    assert (plain.text, plain.late, plain.missing) == (None, False, False)
    item = rows.line_item_of("c")("li", {"title": "T", "academicSession": {"sourcedId": "t1"}})
    assert item is not None
    assert item.period_id == "t1"


def test_categories_shown_class_by_class_only_are_those_of_their_class() -> None:
    known = {"sourcedId": "k", "title": "Homework"}

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/categories":
            return web.json_response({"imsx_description": "forbidden"}, status=403)
        if request.path == "/classes/c2/categories":
            return web.json_response({"imsx_description": "unknown class"}, status=404)
        rows: dict[str, list[Any]] = {
            "/classes": [{"sourcedId": one, "school": {"sourcedId": "s"}} for one in ("c1", "c2", "c3")],
            "/classes/c1/categories": [known],
            "/classes/c3/categories": [known],
        }
        found = rows.get(request.path, [])
        return web.json_response({"x": found}, headers={"X-Total-Count": str(len(found))})

    async def run(profile: SisProfile) -> list[tuple[str, str | None]]:
        async with hostile(answer) as server, client_of(server) as client:
            catalogue = await OneRosterConnector(client, profile).catalogue()
            return [(one.id, one.class_id) for one in catalogue.categories]

    assert asyncio.run(run(PROFILES["oneroster-1.2"])) == [("k", "c1"), ("k", "c3")]
    with pytest.raises(ConnectionProblem) as caught:
        asyncio.run(run(PROFILE))
    assert caught.value.code == "GS-203"
