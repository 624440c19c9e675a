"""Taking a SIS import back, as an admin can: what it did to the states of records, and undoing that.

Only states come back. Names, dates, terms and places stay as the import left them, and what it made is deleted.
Nothing here knows HTTP, rows or diffs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gradesync.sandbox.canvas_import_record import SisImport, StateChange
from gradesync.sandbox.canvas_world import CanvasWorld

States = Mapping[str, Mapping[int, str]]


def states(world: CanvasWorld) -> States:
    """The state of every record that an import can change, by kind and Canvas id."""
    return {
        kind: {one.id: one.workflow_state for one in kept.values()} for kind, kept in _kept(world).items()
    }


def changes(world: CanvasWorld, before: States) -> list[StateChange]:
    """What has another state now, and what was not there."""
    return [
        StateChange(kind, one.id, known, one.workflow_state)
        for kind, kept in _kept(world).items()
        for one in kept.values()
        if (known := before[kind].get(one.id)) != one.workflow_state
    ]


def restore(
    world: CanvasWorld, job: SisImport, *, batch_mode: bool, undelete_only: bool, unconclude_only: bool
) -> None:
    """Undo an import's changes of state: all of them, or those alone that were asked for.

    `batch_mode` means what its clean-up did, `undelete_only` what it deleted, `unconclude_only` the enrollments it
    concluded.
    """
    chosen: Iterable[StateChange] = job.cleaned_up if batch_mode else [*job.cleaned_up, *job.changed]
    if undelete_only:
        chosen = [one for one in chosen if one.after == "deleted"]
    if unconclude_only:
        chosen = [one for one in chosen if one.kind == "enrollment" and one.after == "completed"]
    kept = _kept(world)
    for one in chosen:
        # What was not there before cannot be made undone; Canvas deletes it.
        state, record = one.before or "deleted", kept[one.kind][one.id]
        if one.kind == "enrollment":
            world.set_enrollment_state(record, state)
        else:
            record.workflow_state = state
    job.workflow_state = (
        "partially_restored" if batch_mode or undelete_only or unconclude_only else "restored"
    )
    job.updated_at = world.now()


def _kept(world: CanvasWorld) -> Mapping[str, Mapping[int, Any]]:
    return {
        "account": world.accounts,
        "term": world.terms,
        "course": world.courses,
        "section": world.sections,
        "login": world.logins,
        "enrollment": world.enrollments,
    }
