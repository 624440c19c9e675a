"""One suite for every implementation of a port: the real connectors over HTTP, and the fakes in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gradesync.connectors.canvas import CanvasConnector, CanvasReader
from gradesync.connectors.memory import MemoryCanvas, MemorySis
from gradesync.connectors.oneroster import OneRosterConnector, OneRosterReader
from gradesync.domain.gradebook import CanvasCourse, LineItem, Result
from gradesync.domain.roster import FINISHED
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.ports import (
    GradebookReader,
    GradebookSink,
    GradebookSource,
    RosterReader,
    RosterSink,
    RosterSource,
)
from tests.connectors.conftest import Canvas, Sis, on_disk, roster_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def item_for(sink: GradebookSink, class_id: str, name: str = "li-1") -> LineItem:
    catalogue = await sink.catalogue()
    below = {one: parent for one, parent in catalogue.session_parents.items() if parent is not None}
    terms = set(catalogue.classes[class_id].term_ids)
    period = next(one for one in catalogue.periods if one.id in terms or below.get(one.id) in terms)
    return LineItem(
        id=name,
        title="Essay / “one”",
        class_id=class_id,
        category_id=catalogue.categories[0].id,
        period_id=period.id,
        assign_date=NOON,
        due_date=NOON.replace(hour=20),
        minimum=Decimal(0),
        maximum=Decimal("12.5"),
    )


def result_for(item: LineItem, student: str, name: str = "r-1") -> Result:
    return Result(
        id=name,
        line_item_id=item.id,
        student_id=student,
        score=Decimal("9.1"),
        status="fully graded",
        score_date=date(2026, 11, 20),
        class_id=item.class_id,
    )


def test_a_record_that_was_put_is_read_back_and_replaced_by_the_next_put(sis: Sis) -> None:
    async def run() -> None:
        class_id = sis.class_with_students()
        async with sis.open() as sink:
            before = await sink.read_class(class_id)
            item = await item_for(sink, class_id)
            await sink.put_line_item(item)
            result = result_for(item, min(before.students))
            await sink.put_result(result)
            await sink.put_result(replace(result, score=Decimal("14.05"), status="exempt"))
            book = await sink.read_class(class_id)
            assert [one for one in book.line_items if one.id == item.id] == [item]
            assert [one for one in book.results if one.id == "r-1"] == [
                replace(result, score=Decimal("14.05"), status="exempt")
            ]
            assert len(book.line_items) == len({one.id for one in before.line_items} | {item.id})
            assert list(book.results) == list(await sink.read_results(class_id))
            own = [one for one in book.results if one.line_item_id == item.id]
            assert list(await sink.read_line_item_results(class_id, item.id)) == own != []
            narrow = await sink.read_class(class_id, [item.id])
            assert (narrow.line_items, narrow.students) == (book.line_items, book.students)
            assert list(narrow.results) == own
            assert list(book.line_items) == list(await sink.read_line_items(class_id))

    asyncio.run(run())


def test_refused_records_have_their_codes_and_harm_no_other(sis: Sis) -> None:
    async def run() -> None:
        class_id = sis.class_with_students()
        async with sis.open() as sink:
            item = await item_for(sink, class_id, "li-2")
            await sink.put_line_item(item)
            students = sorted((await sink.read_class(class_id)).students)
            stranger = await someone_else(sink, class_id)
            for refused, code in (
                (result_for(item, stranger, "r-2"), "GS-503"),
                (result_for(replace(item, id="nobody"), students[0], "r-3"), "GS-505"),
            ):
                with pytest.raises(ConnectionProblem) as caught:
                    await sink.put_result(refused)
                assert caught.value.code == code
                assert not caught.value.retryable
            await sink.put_result(result_for(item, students[0], "r-4"))
            stored = {one.id for one in await sink.read_results(class_id)}
            assert "r-4" in stored
            assert not stored & {"r-2", "r-3"}

    asyncio.run(run())


async def someone_else(sink: MemorySis | OneRosterConnector, class_id: str) -> str:
    """A student of the school who is not in the class."""
    students = (await sink.read_class(class_id)).students
    roster = await roster_of(sink)
    return next(one.id for one in roster.users if one.role == "student" and one.id not in students)


def test_a_closed_period_refuses_for_good(sis: Sis) -> None:
    async def run() -> None:
        class_id = sis.class_with_students()
        async with sis.open() as sink:
            item = await item_for(sink, class_id, "li-3")
        assert item.period_id is not None
        async with sis.open(closed=(item.period_id,)) as sink:
            with pytest.raises(ConnectionProblem) as caught:
                await sink.put_line_item(item)
            assert caught.value.code == "GS-501"

    asyncio.run(run())


def test_an_unknown_class_is_no_empty_class(sis: Sis) -> None:
    async def run() -> None:
        async with sis.open() as sink:
            with pytest.raises(ConnectionProblem) as caught:
                await sink.read_class("no such/class")
            assert caught.value.code == "GS-512"

    asyncio.run(run())


def refuse() -> None:
    raise LeaseLost("the lease has ended")


def test_nothing_is_written_once_the_guard_says_no(sis: Sis) -> None:
    async def run() -> None:
        class_id = sis.class_with_students()
        async with sis.open(guard=refuse) as sink:
            item = await item_for(sink, class_id, "li-4")
            with pytest.raises(LeaseLost):
                await sink.put_line_item(item)
            assert "li-4" not in {one.id for one in await sink.read_line_items(class_id)}

    asyncio.run(run())


def test_the_catalogue_places_every_class_in_time(sis: Sis) -> None:
    async def run() -> None:
        async with sis.open() as sink:
            catalogue = await sink.catalogue()
            assert catalogue.classes
            assert catalogue.categories
            for one in catalogue.classes.values():
                assert set(one.term_ids) <= set(catalogue.sessions)
                assert one.school_id
            for period in catalogue.periods:
                assert period.start < period.end
                assert catalogue.session_parents[period.id] == period.parent_id
            assert await sink.identity() == await sink.identity() != ""

    asyncio.run(run())


def test_a_roster_is_whole_and_holds_nothing_that_is_gone(sis: Sis) -> None:
    async def run() -> None:
        world = sis.sandbox.schools["riverside"].sis
        told: list[tuple[int, int | None]] = []
        async with sis.open() as source:
            roster = await roster_of(source, lambda done, total: told.append((done, total)))
        living = {name for name, row in world.rows["enrollments"].items() if row["status"] == "active"}
        assert {one.id for one in roster.enrollments} == living
        assert {one.id for one in roster.classes} == set(world.rows["classes"])
        assert told[-1][0] == told[-1][1]
        assert len({one.id for one in roster.users}) == len(roster.users)
        assert {one.role for one in roster.users} <= {"student", "teacher", "aide"}

    asyncio.run(run())


def test_a_full_read_of_a_course_is_complete(canvas: Canvas) -> None:
    async def run() -> None:
        async with canvas.open() as source:
            courses = [one async for one in source.courses()]
            assert len({one.id for one in courses}) == len(courses) > 5
            books = [await source.read_course(one, None) for one in courses[:8]]
        for book in books:
            assert book.complete
            assert book.read_at.tzinfo is not None
            known = {one.id for one in book.assignments}
            assert {one.assignment_id for one in book.submissions} <= known
            pairs = [(one.assignment_id, one.user_id) for one in book.submissions]
            assert len(pairs) == len(set(pairs))
        assert any(one.score is not None for book in books for one in book.submissions)
        assert any(who.section_sis_id for book in books for who in book.students)

    asyncio.run(run())


def test_a_delta_brings_only_what_was_graded_since_and_people_only_with_it(canvas: Canvas) -> None:
    async def run() -> None:
        async with canvas.open() as source:
            courses = [one async for one in source.courses()]
            whole = [await source.read_course(one, None) for one in courses[:8]]
            full = max(whole, key=lambda book: len({one.graded_at for one in book.submissions}))
            grades = sorted({one.graded_at for one in full.submissions if one.graded_at is not None})
            since = grades[len(grades) // 2]
            delta = await source.read_course(full.course, since)
            assert not delta.complete
            assert delta.students
            assert set(delta.submissions) == {
                one for one in full.submissions if one.graded_at is not None and one.graded_at > since
            }
            quiet = await source.read_course(full.course, datetime(2099, 1, 1, tzinfo=UTC))
            assert (quiet.submissions, quiet.students) == ((), ())
            assert quiet.assignments == full.assignments

    asyncio.run(run())


def test_a_course_that_vanished_is_a_problem_that_is_not_retried(canvas: Canvas) -> None:
    async def run() -> None:
        async with canvas.open() as source:
            with pytest.raises(ConnectionProblem) as caught:
                await source.read_course(CanvasCourse(999_999, None, "available", None), None)
            assert caught.value.code == "GS-305"

    asyncio.run(run())


FILES = {"terms.csv": "term_id,name,status\r\nT-TEST,Test term,active\r\n"}


def test_an_import_is_followed_to_its_end(canvas: Canvas, tmp_path: Path) -> None:
    async def run() -> None:
        async with canvas.open() as sink:
            status = await sink.start_import(
                on_disk(tmp_path, FILES), data_set="gradesync:test", remaster=True
            )
            states = [status.state]
            while states[-1] not in FINISHED and len(states) < 200:
                await asyncio.sleep(0.01)
                states.append((await sink.import_status(status.id)).state)
            assert (states[0], states[-1]) == ("created", "imported")
            assert status.id not in {one.id for one in await sink.unfinished_imports()}

    asyncio.run(run())


def test_no_import_starts_once_the_guard_says_no(canvas: Canvas, tmp_path: Path) -> None:
    async def run() -> None:
        async with canvas.open(guard=refuse) as sink:
            with pytest.raises(LeaseLost):
                await sink.start_import(on_disk(tmp_path, FILES), data_set="gradesync:test", remaster=False)

    asyncio.run(run())


def test_canvas_names_the_ids_it_holds(canvas: Canvas) -> None:
    async def run() -> None:
        found: dict[str, list[str]] = {}
        async with canvas.open() as sink:
            async for page in sink.held_ids("sis_id"):
                found.setdefault(page.kind, []).extend(page.ids)
        assert len(found["sections"]) > 5
        assert len(found["users"]) > 5
        assert all(len(ids) == len(set(ids)) for ids in found.values())
        assert all(type(id) is str and id for ids in found.values() for id in ids)

    asyncio.run(run())


def test_readers_have_no_method_that_writes() -> None:
    assert not {"put_line_item", "put_result"} & set(dir(OneRosterReader))
    assert "start_import" not in dir(CanvasReader)


def _kept_by_the_type_checker(
    one: OneRosterConnector, reader: OneRosterReader, canvas: CanvasConnector, canvas_reader: CanvasReader
) -> None:
    """Assigning is the test: each implementation is what its port asks for."""
    _sinks: list[GradebookSink] = [one, MemorySis("d")]
    _readers: list[GradebookReader] = [reader]
    _sources: list[RosterSource] = [one, reader, MemorySis("d")]
    _grades: list[GradebookSource] = [canvas, canvas_reader, MemoryCanvas("u")]
    _rosters: list[RosterSink] = [canvas, MemoryCanvas("u")]
    _looks: list[RosterReader] = [canvas_reader]
