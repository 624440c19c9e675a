"""Connections that load the HTTP library with the first run, so that `pause`, `plan` and `request` never do."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gradesync.domain.account import Account
    from gradesync.ports import (
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
    from gradesync.wiring.connections import HttpConnections


class ConnectionsOnDemand:
    """`ports.Connections`, handing every call on to `HttpConnections`."""

    def __init__(self, secrets: Secrets, root: Path, private_hosts: tuple[str, ...] = ()) -> None:
        self._secrets, self._root, self._private_hosts = secrets, root, private_hosts

    def _http(self) -> HttpConnections:
        from gradesync.wiring.connections import HttpConnections

        return HttpConnections(self._secrets, root=self._root, private_hosts=self._private_hosts)

    def roster(
        self, account: Account, guard: Guard
    ) -> AbstractAsyncContextManager[tuple[RosterSource, RosterSink]]:
        """See ports."""
        return self._http().roster(account, guard)

    def roster_readonly(
        self, account: Account
    ) -> AbstractAsyncContextManager[tuple[RosterSource, RosterReader]]:
        """See ports."""
        return self._http().roster_readonly(account)

    def spool(self) -> AbstractContextManager[RosterSpool]:
        """See ports."""
        return self._http().spool()

    def gradebook(
        self, account: Account, guard: Guard
    ) -> AbstractAsyncContextManager[tuple[GradebookSource, GradebookSink]]:
        """See ports."""
        return self._http().gradebook(account, guard)

    def gradebook_readonly(
        self, account: Account
    ) -> AbstractAsyncContextManager[tuple[GradebookSource, GradebookReader]]:
        """See ports."""
        return self._http().gradebook_readonly(account)
