"""Changes of a whole account, over GraphQL and in memory: what is told, in which bites, and when REST must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from gradesync.connectors.auth import BearerToken
from gradesync.connectors.canvas import CanvasReader
from gradesync.connectors.http import HttpClient
from gradesync.connectors.memory import MemoryCanvas, MemoryCourse
from gradesync.domain.gradebook import CourseChange
from gradesync.errors import ConnectionProblem
from gradesync.sandbox.canvas_records import Assignment, AssignmentGroup, Course
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox, running
from tests.connectors.hostile import client_of, hostile

KEY = "riverside"
LATER = timedelta(minutes=5)


@dataclass
class School:
    """One sandbox Canvas whose clock the test moves."""

    sandbox: Sandbox

    @property
    def world(self) -> CanvasWorld:
        return self.sandbox.schools[KEY].canvas

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[CanvasReader]:
        auth = BearerToken(self.world.token)
        async with HttpClient(self.sandbox.canvas_url(KEY), side="canvas", auth=auth) as client:
            yield CanvasReader(client)

    def asked(self) -> list[str]:
        """Paths asked of Canvas since the last look, GraphQL told from REST."""
        paths = [one.path for one in self.sandbox.requests if one.side == "canvas"]
        self.sandbox.forget_requests()
        return paths

    def course(self) -> Course:
        """A published course with a handful of students."""
        return next(
            one
            for one in self.world.courses.values()
            if one.published and len(self.world.students_of_course(one.id)) > 3 and self.graded(one)
        )

    def graded(self, course: Course) -> list[tuple[int, int]]:
        return [
            (row.assignment_id, row.user_id)
            for row in self.world.submissions_by_course[course.id]
            if row.score is not None
            and self.world.assignments[row.assignment_id].workflow_state == "published"
        ]


@pytest.fixture
def school() -> Iterator[School]:
    with running((KEY,), students=40, today=date(2026, 11, 23)) as sandbox:
        yield School(sandbox)


def told(school: School, since: datetime | None) -> dict[int, CourseChange] | None:
    """Course id -> change, as one reading tells it."""

    async def run() -> dict[int, CourseChange] | None:
        async with school.reader() as reader:
            feed = await reader.changes(since)
            if feed is None:
                return None
            assert feed.read_at.tzinfo is not None
            found = [one async for one in feed.courses]
            assert len(found) == len({one.course.id for one in found})
            return {one.course.id: one for one in found}

    return asyncio.run(run())


def known(school: School, since: datetime | None) -> dict[int, CourseChange]:
    found = told(school, since)
    assert found is not None
    return found


def now() -> datetime:
    return datetime.now(UTC)


def quiet(found: dict[int, CourseChange]) -> bool:
    return all(one.submissions == () for one in found.values())


def test_every_course_of_the_terms_is_told_with_its_state_and_a_stamp(school: School) -> None:
    found = known(school, None)
    assert set(found) == set(school.world.courses)
    published = {one.id for one in school.world.courses.values() if one.published}
    assert {one for one, change in found.items() if change.course.state == "available"} == published
    assert {change.course.state for one, change in found.items() if one not in published} == {"unpublished"}
    assert all(change.stamp for one, change in found.items() if one in published)
    assert quiet(found), "stamps alone were asked for"


def test_a_change_told_by_graphql_is_the_row_that_rest_shows(school: School) -> None:
    async def run() -> None:
        async with school.reader() as reader:
            feed = await reader.changes(datetime(2020, 1, 1, tzinfo=UTC))
            assert feed is not None
            several = 0
            async for change in feed.courses:
                if change.course.state != "available":
                    continue
                book = await reader.read_course(change.course, None)
                published = {one.id for one in book.assignments if one.published}
                assert change.meant == {one.id for one in book.assignments if one.published and one.flagged}
                assert change.submissions is not None
                assert set(change.submissions) == {
                    one for one in book.submissions if one.assignment_id in published
                }
                around = await reader.read_around(change.course, change.submissions)
                assert (around.assignments, around.students) == (book.assignments, book.students)
                assert not around.complete
                several += len(change.submissions) > 100
            assert several, "some courses need more than one page of rows"

    asyncio.run(run())


Act = Callable[[CanvasWorld, int, int], object]
ROW_ACTS: dict[str, Act] = {
    "a score": lambda w, a, u: w.grade(a, u, 3.5),
    "an excuse": lambda w, a, u: w.excuse(a, u),
    "a quiz graded by itself": lambda w, a, u: w.review(a, u, 4.0),
    "other points for everybody": lambda w, a, _u: w.change_points(a, 77.0),
    "a status by hand": lambda w, a, u: w.set_status(a, u, "late"),
    "a zero for missing work": lambda w, a, u: w.miss(a, u),
    "a grade taken back": lambda w, a, u: w.clear(a, u),
    "an excuse taken back": lambda w, a, u: w.unexcuse(a, u),
    "a hidden grade": lambda w, a, u: w.hide(a, [u]),
    "a grade posted later": lambda w, a, u: (w.hide(a, [u]), w.post(a, [u])),
    "a late deduction calculated anew": lambda w, a, u: w.deduct(a, u, 1.0),
    "work handed in again": lambda w, a, u: w.resubmit(a, u),
    "a score the quiz tool dates back": lambda w, a, u: _dated_back(w, a, u),
}


def _dated_back(world: CanvasWorld, assignment_id: int, user_id: int) -> None:
    row = world.grade(assignment_id, user_id, 6.0)
    row.graded_at = world.now() - timedelta(days=2)


@pytest.mark.parametrize("act", ROW_ACTS)
def test_whatever_moves_a_submission_is_told(school: School, act: str) -> None:
    course = school.course()
    assignment, user = school.graded(course)[0]
    since = now()
    assert quiet(known(school, since))
    ROW_ACTS[act](school.world, assignment, user)
    found = known(school, since)
    rows = found.pop(course.id).submissions
    assert rows is not None
    assert (assignment, user) in {(one.assignment_id, one.user_id) for one in rows}
    assert quiet(found)


def _override(world: CanvasWorld, one: Assignment) -> None:
    section = next(iter(world.sections_by_course[one.course_id].values()))
    world.override_section(one.id, section, world.now())


def _regroup(world: CanvasWorld, one: Assignment) -> None:
    group = AssignmentGroup(world.new_id("group"), one.course_id, "Another group", 9)
    world.move_to_group(one.id, world.add_group(group))


def _rename_group(world: CanvasWorld, one: Assignment) -> None:
    world.groups[one.assignment_group_id].name = "Renamed group"


STAMP_ACTS: dict[str, Callable[[CanvasWorld, Assignment], object]] = {
    "a title": lambda w, a: w.rename(a.id, "Renamed"),
    "a due date": lambda w, a: w.move_due(a.id, w.now()),
    "points": lambda w, a: w.change_points(a.id, 77.0),
    "the flag": lambda w, a: w.flag(a.id, not a.post_to_sis),
    "unpublishing": lambda w, a: w.unpublish(a.id),
    "deleting": lambda w, a: w.delete_assignment(a.id),
    "a section's own date": _override,
    "another group": _regroup,
    "a group's name": _rename_group,
}


@pytest.mark.parametrize("act", STAMP_ACTS)
def test_the_stamp_moves_with_whatever_decides_about_a_line_item(school: School, act: str) -> None:
    course = school.course()
    assignment = school.world.assignments[school.graded(course)[0][0]]
    before = known(school, None)
    assert {one: change.stamp for one, change in known(school, None).items()} == {
        one: change.stamp for one, change in before.items()
    }
    STAMP_ACTS[act](school.world, assignment)
    after = known(school, None)
    moved = {one for one in after if after[one].stamp != before[one].stamp}
    assert moved == {course.id}


def test_work_of_past_marking_periods_is_part_of_the_stamp(school: School) -> None:
    course = school.course()
    assignment = school.world.assignments[school.graded(course)[0][0]]
    school.world.move_due(assignment.id, datetime(2026, 9, 10, tzinfo=UTC))
    before = known(school, None)[course.id].stamp
    school.world.rename(assignment.id, "An old one, renamed")
    assert known(school, None)[course.id].stamp != before


def test_a_page_holds_fifty_courses_and_each_term_begins_its_own(school: School) -> None:
    world = school.world
    term = next(iter(world.courses.values())).enrollment_term_id
    for number in range(120):
        world.add_course(
            Course(world.new_id("course"), f"More {number}", "M", 1, term, now(), workflow_state="available")
        )
    school.asked()
    found = known(school, None)
    assert set(found) == set(world.courses)
    terms = [one.enrollment_term_id for one in world.courses.values()]
    pages = sum(max(1, -(-terms.count(one) // 50)) for one in world.terms)
    asked = school.asked()
    assert sum(path == "/api/graphql" for path in asked) == pages
    assert len(asked) == pages + 1


def test_long_lists_of_several_courses_go_on_in_one_request(school: School) -> None:
    world = school.world
    fit = [one for one in world.courses.values() if one.published and world.groups_by_course[one.id]]
    terms = [one.enrollment_term_id for one in fit]
    usual = max(terms, key=terms.count)
    long = [one for one in fit if one.enrollment_term_id == usual][:12]
    batches = -(-len(long) // 10)
    for course in long:
        for number in range(120):
            world.add_assignment(
                course.id,
                world.groups_by_course[course.id][0],
                f"Work {number}",
                workflow_state="unpublished",
            )
    before = known(school, None)
    school.asked()
    found = known(school, None)
    pages = sum(
        max(1, -(-[one.enrollment_term_id for one in world.courses.values()].count(term) // 50))
        for term in world.terms
    )
    # Two pages for each list, ten lists to a request.
    assert school.asked().count("/api/graphql") == pages + 2 * batches
    assert {one: change.stamp for one, change in found.items()} == {
        one: change.stamp for one, change in before.items()
    }
    last = world.live_assignments(long[0].id)[-1]
    world.rename(last.id, "On the second page")
    moved = known(school, None)
    assert [one for one in moved if moved[one].stamp != found[one].stamp] == [long[0].id]


def test_a_query_too_dear_is_asked_again_for_half(school: School) -> None:
    school.world.settings.max_complexity = 20_000
    assert set(known(school, now())) == set(school.world.courses)
    asked = school.asked().count("/api/graphql")
    school.world.settings.max_complexity = 375_000
    known(school, now())
    assert asked > school.asked().count("/api/graphql")


@pytest.mark.parametrize("fault", ["server-error", "cut", "throttle"])
def test_one_failed_answer_does_not_end_the_listing(school: School, fault: str) -> None:
    for _ in range(2):
        school.sandbox.front.faults.orders.append(
            FaultOrder(fault, 1, side="canvas", path="/graphql", when="before")
        )
        assert set(known(school, now())) == set(school.world.courses)


@pytest.mark.parametrize("setting", ["graphql", "scoped_key", "max_complexity"])
def test_without_graphql_there_is_no_feed_and_it_is_asked_for_once(school: School, setting: str) -> None:
    settings = school.world.settings
    setattr(settings, setting, {"graphql": False, "scoped_key": True, "max_complexity": 10}[setting])

    async def run() -> None:
        async with school.reader() as reader:
            assert await reader.changes(now()) is None
            school.asked()
            assert await reader.changes(now()) is None
            assert school.asked() == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"message": "Field 'missing' doesn't exist on type 'Submission'"}]},
        {"data": {"term": None}},
        {"data": {"term": {"coursesConnection": None}}, "errors": [{"message": "unauthorized"}]},
        {"message": "hello"},
    ],
)
def test_an_answer_that_offers_no_courses_is_no_feed(answer: dict[str, Any]) -> None:
    async def says(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/graphql"):
            return web.json_response(answer)
        return web.json_response({"enrollment_terms": [{"id": 1, "end_at": None, "sis_term_id": "T"}]})

    async def run() -> None:
        async with hostile(says) as server, client_of(server, side="canvas") as client:
            assert await CanvasReader(client).changes(None) is None

    asyncio.run(run())


def test_asking_is_no_write_so_a_dry_run_may_ask() -> None:
    def refuse() -> None:
        raise AssertionError("a guard stands before writes only")

    async def says(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/graphql"):
            return web.json_response({"enrollment_terms": [{"id": 1}]})
        page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
        return web.json_response({"data": {"term": {"coursesConnection": page}}})

    async def run() -> None:
        async with hostile(says) as server, client_of(server, side="canvas", guard=refuse) as client:
            assert await CanvasReader(client).changes(None) is not None

    asyncio.run(run())


def test_an_answer_cut_off_by_its_time_limit_is_asked_again_for_half() -> None:
    sizes: list[int] = []

    def node(page: object) -> dict[str, Any]:
        return {
            "_id": "7",
            "sisId": "C",
            "state": "available",
            "assignmentsConnection": page,
            "submissionsConnection": page,
        }

    async def says(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/graphql"):
            return web.json_response({"enrollment_terms": [{"id": 1}]})
        sizes.append((await request.json())["variables"]["first"])
        late = sizes[-1] > 25
        page = None if late else {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": []}
        courses = {"pageInfo": {"hasNextPage": False, "endCursor": "MQ"}, "nodes": [node(page)]}
        answer: dict[str, Any] = {"data": {"term": {"coursesConnection": courses}}}
        if late:
            answer["errors"] = [{"message": "Timeout on Course.submissionsConnection"}]
        return web.json_response(answer)

    async def run() -> list[CourseChange]:
        async with hostile(says) as server, client_of(server, side="canvas") as client:
            feed = await CanvasReader(client).changes(now())
            assert feed is not None
            return [one async for one in feed.courses]

    (change,) = asyncio.run(run())
    assert sizes == [50, 25]
    assert change.submissions == ()


def test_a_graphql_that_is_down_alone_leaves_the_rest_of_canvas_to_be_asked() -> None:
    asked = 0

    async def says(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        if request.path.endswith("/graphql"):
            asked += 1
            return web.json_response({}, status=504)
        return web.json_response({"enrollment_terms": [{"id": 1}]})

    async def run() -> None:
        async with hostile(says) as server, client_of(server, side="canvas") as client:
            assert await CanvasReader(client).changes(None) is None

    asyncio.run(run())
    assert asked == 4, "50 courses, then 12, 3, 1"


def test_a_key_that_is_refused_is_no_missing_feature() -> None:
    async def says(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/graphql"):
            return web.json_response({}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.json_response({"enrollment_terms": [{"id": 1}]})

    async def run() -> None:
        async with hostile(says) as server, client_of(server, side="canvas") as client:
            with pytest.raises(ConnectionProblem) as caught:
                await CanvasReader(client).changes(None)
            assert caught.value.code == "GS-201"

    asyncio.run(run())


def test_rows_that_move_while_pages_are_read_are_not_passed_over(school: School) -> None:
    """A row that leaves the list shifts all later ones: the overlap shows it, and the list is read anew."""
    course = max(
        (one for one in school.world.courses.values() if one.published),
        key=lambda one: len(school.world.submissions_by_course[one.id]),
    )
    world = school.world
    group = world.groups_by_course[course.id][0]
    while len(world.submissions_by_course[course.id]) < 250:
        world.add_assignment(course.id, group, f"More {len(world.assignments)}")
    gone = world.submissions_by_course[course.id][0].assignment_id
    since = now() - timedelta(days=400)

    async def run() -> CourseChange:
        async with school.reader() as reader:
            asked = reader._client.ask
            pages = 0

            async def shifting(*args: Any, **more: Any) -> Any:
                nonlocal pages
                answer = await asked(*args, **more)
                if b"c0: course(id:" in more["body"]:
                    pages += 1
                    if pages == 1:
                        world.unpublish(gone)
                return answer

            reader._client.ask = shifting  # type: ignore[method-assign]  # the other side changes between two pages
            feed = await reader.changes(since)
            assert feed is not None
            return next(iter([one async for one in feed.courses if one.course.id == course.id]))

    change = asyncio.run(run())
    assert change.submissions is not None
    wanted = {
        (row.assignment_id, row.user_id)
        for row in world.submissions_by_course[course.id]
        if world.assignments[row.assignment_id].workflow_state == "published"
        and row.user_id in world.students_of_course(course.id)
    }
    assert wanted <= {(one.assignment_id, one.user_id) for one in change.submissions}


def test_the_fake_tells_what_the_sandbox_tells(school: School) -> None:
    """Memory and GraphQL over the same school, before and after the same acts."""

    async def run() -> None:
        course = school.course()
        (first, user), (second, other) = school.graded(course)[:2]
        async with school.reader() as reader:
            fake = MemoryCanvas(await reader.identity(), follows=True)
            since = now()

            async def hold() -> None:
                async for one in reader.courses():
                    book = await reader.read_course(one, None)
                    touched = {
                        (row.assignment_id, row.user_id): row.updated_at
                        for row in school.world.submissions_by_course[one.id]
                    }
                    fake.hold(
                        [
                            MemoryCourse(
                                one,
                                list(book.assignments),
                                list(book.students),
                                list(book.submissions),
                                touched,
                            )
                        ]
                    )

            async def both() -> list[dict[int, tuple[Any, bool]]]:
                answers = []
                for source in (reader, fake):
                    feed = await source.changes(since)
                    assert feed is not None
                    answers.append(
                        {
                            one.course.id: (set(one.submissions or ()), bool(one.stamp))
                            async for one in feed.courses
                            if one.course.state == "available"
                        }
                    )
                return answers

            for act in (
                lambda: None,
                lambda: school.world.grade(first, user, 1.5),
                lambda: school.world.clear(second, other),
            ):
                act()
                await hold()
                real, fakes = await both()
                assert {one: row for one, row in real.items() if row[0]} == {
                    one: row for one, row in fakes.items() if row[0]
                }

    asyncio.run(run())


def test_a_fake_without_the_right_key_tells_nothing() -> None:
    assert asyncio.run(MemoryCanvas("u").changes(None)) is None
