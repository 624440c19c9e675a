"""`gradesync run`: one schedule, now, in the person's name."""

from __future__ import annotations

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
    from gradesync.wiring import App


@new_command(
    "run",
    "gradesync run riverside/grades\n"
    "gradesync run riverside/grades --dry-run --full\n"
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
def command(
    said: Invocation,
    id: ScheduleId,
    form: str,
    full: bool,
    dry_run: bool,
    class_: str | None,
    despite: tuple[str, ...],
    reason: str | None,
) -> int:
    """Run a schedule now. Its interval is not moved by that.

    Exit 4: somebody works in the account already. Exit 3: the run failed or needs a person.
    """
    from gradesync.domain.run import Mode
    from gradesync.engine.control import ByHand, run_by_hand

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
            end = carry_out(run_by_hand(app.tools(), wish))
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


def _only_for_grades(app: App, id: ScheduleId) -> None:
    """Raises a usage error for --class with a roster import, which has no part to leave out."""
    from gradesync.domain.schedule import SyncType
    from gradesync.engine.control import find_account

    schedule = find_account(app.tools(), id.account).account.schedules.get(id.name)
    if schedule is not None and schedule.type is SyncType.ROSTER_IMPORT:
        raise click.UsageError(
            "--class is for grade passback; a roster import is always of the whole account"
        )
