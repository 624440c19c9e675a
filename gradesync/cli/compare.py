"""`gradesync compare`: Canvas's gradebook, or its roster, and the SIS's beside each other."""

from __future__ import annotations

import sys

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

_NO_CLASS = "no class {} was met: --class takes the id the SIS gives a class, and it must be in scope"


@new_command(
    "compare",
    "gradesync compare riverside/grades\n"
    "gradesync compare riverside/grades --class alg-1-p3 --records\n"
    "gradesync compare riverside/grades --exit-code --format json\n"
    "gradesync compare riverside/roster-nightly\n"
    "gradesync compare riverside/roster-nightly --full",
)
@click.argument("id", type=ScheduleParam(), metavar="ACCOUNT/SCHEDULE")
@format_option()
@click.option("--class", "class_", metavar="SIS_ID", help="Only this class.")
@click.option(
    "--records", is_flag=True, help="Name every record that differs, not only those somebody must look at."
)
@click.option(
    "--show-values",
    is_flag=True,
    help="Show what Canvas shows, what goes of it and what the SIS holds; only on a terminal, kept in the history.",
)
@click.option("--full", is_flag=True, help="Of a roster: look at the seats of every class, not of 50.")
@click.option(
    "--exit-code", is_flag=True, help="End with 3 when something differs that a person must act on."
)
def command(
    said: Invocation,
    id: ScheduleId,
    form: str,
    class_: str | None,
    records: bool,
    show_values: bool,
    full: bool,
    exit_code: bool,
) -> int:
    """Compare Canvas and the SIS record by record and say why they differ. Nothing is written to either.

    Of a grade passback, both gradebooks; of a roster import, what the SIS says now, what the last good import held and
    what Canvas holds. Reads everything, so it takes as long as a full run. Records are named by Canvas's assignment
    number and a pseudonym.
    """
    from gradesync.domain.schedule import SyncType
    from gradesync.engine.compare import CompareWish, compare, compare_roster, compared_type

    if show_values and (form != "text" or not sys.stdout.isatty()):
        raise click.UsageError("--show-values is for a terminal: scores must not end up in a file or a log")
    watch = watching()
    with opened(said, progress=watch) as app:
        tools = app.tools()
        wish = CompareWish(id, class_, show_values, full)
        of_roster = compared_type(tools, id) is SyncType.ROSTER_IMPORT
        _check_options(of_roster, show_values=show_values, full=full, class_=class_)
        try:
            if of_roster:
                rosters = carry_out(compare_roster(tools, wish))
            else:
                found = carry_out(compare(tools, wish))
        finally:
            watch.clear()
        if of_roster:
            show(form, "roster_comparison", rosters, every=records)
            if class_ and not rosters.looked:
                tell(_NO_CLASS.format(class_))
                return 1
            return 3 if exit_code and rosters.needs_person else 0
        show(form, "comparison", found, every=records or show_values)
    if class_ and not found.classes and not found.unread:
        tell(_NO_CLASS.format(class_))
        return 1
    return 3 if exit_code and found.needs_person else 0


def _check_options(of_roster: bool, *, show_values: bool, full: bool, class_: str | None) -> None:
    """Raises a usage error for options that mean nothing for this type of schedule."""
    if of_roster and show_values:
        raise click.UsageError("--show-values is for grade passback; a roster has no scores")
    if full and not of_roster:
        raise click.UsageError("--full is for roster imports; gradebooks are always read whole")
    if full and class_:
        raise click.UsageError("--full looks at every class, --class at one")
