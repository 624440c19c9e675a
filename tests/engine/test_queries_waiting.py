"""What still waits is not forgotten because the last run found nothing new."""

from __future__ import annotations

from gradesync.domain.run import Outcome
from gradesync.engine.queries import ListFilter, account_view, needs_of, schedule_rows
from gradesync.reporting.words import needs_someone
from tests.domain.plan_samples import schedule
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


def test_a_paused_schedule_that_never_ran_needs_nobody_for_what_another_left() -> None:
    district = District()
    course = next(iter(district.school.canvas.held.values()))
    course.assignments[0] = work(course.assignments[0].id, course.course.id, due_at=None)
    district.reconcile(district.tree(more={"old": schedule(state="paused")}))
    district.later(15)
    district.reconcile()
    rows = {row.schedule.id.name: row for row in schedule_rows(district.store, ListFilter())}
    assert set(rows["grades"].waiting) == {"GS-401"}
    assert rows["old"].waiting == {}
    assert not needs_someone(rows["old"])
    assert list(rows) == ["grades", "old"]


def test_list_and_show_tell_since_when_the_oldest_record_waits() -> None:
    district = District()
    course = next(iter(district.school.canvas.held.values()))
    course.assignments[0] = work(course.assignments[0].id, course.course.id, due_at=None)
    district.started()
    began = district.school.now
    district.later(24 * 60)
    district.reconcile()
    (row,) = schedule_rows(district.store, ListFilter())
    assert row.waiting_since == {"GS-401": began}
    view = account_view(district.store, "riverside")
    assert view.waiting_since == {"GS-401": began}
    assert view.waiting == row.waiting


def test_the_list_can_be_narrowed_to_what_waits_for_teachers() -> None:
    district = District()
    course = next(iter(district.school.canvas.held.values()))
    course.assignments[0] = work(course.assignments[0].id, course.course.id, due_at=None)
    district.started()
    district.later(15)
    district.reconcile()
    assert len(schedule_rows(district.store, ListFilter(needs="teacher"))) == 1
    assert schedule_rows(district.store, ListFilter(needs="district")) == ()


def test_the_list_of_one_code_counts_what_waits_by_it_alone() -> None:
    district = District()
    course = next(iter(district.school.canvas.held.values()))
    course.assignments[0] = work(course.assignments[0].id, course.course.id, due_at=None)
    course.assignments[1] = work(course.assignments[1].id, course.course.id, points=None)
    district.started()
    (row,) = schedule_rows(district.store, ListFilter())
    assert set(row.waiting) == {"GS-401", "GS-413"}
    (one,) = schedule_rows(district.store, ListFilter(code="GS-413"))
    assert set(one.waiting) == set(one.waiting_since) == {"GS-413"}


def test_grades_that_wait_for_a_closed_period_are_named_to_the_district() -> None:
    district = District()
    district.school.sis.closed = frozenset({"q1"})
    district.started()
    (row,) = schedule_rows(district.store, ListFilter(needs="district"))
    assert set(row.waiting) == {"GS-501"}
    assert needs_of(row) == {"district"}
    assert row.last is not None
    assert row.last.result is not None
    assert row.last.result.outcome is Outcome.COMPLETED
