"""The one HTTP client: authentication, one origin, throttling, retries, size limits, and silence in the logs.

The only module that knows aiohttp. Knows no endpoint and no wire shape; what an answer means stands in `errors`,
where a request may go in `links`. Log records carry method, side, path template, status and time, nothing else:
never an id, a query, a body or a token.
"""

from __future__ import annotations

import asyncio
import logging
import random as random_module
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from gradesync import __version__
from gradesync.connectors import errors
from gradesync.connectors.absence import Absences
from gradesync.connectors.auth import Auth
from gradesync.connectors.calls import Body, Call, GuardedBody, Lost
from gradesync.connectors.errors import Side
from gradesync.connectors.gate import Gate
from gradesync.connectors.links import BadAddress, query_of_link, segment, trusted_origin
from gradesync.connectors.reply import Reply
from gradesync.connectors.resolving import GuardedResolver, RefusedAddress
from gradesync.connectors.retry import RetryPolicy, Timeouts, retry_after
from gradesync.connectors.telling import tell_unknown, tell_wait
from gradesync.errors import ConnectionProblem

_log = logging.getLogger("gradesync.http")

USER_AGENT = f"gradesync/{__version__}"
"""Canvas refuses requests without a User-Agent (canvas.md 1.1)."""

Query = Iterable[tuple[str, str]]

_LOW_BUCKET = 150.0
_LARGEST_ERROR = 65_536
# A server that revokes tokens may revoke the next one too before it was used; more than that is a refusal.
_RENEWALS = 3
_JSON = {"Content-Type": "application/json"}
_TIMEOUTS = Timeouts()
_RETRIES = RetryPolicy()


@lru_cache(maxsize=256)
def _query_text(query: tuple[tuple[str, str], ...]) -> str:
    """A query as text; a run asks the same few questions of every class."""
    return urlencode(query, quote_via=quote)


class HttpClient:
    """A client of one service under `base_url`; use it as an async context manager.

    Every request goes to the base's own scheme, host and port; redirects are never followed. `guard` is called right
    before each sending of a write, retries included, and stops it by raising. `private_hosts` are globs of hosts that
    may lead into a private network (`networks.refusal`). `counts` is (method, status) ->
    requests, with status 0 for those that got no answer. Raises ConnectionProblem only.
    """

    def __init__(
        self,
        base_url: str,
        *,
        side: Side,
        auth: Auth,
        concurrency: int = 4,
        user_agent: str = USER_AGENT,
        timeouts: Timeouts = _TIMEOUTS,
        retries: RetryPolicy = _RETRIES,
        headers: Iterable[tuple[str, str]] = (),
        max_bytes: int = 32 * 1024 * 1024,
        max_pages: int = 10_000,
        guard: Callable[[], None] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        private_hosts: tuple[str, ...] = (),
    ) -> None:
        try:
            self._home = trusted_origin(base_url)
            auth.check(self._home)
        except BadAddress as problem:
            name = errors.NAMES[side]
            raise ConnectionProblem(f"{name} cannot be contacted: {problem}.", code="GS-108") from None
        self.side: Side = side
        self.guard = guard
        self.max_pages = max_pages
        self.counts: Counter[tuple[str, int]] = Counter()
        self._root = self._home.root
        self._auth = auth
        self._gate = Gate(concurrency)
        self._concurrency = max(1, concurrency)
        self._headers = {"User-Agent": user_agent, "Accept": "application/json", **dict(headers)}
        self._timeouts = timeouts
        self._retries = retries
        self._max_bytes = max_bytes
        self._sleep = sleep
        self._random = random
        self._resolver = GuardedResolver(private_hosts)
        self._session: aiohttp.ClientSession | None = None
        self._absences = Absences()
        self._told: set[str] = set()
        self._read_timeout = self._timeout(timeouts.whole, timeouts.read)
        self._write_timeout = self._timeout(timeouts.write, timeouts.write)
        self._upload_timeout = self._timeout(timeouts.upload, timeouts.upload)

    def _timeout(self, total: float, read: float) -> aiohttp.ClientTimeout:
        connect = min(self._timeouts.connect, total)
        # A silence as long as the whole request is bounded by the whole: a second timer would only cost.
        silence = read if read < total else None
        return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=silence)

    async def __aenter__(self) -> Self:
        self._check_literal(self._home.host)
        connector = aiohttp.TCPConnector(
            limit=self._concurrency, limit_per_host=self._concurrency, resolver=self._resolver
        )
        session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            # Nothing of one answer may travel with the next request.
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        # aiohttp repeats idempotent requests on its own when a kept connection died; a write may never be repeated
        # behind the guard's back, and our own retry does the same visibly.
        session._retry_connection = False  # noqa: SLF001 - no public switch exists
        self._session = session
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _check_literal(self, host: str) -> None:
        """An address instead of a name is never resolved, so it is judged here. Raises GS-119."""
        try:
            self._resolver.check_literal(host)
        except RefusedAddress as refused:
            raise self._elsewhere(refused) from None

    def _elsewhere(self, refused: RefusedAddress) -> ConnectionProblem:
        return ConnectionProblem(
            f"The host of {errors.NAMES[self.side]} {refused}; nothing was sent.",
            code="GS-119",
            hint="if it is meant, have the owner name the host under `private_hosts` in gradesync.yaml",
        )

    @property
    def root(self) -> str:
        """The base address without a slash at its end; references in bodies are made with it."""
        return self._root

    @property
    def width(self) -> int:
        """How many requests may be in flight now."""
        return self._gate.width

    # -- requests ------------------------------------------------------------------------------------------------

    async def authorize(self) -> None:
        """Have a token fetched where the key needs one; nothing else is asked of the service."""
        if self._auth.current() is None:
            await self._auth.renew(self._post_form)

    async def get(self, template: str, *ids: str | int, query: Query | str = ()) -> Reply:
        """GET. `template` is a path under the base with `{}` for each id; ids are percent-encoded here."""
        call = self._call("GET", template, ids, query, self._read_timeout)
        return await self._perform(call)

    async def put(self, template: str, *ids: str | int, body: bytes, mints: bool = False) -> Reply:
        """PUT a JSON body; repeated on transport trouble, since it is idempotent.

        Unless the server `mints` an id for it: then every arrival may create a record, as with POST.
        """
        return await self._send("PUT", template, ids, body, idempotent=not mints)

    async def patch(self, template: str, *ids: str | int, body: bytes) -> Reply:
        """PATCH a JSON body that says what is to stand there; repeated on transport trouble, since it is idempotent."""
        return await self._send("PATCH", template, ids, body, idempotent=True)

    async def delete(self, template: str, *ids: str | int) -> Reply:
        """DELETE; repeated on transport trouble, since it is idempotent."""
        return await self._perform(self._call("DELETE", template, ids, (), self._write_timeout))

    async def post(self, template: str, *ids: str | int, body: bytes) -> Reply:
        """POST a JSON body; repeated only when nothing can have arrived, since every arrival may create a record."""
        return await self._send("POST", template, ids, body, idempotent=False)

    async def _send(
        self, method: str, template: str, ids: tuple[str | int, ...], body: bytes, *, idempotent: bool
    ) -> Reply:
        call = self._call(method, template, ids, (), self._write_timeout)
        call.body, call.headers, call.idempotent = body, dict(_JSON), idempotent
        return await self._perform(call)

    async def ask(self, template: str, *ids: str | int, body: bytes) -> Reply:
        """POST a question that changes nothing (GraphQL): not guarded, and not repeated, so that the caller can
        ask for less when the other side needs too long."""
        call = self._call("POST", template, ids, (), self._read_timeout)
        call.body, call.headers, call.idempotent, call.guarded = body, dict(_JSON), False, False
        return await self._perform(call)

    async def upload(
        self, template: str, *ids: str | int, body: Body, length: int, content_type: str
    ) -> Reply:
        """POST a body of `length` bytes as it is read, with the long timeout; repeated only when nothing can have
        arrived."""
        call = self._call("POST", template, ids, (), self._upload_timeout)
        call.body, call.headers = body, {"Content-Type": content_type, "Content-Length": str(length)}
        call.idempotent = False
        call.ends_at += self._timeouts.upload
        return await self._perform(call)

    def query_of_next(self, link: str, *, behind_proxy: bool = False) -> str:
        """The query of a next-link. Raises GS-206 when it leads to another server; nothing is followed."""
        try:
            return query_of_link(link, self._home, behind_proxy=behind_proxy)
        except BadAddress as problem:
            raise ConnectionProblem(
                f"{errors.NAMES[self.side]}: {problem}; nothing was followed.", code="GS-206"
            ) from None

    def unclear(self, what: str) -> ConnectionProblem:
        """The problem of an answer that makes no sense: `what` is a sentence without values."""
        return errors.unclear(self.side, "", what)

    def _call(
        self,
        method: str,
        template: str,
        ids: tuple[str | int, ...],
        query: Query | str,
        timeout: aiohttp.ClientTimeout,
    ) -> Call:
        path = template.format(*map(segment, ids)) if ids else template
        if query:
            text = query if isinstance(query, str) else _query_text(tuple(query))
            path = f"{path}?{text}"
        url = URL(self._root + path, encoded=True)
        whole = self._timeouts.whole
        return Call(method, url, template, {}, None, timeout, whole, idempotent=True, guarded=method != "GET")

    async def _post_form(self, url: str, form: bytes, basic: str | None) -> bytes:
        """The token request: no guard (it writes nothing), and safe to repeat."""
        call = self._call("POST", "(token)", (), (), self._write_timeout)
        call.url, call.body, call.guarded, call.authorized = URL(url), form, False, False
        self._check_literal(call.url.host or "")
        call.headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic is not None:
            call.headers["Authorization"] = basic
        return (await self._perform(call)).body

    # -- tries ---------------------------------------------------------------------------------------------------

    async def _perform(self, call: Call) -> Reply:
        while True:
            if call.authorized:
                call.sent_with = self._auth.current() or await self._auth.renew(self._post_form)
                call.headers["Authorization"] = call.sent_with
            outcome = await self._attempt(call)
            call.tries += 1
            if type(outcome) is Reply and 200 <= outcome.status < 300:
                self._absences.served(call.template)
                return outcome
            await self._settle(call, outcome)

    async def _attempt(self, call: Call) -> Reply | Lost:
        session = self._session
        if session is None:
            raise ConnectionProblem("The connection is not open.", code=errors.UNKNOWN[self.side])
        await self._gate.enter()
        started = time.monotonic()
        timeout = self._begin(call, started)
        status = 0
        try:
            data = self._guarded(call)
            async with session.request(
                call.method,
                call.url,
                data=data,
                headers=call.headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await self._body(response, call)
                status = response.status
                reply = Reply(status, response.headers, body, self.side, call.template)
        except RefusedAddress as refused:
            raise self._elsewhere(refused) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as trouble:
            if isinstance(data, GuardedBody) and data.refused is not None:
                raise data.refused from None
            return self._lost(call, trouble)
        finally:
            self._gate.leave()
            self.counts[call.method, status] += 1
            if _log.isEnabledFor(logging.DEBUG):
                spent = (time.monotonic() - started) * 1000
                _log.debug("%s %s %s -> %d in %.0f ms", self.side, call.method, call.template, status, spent)
        self._pace(reply)
        return reply

    def _guarded(self, call: Call) -> AsyncIterator[bytes] | bytes | GuardedBody | None:
        """The body to send. A write whose body is at hand asks the guard as that body leaves; any other one, now."""
        guard = self.guard if call.guarded else None
        if isinstance(call.body, bytes):
            return call.body if guard is None else GuardedBody(call.body, guard)
        if guard is not None:
            guard()
        return None if call.body is None else call.body()

    def _begin(self, call: Call, now: float) -> aiohttp.ClientTimeout:
        """This try's timeout. The deadline runs from the first try: waiting for a place is not the server's fault."""
        if not call.tries:
            call.ends_at += now
            return call.timeout
        total = call.timeout.total or 0.0
        read = call.timeout.sock_read or total
        return self._timeout(max(0.1, min(total, call.ends_at - now)), read)

    def _pace(self, reply: Reply) -> None:
        """Slow down before Canvas must refuse: its bucket's rest comes with every answer (canvas.md 1.3)."""
        remaining = reply.headers.get("X-Rate-Limit-Remaining")
        if remaining is not None:
            try:
                if float(remaining) < _LOW_BUCKET:
                    self._gate.narrow()
                    return
            except ValueError:
                pass  # A header we cannot read says nothing; the refusal itself still would.
        self._gate.widen()

    async def _body(self, response: aiohttp.ClientResponse, call: Call) -> bytes:
        """The body, read up to the limit; longer ones are an error and the connection is dropped."""
        fine = response.status < 300
        limit = self._max_bytes if fine else _LARGEST_ERROR
        content = response.content
        first = await content.readany()
        if content.at_eof() and len(first) <= limit:
            return first
        chunks, size = [first], len(first)
        while size <= limit and (chunk := await content.readany()):
            chunks.append(chunk)
            size += len(chunk)
        if size > limit:
            response.close()
            if fine:
                raise self.unclear(f"the answer to {call.template} is larger than {limit // 1024} KiB.")
        return b"".join(chunks)

    def _lost(self, call: Call, trouble: Exception) -> Lost:
        name = errors.NAMES[self.side]
        if isinstance(trouble, aiohttp.ClientSSLError):
            hint = "Check that the certificate is current and names the host."
            problem = ConnectionProblem(f"The secure connection to {name} failed.", code="GS-205", hint=hint)
            raise problem from None
        late = isinstance(trouble, TimeoutError)
        what = "did not answer in time" if late else "could not be reached or broke off"
        problem = ConnectionProblem(
            f"{name} {what} ({call.method} {call.template}).", code=errors.DOWN[self.side], retryable=True
        )
        unsent = isinstance(trouble, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
        return Lost(problem, unsent)

    async def _settle(self, call: Call, outcome: Reply | Lost) -> None:
        """Returns when the call is to be tried again (after a wait); raises what ended it otherwise."""
        asked: float | None = None
        if isinstance(outcome, Lost):
            problem = outcome.problem
            tries = self._retries.tries if call.idempotent or outcome.unsent else 1
        else:
            if self._may_renew(call, outcome):
                call.renewals += 1
                return
            asked = retry_after(outcome.headers.get("Retry-After"))
            problem, tries = self._judged(call, outcome)
        wait = self._random() * min(self._retries.longest, self._retries.base * 2.0 ** (call.tries - 1))
        wait = max(wait, asked or 0.0)
        if call.tries >= tries or time.monotonic() + wait >= call.ends_at:
            raise problem
        tell_wait(self.side, call, outcome, problem, wait)
        await self._sleep(wait)

    def _may_renew(self, call: Call, reply: Reply) -> bool:
        if reply.status != 401 or call.renewals >= _RENEWALS or not call.authorized:
            return False
        if errors.lacks_right(self.side, reply.headers, reply.body):
            return False
        return self._auth.drop(call.sent_with)

    def _judged(self, call: Call, reply: Reply) -> tuple[ConnectionProblem, int]:
        """What the answer means, and how many tries such a call is worth."""
        problem = errors.refusal(
            self.side, call.method, call.template, reply.status, reply.headers, reply.body
        )
        if self.side == "sis":
            problem.code = self._absences.code(problem.code, call.template, reply.status)
            problem.retryable |= problem.code == errors.DOWN["sis"]
        if problem.fingerprint and problem.fingerprint not in self._told:
            self._told.add(problem.fingerprint)
            tell_unknown(self.side, call, reply.status, problem)
        if errors.is_throttled(reply.status, reply.body):
            self._gate.narrow()
            # Refused at the door: nothing was done, so even a POST may knock again.
            return problem, self._retries.tries_throttled
        if reply.status in (502, 503, 504) and call.idempotent:
            return problem, self._retries.tries
        if reply.status == 500 and (call.method == "GET" or not call.authorized):
            return problem, self._retries.tries_broken
        return problem, 1
