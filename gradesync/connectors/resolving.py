"""The resolver of the HTTP client: every address a name leads to is judged before anything connects to it.

Judging here, and not when a file is read, leaves no moment between the look and the use. What is allowed stands in
`networks`.
"""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from gradesync.connectors.networks import literal, refusal


class RefusedAddress(Exception):
    """A host leads where it may not. Not an OSError: the library takes those for trouble that passes."""


class GuardedResolver(AbstractResolver):
    """The system's resolver with the guard of `networks.refusal`. Raises RefusedAddress when no address is left."""

    def __init__(self, private_hosts: tuple[str, ...] = ()) -> None:
        self._private_hosts = private_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host` that may be contacted."""
        found = await ThreadedResolver().resolve(host, port, family)
        refused = [refusal(host, one["host"], self._private_hosts) for one in found]
        good = [one for one, why in zip(found, refused, strict=True) if why is None]
        if found and not good:
            raise RefusedAddress(refused[0])
        return good

    def check_literal(self, host: str) -> None:
        """The same for a host that is an address and so is never resolved. Raises RefusedAddress."""
        address = literal(host)
        why = None if address is None else refusal(host, address, self._private_hosts)
        if why is not None:
            raise RefusedAddress(why)

    async def close(self) -> None:
        """Nothing is kept open."""
