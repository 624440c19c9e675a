"""The Canvas side as an aiohttp application: routes to handlers, and the gate every request passes.

Holds the map of endpoints and nothing else. An unknown path answers 404 in Canvas's form.
"""

from __future__ import annotations

from aiohttp import web

from gradesync.sandbox import canvas_import_api as imports
from gradesync.sandbox import canvas_keys as keys
from gradesync.sandbox import canvas_rest as rest
from gradesync.sandbox import canvas_sis_api as sis_api
from gradesync.sandbox.canvas_graphql import graphql
from gradesync.sandbox.canvas_http import WORLD, Handler, gate
from gradesync.sandbox.canvas_submissions import course_submissions, section_submissions
from gradesync.sandbox.canvas_world import CanvasWorld

_GET: dict[str, Handler] = {
    "/accounts": rest.accounts,
    "/accounts/{account_id}": rest.account,
    "/accounts/{account_id}/sub_accounts": rest.sub_accounts,
    "/accounts/{account_id}/terms": rest.terms,
    "/accounts/{account_id}/users": rest.account_users,
    "/accounts/{account_id}/admins": rest.admins,
    "/accounts/{account_id}/permissions": keys.permissions,
    "/accounts/{account_id}/courses": rest.account_courses,
    "/accounts/{account_id}/courses/{course_id}": rest.course,
    "/courses/{course_id}": rest.course,
    "/courses/{course_id}/sections": rest.course_sections,
    "/courses/{course_id}/sections/{section_id}": rest.section,
    "/sections/{section_id}": rest.section,
    "/courses/{course_id}/enrollments": rest.course_enrollments,
    "/sections/{section_id}/enrollments": rest.section_enrollments,
    "/users/{user_id}/enrollments": rest.user_enrollments,
    "/users/{user_id}": rest.user,
    "/users/{user_id}/profile": rest.user,
    "/users/{user_id}/user_generated_tokens": keys.own_tokens,
    "/courses/{course_id}/assignments": rest.assignments,
    "/courses/{course_id}/assignments/{assignment_id}": rest.assignment,
    "/courses/{course_id}/assignment_groups": rest.assignment_groups,
    "/courses/{course_id}/grading_periods": rest.grading_periods,
    "/courses/{course_id}/students/submissions": course_submissions,
    "/sections/{section_id}/students/submissions": section_submissions,
    "/accounts/{account_id}/sis_imports": imports.listing,
    "/accounts/{account_id}/sis_imports/importing": imports.importing,
    "/accounts/{account_id}/sis_imports/{import_id}": imports.one,
    "/accounts/{account_id}/sis_imports/{import_id}/errors": imports.errors,
    "/accounts/{account_id}/sis_import_errors": imports.errors,
}


def build_canvas_app(world: CanvasWorld) -> web.Application:
    """An application serving `/api/v1`, `/api/sis` and `/api/graphql` of the world, to be mounted under any prefix.

    Links and ids are absolute to where the request came in, so the prefix is part of them.
    """
    # Zips of a whole district come in one piece.
    app = web.Application(middlewares=[gate(world)], client_max_size=256 * 1024 * 1024)
    app[WORLD] = world
    for path, handler in _GET.items():
        # A HEAD beside every GET would double the table that routing walks through.
        app.router.add_get(f"/api/v1{path}", handler, allow_head=False)
    app.router.add_get(
        "/api/sis/accounts/{account_id}/assignments", sis_api.account_assignments, allow_head=False
    )
    app.router.add_get(
        "/api/sis/courses/{course_id}/assignments", sis_api.course_assignments, allow_head=False
    )
    app.router.add_post("/api/graphql", graphql)
    app.router.add_post("/api/v1/accounts/{account_id}/sis_imports", imports.start)
    app.router.add_put("/api/v1/accounts/{account_id}/sis_imports/abort_all_pending", imports.abort_all)
    app.router.add_put("/api/v1/accounts/{account_id}/sis_imports/{import_id}/abort", imports.abort)
    app.router.add_put(
        "/api/v1/accounts/{account_id}/sis_imports/{import_id}/restore_states", imports.restore_states
    )
    imports.install(app)
    return app
