"""POST /api/graphql: reading the request, the limits, running the query, and Canvas's way of saying no.

Failures are HTTP 200 with `errors`; only an address that is switched off answers 404. What the types hold is
`canvas_graphql_schema`'s.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from graphql import GraphQLError, execute_sync, parse, validate

from gradesync.sandbox.canvas_graphql_limits import MAX_TOKENS, Weigher
from gradesync.sandbox.canvas_graphql_schema import root, schema
from gradesync.sandbox.canvas_http import WORLD, ApiError, not_found, reply
from gradesync.sandbox.canvas_world import CanvasWorld


async def graphql(request: web.Request) -> web.Response:
    """The endpoint."""
    world = request.app[WORLD]
    if not world.settings.graphql:
        raise not_found()
    try:
        asked = json.loads(await request.text())
    except ValueError:
        raise ApiError(
            400, {"errors": [{"message": "There was a problem in the JSON you submitted"}]}
        ) from None
    if not isinstance(asked, dict):
        raise ApiError(400, {"errors": [{"message": "An object was expected"}]})
    return reply(request, _answer(world, str(asked.get("query") or ""), asked.get("variables") or {}))


def _answer(world: CanvasWorld, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    try:
        document = parse(query, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        return {"errors": [error.formatted]}
    problems = validate(schema(), document, max_errors=100)
    if problems:
        return {"errors": [one.formatted for one in problems]}
    complaint = Weigher(document, variables).complaint(world.settings.max_complexity)
    if complaint is not None:
        return {"errors": [{"message": complaint}]}
    result = execute_sync(schema(), document, root_value=root(world), variable_values=variables)
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [one.formatted for one in result.errors]
    if result.data is not None or not result.errors:
        answer["data"] = result.data
    return answer
