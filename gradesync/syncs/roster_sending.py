"""Sending the files to Canvas and following the import to its end. What to send is decided before."""

from __future__ import annotations

from collections.abc import Iterator

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_csv import CanvasFiles
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob

_FIRST_DELAY, _DELAY_GROWTH, _LONGEST_DELAY = 0.2, 1.6, 15.0


def _delays(total: float) -> Iterator[float]:
    """Growing pauses in seconds, up to 15 each, until `total` has been waited."""
    delay, waited = _FIRST_DELAY, 0.0
    while waited < total:
        yield delay
        waited += delay
        delay = min(delay * _DELAY_GROWTH, _LONGEST_DELAY)


async def _alone(job: RosterJob) -> bool:
    """Wait until no import of any tool waits or runs: Canvas would queue ours behind it and cannot reorder."""
    for delay in _delays(job.wait_for_others):
        if not await job.sink.unfinished_imports():
            return True
        job.progress.stage(job.schedule, Stage.WRITE.value)
        await job.sleep(delay)
    return not await job.sink.unfinished_imports()


async def one_import(job: RosterJob, decided: Decided, *, remaster: bool) -> ImportStatus | None:
    """Start one import and follow it to its end; None when another tool's import would not end.

    The answer may be unfinished when ours took longer than `wait_for_import`.
    """
    if not await _alone(job):
        return None
    # Written before sending: if this run dies in the middle, nobody knows which rows Canvas applied, and a later
    # upload that happens to equal an older one would leave them as they are.
    job.records.set_watermarks({"roster:remaster": "1"})
    job.guard.check()
    status = await job.sink.start_import(decided.files.paths, data_set=decided.data_set, remaster=remaster)
    job.tracker.counts["sent"] = decided.files.rows
    for delay in _delays(job.wait_for_import):
        job.progress.stage(job.schedule, Stage.WRITE.value, status.progress, 100)
        if status.finished:
            break
        await job.sleep(delay)
        status = await job.sink.import_status(status.id)
    job.tracker.counts["imported"] += _handled(status)
    return status


def _handled(status: ImportStatus) -> int:
    """Rows Canvas says it handled; its counts carry two that are messages, not rows."""
    return sum(n for word, n in status.counts.items() if word not in ("error_count", "warning_count"))


def warnings_of(status: ImportStatus) -> int:
    """Messages of an import that succeeded; at least one when its state says that there are some."""
    return max(1, status.warnings + status.errors) if status.state == "imported_with_messages" else 0


def not_imported(job: RosterJob, files: CanvasFiles, status: ImportStatus | None) -> RunResult:
    """The run's end when an import did not succeed."""
    tracker, say = job.tracker, job.progress.say
    if status is None:
        tracker.codes["GS-607"] += 1
        tracker.counts["withheld"] = files.rows
        say(job.schedule, "Another import is running in Canvas; nothing was sent.")
        return tracker.result()
    tracker.codes["GS-606"] += max(1, status.errors)
    if status.state == "failed_with_messages":
        # One unreadable file fails the import, while Canvas applies all the others (canvas.md 2.3).
        applied = tracker.counts["imported"]
        say(job.schedule, f"The Canvas import failed in part; {applied:,} rows were applied all the same.")
        return tracker.result()
    state = f"ended as {status.state}" if status.finished else "has not ended in time"
    say(job.schedule, f"The Canvas import {state}.")
    return tracker.result(Outcome.FAILED)
