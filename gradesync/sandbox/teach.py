"""Teachers at work on a sandbox Canvas: an ordinary day's changes, or a change of everything for benchmarks.

Only acts of `CanvasWorld` are used, so every change moves (or does not move) `graded_at` as it would in
Canvas. Deterministic by seed and by the state the world is in. No HTTP here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gradesync.errors import UsageProblem
from gradesync.sandbox.canvas_records import Assignment, AssignmentGroup, Course, Submission
from gradesync.sandbox.canvas_world import CanvasWorld

STYLES = ("day", "grade-all", "regrade-all")

#: How often each act happens in a round of a "day", per hundred published courses (at least once each).
_DAY = {
    "graded": 60,
    "changed": 25,
    "excused": 6,
    "posted": 4,
    "hidden": 2,
    "cleared": 4,
    "resubmitted": 8,
    "late_penalties": 5,
    "new_assignments": 6,
    "renamed": 4,
    "moved_due_dates": 3,
}


def teach(world: CanvasWorld, *, seed: int, rounds: int = 1, style: str = "day") -> dict[str, int]:
    """Lets teachers work for some rounds and counts what they did, by kind of act.

    `day`: a realistic handful of changes. `grade-all`: one new assignment with a score for every active
    student in every published course. `regrade-all`: every existing score changes. Raises UsageProblem for
    other styles.
    """
    acts: dict[str, Callable[[CanvasWorld, random.Random], Counter[str]]] = {
        "day": _day,
        "grade-all": _grade_all,
        "regrade-all": _regrade_all,
    }
    if style not in acts:
        raise UsageProblem(f"Teachers know no style {style!r}", hint=f"Use one of: {', '.join(STYLES)}.")
    done: Counter[str] = Counter()
    for number in range(rounds):
        # How much is in the world is part of the seed: a second call does other things than the first.
        draw = f"teach {seed} {number} {len(world.assignments)} {len(world.submissions)}"
        done += acts[style](world, random.Random(draw))  # noqa: S311 - repeatable play, not a secret
    return dict(done)


def _courses(world: CanvasWorld) -> list[Course]:
    return [
        one
        for one in world.courses.values()
        if one.workflow_state == "available" and world.groups_by_course[one.id]
    ]


def _active_students(world: CanvasWorld, course_id: int) -> list[int]:
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


def _new_assignment(world: CanvasWorld, course: Course, group: AssignmentGroup) -> Assignment:
    number = len(world.assignments_by_course[course.id]) + 1
    return world.add_assignment(
        course.id, group, f"Check {number}", points_possible=10.0, due_at=_tonight(world, course)
    )


def _grade_all(world: CanvasWorld, rng: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    for course in _courses(world):
        # The last group is always named like a category, so nothing is withheld in a benchmark.
        assignment = _new_assignment(world, course, world.groups_by_course[course.id][-1])
        done["new_assignments"] += 1
        for user_id in _active_students(world, course.id):
            world.grade(assignment.id, user_id, rng.randint(8, 20) / 2)
            done["graded"] += 1
    return done


def _regrade_all(world: CanvasWorld, _rng: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    for row in list(world.submissions.values()):
        if row.score is not None and world.assignments[row.assignment_id].workflow_state == "published":
            _change(world, row)
            done["changed"] += 1
    return done


def _change(world: CanvasWorld, row: Submission) -> None:
    """Another score within the points: half a point up, or down when it is at the top."""
    assignment = world.assignments[row.assignment_id]
    top = assignment.points_possible or 100.0
    score = row.score or 0.0
    if assignment.grading_type == "pass_fail":
        score = 0.0 if score else top
    else:
        score = score + 0.5 if score + 0.5 <= top else score - 0.5
    world.grade(row.assignment_id, row.user_id, score)


def _day(world: CanvasWorld, rng: random.Random) -> Counter[str]:
    done: Counter[str] = Counter()
    courses = _courses(world)
    if not courses:
        return done
    rng.shuffle(courses)
    for name, share in _DAY.items():
        for index in range(max(1, share * len(courses) // 100)):
            course = courses[(index + share) % len(courses)]
            done[name] += _ACTS[name](world, course, rng)
    return +done


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
    _change(world, row)
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
    for place in [course, *_courses(world)]:
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
    made = _new_assignment(world, course, rng.choice(world.groups_by_course[course.id]))
    for user_id in _active_students(world, course.id)[::2]:
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


_ACTS: dict[str, Callable[[CanvasWorld, Course, random.Random], int]] = {
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
}
