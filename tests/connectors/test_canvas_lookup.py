"""Canvas asked about single courses and their people, against the sandbox's world."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from gradesync.connectors.auth import BearerToken
from gradesync.connectors.canvas import CanvasReader
from gradesync.connectors.http import HttpClient
from gradesync.domain.comparison import Weighing
from gradesync.domain.people import STUDENT, TEACHER
from gradesync.errors import ConnectionProblem
from gradesync.sandbox.canvas_records import Section
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.server import Sandbox, running

T = TypeVar("T")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=24) as served:
        yield served


@pytest.fixture
def world(sandbox: Sandbox) -> CanvasWorld:
    return sandbox.schools["riverside"].canvas


def ask(sandbox: Sandbox, question: Callable[[CanvasReader], Awaitable[T]], token: str | None = None) -> T:
    async def go() -> T:
        auth = BearerToken(token or sandbox.schools["riverside"].canvas.token)
        async with HttpClient(f"{sandbox.url}/riverside/canvas", side="canvas", auth=auth) as client:
            return await question(CanvasReader(client))

    return asyncio.run(go())


def test_a_class_is_found_in_the_course_its_section_lives_in_now(
    sandbox: Sandbox, world: CanvasWorld
) -> None:
    tied = [one for one in world.sections.values() if one.sis_section_id and one.workflow_state == "active"]
    assert tied
    for section in tied[:5]:

        async def asked(canvas: CanvasReader, one: Section = section) -> tuple[object, object]:
            found = await canvas.find_course(class_id=one.sis_section_id)
            return found, await canvas.find_course(course_id=one.course_id)

        by_class, by_number = ask(sandbox, asked)
        assert by_class is not None
        assert by_class == by_number


@pytest.mark.parametrize("class_id", ["nowhere", "no.where", "../../accounts/self", "a b/c?d#e", "{0}"])
def test_an_unknown_class_is_none_however_its_id_is_written(sandbox: Sandbox, class_id: str) -> None:
    assert ask(sandbox, lambda canvas: canvas.find_course(class_id=class_id)) is None
    last = list(sandbox.requests)[-1]
    assert "/sections/" in last.path


def test_an_unknown_course_is_none_and_an_assignment_is_in_its_own_course_alone(
    sandbox: Sandbox, world: CanvasWorld
) -> None:
    assert ask(sandbox, lambda canvas: canvas.find_course(course_id=999_999)) is None
    assignment = next(iter(world.assignments.values()))
    for course_id in sorted({one.course_id for one in world.assignments.values()})[:3]:

        async def asked(canvas: CanvasReader, id: int = course_id) -> bool | None:
            course = await canvas.find_course(course_id=id)
            return None if course is None else await canvas.has_assignment(course, assignment.id)

        answer = ask(sandbox, asked)
        assert answer in (None, course_id == assignment.course_id)


def test_people_come_with_their_names_sections_and_classes(sandbox: Sandbox, world: CanvasWorld) -> None:
    course_id = next(iter(world.assignments.values())).course_id

    async def asked(canvas: CanvasReader) -> tuple[str, dict[tuple[int, str], str]]:
        course = await canvas.find_course(course_id=course_id)
        assert course is not None
        found = await canvas.people(course)
        return found.course_name, {(one.user_id, one.role): one.name for one in found.members}

    name, members = ask(sandbox, asked)
    assert name == world.courses[course_id].name
    assert {role for _, role in members} == {STUDENT, TEACHER}
    for (user_id, _), shown in members.items():
        assert shown == world.users[user_id].sortable_name


def test_a_refused_key_is_no_missing_course(sandbox: Sandbox) -> None:
    with pytest.raises(ConnectionProblem) as refused:
        ask(sandbox, lambda canvas: canvas.find_course(course_id=1), token="wrong")
    assert refused.value.code == "GS-201"


def test_whoever_was_dropped_is_still_known_by_every_sis_id_they_had(
    sandbox: Sandbox, world: CanvasWorld
) -> None:
    seat = next(
        one
        for one in world.enrollments.values()
        if one.type == "StudentEnrollment" and one.login_id and world.logins[one.login_id].sis_user_id
    )
    world.set_enrollment_state(seat, "deleted")
    assert seat.login_id is not None
    sis_id = world.logins[seat.login_id].sis_user_id
    assert sis_id in (ask(sandbox, lambda canvas: canvas.sis_ids_of(seat.user_id)) or ())
    assert ask(sandbox, lambda canvas: canvas.sis_ids_of(999_999_999)) is None


def test_how_a_course_averages_is_read_from_its_groups(sandbox: Sandbox, world: CanvasWorld) -> None:
    group = next(iter(world.groups.values()))
    course = world.courses[group.course_id]
    assert ask(sandbox, lambda canvas: canvas.weighing(course.id)) == Weighing(weighted=False, dropping=0)
    course.apply_assignment_group_weights = True
    group.rules = {"drop_lowest": 1}
    assert ask(sandbox, lambda canvas: canvas.weighing(course.id)) == Weighing(weighted=True, dropping=1)
    assert ask(sandbox, lambda canvas: canvas.weighing(999_999_999)) is None
