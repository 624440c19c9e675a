"""`gradesync request`: a durable wish that the next pass run a schedule."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, ScheduleParam, new_command, opened, tell
from gradesync.domain.schedule import ScheduleId


@new_command("request", "gradesync request riverside/grades\ngradesync request riverside/grades --full")
@click.argument("id", type=ScheduleParam(), metavar="ACCOUNT/SCHEDULE")
@click.option("--full", is_flag=True, help="Look at everything, not only at what changed.")
@click.option("--withdraw", is_flag=True, help="Take the wish back.")
@click.option("--reason", help="Why; kept in the history.")
def command(said: Invocation, id: ScheduleId, full: bool, withdraw: bool, reason: str | None) -> int:
    """Ask the next pass to run a schedule. The wish is forgotten after 24 hours."""
    from gradesync.domain.history import Fact
    from gradesync.domain.run import Mode
    from gradesync.engine.control import request_run

    with opened(said) as app:
        if withdraw:
            fact = Fact("request withdrawn", app.actor, id.account, id.name)
            gone = app.store.withdraw_request(id, [fact])
            tell(f"the request for {id} is withdrawn" if gone else f"no request for {id} waits")
            return 0 if gone else 1
        request_run(app.tools(), id, Mode.FULL if full else Mode.DELTA, reason)
    tell(f"{id} will run in the next pass")
    return 0
