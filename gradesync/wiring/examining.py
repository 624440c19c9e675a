"""Probes for `gradesync doctor`: the connections of a dry run, and keys that are shown and not used.

Below every probe stands the guard that refuses writes. A token with the right to write is fetched, its scopes are read,
and it is thrown away: what a real run would be refused must be known before the run.
"""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gradesync.connectors.auth import ClientCredentials
from gradesync.connectors.doctoring.canvas import CanvasProbe
from gradesync.connectors.doctoring.certificate import certificate_of
from gradesync.connectors.doctoring.sis import Doorway, SisProbe
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster_csv import OneRosterCsvSource
from gradesync.connectors.retry import RetryPolicy
from gradesync.connectors.roster_pickup import LocalPickup
from gradesync.domain.account import Account
from gradesync.domain.doctor_facts import Certificate
from gradesync.domain.roster_files import ONEROSTER_CSV, RosterFiles
from gradesync.domain.schedule import SyncType
from gradesync.errors import ConnectionProblem
from gradesync.ports import Clock, Secrets
from gradesync.wiring.connections import HttpConnections, refuse_write, scopes_of

_HINT = 5
"""Characters at a Canvas token's beginning that Canvas itself shows in its list of tokens."""


class Examiner(HttpConnections):
    """`engine.doctor_sides.Instruments` for one account."""

    retries = RetryPolicy(base=0.2, longest=2.0, tries=2, tries_throttled=3, tries_broken=2)

    def __init__(
        self,
        account: Account,
        secrets: Secrets,
        root: Path,
        now: Clock = lambda: datetime.now(UTC),
        private_hosts: tuple[str, ...] = (),
    ) -> None:
        super().__init__(secrets, now, root, private_hosts)
        self._account = account

    @asynccontextmanager
    async def canvas(self) -> AsyncIterator[CanvasProbe]:
        """Canvas, to read from. Raises GS-207 and GS-108."""
        account = self._account
        async with AsyncExitStack() as stack:
            client = await self._canvas(stack, account, refuse_write)
            hint = self._secrets.value(account.canvas.token, account.key, "Canvas token")[:_HINT]
            yield CanvasProbe(client, account.scope, account.time_zone, hint, self._now)

    @asynccontextmanager
    async def sis(self) -> AsyncIterator[SisProbe]:
        """The SIS's service, to read from. Raises GS-207 and GS-108."""
        account = self._account
        async with AsyncExitStack() as stack:
            reading, writing = self._key(account, write=False), self._key(account, write=True)
            sis = await self._sis(stack, account, write=False, guard=refuse_write, auth=reading)
            grades = not account.schedules or any(
                one.type is SyncType.GRADE_PASSBACK for one in account.schedules.values()
            )
            door = None
            if grades:
                also = await self._sis(stack, account, write=True, guard=refuse_write, auth=writing)
                door = self._door(also.rostering, writing, write=True)
            yield SisProbe(
                sis.rostering,
                sis.gradebook,
                account.sis.profile,
                self._door(sis.rostering, reading, write=False),
                door,
                self._now,
            )

    def _door(self, client: HttpClient, key: ClientCredentials, *, write: bool) -> Doorway:
        return Doorway(client, key, scopes_of(self._account, write=write))

    async def canvas_certificate(self) -> Certificate:
        """Canvas's certificate."""
        return await certificate_of(self._account.canvas.url, "canvas", self._private_hosts)

    async def sis_certificate(self) -> Certificate:
        """The SIS's certificate."""
        return await certificate_of(self._account.sis.rostering_url, "sis", self._private_hosts)

    async def roster_files(self) -> str:
        """Look at the newest roster file: is it there, fresh and readable? Nothing is fetched from a file server."""
        files = self._account.sis.roster
        assert files is not None  # asked for only where the account has files
        if files.sftp is not None:
            async with AsyncExitStack() as stack:
                pickup = self._pickup(stack, self._account, files)
                hours = await pickup.look()  # type: ignore[attr-defined]  # SftpPickup is loaded only where needed
            return f"The file server is the one pinned, takes our login, and its newest file is {hours:.0f} hours old."
        return await self._local(files)

    async def _local(self, files: RosterFiles) -> str:
        # A file that is still being copied is for the run to wait for, not for an examination.
        pickup = LocalPickup(
            self._root, files.path, base=files.base, max_age=files.max_age, sleep=lambda _: asyncio.sleep(0)
        )
        picked = await pickup.fetch()
        if files.format == ONEROSTER_CSV:
            await OneRosterCsvSource(pickup).identity()
        elif picked.newest.is_file() and not await asyncio.to_thread(zipfile.is_zipfile, picked.newest):
            raise ConnectionProblem("The newest roster file is no zip.", code="GS-610")
        return "The newest roster files are there, fresh enough and readable."


def expiries(definition: dict[str, Any]) -> tuple[date | None, date | None]:
    """The days that the account file gives for the ends of both keys, Canvas's first."""

    def day(side: str) -> date | None:
        value = (definition.get(side) or {}).get("expires")
        return None if value is None else date.fromisoformat(str(value))

    return day("canvas"), day("sis")
