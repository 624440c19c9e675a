"""SIS imports of a Canvas: the record, the one-at-a-time queue, diffing against a baseline, and the result.

Endpoints are in `canvas_import_api`; how a row changes the world in `canvas_apply`. Diffing keeps Canvas's
traps: rows that failed are part of the baseline, a threshold that is exceeded applies the whole file
without removals and makes no new baseline, and an empty diff ends at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from gradesync.sandbox.canvas_apply import Options, apply_rows
from gradesync.sandbox.canvas_batch import batch_terms, clean_up
from gradesync.sandbox.canvas_csv import ORDER, Message, Table, diff_tables, read_upload
from gradesync.sandbox.canvas_http import stamp
from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_restore import changes, restore, states
from gradesync.sandbox.canvas_world import CanvasWorld

WAITING = frozenset({"initializing", "created"})
SUCCESS = frozenset({"imported", "imported_with_messages"})
TERMINAL = SUCCESS | {"failed", "failed_with_messages", "aborted", "restored", "partially_restored"}

#: Rows are applied in pieces of this many, and other requests get a turn after each.
SEGMENT = 1000

#: Rows of an upload that is kept even when it is no longer compared with.
_SMALL = 20_000

#: Only so many messages stand in the import itself; the rest is in its errors listing.
SHOWN_MESSAGES = 24


class ImportQueue:
    """Runs a world's waiting imports one after the other, oldest first, in a task of the serving loop."""

    def __init__(self, world: CanvasWorld) -> None:
        self._world = world
        self._task: asyncio.Task[None] | None = None
        self._restoring: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Sees to it that the waiting imports get their turn."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Stops working; what waits stays waiting."""
        tasks = [*self._restoring, *([] if self._task is None else [self._task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def restore(self, job: SisImport, **what: bool) -> None:
        """Takes an ended import back; it is `restoring` until that is done. `what` is `canvas_restore.restore`'s."""
        job.workflow_state = "restoring"
        task = asyncio.get_running_loop().create_task(self._restored(job, what))
        self._restoring.add(task)
        task.add_done_callback(self._restoring.discard)

    async def _restored(self, job: SisImport, what: Mapping[str, bool]) -> None:
        await asyncio.sleep(self._world.settings.import_delay)
        restore(self._world, job, **what)

    async def _work(self) -> None:
        world = self._world
        while waiting := [one for one in world.imports.values() if one.workflow_state == "created"]:
            job = waiting[0]
            await asyncio.sleep(world.settings.import_delay)
            if job.workflow_state == "created":
                await run_import(world, job)


async def run_import(world: CanvasWorld, job: SisImport) -> None:
    """Runs one import from `created` to its end; gives other requests a turn between the types."""
    job.workflow_state = "importing"
    job.started_at = job.updated_at = world.now()
    await asyncio.sleep(world.settings.import_delay)
    # A district's files take seconds to read, and Canvas answers other requests meanwhile.
    tables, messages = await asyncio.to_thread(read_upload, job.data, job.extension, job.file_name)
    job.outcome.messages += messages
    job.size = len(job.data)
    job.data = b""
    job.tables = tables
    job.supplied = list(dict.fromkeys(one.kind for one in tables))
    chosen = await asyncio.to_thread(_to_apply, world, job, tables)
    if job.diffed and not any(one.rows for one in chosen) and not messages:
        job.empty_diff = True
        # Canvas ends such an import without ever noting when it began.
        job.started_at = None
        _finish(world, job)
        return
    options = Options(
        job.id,
        job.user_id,
        override_stickiness=bool(job.override_sis_stickiness),
        add_stickiness=bool(job.add_sis_stickiness),
        clear_stickiness=bool(job.clear_sis_stickiness),
        skip_deletes=job.skip_deletes,
        claim_logins=job.update_sis_id_if_login_claimed,
    )
    before = states(world)
    await _apply_all(world, job, chosen, options)
    job.changed = changes(world, before)
    if job.workflow_state == "aborted":
        return
    if await _cleaned_up(world, job, tables):
        _finish(world, job)


async def _apply_all(world: CanvasWorld, job: SisImport, chosen: list[Table], options: Options) -> None:
    """Every row of every table, in pieces; stops where the import is aborted."""
    total = sum(len(one.rows) for one in chosen) or 1
    done = 0
    for table in chosen:
        for start in range(0, len(table.rows), SEGMENT) or (0,):
            # What another request aborted while this one slept is not carried on.
            if job.workflow_state == "aborted":
                return
            segment = table.rows[start : start + SEGMENT]
            apply_rows(world, table, segment, options, job.outcome)
            done += len(segment)
            job.progress = min(99, done * 100 // total)
            await asyncio.sleep(0)
        if table.kind not in job.completed:
            job.completed.append(table.kind)


async def _cleaned_up(world: CanvasWorld, job: SisImport, tables: list[Table]) -> bool:
    """The clean-up of batch mode, if one is asked for and nothing failed; False when it aborted the import."""
    if not (job.batch_mode or job.multi_term_batch_mode) or any(one.failure for one in job.outcome.messages):
        return True
    job.workflow_state, job.progress = "cleanup_batch", 0
    await asyncio.sleep(world.settings.import_delay)
    terms, before = batch_terms(world, job, tables), states(world)
    refusal = clean_up(world, job, terms) if terms else "No terms in the upload to clean up"
    job.cleaned_up = changes(world, before)
    if refusal is None:
        return True
    job.outcome.messages.append(Message(job.file_name, refusal, failure=True))
    job.workflow_state = "aborted"
    job.ended_at = job.updated_at = world.now()
    job.tables = None
    return False


def _to_apply(world: CanvasWorld, job: SisImport, tables: list[Table]) -> list[Table]:
    """The whole upload, or its difference from the baseline when diffing is asked for and possible.

    Batch mode wins over diffing, whose identifier is then passed over without a word.
    """
    if job.diffing_data_set_identifier is None or job.batch_mode or job.multi_term_batch_mode:
        return tables
    if job.diffing_remaster:
        job.diffed = True
        return tables
    base = _baseline(world, job)
    if base is None or base.tables is None:
        return tables
    job.threshold_exceeded = False
    limit = job.change_threshold
    if limit is not None and base.size and abs(1 - job.size / base.size) * 100 > limit:
        job.threshold_exceeded = True
        return tables
    made = diff_tables(
        base.tables,
        tables,
        drop_status=job.diffing_drop_status or "deleted",
        user_remove_status=job.diffing_user_remove_status or "deleted",
    )
    rows = sum(len(one.rows) for one in made)
    if job.diff_row_count_threshold is not None and rows > job.diff_row_count_threshold:
        job.threshold_exceeded = True
        return tables
    job.diffed = True
    job.diffed_against = base.id
    return made


def _baseline(world: CanvasWorld, job: SisImport) -> SisImport | None:
    """The last success of the identifier that was diffed or remastered, else its first success."""
    earlier = [
        one
        for one in world.imports.values()
        if one.diffing_data_set_identifier == job.diffing_data_set_identifier
        and one.workflow_state in SUCCESS
        and one.id < job.id
    ]
    in_chain = [one for one in earlier if one.diffed]
    return in_chain[-1] if in_chain else next(iter(earlier), None)


def _finish(world: CanvasWorld, job: SisImport) -> None:
    messages = job.outcome.messages
    if any(one.failure for one in messages):
        job.workflow_state = "failed_with_messages"
    else:
        job.workflow_state = "imported_with_messages" if messages else "imported"
        job.progress = 100
    if not job.empty_diff:
        job.ended_at = world.now()
    job.updated_at = world.now()
    _forget_tables(world, job)


def _forget_tables(world: CanvasWorld, job: SisImport) -> None:
    """Keeps the rows of what the next upload is compared with, and of what it would be should that be taken back.

    Nothing else, and the second only of small uploads: a district's rows are large. Where they are gone, the upload
    after a restored one is applied whole.
    """
    name = job.diffing_data_set_identifier
    if name is None:
        job.tables = None
        return
    same = [one for one in world.imports.values() if one.diffing_data_set_identifier == name]
    succeeded = [one for one in same if one.workflow_state in SUCCESS]
    kept = [one for one in succeeded if one.diffed or one is succeeded[0]][-2:]
    if len(kept) > 1 and sum(len(table.rows) for table in kept[0].tables or ()) > _SMALL:
        kept = kept[1:]
    for one in same:
        if one not in kept and one.workflow_state in TERMINAL:
            one.tables = None


# -- what an import looks like ---------------------------------------------------------------------


def import_json(world: CanvasWorld, job: SisImport) -> dict[str, Any]:
    """A SisImport with Canvas's keys; messages appear only when there are some."""
    user = world.users[job.user_id]
    made: dict[str, Any] = {
        "id": job.id,
        "created_at": stamp(job.created_at),
        "started_at": stamp(job.started_at),
        "ended_at": stamp(job.ended_at),
        "updated_at": stamp(job.updated_at or job.created_at),
        "progress": job.progress,
        "workflow_state": job.workflow_state,
        "data": _data(job),
        "batch_mode": job.batch_mode,
        "batch_mode_term_id": job.batch_mode_term_id,
        "multi_term_batch_mode": job.multi_term_batch_mode,
        "override_sis_stickiness": job.override_sis_stickiness,
        "add_sis_stickiness": job.add_sis_stickiness,
        "update_sis_id_if_login_claimed": job.update_sis_id_if_login_claimed,
        "clear_sis_stickiness": job.clear_sis_stickiness,
        "diffing_data_set_identifier": job.diffing_data_set_identifier,
        "diffing_remaster": job.diffing_remaster,
        # Always null: Canvas reads it from a place that nothing writes.
        "diffed_against_import_id": None,
        "diffing_drop_status": job.diffing_drop_status,
        "skip_deletes": job.skip_deletes,
        "change_threshold": job.change_threshold,
        "diff_row_count_threshold": job.diff_row_count_threshold,
    }
    if job.diffing_data_set_identifier is not None:
        made["diffing_threshold_exceeded"] = job.threshold_exceeded
    made["user"] = {
        "id": user.id,
        "name": user.name,
        "created_at": stamp(user.created_at),
        "sortable_name": user.sortable_name,
        "short_name": user.short_name,
    }
    for name, failure in (("processing_errors", True), ("processing_warnings", False)):
        found = [[one.file, one.message] for one in job.outcome.messages if one.failure == failure]
        if len(found) > SHOWN_MESSAGES:
            more = ["", f"and {len(found) - SHOWN_MESSAGES} more"]
            found = [*found[:SHOWN_MESSAGES], more]
        if found and job.workflow_state in TERMINAL:
            made[name] = found
    return made


def _data(job: SisImport) -> dict[str, Any]:
    made: dict[str, Any] = {"import_type": job.import_type}
    messages = job.outcome.messages
    errors = sum(1 for one in messages if one.failure)
    tally = {"error_count": errors, "warning_count": len(messages) - errors}
    if job.empty_diff:
        return made | {"counts": tally}
    if job.diffed_against is not None:
        made["diffed_against_sis_batch_id"] = job.diffed_against
    if job.workflow_state not in TERMINAL:
        return made
    counts = {_plural(kind): job.outcome.counts[kind] for kind in ORDER}
    statistics: dict[str, Any] = {
        "total_state_changes": sum(sum(one.values()) for one in job.outcome.statistics.values())
    }
    for name, tally_of in job.outcome.statistics.items():
        kinds = ("created", "restored", "concluded", "deactivated", "deleted")
        statistics[name] = {kind: tally_of[kind] for kind in kinds}
    rows = sum(counts.values())
    counts |= {name: number for name, number in job.outcome.counts.items() if name.startswith("batch_")}
    return made | {
        "supplied_batches": job.supplied,
        "counts": counts | tally,
        "running_immediately": rows < 50,
        "completed_importers": job.completed,
        "statistics": statistics,
    }


def _plural(kind: str) -> str:
    if kind == "group_category":
        return "group_categories"
    return kind if kind.endswith("s") else f"{kind}s"


def error_json(job: SisImport, message: Message) -> dict[str, Any]:
    """One entry of the errors listing."""
    return {
        "sis_import_id": job.id,
        "file": message.file,
        "message": message.message,
        "row_info": message.row_info,
        "row": message.row,
    }
