"""What still waits is not forgotten because the last run found nothing new."""

from __future__ import annotations

from gradesync.domain.run import Outcome
from gradesync.engine.queries import ListFilter, needs_of, schedule_rows
from gradesync.reporting.words import needs_someone
from tests.engine.district import District
from tests.syncs.passback_school import work


def test_a_quiet_delta_does_not_make_waiting_records_disappear_from_the_list() -> None:
    district = District()
    course = next(iter(district.school.canvas.held.values()))
    course.assignments[0] = work(course.assignments[0].id, course.course.id, due_at=None)
    district.started()
    district.later(15)
    district.reconcile()
    (row,) = schedule_rows(district.store, ListFilter())
    assert row.last is not None
    assert row.last.result is not None
    assert row.last.result.outcome is Outcome.COMPLETED
    assert set(row.waiting) == {"GS-401"}
    assert needs_someone(row)
    assert needs_of(row) == {"teacher"}
