"""What every gradebook sink owes its callers, whoever mints the ids: one suite over all kinds and write modes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.gradebook import LineItem, Result
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox
from tests.connectors.conftest import roster_of
from tests.connectors.sinks import (
    KINDS,
    OVER_HTTP,
    Kind,
    Sink,
    class_with_students,
    connector,
    new_item,
    new_result,
    sink_of,
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    assert isinstance(request.param, Kind)
    return request.param


@pytest.fixture(params=OVER_HTTP, ids=lambda kind: kind.name)
def remote(request: pytest.FixtureRequest) -> Kind:
    assert isinstance(request.param, Kind)
    return request.param


async def refused(call: Coroutine[Any, Any, Any]) -> ConnectionProblem:
    with pytest.raises(ConnectionProblem) as caught:
        await call
    return caught.value


async def sent_item(sink: Sink, class_id: str, **changes: Any) -> LineItem:
    """A line item as the SIS holds it."""
    item = await new_item(sink, class_id, **changes)
    return replace(item, id=await sink.put_line_item(item))


async def items_named(sink: Sink, item: LineItem) -> list[LineItem]:
    return [one for one in await sink.read_line_items(item.class_id) if one.title == item.title]


async def column(sink: Sink, item: LineItem) -> list[Result]:
    return list(await sink.read_line_item_results(item.class_id, item.id))


def test_what_was_put_is_held_under_the_id_answered_and_replaced_there(sandbox: Sandbox, kind: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, kind) as sink:
            before = await sink.read_class(class_id)
            item = await sent_item(sink, class_id)
            result = new_result(item, min(before.students))
            result = replace(result, id=await sink.put_result(result))
            assert await column(sink, item) == [result]
            again = replace(item, maximum=Decimal(20))
            assert await sink.put_line_item(again, new=False) == item.id
            better = replace(result, score=Decimal("14.05"))
            assert await sink.put_result(better, new=False) == result.id
            held = await items_named(sink, item)
            assert [(one.id, one.maximum) for one in held] == [(item.id, Decimal(20))]
            assert await column(sink, item) == [better]
            after = await sink.read_class(class_id)
            assert len(after.line_items) == len(before.line_items) + 1
            assert len(after.results) == len(before.results) + 1

    asyncio.run(run())


def test_what_is_removed_is_gone_and_may_be_removed_again(sandbox: Sandbox, kind: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, kind) as sink:
            students = sorted((await sink.read_class(class_id)).students)
            item = await sent_item(sink, class_id)
            one, other = [await sink.put_result(new_result(item, who)) for who in students[:2]]
            await sink.delete_result(one)
            assert [held.id for held in await column(sink, item)] == [other]
            await sink.delete_result(one)
            await sink.delete_line_item(item.id)
            assert await items_named(sink, item) == []
            assert other not in {held.id for held in await sink.read_results(class_id)}
            await sink.delete_line_item(item.id)
            await sink.delete_result(other)

    asyncio.run(run())


def test_an_unknown_class_is_told_from_an_empty_one(sandbox: Sandbox, kind: Kind) -> None:
    async def run() -> None:
        async with sink_of(sandbox, kind) as sink:
            item = await new_item(sink, class_with_students(sandbox))
            problem = await refused(sink.put_line_item(replace(item, class_id="nobody-teaches-this")))
            assert (problem.code, problem.retryable) == ("GS-505", False)
            assert (await refused(sink.read_class("nobody-teaches-this"))).code == "GS-512"

    asyncio.run(run())


def test_a_closed_period_takes_nothing_and_says_so(sandbox: Sandbox, kind: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, kind) as sink:
            student = min((await sink.read_class(class_id)).students)
            open_item = await sent_item(sink, class_id)
            assert open_item.period_id is not None
        async with sink_of(sandbox, kind, closed=(open_item.period_id,)) as sink:
            late = await new_item(sink, class_id)
            problem = await refused(sink.put_line_item(late))
            assert (problem.code, problem.retryable) == ("GS-501", False)
            assert await items_named(sink, late) == []
            if kind.profile is not None:
                assert (await refused(sink.put_result(new_result(open_item, student)))).code == "GS-501"
                assert await column(sink, open_item) == []

    asyncio.run(run())


def test_a_refused_record_has_its_code_and_harms_no_other(sandbox: Sandbox, kind: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, kind) as sink:
            students = (await sink.read_class(class_id)).students
            roster = await roster_of(sink)
            stranger = next(u.id for u in roster.users if u.role == "student" and u.id not in students)
            item = await sent_item(sink, class_id)
            assert (await refused(sink.put_result(new_result(item, stranger)))).code == "GS-503"
            lost = replace(item, id="no-such-item")
            assert (await refused(sink.put_result(new_result(lost, min(students))))).code == "GS-505"
            bad = await new_item(sink, class_id, category_id="no-such-category")
            assert (await refused(sink.put_line_item(bad))).code == "GS-405"
            await sink.put_result(new_result(item, min(students)))
            assert [one.student_id for one in await column(sink, item)] == [min(students)]

    asyncio.run(run())


def test_nothing_is_written_once_the_guard_says_no(sandbox: Sandbox, kind: Kind) -> None:
    def refuse() -> None:
        raise LeaseLost("somebody else works here")

    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, kind, guard=refuse) as sink:
            item = await new_item(sink, class_id)
            for write in (sink.put_line_item(item), sink.delete_line_item("x"), sink.delete_result("x")):
                with pytest.raises(LeaseLost):
                    await write
            assert await items_named(sink, item) == []

    asyncio.run(run())


# -- over HTTP only: answers that get lost ----------------------------------------------------------------------------


def fault(sandbox: Sandbox, name: str, when: str, times: int = 1) -> None:
    for method in ("PUT", "POST"):
        sandbox.front.faults.orders.append(FaultOrder(name, times, side="sis", method=method, when=when))


@pytest.mark.parametrize("name", ["cut", "server-error"])
def test_a_record_whose_answer_was_lost_exists_once(sandbox: Sandbox, remote: Kind, name: str) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, remote) as sink:
            student = min((await sink.read_class(class_id)).students)
            item = await new_item(sink, class_id)
            fault(sandbox, name, "after")
            item = replace(item, id=await written(sandbox, sink.put_line_item(item)))
            assert [one.id for one in await items_named(sink, item)] == [item.id]
            result = new_result(item, student)
            fault(sandbox, name, "after")
            held = await written(sandbox, sink.put_result(result))
            assert [one.id for one in await column(sink, item)] == [held]

    asyncio.run(run())


async def written(sandbox: Sandbox, call: Coroutine[Any, Any, str]) -> str:
    """The id answered. A PUT under an id of ours may end in trouble after a 500, which is then simply put again."""
    try:
        return await call
    finally:
        sandbox.front.faults.clear()


@pytest.mark.parametrize("times", [1, 20])
def test_a_record_that_never_arrived_is_trouble_or_exists_once(
    sandbox: Sandbox, remote: Kind, times: int
) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, remote) as sink:
            item = await new_item(sink, class_id)
            await sink.read_line_items(class_id)
            fault(sandbox, "cut", "before", times)
            if times == 1 and remote.profile is not None and not remote.profile.mints_ids:
                found = await sink.put_line_item(item)
            else:
                assert (await refused(sink.put_line_item(item))).retryable
                assert await items_named(sink, item) == []
                sandbox.front.faults.clear()
                found = await sink.put_line_item(item)
            sandbox.front.faults.clear()
            assert [one.id for one in await items_named(sink, item)] == [found]

    asyncio.run(run())


def test_two_line_items_that_look_the_same_are_not_taken_for_each_other(
    sandbox: Sandbox, remote: Kind
) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, remote) as sink:
            first = await sent_item(sink, class_id)
            await sink.read_line_items(class_id)
            twin = replace(await new_item(sink, class_id), title=first.title)
            fault(sandbox, "cut", "after")
            found = await written(sandbox, sink.put_line_item(twin))
            assert found != first.id
            assert sorted(one.id for one in await items_named(sink, twin)) == sorted([first.id, found])

    asyncio.run(run())


def test_a_throttled_write_arrives_once(sandbox: Sandbox, remote: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, remote) as sink:
            item = await new_item(sink, class_id)
            fault(sandbox, "sis-403-throttle", "before", 3)
            found = await written(sandbox, sink.put_line_item(item))
            assert [one.id for one in await items_named(sink, item)] == [found]

    asyncio.run(run())


def test_a_token_that_dies_while_writing_is_replaced_and_nothing_is_doubled(
    sandbox: Sandbox, remote: Kind
) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, remote) as sink:
            students = sorted((await sink.read_class(class_id)).students)
            item = await sent_item(sink, class_id)
            sandbox.schools["riverside"].sis.behaviour.token_uses = 2
            for student in students[:3]:
                await sink.put_result(new_result(item, student))
            assert [one.student_id for one in await column(sink, item)] == students[:3]

    asyncio.run(run())


def test_a_yes_without_a_record_is_found_out_by_reading_back(sandbox: Sandbox, remote: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, remote) as sink:
            item = await new_item(sink, class_id)
            sandbox.schools["riverside"].sis.behaviour.forget_writes = True
            await sink.put_line_item(item)
            assert await items_named(sink, item) == []

    asyncio.run(run())


# -- 1.2 alone --------------------------------------------------------------------------------------------------------

NEWER = pytest.mark.parametrize("newer", [one for one in OVER_HTTP if one.newer], ids=lambda one: one.name)


@NEWER
def test_1_2_says_exempt_missing_and_late_without_a_number(sandbox: Sandbox, newer: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, newer) as sink:
            students = sorted((await sink.read_class(class_id)).students)
            item = await sent_item(sink, class_id)
            sent = [
                new_result(item, students[0], score=None, status="exempt"),
                new_result(item, students[1], score=None, status="not submitted", missing=True),
                new_result(item, students[2], late=True, text="A-"),
            ]
            ids = [await sink.put_result(one) for one in sent]
            held = {one.id: one for one in await column(sink, item)}
            assert [held[found] for found in ids] == [
                replace(one, id=found) for one, found in zip(sent, ids, strict=True)
            ]

    asyncio.run(run())


def test_1_1_refuses_to_invent_a_score(sandbox: Sandbox) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        async with sink_of(sandbox, OVER_HTTP[0]) as sink:
            student = min((await sink.read_class(class_id)).students)
            item = await sent_item(sink, class_id)
            exempt = new_result(item, student, score=None, status="exempt")
            assert (await refused(sink.put_result(exempt))).code == "GS-422"
            assert await column(sink, item) == []

    asyncio.run(run())


@NEWER
def test_a_key_with_the_core_right_alone_reads_the_flat_collections(sandbox: Sandbox, newer: Kind) -> None:
    async def run() -> None:
        class_id = class_with_students(sandbox)
        profile = newer.profile
        assert profile is not None
        async with sink_of(sandbox, newer) as sink:
            student = min((await sink.read_class(class_id)).students)
            item = await sent_item(sink, class_id)
            await sink.put_result(new_result(item, student))
            whole = await sink.read_class(class_id)
            own = await column(sink, item)
        scopes = tuple(one for one in profile.read_scopes if not one.endswith("gradebook.readonly"))
        async with connector(sandbox, profile, scopes=scopes) as narrow:
            for _ in range(2):
                book = await narrow.read_class(class_id)
                assert book.line_items == whole.line_items
                assert sorted(one.id for one in book.results) == sorted(one.id for one in whole.results)
                assert list(await narrow.read_line_item_results(class_id, item.id)) == own

    asyncio.run(run())


def test_a_key_that_may_read_no_gradebook_at_all_is_told_so(sandbox: Sandbox) -> None:
    async def run() -> None:
        profile = OVER_HTTP[-1].profile
        assert profile is not None
        scopes = tuple(one for one in profile.read_scopes if "gradebook" not in one)
        async with connector(sandbox, profile, scopes=scopes) as blind:
            assert (await refused(blind.read_line_items(class_with_students(sandbox)))).code == "GS-203"

    asyncio.run(run())


@NEWER
def test_a_1_2_roster_is_the_same_school(sandbox: Sandbox, newer: Kind) -> None:
    async def run() -> None:
        profile = newer.profile
        assert profile is not None
        async with (
            connector(sandbox, profile) as new,
            connector(sandbox, OVER_HTTP[0].profile or profile) as old,
        ):
            first, second = [await roster_of(one) for one in (new, old)]
        for part in ("orgs", "sessions", "courses", "classes", "users", "enrollments"):
            assert sorted(getattr(first, part), key=repr) == sorted(getattr(second, part), key=repr)

    asyncio.run(run())
