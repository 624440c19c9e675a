"""Fills a Canvas from a district: what an import some days ago brought, then teachers' work of the year so
far.

Deterministic by seed (only `now` differs from start to start). The odd cases every sync must survive are
planted on purpose: see `canvas_seed_work` for gradebooks, and below for people and places.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_moment import Moment
from gradesync.sandbox.canvas_records import (
    Account,
    Course,
    Enrollment,
    GradingPeriod,
    Login,
    Section,
    Term,
    User,
)
from gradesync.sandbox.canvas_seed_work import fill_gradebooks
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.district import Class, District, Session

_ENROLLMENT_TYPES = {"student": "StudentEnrollment", "teacher": "TeacherEnrollment", "aide": "TaEnrollment"}


@dataclass(slots=True)
class _Filling:
    """What the steps of one filling hand on to each other."""

    district: District
    world: CanvasWorld
    zone: ZoneInfo
    import_id: int
    terms: dict[str, Term] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)


def fill_canvas(
    district: District, *, seed: int, populated: bool, now: Callable[[], datetime]
) -> CanvasWorld:
    """A Canvas for the district: an empty root account, or (populated) everything but `district.news`.

    Enrollments in `district.ended` are still open. The admin `sis-admin` owns the token
    `sandbox-canvas-<district key>`.
    """
    digest = hashlib.sha256(district.key.encode()).hexdigest()
    world = CanvasWorld(
        token=f"sandbox-canvas-{district.key}", uuid=f"sandbox{digest[:33]}", name=district.name, now=now
    )
    base = now()
    _admin(world, base - timedelta(days=400))
    if not populated:
        return world
    clock = Moment(base - timedelta(days=5))
    world.now = clock
    world.time_zone = district.time_zone
    filling = _Filling(
        district, world, ZoneInfo(district.time_zone), _past_import(world, base - timedelta(days=5))
    )
    _terms(filling)
    _accounts(filling)
    _people(filling, base - timedelta(days=60))
    _courses(filling)
    _enrollments(filling)
    rng = random.Random(f"canvas {district.key} {seed}")  # noqa: S311 - a repeatable school, not a secret
    _crosslist(filling)
    _unpublish(filling)
    _strangers(filling, rng)
    fill_gradebooks(world, district, rng, clock=clock, base=base)
    world.now = now
    return world


def _admin(world: CanvasWorld, moment: datetime) -> None:
    user = world.add_user(
        User(world.new_id("user"), "SIS Admin", "Admin, SIS", "SIS Admin", moment, admin=True)
    )
    user.email = "sis-admin@example.edu"
    world.add_login(Login(world.new_id("login"), user.id, "sis-admin"))
    world.admin_id = user.id


def _past_import(world: CanvasWorld, moment: datetime) -> int:
    """The import that brought the roster: a plain one, so it is no baseline of anybody's diff."""
    made = SisImport(world.new_id("import"), created_at=moment, user_id=world.admin_id)
    made.workflow_state, made.progress = "imported", 100
    made.started_at = made.ended_at = made.updated_at = moment
    world.imports[made.id] = made
    return made.id


def _local(filling: _Filling, day: date) -> datetime:
    return datetime.combine(day, time(), filling.zone).astimezone(UTC)


def _terms(filling: _Filling) -> None:
    world = filling.world
    by_id = {one.sourced_id: one for one in filling.district.sessions}
    for session in filling.district.sessions:
        if session.kind == "gradingPeriod" or session.sourced_id in filling.district.news:
            continue
        filling.terms[session.sourced_id] = world.add_term(
            Term(
                world.new_id("term"),
                session.title,
                _local(filling, session.start),
                _local(filling, session.end),
                session.sourced_id,
                sis_import_id=filling.import_id,
            )
        )
    for session in filling.district.sessions:
        if session.kind == "gradingPeriod":
            period = GradingPeriod(
                world.new_id("grading_period"),
                session.title,
                _local(filling, session.start),
                _local(filling, session.end) - timedelta(seconds=1),
                tuple(filling.terms[one].id for one in _ancestors(session, by_id) if one in filling.terms),
            )
            world.grading_periods[period.id] = period


def _ancestors(session: Session, by_id: dict[str, Session]) -> list[str]:
    found: list[str] = []
    at = session.parent_id
    while at is not None and at in by_id and at not in found:
        found.append(at)
        at = by_id[at].parent_id
    return found


def _accounts(filling: _Filling) -> None:
    world = filling.world
    for school in filling.district.schools:
        account = Account(
            world.new_id("account"),
            school.name,
            world.root_account_id,
            school.sourced_id,
            sis_import_id=filling.import_id,
        )
        filling.accounts[school.sourced_id] = world.add_account(account)


def _people(filling: _Filling, moment: datetime) -> None:
    world = filling.world
    for person in filling.district.people:
        if person.sourced_id in filling.district.news:
            continue
        name = f"{person.given_name} {person.family_name}"
        user = world.add_user(
            User(
                world.new_id("user"),
                name,
                f"{person.family_name}, {person.given_name}",
                name,
                moment,
                person.email,
                sis_import_id=filling.import_id,
            )
        )
        filling.logins[person.sourced_id] = world.add_login(
            Login(
                world.new_id("login"),
                user.id,
                person.username,
                person.sourced_id,
                sis_import_id=filling.import_id,
            )
        )


def _term_of(filling: _Filling, one: Class) -> Term:
    """The class's only term, or the school year of a class that has two."""
    if len(one.term_ids) == 1 and one.term_ids[0] in filling.terms:
        return filling.terms[one.term_ids[0]]
    by_id = {session.sourced_id: session for session in filling.district.sessions}
    for term_id in one.term_ids:
        for above in _ancestors(by_id[term_id], by_id):
            if above in filling.terms:
                return filling.terms[above]
    return filling.world.default_term


def _courses(filling: _Filling) -> None:
    world = filling.world
    for one in filling.district.classes:
        if one.sourced_id in filling.district.news:
            continue
        course = world.add_course(
            Course(
                world.new_id("course"),
                one.title,
                one.code,
                filling.accounts[one.school_id].id,
                _term_of(filling, one).id,
                world.now(),
                one.sourced_id,
                workflow_state="available",
                time_zone=filling.district.time_zone,
                grade_passback_setting="nightly_sync",
                sis_import_id=filling.import_id,
            )
        )
        filling.sections[one.sourced_id] = world.add_section(
            Section(
                world.new_id("section"),
                one.title,
                course.id,
                world.now(),
                sis_section_id=one.sourced_id,
                sis_import_id=filling.import_id,
            )
        )


def _enrollments(filling: _Filling) -> None:
    district, world = filling.district, filling.world
    moment = world.now()
    for one in district.enrollments:
        login = filling.logins.get(one.person_id)
        section = filling.sections.get(one.class_id)
        if one.sourced_id in district.news or login is None or section is None:
            continue
        state = "active"
        if one.sourced_id not in district.ended:
            if one.status != "active":
                state = "deleted"
            elif one.end is not None and one.end <= district.today:
                state = "completed"
        world.add_enrollment(
            Enrollment(
                world.new_id("enrollment"),
                login.user_id,
                section.id,
                _ENROLLMENT_TYPES.get(one.role, "ObserverEnrollment"),
                moment,
                moment,
                state,
                login.id,
                filling.import_id,
            )
        )


def _crosslist(filling: _Filling) -> None:
    """One pair of sections of the same catalogue course, at the same school, taught together."""
    seen: dict[tuple[str, str, tuple[str, ...]], Section] = {}
    # The ends of the list are kept for the unpublished courses.
    for one in filling.district.classes[1:-1]:
        section = filling.sections.get(one.sourced_id)
        if section is None:
            continue
        twin = seen.setdefault((one.school_id, one.course_id, one.term_ids), section)
        if twin is not section:
            filling.world.crosslist(section, filling.world.courses[twin.course_id])
            return


def _unpublish(filling: _Filling) -> None:
    """One course, in larger districts two, are left as an import leaves them: unpublished."""
    courses = list(filling.world.courses.values())
    chosen = courses[-1:]
    if len(courses) > 10:
        middle = courses[len(courses) // 2 :]
        crosslisted = {one.course_id for one in filling.world.sections.values() if one.nonxlist_course_id}
        chosen.append(next(one for one in middle if one.id not in crosslisted))
    for course in chosen if len(courses) > 1 else []:
        course.workflow_state = "claimed"


def _strangers(filling: _Filling, rng: random.Random) -> None:
    """People no SIS import touched: test students, students without a SIS id, a hand-made section."""
    world = filling.world
    published = [one for one in world.courses.values() if one.published and world.sections_by_course[one.id]]
    for course in published[::10]:
        student = User(world.new_id("user"), "Test Student", "Student, Test", "Test Student", world.now())
        section = next(iter(world.sections_by_course[course.id].values()))
        world.enroll(world.add_user(student).id, section, "StudentViewEnrollment")
    for number, course in enumerate(rng.sample(published, min(2, len(published))), start=1):
        name = f"Visiting Student {number}"
        guest = world.add_user(
            User(world.new_id("user"), name, f"Student {number}, Visiting", name, world.now())
        )
        login = world.add_login(Login(world.new_id("login"), guest.id, f"visitor{number}"))
        section = next(iter(world.sections_by_course[course.id].values()))
        world.enroll(guest.id, section, login_id=login.id)
    if published:
        _hand_made_section(filling, published[len(published) // 3], rng)


def _hand_made_section(filling: _Filling, course: Course, rng: random.Random) -> None:
    """A section without a SIS id, with a student of the SIS who is in no linked section of the course."""
    world = filling.world
    section = world.add_section(Section(world.new_id("section"), "Resource Room", course.id, world.now()))
    inside = {one.user_id for one in world.enrollments_of_course(course.id)}
    roles = {one.sourced_id for one in filling.district.people if one.role == "student"}
    outside = [
        login
        for person_id, login in filling.logins.items()
        if person_id in roles and login.user_id not in inside
    ]
    if outside:
        login = rng.choice(outside)
        world.enroll(login.user_id, section, login_id=login.id)
