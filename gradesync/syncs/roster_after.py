"""After the import: whether everything arrived, and what the next run must know."""

from __future__ import annotations

import json

from gradesync.domain.run import RunResult, Stage
from gradesync.syncs.marks import ROSTER_SENT
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob


async def verified(job: RosterJob, decided: Decided, *, warnings: int) -> RunResult:
    """Ask Canvas whether every section arrived, then remember the import.

    Canvas counts a row it refused as known (`canvas.md` 2.6) and would never try it again by itself: any message
    and any missing section make the next run apply all rows.
    """
    tracker = job.tracker
    tracker.stage = Stage.VERIFY
    job.progress.stage(job.schedule, Stage.VERIFY.value)
    known = (await job.sink.known_ids()).get("sections", frozenset())
    missing = len(decided.files.section_ids - known)
    if warnings or missing:
        tracker.codes["GS-604"] += warnings + missing
    if missing:
        job.progress.say(job.schedule, f"{missing:,} sections that were sent are not in Canvas.")
    tracker.stage = Stage.RECORD
    job.progress.stage(job.schedule, Stage.RECORD.value)
    job.records.set_watermarks(
        {
            ROSTER_SENT: decided.digest,
            "roster:counts": json.dumps(dict(decided.counts), sort_keys=True),
            "roster:chain": decided.chain,
            "roster:remaster": "1" if warnings or missing else "0",
        }
    )
    return tracker.result()
