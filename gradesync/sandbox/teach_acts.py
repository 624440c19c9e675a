"""What a teacher does in Canvas, one act at a time, each on something drawn from one course.

Only acts of `CanvasWorld` are used, so every change moves (or does not move) `graded_at` and `updated_at` as it would
in Canvas. How often each happens is `teach.py`'s. No HTTP here.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gradesync.sandbox.canvas_records import Assignment, AssignmentGroup, Course, Enrollment, Submission
from gradesync.sandbox.canvas_world import CanvasWorld

Act = Callable[[CanvasWorld, Course, random.Random], int]


def published_courses(world: CanvasWorld) -> list[Course]:
    """Courses in which teachers work: available and with a place for assignments."""
    return [
        one
        for one in world.courses.values()
        if one.workflow_state == "available" and world.groups_by_course[one.id]
    ]


def active_students(world: CanvasWorld, course_id: int) -> list[int]:
    """Students with an active enrollment; the test student is nobody's student."""
    found = world.students_of_course(course_id)
    return sorted(
        user_id
        for user_id, enrollments in found.items()
        if any(one.workflow_state == "active" and one.type == "StudentEnrollment" for one in enrollments)
    )


def _tonight(world: CanvasWorld, course: Course, days: int = 0) -> datetime:
    zone = ZoneInfo(course.time_zone)
    day = world.now().astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def new_assignment(world: CanvasWorld, course: Course, group: AssignmentGroup) -> Assignment:
    """A check of ten points, due tonight."""
    number = len(world.assignments_by_course[course.id]) + 1
    return world.add_assignment(
        course.id, group, f"Check {number}", points_possible=10.0, due_at=_tonight(world, course)
    )


def change_score(world: CanvasWorld, row: Submission) -> None:
    """Another score within the points: half a point up, or down when it is at the top."""
    assignment = world.assignments[row.assignment_id]
    top = assignment.points_possible or 100.0
    score = row.score or 0.0
    if assignment.grading_type == "pass_fail":
        score = 0.0 if score else top
    else:
        score = score + 0.5 if score + 0.5 <= top else score - 0.5
    world.grade(row.assignment_id, row.user_id, score)


def _pick_row(
    world: CanvasWorld, course: Course, rng: random.Random, fits: Callable[[Submission], bool]
) -> Submission | None:
    found = [
        row
        for row in world.submissions_by_course[course.id]
        if world.assignments[row.assignment_id].workflow_state == "published" and fits(row)
    ]
    return rng.choice(found) if found else None


def _pick_assignment(
    world: CanvasWorld, course: Course, rng: random.Random, fits: Callable[[Assignment], bool]
) -> Assignment | None:
    live = world.live_assignments(course.id)
    found = [one for one in live if one.workflow_state == "published" and fits(one)]
    return rng.choice(found) if found else None


def _grade(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.score is None and not one.excused)
    if row is None:
        return 0
    top = world.assignments[row.assignment_id].points_possible or 10.0
    world.grade(row.assignment_id, row.user_id, round(top * rng.uniform(0.5, 1.0) * 2) / 2)
    return 1


def _regrade(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.score is not None)
    if row is None:
        return 0
    change_score(world, row)
    return 1


def _excuse(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: not one.excused)
    if row is None:
        return 0
    world.excuse(row.assignment_id, row.user_id)
    return 1


def _unposted(world: CanvasWorld, course: Course) -> int | None:
    """The first assignment of the course with a score that nobody may see yet."""
    for row in world.submissions_by_course[course.id]:
        published = world.assignments[row.assignment_id].workflow_state == "published"
        if published and row.score is not None and row.posted_at is None:
            return row.assignment_id
    return None


def _post(world: CanvasWorld, course: Course, _rng: random.Random) -> int:
    """Posts a hidden gradebook column; where the course has none, one of another course."""
    for place in [course, *published_courses(world)]:
        found = _unposted(world, place)
        if found is not None:
            return int(world.post(found) > 0)
    return 0


def _hide(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    found = _pick_assignment(world, course, rng, lambda one: not one.post_manually)
    if found is None:
        return 0
    world.set_post_policy(found.id, manual=True)
    return int(world.hide(found.id) > 0)


def _clear(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.score is not None)
    if row is None:
        return 0
    world.clear(row.assignment_id, row.user_id)
    return 1


def _resubmit(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.workflow_state == "graded" and one.score is not None)
    if row is None:
        return 0
    world.resubmit(row.assignment_id, row.user_id)
    return 1


def _late(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.workflow_state == "graded" and (one.score or 0) > 1)
    if row is None:
        return 0
    world.deduct(row.assignment_id, row.user_id, (row.points_deducted or 0.0) + 1.0)
    return 1


def _add(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    """A new assignment, the first scores with it."""
    made = new_assignment(world, course, rng.choice(world.groups_by_course[course.id]))
    for user_id in active_students(world, course.id)[::2]:
        world.grade(made.id, user_id, rng.randint(8, 20) / 2)
    return 1


def _rename(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    found = _pick_assignment(world, course, rng, lambda one: not one.name.endswith("(revised)"))
    if found is None:
        return 0
    world.rename(found.id, f"{found.name} (revised)")
    return 1


def _postpone(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    found = _pick_assignment(world, course, rng, lambda one: one.due_at is not None)
    if found is None or found.due_at is None:
        return 0
    world.move_due(found.id, found.due_at + timedelta(days=1))
    return 1


def _unexcuse(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: bool(one.excused))
    if row is None:
        return 0
    world.unexcuse(row.assignment_id, row.user_id)
    return 1


def _give_zero(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.workflow_state == "unsubmitted" and not one.excused)
    if row is None:
        return 0
    world.miss(row.assignment_id, row.user_id)
    return 1


def _mark_missing(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    row = _pick_row(world, course, rng, lambda one: one.late_policy_status is None)
    if row is None:
        return 0
    world.set_status(row.assignment_id, row.user_id, "missing")
    return 1


def _change_points(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    """More points for the whole column, which moves every graded row at once."""
    found = _pick_assignment(world, course, rng, lambda one: bool(one.points_possible))
    if found is None:
        return 0
    world.change_points(found.id, (found.points_possible or 0.0) + 5.0)
    return 1


def _delete(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    found = _pick_assignment(world, course, rng, lambda one: one.post_to_sis)
    if found is None:
        return 0
    world.delete_assignment(found.id)
    return 1


def _unpublish(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    found = _pick_assignment(world, course, rng, lambda one: one.post_to_sis)
    if found is None:
        return 0
    world.unpublish(found.id)
    return 1


def _republish(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    found = [one for one in world.live_assignments(course.id) if one.workflow_state == "unpublished"]
    if not found:
        return 0
    world.publish(rng.choice(found).id)
    return 1


def _flagger(post_to_sis: bool) -> Act:
    """The act that switches "Sync to SIS" of an assignment to this."""

    def act(world: CanvasWorld, course: Course, rng: random.Random) -> int:
        found = _pick_assignment(world, course, rng, lambda one: one.post_to_sis is not post_to_sis)
        if found is None:
            return 0
        world.flag(found.id, post_to_sis)
        return 1

    return act


def _student(world: CanvasWorld, course: Course, rng: random.Random) -> Enrollment | None:
    """An active enrollment of a student of the course."""
    ids = active_students(world, course.id)
    found = [
        one
        for user_id in ids
        for one in world.students_of_course(course.id)[user_id]
        if one.workflow_state == "active" and one.type == "StudentEnrollment"
    ]
    return rng.choice(found) if found else None


def _move_student(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    """A student goes to another section of the course, as a counsellor does it by hand."""
    enrollment = _student(world, course, rng)
    if enrollment is None:
        return 0
    mine = {one.course_section_id for one in world.enrollments_by_user[enrollment.user_id]}
    sections = [
        one
        for one in world.sections_by_course[course.id].values()
        if one.workflow_state == "active" and one.id not in mine
    ]
    if not sections:
        return 0
    # First in, then out: with one foot in the course the student's rows are never taken away.
    world.enroll(enrollment.user_id, rng.choice(sections), login_id=enrollment.login_id)
    world.set_enrollment_state(enrollment, "deleted")
    return 1


def _drop_student(world: CanvasWorld, course: Course, rng: random.Random) -> int:
    enrollment = _student(world, course, rng)
    if enrollment is None:
        return 0
    world.set_enrollment_state(enrollment, "completed")
    return 1


#: Every act by the word its count is given under; each says how many things it changed.
ACTS: dict[str, Act] = {
    "graded": _grade,
    "changed": _regrade,
    "excused": _excuse,
    "posted": _post,
    "hidden": _hide,
    "cleared": _clear,
    "resubmitted": _resubmit,
    "late_penalties": _late,
    "new_assignments": _add,
    "renamed": _rename,
    "moved_due_dates": _postpone,
    "unexcused": _unexcuse,
    "missing_zeros": _give_zero,
    "marked_missing": _mark_missing,
    "changed_points": _change_points,
    "deleted_assignments": _delete,
    "unpublished": _unpublish,
    "republished": _republish,
    "unflagged": _flagger(post_to_sis=False),
    "reflagged": _flagger(post_to_sis=True),
    "moved_students": _move_student,
    "dropped_students": _drop_student,
}
