"""Teachers' work of the year so far: groups, assignments with every odd feature, and rows in every state.

Each published course gets three or four plain assignments and two of the features below, in turn, so that
eight courses show them all. Everything is done through the acts of `CanvasWorld`, stamped in the past.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gradesync.sandbox.canvas_moment import Moment
from gradesync.sandbox.canvas_records import Assignment, AssignmentGroup, Course
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.district import District, Session

FEATURES = (
    "no due date",
    "section override",
    "not flagged",
    "unpublished",
    "zero points",
    "no points",
    "long title",
    "twins",
    "student override",
    "hidden",
    "half posted",
    "letters",
    "pass or fail",
    "percent",
    "only for some",
    "not in total",
)

_TITLES = (
    "Quiz",
    "Lab Report",
    "Reading Log",
    "Problem Set",
    "Essay",
    "Unit Test",
    "Presentation",
    "Project",
)
_POINTS = (10.0, 20.0, 25.0, 50.0, 100.0)


@dataclass(slots=True)
class _Desk:
    """One course while its gradebook is filled."""

    world: CanvasWorld
    course: Course
    rng: random.Random
    clock: Moment
    base: datetime
    zone: ZoneInfo
    groups: list[AssignmentGroup]
    periods: list[Session]
    students: list[int]
    teacher_id: int | None


def fill_gradebooks(
    world: CanvasWorld, district: District, rng: random.Random, *, clock: Moment, base: datetime
) -> None:
    """Gives every course its groups, and every published one its assignments and rows."""
    zone = ZoneInfo(district.time_zone)
    periods = sorted((one for one in district.sessions if one.kind == "gradingPeriod"), key=lambda x: x.start)
    parents = {one.sourced_id: one.parent_id for one in district.sessions}
    number = 0
    for index, course in enumerate(world.courses.values()):
        groups = _groups(world, district, course, index)
        students = sorted(world.students_of_course(course.id))
        if not course.published or not world.sections_by_course[course.id] or not groups:
            continue
        term = world.terms[course.enrollment_term_id].sis_term_id
        own = [one for one in periods if _within(one.sourced_id, term, parents)] or periods
        if not own:
            continue
        desk = _Desk(world, course, rng, clock, base, zone, groups, own, students, _teacher(world, course))
        _fill_course(desk, district.today, number)
        number += 1


def _within(session_id: str, term_id: str | None, parents: dict[str, str | None]) -> bool:
    at: str | None = session_id
    while at is not None and at != term_id:
        at = parents.get(at)
    return at is not None


def _teacher(world: CanvasWorld, course: Course) -> int | None:
    found = (one for one in world.enrollments_of_course(course.id) if one.type == "TeacherEnrollment")
    return next((one.user_id for one in found), None)


def _groups(world: CanvasWorld, district: District, course: Course, index: int) -> list[AssignmentGroup]:
    """Groups named like the categories; one course with a name nobody knows, one with another spelling."""
    names = [one.title for one in district.categories]
    if index == 0:
        names.insert(0, "Participation")
    elif index == 2 and names:
        names[0] = f"{names[0].upper()} "
    return [
        world.add_group(AssignmentGroup(world.new_id("group"), course.id, name, position))
        for position, name in enumerate(names, start=1)
    ]


def _fill_course(desk: _Desk, today: date, number: int) -> None:
    days = _days(desk, today, 8)
    plain = 3 + (number % 2)
    for index in range(plain):
        title = f"{_TITLES[(number + index) % len(_TITLES)]} {index + 1}"
        _assignment(desk, index, title, days[index])
    for extra in range(2):
        feature = FEATURES[(number * 2 + extra) % len(FEATURES)]
        _FEATURE_MAKERS[feature](desk, plain + extra, days[plain + extra])


def _days(desk: _Desk, today: date, wanted: int) -> list[date]:
    """Due days over the periods that have begun: the first one on a border, the rest anywhere in them."""
    begun = [one for one in desk.periods if one.start <= today] or desk.periods[:1]
    found: list[date] = []
    for index in range(wanted):
        period = begun[-1 - (index % len(begun))]
        last = period.end - timedelta(days=1)
        if index == 1 and len(begun) > 1:
            found.append(last)
            continue
        # Work a few days ahead is set already; nothing is due long after today.
        latest = max(period.start, min(last, today + timedelta(days=5)))
        found.append(period.start + timedelta(days=desk.rng.randint(0, (latest - period.start).days)))
    return found


def _due(desk: _Desk, day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), desk.zone).astimezone(UTC)


def _assignment(desk: _Desk, index: int, title: str, day: date | None, **fields: Any) -> Assignment:
    """An assignment with its rows worked on."""
    points = fields.pop("points_possible", _POINTS[desk.rng.randrange(len(_POINTS))])
    due = None if day is None else _due(desk, day)
    opened = min((due or desk.base) - timedelta(days=7), desk.base - timedelta(days=3))
    desk.clock.at = opened
    group = desk.groups[index % len(desk.groups)]
    made = desk.world.add_assignment(
        desk.course.id, group, title, points_possible=points, due_at=due, **fields
    )
    if made.workflow_state == "published":
        _work(desk, made)
    return made


def _work(desk: _Desk, assignment: Assignment) -> None:
    due = assignment.due_at or desk.base - timedelta(days=desk.rng.randint(3, 20))
    ahead = due > desk.base
    for user_id in desk.students:
        if desk.world.submission_of.get((assignment.id, user_id)) is None:
            continue
        graded = due + timedelta(hours=desk.rng.randint(10, 80), seconds=desk.rng.randint(0, 3599))
        if graded > desk.base - timedelta(hours=1):
            graded = desk.base - timedelta(minutes=desk.rng.randint(70, 4000))
        if ahead and desk.rng.random() < 0.7:
            continue
        _row(desk, assignment, user_id, graded)


def _row(desk: _Desk, assignment: Assignment, user_id: int, graded: datetime) -> None:
    """One row's story, drawn by lot: mostly a plain grade, now and then one of the odd ones."""
    world, rng, clock = desk.world, desk.rng, desk.clock
    roll = rng.random()
    points = assignment.points_possible or 10.0
    score = _score(rng, points)
    clock.at = graded - timedelta(hours=6)
    if roll < 0.05:
        return
    if roll < 0.08:
        clock.at = graded
        world.set_status(assignment.id, user_id, "missing")
        return
    if roll < 0.12:
        clock.at = graded
        world.excuse(assignment.id, user_id)
        return
    world.submit(assignment.id, user_id)
    if roll < 0.16:
        return
    clock.at = graded
    if roll < 0.18:
        world.review(assignment.id, user_id, round(score / 2, 1))
        return
    if roll < 0.21:
        score = round(points * 1.05, 2)
    elif roll < 0.26:
        score = round(points / 1.2, 6)
    world.grade(assignment.id, user_id, score, grader_id=desk.teacher_id)
    if 0.26 <= roll < 0.30:
        world.deduct(assignment.id, user_id, round(min(score, points * 0.1), 2))
        world.submission_of[(assignment.id, user_id)].late_policy_status = "late"
    elif 0.30 <= roll < 0.33:
        clock.at = min(graded + timedelta(hours=20), desk.base - timedelta(minutes=30))
        world.resubmit(assignment.id, user_id)
    elif 0.33 <= roll < 0.335:
        clock.at = min(graded + timedelta(hours=2), desk.base - timedelta(minutes=30))
        world.clear(assignment.id, user_id)


def _score(rng: random.Random, points: float) -> float:
    share = min(1.0, max(0.0, rng.gauss(0.82, 0.13)))
    return round(points * share * 2) / 2


# -- features --------------------------------------------------------------------------------------


def _no_due_date(desk: _Desk, index: int, _day: date) -> None:
    _assignment(desk, index, "Notebook Check", None)


def _section_override(desk: _Desk, index: int, day: date) -> None:
    made = _assignment(desk, index, "Field Notes", day)
    section = next(iter(desk.world.sections_by_course[desk.course.id].values()))
    desk.world.override_section(made.id, section, _due(desk, day + timedelta(days=2)))


def _not_flagged(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Warm-up", day, post_to_sis=False)


def _unpublished(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Draft: Final Project", day, workflow_state="unpublished")


def _zero_points(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Extra Practice", day, points_possible=0.0)


def _no_points(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Reflection", day, points_possible=None)


def _long_title(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Unit 3 Culminating Research Paper: Sources & Argument (final draft)", day)


def _twins(desk: _Desk, index: int, day: date) -> None:
    for _ in range(2):
        _assignment(desk, index, "Exit Ticket", day)


def _student_override(desk: _Desk, index: int, day: date) -> None:
    made = _assignment(desk, index, "Vocabulary", day)
    desk.world.override_students(made.id, desk.students[:2], _due(desk, day + timedelta(days=4)))


def _hidden(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Midterm", day, post_manually=True)


def _half_posted(desk: _Desk, index: int, day: date) -> None:
    made = _assignment(desk, index, "Oral Exam", day, post_manually=True)
    desk.clock.at = desk.base - timedelta(minutes=45)
    desk.world.post(made.id, desk.students[::2])


def _letters(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Portfolio", day, grading_type="letter_grade")


def _pass_or_fail(desk: _Desk, index: int, day: date) -> None:
    made = _assignment(desk, index, "Safety Test", day, grading_type="pass_fail", points_possible=10.0)
    for user_id in desk.students:
        row = desk.world.submission_of.get((made.id, user_id))
        # Pass or fail knows only all points or none.
        if row is not None and row.score is not None:
            row.points_deducted = None
            row.score, row.grade = (10.0, "complete") if row.score > 5 else (0.0, "incomplete")


def _percent(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Listening Check", day, grading_type="percent", points_possible=30.0)


def _only_for_some(desk: _Desk, index: int, day: date) -> None:
    """Given to a third of the students alone: the others have no row and no due date."""
    made = _assignment(
        desk, index, "Retake", day, workflow_state="unpublished", only_visible_to_overrides=True
    )
    desk.world.override_students(made.id, desk.students[::3], _due(desk, day))
    desk.world.publish(made.id)
    _work(desk, made)


def _not_in_total(desk: _Desk, index: int, day: date) -> None:
    _assignment(desk, index, "Survey", day, omit_from_final_grade=True)


_FEATURE_MAKERS: dict[str, Callable[[_Desk, int, date], None]] = dict(
    zip(
        FEATURES,
        (
            _no_due_date,
            _section_override,
            _not_flagged,
            _unpublished,
            _zero_points,
            _no_points,
            _long_title,
            _twins,
            _student_override,
            _hidden,
            _half_posted,
            _letters,
            _pass_or_fail,
            _percent,
            _only_for_some,
            _not_in_total,
        ),
        strict=True,
    )
)
