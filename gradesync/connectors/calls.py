"""One request on its way through the HTTP client: what it is, how its body asks the guard, and that no answer came.

Values for `http` alone; nothing here sends or decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
from yarl import URL

from gradesync.errors import ConnectionProblem

Body = Callable[[], AsyncIterator[bytes]]
"""A body that is not in memory: called once for every try."""


@dataclass(slots=True)
class Call:
    """One request on its way through tries. `ends_at` is a length until the first try makes it an instant."""

    method: str
    url: URL
    template: str
    headers: dict[str, str]
    body: bytes | Body | None
    timeout: aiohttp.ClientTimeout
    ends_at: float
    idempotent: bool
    guarded: bool
    authorized: bool = True
    sent_with: str = ""
    tries: int = 0
    renewals: int = 0


class GuardedBody(aiohttp.BytesPayload):
    """A body that asks the guard at the moment it is handed to the connection, its request's head along with it.

    Between an earlier look and the sending lie a wait for a connection and turns of other requests: a process that is
    frozen in there and wakes up when somebody else works in the account would still send.
    """

    def __init__(self, body: bytes, guard: Callable[[], None]) -> None:
        super().__init__(body)
        self._guard = guard
        self.refused: BaseException | None = None

    async def write_with_length(
        self, writer: aiohttp.abc.AbstractStreamWriter, content_length: int | None
    ) -> None:
        try:
            self._guard()
        except BaseException as refused:
            # The library would make it a broken connection.
            self.refused = refused
            raise
        await super().write_with_length(writer, content_length)


@dataclass(slots=True)
class Lost:
    """No answer. `unsent` means that not a byte of the request left us."""

    problem: ConnectionProblem
    unsent: bool = False
