"""`gradesync store purge ACCOUNT`: erasing what is kept of an account that has left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import tell
from gradesync.cli.options import nearest
from gradesync.errors import Blocked, NotFound

if TYPE_CHECKING:
    from gradesync.wiring import App


def forget_account(app: App, account: str, *, yes: bool, reason: str | None) -> int:
    """Ask, then erase. Raises NotFound for an unknown account and Blocked for one that is live or worked in."""
    from gradesync.domain.history import Fact

    found = app.store.recorded([account]).accounts.get(account)
    if found is None:
        known = app.store.recorded().accounts
        raise NotFound(f"the store knows no account {account}", hint=nearest(account, known))
    if not found.retired:
        raise Blocked(
            f"{account} is live; what is kept of it is needed by its next run",
            hint="merge `state: leaving` into its file and let a pass apply it first",
        )
    if not yes and not _confirmed(account):
        tell("nothing was erased")
        return 1
    data = {"reason": reason} if reason else {}
    erased = app.store.forget_account(account, Fact("account purged", app.actor, account, data=data))
    if erased is None:
        raise Blocked(
            f"a run still works in {account}, or it has just come back",
            hint="see `gradesync list`; try again when the run has ended",
        )
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in erased.items() if count)
    tell(f"{account}: erased {told or 'nothing, there was nothing left'}")
    tell("its history and the counts of its runs stay, and the history still verifies")
    return 0


def _confirmed(account: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to be asked; say --yes")
    tell(f"ledger, waiting records, watermarks, the last roster and texts of {account} will be gone for good")
    return bool(click.prompt("to go on, write the account's name", err=True) == account)
