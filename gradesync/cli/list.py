"""`gradesync list`: every schedule in a line, worst first. Reads the store only and imports as little as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened, type_option
from gradesync.cli.render import show
from gradesync.domain.schedule import SyncType

if TYPE_CHECKING:
    from gradesync.engine.queries import ListFilter


@new_command(
    "list",
    "gradesync list\ngradesync list --type grade-passback --needs teacher\ngradesync list --label region=north",
)
@click.argument("account", required=False)
@format_option()
@type_option
@click.option("--group", metavar="GROUP", help="Only accounts of this folder under schedules/.")
@click.option("--label", metavar="KEY=VALUE", help="Only accounts with this label.")
@click.option(
    "--needs", type=click.Choice(["support", "district", "teacher"]), help="Only what waits for these people."
)
def command(
    said: Invocation,
    account: str | None,
    form: str,
    type_: SyncType | None,
    group: str | None,
    label: str | None,
    needs: str | None,
) -> None:
    """Show type, interval, first and next run, time zone, posted by, state, last run and outcome."""
    from gradesync.engine.queries import ListFilter, schedule_rows

    key, equals, value = (label or "").partition("=")
    if label is not None and not equals:
        raise click.UsageError("--label is written like region=north")
    wanted = ListFilter(account, type_, group, (key, value) if label is not None else None, needs)
    with opened(said) as app:
        rows = schedule_rows(app.store, wanted)
        asked = {"chosen_by": _chosen_by(wanted)} if form == "text" and not rows else {}
        if asked and not schedule_rows(app.store, ListFilter()):
            asked = {}
        now = app.store.now()
        show(form, "rows", rows, now, holds=app.store.holds(now), **asked)


def _chosen_by(wanted: ListFilter) -> str:
    """What was asked for, in words; empty when everything was."""
    if wanted.needs is not None:
        return f"needs {'support' if wanted.needs == 'support' else f'the {wanted.needs}'}"
    return "" if wanted == type(wanted)() else "fits what was asked for"
