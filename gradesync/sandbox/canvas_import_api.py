"""The endpoints of SIS imports: post (multipart or raw), poll, list, errors, abort, restore.

Reads requests and answers; the work itself is `canvas_import`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from aiohttp import web
from multidict import MultiDict

from gradesync.sandbox.canvas_http import (
    WORLD,
    ApiError,
    Params,
    not_found,
    params_of,
    path_id,
    reply,
    resolve,
    stamp,
    whole_number,
)
from gradesync.sandbox.canvas_import import TERMINAL, WAITING, ImportQueue, error_json, import_json
from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_paging import numbered
from gradesync.sandbox.canvas_world import CanvasWorld

QUEUE: web.AppKey[ImportQueue] = web.AppKey("canvas_imports", ImportQueue)

_EXTENSIONS = {
    "text/csv": "csv",
    "text/plain": "csv",
    "application/zip": "zip",
    "application/octet-stream": "zip",
}
_DROPS = frozenset({"deleted", "inactive", "completed", "deleted_last_completed"})


def install(app: web.Application) -> None:
    """Gives the application its import queue, closed with it."""
    queue = ImportQueue(app[WORLD])
    app[QUEUE] = queue

    async def life(_app: web.Application) -> AsyncIterator[None]:
        yield
        await queue.close()

    app.cleanup_ctx.append(life)


def _root(request: web.Request) -> None:
    if path_id(request, "account", "account_id") != request.app[WORLD].root_account_id:
        raise ApiError(400, {"errors": ["SIS imports can only be executed on root accounts"]})


async def start(request: web.Request) -> web.Response:
    """POST accounts/:root/sis_imports: takes the upload and queues it; answers 200 with state created."""
    _root(request)
    world = request.app[WORLD]
    if not world.settings.sis_imports:
        raise ApiError(403, {"errors": ["SIS imports are not enabled for this account"]})
    params, data, extension, name = await _upload(request)
    _check(params)
    kind = params.text("import_type") or "instructure_csv"
    if kind != "instructure_csv":
        body = {"errors": [{"message": "An error occurred.", "error_code": "internal_server_error"}]}
        raise ApiError(500, body | {"error_report_id": 1})
    job = SisImport(world.new_id("import"), world.now(), world.admin_id, data, extension, name)
    job.diffing_data_set_identifier = params.text("diffing_data_set_identifier")
    job.diffing_remaster = params.flag("diffing_remaster_data_set") is True
    job.diffing_drop_status = params.text("diffing_drop_status")
    job.diffing_user_remove_status = params.text("diffing_user_remove_status")
    job.change_threshold = whole_number(params.text("change_threshold") or "")
    job.diff_row_count_threshold = whole_number(params.text("diff_row_count_threshold") or "")
    job.override_sis_stickiness = params.flag("override_sis_stickiness")
    if job.override_sis_stickiness:
        # Both only count together with the override.
        job.add_sis_stickiness = params.flag("add_sis_stickiness")
        job.clear_sis_stickiness = params.flag("clear_sis_stickiness")
    job.update_sis_id_if_login_claimed = params.flag("update_sis_id_if_login_claimed") is True
    job.skip_deletes = params.flag("skip_deletes") is True
    _batch(world, params, job)
    world.imports[job.id] = job
    if params.flag("multi_term_batch_mode") and job.change_threshold is None:
        # Canvas has made its record by then, and it stays: waiting for ever, and in nobody's way.
        job.workflow_state = "initializing"
        raise ApiError(400, {"message": "change_threshold is required to use multi term_batch mode."})
    request.app[QUEUE].wake()
    return reply(request, import_json(world, job))


def _batch(world: CanvasWorld, params: Params, job: SisImport) -> None:
    """The parameters of batch mode; with a term it wins over the mode of many terms."""
    job.batch_mode_enrollment_drop_status = params.text("batch_mode_enrollment_drop_status")
    term = params.text("batch_mode_term_id")
    if params.flag("batch_mode") and term is not None:
        term_id = resolve(world, "term", term)
        if term_id is None:
            raise ApiError(400, {"message": "The batch_mode_term_id cannot be found."})
        job.batch_mode, job.batch_mode_term_id = True, term_id
    elif params.flag("multi_term_batch_mode"):
        job.multi_term_batch_mode = True


async def _upload(request: web.Request) -> tuple[Params, bytes, str, str]:
    """Parameters, file, its type by extension, its name; from a form or from the raw body."""
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        fields: MultiDict[object] = MultiDict(request.query)
        fields.extend(form)
        params = Params(fields)
        attachment = form.get("attachment")
        if not isinstance(attachment, web.FileField):
            raise ApiError(400, {"error": True, "error_message": "Missing attachment"})
        with attachment.file as file:
            data = file.read()
        guess = attachment.filename.rpartition(".")[2].lower()
        extension = (params.text("extension") or guess).lower()
        return params, data, extension if extension in ("csv", "zip") else "zip", attachment.filename
    params = params_of(request)
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise ApiError(400, {"error": True, "error_message": "Invalid content type, UTF-8 required"})
    # An unknown type without an extension is taken for a zip.
    extension = (params.text("extension") or _EXTENSIONS.get(request.content_type, "zip")).lower()
    return params, await request.read(), extension, f"sis_upload.{extension}"


def _check(params: Params) -> None:
    """The refusals of parameters, in Canvas's order."""
    threshold = whole_number(params.text("change_threshold") or "")
    if params.text("batch_mode_enrollment_drop_status") not in ("deleted", "completed", "inactive", None):
        raise ApiError(400, {"message": "Invalid batch_mode_enrollment_drop_status"})
    if params.text("diffing_drop_status") not in (*_DROPS, None):
        raise ApiError(400, {"message": "Invalid diffing_drop_status"})
    if params.text("diffing_user_remove_status") not in ("deleted", "suspended", None):
        raise ApiError(400, {"message": "Invalid diffing_user_remove_status"})
    if params.present("change_threshold") and not (threshold is not None and 1 <= threshold <= 100):
        raise ApiError(400, {"message": "Invalid change_threshold"})
    if len((params.text("diffing_data_set_identifier") or "").encode()) > 128:
        raise ApiError(400, {"message": "Invalid diffing_data_set_identifier"})


def _found(request: web.Request) -> SisImport:
    job = request.app[WORLD].imports.get(whole_number(request.match_info["import_id"]) or 0)
    if job is None:
        raise not_found()
    return job


async def one(request: web.Request) -> web.Response:
    """GET accounts/:root/sis_imports/:id."""
    _root(request)
    return reply(request, import_json(request.app[WORLD], _found(request)))


async def listing(request: web.Request) -> web.Response:
    """GET accounts/:root/sis_imports: newest first, wrapped, without a total."""
    _root(request)
    world = request.app[WORLD]
    params = params_of(request)
    states = set(params.many("workflow_state"))
    since, before = _time(params, "created_since"), _time(params, "created_before")
    found = [
        job
        for job in reversed(world.imports.values())
        if (not states or job.workflow_state in states)
        and (since is None or job.created_at > since)
        and (before is None or job.created_at < before)
    ]
    rows, headers = numbered(request, found, last=False)
    return reply(request, {"sis_imports": [import_json(world, job) for job in rows]}, headers=headers)


def _time(params: Params, name: str) -> datetime | None:
    text = params.text(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, {"errors": {name: f"Invalid datetime for {name}"}}) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


async def importing(request: web.Request) -> web.Response:
    """GET accounts/:root/sis_imports/importing: what runs now; waiting ones are not in it."""
    _root(request)
    world = request.app[WORLD]
    found = [job for job in world.imports.values() if job.workflow_state in ("importing", "cleanup_batch")]
    return reply(request, {"sis_imports": [import_json(world, job) for job in found]})


async def errors(request: web.Request) -> web.Response:
    """GET .../sis_imports/:id/errors and .../sis_import_errors; failure=true keeps only the failing ones."""
    _root(request)
    world = request.app[WORLD]
    jobs = [_found(request)] if "import_id" in request.match_info else list(world.imports.values())
    only = params_of(request).flag("failure") is True
    found = [
        (job, message) for job in jobs for message in job.outcome.messages if message.failure or not only
    ]
    rows, headers = numbered(request, found)
    return reply(request, {"sis_import_errors": [error_json(*one) for one in rows]}, headers=headers)


async def abort(request: web.Request) -> web.Response:
    """PUT .../sis_imports/:id/abort: 404 once it has ended."""
    _root(request)
    world = request.app[WORLD]
    job = _found(request)
    if job.workflow_state in TERMINAL:
        raise not_found()
    _abort(job, world.now())
    return reply(request, import_json(world, job))


async def abort_all(request: web.Request) -> web.Response:
    """PUT .../sis_imports/abort_all_pending: the waiting ones only."""
    _root(request)
    world = request.app[WORLD]
    for job in world.imports.values():
        if job.workflow_state in WAITING:
            _abort(job, world.now())
    return reply(request, {"aborted": True})


async def restore_states(request: web.Request) -> web.Response:
    """PUT .../sis_imports/:id/restore_states: answers a Progress; the import is `restoring` meanwhile."""
    _root(request)
    world, job = request.app[WORLD], _found(request)
    fields: MultiDict[object] = MultiDict(request.query)
    fields.extend(await request.post())
    params = Params(fields)
    what = {name: params.flag(name) is True for name in ("batch_mode", "undelete_only", "unconclude_only")}
    if what["undelete_only"] and what["unconclude_only"]:
        raise ApiError(400, {"message": "cannot set both undelete_only and unconclude_only"})
    if job.workflow_state not in TERMINAL:
        raise not_found()
    request.app[QUEUE].restore(job, **what)
    progress = {
        "id": world.new_id("progress"),
        "context_id": job.id,
        "context_type": "SisBatch",
        "tag": "sis_batch_state_restore",
        "workflow_state": "queued",
        "completion": 0,
        "created_at": stamp(world.now()),
    }
    return reply(request, progress)


def _abort(job: SisImport, moment: datetime) -> None:
    job.workflow_state = "aborted"
    job.ended_at = job.updated_at = moment
