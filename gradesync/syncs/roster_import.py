"""The roster import: read the SIS, let the domain decide, send the files to Canvas, verify what arrived.

`import_roster` is the run; `preview_roster` is its dry twin, whose types hold readers only, so that a dry run cannot
write by mistake. Every decision is in `domain.roster_scope`, `roster_guard` and `roster_csv`; here are the order of
steps, the waiting, and what is remembered between runs:

- `roster:sent`      digest of the files of the last import that counts
- `roster:counts`    JSON: what the last good read held, for the brake
- `roster:chain`     under which name and scope Canvas compares uploads
- `roster:remaster`  "1" while Canvas may differ from the files last sent, so that the next run applies all rows
"""

from __future__ import annotations

from gradesync.domain.run import RunResult, Stage
from gradesync.ports import RosterSpool
from gradesync.syncs.identity import record_identity
from gradesync.syncs.roster_after import verified
from gradesync.syncs.roster_deciding import data_set_id, decide, stopped
from gradesync.syncs.roster_job import RosterJob, RosterPreview
from gradesync.syncs.roster_sending import not_imported, one_import, warnings_of

__all__ = ["RosterJob", "RosterPreview", "data_set_id", "import_roster", "preview_roster"]


async def preview_roster(job: RosterPreview) -> RunResult:
    """Count what a run would send (`would send`: rows of the upload) and name what would stop it; nothing is written.

    Raises ConnectionProblem when a side cannot be read.
    """
    with job.spool() as spool:
        decided = await decide(job, spool)
    if decided.stop is not None:
        return stopped(job, decided.files, decided.stop)
    job.tracker.counts["would send" if decided.passes else "unchanged"] = decided.files.rows
    if decided.passes and await job.canvas.unfinished_imports():
        job.tracker.codes["GS-607"] += 1
    return job.tracker.result()


async def import_roster(job: RosterJob) -> RunResult:
    """Bring the SIS's roster into Canvas.

    Counts: `read` (records), `users`, `classes`, `enrollments` (rows), `sent` (rows uploaded), `imported` (rows Canvas
    says it handled), `unchanged`, `withheld` (rows kept back by a stop), `dropped` (records that cannot be carried
    over), `future` (enrollments not begun). Raises ConnectionProblem, LeaseLost and RunStopped; the tracker then tells
    the stage. Nothing is remembered of an import that did not succeed, except that the next one must apply all rows.
    """
    with job.spool() as spool:
        return await _imported(job, spool)


async def _imported(job: RosterJob, spool: RosterSpool) -> RunResult:
    look = _look(job)
    decided = await decide(look, spool)
    job.tracker.counts["sent"] = 0
    if decided.stop is not None:
        return stopped(look, decided.files, decided.stop)
    if not decided.passes:
        job.tracker.counts["unchanged"] = decided.files.rows
        return job.tracker.result()
    job.tracker.stage = Stage.WRITE
    warnings = 0
    record_identity(job.records, dict(decided.identities))
    for remaster in decided.passes:
        ended = await one_import(job, decided, remaster=remaster)
        if ended is None or ended.state not in ("imported", "imported_with_messages"):
            return not_imported(job, decided.files, ended)
        # Only the last import's messages count: it applied every row that an earlier one could not.
        warnings = warnings_of(ended)
    return await verified(job, decided, warnings=warnings)


def _look(job: RosterJob) -> RosterPreview:
    """The reading half of a run."""
    return RosterPreview(
        account=job.account,
        schedule=job.schedule,
        mode=job.mode,
        today=job.today,
        source=job.source,
        records=job.records,
        canvas=job.sink,
        progress=job.progress,
        spool=job.spool,
        data_set=job.data_set,
        remaster=job.remaster,
        tracker=job.tracker,
    )
