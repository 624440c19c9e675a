"""`gradesync history`: what happened, newest first, and the proof that nothing of it was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened
from gradesync.cli.options import nearest
from gradesync.cli.render import json_out, show
from gradesync.errors import HistoryTampered, NotFound

if TYPE_CHECKING:
    from gradesync.wiring import App


@new_command(
    "history",
    "gradesync history riverside --last 20\ngradesync history riverside/grades\ngradesync history --verify",
)
@click.argument("target", required=False, metavar="[ACCOUNT|ACCOUNT/SCHEDULE]")
@format_option()
@click.option(
    "--last", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many entries."
)
@click.option("--verify", is_flag=True, help="Check every chain of the history instead of showing it.")
def command(said: Invocation, target: str | None, form: str, last: int, verify: bool) -> None:
    """Show when, what, who, how it was triggered, how it ended and what it counted."""
    account, _, schedule = (target or "").partition("/")
    with opened(said) as app:
        if verify:
            _verify(app, form)
            return
        entries = app.store.history(account or None, schedule or None, last)
        if account and not entries:
            known = app.store.recorded().accounts
            raise NotFound(f"nothing is recorded of {target}", hint=nearest(account, known))
        show(form, "history", entries)


def _verify(app: App, form: str) -> None:
    faults = app.verify_history()
    chains = app.store.chains()
    if form == "json":
        json_out(
            {
                "version": 1,
                "kind": "history verification",
                "chains": len(chains),
                "faults": [{"chain": f.chain, "entry": f.seq, "what": f.what} for f in faults],
            }
        )
    if faults:
        told = "; ".join(f"{f.chain}, entry {f.seq}: {f.what}" for f in faults)
        raise HistoryTampered(
            f"the history does not verify: {told}",
            hint="compare with the checkpoint hashes in your CI logs and with the last backup",
        )
    if form == "text":
        click.echo(f"The history verifies: {len(chains)} chains, nothing changed and nothing missing.")
