"""Bulk submissions, assignments and enrollments of the made-up Canvas: filters, traps, and what moves graded_at."""

from __future__ import annotations

from typing import Any

import pytest

from gradesync.sandbox.canvas_records import Assignment, Course, Login
from gradesync.sandbox.canvas_world import CanvasWorld

from .canvas_client import Canvas, Clock, talk, world


def _course(made: CanvasWorld) -> Course:
    """A published course whose only section came from the SIS and holds only SIS students."""
    for course in made.courses.values():
        students = [one for one in made.enrollments_of_course(course.id) if one.type.startswith("Student")]
        by_import = all(one.sis_import_id is not None and one.workflow_state == "active" for one in students)
        if (
            course.published
            and by_import
            and len(students) > 4
            and len(made.sections_by_course[course.id]) == 1
        ):
            return course
    raise AssertionError("no plain course")


def _new(made: CanvasWorld, course: Course, **fields: Any) -> tuple[Assignment, list[int]]:
    group = made.groups_by_course[course.id][0]
    return made.add_assignment(course.id, group, "Fresh", points_possible=10.0, **fields), sorted(
        made.students_of_course(course.id)
    )


def _path(course: Course, more: str = "") -> str:
    return f"/courses/{course.id}/students/submissions?student_ids[]=all&per_page=100{more}"


async def _changed(canvas: Canvas, course: Course, since: str) -> list[int]:
    rows = await canvas.every(_path(course, f"&graded_since={since}"))
    return [one["id"] for one in rows]


def test_a_new_assignment_has_a_placeholder_row_for_every_student() -> None:
    made = world()
    course = _course(made)
    assignment, students = _new(made, course)

    async def story(canvas: Canvas) -> None:
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        assert sorted(one["user_id"] for one in rows) == students
        assert {one["workflow_state"] for one in rows} == {"unsubmitted"}
        assert {one["score"] for one in rows} == {None}

    talk(made, story)


def test_grading_posts_at_once_unless_the_policy_is_manual() -> None:
    made = world()
    course = _course(made)
    open_one, students = _new(made, course)
    hidden, _ = _new(made, course, post_manually=True)
    shown = made.grade(open_one.id, students[0], 8.5)
    kept = made.grade(hidden.id, students[0], 8.5)
    assert (shown.score, shown.grade, shown.posted_at) == (8.5, "8.5", shown.graded_at)
    assert kept.score == 8.5
    assert kept.posted_at is None
    assert made.post(hidden.id) == len(students)
    assert kept.posted_at is not None


_MOVING = {"grade", "excuse", "set_status", "miss", "change_points"}


@pytest.mark.parametrize(
    "act",
    [
        *sorted(_MOVING),
        *("clear", "unexcuse", "post", "hide", "deduct", "resubmit", "move_due", "rename"),
    ],
)
def test_graded_since_sees_exactly_the_acts_that_move_graded_at(act: str) -> None:
    clock = Clock()
    made = world(clock=clock)
    course = _course(made)
    assignment, students = _new(made, course, post_manually=act == "post")
    student = students[0]
    if act == "unexcuse":
        made.excuse(assignment.id, student)
    else:
        made.grade(assignment.id, student, 6.0)
    row = made.submission_of[(assignment.id, student)]
    since = clock.forward(minutes=1)
    clock.forward(minutes=1)
    _act(made, act, assignment, student)

    async def story(canvas: Canvas) -> None:
        found = await _changed(canvas, course, since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        assert (row.id in found) == (act in _MOVING)

    talk(made, story)
    if act not in ("rename", "move_due"):
        assert row.updated_at > since


def _act(made: CanvasWorld, act: str, assignment: Assignment, student: int) -> None:
    extra: dict[str, list[Any]] = {
        "grade": [student, 7.0],
        "set_status": [student, "late"],
        "change_points": [20.0],
        "post": [],
        "hide": [],
        "deduct": [student, 1.0],
        "move_due": [None],
        "rename": ["Other"],
    }
    getattr(made, act)(assignment.id, *extra.get(act, [student]))


def test_a_cleared_grade_stays_graded_without_a_score() -> None:
    made = world()
    assignment, students = _new(made, _course(made))
    made.grade(assignment.id, students[0], 6.0)
    row = made.clear(assignment.id, students[0])
    assert (row.workflow_state, row.score, row.excused) == ("graded", None, False)
    assert row.graded_at is not None


def test_a_resubmission_keeps_the_old_score_and_goes_back_to_submitted() -> None:
    made = world()
    assignment, students = _new(made, _course(made))
    made.grade(assignment.id, students[0], 6.0)
    row = made.resubmit(assignment.id, students[0])
    assert (row.workflow_state, row.score, row.grade_matches_current_submission) == ("submitted", 6.0, False)


def test_a_late_deduction_shows_what_was_entered() -> None:
    made = world()
    course = _course(made)
    assignment, students = _new(made, course)
    made.grade(assignment.id, students[0], 9.0)
    made.deduct(assignment.id, students[0], 1.8)

    async def story(canvas: Canvas) -> None:
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        row = next(one for one in rows if one["user_id"] == students[0])
        assert (row["score"], row["grade"], row["points_deducted"]) == (7.2, "7.2", 1.8)
        assert (row["entered_score"], row["entered_grade"]) == (9.0, "9")

    talk(made, story)


def test_graded_since_is_strict_and_wants_an_iso_time() -> None:
    clock = Clock()
    made = world(clock=clock)
    course = _course(made)
    assignment, students = _new(made, course)
    row = made.grade(assignment.id, students[0], 6.0)
    exact = clock.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    async def story(canvas: Canvas) -> None:
        assert row.id not in await _changed(canvas, course, exact)
        for bad in ("yesterday", "2026-11-23", "2026-13-01T00:00:00Z"):
            answer = await canvas.get(_path(course, f"&graded_since={bad}"))
            assert answer.status == 400
            assert answer.body == {"errors": {"graded_since": "Invalid datetime for graded_since"}}

    talk(made, story)


def test_grouped_counts_by_presence_and_lists_every_student_even_without_rows() -> None:
    made = world()
    course = _course(made)
    students = sorted(made.students_of_course(course.id))

    async def story(canvas: Canvas) -> None:
        groups = (await canvas.get(_path(course, "&grouped=false&graded_since=2040-01-01T00:00:00Z"))).body
        assert [one["user_id"] for one in groups] == students
        assert {len(one["submissions"]) for one in groups} == {0}
        assert all(one["sis_user_id"] for one in groups)

    talk(made, story)


def test_the_sis_filter_drops_unflagged_work_and_hand_enrolled_students() -> None:
    made = world()
    course = _course(made)
    section = next(iter(made.sections_by_course[course.id].values()))
    guest = next(user for user in made.users.values() if user.name.startswith("Visiting"))
    made.enroll(guest.id, section)
    flagged, _ = _new(made, course)
    unflagged, _ = _new(made, course, post_to_sis=False)
    made.grade(flagged.id, guest.id, 5.0)

    async def story(canvas: Canvas) -> None:
        everything = await canvas.every(_path(course))
        assert guest.id in {one["user_id"] for one in everything}
        filtered = await canvas.every(_path(course, "&post_to_sis=true"))
        assert guest.id not in {one["user_id"] for one in filtered}
        assert flagged.id in {one["assignment_id"] for one in filtered}
        assert unflagged.id not in {one["assignment_id"] for one in filtered}

    talk(made, story)


def test_all_students_include_the_test_student_and_completed_ones_but_no_deleted_ones() -> None:
    made = world()
    course = next(
        one
        for one in made.courses.values()
        if any(x.type == "StudentViewEnrollment" for x in _enrolled(made, one))
    )
    assignment, _ = _new(made, course)
    fake = next(one for one in _enrolled(made, course) if one.type == "StudentViewEnrollment")
    done, gone = [one for one in _enrolled(made, course) if one.type == "StudentEnrollment"][:2]
    made.set_enrollment_state(done, "completed")
    made.set_enrollment_state(gone, "deleted")

    async def story(canvas: Canvas) -> None:
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        users = {one["user_id"] for one in rows}
        assert {fake.user_id, done.user_id} <= users
        assert gone.user_id not in users
        # Bringing the student back brings the old rows back.
        made.set_enrollment_state(gone, "active")
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        assert gone.user_id in {one["user_id"] for one in rows}

    talk(made, story)


def _enrolled(made: CanvasWorld, course: Course) -> list[Any]:
    return list(made.enrollments_of_course(course.id))


def test_foreign_students_and_assignments_refuse_the_whole_call() -> None:
    made = world()
    course = _course(made)
    unpublished, students = _new(made, course, workflow_state="unpublished")

    async def story(canvas: Canvas) -> None:
        base = f"/courses/{course.id}/students/submissions?student_ids[]={students[0]}"
        assert (await canvas.get(base)).status == 200
        assert (await canvas.get(f"{base}&student_ids[]={made.admin_id}")).status == 401
        refused = await canvas.get(_path(course, f"&assignment_ids[]={unpublished.id}"))
        assert (refused.status, refused.body) == (403, {"error": "invalid assignment ids requested"})
        many = "".join(f"&student_ids[]={number}" for number in range(101))
        crowd = await canvas.get(f"/courses/{course.id}/students/submissions?x=1{many}")
        assert (crowd.status, crowd.body) == (400, {"error": "too many students"})

    talk(made, story)


def test_fields_can_be_listed_or_excluded() -> None:
    made = world()
    course = _course(made)

    async def story(canvas: Canvas) -> None:
        row = (await canvas.get(_path(course, "&response_fields[]=id&response_fields[]=score"))).body[0]
        assert set(row) == {"id", "score"}
        row = (await canvas.get(_path(course, "&exclude_response_fields[]=preview_url"))).body[0]
        assert "preview_url" not in row
        assert "posted_at" in row
        assert "updated_at" not in row

    talk(made, story)


def test_an_unpublished_course_gives_no_grades_until_it_is_published() -> None:
    made = world()
    course = next(one for one in made.courses.values() if not one.published)

    async def story(canvas: Canvas) -> None:
        assert (await canvas.get(f"/courses/{course.id}")).body["workflow_state"] == "unpublished"
        assert (await canvas.get(_path(course))).body == []
        made.publish_course(course.id)
        made.add_assignment(course.id, made.groups_by_course[course.id][0], "First")
        assert (await canvas.get(f"/courses/{course.id}")).body["workflow_state"] == "available"
        assert len((await canvas.get(_path(course))).body) > 0

    talk(made, story)


def test_a_cross_listed_section_shows_its_home_and_keeps_its_own_students() -> None:
    made = world()
    section = next(one for one in made.sections.values() if one.nonxlist_course_id is not None)
    students = set(made.students_of_section(section.id))

    async def story(canvas: Canvas) -> None:
        sis_id = (section.sis_section_id or "").replace("/", "%2F").replace(".", "%2E")
        shown = (await canvas.get(f"/sections/sis_section_id:{sis_id}")).body
        assert shown["course_id"] == section.course_id
        assert shown["nonxlist_course_id"] == section.nonxlist_course_id
        assert shown["sis_course_id"] == made.courses[section.course_id].sis_course_id
        rows = await canvas.every(
            f"/sections/{section.id}/students/submissions?student_ids[]=all&per_page=100"
        )
        assert {one["user_id"] for one in rows} == students
        assert await canvas.every(f"/courses/{section.nonxlist_course_id}/enrollments?per_page=100") == []

    talk(made, story)


def test_the_due_date_is_the_base_date_only_when_asked_for() -> None:
    clock = Clock()
    made = world(clock=clock)
    course = _course(made)
    section = next(iter(made.sections_by_course[course.id].values()))
    base = clock.at.replace(microsecond=0)
    assignment, students = _new(made, course, due_at=base)
    made.override_section(assignment.id, section, clock.forward(days=3).replace(microsecond=0))

    async def story(canvas: Canvas) -> None:
        path = f"/courses/{course.id}/assignments?assignment_ids[]={assignment.id}&include[]=overrides"
        assert (await canvas.get(path)).body[0]["due_at"] == "2026-11-26T18:00:00Z"
        shown = (await canvas.get(f"{path}&override_assignment_dates=false")).body[0]
        assert shown["due_at"] == "2026-11-23T18:00:00Z"
        assert shown["overrides"][0]["course_section_id"] == section.id
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        assert {one["cached_due_date"] for one in rows} == {"2026-11-26T18:00:00Z"}
        assert len(rows) == len(students)

    talk(made, story)


def test_work_for_some_students_has_no_rows_for_the_others() -> None:
    made = world()
    course = _course(made)
    assignment, students = _new(made, course, workflow_state="unpublished", only_visible_to_overrides=True)
    made.override_students(assignment.id, students[:2], None)
    made.publish(assignment.id)

    async def story(canvas: Canvas) -> None:
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        assert [one["user_id"] for one in rows] == students[:2]

    talk(made, story)


def test_order_by_grading_time_pages_without_gaps() -> None:
    made = world()
    course = _course(made)

    async def story(canvas: Canvas) -> None:
        whole = {one["id"] for one in await canvas.every(_path(course))}
        path = f"/courses/{course.id}/students/submissions?student_ids[]=all&per_page=9&order=graded_at"
        rows = await canvas.every(path)
        assert {one["id"] for one in rows} == whole
        assert len(rows) == len(whole)
        times = [one["graded_at"] for one in rows if one["graded_at"] is not None]
        assert times == sorted(times)
        down = await canvas.get(f"{path}&order_direction=descending")
        assert "page=2" in (down.link("next") or "")

    talk(made, story)


def test_enrollments_hide_completed_and_deleted_ones_until_asked() -> None:
    made = world()
    course = _course(made)
    done, gone, idle = [one for one in _enrolled(made, course) if one.type == "StudentEnrollment"][:3]
    made.set_enrollment_state(done, "completed")
    made.set_enrollment_state(gone, "deleted")
    made.set_enrollment_state(idle, "inactive")

    async def story(canvas: Canvas) -> None:
        path = f"/courses/{course.id}/enrollments?type[]=StudentEnrollment&per_page=100"
        default = {one["id"] for one in await canvas.every(path)}
        assert idle.id in default
        assert not {done.id, gone.id} & default
        asked = await canvas.every(f"{path}&state[]=completed&state[]=deleted")
        assert {one["id"] for one in asked} == {done.id, gone.id}
        login = made.logins[done.login_id or 0]
        assert {one["sis_user_id"] for one in asked if one["id"] == done.id} == {login.sis_user_id}

    talk(made, story)


def test_an_enrollment_names_the_login_it_came_from() -> None:
    made = world()
    course = _course(made)
    enrollment = next(one for one in _enrolled(made, course) if one.type == "StudentEnrollment")
    other = made.add_login(Login(made.new_id("login"), enrollment.user_id, "second", "SECOND-LOGIN"))
    enrollment.login_id = other.id

    async def story(canvas: Canvas) -> None:
        rows = await canvas.every(f"/courses/{course.id}/enrollments?sis_user_id[]=SECOND-LOGIN")
        assert [one["id"] for one in rows] == [enrollment.id]
        assert rows[0]["user"]["sis_user_id"] != "SECOND-LOGIN"
        groups = (await canvas.get(_path(course, "&grouped=1"))).body
        assert "SECOND-LOGIN" in {one["sis_user_id"] for one in groups}

    talk(made, story)


def test_undated_work_belongs_to_the_last_grading_period() -> None:
    made = world()
    course = _course(made)
    assignment, _ = _new(made, course)
    last = made.periods_of(course)[-1]

    async def story(canvas: Canvas) -> None:
        periods = (await canvas.get(f"/courses/{course.id}/grading_periods")).body["grading_periods"]
        assert [one["id"] for one in periods] == [str(one.id) for one in made.periods_of(course)]
        rows = await canvas.every(_path(course, f"&assignment_ids[]={assignment.id}"))
        assert {one["grading_period_id"] for one in rows} == {last.id}

    talk(made, story)


def test_a_missing_row_without_a_score_is_missing_but_never_zero() -> None:
    made = world()
    rows = [one for one in made.submissions.values() if one.late_policy_status == "missing"]
    assert rows
    assert all(one.score is None for one in rows)
