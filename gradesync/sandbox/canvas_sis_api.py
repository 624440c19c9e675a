"""The SIS Integration API: assignments flagged for the SIS, account-wide or by course (canvas.md 3.1).

Reads only. Many institutions do not have it enabled, and then it says so with status 400.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gradesync.sandbox.canvas_http import (
    WORLD,
    ApiError,
    Params,
    params_of,
    path_id,
    reply,
    stamp,
)
from gradesync.sandbox.canvas_paging import numbered
from gradesync.sandbox.canvas_records import Assignment, Course, Override, Section
from gradesync.sandbox.canvas_world import CanvasWorld

_NOT_ENABLED = {
    "code": "not_enabled",
    "error": "A SIS integration is not configured and the bulk SIS Grade Export feature is not enabled",
}
_UNPUBLISHED = {
    "code": "unpublished_course",
    "error": "Grade data is not available for non-published courses",
}


async def account_assignments(request: web.Request) -> web.Response:
    """GET /api/sis/accounts/:id/assignments: every published course of the account and beneath."""
    world = _enabled(request)
    top = path_id(request, "account", "account_id")
    params = params_of(request)
    found = [
        one
        for course in world.courses.values()
        if course.published and _beneath(world, course, top) and _runs(world, course, params)
        for one in _flagged(world, course)
    ]
    return _listing(request, world, found)


async def course_assignments(request: web.Request) -> web.Response:
    """GET /api/sis/courses/:id/assignments; an unpublished course is refused."""
    world = _enabled(request)
    course = world.courses[path_id(request, "course", "course_id")]
    if not course.published:
        raise ApiError(400, _UNPUBLISHED)
    return _listing(request, world, _flagged(world, course))


def _enabled(request: web.Request) -> CanvasWorld:
    world = request.app[WORLD]
    if not world.settings.post_grades:
        raise ApiError(400, _NOT_ENABLED)
    return world


def _beneath(world: CanvasWorld, course: Course, top: int) -> bool:
    at: int | None = course.account_id
    while at is not None and at != top:
        at = world.accounts[at].parent_account_id
    return at == top


def _runs(world: CanvasWorld, course: Course, params: Params) -> bool:
    """The two date filters: either the course's or the term's date satisfies them, or both are absent."""
    term = world.terms[course.enrollment_term_id]
    starts, ends = params.text("starts_before"), params.text("ends_after")
    before = [stamp(one) for one in (course.start_at, term.start_at) if one is not None]
    after = [stamp(one) for one in (course.end_at, term.end_at) if one is not None]
    fits_start = starts is None or not before or any(str(one) < starts for one in before)
    return fits_start and (ends is None or not after or any(str(one) > ends for one in after))


def _flagged(world: CanvasWorld, course: Course) -> list[Assignment]:
    return [
        one
        for one in world.live_assignments(course.id)
        if one.workflow_state == "published" and one.post_to_sis
    ]


def _listing(request: web.Request, world: CanvasWorld, found: list[Assignment]) -> web.Response:
    rows, headers = numbered(request, found)
    people = "student_overrides" in params_of(request).many("include")
    return reply(request, [_shown(world, one, people=people) for one in rows], headers=headers)


def _shown(world: CanvasWorld, assignment: Assignment, *, people: bool) -> dict[str, Any]:
    group = world.groups[assignment.assignment_group_id]
    made: dict[str, Any] = {
        "id": assignment.id,
        "created_at": stamp(assignment.created_at),
        "due_at": stamp(assignment.due_at),
        "unlock_at": None,
        "lock_at": None,
        "points_possible": assignment.points_possible,
        "integration_id": assignment.integration_id,
        "integration_data": {},
        "sis_assignment_id": assignment.sis_assignment_id,
        "name": assignment.name,
        "course_id": assignment.course_id,
        "submission_types": list(assignment.submission_types),
        "include_in_final_grade": not (
            assignment.omit_from_final_grade or assignment.grading_type == "not_graded"
        ),
        "assignment_group": {
            "id": group.id,
            "name": group.name,
            "sis_source_id": None,
            "integration_data": {},
            "group_weight": group.group_weight,
        },
        "sections": _sections(world, assignment),
    }
    if people:
        made["user_overrides"] = [
            _person_override(world, one) for one in assignment.overrides if one.course_section_id is None
        ]
    return made


def _sections(world: CanvasWorld, assignment: Assignment) -> list[dict[str, Any]]:
    """The sections it is for: none at all when it is for single students only."""
    by_section = {one.course_section_id: one for one in assignment.overrides if one.course_section_id}
    return [
        _section(world, one, by_section.get(one.id))
        for one in world.sections_by_course[assignment.course_id].values()
        if one.workflow_state != "deleted"
        and (not assignment.only_visible_to_overrides or one.id in by_section)
    ]


def _section(world: CanvasWorld, section: Section, override: Override | None) -> dict[str, Any]:
    home = world.courses[section.nonxlist_course_id or section.course_id]
    made: dict[str, Any] = {
        "id": section.id,
        "name": section.name,
        "integration_id": section.integration_id,
        "sis_id": section.sis_section_id,
        "origin_course": _course(home),
    }
    if section.nonxlist_course_id is not None:
        made["xlist_course"] = _course(world.courses[section.course_id])
    if override is not None:
        made["override"] = {
            "id": override.id,
            "due_at": stamp(override.due_at),
            "unlock_at": None,
            "lock_at": None,
            "override_title": override.title,
        }
    return made


def _course(course: Course) -> dict[str, Any]:
    return {
        "id": course.id,
        "name": course.name,
        "integration_id": course.integration_id,
        "sis_id": course.sis_course_id,
    }


def _person_override(world: CanvasWorld, override: Override) -> dict[str, Any]:
    def sis_id(user_id: int) -> str | None:
        return next((one.sis_user_id for one in world.logins_by_user[user_id] if one.sis_user_id), None)

    return {
        "id": override.id,
        "title": override.title,
        "due_at": stamp(override.due_at),
        "unlock_at": None,
        "lock_at": None,
        "students": [{"user_id": one, "sis_user_id": sis_id(one)} for one in override.student_ids],
    }
