"""`gradesync run`: one schedule, now, in the person's name."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import (
    Invocation,
    ScheduleParam,
    carry_out,
    format_option,
    new_command,
    opened,
    tell,
)
from gradesync.cli.progress import watching
from gradesync.cli.render import show
from gradesync.domain.schedule import ScheduleId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradesync.domain.report import RunEnd
    from gradesync.engine.control import ByHand
    from gradesync.wiring import App

MOST = 1000
"""Results a grade passback writes by hand without being asked about, unless `safety.results_by_hand` says else."""


@new_command(
    "run",
    "gradesync run riverside/grades\n"
    "gradesync run riverside/grades --dry-run --full\n"
    "gradesync run riverside/grades --full --yes\n"
    'gradesync run oak-hill/grades --despite paused --reason "parents\' evening tonight"',
)
@click.argument("id", type=ScheduleParam(), metavar="ACCOUNT/SCHEDULE")
@format_option()
@click.option("--full", is_flag=True, help="Look at everything, not only at what changed.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would be sent; nothing is sent and nothing recorded."
)
@click.option("--class", "class_", metavar="SIS_ID", help="Only this class (grade passback).")
@click.option(
    "--despite",
    multiple=True,
    type=click.Choice(["paused", "hold", "blackout"]),
    help="Run once although this blocks the schedule; may be repeated.",
)
@click.option("--reason", help="Why; kept in the history. Needed with --despite.")
@click.option("--yes", is_flag=True, help="Send however much it is, without looking first and asking.")
def command(
    said: Invocation,
    id: ScheduleId,
    form: str,
    full: bool,
    dry_run: bool,
    class_: str | None,
    despite: tuple[str, ...],
    reason: str | None,
    yes: bool,
) -> int:
    """Run a schedule now. Its interval is not moved by that.

    A grade passback that would write more than 1,000 results (`safety.results_by_hand`) says how many and asks
    first; where nobody can answer, it needs --yes.

    Exit 4: somebody works in the account already. Exit 3: the run failed or needs a person.
    """
    from gradesync.domain.run import Mode
    from gradesync.engine.control import ByHand

    if despite and not (reason and reason.strip()):
        raise click.UsageError("--despite needs --reason: going over a block is kept in the history")
    wish = ByHand(
        schedule=id,
        mode=Mode.FULL if full else Mode.DELTA,
        dry=dry_run,
        class_filter=class_,
        despite=frozenset(despite),
        reason=reason,
    )
    watch = watching()
    with opened(said, progress=watch) as app:
        if class_:
            _only_for_grades(app, id)
        try:
            if not yes:
                wish = replace(wish, most=int(app.settings.safety.get("results_by_hand", MOST)))
            end = _run(app, wish, watch.clear)
        finally:
            watch.clear()
        show(form, "run_end", end)
    if class_ and end.result is not None and end.problem is None and not end.result.counts.get("classes"):
        tell(
            f"no class {class_} was met: --class takes the id the SIS gives a class, and it must be in scope"
        )
        return 1
    if dry_run:
        return 0  # a look is no run, and what would be withheld is what it was asked to show
    if end.result is None:
        return 1
    return 3 if end.needs_person else 0


def _run(app: App, wish: ByHand, clear: Callable[[], None]) -> RunEnd:
    """The run; a large one after a person at the terminal agreed. Raises NeedsConsent when nobody can be asked."""
    from gradesync.engine.control import NeedsConsent, run_by_hand

    try:
        return carry_out(run_by_hand(app.tools(), wish))
    except NeedsConsent as large:
        clear()
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        tell(str(large))
        if not click.confirm("Send them?", err=True):
            raise
    return carry_out(run_by_hand(app.tools(), replace(wish, most=None)))


def _only_for_grades(app: App, id: ScheduleId) -> None:
    """Raises a usage error for --class with a roster import, which has no part to leave out."""
    from gradesync.domain.schedule import SyncType
    from gradesync.engine.control import find_account

    schedule = find_account(app.tools(), id.account).account.schedules.get(id.name)
    if schedule is not None and schedule.type is SyncType.ROSTER_IMPORT:
        raise click.UsageError(
            "--class is for grade passback; a roster import is always of the whole account"
        )
