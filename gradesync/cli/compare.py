"""`gradesync compare`: Canvas's gradebook and the SIS's beside each other."""

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


@new_command(
    "compare",
    "gradesync compare riverside/grades\n"
    "gradesync compare riverside/grades --class alg-1-p3 --records\n"
    "gradesync compare riverside/grades --exit-code --format json",
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
    exit_code: bool,
) -> int:
    """Compare both gradebooks record by record and say why they differ. Nothing is written to either.

    Reads everything, so it takes as long as a full run. Records are named by Canvas's assignment number and a
    pseudonym.
    """
    from gradesync.engine.compare import CompareWish, compare

    if show_values and (form != "text" or not sys.stdout.isatty()):
        raise click.UsageError("--show-values is for a terminal: scores must not end up in a file or a log")
    watch = watching()
    with opened(said, progress=watch) as app:
        try:
            found = carry_out(compare(app.tools(), CompareWish(id, class_, show_values)))
        finally:
            watch.clear()
        show(form, "comparison", found, every=records or show_values)
    if class_ and not found.classes and not found.unread:
        tell(
            f"no class {class_} was met: --class takes the id the SIS gives a class, and it must be in scope"
        )
        return 1
    return 3 if exit_code and found.needs_person else 0
