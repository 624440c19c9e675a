"""`gradesync pause-all`: a hold over an account, a group, a sync type or everything."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened
from gradesync.cli.options import REASON
from gradesync.cli.pause import HoldWish, hold_and_tell
from gradesync.cli.scopes import lasting_options, read_scope, scope_options
from gradesync.domain.schedule import SyncType


@new_command(
    "pause-all",
    'gradesync pause-all riverside --reason "roll-over" --for 2d\n'
    'gradesync pause-all --type grade-passback --reason "SIS outage" --for 6h\n'
    'gradesync pause-all --everything --reason "leaked key" --now',
)
@scope_options
@click.option("--reason", type=REASON, required=True, help="Why; everybody who looks is shown it.")
@click.option(
    "--until", metavar="TIME", help="Like `2026-12-24 08:00`, with an offset unless an account is named."
)
@lasting_options
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
    until_changed: bool,
    at_once: bool,
    form: str,
) -> int:
    """Hold everything the scope covers, also what is added later. It needs neither the files nor the network.

    It is one hold, and ending it leaves single holds alone. Without an end it lasts 72 hours and on into working
    hours, where most of the accounts are.

    --until-changed needs an ACCOUNT.

    Exit 4: with --now, a run has not ended yet.
    """
    scope = read_scope(target, group, type_, everything)
    with opened(said, to_stop=True) as app:
        wish = HoldWish(scope, reason, until, lasting, until_changed=until_changed, at_once=at_once)
        return hold_and_tell(app, wish, form)
