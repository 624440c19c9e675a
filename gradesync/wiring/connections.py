"""Connections to an account's two sides, with the least rights each use needs.

Reading asks the SIS for reading scopes and hands out types without a write method; below them a guard refuses every
write, so that a dry run cannot send anything even by mistake.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.canvas import CanvasConnector, CanvasReader
from gradesync.connectors.canvas_csv import CanvasCsvSource
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import OneRosterConnector, OneRosterReader
from gradesync.connectors.oneroster_csv import OneRosterCsvSource
from gradesync.connectors.private_folder import private_folder
from gradesync.connectors.retry import RetryPolicy, Timeouts
from gradesync.connectors.roster_pickup import LocalPickup, Pickup
from gradesync.connectors.spool import disk_spool
from gradesync.domain.account import Account
from gradesync.domain.interval import to_local
from gradesync.domain.roster_files import CANVAS_CSV, RosterFiles
from gradesync.errors import ConnectionProblem, GradesyncError
from gradesync.ports import (
    Clock,
    GradebookReader,
    GradebookSink,
    GradebookSource,
    Guard,
    RosterReader,
    RosterSink,
    RosterSource,
    RosterSpool,
    Secrets,
)

RUN_HEADER = "X-Gradesync-Run"
"""A run's id and the epoch of its lease, `ID/EPOCH`: nothing of a person, and nothing that opens anything."""


def refuse_write() -> None:
    """The guard of everything that may only read."""
    raise GradesyncError("a write was stopped on a connection that may only read", hint="please report this")


@dataclass(frozen=True, slots=True)
class _SisClients:
    rostering: HttpClient
    gradebook: HttpClient


class HttpConnections:
    """`ports.Connections`: one client per service and run, closed with the run."""

    retries = RetryPolicy()
    """How often a request is tried again; who only looks whether a side answers needs fewer tries."""

    def __init__(
        self,
        secrets: Secrets,
        now: Clock = lambda: datetime.now(UTC),
        root: Path = Path(),
        private_hosts: tuple[str, ...] = (),
    ) -> None:
        """`root` is the tree, which paths of roster files count from; `private_hosts` as for `HttpClient`."""
        self._secrets = secrets
        self._now = now
        self._root = root
        self._private_hosts = private_hosts

    @asynccontextmanager
    async def roster(self, account: Account, guard: Guard) -> AsyncIterator[tuple[RosterSource, RosterSink]]:
        """The SIS to read from, Canvas to import into."""
        async with AsyncExitStack() as stack:
            source = await self._roster_source(stack, account, guard.run)
            canvas = await self._canvas(stack, account, guard.check, guard.run)
            sink = CanvasConnector(
                canvas,
                account.scope,
                page_size=account.canvas.page_size,
                change_threshold=_threshold(account, self._now()),
            )
            yield source, sink

    @asynccontextmanager
    async def roster_readonly(self, account: Account) -> AsyncIterator[tuple[RosterSource, RosterReader]]:
        """Both sides to read from."""
        async with AsyncExitStack() as stack:
            source = await self._roster_source(stack, account)
            canvas = await self._canvas(stack, account, refuse_write)
            yield source, _canvas_reader(canvas, account)

    async def _roster_source(self, stack: AsyncExitStack, account: Account, run: str = "") -> RosterSource:
        """The SIS's rostering service, or the files it leaves where the account says."""
        files = account.sis.roster
        if files is None:
            sis = await self._sis(stack, account, write=False, guard=refuse_write, run=run)
            return _reader(sis, account)
        pickup = self._pickup(stack, account, files)
        if files.format == CANVAS_CSV:
            return CanvasCsvSource(pickup, time_zone=account.time_zone)
        guardians = account.roster.mapping.guardians == "observers"
        return OneRosterCsvSource(pickup, guardians=guardians)

    def _pickup(self, stack: AsyncExitStack, account: Account, files: RosterFiles) -> Pickup:
        if files.sftp is None:
            return LocalPickup(self._root, files.path, base=files.base, max_age=files.max_age)
        # Loaded here, because few accounts need it and it brings a library of its own.
        from gradesync.connectors.sftp import Login, SftpPickup

        sftp = files.sftp

        def secret(reference: str | None, name: str) -> str | None:
            return None if reference is None else self._secrets.value(reference, account.key, name)

        login = Login(
            password=secret(sftp.password, "SFTP password"),
            private_key=secret(sftp.private_key, "SFTP private key"),
            passphrase=secret(sftp.passphrase, "SFTP passphrase"),
        )
        folder = stack.enter_context(private_folder())
        return SftpPickup(sftp, login, files, folder)

    def spool(self) -> AbstractContextManager[RosterSpool]:
        """A private place on disk for one run's roster."""
        return disk_spool()

    @asynccontextmanager
    async def gradebook(
        self, account: Account, guard: Guard
    ) -> AsyncIterator[tuple[GradebookSource, GradebookSink]]:
        """Canvas to read from, the SIS to write to."""
        async with AsyncExitStack() as stack:
            sis = await self._sis(stack, account, write=True, guard=guard.check, run=guard.run)
            canvas = await self._canvas(stack, account, refuse_write, guard.run)
            sink = OneRosterConnector(sis.rostering, account.sis.profile, gradebook=_other(sis))
            yield _canvas_reader(canvas, account), sink

    @asynccontextmanager
    async def gradebook_readonly(
        self, account: Account
    ) -> AsyncIterator[tuple[GradebookSource, GradebookReader]]:
        """Both sides to read from."""
        async with AsyncExitStack() as stack:
            sis = await self._sis(stack, account, write=False, guard=refuse_write)
            canvas = await self._canvas(stack, account, refuse_write)
            yield _canvas_reader(canvas, account), _reader(sis, account)

    async def _canvas(
        self, stack: AsyncExitStack, account: Account, guard: Callable[[], None], run: str = ""
    ) -> HttpClient:
        token = self._secrets.value(account.canvas.token, account.key, "Canvas token")
        client = HttpClient(
            account.canvas.url,
            side="canvas",
            auth=BearerToken(token),
            concurrency=account.canvas.concurrency,
            headers=_names(run),
            guard=guard,
            retries=self.retries,
            private_hosts=self._private_hosts,
        )
        return await stack.enter_async_context(client)

    async def _sis(
        self,
        stack: AsyncExitStack,
        account: Account,
        *,
        write: bool,
        guard: Callable[[], None],
        run: str = "",
        auth: ClientCredentials | None = None,
    ) -> _SisClients:
        sis = account.sis
        if not sis.url:
            raise ConnectionProblem(
                "The account names no address of the SIS's service, only roster files.",
                code="GS-510",
                hint="write `url`, `client_id` and `client_secret` under `sis`",
            )
        auth = self._key(account, write=write) if auth is None else auth
        headers = [(name, self._header(account, name, value)) for name, value in sis.profile.headers]

        timeouts = Timeouts(read=float(sis.profile.timeout))

        async def client(url: str) -> HttpClient:
            opened = HttpClient(
                url,
                side="sis",
                auth=auth,
                concurrency=sis.profile.concurrency,
                headers=[*headers, *_names(run)],
                timeouts=timeouts,
                guard=guard,
                retries=self.retries,
                private_hosts=self._private_hosts,
            )
            return await stack.enter_async_context(opened)

        rostering = await client(sis.rostering_url)
        same = sis.gradebook_url == sis.rostering_url
        return _SisClients(rostering, rostering if same else await client(sis.gradebook_url))

    def _key(self, account: Account, *, write: bool) -> ClientCredentials:
        """The SIS's key, which asks for the scopes of its use and no more."""
        sis = account.sis
        return ClientCredentials(
            sis.token_url,
            self._secrets.value(sis.client_id, account.key, "SIS client id"),
            self._secrets.value(sis.client_secret, account.key, "SIS client secret"),
            scopes_of(account, write=write),
            # A token address that is not the profile's own path was written out in the reviewed file.
            other_host=sis.token_url != sis.url + sis.profile.token_path,
            in_form=sis.profile.token_auth == "form",  # noqa: S105 - a way to authenticate, not a secret
        )

    def _header(self, account: Account, name: str, value: str) -> str:
        """A header's value, read from where it is kept; a line break in it would write headers of its own."""
        if not value.startswith(("env:", "file:")):
            return value
        found = self._secrets.value(value, account.key, f"SIS header {name}")
        if not (found.isascii() and found.isprintable()):
            raise ConnectionProblem(f"The header {name} holds characters that no header has.", code="GS-207")
        return found


def _names(run: str) -> list[tuple[str, str]]:
    """The header by which the other side's own log tells which run, and which attempt at it, asked for something."""
    return [(RUN_HEADER, run)] if run else []


def scopes_of(account: Account, *, write: bool) -> tuple[str, ...]:
    """The scopes of a token. The right to remove is asked for only where the account's policy removes anything."""
    sis = account.sis
    scopes = sis.scopes_for(write=write)
    removes = write and sis.scopes is None and account.passback.deletions == "delete"
    return (*scopes, sis.profile.delete_scope) if removes else scopes


def _other(sis: _SisClients) -> HttpClient | None:
    return None if sis.gradebook is sis.rostering else sis.gradebook


def _reader(sis: _SisClients, account: Account) -> OneRosterReader:
    mapping = account.roster.mapping
    return OneRosterReader(sis.rostering, account.sis.profile, gradebook=_other(sis), mapping=mapping)


def _canvas_reader(client: HttpClient, account: Account) -> CanvasReader:
    return CanvasReader(client, account.scope, page_size=account.canvas.page_size)


def _threshold(account: Account, now: datetime) -> int:
    """Canvas's own brake stands behind ours: never tighter, or it would stop what the account allows."""
    limit = account.roster.limit_on(to_local(now, account.time_zone).date())
    return min(100, math.ceil(100 * max(limit.enrollments, limit.users, limit.sections)))
