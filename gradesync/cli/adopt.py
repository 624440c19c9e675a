"""`gradesync adopt`: take over what another tool's sync wrote into the SIS."""

from __future__ import annotations

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
from gradesync.cli.rights import require
from gradesync.domain.rights import Right
from gradesync.domain.schedule import ScheduleId


@new_command(
    "adopt",
    "gradesync adopt riverside/grades\n"
    "gradesync adopt riverside/grades --class alg-1-p3\n"
    "gradesync adopt riverside/grades --yes",
)
@click.argument("id", type=ScheduleParam(), metavar="ACCOUNT/SCHEDULE")
@format_option()
@click.option("--class", "class_", metavar="SIS_ID", help="Only this class.")
@click.option("--yes", is_flag=True, help="Write it into the ledger; without this it is only shown.")
def command(said: Invocation, id: ScheduleId, form: str, class_: str | None, yes: bool) -> int:
    """Take over the line items and results that another tool's sync made, so that switching doubles nothing.

    Found by title, due day and maximum, and by student. Only the ledger is written, and only with --yes; the next
    run leaves what is equal alone and overwrites nothing by itself. Exit 3: a part could not be read.
    """
    from gradesync.engine.adopt import AdoptWish, adopt

    watch = watching()
    with opened(said, progress=watch) as app:
        if yes:
            require(app, Right.ADOPT, id.account)
        try:
            found = carry_out(adopt(app.tools(), AdoptWish(id, class_, yes)))
        finally:
            watch.clear()
        show(form, "adoption", found)
    if class_ and not found.classes and not found.unread:
        tell(
            f"no class {class_} was met: --class takes the id the SIS gives a class, and it must be in scope"
        )
        return 1
    return 3 if found.unread else 0
