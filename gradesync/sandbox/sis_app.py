"""The SIS over HTTP: the token endpoint and OneRoster 1.1 and 1.2, as one mountable aiohttp application.

Translates requests into questions to `SisWorld` and its answers into JSON; no rule about rows lives here. The two
versions share every handler: a `Dialect` says where one is served and how it words a row.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gradesync.sandbox import sis_auth, sis_writes
from gradesync.sandbox.sis_dialect import DIALECTS, V1P2, Dialect
from gradesync.sandbox.sis_errors import Json, SisError, error_answer
from gradesync.sandbox.sis_links import link_header
from gradesync.sandbox.sis_reads import SINGULAR, Read, reads_of, single
from gradesync.sandbox.sis_serving import served, total_header
from gradesync.sandbox.sis_world import SisWorld
from gradesync.sandbox.sis_writes import Written

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WRITABLE = ("categories", "lineItems", "results")
# Where 1.2 lets several objects be created at once, by the official file.
_POSTS = (
    ("classes/{class}/lineItems", "lineItems"),
    ("schools/{school}/lineItems", "lineItems"),
    ("lineItems/{line_item}/results", "results"),
    ("classes/{class}/academicSessions/{session}/results", "results"),
)
_CODES_OF_HTTP = {404: "unknownobject", 405: "forbidden"}


def build_sis_app(world: SisWorld) -> web.Application:
    """The application of one district's SIS: `POST /token` and OneRoster 1.1 and 1.2 below `/ims/oneroster`."""
    app = web.Application(middlewares=[_refusals_become_answers(world)])
    app.router.add_post("/token", _token_handler(world))
    for dialect in DIALECTS.values():
        _add_reads(app, world, dialect)
        _add_writes(app, world, dialect)
    return app


def _add_reads(app: web.Application, world: SisWorld, dialect: Dialect) -> None:
    flat, nested = reads_of(dialect)
    for read in (*flat, *nested):
        address = f"{dialect.api_of(read.kind)}/{read.path}"
        app.router.add_get(address, _collection_handler(world, dialect, read))
        if read in flat:
            app.router.add_get(f"{address}/{{id}}", _single_handler(world, dialect, read))
    for path in ("demographics", "demographics/{id}"):
        app.router.add_get(f"{dialect.rostering}/{path}", _demographics_handler(world, dialect))


def _add_writes(app: web.Application, world: SisWorld, dialect: Dialect) -> None:
    base = dialect.gradebook
    for kind in _WRITABLE:
        app.router.add_put(f"{base}/{kind}/{{id}}", _put_handler(world, dialect, kind))
        app.router.add_delete(f"{base}/{kind}/{{id}}", _delete_handler(world, dialect, kind))
    if dialect is V1P2:
        for path, kind in _POSTS:
            app.router.add_post(f"{base}/{path}", _post_handler(world, dialect, kind))


def _refusals_become_answers(world: SisWorld) -> Any:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except SisError as refusal:
            return _refused(refusal, world.behaviour.error_form)
        except web.HTTPException as plain:
            if plain.status not in _CODES_OF_HTTP or "/v1p2/" not in request.path:
                raise
            # The 1.2 binding gives every error a body; 1.1 servers were seen to answer with whatever they have.
            missing = SisError(plain.status, _CODES_OF_HTTP[plain.status], "there is no such endpoint here")
            return _refused(missing, world.behaviour.error_form)

    return answer


def _refused(refusal: SisError, form: str) -> web.Response:
    text, kind = error_answer(refusal, form)
    return web.Response(text=text, status=refusal.status, content_type=kind)


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(body=encoded, status=status, headers=headers, content_type="application/json")


def _token_handler(world: SisWorld) -> Handler:
    async def issue(request: web.Request) -> web.StreamResponse:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        header, way = request.headers.get("Authorization"), world.behaviour.credentials_in
        if way == "basic":
            form = {name: value for name, value in form.items() if not name.startswith("client_")}
        try:
            token = world.desk.issue(None if way == "form" else header, form)
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


def _check(world: SisWorld, dialect: Dialect, request: web.Request, *any_of: str) -> None:
    """Let a request through only with a living token that has one of the scopes, and into an active gradebook."""
    uris = (dialect.scopes + name for name in any_of)
    world.desk.check(request.headers.get("Authorization"), *uris, uses=world.behaviour.token_uses)
    if needed := world.behaviour.needs_header:
        name, value = needed
        if request.headers.get(name) != value:
            raise SisError(403, "forbidden", "the vendor is not known")
    if world.behaviour.gradebook_inactive and sis_auth.GRADEBOOK_SCOPES.issuperset(any_of):
        raise SisError(403, "forbidden", "the gradebook is not active")


def _shower(world: SisWorld, dialect: Dialect, kind: str) -> Callable[[Json], Json]:
    root = world.root
    return lambda row: dialect.show(kind, row, root, world.school_of_class)


def _collection_handler(world: SisWorld, dialect: Dialect, read: Read) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        _check(world, dialect, request, *read.scopes)
        behaviour = world.behaviour
        page = served(world, dialect, read, request.match_info, request.query)
        headers = {"X-Total-Count": total_header(behaviour, page)} if behaviour.total_header else {}
        if behaviour.link_header:
            headers["Link"] = link_header(request, page, behaviour)
        envelope = f"{read.path.rpartition('/')[2]}List" if behaviour.wrong_envelope else read.kind
        return _json({envelope: page.rows}, headers=headers)

    return answer


def _single_handler(world: SisWorld, dialect: Dialect, read: Read) -> Handler:
    show = _shower(world, dialect, read.kind)

    async def answer(request: web.Request) -> web.StreamResponse:
        _check(world, dialect, request, *read.scopes)
        return _json({SINGULAR[read.kind]: show(single(read, world, request.match_info["id"]))})

    return answer


def _put_handler(world: SisWorld, dialect: Dialect, kind: str) -> Handler:
    show = _shower(world, dialect, kind)

    async def put(request: web.Request) -> web.StreamResponse:
        _check(world, dialect, request, sis_auth.GRADEBOOK_PUT)
        written = sis_writes.put(world, dialect, kind, request.match_info["id"], await _decoded(request))
        status = _status(world, dialect, written)
        if world.behaviour.write_mode == "server-ids" or written.renamed:
            return _json({SINGULAR[kind]: show(written.row)}, status)
        return web.Response(status=status)

    return put


def _status(world: SisWorld, dialect: Dialect, written: Written) -> int:
    """201 for what is new, 200 for what is not; the official 1.2 file knows 201 alone."""
    if world.behaviour.accept_later:
        return 202
    if world.behaviour.forget_writes:
        return 200
    return 201 if written.created or dialect.strict else 200


def _post_handler(world: SisWorld, dialect: Dialect, kind: str) -> Handler:
    async def post(request: web.Request) -> web.StreamResponse:
        _check(world, dialect, request, sis_auth.GRADEBOOK_POST)
        pairs = sis_writes.post(world, dialect, kind, dict(request.match_info), await _decoded(request))
        return _json({"sourcedIdPairs": pairs}, 202 if world.behaviour.accept_later else 201)

    return post


async def _decoded(request: web.Request) -> Any:
    try:
        # Python's reader would take NaN and Infinity, which are no JSON numbers.
        return json.loads(await request.read(), parse_constant=_no_constant)
    except ValueError:
        raise SisError(400, "invaliddata", "the body is not JSON") from None


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _delete_handler(world: SisWorld, dialect: Dialect, kind: str) -> Handler:
    async def delete(request: web.Request) -> web.StreamResponse:
        _check(world, dialect, request, sis_auth.GRADEBOOK_DELETE)
        sis_writes.delete(world, kind, request.match_info["id"])
        return web.Response(status=204)

    return delete


def _demographics_handler(world: SisWorld, dialect: Dialect) -> Handler:
    async def refuse(request: web.Request) -> web.StreamResponse:
        _check(world, dialect, request, *sis_auth.GRADEBOOK_SCOPES, *sis_auth.ROSTER_SCOPES)
        raise SisError(403, "forbidden", "demographics are not shared")

    return refuse
