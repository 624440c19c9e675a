"""`gradesync upcoming`: what runs in the coming days, and what does not and why. Reads the store only."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened, type_option
from gradesync.cli.render import show
from gradesync.domain.schedule import SyncType


@new_command(
    "upcoming",
    "gradesync upcoming riverside\n"
    "gradesync upcoming --group north --days 1\n"
    "gradesync upcoming --type roster-import --days 14 --format markdown",
)
@click.argument("account", required=False)
@click.option(
    "--days",
    type=click.IntRange(1, 31),
    default=7,
    show_default=True,
    help="So many days, today's rest first, on each account's own clock.",
)
@type_option
@click.option("--group", metavar="GROUP", help="Only accounts of this folder under schedules/.")
@format_option("markdown")
def command(
    said: Invocation, account: str | None, days: int, type_: SyncType | None, group: str | None, form: str
) -> None:
    """Show the coming runs day by day, with the holds and blackouts that will stop some of them.

    It tells what happens if nobody changes anything; `plan` shows what the files would change.
    """
    from gradesync.engine.upcoming import UpcomingFilter, upcoming

    with opened(said) as app:
        weeks = upcoming(app.store, UpcomingFilter(account, type_, group), days)
        now = app.store.now()
    show(form, "upcoming", weeks, days, now)
