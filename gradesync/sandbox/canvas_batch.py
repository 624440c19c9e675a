"""Batch mode of a SIS import: what an upload does not hold goes, within a term, unless that would be too much.

Only what some SIS import has handled before is touched, and only types that are in the upload. Rows are applied
elsewhere, before this runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gradesync.sandbox.canvas_csv import Table
from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_records import Enrollment
from gradesync.sandbox.canvas_world import CanvasWorld

_KINDS = ("course", "section", "enrollment")


def batch_terms(world: CanvasWorld, job: SisImport, tables: Iterable[Table]) -> set[int]:
    """The terms a clean-up is about: the one asked for, or every one in the uploaded terms file."""
    if job.batch_mode:
        return set() if job.batch_mode_term_id is None else {job.batch_mode_term_id}
    found: set[int] = set()
    for table in tables:
        if table.kind == "term":
            for _, fields in table.rows:
                term_id = world.id_of("term", table.row(fields).get("term_id") or "")
                if term_id is not None:
                    found.add(term_id)
    return found


def clean_up(world: CanvasWorld, job: SisImport, terms: set[int]) -> str | None:
    """Removes what the upload did not hold; or, over the threshold, removes nothing and says why."""
    gone: dict[str, list[Any]] = {}
    for kind in _KINDS:
        if kind not in job.supplied:
            continue
        managed = [one for one in _in_terms(world, kind, terms) if one.sis_import_id is not None]
        gone[kind] = [one for one in managed if one.sis_import_id != job.id]
        limit = job.change_threshold
        if limit is not None and managed and len(gone[kind]) / len(managed) * 100 > limit:
            number = len(gone[kind])
            return f"{number} {kind}s would be deleted and exceeds the set threshold of {limit}%"
    for kind, records in gone.items():
        for record in records:
            _remove(world, job, kind, record)
        job.outcome.counts[f"batch_{kind}s_deleted"] = len(records)
    return None


def _in_terms(world: CanvasWorld, kind: str, terms: set[int]) -> list[Any]:
    """Living records with a SIS id in the terms; a section belongs to the term of its original course."""

    def inside(course_id: int) -> bool:
        return world.courses[course_id].enrollment_term_id in terms

    if kind == "course":
        return [
            one
            for one in world.courses.values()
            if one.sis_course_id and one.workflow_state != "deleted" and inside(one.id)
        ]
    sections = {
        one.id: one
        for one in world.sections.values()
        if one.sis_section_id and inside(one.nonxlist_course_id or one.course_id)
    }
    if kind == "section":
        return [one for one in sections.values() if one.workflow_state != "deleted"]
    return [
        one
        for one in world.enrollments.values()
        if one.course_section_id in sections and one.workflow_state != "deleted"
    ]


def _remove(world: CanvasWorld, job: SisImport, kind: str, record: Any) -> None:
    if kind == "enrollment":
        # Courses and sections are deleted whatever is asked for; enrollments may keep their grades.
        world.set_enrollment_state(record, job.batch_mode_enrollment_drop_status or "deleted")
        return
    record.workflow_state = "deleted"
    if kind == "course":
        for enrollment in list(world.enrollments_of_course(record.id)):
            _take_along(world, enrollment)
    elif kind == "section":
        for enrollment in list(world.enrollments_by_section[record.id]):
            _take_along(world, enrollment)


def _take_along(world: CanvasWorld, enrollment: Enrollment) -> None:
    """What lives in a deleted course or section is gone with it, its grades too."""
    if enrollment.workflow_state != "deleted":
        world.set_enrollment_state(enrollment, "deleted")
