"""Answers that break a careless client: JSON that ends in the middle, far too much of it, or a byte at a time.

Each takes an answer whose request took effect and sends something else in its place. Which request gets one is
`faults.py`'s choice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

_HUGE_BYTES = 50 * 1024 * 1024
_CHUNK = b" " * 65536
_LORIS_SECONDS = 0.5


async def _truncated(_request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """A whole answer as HTTP sees it, half an answer as JSON sees it."""
    body = _body_of(response)
    return web.Response(body=body[: len(body) // 2], status=response.status, content_type="application/json")


async def _huge(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The answer, valid to its end, after 50 MB of white space."""
    stream = await _begin(request, response)
    sent = 0
    while sent < _HUGE_BYTES and await _send(request, stream, _CHUNK):
        sent += len(_CHUNK)
    await _send(request, stream, _body_of(response))
    return stream


async def _slow_loris(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The answer one byte at a time, with a pause after each: no pause is long enough to call the server dead."""
    stream = await _begin(request, response)
    for byte in _body_of(response):
        if not await _send(request, stream, bytes((byte,))):
            break
        await asyncio.sleep(_LORIS_SECONDS)
    return stream


async def _begin(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    await stream.prepare(request)
    return stream


async def _send(request: web.Request, stream: web.StreamResponse, part: bytes) -> bool:
    """Whether the client is still there to take it."""
    if request.transport is None or request.transport.is_closing():
        return False
    try:
        await stream.write(part)
    except ConnectionError:
        return False
    return True


def _body_of(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else None
    # An answer without a body has nothing to be cut or slowed down: then these bytes stand for it.
    return body if isinstance(body, bytes) and body else b'{"sandbox": "nothing"}'


ODD_ANSWERS: Mapping[str, Callable[[web.Request, web.StreamResponse], Awaitable[web.StreamResponse]]] = {
    "truncated-json": _truncated,
    "huge-answer": _huge,
    "slow-loris": _slow_loris,
}
