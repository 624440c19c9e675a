"""What the connector makes of the SIS's yeses and noes when it writes, byte for byte and id for id."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.oneroster import OneRosterConnector
from gradesync.connectors.oneroster.answers import Answered, answered
from gradesync.domain.profile import POST, PROFILES, SERVER_IDS, SisProfile
from gradesync.errors import ConnectionProblem
from tests.connectors.hostile import Answer, Hostile, client_of, cut, hostile, says
from tests.connectors.test_oneroster import ITEM, RESULT

GENESIS = PROFILES["genesis"]
POSTING = replace(PROFILES["oneroster-1.2"], write_mode=POST)
MINTING = replace(GENESIS, write_mode=SERVER_IDS)
Act = Callable[[OneRosterConnector], Awaitable[Any]]


def acting(act: Act, *script: Answer, profile: SisProfile = GENESIS) -> tuple[Any, Hostile]:
    """What an act on a scripted SIS answers or raises, and what the SIS saw."""

    async def run() -> tuple[Any, Hostile]:
        async with hostile(*script) as server, client_of(server) as client:
            try:
                return await act(OneRosterConnector(client, profile)), server
            except ConnectionProblem as problem:
                return problem, server

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", Answered(None)),
        ("<html>", Answered(None)),
        ("null", Answered(None)),
        ("{}", Answered(None)),
        ('{"result": {"sourcedId": "theirs"}}', Answered("theirs")),
        ('{"sourcedId": "theirs"}', Answered("theirs")),
        ('{"results": [{"sourcedId": "theirs"}]}', Answered("theirs")),
        ('{"result": {"sourcedId": ""}}', Answered(None)),
        ('{"result": {"sourcedId": 7}}', Answered(None)),
        ('{"sourcedIdPairs": []}', Answered(None, pairs=True)),
        (
            (
                '{"sourcedIdPairs": [{"suppliedSourcedId": "other", "allocatedSourcedId": "x"},'
                ' {"suppliedSourcedId": "ours", "allocatedSourcedId": "theirs"}]}'
            ),
            Answered("theirs", pairs=True),
        ),
        (
            '{"sourcedIdPairs": {"suppliedSourcedId": "ours", "allocatedSourcedId": "theirs"}}',
            Answered("theirs", pairs=True),
        ),
        ('{"suppliedSourcedId": "ours", "allocatedSourcedId": "theirs"}', Answered("theirs", pairs=True)),
        ('[{"suppliedSourcedId": "ours", "allocatedSourcedId": "theirs"}]', Answered("theirs", pairs=True)),
        (
            '{"sourcedIdPairs": [{"suppliedSourcedId": "other", "allocatedSourcedId": "x"}]}',
            Answered(None, pairs=True),
        ),
    ],
)
def test_every_shape_of_yes_names_its_id(body: str, expected: Answered) -> None:
    assert answered(body.encode(), "result", "ours") == expected


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: json.dumps({"x": text}).encode()))
def test_no_yes_is_too_odd_to_be_read(body: bytes) -> None:
    assert answered(body, "result", "ours").id is None


def test_a_put_answered_with_another_id_is_held_under_that_id() -> None:
    found, _ = acting(lambda sis: sis.put_result(RESULT), says({"result": {"sourcedId": "theirs"}}, 201))
    assert found == "theirs"
    assert acting(lambda sis: sis.put_result(RESULT), says(None, 201))[0] == RESULT.id


def test_a_post_names_its_collection_and_is_never_repeated() -> None:
    pair = {"sourcedIdPairs": {"suppliedSourcedId": ITEM.id, "allocatedSourcedId": "theirs"}}
    found, server = acting(lambda sis: sis.put_line_item(ITEM), says(pair, 201), profile=POSTING)
    (seen,) = server.seen
    assert (found, seen.method, seen.path) == ("theirs", "POST", "/classes/c%201/lineItems")
    assert [one["sourcedId"] for one in json.loads(seen.body)["lineItems"]] == [ITEM.id]


def rows(*ids: str) -> Answer:
    line_items = [
        {
            "sourcedId": one,
            "title": ITEM.title,
            "class": {"sourcedId": ITEM.class_id},
            "dueDate": "2026-11-20T04:59:59Z",
        }
        for one in ids
    ]
    return says({"lineItems": line_items}, X_Total_Count=str(len(ids)))


@pytest.mark.parametrize("profile", [POSTING, MINTING], ids=["post", "server_ids"])
@pytest.mark.parametrize("lost", [cut(), says(None, 504), says(None, 500)], ids=["cut", "504", "500"])
def test_after_a_lost_answer_the_class_is_read_and_nothing_is_sent_again(
    profile: SisProfile, lost: Answer
) -> None:
    found, server = acting(lambda sis: sis.put_line_item(ITEM), lost, rows("theirs"), profile=profile)
    assert found == "theirs"
    assert [one.method for one in server.seen] == ["PUT" if profile is MINTING else "POST", "GET"]


@pytest.mark.parametrize("held", [(), ("one", "two")], ids=["none", "two"])
def test_a_lost_record_that_cannot_be_told_is_trouble_and_not_a_second_record(held: tuple[str, ...]) -> None:
    problem, server = acting(lambda sis: sis.put_line_item(ITEM), cut(), rows(*held), profile=POSTING)
    assert isinstance(problem, ConnectionProblem)
    assert (problem.code, problem.retryable) == ("GS-508", True)
    assert [one.method for one in server.seen] == ["POST", "GET"]


def test_what_stood_in_the_class_before_is_not_taken_for_what_was_lost() -> None:
    async def act(sis: OneRosterConnector) -> str:
        await sis.read_line_items(ITEM.class_id)
        return await sis.put_line_item(ITEM)

    found, _ = acting(act, rows("older"), cut(), rows("older", "ours"), profile=POSTING)
    assert found == "ours"


def test_a_record_left_out_of_the_pairs_was_refused() -> None:
    problem, _ = acting(
        lambda sis: sis.put_line_item(ITEM), says({"sourcedIdPairs": []}, 201), rows(), profile=POSTING
    )
    assert problem.code == "GS-506"


def test_a_yes_that_holds_nothing_is_a_code() -> None:
    problem, _ = acting(lambda sis: sis.put_line_item(ITEM), says(None, 202), rows(), profile=POSTING)
    assert problem.code == "GS-509"


def test_without_an_id_nothing_is_minted_by_us() -> None:
    answer = says({"result": {"sourcedId": "theirs"}}, 201)
    found, server = acting(lambda sis: sis.put_result(RESULT), answer, profile=MINTING)
    assert found == "theirs"
    assert "sourcedId" not in json.loads(server.seen[0].body)["result"]
    _, again = acting(lambda sis: sis.put_result(RESULT, new=False), answer, profile=MINTING)
    assert json.loads(again.seen[0].body)["result"]["sourcedId"] == RESULT.id


def test_a_sis_that_only_updates_is_named_with_the_key_that_helps() -> None:
    problem, _ = acting(lambda sis: sis.put_line_item(ITEM), says({"error": "Not found"}, 404))
    assert problem.code == "GS-505"
    assert "sis.write_mode" in str(problem.hint)
    known, _ = acting(lambda sis: sis.put_line_item(ITEM, new=False), says({"error": "Not found"}, 404))
    assert known.hint is None


@pytest.mark.parametrize("status", [200, 204, 404])
def test_removed_is_removed(status: int) -> None:
    found, server = acting(lambda sis: sis.delete_result("r/1"), says(None, status))
    assert found is None
    assert [(one.method, one.path) for one in server.seen] == [("DELETE", "/results/r%2F1")]


def test_a_sis_that_removes_nothing_refuses_the_record_and_not_the_run() -> None:
    problem, _ = acting(lambda sis: sis.delete_line_item("li"), says(None, 405))
    assert problem.code == "GS-506"
    assert "deletions" in str(problem.hint)


def test_a_locked_record_is_not_removed() -> None:
    refusal = {"imsx_description": "the assignment is locked"}
    assert acting(lambda sis: sis.delete_line_item("li"), says(refusal, 409))[0].code == "GS-502"


def test_a_filter_that_the_server_ignores_is_applied_here() -> None:
    other = {"sourcedId": "x", "title": "X", "class": {"sourcedId": "elsewhere"}}
    nobody = {"sourcedId": "y", "title": "Y"}
    ours = {"sourcedId": "li", "title": "L", "class": {"sourcedId": "c'1"}}

    async def answer(request: web.Request) -> web.StreamResponse:
        if "/classes/" in request.path:
            return web.json_response({"imsx_description": "forbidden"}, status=403)
        if request.path == "/lineItems":
            assert request.query["filter"] == "class.sourcedId='c''1'"
            return web.json_response({"lineItems": [other, ours, nobody]}, headers={"X-Total-Count": "3"})
        cells = [
            {"sourcedId": f"r-{item}", "lineItem": {"sourcedId": item}, "student": {"sourcedId": "s"}}
            for item in ("li", "x")
        ]
        return web.json_response({"results": cells}, headers={"X-Total-Count": "2"})

    async def act(sis: OneRosterConnector) -> tuple[list[str], list[str]]:
        items = await sis.read_line_items("c'1")
        return [one.id for one in items], [one.id for one in await sis.read_results("c'1")]

    found, _ = acting(act, answer, profile=PROFILES["oneroster-1.2"])
    assert found == (["li"], ["r-li"])


def test_one_odd_404_is_about_one_class_and_many_are_about_the_service() -> None:
    async def act(sis: OneRosterConnector) -> list[str]:
        codes = []
        for number in range(6):
            try:
                await sis.read_line_items(f"c{number}")
            except ConnectionProblem as problem:
                codes.append(problem.code)
        return codes

    async def page(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="<html>404</html>", content_type="text/html")

    assert acting(act, page)[0] == ["GS-512"] * 3 + ["GS-510"] * 3
    assert acting(act, rows(), page)[0] == ["GS-512"] * 5


def test_an_unknown_answer_is_told_once_by_its_fingerprint_and_never_in_its_own_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act(sis: OneRosterConnector) -> list[str]:
        found = []
        for _ in range(3):
            try:
                await sis.put_result(RESULT)
            except ConnectionProblem as problem:
                found.append(problem.fingerprint)
        return found

    with caplog.at_level("INFO", logger="gradesync"):
        prints, _ = acting(act, says({"imsx_description": "Maria Lopez has no widget"}, 418))
    assert len(set(prints)) == 1
    lines = [one for one in caplog.messages if prints[0] in one]
    assert len(lines) == 1
    assert "Maria" not in caplog.text
    assert "widget" not in caplog.text
