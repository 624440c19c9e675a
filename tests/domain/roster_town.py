"""A town of several schools to have accidents in: large enough that the brake's least numbers do not matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from gradesync.domain.account import RosterMapping
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import Org, Roster, RosterClass, RosterCourse, RosterEnrollment, RosterUser
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_csv import headers
from gradesync.domain.roster_diff import differences
from gradesync.domain.roster_generation import Basis, Generation
from gradesync.domain.roster_hashing import GenerationMaker
from gradesync.domain.roster_mapping import canvas_files
from tests.domain.roster_samples import FALL, SPRING, TODAY, USUAL, YEAR, ZONE, Texts

SCHOOLS = ("001", "002", "003")
PUPILS, CLASSES = 40, 10
"""Per school."""

KEYED = KeyedHash(b"k" * 32, "riverside")
BASIS = Basis("all", "2027", date(2027, 7, 1))

GIVEN = ("Ada", "Ben", "Chen", "Dora", "Eve", "Finn", "Gita", "Hugo")


def town() -> Roster:
    """Three schools of 40 students, 5 teachers and 10 classes each; every student sits in 3 classes of their school."""
    users, classes, courses, seats = [], [], [], []
    for school in SCHOOLS:
        for n in range(CLASSES):
            id = f"{school}-c{n}"
            courses.append(RosterCourse(f"K{id}", f"Subject {n}", f"SUB{n}", school))
            classes.append(RosterClass(id, f"Subject {n} of {school}", f"SUB{n}", f"K{id}", school, ("Y",)))
            teacher = f"{school}-t{n % 5}"
            seats.append(RosterEnrollment(teacher, id, "teacher"))
        users += [_user(f"{school}-t{n}", "teacher", n, f"Teach{school}") for n in range(5)]
        for n in range(PUPILS):
            id = f"{school}-s{n}"
            users.append(_user(id, "student", n, f"Family{school}x{n}"))
            for lesson in range(3):
                class_id = f"{school}-c{(n + lesson) % CLASSES}"
                seats.append(RosterEnrollment(id, class_id, "student"))
    return Roster(
        orgs=(
            Org("D", "District", "district"),
            *(Org(one, f"School {one}", "school", "D") for one in SCHOOLS),
        ),
        sessions=(YEAR, FALL, SPRING),
        courses=tuple(courses),
        classes=tuple(classes),
        users=tuple(users),
        enrollments=tuple(seats),
    )


def _user(id: str, role: str, number: int, family: str) -> RosterUser:
    return RosterUser(id, f"login-{id}", GIVEN[number % len(GIVEN)], family, f"{id}@school.example", role)


def without_school(roster: Roster, school: str) -> Roster:
    """The roster as an export that forgot a school."""
    return replace(
        roster,
        classes=[one for one in roster.classes if one.school_id != school],
        users=[one for one in roster.users if not one.id.startswith(school)],
        enrollments=[one for one in roster.enrollments if not one.class_id.startswith(school)],
    )


def renamed(
    roster: Roster,
    people: Callable[[str], str] = lambda one: one,
    classes: Callable[[str], str] = lambda one: one,
) -> Roster:
    """The same people and classes under other ids; logins stay."""
    return replace(
        roster,
        users=[one._replace(id=people(one.id)) for one in roster.users],
        classes=[one._replace(id=classes(one.id)) for one in roster.classes],
        enrollments=[
            one._replace(user_id=people(one.user_id), class_id=classes(one.class_id))
            for one in roster.enrollments
        ],
    )


def generation(
    roster: Roster,
    basis: Basis = BASIS,
    mapping: RosterMapping = USUAL,
    keyed: KeyedHash = KEYED,
    today: date = TODAY,
    schools: Mapping[str, str] | None = None,
) -> Generation:
    """The generation of a roster's Canvas files."""
    maker = GenerationMaker(keyed, headers(mapping), schools)
    canvas_files(roster, maker.beside(Texts(mapping)), mapping, time_zone=ZONE, today=today)
    return maker.made(basis)


def change(before: Roster, after: Roster, *, basis: Basis = BASIS, begun: bool = True) -> RosterChange:
    """How the second roster differs from the first."""
    old = generation(before)
    return differences(old.head, old.chunk, generation(after, basis), begun=begun)
