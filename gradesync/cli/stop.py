"""`gradesync stop`: takes the right to run away from what is at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, carry_out, format_option, new_command, opened, tell
from gradesync.cli.options import REASON
from gradesync.cli.render import show
from gradesync.cli.rights import account_of_run, require
from gradesync.cli.run_ids import run_or_account
from gradesync.domain.rights import Right

if TYPE_CHECKING:
    from gradesync.domain.report import Stopped
    from gradesync.domain.run import Run
    from gradesync.engine.tools import Tools

NOT_ENDED = 4
"""The account is still busy."""


@new_command(
    "stop",
    'gradesync stop riverside --reason "wrong term in scope"\n'
    'gradesync stop 0f3a...c1 --reason "the SIS team asked" --no-wait',
)
@click.argument("target", metavar="RUN|ACCOUNT")
@click.option("--reason", type=REASON, required=True, help="Why; kept in the history.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the run has ended.")
@format_option()
def command(said: Invocation, target: str, reason: str, no_wait: bool, form: str) -> int:
    """Stop a run, or whatever runs or is queued in an account, on whichever host.

    A running sync hears of it at its next renewal (within 15 seconds), sends nothing more and ends as `stopped` with
    its counts. Nothing is undone, and the next run goes on from there: to keep it from starting, use
    `gradesync pause --now`. A run that ends by itself before it hears of it says so.

    Exit 4: a run has not ended yet.
    """
    from gradesync.engine.stopping import stop_account, stop_run

    if "/" in target:
        raise click.UsageError(
            "a run or an account is stopped; to hold one schedule, `gradesync pause ID --now`"
        )
    with opened(said, to_stop=True) as app:
        run = run_or_account(app, target)
        account = target if run is None else account_of_run(app, run)
        require(app, Right.STOP, account)
        tools = app.tools()
        stopped = stop_account(tools, target, reason) if run is None else (stop_run(tools, run, reason),)
        return tell_stopped(tools, stopped, form, wait=not no_wait)


def tell_stopped(
    tools: Tools, stopped: Sequence[Stopped], form: str, *, wait: bool = True, quiet: bool = False
) -> int:
    """Say what was asked to end, wait for it, and show how it ended; the exit code. `quiet` leaves stdout alone."""
    from gradesync.domain.run import Outcome, RunState
    from gradesync.engine.stopping import renewal, wait_for_end

    if not stopped:
        tell("nothing runs or is queued there")
    for one in stopped:
        tell(_told(one, renewal(tools)))
    ids = [one.run.id for one in stopped]
    runs = carry_out(wait_for_end(tools, ids)) if wait else _as_they_are(tools, ids)
    open_ = [run for run in runs if run.state is not RunState.ENDED]
    if form == "json":
        show(form, "stopped", stopped, runs)
    elif not quiet:
        for run in runs:
            if run.state is RunState.ENDED:
                show(form, "run", run)
    asked = {one.run.id for one in stopped if one.holder is not None}
    for run in runs:
        if run.id in asked and run.result is not None and run.result.outcome is not Outcome.STOPPED:
            tell(
                f"{run.schedule} ended by itself before it heard of the stop; all it had to send may be sent"
            )
    for run in runs if quiet else ():
        if run.result is not None:
            tell(f"{run.schedule}: {run.result.outcome.value} at {run.result.stage.value} (run {run.id})")
    if not wait or not open_:
        return 0
    for run in open_:
        tell(
            f"{run.schedule} has not ended yet: its process does not answer, and may send nothing more once its lease "
            f"is over; the next pass ends it (`gradesync show {run.id}`)"
        )
    return NOT_ENDED


def _as_they_are(tools: Tools, ids: Sequence[str]) -> tuple[Run, ...]:
    from gradesync.ports import RunQuery

    return tuple(run for id in ids for run in tools.store.runs(RunQuery(run_id=id, limit=1)))


def _told(one: Stopped, seconds: float) -> str:
    if one.holder is not None:
        return f"{one.run.schedule} was asked to stop; {one.holder} hears of it within {seconds:.0f} seconds"
    if one.run.attempt:
        return f"{one.run.schedule} is stopped; its process was gone already"
    return f"{one.run.schedule} was queued, and will not start"
