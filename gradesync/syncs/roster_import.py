"""The roster import: read the SIS, let the domain decide, send the files to Canvas, verify what arrived.

`import_roster` is the run; `preview_roster` is its dry twin, whose types hold readers only, so that a dry run cannot
write by mistake. Every decision is in the domain; here are the order of steps and what is remembered between runs
(`syncs.marks`, and for the brake `roster:counts` and `roster:chain`).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import date

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_change import ClassChange, RosterChange
from gradesync.domain.roster_classes import MOST_CLASSES, class_changes
from gradesync.domain.roster_generation import GenerationHead
from gradesync.domain.roster_rows import Refused, Remembered
from gradesync.domain.run import RunResult, Stage
from gradesync.errors import Halted
from gradesync.ports import RosterSpool
from gradesync.syncs.identity import record_identity
from gradesync.syncs.marks import (
    BEYOND,
    DIGEST,
    FILES,
    IMPORTS,
    PENDING,
    REFUSED,
    REMASTER,
    REMASTERED,
    ROSTER_SENT,
    SIZE,
)
from gradesync.syncs.roster_after import read_back
from gradesync.syncs.roster_beyond import ALL, beyond_shown, beyond_told
from gradesync.syncs.roster_braking import keep, keep_first
from gradesync.syncs.roster_deciding import Decided, data_set_id, decide, stopped
from gradesync.syncs.roster_job import RosterJob, RosterPreview
from gradesync.syncs.roster_leavers import taken_out
from gradesync.syncs.roster_observers import ties_ended
from gradesync.syncs.roster_refused import messages_of, remembered, sent_again, told
from gradesync.syncs.roster_resuming import Resumed, resumed
from gradesync.syncs.roster_sending import SUCCEEDED, Order, expected_change, not_imported, one_import

__all__ = ["RosterJob", "RosterPreview", "data_set_id", "import_roster", "preview_roster"]


async def preview_roster(job: RosterPreview) -> RunResult:
    """Count what a run would send (`would send`: rows of the upload; `would send again`: rows Canvas refused before)
    and name what would stop it; nothing is written.

    Raises ConnectionProblem when a side cannot be read.
    """
    with job.spool() as spool:
        decided = await decide(job, spool)
        beyond = await beyond_shown(job, decided, spool) if decided.stop is None else {}
        if job.look is not None:
            job.look({**decided.files.paths, **decided.rest, **beyond})
    if decided.stop is not None:
        return stopped(job, decided.files, decided.stop)
    job.tracker.counts["would send" if decided.passes else "unchanged"] = decided.files.rows
    if decided.passes and (files := _differing(job, decided)):
        # Numbers tell how many; which of the files they are in is what somebody opens with `--csv-to`.
        job.progress.say(job.schedule, f"Files that differ from those sent last: {', '.join(files)}.")
    if again := len(Remembered.of(job.records.watermark(REFUSED))):
        job.tracker.counts["would send again"] = again
    if decided.passes and await job.canvas.unfinished_imports():
        job.tracker.codes["GS-607"] += 1
    return job.tracker.result()


def _differing(job: RosterPreview, decided: Decided) -> list[str]:
    """Names of the files that are not those sent last; none where nothing was sent yet."""
    text = job.records.watermark(FILES)
    last: dict[str, str] = json.loads(text) if text else {}
    return [
        name for name, one in sorted(decided.files.files.items()) if last and last.get(name) != one.digest
    ]


async def import_roster(job: RosterJob) -> RunResult:
    """Bring the SIS's roster into Canvas.

    Counts: `read` (records), `users`, `classes`, `enrollments` (rows), `sent` (rows uploaded), `imported` (rows Canvas
    says it handled), `unchanged`, `withheld` (rows kept back by a stop), `dropped` (records that cannot be carried
    over), `future` (enrollments not begun), `refused users` and so on (messages by kind of row), `sent again` (rows
    refused before), `read back` (seats looked at afterwards), `taken up` (imports of a run that broke off), `taken
    out` (seats). Raises ConnectionProblem, LeaseLost and RunStopped; the tracker then tells the stage. Nothing is
    remembered of an import that did not succeed, except that the next one must apply all rows.
    """
    with job.spool() as spool:
        return await _imported(job, spool)


@dataclass(frozen=True, slots=True)
class _Sent:
    """The import that counts: its end, whether it applied every row of the files, and what Canvas said of rows."""

    status: ImportStatus
    whole: bool
    messages: Refused


async def _imported(job: RosterJob, spool: RosterSpool) -> RunResult:
    earlier = await resumed(job)
    if earlier is not None and not earlier.status.finished:
        return not_imported(job, 0, earlier.status)
    look = replace(_look(job), remaster=job.remaster or _remaster_is_due(job))
    decided = await decide(look, spool)
    job.tracker.counts["sent"] = 0
    taken = earlier is not None and earlier.succeeded and job.records.watermark(DIGEST) == decided.digest
    taken = taken and not decided.taken_back
    if decided.stop is not None and not taken:
        return stopped(look, decided.files, decided.stop)
    if decided.stop is not None and job.tracker.roster is not None:
        # Canvas has these very files already: a run before this one was let through, and broke off after sending.
        job.tracker.roster = replace(job.tracker.roster, codes=(), sentences=(), digest=None)
    before = Remembered.of(job.records.watermark(REFUSED))
    if not decided.passes and not len(before) and not taken:
        job.tracker.counts["unchanged"] = decided.files.rows
        keep_first(job.records, decided.brake)
        return await beyond_told(job, decided, spool)
    job.tracker.stage = Stage.WRITE
    record_identity(job.records, dict(decided.identities))
    sent: _Sent | None = None
    if taken and earlier is not None:
        sent = await _of_earlier(job, earlier)
    for position, remaster in enumerate(decided.passes):
        if job.halted():
            raise Halted("this process was asked to end; the run was handed back before its upload")
        ended = await one_import(job, _order(job, decided, position))
        if ended is None or ended.state not in SUCCEEDED:
            return await _broken_off(job, decided, ended)
        whole = remaster or ended.threshold_exceeded
        # Only the last import's messages count: it applied every row that an earlier one could not.
        sent = _Sent(ended, whole, await messages_of(job, ended))
    return await _ended(job, decided, spool, before, sent)


async def _of_earlier(job: RosterJob, earlier: Resumed) -> _Sent:
    job.tracker.counts["taken up"] = 1
    return _Sent(earlier.status, earlier.whole, await messages_of(job, earlier.status))


def _remaster_is_due(job: RosterJob) -> bool:
    """Whether all rows were last applied so long ago that what was changed in Canvas since is to be undone."""
    last, every = job.records.watermark(REMASTERED), job.account.roster.remaster_days
    return bool(last and every) and (job.today - date.fromisoformat(str(last))).days >= every


def _order(job: RosterJob, decided: Decided, position: int) -> Order:
    """One of the imports that were decided on, and what holds once it is through."""
    files = decided.files
    size = sum(one.size for one in files.files.values())
    same = job.records.watermark("roster:chain") == decided.chain
    return Order(
        paths=files.paths,
        rows=files.rows,
        data_set=decided.data_set,
        remaster=decided.passes[position],
        expected_change=expected_change(size, job.records.watermark(SIZE) if same else None),
        last=position == len(decided.passes) - 1,
        then=_marks(job, decided, whole=decided.passes[position]),
    )


def _marks(job: RosterJob, decided: Decided, *, whole: bool) -> dict[str, str]:
    """What holds once the files are in Canvas."""
    marks = {
        DIGEST: decided.digest,
        "roster:counts": json.dumps(dict(decided.counts), sort_keys=True),
        "roster:chain": decided.chain,
        SIZE: str(sum(one.size for one in decided.files.files.values())),
        ROSTER_SENT: decided.digest,
        FILES: json.dumps({name: one.digest for name, one in sorted(decided.files.files.items())}),
    }
    if decided.contact:
        marks[BEYOND] = ALL
    if whole or job.records.watermark(REMASTERED) is None:
        marks[REMASTERED] = job.today.isoformat()
    return marks


async def _broken_off(job: RosterJob, decided: Decided, ended: ImportStatus | None) -> RunResult:
    """An import did not succeed. What Canvas said of rows is told, and all rows are sent again by the next run."""
    if ended is not None and ended.finished:
        told(job, await messages_of(job, ended))
    return not_imported(job, decided.files.rows, ended)


async def _ended(
    job: RosterJob, decided: Decided, spool: RosterSpool, before: Remembered, sent: _Sent | None
) -> RunResult:
    """What is left to do once the files are in Canvas: refused rows once more, reading back, remembering."""
    marks: dict[str, str] = {}
    again = False
    left = before
    if sent is not None:
        told(job, sent.messages)
        again = _must_apply_all(job, sent, before)
        if sent.whole:
            now = await remembered(job, sent.messages, dict(decided.files.files))
            again = again or now is None
            left = Remembered() if now is None else now
        marks = {**_marks(job, decided, whole=sent.whole), ROSTER_SENT: f"{decided.digest} {sent.status.id}"}
    if len(before) and (sent is None or not sent.whole):
        left, arrived = await _sent_again(job, decided, spool, before)
        if arrived is not None:
            marks[ROSTER_SENT] = f"{decided.digest} {arrived}"
    if sent is None:
        job.tracker.counts["unchanged"] = decided.files.rows
    else:
        again = not await ties_ended(job, decided) or again
        amiss = await _looked_after(job, decided, spool, sent, left)
        if amiss is None:
            return job.tracker.result()
        marks |= {REMASTER: "1" if again or amiss else "0", PENDING: ""}
        keep(job.records, decided.brake)
    if decided.taken_back:
        numbers = json.loads(job.records.watermark(IMPORTS) or "[]")
        marks[IMPORTS] = json.dumps([one for one in numbers if one not in decided.taken_back])
    job.tracker.stage = Stage.RECORD
    job.progress.stage(job.schedule, Stage.RECORD.value)
    job.records.set_watermarks({**marks, REFUSED: left.text()})
    return await beyond_told(job, decided, spool)


async def _sent_again(
    job: RosterJob, decided: Decided, spool: RosterSpool, before: Remembered
) -> tuple[Remembered, int | None]:
    """Refused rows once more: which are still refused, and the import by which somebody arrived after all."""
    left, status = await sent_again(job, decided, spool, before)
    if status is None:
        # Rows that are left were not sent: another tool's import is in the way.
        job.tracker.codes["GS-607"] += bool(len(left))
        return left, None
    if status.state not in SUCCEEDED:
        job.tracker.codes["GS-606"] += 1
        return left, None
    return left, status.id if left != before else None


async def _looked_after(
    job: RosterJob, decided: Decided, spool: RosterSpool, sent: _Sent, left: Remembered
) -> int | None:
    """Read back, and take out whoever should have gone. Answers how many seats were not as they should be; None when
    that could not be mended: then the last good read stays the one before, and the next run finds the same seats."""
    changes = await _class_changes(job, decided)
    if job.tracker.roster is not None:
        job.tracker.roster = replace(job.tracker.roster, classes=changes[:MOST_CLASSES])
    # An import of all rows alone compares with nothing, and removes nobody.
    stayed = sent.status.threshold_exceeded or decided.passes == (True,)
    emptied = [one.class_id for one in changes if one.dropped] if stayed else []
    found = await read_back(job, decided, left, emptied)
    if found.looked:
        job.tracker.roster = replace(job.tracker.roster or RosterChange(), read_back=found.by_school())
    if found.total:
        job.tracker.codes["GS-620"] += found.total - (len(found.stayed) if emptied else 0)
        job.progress.say(job.schedule, found.sentence())
    if found.stayed and not await taken_out(job, decided, spool, found.stayed):
        return None
    return found.total


async def _class_changes(job: RosterJob, decided: Decided) -> tuple[ClassChange, ...]:
    """Drops and adds per class since the last good read, before this one replaces it."""
    text, generation = job.records.generation(), decided.brake.generation
    if text is None or generation is None or job.keyed is None:
        return ()
    chunks, ids = job.records.generation_chunk, decided.files.section_ids
    old = GenerationHead.from_text(text)
    return await asyncio.to_thread(class_changes, old, chunks, generation, job.keyed, ids)


def _must_apply_all(job: RosterJob, sent: _Sent, before: Remembered) -> bool:
    """Whether the next run must apply every row again because Canvas would not take some of these.

    An import of differences names rows of a file that Canvas made up, so all rows have to go once more. One that
    applied our files names our rows, and those are sent again by themselves; messages that name none are given one
    more import of all rows, and then left to the schedule of such imports.
    """
    if sent.status.threshold_exceeded:
        job.tracker.codes["GS-619"] += 1
        job.progress.say(
            job.schedule, "Canvas met its change limit: all rows were applied, and nobody was removed by it."
        )
        return True
    if not sent.whole:
        return sent.messages.total > 0
    return sent.messages.unplaced > 0 and not before.unplaced


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
        brake=job.brake,
    )
