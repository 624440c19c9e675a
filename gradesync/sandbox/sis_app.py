"""The SIS over HTTP: the token endpoint and OneRoster 1.1, as one mountable aiohttp application.

Translates requests into questions to `SisWorld` and its answers into JSON; no rule about rows lives here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gradesync.sandbox import sis_auth, sis_writes
from gradesync.sandbox.sis_errors import Json, SisError, imsx_body
from gradesync.sandbox.sis_query import Page, select
from gradesync.sandbox.sis_reads import FLAT, NESTED, SINGULAR, Read, single
from gradesync.sandbox.sis_rows import API
from gradesync.sandbox.sis_world import SisWorld

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WRITABLE = ("categories", "lineItems", "results")


def build_sis_app(world: SisWorld) -> web.Application:
    """The application of one district's SIS: `POST /token` and `/ims/oneroster/v1p1/...`."""
    app = web.Application(middlewares=[_refusals_become_answers])
    app.router.add_post("/token", _token_handler(world))
    for read in FLAT:
        app.router.add_get(f"{API}/{read.path}", _collection_handler(world, read))
        app.router.add_get(f"{API}/{read.path}/{{id}}", _single_handler(world, read))
    for read in NESTED:
        app.router.add_get(f"{API}/{read.path}", _collection_handler(world, read))
    for kind in _WRITABLE:
        app.router.add_put(f"{API}/{kind}/{{id}}", _put_handler(world, kind))
        app.router.add_delete(f"{API}/{kind}/{{id}}", _delete_handler(world, kind))
    for path in ("demographics", "demographics/{id}"):
        app.router.add_get(f"{API}/{path}", _demographics_handler(world))
    return app


@web.middleware
async def _refusals_become_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except SisError as refusal:
        return _json(imsx_body(refusal.code_minor, refusal.description), refusal.status)


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(body=encoded, status=status, headers=headers, content_type="application/json")


def _token_handler(world: SisWorld) -> Handler:
    async def issue(request: web.Request) -> web.StreamResponse:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            token = world.desk.issue(request.headers.get("Authorization"), form)
        except sis_auth.TokenError as refusal:
            headers = {"WWW-Authenticate": 'Basic realm="genesis"'} if refusal.status == 401 else None
            return _json({"error": refusal.error}, refusal.status, headers)
        answer: Json = {
            "access_token": token.value,
            "token_type": "bearer",
            "scope": " ".join(sorted(token.scopes)),
        }
        if world.behaviour.send_expires_in:
            answer["expires_in"] = int(world.desk.lifetime.total_seconds())
        return _json(answer, headers={"Cache-Control": "no-store"})

    return issue


def _check(world: SisWorld, request: web.Request, *any_of: str) -> None:
    """Let a request through only with a living token that has one of the scopes, and into an active gradebook."""
    world.desk.check(request.headers.get("Authorization"), *any_of)
    if world.behaviour.gradebook_inactive and sis_auth.GRADEBOOK_SCOPES.issuperset(any_of):
        raise SisError(403, "forbidden", "the gradebook is not active")


def _collection_handler(world: SisWorld, read: Read) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        _check(world, request, *read.scopes)
        behaviour = world.behaviour
        page = select(
            read.kind,
            () if read.kind in behaviour.empty_kinds else read.rows(world, request.match_info),
            request.query,
            default_limit=behaviour.page_size,
            clamp=behaviour.page_clamp,
        )
        headers = {"X-Total-Count": str(page.total)} if behaviour.total_header else {}
        if behaviour.link_header and (links := _links(request, page, behaviour.link_origin)):
            headers["Link"] = links
        return _json({read.kind: page.rows}, headers=headers)

    return answer


def _links(request: web.Request, page: Page, origin: str | None) -> str:
    """The Link header of one page: next and prev where there are such, first and last always."""
    last = max(0, (page.total - 1) // page.limit * page.limit)
    offsets = {"first": 0, "last": last}
    if page.offset + page.limit < page.total:
        offsets["next"] = page.offset + page.limit
    if page.offset > 0:
        offsets["prev"] = max(0, page.offset - page.limit)
    kept = [(name, value) for name, value in request.query.items() if name not in ("limit", "offset")]
    root = f"{origin or request.url.origin()}{request.rel_url.raw_path}"
    links = []
    for relation, offset in offsets.items():
        query = urlencode([*kept, ("limit", page.limit), ("offset", offset)])
        links.append(f'<{root}?{query}>; rel="{relation}"')
    return ", ".join(links)


def _single_handler(world: SisWorld, read: Read) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        _check(world, request, *read.scopes)
        return _json({SINGULAR[read.kind]: single(read, world, request.match_info["id"])})

    return answer


def _put_handler(world: SisWorld, kind: str) -> Handler:
    async def put(request: web.Request) -> web.StreamResponse:
        _check(world, request, sis_auth.GRADEBOOK_PUT)
        created = sis_writes.put(world, kind, request.match_info["id"], await _decoded(request))
        return web.Response(status=201 if created else 200)

    return put


async def _decoded(request: web.Request) -> Any:
    try:
        # Python's reader would take NaN and Infinity, which are no JSON numbers.
        return json.loads(await request.read(), parse_constant=_no_constant)
    except ValueError:
        raise SisError(400, "invaliddata", "the body is not JSON") from None


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _delete_handler(world: SisWorld, kind: str) -> Handler:
    async def delete(request: web.Request) -> web.StreamResponse:
        _check(world, request, sis_auth.GRADEBOOK_DELETE)
        sis_writes.delete(world, kind, request.match_info["id"])
        return web.Response(status=204)

    return delete


def _demographics_handler(world: SisWorld) -> Handler:
    async def refuse(request: web.Request) -> web.StreamResponse:
        _check(world, request, *sis_auth.KNOWN_SCOPES)
        raise SisError(403, "forbidden", "demographics are not shared")

    return refuse
