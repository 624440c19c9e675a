"""A look at both sides of a roster import, for whoever previews or compares: readers only, and no run."""

from __future__ import annotations

from gradesync.domain.account import Account
from gradesync.domain.interval import to_local
from gradesync.domain.run import Mode
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.tools import Tools
from gradesync.ports import RosterReader, RosterSource
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.roster_job import RosterPreview
from gradesync.syncs.stage import StageTracker


def roster_look(
    tools: Tools,
    account: Account,
    schedule: ScheduleId,
    tracker: StageTracker,
    sides: tuple[RosterSource, RosterReader],
    brake: Brake,
) -> RosterPreview:
    """The SIS and Canvas (`sides`) through a roster schedule's eyes."""
    source, canvas = sides
    return RosterPreview(
        account=account,
        schedule=schedule,
        mode=Mode.DELTA,
        today=to_local(tools.store.now(), account.time_zone).date(),
        source=source,
        records=tools.store.read_records(schedule.account),
        data_set=f"gradesync:{tools.store.origin(schedule.account)}",
        canvas=canvas,
        progress=tools.progress,
        spool=tools.connections.spool,
        tracker=tracker,
        brake=brake,
    )


__all__ = ["roster_look"]
