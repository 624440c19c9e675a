"""`gradesync store`: making, looking at, unlocking and purging the database; the rest stands beside it."""

from __future__ import annotations

import click

from gradesync.cli.common import CONTEXT, Invocation, duration, format_option, new_command, opened, tell
from gradesync.cli.forgetting import forget_account
from gradesync.cli.options import REASON
from gradesync.cli.render import show
from gradesync.cli.rights import require
from gradesync.cli.store_moving import export_, grants, import_, migrate
from gradesync.cli.store_upkeep import prune, rekey
from gradesync.domain.rights import Right
from gradesync.errors import StoreUnavailable


@click.group("store", context_settings=CONTEXT)
def command() -> None:
    """Make, inspect, migrate, move, unlock and tidy up the store."""


@new_command("init", "gradesync store init")
@format_option()
def init(said: Invocation, form: str) -> None:
    """Make the store that gradesync.yaml names.

    Left out there, it is .gradesync/store.db. The first `gradesync reconcile` makes it too, but never in a CI job,
    whose disk is gone with it.
    """
    from gradesync.wiring import OpenMode

    with opened(said, OpenMode.CREATE) as app:
        if not app.new_store:
            raise StoreUnavailable(
                f"there is a store at {app.store.info().place} already", hint="see `gradesync store info`"
            )
        info = app.store.info(counted=True)
        show(form, "store_info", info)
        tell(f"a new store was made; to refuse any other, write `lineage: {info.lineage}` in gradesync.yaml")


@new_command("info", "gradesync store info --format json")
@format_option()
def info(said: Invocation, form: str) -> None:
    """Show the store's place, lineage, schema, counts."""
    with opened(said) as app:
        show(form, "store_info", app.store.info(counted=True))


@new_command("unlock", 'gradesync store unlock riverside --reason "the runner was switched off"')
@click.argument("account")
@click.option("--reason", type=REASON, required=True, help="Why; kept in the history.")
def unlock(said: Invocation, account: str, reason: str) -> int:
    """Take an account's lease away as if its holder had died.

    Only for a holder that surely is dead: one that lives loses its right to write and ends within a renewal.
    """
    from gradesync.domain.history import Fact

    with opened(said) as app:
        require(app, Right.STORE, account)
        fact = Fact("lease taken away", app.actor, account, data={"reason": reason})
        if app.store.unlock(account, [fact]):
            tell(f"{account} is free; the next pass takes its run up again")
            return 0
    tell(f"nobody works in {account}")
    return 1


@new_command(
    "purge",
    "gradesync store purge\n"
    "gradesync store purge --older-than 90d\n"
    "# all that is kept of an account that has left:\n"
    'gradesync store purge riverside --reason "contract ended"',
)
@click.argument("account", required=False)
@click.option(
    "--older-than",
    metavar="TIME",
    help="Erase what is older: 90d, 26w (400d when left out). Events of single records never outlive 400 days.",
)
@click.option("--yes", is_flag=True, help="Erase what is kept of the account without asking.")
@click.option("--reason", type=REASON, help="Why; kept in the history. Needed with ACCOUNT.")
def purge(
    said: Invocation, account: str | None, older_than: str | None, yes: bool, reason: str | None
) -> int:
    """Erase old texts of other systems and old events of single records.

    With ACCOUNT: erase all that can be erased of an account that has left (`state: leaving`): ledger, waiting records,
    watermarks, the last roster, texts. The history's entries and their hashes stay, so it still verifies.
    """
    from gradesync.domain.history import Fact

    if account is not None:
        if older_than is not None:
            raise click.UsageError("--older-than is for all accounts; of one that has left, everything goes")
        if not (reason and reason.strip()):
            raise click.UsageError("erasing an account needs --reason: it is kept in the history")
        with opened(said) as app:
            require(app, Right.PURGE, account)
            return forget_account(app, account, yes=yes, reason=reason)
    age = duration(older_than or "400d")
    with opened(said) as app:
        require(app, Right.PURGE)
        data = {"older than days": age.days, **({"reason": reason} if reason else {})}
        erased = app.store.purge(app.store.now() - age, [Fact("purged", app.actor, data=data)])
    tell(f"{erased:,} texts and events erased")
    return 0


for _command in (init, info, migrate, grants, export_, import_, unlock, rekey, prune, purge):
    command.add_command(_command)
