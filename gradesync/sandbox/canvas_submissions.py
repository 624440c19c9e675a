"""Bulk submissions of a course or a section: the exact filters and traps of Canvas's REST listing.

The traps are the point: `grouped=false` groups too, `post_to_sis=true` silently drops students no SIS import
touched, `graded_since` is strict and blind to everything that does not move `graded_at`, and explicit ids
that are not in the course refuse the whole call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gradesync.sandbox.canvas_gradebook_json import assignment_json, submission_json
from gradesync.sandbox.canvas_http import (
    WORLD,
    ApiError,
    Params,
    forbidden,
    not_found,
    params_of,
    path_id,
    reply,
    resolve,
    whole_number,
)
from gradesync.sandbox.canvas_json import course_json, course_totals, sis_user_id, user_json
from gradesync.sandbox.canvas_paging import bookmarked, numbered
from gradesync.sandbox.canvas_records import Assignment, Course, Enrollment, Submission
from gradesync.sandbox.canvas_world import CanvasWorld

_WHEN = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?\Z")
_STATES = frozenset({"submitted", "unsubmitted", "graded", "pending_review"})

Students = dict[int, list[Enrollment]]


@dataclass(slots=True)
class _Listing:
    """One call: whose rows, of which assignments, and how each is shown."""

    request: web.Request
    world: CanvasWorld
    params: Params
    course: Course
    students: Students
    assignments: dict[int, Assignment]
    moment: datetime


async def course_submissions(request: web.Request) -> web.Response:
    """GET courses/:id/students/submissions."""
    world = request.app[WORLD]
    course = world.courses[path_id(request, "course", "course_id")]
    return _answer(request, course, world.students_of_course(course.id))


async def section_submissions(request: web.Request) -> web.Response:
    """GET sections/:id/students/submissions: the course's assignments, only the section's students."""
    world = request.app[WORLD]
    section = world.sections[path_id(request, "section", "section_id")]
    return _answer(request, world.courses[section.course_id], world.students_of_section(section.id))


def _answer(request: web.Request, course: Course, students: Students) -> web.Response:
    world = request.app[WORLD]
    params = params_of(request)
    graded_since = _since(params, "graded_since")
    submitted_since = _since(params, "submitted_since")
    chosen = _chosen_students(world, params, course, students)
    assignments = _chosen_assignments(world, params, course)
    listing = _Listing(request, world, params, course, chosen, assignments, world.now())
    rows = _rows(listing, graded_since, submitted_since)
    # Presence alone counts, as in Canvas: grouped=false groups too.
    if params.present("grouped"):
        return _grouped(listing, rows)
    return _flat(listing, rows)


def _since(params: Params, name: str) -> datetime | None:
    text = params.text(name)
    if text is None:
        return None
    try:
        if not _WHEN.match(text):
            raise ValueError(text)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, {"errors": {name: f"Invalid datetime for {name}"}}) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _chosen_students(world: CanvasWorld, params: Params, course: Course, students: Students) -> Students:
    asked = params.many("student_ids")
    if "all" not in asked:
        if len(asked) > world.settings.max_per_page:
            raise ApiError(400, {"error": "too many students"})
        ids = [resolve(world, "user", one) for one in asked] or [world.admin_id]
        if any(one not in students for one in ids):
            raise forbidden(world)
        students = {one: students[one] for one in ids if one is not None}
    if not course.published:
        return {}
    if params.flag("post_to_sis"):
        students = {
            user_id: found
            for user_id, found in students.items()
            if any(one.sis_import_id is not None for one in found)
        }
    wanted = params.text("enrollment_state")
    if wanted in ("active", "concluded"):
        students = {
            user_id: found
            for user_id, found in students.items()
            if (wanted == "active") == any(one.workflow_state in ("active", "invited") for one in found)
        }
    return students


def _chosen_assignments(world: CanvasWorld, params: Params, course: Course) -> dict[int, Assignment]:
    published = {
        one.id: one for one in world.assignments_by_course[course.id] if one.workflow_state == "published"
    }
    asked = params.many("assignment_ids")
    if asked:
        ids = [whole_number(one) for one in asked]
        if any(one not in published for one in ids):
            raise ApiError(403, {"error": "invalid assignment ids requested"})
        published = {one: published[one] for one in ids if one is not None}
    if params.flag("post_to_sis"):
        published = {key: one for key, one in published.items() if one.post_to_sis}
    return published


def _rows(
    listing: _Listing, graded_since: datetime | None, submitted_since: datetime | None
) -> list[Submission]:
    world, students, assignments = listing.world, listing.students, listing.assignments
    state = listing.params.text("workflow_state")
    found = [
        row
        for row in world.submissions_by_course[listing.course.id]
        if row.user_id in students
        and row.assignment_id in assignments
        and (graded_since is None or (row.graded_at is not None and row.graded_at > graded_since))
        and (submitted_since is None or (row.submitted_at is not None and row.submitted_at > submitted_since))
        and (state not in _STATES or row.workflow_state == state)
    ]
    limited = {key for key, one in assignments.items() if one.only_visible_to_overrides}
    if limited:
        found = [
            row
            for row in found
            if row.assignment_id not in limited
            or world.is_assigned(assignments[row.assignment_id], row.user_id)
        ]
    period = listing.params.text("grading_period_id")
    return found if period is None else _in_period(listing, found, period)


def _in_period(listing: _Listing, rows: list[Submission], text: str) -> list[Submission]:
    """Keeps whole assignments that have somebody in the period: rows of other periods stay, as in Canvas."""
    period_id = whole_number(text)
    if period_id not in listing.world.grading_periods:
        raise not_found()
    finder = period_finder(listing.world, listing.course)
    due_for = listing.world.due_for
    kept = {
        row.assignment_id
        for row in rows
        if finder(due_for(listing.assignments[row.assignment_id], row.user_id)) == period_id
    }
    return [row for row in rows if row.assignment_id in kept]


def period_finder(world: CanvasWorld, course: Course) -> Callable[[datetime | None], int | None]:
    """Tells the grading period of a due date; undated work belongs to the last period."""
    periods = world.periods_of(course)
    known: dict[datetime | None, int | None] = {None: periods[-1].id if periods else None}

    def find(due: datetime | None) -> int | None:
        if due not in known:
            inside = (one.id for one in periods if due is not None and one.start_at <= due <= one.end_at)
            known[due] = next(inside, None)
        return known[due]

    return find


def _shower(listing: _Listing, *, grouped: bool) -> Callable[[Submission], dict[str, Any]]:
    """What turns a row into JSON under the call's include and response fields."""
    world, params = listing.world, listing.params
    find_period = period_finder(world, listing.course)
    include = set(params.many("include"))
    wanted = set(params.many("response_fields"))
    unwanted = set(params.many("exclude_response_fields"))

    def show(row: Submission) -> dict[str, Any]:
        assignment = listing.assignments[row.assignment_id]
        due = world.due_for(assignment, row.user_id) if assignment.overrides else assignment.due_at
        made = submission_json(row, assignment, due, find_period(due), listing.moment)
        made["anonymous_id"] = f"a{row.id:x}"
        # Only the black list removes the preview; a white list leaves it out of the answer all the same.
        if "preview_url" not in unwanted:
            made["preview_url"] = (
                f"/courses/{row.course_id}/assignments/{row.assignment_id}/submissions/{row.user_id}?preview=1"
            )
        if grouped:
            made["has_postable_comments"] = False
        if wanted:
            made = {key: value for key, value in made.items() if key in wanted}
        for key in unwanted:
            made.pop(key, None)
        return _with_includes(listing, row, made, include) if include else made

    return show


def _with_includes(
    listing: _Listing, row: Submission, made: dict[str, Any], include: set[str]
) -> dict[str, Any]:
    world = listing.world
    assignment = listing.assignments[row.assignment_id]
    if "assignment" in include:
        made["assignment"] = assignment_json(assignment)
    if "course" in include:
        made["course"] = course_json(world, listing.course)
    if "user" in include:
        made["user"] = user_json(world, world.users[row.user_id])
    if "visibility" in include:
        made["assignment_visible"] = world.is_assigned(assignment, row.user_id)
    for name in ("submission_history", "submission_comments"):
        if name in include:
            made[name] = []
    return made


def _flat(listing: _Listing, rows: list[Submission]) -> web.Response:
    params = listing.params
    descending = params.text("order_direction") == "descending"
    by_grade = params.text("order") == "graded_at"
    if by_grade:
        rows = sorted(rows, key=_graded_key)
    page: Sequence[Submission]
    if descending:
        # Canvas has no keyset order downwards: such a listing shifts while rows change.
        page, headers = numbered(listing.request, rows[::-1], last=False)
    else:
        page, headers = bookmarked(listing.request, rows, _graded_key if by_grade else _id_key)
    show = _shower(listing, grouped=False)
    return reply(listing.request, [show(row) for row in page], headers=headers)


def _id_key(row: Submission) -> list[Any]:
    return [row.id]


def _graded_key(row: Submission) -> list[Any]:
    # Never graded rows come last, as null does in Canvas's database.
    return [row.graded_at is None, row.graded_at.isoformat() if row.graded_at else "", row.id]


def _grouped(listing: _Listing, rows: list[Submission]) -> web.Response:
    world = listing.world
    by_user: dict[int, list[Submission]] = {}
    for row in rows:
        by_user.setdefault(row.user_id, []).append(row)
    page, headers = numbered(listing.request, sorted(listing.students))
    show = _shower(listing, grouped=True)
    totals = "total_scores" in listing.params.many("include")
    answer = []
    for user_id in page:
        enrollment = min(listing.students[user_id], key=lambda one: one.workflow_state != "active")
        login = world.logins.get(enrollment.login_id) if enrollment.login_id is not None else None
        made: dict[str, Any] = {
            "user_id": user_id,
            "section_id": enrollment.course_section_id,
            "integration_id": login.integration_id if login else None,
            "sis_user_id": sis_user_id(world, enrollment),
            "submissions": [show(row) for row in by_user.get(user_id, [])],
        }
        if totals:
            made |= course_totals(world, listing.course.id, user_id)
        answer.append(made)
    return reply(listing.request, answer, headers=headers)
