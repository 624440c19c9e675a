"""`gradesync run`: one schedule, now, in the person's name."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
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
from gradesync.cli.options import REASON
from gradesync.cli.progress import watching
from gradesync.cli.render import show
from gradesync.cli.rights import require
from gradesync.domain.rights import Right
from gradesync.domain.schedule import ScheduleId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradesync.domain.report import RunEnd
    from gradesync.engine.control import ByHand
    from gradesync.wiring import App

MOST = 1000
"""Results a grade passback writes by hand without being asked about, unless `safety.results_by_hand` says else."""


@new_command(
    "run",
    "gradesync run riverside/grades\n"
    "gradesync run riverside/grades --dry-run --full\n"
    "gradesync run riverside/roster-nightly --dry-run --csv-to look\n"
    "gradesync run riverside/grades --full --yes\n"
    "gradesync run oak-hill/grades --despite paused \\\n"
    '  --reason "parents\' evening tonight"',
)
@click.argument("id", type=ScheduleParam(), metavar="ACCOUNT/SCHEDULE")
@format_option()
@click.option("--full", is_flag=True, help="Look at everything, not only at what changed.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would be sent; nothing is sent and nothing recorded."
)
@click.option(
    "--csv-to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --dry-run of a roster import: leave the files it would send in DIR. They hold student data; "
    "that they were written is kept in the history.",
)
@click.option("--class", "class_", metavar="SIS_ID", help="Only this class (grade passback).")
@click.option(
    "--despite",
    multiple=True,
    type=click.Choice(["paused", "hold", "breaker", "blackout"]),
    help="Run once although this blocks the schedule; may be repeated.",
)
@click.option("--reason", type=REASON, help="Why; kept in the history. Needed with --despite.")
@click.option("--yes", is_flag=True, help="Send however much it is, without looking first and asking.")
def command(
    said: Invocation,
    id: ScheduleId,
    form: str,
    full: bool,
    dry_run: bool,
    csv_to: Path | None,
    class_: str | None,
    despite: tuple[str, ...],
    reason: str | None,
    yes: bool,
) -> int:
    """Run a schedule now. Its interval is not moved by that.

    A grade passback that would write more than 1,000 results (`safety.results_by_hand`) says how many and asks
    first; where nobody can answer, it needs --yes.

    Exit 4: somebody works in the account already. Exit 3: the run failed, was stopped or needs a person.
    """
    from gradesync.domain.run import Mode, Outcome
    from gradesync.engine.control import ByHand

    if despite and not (reason and reason.strip()):
        raise click.UsageError("--despite needs --reason: going over a block is kept in the history")
    if csv_to is not None and not dry_run:
        raise click.UsageError("--csv-to needs --dry-run: a run keeps its files to itself")
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
        if not dry_run:
            require(app, Right.RUN, id.account)
        if despite and not dry_run:
            require(app, Right.DESPITE, id.account)
        if class_:
            _only_for_grades(app, id)
        if csv_to is not None:
            wish = replace(wish, keep=_keeping(app, id, csv_to))
        try:
            if not yes:
                wish = replace(wish, most=int(app.settings.safety.get("results_by_hand", MOST)))
            else:
                wish = replace(wish, lifted=True)
            end = _run(app, wish, watch.clear)
        finally:
            watch.clear()
        show(form, "run_end", end)
    if csv_to is not None:
        from gradesync.cli.roster_files import WARNING

        tell(WARNING.format(folder=csv_to))
    if class_ and end.result is not None and end.problem is None and not end.result.counts.get("classes"):
        tell(
            f"no class {class_} was met: --class takes the id the SIS gives a class, and it must be in scope"
        )
        return 1
    if dry_run:
        return 0  # a look is no run, and what would be withheld is what it was asked to show
    if end.result is None:
        return 1
    return 3 if end.needs_person or end.result.outcome is Outcome.STOPPED else 0


def _run(app: App, wish: ByHand, clear: Callable[[], None]) -> RunEnd:
    """The run; a large one after a person at the terminal agreed. Raises NeedsConsent when nobody can be asked."""
    from gradesync.engine.control import NeedsConsent, run_by_hand

    try:
        return carry_out(run_by_hand(app.tools(), wish), runs=True)
    except NeedsConsent as large:
        clear()
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        tell(str(large))
        if not click.confirm("Send them?", err=True):
            tell(f"Nothing was sent; `gradesync run {wish.schedule} --dry-run` shows what would be.")
            raise click.exceptions.Exit(1) from None
    return carry_out(run_by_hand(app.tools(), replace(wish, most=None, lifted=True)), runs=True)


def _keeping(app: App, id: ScheduleId, folder: Path) -> Callable[[Mapping[str, Path]], None]:
    """What takes the files of a dry run. Raises a usage error for a grade passback, which sends no files."""
    from gradesync.cli.roster_files import copy_into, prepare
    from gradesync.domain.schedule import SyncType
    from gradesync.engine.control import find_account

    schedule = find_account(app.tools(), id.account).account.schedules.get(id.name)
    if schedule is not None and schedule.type is not SyncType.ROSTER_IMPORT:
        raise click.UsageError("--csv-to is for roster imports; a grade passback sends no files")
    prepare(folder)
    return partial(copy_into, folder)


def _only_for_grades(app: App, id: ScheduleId) -> None:
    """Raises a usage error for --class with a roster import, which has no part to leave out."""
    from gradesync.domain.schedule import SyncType
    from gradesync.engine.control import find_account

    schedule = find_account(app.tools(), id.account).account.schedules.get(id.name)
    if schedule is not None and schedule.type is SyncType.ROSTER_IMPORT:
        raise click.UsageError(
            "--class is for grade passback; a roster import is always of the whole account"
        )
