"""`gradesync request`: a durable wish that the next pass run a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, ScheduleParam, format_option, new_command, opened, tell
from gradesync.cli.options import REASON
from gradesync.cli.render import json_out
from gradesync.cli.rights import require
from gradesync.domain.rights import Right
from gradesync.domain.schedule import ScheduleId

if TYPE_CHECKING:
    from gradesync.engine.tools import Tools
    from gradesync.wiring import App


@new_command(
    "request", "gradesync request riverside/grades\ngradesync request riverside/grades oak-hill/grades --full"
)
@click.argument("ids", type=ScheduleParam(), metavar="ACCOUNT/SCHEDULE...", nargs=-1, required=True)
@click.option("--full", is_flag=True, help="Look at everything, not only at what changed.")
@click.option("--withdraw", is_flag=True, help="Take the wish back.")
@click.option("--reason", type=REASON, help="Why; kept in the history.")
@format_option()
def command(
    said: Invocation, ids: tuple[ScheduleId, ...], full: bool, withdraw: bool, reason: str | None, form: str
) -> int:
    """Ask the next pass to run schedules. A request expires after 24 hours.

    It waits behind what blocks its schedule. --withdraw takes it back until its run has begun.
    """
    from gradesync.domain.run import Mode
    from gradesync.engine.requests import request_run

    with opened(said) as app:
        for account in sorted({id.account for id in ids}):
            require(app, Right.REQUEST, account)
        if withdraw:
            return max(_withdraw(app, id) for id in ids)
        tools = app.tools()
        made = [request_run(tools, id, Mode.FULL if full else Mode.DELTA, reason) for id in ids]
        stopped = [sentence for id in ids for sentence in _stopping(tools, id)]
    what = str(ids[0]) if len(ids) == 1 else f"{len(ids)} schedules"
    tell(f"{what} will run in the next pass" if not stopped else f"{what}: the request was recorded")
    for sentence in stopped:
        tell(sentence)
    if form == "json":
        rows = [{"id": one.id, "schedule": str(one.schedule), "mode": one.mode.value} for one in made]
        json_out({"version": 1, "kind": "requests", "requests": rows})
    return 0


def _stopping(tools: Tools, id: ScheduleId) -> list[str]:
    """What keeps a wish waiting: whoever leaves one must not wait for a run that does not come."""
    from gradesync.engine.control import blocks_of, find_account

    found = blocks_of(tools, find_account(tools, id.account), id, tools.store.now())
    if not found:
        return []
    why = "; ".join(block.sentence for block in found)
    return [f"{id} is stopped: {why}; the request waits until that ends, for 24 hours at most"]


def _withdraw(app: App, id: ScheduleId) -> int:
    from gradesync.engine.requests import Withdrawn, withdraw_request

    found = withdraw_request(app.tools(), id)
    if found is Withdrawn.NONE:
        tell(f"no request for {id} waits")
    elif found is Withdrawn.BEGUN:
        tell(f"the request for {id} has begun to run; to end it: gradesync stop {id.account} --reason '...'")
    else:
        tell(f"the request for {id} is withdrawn: {found.value}")
    return 0 if found in (Withdrawn.WAITED, Withdrawn.QUEUED) else 1
