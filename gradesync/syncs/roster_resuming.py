"""An import whose end nobody saw: the run that sent it was killed, lost Canvas, or gave up waiting.

Its successor looks for it before anything else, waits for it, and takes it as sent when it went through; so nothing
is sent twice and nothing is lost. What to send next is decided elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gradesync.domain.roster import ImportStatus
from gradesync.errors import ConnectionProblem
from gradesync.syncs.identity import check_identity
from gradesync.syncs.marks import PENDING, REMASTER
from gradesync.syncs.roster_job import RosterJob
from gradesync.syncs.roster_sending import SUCCEEDED, followed

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Resumed:
    """An import of an earlier run, at its end or still going on. `whole`: it applied every row of its files."""

    status: ImportStatus
    whole: bool

    @property
    def succeeded(self) -> bool:
        """Whether its files are what Canvas now holds."""
        return self.status.state in SUCCEEDED


async def resumed(job: RosterJob) -> Resumed | None:
    """The import that an earlier run left behind, waited for; None when there is none.

    What holds after it is remembered here. Raises ConnectionProblem.
    """
    text = job.records.watermark(PENDING)
    if not text:
        return None
    pending = json.loads(text)
    # Another Canvas under the same address has imports with the same numbers.
    check_identity(job.records, await job.sink.identity(), await job.source.identity())
    status = await _found(job, pending)
    if status is None:
        # It never reached Canvas, so there is nothing to wait for.
        job.records.set_watermarks({PENDING: ""})
        return None
    job.progress.say(job.schedule, "An import of an earlier run is followed to its end.")
    status = await followed(job, status)
    if not status.finished:
        if status.state == "initializing":
            job.records.set_watermarks({PENDING: ""})
        return Resumed(status, whole=False)
    marks = {PENDING: ""}
    if status.state in SUCCEEDED:
        # Its messages name our rows when it applied all of them; else all rows are applied once more.
        whole = bool(pending["whole"]) or status.state == "imported"
        clean = whole and bool(pending["last"]) and not status.threshold_exceeded
        marks |= {str(name): str(value) for name, value in pending["then"].items()}
        marks[REMASTER] = "0" if clean else "1"
    job.records.set_watermarks(marks)
    return Resumed(status, whole=bool(pending["whole"]) or status.threshold_exceeded)


async def _found(job: RosterJob, pending: dict[str, Any]) -> ImportStatus | None:
    """The import in Canvas. Killed before Canvas answered, a run knew no number: it is the newest of its data set that
    is younger than every import there was when it was sent."""
    number = pending.get("id")
    if number is None:
        mine = [
            one
            for one in await job.sink.recent_imports()
            if one.id > pending["after"] and one.data_set == pending["data_set"]
        ]
        return max(mine, key=lambda one: one.id, default=None)
    try:
        return await job.sink.import_status(int(number))
    except ConnectionProblem as problem:
        if problem.status == _NOT_FOUND:
            return None
        raise
