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

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from gradesync.domain.account import Account
from gradesync.domain.roster import ImportStatus, Roster
from gradesync.domain.roster_csv import CanvasFiles, canvas_files, files_digest
from gradesync.domain.roster_guard import (
    RosterStop,
    file_counts,
    files_stop,
    roster_counts,
    roster_stop,
    takeover_stop,
)
from gradesync.domain.roster_scope import in_scope, school_year, scope_digest
from gradesync.domain.run import Mode, Outcome, RunResult, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import Guard, Progress, ReadRecords, RosterReader, RosterSink, RosterSource, RunRecords
from gradesync.syncs.identity import check_identity, record_identity
from gradesync.syncs.marks import ROSTER_SENT
from gradesync.syncs.stage import StageTracker

Sleep = Callable[[float], Awaitable[None]]

_FIRST_DELAY, _DELAY_GROWTH, _LONGEST_DELAY = 0.2, 1.6, 15.0
_DATA_SET_BYTES = 128
_REMEMBERED = ("sent", "counts", "chain", "remaster")


@dataclass(frozen=True, slots=True)
class RosterPreview:
    """What a dry run of a roster import needs: readers only. `today` is the local date of the account's zone.

    `data_set` is the stem of the name Canvas compares uploads under (empty: `gradesync:<account>`); the school year
    is appended. `remaster` asks for all rows to be applied again even when nothing changed (after repairs made by
    hand in Canvas).
    """

    account: Account
    schedule: ScheduleId
    mode: Mode
    today: date
    source: RosterSource
    records: ReadRecords
    canvas: RosterReader
    progress: Progress
    data_set: str = ""
    remaster: bool = False
    tracker: StageTracker = field(default_factory=StageTracker)


@dataclass(frozen=True, slots=True)
class RosterJob:
    """What a roster import needs. Fields shared with `RosterPreview` mean the same.

    `sleep` waits that many seconds. `wait_for_others` and `wait_for_import` bound, in seconds, how long another
    tool's import and our own are waited for.
    """

    account: Account
    schedule: ScheduleId
    mode: Mode
    today: date
    source: RosterSource
    records: RunRecords
    guard: Guard
    progress: Progress
    sink: RosterSink
    sleep: Sleep = asyncio.sleep
    data_set: str = ""
    remaster: bool = False
    wait_for_others: float = 120.0
    wait_for_import: float = 7200.0
    tracker: StageTracker = field(default_factory=StageTracker)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be sent, or `stop`: why not. `passes` are the imports in order, by their remaster flag."""

    scoped: Roster
    files: CanvasFiles
    digest: str
    data_set: str
    chain: str
    counts: Mapping[str, int]
    passes: tuple[bool, ...]
    stop: RosterStop | None
    identities: Mapping[str, str] = field(default_factory=dict)


async def preview_roster(job: RosterPreview) -> RunResult:
    """Count what a run would send (`would send`: rows of the upload) and name what would stop it; nothing is written.

    Raises ConnectionProblem when a side cannot be read.
    """
    decided = await _decide(job)
    if decided.stop is not None:
        return _stopped(job, decided.files, decided.stop)
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
    look = _look(job)
    decided = await _decide(look)
    job.tracker.counts["sent"] = 0
    if decided.stop is not None:
        return _stopped(look, decided.files, decided.stop)
    if not decided.passes:
        job.tracker.counts["unchanged"] = decided.files.rows
        return job.tracker.result()
    job.tracker.stage = Stage.WRITE
    warnings = 0
    record_identity(job.records, dict(decided.identities))
    for remaster in decided.passes:
        ended = await _one_import(job, decided, remaster=remaster)
        if ended is None or ended.state not in ("imported", "imported_with_messages"):
            return _not_imported(job, decided.files, ended)
        # Only the last import's messages count: it applied every row that an earlier one could not.
        warnings = _warnings(ended)
    return await _verified(job, decided, warnings=warnings)


def data_set_id(stem: str, account: str, year: str) -> str:
    """The name under which Canvas compares uploads: at most 128 bytes (`canvas.md` 2.2), one per school year."""
    name = f"{stem or f'gradesync:{account}'}:{year}"
    if len(name.encode()) <= _DATA_SET_BYTES:
        return name
    return f"gradesync:{hashlib.sha256(name.encode()).hexdigest()}"


# --- fetch and decide -------------------------------------------------------------------------------------------


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
        data_set=job.data_set,
        remaster=job.remaster,
        tracker=job.tracker,
    )


async def _decide(job: RosterPreview) -> _Decided:
    """Read the SIS, ask the guards, make the files."""

    def told(done: int, total: int | None) -> None:
        job.progress.stage(job.schedule, Stage.FETCH.value, done, total)

    job.tracker.stage = Stage.FETCH
    identities = check_identity(job.records, await job.canvas.identity(), await job.source.identity())
    whole = await job.source.read_roster(told)
    job.tracker.stage = Stage.DECIDE
    job.progress.stage(job.schedule, Stage.DECIDE.value)
    # Read here, because a store's connection may belong to this thread.
    remembered = {name: job.records.watermark(f"roster:{name}") for name in _REMEMBERED}
    # A large district takes seconds of pure computing: on the loop it would keep the lease from being renewed.
    decided = await asyncio.to_thread(_judge, job, whole, remembered)
    decided = replace(decided, identities=identities)
    _count(job.tracker, whole, decided.files)
    if decided.stop is not None or remembered["sent"] is not None:
        return decided
    # First contact: an empty Canvas is filled, one that another tool filled must hold the same ids.
    known = (await job.canvas.known_ids()).get("sections", frozenset())
    return replace(decided, stop=takeover_stop(known, decided.scoped))


def _count(tracker: StageTracker, whole: Roster, files: CanvasFiles) -> None:
    """What was read and what became of it."""
    parts = (whole.orgs, whole.sessions, whole.courses, whole.classes, whole.users, whole.enrollments)
    tracker.counts["read"] = sum(len(part) for part in parts)
    tracker.counts["users"] = files.counts["users"]
    tracker.counts["classes"] = files.counts["sections"]
    tracker.counts["enrollments"] = files.counts["enrollments"]
    tracker.counts["dropped"] = files.dropped
    tracker.counts["future"] = files.future
    tracker.codes.update(files.problems)


def _judge(job: RosterPreview, whole: Roster, remembered: Mapping[str, str | None]) -> _Decided:
    """All that is pure: scope, files, the brake, and which imports are needed."""
    scoped = in_scope(whole, job.account.scope, job.today)
    files = canvas_files(scoped, time_zone=job.account.time_zone, today=job.today)
    data_set = data_set_id(job.data_set, job.account.key, school_year(whole, job.today))
    chain = f"{data_set} {scope_digest(job.account.scope)}"
    same_chain = remembered["chain"] == chain
    # Counts of another school year or another scope say nothing about what is missing from this one.
    previous = _previous_counts(remembered["counts"]) if same_chain else None
    policy = job.account.roster
    digest = files_digest(files)
    pending = job.remaster or remembered["remaster"] == "1"
    return _Decided(
        scoped=scoped,
        files=files,
        digest=digest,
        data_set=data_set,
        chain=chain,
        counts={**roster_counts(scoped), **file_counts(files)},
        passes=_passes(
            job.mode, same_chain=same_chain, changed=digest != remembered["sent"], pending=pending
        ),
        stop=roster_stop(scoped, previous, policy, job.today)
        or files_stop(files, previous, policy, job.today),
    )


def _passes(mode: Mode, *, same_chain: bool, changed: bool, pending: bool) -> tuple[bool, ...]:
    """The imports needed, each by its remaster flag; none when Canvas already has exactly these files.

    A remaster applies every row and removes nothing, and becomes what the next upload is compared with
    (`canvas.md` 2.6). So after a change it must follow a plain import, or what left the files would stay in Canvas
    for good. Under a new name or scope it goes alone: what the account no longer looks at is not to be removed.
    """
    if not same_chain:
        return (True,)
    if not changed:
        return (True,) if pending else ()
    return (False, True) if pending or mode is Mode.FULL else (False,)


def _previous_counts(text: str | None) -> dict[str, int] | None:
    if text is None:
        return None
    return {str(kind): int(number) for kind, number in json.loads(text).items()}


# --- write ------------------------------------------------------------------------------------------------------


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


async def _one_import(job: RosterJob, decided: _Decided, *, remaster: bool) -> ImportStatus | None:
    """Start one import and follow it to its end; None when another tool's import would not end.

    The answer may be unfinished when ours took longer than `wait_for_import`.
    """
    if not await _alone(job):
        return None
    # Written before sending: if this run dies in the middle, nobody knows which rows Canvas applied, and a later
    # upload that happens to equal an older one would leave them as they are.
    job.records.set_watermarks({"roster:remaster": "1"})
    job.guard.check()
    status = await job.sink.start_import(decided.files.files, data_set=decided.data_set, remaster=remaster)
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


def _warnings(status: ImportStatus) -> int:
    """Messages of an import that succeeded; at least one when its state says that there are some."""
    return max(1, status.warnings + status.errors) if status.state == "imported_with_messages" else 0


def _not_imported(job: RosterJob, files: CanvasFiles, status: ImportStatus | None) -> RunResult:
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


def _stopped(job: RosterPreview, files: CanvasFiles, stop: RosterStop) -> RunResult:
    """The run's end when a guard said no: everything withheld, the sentence kept beside the code."""
    job.tracker.codes[stop.code] += 1
    job.tracker.counts["withheld"] = files.rows
    job.progress.say(job.schedule, f"{stop.code}: {stop.message}")
    return replace(job.tracker.result(), vendor={stop.code: stop.message})


# --- verify and record ------------------------------------------------------------------------------------------


async def _verified(job: RosterJob, decided: _Decided, *, warnings: int) -> RunResult:
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
