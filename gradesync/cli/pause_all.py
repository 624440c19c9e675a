"""`gradesync pause-all`: a hold over an account, a group, a sync type or everything."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened
from gradesync.cli.pause import hold_and_tell
from gradesync.cli.scopes import read_scope, scope_options
from gradesync.domain.schedule import SyncType


@new_command(
    "pause-all",
    'gradesync pause-all riverside --reason "roll-over" --for 2d\n'
    'gradesync pause-all --type grade-passback --reason "SIS vendor outage" --for 6h\n'
    'gradesync pause-all --everything --reason "leaked key"',
)
@scope_options
@click.option("--reason", required=True, help="Why; everybody who looks is shown it.")
@click.option(
    "--until", metavar="TIME", help="Like `2026-12-24 08:00`, with an offset unless an account is named."
)
@click.option("--for", "lasting", metavar="LENGTH", help="Like 30m, 4h, 2d (default 3d, at most 30d).")
@format_option()
def command(
    said: Invocation,
    target: str | None,
    group: str | None,
    type_: SyncType | None,
    everything: bool,
    reason: str,
    until: str | None,
    lasting: str | None,
    form: str,
) -> None:
    """Hold everything the scope covers, also what is added later. It never needs the files or the network."""
    scope = read_scope(target, group, type_, everything)
    with opened(said) as app:
        hold_and_tell(app, scope, reason, until, lasting, form)
