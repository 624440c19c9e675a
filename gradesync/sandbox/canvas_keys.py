"""What a Canvas tells a token about itself: its rights on the account, and when hand-made tokens end.

Accounts API `GET accounts/:id/permissions`; Access Tokens API `GET users/:id/user_generated_tokens`. A token's value is
never among the answers, only its first characters.
"""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from gradesync.sandbox.canvas_http import WORLD, not_found, params_of, path_id, reply, stamp

_ROLE = frozenset(
    (
        "read_course_list",
        "read_roster",
        "view_all_grades",
        "read_sis",
        "import_sis",
        "manage_sis",
    )
)
"""What the sandbox's service user may do; `become_user` is none of it."""
_HINT = 5


async def permissions(request: web.Request) -> web.Response:
    """GET accounts/:id/permissions: of the calling user, those asked for."""
    world = request.app[WORLD]
    path_id(request, "account", "account_id")
    settings = world.settings
    if not settings.tells_rights:
        raise not_found()
    held = (_ROLE - settings.denied) | settings.extra_rights
    return reply(request, {name: name in held for name in params_of(request).many("permissions")})


async def own_tokens(request: web.Request) -> web.Response:
    """GET users/:id/user_generated_tokens: the tokens of the calling user."""
    world = request.app[WORLD]
    if path_id(request, "user", "user_id") != world.admin_id or not world.settings.tells_tokens:
        raise not_found()
    ends = world.settings.token_days
    row = {
        "id": 1,
        "purpose": "gradesync",
        "token_hint": world.token[:_HINT],
        "expires_at": None if ends is None else stamp(world.now() + timedelta(days=ends)),
        "workflow_state": "active",
    }
    return reply(request, [row])
