"""Sending files to Canvas and following the import to its end. What to send is decided before."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gradesync.domain.roster import ImportStatus
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.errors import ConnectionProblem
from gradesync.syncs.marks import IMPORTS, PENDING, REMASTER
from gradesync.syncs.roster_job import RosterJob

_FIRST_DELAY, _SLOW_DELAY, _DELAY_GROWTH, _LONGEST_DELAY = 0.2, 2.0, 1.6, 30.0
_QUICK_ROWS = 5_000
"""Uploads of so few rows are often done in a moment; anything larger is first asked about after 2 seconds."""

_NEVER_BEGINS = 600.0
"""Seconds after which an import that is still `initializing` is known to be stuck (`canvas.md` 2.3)."""

_PATIENCE = 20
"""How many looks in a row may find Canvas out of reach before the run ends; the import goes on without us."""

_REMEMBERED = 20
"""How many imports are looked after: some weeks of nights."""

SUCCEEDED = frozenset({"imported", "imported_with_messages"})


@dataclass(frozen=True, slots=True)
class Order:
    """One import to be made. Without a `data_set` its rows are applied as they are and compared with nothing.

    `then` are watermarks that hold once it has succeeded: kept beside the import, so that the successor of a killed
    run can take it as sent. `last`: no other import is to follow it. `deletes`: what is gone from the rows is deleted.
    """

    paths: Mapping[str, Path]
    rows: int
    data_set: str | None = None
    remaster: bool = False
    expected_change: int = 0
    last: bool = True
    deletes: bool = False
    then: Mapping[str, str] = field(default_factory=dict)


def with_import(text: str | None, number: int) -> str:
    """The numbers of the last imports, with one more."""
    before = json.loads(text) if text else []
    return json.dumps([*before, number][-_REMEMBERED:])


def expected_change(size: int, before: str | None) -> int:
    """By how many percent an upload of `size` bytes differs from the one before; 0 when that is not known.

    Whether the change is right was decided before. Over its limit Canvas would apply all rows and remove nothing,
    which leaves whoever left in their classes; so Canvas is told of the change, and its limit still notices when what
    it compares with is not what we sent.
    """
    return math.ceil(abs(1 - size / int(before)) * 100) if before and int(before) else 0


def _delays(total: float, first: float = _FIRST_DELAY) -> Iterator[float]:
    """Growing pauses in seconds, up to 30 each, until `total` has been waited."""
    delay, waited = first, 0.0
    while waited < total:
        yield min(delay, total - waited)
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


async def one_import(job: RosterJob, order: Order) -> ImportStatus | None:
    """Start one import and follow it to its end; None when another tool's import would not end.

    The answer may be unfinished when ours took longer than `wait_for_import`. Raises ConnectionProblem and LeaseLost;
    an import that Canvas then goes on with is found by the next run.
    """
    if not await _alone(job):
        return None
    pending: dict[str, object] = {
        "data_set": order.data_set,
        "last": order.last,
        "then": dict(order.then),
        "whole": order.remaster,
    }
    if order.data_set is not None:
        pending["after"] = max((one.id for one in await job.sink.recent_imports()), default=0)
        # Written before sending: if this run dies in the middle, nobody knows yet which rows Canvas applied.
        job.records.set_watermarks({REMASTER: "1", PENDING: json.dumps(pending)})
    job.guard.check()
    status = await job.sink.start_import(
        order.paths,
        data_set=order.data_set,
        remaster=order.remaster,
        expected_change=order.expected_change,
        deletes=order.deletes,
    )
    if order.data_set is not None:
        job.records.set_watermarks({PENDING: json.dumps({**pending, "id": status.id})})
        if not order.deletes:
            job.records.set_watermarks({IMPORTS: with_import(job.records.watermark(IMPORTS), status.id)})
            job.tracker.counts["sent"] = order.rows
    else:
        job.tracker.counts["sent again"] += order.rows
    status = await followed(job, status, rows=order.rows)
    given_up = status.state == "initializing" or (status.finished and status.state not in SUCCEEDED)
    if order.data_set is not None and given_up:
        # One that succeeded stays until everything after it is done: reading back, and refused rows.
        job.records.set_watermarks({PENDING: ""})
    job.tracker.counts["imported"] += _handled(status)
    return status


async def followed(job: RosterJob, status: ImportStatus, *, rows: int = 0) -> ImportStatus:
    """Wait for an import's end. A Canvas that is out of reach for a while is waited for as well."""
    waited, lost = 0.0, 0
    for delay in _delays(job.wait_for_import, _FIRST_DELAY if rows <= _QUICK_ROWS else _SLOW_DELAY):
        job.progress.stage(job.schedule, Stage.WRITE.value, status.progress, 100)
        if status.finished or (status.state == "initializing" and waited >= _NEVER_BEGINS):
            break
        await job.sleep(delay)
        waited += delay
        try:
            status, lost = await job.sink.import_status(status.id), 0
        except ConnectionProblem as problem:
            lost += 1
            if not problem.retryable or lost > _PATIENCE:
                raise
    return status


def _handled(status: ImportStatus) -> int:
    """Rows Canvas says it handled; its counts carry two that are messages, not rows."""
    return sum(n for word, n in status.counts.items() if word not in ("error_count", "warning_count"))


def not_imported(job: RosterJob, rows: int, status: ImportStatus | None) -> RunResult:
    """The run's end when an import did not succeed."""
    tracker, say = job.tracker, job.progress.say
    if status is None:
        tracker.codes["GS-607"] += 1
        tracker.counts["withheld"] = rows
        say(job.schedule, "Another import is running in Canvas and did not end in time; nothing was sent.")
        return tracker.result()
    tracker.codes["GS-606"] += max(1, status.errors)
    if status.state == "failed_with_messages":
        # One unreadable file fails the import, while Canvas applies all the others (canvas.md 2.3).
        applied = tracker.counts["imported"]
        say(job.schedule, f"The Canvas import failed in part; {applied:,} rows were applied all the same.")
        return tracker.result()
    if status.finished:
        say(job.schedule, f"The Canvas import ended as {status.state}.")
    elif status.state == "initializing":
        say(job.schedule, "The Canvas import never began; the next run sends the roster anew.")
    else:
        say(
            job.schedule,
            "The Canvas import has not ended in time; the next run waits for it before it sends.",
        )
    return tracker.result(Outcome.FAILED)
