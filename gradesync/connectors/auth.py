"""How a request proves who we are: a fixed bearer token, or one fetched with client credentials.

Holds secrets' values for the life of a run and hands them to nobody but `http`, which pins where they go. Nothing
here logs, and no repr shows a value.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode

from gradesync.connectors.links import BadAddress, Origin, trusted_origin
from gradesync.connectors.wire import Malformed, decode
from gradesync.errors import ConnectionProblem

PostForm = Callable[[str, bytes, str | None], Awaitable[bytes]]
"""Posts a form to a token address: (address, form, Authorization header or None) -> body of a 2xx answer."""

_EARLY = 60.0
_LIFETIME_UNSAID = 600.0


class Auth(Protocol):
    """What `http` asks before each request."""

    def current(self) -> str | None:
        """The Authorization header, or None when one must be fetched first."""
        ...

    async def renew(self, post: PostForm) -> str:
        """Fetch (once for all who wait) and answer the header."""
        ...

    def drop(self, header: str) -> bool:
        """The other side refused `header`; True when a new one can be had."""
        ...

    def check(self, home: Origin) -> None:
        """Raises BadAddress when the credentials would have to go where they may not."""
        ...


class BearerToken:
    """A token made by hand in Canvas; nothing can renew it."""

    def __init__(self, value: str) -> None:
        self._header = f"Bearer {_visible(value, hint=_LOOK)}"

    def current(self) -> str | None:
        """The header, always."""
        return self._header

    async def renew(self, post: PostForm) -> str:  # noqa: ARG002 - the protocol's shape
        """The same header."""
        return self._header

    def drop(self, header: str) -> bool:  # noqa: ARG002 - the protocol's shape
        """Nothing to renew."""
        return False

    def check(self, home: Origin) -> None:
        """The token goes to the client's own origin only."""


class ClientCredentials:
    """OAuth 2 client credentials (oneroster.md 1.2): one token shared by all requests of a run.

    `token_url` must be on the host of the service unless `other_host` says that the account names it explicitly.
    Basic authentication is tried first, form fields after a 400 or 401; `in_form` begins with them. `clock` is
    monotonic seconds.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret: str,
        scopes: Sequence[str] = (),
        *,
        other_host: bool = False,
        in_form: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = token_url
        self._id = client_id
        self._secret = secret
        self._scopes = " ".join(scopes)
        self._other_host = other_host
        self._clock = clock
        self._lock = asyncio.Lock()
        self._header: str | None = None
        self._fresh_until = 0.0
        self._in_form = in_form
        self._refused: ConnectionProblem | None = None
        self.granted: frozenset[str] | None = None
        """The scopes of the last token; None where the server did not say (RFC 6749, 5.1: then all asked for)."""

    def check(self, home: Origin) -> None:
        """Raises BadAddress when the token address is not trusted or on another host than `home`."""
        there = trusted_origin(self._url)
        if there.host != home.host and not self._other_host:
            raise BadAddress("the token address is on another host than the service")

    def current(self) -> str | None:
        """The header while the token is fresh."""
        return self._header if self._clock() < self._fresh_until else None

    def drop(self, header: str) -> bool:
        """Forget the token if it is still the refused one (another request may have renewed it meanwhile)."""
        if self._header == header:
            self._header = None
            self._fresh_until = 0.0
        return True

    async def renew(self, post: PostForm) -> str:
        """Fetch a token, single flight. Raises GS-202 or GS-203 when the credentials are refused."""
        async with self._lock:
            header = self.current()
            if header is not None:
                return header
            if self._refused is not None:
                # Asking again with a refused secret only gets accounts locked.
                raise self._refused
            try:
                return self._accept(decode(await self._fetch(post)))
            except Malformed:
                raise ConnectionProblem("The token endpoint did not answer JSON.", code="GS-599") from None
            except ConnectionProblem as problem:
                if not problem.retryable:
                    self._refused = problem
                raise

    async def _fetch(self, post: PostForm) -> bytes:
        if not self._in_form:
            try:
                return await post(self._url, self._form(with_secret=False), self._basic())
            except ConnectionProblem as problem:
                if problem.status not in (400, 401):
                    raise
        try:
            body = await post(self._url, self._form(with_secret=True), None)
        except ConnectionProblem as problem:
            raise self._explained(problem) from None
        self._in_form = True
        return body

    def _basic(self) -> str:
        # RFC 6749 2.3.1: both halves are form-encoded before they are joined.
        pair = f"{quote_plus(self._id)}:{quote_plus(self._secret)}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")

    def _form(self, *, with_secret: bool) -> bytes:
        fields = {"grant_type": "client_credentials"}
        if self._scopes:
            fields["scope"] = self._scopes
        if with_secret:
            fields |= {"client_id": self._id, "client_secret": self._secret}
        return urlencode(fields).encode("ascii")

    def _explained(self, problem: ConnectionProblem) -> ConnectionProblem:
        if problem.status not in (400, 401):
            return problem
        code = "GS-203" if "scope" in problem.vendor_text.lower() else "GS-202"
        return ConnectionProblem(
            "The SIS gave no access token for the client id and secret.",
            code=code,
            status=problem.status,
            vendor_text=problem.vendor_text,
        )

    def _accept(self, answer: Any) -> str:
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise ConnectionProblem("The token endpoint answered without a token.", code="GS-599")
        scope = answer.get("scope")
        self.granted = frozenset(scope.split()) if isinstance(scope, str) and scope.strip() else None
        life = answer.get("expires_in")
        try:
            seconds = float(life) if life is not None else _LIFETIME_UNSAID
        except (TypeError, ValueError, OverflowError):
            seconds = _LIFETIME_UNSAID
        # A very short life still gets half of itself, or every request would fetch a token.
        self._fresh_until = self._clock() + max(seconds - _EARLY, seconds / 2)
        self._header = f"Bearer {_visible(token)}"
        return self._header


_LOOK = "`gradesync doctor --secrets` says which one it is, and what is wrong with it"


def _visible(token: str, hint: str | None = None) -> str:
    """The token without blanks around it; a line break inside would write headers of its own."""
    value = token.strip()
    if not value or not value.isascii() or any(c <= " " or c == "\x7f" for c in value):
        raise ConnectionProblem("A token holds characters that no token has.", code="GS-207", hint=hint)
    return value
