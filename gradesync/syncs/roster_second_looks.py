"""What only Canvas can tell, asked once the brake has let a read pass: are approved new ids there, and does what was
sent still hold? Reads only; what Canvas answers is judged by the domain.
"""

from __future__ import annotations

import asyncio
import json

from gradesync.domain.roster import Roster
from gradesync.domain.roster_change import Matching
from gradesync.domain.roster_csv import CanvasFiles
from gradesync.domain.roster_guard import NOTHING_SENT, RosterStop
from gradesync.domain.roster_newids import AS_NEW, NEW_IDS, unknown_ids_stop
from gradesync.domain.roster_takeover import TakeOver
from gradesync.domain.run import Stage
from gradesync.syncs.marks import IMPORTS
from gradesync.syncs.roster_braking import Measured
from gradesync.syncs.roster_job import RosterPreview
from gradesync.syncs.roster_take_over import Ours

_TAKEN_BACK = frozenset({"restoring", "restored", "partially_restored"})


async def new_ids(job: RosterPreview, brake: Measured, files: CanvasFiles, scoped: Roster) -> Measured | None:
    """An approved change of ids goes only over a Canvas that holds the new ones; None where no such change is.

    Raises ConnectionProblem.
    """
    change = brake.verdict.change
    if not change.approved or NEW_IDS not in change.codes:
        return None
    matching = await _ids_in_canvas(job, files, scoped)
    job.tracker.stage = Stage.DECIDE
    stop = unknown_ids_stop(change, matching)
    return brake if stop is None else brake.further(stop, AS_NEW, job.brake)


async def _ids_in_canvas(job: RosterPreview, files: CanvasFiles, scoped: Roster) -> tuple[Matching, ...]:
    """How many of the ids about to be sent Canvas holds, by kind and school."""
    job.tracker.stage = Stage.MATCH
    ours = await asyncio.to_thread(Ours.of, files, scoped, job.account.roster.mapping.accounts)
    matched = TakeOver(ours.ids, ours.schools)
    async for page in job.canvas.held_ids(job.account.roster.mapping.people):
        matched.hold(page)
        job.progress.stage(job.schedule, Stage.MATCH.value, matched.held)
    return matched.matchings()


async def taken_back(job: RosterPreview, brake: Measured) -> tuple[Measured, frozenset[int]]:
    """Whether somebody in Canvas took back one of the last imports (`restore_states`): one request; and which.

    It was done on purpose, because the import did harm. Sent again by ourselves, the same files would do it again the
    same night; passed over, Canvas would differ from the SIS and every night would say that nothing has changed.
    """
    known = frozenset(json.loads(job.records.watermark(IMPORTS) or "[]"))
    if not known:
        return brake, frozenset()
    ours = (one for one in await job.canvas.recent_imports() if one.id in known)
    found = frozenset(one.id for one in ours if one.state in _TAKEN_BACK)
    if not found:
        return brake, found
    numbers = ", ".join(str(one) for one in sorted(found))
    stop = RosterStop(
        "GS-625",
        f"Canvas holds again what it held before our import {numbers}: somebody took it back there. {NOTHING_SENT}",
    )
    return brake.further(stop, f"taken back {numbers}", job.brake), found


__all__ = ["new_ids", "taken_back"]
