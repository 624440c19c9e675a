"""What every Canvas request goes through: User-Agent, throttle, token, ids in paths, JSON out, errors.

No endpoint here. Error bodies and their odd status codes follow Canvas's own: a client must tell four
meanings of 403 apart and must not refresh its token on a 401 without `WWW-Authenticate`.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from gradesync.sandbox.canvas_state import CanvasSettings
from gradesync.sandbox.canvas_world import CanvasWorld

WORLD: web.AppKey[CanvasWorld] = web.AppKey("canvas_world", CanvasWorld)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_YES = frozenset({"true", "t", "yes", "y", "on", "1"})
_CHALLENGE = {"www-authenticate": 'Bearer realm="canvas-lms"'}


class ApiError(Exception):
    """An answer that is not 2xx; `body` is JSON or, as text, sent as text/plain."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def not_found() -> ApiError:
    """404 in Canvas's form; an unknown SIS id looks the same."""
    return ApiError(404, {"errors": [{"message": "The specified resource does not exist."}]})


def forbidden(world: CanvasWorld) -> ApiError:
    """No permission: 401 without a challenge on older sites, 403 on newer ones."""
    body = {
        "status": "unauthorized",
        "errors": [{"message": "user not authorized to perform that action"}],
    }
    return ApiError(world.settings.forbidden_status, body)


class Params:
    """Query (or form) parameters with Canvas's reading of lists and booleans."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def text(self, name: str) -> str | None:
        """The value, None when absent or blank."""
        value = self._source.get(name)
        return value if isinstance(value, str) and value else None

    def many(self, name: str) -> list[str]:
        """All values of `name[]` and of `name`."""
        return [*self._source.getall(f"{name}[]", []), *self._source.getall(name, [])]

    def present(self, name: str) -> bool:
        """Whether the parameter was sent at all, whatever its value."""
        return name in self._source or f"{name}[]" in self._source

    def flag(self, name: str) -> bool | None:
        """A boolean in any of Canvas's spellings; None when absent."""
        value = self._source.get(name)
        return None if value is None else str(value).lower() in _YES


def params_of(request: web.Request) -> Params:
    """The query parameters of a request."""
    return Params(request.query)


@lru_cache(maxsize=65536)
def stamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second: what Canvas shows (it keeps more than it shows)."""
    return None if moment is None else f"{moment.isoformat()[:19]}Z"


def reply(
    request: web.Request, payload: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A JSON answer; ids become strings when the client asks for them."""
    if "json+canvas-string-ids" in request.headers.get("Accept", ""):
        payload = _string_ids(payload)
    body = json.dumps(payload, separators=(",", ":")).encode()
    sent = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return web.Response(body=body, status=status, headers=sent)


def _string_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_string_ids(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {key: _string_id(key, entry) for key, entry in value.items()}


def _string_id(key: Any, value: Any) -> Any:
    if isinstance(key, str) and (key == "id" or key.endswith("_id")) and type(value) is int:
        return str(value)
    if isinstance(key, str) and key.endswith("_ids") and isinstance(value, list):
        return [str(entry) for entry in value]
    return _string_ids(value)


# -- ids in paths ----------------------------------------------------------------------------------


def resolve(world: CanvasWorld, kind: str, text: str) -> int | None:
    """A Canvas id from a number, a `sis_*_id:` reference or a special word; None when unknown.

    Kinds: account, term, course, section, user. Deleted records do not resolve.
    """
    prefix, colon, value = text.strip().partition(":")
    if prefix == "hex" and colon:
        prefix, colon, value = value.partition(":")
        try:
            value = bytes.fromhex(value).decode("utf-8")
        except (ValueError, UnicodeDecodeError):
            return None
    if colon:
        found = _by_reference(world, kind, prefix, value.strip())
    elif prefix.isdecimal():
        found = int(prefix)
    else:
        found = _special(world, kind, prefix)
    record = _records(world, kind).get(found) if found is not None else None
    return None if record is None or record.workflow_state == "deleted" else found


def _records(world: CanvasWorld, kind: str) -> dict[int, Any]:
    tables: dict[str, dict[int, Any]] = {
        "account": world.accounts,
        "term": world.terms,
        "course": world.courses,
        "section": world.sections,
        "user": world.users,
    }
    return tables[kind]


def _by_reference(world: CanvasWorld, kind: str, prefix: str, value: str) -> int | None:
    if kind == "user":
        if prefix == "sis_user_id":
            login = world.login_by_sis(value)
        elif prefix == "sis_login_id":
            login = world.login_by_name(value)
        elif prefix == "sis_integration_id":
            login = next((one for one in world.logins.values() if one.integration_id == value), None)
        else:
            return None
        return None if login is None or login.workflow_state == "deleted" else login.user_id
    if prefix == f"sis_{kind}_id":
        return world.id_of(kind, value)
    if prefix == "sis_integration_id":
        return next((one.id for one in _records(world, kind).values() if one.integration_id == value), None)
    return None


def _special(world: CanvasWorld, kind: str, word: str) -> int | None:
    if kind == "account" and word in ("self", "default"):
        return world.root_account_id
    if kind == "user" and word == "self":
        return world.admin_id
    if kind == "term" and word == "default":
        return world.default_term.id
    if kind == "term" and word == "current":
        moment = world.now()
        running = [
            one.id
            for one in world.terms.values()
            if one.start_at is not None and one.end_at is not None and one.start_at <= moment <= one.end_at
        ]
        return running[0] if len(running) == 1 else None
    return None


def path_id(request: web.Request, kind: str, name: str) -> int:
    """The id in a path position; 404 when it names nothing."""
    found = resolve(request.app[WORLD], kind, request.match_info[name])
    if found is None:
        raise not_found()
    return found


def _raw_dot(request: web.Request) -> bool:
    """Whether a SIS id in the path carries an unencoded dot, which Canvas takes for a format suffix."""
    path = request.raw_path.partition("?")[0]
    return "sis_" in path and any(
        part.startswith("sis_") and ":" in part.replace("%3A", ":") and "." in part
        for part in path.split("/")
    )


# -- the throttle ----------------------------------------------------------------------------------


class Bucket:
    """A leaky bucket of one client: a request in flight holds `up_front`; its cost stays and leaks away."""

    def __init__(self, settings: CanvasSettings) -> None:
        self._settings = settings
        self._level = 0.0
        self._held = 0.0
        self._at = time.monotonic()

    def _leak(self) -> None:
        moment = time.monotonic()
        self._level = max(0.0, self._level - (moment - self._at) * self._settings.outflow)
        self._at = moment

    def enter(self) -> bool:
        """Takes the up-front cost; False (and nothing taken) when that fills the bucket."""
        self._leak()
        if self._level + self._held + self._settings.up_front >= self._settings.high_water_mark:
            return False
        self._held += self._settings.up_front
        return True

    def leave(self, cost: float) -> float:
        """Gives the up-front cost back, adds the true one; returns what remains to the mark."""
        self._leak()
        self._held = max(0.0, self._held - self._settings.up_front)
        self._level = min(self._level + cost, self._settings.maximum)
        return max(0.0, self._settings.high_water_mark - self._level - self._held)


def _refusal(status: int) -> ApiError:
    words = "429 Too Many Requests" if status == 429 else "403 Forbidden"
    return ApiError(status, f"{words} (Rate Limit Exceeded)\n", {"x-rate-limit-remaining": "0.0"})


# -- the one middleware ----------------------------------------------------------------------------


def gate(world: CanvasWorld) -> Middleware:
    """The way in for every request, in Canvas's order: User-Agent, throttle, token, then the endpoint."""
    buckets: dict[str, Bucket] = {}

    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.headers.get("User-Agent", "").strip():
            raise ApiError(403, {"error": "Forbidden", "message": _NO_AGENT})
        token = _token(request)
        if token is None:
            words = [{"message": "user authorization required"}]
            raise ApiError(401, {"status": "unauthenticated", "errors": words}, _CHALLENGE)
        if token != world.token:
            raise ApiError(401, {"errors": [{"message": "Invalid access token."}]}, _CHALLENGE)
        bucket = buckets.setdefault(token, Bucket(world.settings))
        if not bucket.enter():
            raise _refusal(world.settings.throttle_status)
        cost = world.settings.request_cost
        remaining = world.settings.high_water_mark
        try:
            if world.settings.hold_seconds:
                await asyncio.sleep(world.settings.hold_seconds)
            if _raw_dot(request):
                raise not_found()
            response = await handler(request)
        except ApiError as error:
            response = _error(request, error)
        finally:
            remaining = bucket.leave(cost)
        response.headers["x-request-cost"] = str(cost)
        response.headers["x-rate-limit-remaining"] = f"{remaining:.3f}"
        return response

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await answer(request, handler)
        except ApiError as error:
            response = _error(request, error)
        except web.HTTPNotFound:
            response = _error(request, not_found())
        response.headers["date"] = http_date(_shown_now(world))
        return response

    return middleware


def _shown_now(world: CanvasWorld) -> datetime:
    """What the Date header says: the world's time, on a clock that may be wrong."""
    return (world.now() + timedelta(seconds=world.settings.clock_ahead)).replace(microsecond=0)


_NO_AGENT = "You are not authorized to access this site because you have not provided a valid user agent."


@lru_cache(maxsize=4)
def http_date(moment: datetime) -> str:
    """A moment as an HTTP date."""
    return format_datetime(moment, usegmt=True)


def _token(request: web.Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.query.get("access_token") or None


def _error(request: web.Request, error: ApiError) -> web.Response:
    if isinstance(error.body, str):
        sent = {"content-type": "text/plain; charset=utf-8", **error.headers}
        return web.Response(text=error.body, status=error.status, headers=sent)
    return reply(request, error.body, status=error.status, headers=error.headers)


def whole_number(text: str) -> int | None:
    """An integer as Canvas's `to_i` would find it, None when there is none."""
    return int(text) if text.strip().lstrip("-").isdecimal() else None


def decode_bookmark(text: str) -> list[Any]:
    """The key inside a bookmark; 404 for anything else, as Canvas answers."""
    try:
        padded = text + "=" * (-len(text) % 4)
        found = json.loads(binascii.a2b_base64(padded.replace("-", "+").replace("_", "/").encode()))
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise not_found() from None
    if not isinstance(found, list):
        raise not_found()
    return found
