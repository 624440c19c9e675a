"""`gradesync resume`: releases holds. What the files pause, it names with file and line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, load_tree, new_command, opened, tell
from gradesync.cli.options import REASON
from gradesync.cli.render import json_out
from gradesync.cli.rights import require_scope
from gradesync.cli.scopes import read_scope, scope_options
from gradesync.domain.rights import Right
from gradesync.domain.schedule import ScheduleId, State, SyncType, account_state

if TYPE_CHECKING:
    from gradesync.engine.control import Resumed


@new_command(
    "resume",
    "gradesync resume riverside/grades\ngradesync resume --type grade-passback\ngradesync resume --everything",
)
@scope_options
@click.option("--reason", type=REASON, help="Why; kept in the history.")
@format_option()
def command(
    said: Invocation,
    target: str | None,
    group: str | None,
    type_: SyncType | None,
    everything: bool,
    reason: str | None,
    form: str,
) -> int:
    """Release the holds placed with exactly this scope. Nothing that was missed is caught up.

    Exit 1 when nothing was released, or when a schedule of the scope is paused in its file: only a change there can
    start it.
    """
    from gradesync.engine.control import paused_in_yaml, release

    scope = read_scope(target, group, type_, everything)
    with opened(said) as app:
        require_scope(app, Right.RESUME, scope)
        tools = app.tools()
        resumed = release(tools, scope, reason)
        paused = paused_in_yaml(tools, scope)
    for hold in resumed.released:
        tell(f"released: {hold.scope}, held by {hold.actor.name} ({hold.reason})")
    if not resumed.released:
        tell(f"no hold has the scope {scope}; `gradesync holds` shows those in force")
        for wider in dict.fromkeys(block.scope for _, block in resumed.still if block.scope):
            tell(f"to end what holds it: gradesync resume {wider}")
    _tell_still(resumed)
    places = {str(id): _where(said, id) for id in paused}
    for id, place in places.items():
        tell(f"{id} is paused in {place}; change `state` there")
    if form == "json":
        json_out(
            {
                "version": 1,
                "kind": "resumed",
                "released": [hold.id for hold in resumed.released],
                "still_blocked": [
                    {"schedule": str(id), "kind": block.kind, "sentence": block.sentence}
                    for id, block in resumed.still
                ],
                "paused_in_files": [{"schedule": id, "place": place} for id, place in places.items()],
            }
        )
    return 1 if paused or not resumed.released else 0


def _tell_still(resumed: Resumed) -> None:
    for id, block in resumed.still:
        if block.kind != "paused":
            tell(f"still blocked: {id}: {block.sentence}")


def _where(said: Invocation, id: ScheduleId) -> str:
    """File and line of the account's `state` where that pauses all its schedules, else of the schedule's own."""
    desired = load_tree(said).desired
    account = desired.accounts.get(id.account)
    if account is None:
        return "its file"
    above = account_state(json.loads(account.text)) is State.PAUSED
    place = desired.place(account.file, ("state",) if above else ("schedules", id.name, "state"))
    return f"{place.file}:{place.line}"
