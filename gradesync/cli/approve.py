"""`gradesync approve`: let one roster import through that the brake has stopped."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened
from gradesync.cli.naming import RunToApprove
from gradesync.cli.options import REASON
from gradesync.cli.render import show
from gradesync.cli.rights import account_of_run, require
from gradesync.cli.run_ids import run_named
from gradesync.domain.rights import Right


@new_command(
    "approve",
    "gradesync approve 3f2b9c1e0a7d4c58b6e1f0a9d8c7b6a5 \\\n"
    '  --reason "West closed, its classes moved to North"',
)
@click.argument("run_id", metavar="RUN", type=RunToApprove())
@click.option("--reason", type=REASON, required=True, help="Why this change is right; kept in the history.")
@format_option()
def command(said: Invocation, run_id: str, reason: str, form: str) -> None:
    """Approve exactly the change a roster import was stopped for; any other is measured and stopped anew.

    Look first with `gradesync run ID --dry-run`. The approval waits 72 hours for a run whose files and last good read
    are the very same; in a SIS people work in, run the schedule right after approving.
    """
    from gradesync.engine.approve import approve

    with opened(said) as app:
        run = run_named(app, run_id)
        require(app, Right.APPROVE, account_of_run(app, run))
        show(form, "approved", approve(app.tools(), run, reason))
