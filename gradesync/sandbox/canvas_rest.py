"""The reading endpoints for accounts, terms, courses, sections, users, enrollments and assignments.

Handlers choose and order records; `canvas_json` shapes them and `canvas_paging` cuts pages. Nothing is
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from aiohttp import web

from gradesync.sandbox.canvas_gradebook_json import assignment_json, group_json, period_json
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
from gradesync.sandbox.canvas_json import (
    account_json,
    course_json,
    enrollment_json,
    section_json,
    sis_user_id,
    term_json,
    user_json,
)
from gradesync.sandbox.canvas_paging import bookmarked, numbered
from gradesync.sandbox.canvas_records import Account, Course, Enrollment
from gradesync.sandbox.canvas_world import CanvasWorld

# -- accounts and terms ----------------------------------------------------------------------------


async def accounts(request: web.Request) -> web.Response:
    """GET accounts: the accounts the token's user sees, the root one."""
    world = request.app[WORLD]
    return reply(request, [account_json(world, world.accounts[world.root_account_id])])


async def account(request: web.Request) -> web.Response:
    """GET accounts/:id."""
    world = request.app[WORLD]
    return reply(request, account_json(world, world.accounts[path_id(request, "account", "account_id")]))


async def sub_accounts(request: web.Request) -> web.Response:
    """GET accounts/:id/sub_accounts."""
    world = request.app[WORLD]
    top = path_id(request, "account", "account_id")
    inside = _account_ids(world, top) - {top}
    if not params_of(request).flag("recursive"):
        inside = {one for one in inside if world.accounts[one].parent_account_id == top}
    rows, headers = numbered(request, [world.accounts[one] for one in sorted(inside)])
    return reply(request, [account_json(world, one) for one in rows], headers=headers)


def _account_ids(world: CanvasWorld, top: int) -> set[int]:
    """The account and all beneath it that are not deleted."""

    def under(one: Account) -> bool:
        at: int | None = one.id
        while at is not None and at != top:
            at = world.accounts[at].parent_account_id
        return at == top

    return {one.id for one in world.accounts.values() if one.workflow_state != "deleted" and under(one)}


async def terms(request: web.Request) -> web.Response:
    """GET accounts/:root/terms: wrapped; active ones unless asked otherwise."""
    world = request.app[WORLD]
    if path_id(request, "account", "account_id") != world.root_account_id:
        raise forbidden(world)
    states = set(params_of(request).many("workflow_state")) or {"active"}
    found = [one for one in world.terms.values() if "all" in states or one.workflow_state in states]
    rows, headers = numbered(request, found)
    return reply(request, {"enrollment_terms": [term_json(one) for one in rows]}, headers=headers)


async def account_users(request: web.Request) -> web.Response:
    """GET accounts/:id/users: search_term finds names, logins and SIS ids."""
    world = request.app[WORLD]
    path_id(request, "account", "account_id")
    text = params_of(request).text("search_term")
    if text is not None and len(text) < 2 and not text.isdecimal():
        raise _too_short("2 or more characters is required")
    found = [one for one in world.users.values() if one.workflow_state != "deleted"]
    if text is not None:
        part = text.casefold()
        found = [
            one
            for one in found
            if part in one.name.casefold()
            or str(one.id) == text
            or any(
                part in login.unique_id.casefold() or part == (login.sis_user_id or "").casefold()
                for login in world.logins_by_user[one.id]
            )
        ]
    rows, headers = numbered(request, sorted(found, key=lambda one: one.sortable_name), last=False)
    return reply(request, [user_json(world, one) for one in rows], headers=headers)


def _too_short(message: str) -> ApiError:
    return ApiError(
        400, {"status": "argument_error", "errors": [{"field": "search_term", "message": message}]}
    )


# -- courses and sections --------------------------------------------------------------------------


async def account_courses(request: web.Request) -> web.Response:
    """GET accounts/:id/courses, sub-accounts included; no total and no `last`."""
    world = request.app[WORLD]
    params = params_of(request)
    found: Iterable[Course] = _courses_in(world, params, path_id(request, "account", "account_id"))
    term = params.text("enrollment_term_id")
    if term is not None:
        term_id = resolve(world, "term", term)
        if term_id is None:
            raise not_found()
        found = [one for one in found if one.enrollment_term_id == term_id]
    found = [one for one in found if _course_wanted(world, params, one)]
    text = params.text("search_term")
    if text is not None:
        if len(text) < 3:
            raise _too_short("3 or more characters is required")
        found = [
            one
            for one in found
            if text.casefold() in f"{one.name}\n{one.course_code}\n{one.sis_course_id or ''}".casefold()
        ]
    ordered = sorted(found, key=lambda one: (one.name.casefold(), one.id) if params.text("sort") else one.id)
    if params.text("order") == "desc":
        ordered.reverse()
    rows, headers = numbered(request, ordered, last=False)
    include = set() if world.settings.drops_includes else set(params.many("include"))
    return reply(request, [course_json(world, one, include) for one in rows], headers=headers)


def _courses_in(world: CanvasWorld, params: Params, top: int) -> list[Course]:
    inside = _account_ids(world, top)
    asked = params.many("by_subaccounts")
    if asked:
        inside &= {resolve(world, "account", one) for one in asked}
    return [one for one in world.courses.values() if one.account_id in inside]


def _course_wanted(world: CanvasWorld, params: Params, course: Course) -> bool:
    states = set(params.many("state"))
    if "all" not in states:
        if states and course.workflow_state not in states:
            return False
        if not states and course.workflow_state == "deleted":
            return False
    published = params.flag("published")
    if published is not None and published != (course.workflow_state == "available"):
        return False
    if params.flag("completed") is True and course.workflow_state != "completed":
        return False
    with_enrollments = params.flag("with_enrollments")
    kinds = {f"{one.capitalize()}Enrollment" for one in params.many("enrollment_type")}
    if with_enrollments is None and not kinds:
        return True
    living = (one for one in world.enrollments_of_course(course.id) if world.state_of(one) != "deleted")
    # A generator: a whole district's courses are asked this at every page, and the first enrollment decides.
    if with_enrollments is False:
        return not kinds and next(living, None) is None
    return any(not kinds or one.type in kinds for one in living)


async def course(request: web.Request) -> web.Response:
    """GET courses/:id (and accounts/:id/courses/:id)."""
    world = request.app[WORLD]
    found = world.courses[path_id(request, "course", "course_id")]
    return reply(request, course_json(world, found, set(params_of(request).many("include"))))


async def course_sections(request: web.Request) -> web.Response:
    """GET courses/:id/sections: those living in the course now."""
    world = request.app[WORLD]
    course_id = path_id(request, "course", "course_id")
    living = [one for one in world.sections_by_course[course_id].values() if one.workflow_state != "deleted"]
    rows, headers = numbered(request, sorted(living, key=lambda one: one.id))
    include = set(params_of(request).many("include"))
    return reply(request, [section_json(world, one, include) for one in rows], headers=headers)


async def section(request: web.Request) -> web.Response:
    """GET sections/:id (and courses/:id/sections/:id)."""
    world = request.app[WORLD]
    found = world.sections[path_id(request, "section", "section_id")]
    if "course_id" in request.match_info and path_id(request, "course", "course_id") != found.course_id:
        raise not_found()
    return reply(request, section_json(world, found, set(params_of(request).many("include"))))


# -- enrollments and people ------------------------------------------------------------------------

_PSEUDO_STATES = {
    "current_and_invited": {"active", "invited"},
    "current_and_future": {"active", "invited"},
    "current_and_concluded": {"active", "invited", "completed"},
    "current_future_and_restricted": {"active", "invited"},
}


async def course_enrollments(request: web.Request) -> web.Response:
    """GET courses/:id/enrollments."""
    world = request.app[WORLD]
    course_id = path_id(request, "course", "course_id")
    return _enrollments(request, world.enrollments_of_course(course_id))


async def section_enrollments(request: web.Request) -> web.Response:
    """GET sections/:id/enrollments."""
    world = request.app[WORLD]
    return _enrollments(request, world.enrollments_by_section[path_id(request, "section", "section_id")])


async def user_enrollments(request: web.Request) -> web.Response:
    """GET users/:id/enrollments."""
    world = request.app[WORLD]
    return _enrollments(request, world.enrollments_by_user[path_id(request, "user", "user_id")])


def _enrollments(request: web.Request, rows: Iterable[Enrollment]) -> web.Response:
    world = request.app[WORLD]
    params = params_of(request)
    period = params.text("grading_period_id")
    if period is not None and whole_number(period) not in world.grading_periods:
        raise ApiError(400, {"error": "invalid grading_period_id"})
    states: set[str] = set()
    for one in params.many("state"):
        states |= _PSEUDO_STATES.get(one, {one})
    # An account admin sees inactive ones too; completed, deleted and rejected only when asked for.
    states = states or {"active", "invited", "creation_pending", "inactive"}
    kinds = set(params.many("type")) | set(params.many("role"))
    found = [
        one
        for one in rows
        if world.state_of(one) in states
        and (not kinds or one.type in kinds)
        and _enrollment_wanted(world, params, one)
    ]
    found.sort(key=lambda one: one.id)
    page, headers = bookmarked(request, found, lambda one: [one.id])
    include = set(params.many("include"))
    return reply(request, [enrollment_json(world, one, include) for one in page], headers=headers)


def _enrollment_wanted(world: CanvasWorld, params: Params, one: Enrollment) -> bool:
    section = world.sections[one.course_section_id]
    course = world.courses[section.course_id]
    user = params.text("user_id")
    if user is not None and resolve(world, "user", user) != one.user_id:
        return False
    facts: dict[str, Callable[[], str | None]] = {
        "sis_user_id": lambda: sis_user_id(world, one),
        "sis_section_id": lambda: section.sis_section_id,
        "sis_course_id": lambda: course.sis_course_id,
        "sis_account_id": lambda: world.accounts[course.account_id].sis_account_id,
    }
    return all(fact() in asked for name, fact in facts.items() if (asked := params.many(name)))


async def user(request: web.Request) -> web.Response:
    """GET users/:id, `self` included."""
    world = request.app[WORLD]
    found = world.users[path_id(request, "user", "user_id")]
    made = user_json(world, found)
    made["email"] = found.email
    made["permissions"] = {"can_update_name": True, "can_update_avatar": False}
    return reply(request, made)


async def admins(request: web.Request) -> web.Response:
    """GET accounts/:id/admins: only for who may manage them."""
    world = request.app[WORLD]
    if "manage_account_memberships" in world.settings.denied:
        raise forbidden(world)
    path_id(request, "account", "account_id")
    rows, headers = numbered(request, [one for one in world.users.values() if one.admin])
    answer = [
        {"id": one.id, "role": "AccountAdmin", "role_id": 1, "workflow_state": "active"}
        | {"user": user_json(world, one)}
        for one in rows
    ]
    return reply(request, answer, headers=headers)


# -- assignments -----------------------------------------------------------------------------------


async def assignments(request: web.Request) -> web.Response:
    """GET courses/:id/assignments; `due_at` is the caller's own unless override_assignment_dates=false.

    An unpublished course shows none: no grade data leaves it.
    """
    world = request.app[WORLD]
    params = params_of(request)
    place = world.courses[path_id(request, "course", "course_id")]
    found = world.live_assignments(place.id) if place.published else []
    asked = params.many("assignment_ids")
    if len(asked) > world.settings.max_per_page:
        raise ApiError(400, {"message": "Request contains too many assignment_ids."})
    if asked:
        wanted = {whole_number(one) for one in asked}
        if wanted - {one.id for one in found}:
            raise ApiError(400, {"errors": [{"message": "Invalid assignment_ids requested"}]})
        found = [one for one in found if one.id in wanted]
    flagged = params.flag("post_to_sis")
    if flagged is not None:
        found = [one for one in found if one.post_to_sis == flagged]
    text = params.text("search_term")
    if text is not None:
        found = [one for one in found if text.casefold() in one.name.casefold()]
    far = datetime.max.replace(tzinfo=world.now().tzinfo)
    order = params.text("order_by")
    if order == "name":
        found.sort(key=lambda one: one.name.casefold())
    elif order == "due_at":
        found.sort(key=lambda one: (one.due_at or far, one.id))
    rows, headers = numbered(request, found)
    include = set(params.many("include"))
    return reply(request, [_shown(world, params, one, include) for one in rows], headers=headers)


def _shown(world: CanvasWorld, params: Params, one: Any, include: set[str]) -> dict[str, Any]:
    base = params.flag("override_assignment_dates") is False
    rows = (row for row in world.submissions_by_course[one.course_id] if row.assignment_id == one.id)
    # Muted while anything is not posted under a manual policy; automatic ones are never shown as muted.
    muted = one.post_manually and any(row.posted_at is None for row in rows)
    made = assignment_json(one, include=include, base_dates=base, muted=muted)
    if "assignment_visibility" in include:
        people = world.students_of_course(one.course_id)
        made["assignment_visibility"] = [str(who) for who in people if world.is_assigned(one, who)]
    return made


async def assignment(request: web.Request) -> web.Response:
    """GET courses/:id/assignments/:id."""
    world = request.app[WORLD]
    params = params_of(request)
    place = world.courses[path_id(request, "course", "course_id")]
    number = whole_number(request.match_info["assignment_id"])
    for one in world.live_assignments(place.id):
        if one.id == number:
            return reply(request, _shown(world, params, one, set(params.many("include"))))
    raise not_found()


async def assignment_groups(request: web.Request) -> web.Response:
    """GET courses/:id/assignment_groups."""
    world = request.app[WORLD]
    params = params_of(request)
    course_id = path_id(request, "course", "course_id")
    rows, headers = numbered(request, world.groups_by_course[course_id])
    answer = [group_json(one) for one in rows]
    if "assignments" in params.many("include"):
        for made in answer:
            made["assignments"] = [
                _shown(world, params, one, set())
                for one in world.live_assignments(course_id)
                if one.assignment_group_id == made["id"]
            ]
    return reply(request, answer, headers=headers)


async def grading_periods(request: web.Request) -> web.Response:
    """GET courses/:id/grading_periods: wrapped, with JSON-API paging facts."""
    world = request.app[WORLD]
    place = world.courses[path_id(request, "course", "course_id")]
    periods = world.periods_of(place)
    rows, headers = numbered(request, periods)
    answer = [period_json(one) for one in rows]
    if answer and rows[-1] is periods[-1]:
        answer[-1]["is_last"] = True
    meta = {"pagination": {"count": len(periods), "page_count": 1}}
    return reply(request, {"grading_periods": answer, "meta": meta}, headers=headers)
