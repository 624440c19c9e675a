"""SIS imports of a Canvas: the record, the one-at-a-time queue, diffing against a baseline, and the result.

Endpoints are in `canvas_import_api`; how a row changes the world in `canvas_apply`. Diffing keeps Canvas's
traps: rows that failed are part of the baseline, a threshold that is exceeded applies the whole file
without removals and makes no new baseline, and an empty diff ends at once.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gradesync.sandbox.canvas_apply import Options, apply_table
from gradesync.sandbox.canvas_csv import ORDER, Message, Table, diff_tables, read_upload
from gradesync.sandbox.canvas_http import stamp
from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_world import CanvasWorld

WAITING = frozenset({"initializing", "created"})
SUCCESS = frozenset({"imported", "imported_with_messages"})
TERMINAL = SUCCESS | {"failed", "failed_with_messages", "aborted", "restored", "partially_restored"}

#: Only so many messages stand in the import itself; the rest is in its errors listing.
SHOWN_MESSAGES = 24


class ImportQueue:
    """Runs a world's waiting imports one after the other, oldest first, in a task of the serving loop."""

    def __init__(self, world: CanvasWorld) -> None:
        self._world = world
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Sees to it that the waiting imports get their turn."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Stops working; what waits stays waiting."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

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
    tables, messages = read_upload(job.data, job.extension, job.file_name)
    job.outcome.messages += messages
    job.size = len(job.data)
    job.data = b""
    job.tables = tables
    job.supplied = list(dict.fromkeys(one.kind for one in tables))
    chosen = _to_apply(world, job, tables)
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
        clear_stickiness=bool(job.clear_sis_stickiness),
        skip_deletes=job.skip_deletes,
        claim_logins=job.update_sis_id_if_login_claimed,
    )
    for number, table in enumerate(chosen, start=1):
        if job.workflow_state == "aborted":
            return
        apply_table(world, table, options, job.outcome)
        if table.kind not in job.completed:
            job.completed.append(table.kind)
        job.progress = min(99, number * 100 // len(chosen))
        await asyncio.sleep(0)
    _finish(world, job)


def _to_apply(world: CanvasWorld, job: SisImport, tables: list[Table]) -> list[Table]:
    """The whole upload, or its difference from the baseline when diffing is asked for and possible."""
    if job.diffing_data_set_identifier is None:
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
        "batch_mode": None,
        "batch_mode_term_id": None,
        "multi_term_batch_mode": None,
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
    for name, changes in job.outcome.statistics.items():
        kinds = ("created", "restored", "concluded", "deactivated", "deleted")
        statistics[name] = {kind: changes[kind] for kind in kinds}
    return made | {
        "supplied_batches": job.supplied,
        "counts": counts | tally,
        "running_immediately": sum(counts.values()) < 50,
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
        "row_info": None,
        "row": message.row,
    }
