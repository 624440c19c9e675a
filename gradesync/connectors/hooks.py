"""Calls one address that is a secret as a whole: a webhook, or a watcher that wants to hear from us.

Apart from `http`, whose log names paths: here the path is the key. Nothing is logged, nothing of an address is in an
error, redirects are not followed, cookies and proxies' settings not taken, and every address a name leads to is judged.
"""

from __future__ import annotations

import asyncio
import errno
import socket

from gradesync import __version__
from gradesync.connectors.networks import refusal
from gradesync.domain.alarm_trouble import HINTS, Trouble, hint_of_status
from gradesync.errors import NotSent

_WHOLE, _CONNECT = 20.0, 10.0
_LARGEST = 65_536


class Hooks:
    """Calls addresses; `private_hosts` as in `networks.refusal`."""

    def __init__(self, private_hosts: tuple[str, ...] = ()) -> None:
        self._private_hosts = private_hosts

    def post(self, url: str, body: bytes) -> None:
        """POST a JSON body. Raises NotSent unless the answer is 2xx."""
        asyncio.run(self._call("POST", url, body))

    def get(self, url: str) -> None:
        """GET. Raises NotSent unless the answer is 2xx."""
        asyncio.run(self._call("GET", url, None))

    def judge(self, host: str, port: int) -> None:
        """Raises NotSent for a host that leads where it may not, or nowhere."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotSent(f"the channel {Trouble.NAME}", hint=HINTS[Trouble.NAME]) from None
        # One bad address among good ones is enough here: whoever connects chooses among them.
        why = next(
            (why for one in found if (why := refusal(host, str(one[4][0]), self._private_hosts))), None
        )
        if why is not None:
            raise _elsewhere(why)

    async def _call(self, method: str, url: str, body: bytes | None) -> None:
        import aiohttp  # a pass that has nothing to tell does without, and it costs more than the rest of such a pass
        from yarl import URL

        from gradesync.connectors.resolving import GuardedResolver, RefusedAddress

        resolver = GuardedResolver(self._private_hosts)
        headers = {"User-Agent": f"gradesync/{__version__}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            target = URL(url, encoded=True)
            resolver.check_literal(target.host or "")
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(resolver=resolver),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,
                    timeout=aiohttp.ClientTimeout(total=_WHOLE, sock_connect=_CONNECT),
                ) as session,
                session.request(method, target, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.content.read(_LARGEST)
                status = answer.status
        except RefusedAddress as refused:
            raise _elsewhere(str(refused)) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            why = _trouble(problem)
            raise NotSent(f"the channel {why}", hint=HINTS[why]) from None
        if not 200 <= status < 300:
            raise NotSent(f"the channel answered {status}", hint=hint_of_status(status))


def _elsewhere(why: str) -> NotSent:
    return NotSent(
        f"the channel's host {why}",
        hint="if it is meant, have the owner name it under `private_hosts` in gradesync.yaml",
    )


def _trouble(problem: Exception) -> Trouble:
    """By the library's classes; only one of ours is kept, since its texts name the host."""
    import aiohttp

    if isinstance(problem, TimeoutError):
        return Trouble.SILENT
    if isinstance(problem, aiohttp.ClientConnectorDNSError):
        return Trouble.NAME
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        return Trouble.CERTIFICATE
    if isinstance(problem, aiohttp.ClientSSLError):
        return Trouble.TLS
    refused = isinstance(problem, OSError) and problem.errno == errno.ECONNREFUSED
    return Trouble.CLOSED if refused else Trouble.AWAY


__all__ = ["Hooks"]
