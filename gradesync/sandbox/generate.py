"""A district made up from a seed: the same key, size, seed and day always give the same district.

The awkward cases of real rosters are part of it on purpose: transfers, a return, enrollments that have ended
or not begun, rows to be deleted, ids that break a URL when not encoded. No API shape, HTTP or Canvas idea may
live here.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from gradesync.sandbox import names
from gradesync.sandbox.district import Category, Class, Course, District, Enrollment, Person, School, Session

_CLASS_SIZE = 20
_TEACHER_LOAD = 5
_LARGE = 5000
_CATEGORIES = (
    ("CAT-HW", "Homework"),
    ("CAT/TST", "Tests"),
    ("CAT QZ", "Quizzes"),
    ("CAT+PRJ", "Projects"),
    ("0CW", "Classwork"),
)


@dataclass(slots=True)
class _Draft:
    """The district while it is being made; `taken` names the students a movement already touched.

    What is asked per person or per school is kept by person and by school, in the order it was made: a district of
    50,000 students must not be searched once for each of them.
    """

    key: str
    today: date
    rng: random.Random
    base: int
    sessions: tuple[Session, ...]
    schools: list[School] = field(default_factory=list)
    courses: dict[str, Course] = field(default_factory=dict)
    classes: list[Class] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    enrollments: dict[str, Enrollment] = field(default_factory=dict)
    news: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    seats: dict[str, list[str]] = field(default_factory=dict)
    teachers: dict[str, list[Person]] = field(default_factory=dict)
    pupils: list[Person] = field(default_factory=list)
    year_long: dict[str, list[Class]] = field(default_factory=dict)
    year_long_ids: dict[str, Class] = field(default_factory=dict)

    def seats_of(self, person: Person) -> list[Enrollment]:
        """The person's enrollments, oldest first."""
        return [self.enrollments[one] for one in self.seats.get(person.sourced_id, ())]

    @property
    def year(self) -> Session:
        """The school year's session."""
        return self.sessions[0]


def generate(key: str, *, students: int = 120, seed: int = 1, today: date) -> District:
    """Make the district `key` with about `students` students as its SIS knows it on `today`.

    Every student sits in about seven classes of about twenty, so there are about `students * 7 / 20` classes. In a
    large district (more than 5,000 students) everybody has a homeroom too: 50,000 students make about 420,000
    enrollments, in schools of about 1,000.
    """
    rng = random.Random(f"{key}/{seed}/{students}")  # noqa: S311 -- reproducible test data, not a secret
    draft = _Draft(key, today, rng, zlib.crc32(key.encode()) % 800 * 1000 + 100_000, school_year(today))
    school_count = _school_count(students)
    for index in range(school_count):
        share = students // school_count + (1 if index < students % school_count else 0)
        _add_school(draft, index, share, everybody=students > _LARGE)
    _add_transfers(draft)
    _add_returns_and_drops(draft)
    _add_future_and_deleted(draft)
    _add_news(draft)
    return _finished(draft)


def school_year(today: date) -> tuple[Session, ...]:
    """The school year containing `today`, its semesters and marking periods: contiguous, ends exclusive.

    It runs from July to July without a gap: a summer without a current term would make the sandbox useless.
    """
    first = today.year if today.month >= 7 else today.year - 1
    ends = str(first + 1)
    year_id = f"{first}-{first + 1}"
    days = [
        date(first, 7, 1),
        date(first, 11, 10),
        date(first + 1, 2, 1),
        date(first + 1, 4, 15),
        date(first + 1, 7, 1),
    ]
    sessions = [
        Session(year_id, f"{first}-{first + 1} School Year", "schoolYear", days[0], days[4], None, ends),
        Session(f"S1/{first}", f"Semester 1 {year_id}", "semester", days[0], days[2], year_id, ends),
        Session(f"S2/{first}", f"Semester 2 {year_id}", "semester", days[2], days[4], year_id, ends),
    ]
    for number in range(4):
        semester = sessions[1 + number // 2].sourced_id
        title, separator = f"Marking Period {number + 1}", "-+ /"[number]
        period_id = f"MP{number + 1}{separator}{first}"
        sessions.append(
            Session(period_id, title, "gradingPeriod", days[number], days[number + 1], semester, ends)
        )
    return tuple(sessions)


def _school_count(students: int) -> int:
    """One school for a handful, two for the usual sandbox, three and more for a large district."""
    if students > _LARGE:
        return students // 1000
    if students < 60:
        return 1
    return 2 if students < 400 else min(6, 3 + max(0, students - 1500) // 1000)


def _add_school(draft: _Draft, index: int, students: int, *, everybody: bool) -> None:
    """One school with courses, classes, staff and students; a cohort shares most of its classes.

    `everybody`: all of its cohorts have a homeroom, not only the first.
    """
    kind = names.SCHOOL_KINDS[index] if index < len(names.SCHOOL_KINDS) else f"School No. {index + 1}"
    school = School(
        f"{index + 1:03d}", f"{names.town(draft.key)} {kind}", f"NJ{draft.base // 1000}{index + 1:03d}"
    )
    draft.schools.append(school)
    cohorts = max(1 if students < 8 else 2, round(students / _CLASS_SIZE))
    staff = {subject: _hire(draft, school, cohorts) for subject, _ in names.SUBJECTS}
    aides = [_person(draft, school, "aide") for _ in range(1 + cohorts // 12)]
    pupils = [
        _person(draft, school, "student", str(9 + number % cohorts // 2 % 4)) for number in range(students)
    ]
    for cohort in range(cohorts):
        members = pupils[cohort::cohorts]
        for position, (subject, _) in enumerate(names.SUBJECTS):
            made = _add_class(draft, school, subject, cohort, (position - cohort) % 7 + 1)
            _staff_class(draft, made, staff[subject], aides, cohort)
            for pupil in members:
                _enroll(draft, pupil, made)
    english = staff[names.SUBJECTS[0][0]]
    for room in range(cohorts if everybody else 1):
        _add_homeroom(draft, school, room, english[room % len(english)], pupils[room::cohorts])


def _hire(draft: _Draft, school: School, cohorts: int) -> list[Person]:
    """Enough teachers for one subject of a school."""
    return [_person(draft, school, "teacher") for _ in range(1 + (cohorts - 1) // _TEACHER_LOAD)]


def _person(draft: _Draft, school: School, role: str, grade: str | None = None) -> Person:
    """A new person; ids come in several shapes because real ones do."""
    rng, number = draft.rng, draft.base + len(draft.people) + 1
    given = rng.choice(names.GIVEN_ODD if rng.random() < 0.05 else names.GIVEN)
    family = rng.choice(names.FAMILY_ODD if rng.random() < 0.1 else names.FAMILY)
    shapes = (
        f"{number:08d}",
        f"{number}",
        f"S/{number}",
        f"{number} NJ",
        f"{number:09d}",
        f"id+{number}",
        f"P-{number}",
    )
    sourced_id = f"TCH_{number}" if role == "teacher" and number % 2 else shapes[number % len(shapes)]
    username = names.login(given, family, number % 100_000)
    email = f"{username}@{draft.key}.example"
    person = Person(sourced_id, username, given, family, email, role, school.sourced_id, grade)
    draft.people.append(person)
    if role == "student":
        draft.pupils.append(person)
    elif role == "teacher":
        draft.teachers.setdefault(school.sourced_id, []).append(person)
    return person


def _add_class(draft: _Draft, school: School, subject: str, cohort: int, period: int) -> Class:
    """A class of the cohort's level; two neighbouring cohorts share a course, so that one can transfer."""
    level = cohort // 2 % 4
    title = dict(names.SUBJECTS)[subject][level]
    course = Course(
        f"{school.sourced_id}-{subject}{level + 1}", title, f"{subject}{level + 1}", school.sourced_id
    )
    draft.courses.setdefault(course.sourced_id, course)
    section = cohort + 1
    separator = "-/ +"[cohort % 4]
    semester = subject == names.SEMESTER_SUBJECT
    terms = (draft.sessions[1 + cohort % 2],) if semester else draft.sessions[1:3]
    made = Class(
        f"{course.sourced_id}{separator}{section:02d}",
        f"{title} - Section {section}",
        f"{course.code}-{section:02d}",
        course.sourced_id,
        school.sourced_id,
        tuple(term.sourced_id for term in terms),
        str(period),
    )
    draft.classes.append(made)
    if not semester:
        draft.year_long.setdefault(school.sourced_id, []).append(made)
        draft.year_long_ids[made.sourced_id] = made
    return made


def _staff_class(draft: _Draft, made: Class, staff: list[Person], aides: list[Person], cohort: int) -> None:
    """One teacher; in some classes a second one, in a few an aide."""
    _enroll(draft, staff[cohort % len(staff)], made)
    if len(staff) > 1 and draft.rng.random() < 0.15:
        _enroll(draft, staff[(cohort + 1) % len(staff)], made)
    elif made.period == "3":
        # Small schools have one teacher per subject: a colleague helps out, so that co-teaching exists.
        others = [p for p in draft.teachers[made.school_id] if p not in staff]
        _enroll(draft, draft.rng.choice(others), made)
    if draft.rng.random() < 0.08:
        _enroll(draft, draft.rng.choice(aides), made)


def _add_homeroom(draft: _Draft, school: School, number: int, teacher: Person, pupils: list[Person]) -> None:
    """A homeroom: a class that many accounts leave out of their scope (code HR-...)."""
    course = Course(f"{school.sourced_id}-HR", "Homeroom", "HR", school.sourced_id)
    draft.courses[course.sourced_id] = course
    terms = tuple(term.sourced_id for term in draft.sessions[1:3])
    name = school.sourced_id if number == 0 else f"{school.sourced_id}-{number + 1:02d}"
    code = f"HR-{name}"
    room = Class(code, f"Homeroom {name}", code, course.sourced_id, school.sourced_id, terms, "0")
    draft.classes.append(room)
    for person in (teacher, *pupils):
        _enroll(draft, person, room)


def _enroll(
    draft: _Draft,
    person: Person,
    made: Class,
    begin: date | None = None,
    end: date | None = None,
    status: str = "active",
) -> Enrollment:
    """A new enrollment; without dates given, a student of a year-long class gets those of the year.

    Semester classes carry none: many SISes leave them out, and a class ahead must still list its students.
    """
    if person.role == "student" and len(made.term_ids) == 2:
        begin, end = begin or draft.year.start, end or draft.year.end
    number = len(draft.enrollments) + 1
    sourced_id = (f"E-{draft.base}-{number}", f"E/{draft.base}/{number}", f"{number:010d}")[number % 3]
    row = Enrollment(
        sourced_id, person.sourced_id, made.sourced_id, made.school_id, person.role, begin, end, status
    )
    draft.enrollments[sourced_id] = row
    draft.seats.setdefault(person.sourced_id, []).append(sourced_id)
    return row


def _share(draft: _Draft, percent: float, least: int) -> int:
    """How many students a share means, never fewer than `least`."""
    return max(least, round(len(draft.pupils) * percent / 100))


def _untouched(draft: _Draft, count: int) -> list[Person]:
    """Up to `count` students no movement has touched yet; they count as touched from here on."""
    free = [p for p in draft.pupils if p.sourced_id not in draft.taken]
    chosen = draft.rng.sample(free, min(count, len(free) // 2))
    draft.taken.update(p.sourced_id for p in chosen)
    return chosen


def _classes_of(draft: _Draft, person: Person) -> list[tuple[Enrollment, Class]]:
    """The person's year-long taught classes (homeroom and semester classes never move)."""
    by_id = draft.year_long_ids
    return [(e, by_id[e.class_id]) for e in draft.seats_of(person) if e.class_id in by_id]


def _elsewhere(draft: _Draft, person: Person, *, course_id: str | None = None) -> list[Class]:
    """Year-long classes of the person's school (and of the course, when given) the person was never in."""
    mine = {e.class_id for e in draft.seats_of(person)}
    return [
        c
        for c in draft.year_long.get(person.school_id, ())
        if c.sourced_id not in mine and course_id in (None, c.course_id)
    ]


def _end(draft: _Draft, enrollment: Enrollment, day: date) -> None:
    """Close an enrollment on `day` (exclusive); in the year's first days its begin moves back."""
    begin = min(enrollment.begin or draft.year.start, day - timedelta(days=7))
    draft.enrollments[enrollment.sourced_id] = replace(enrollment, begin=begin, end=day)


def _add_transfers(draft: _Draft) -> None:
    """An ended enrollment and a new one in another class of the course: half are news to Canvas."""
    for number, person in enumerate(_untouched(draft, _share(draft, 4, 4))):
        moves = [
            (e, to)
            for e, c in _classes_of(draft, person)
            for to in _elsewhere(draft, person, course_id=c.course_id)
        ]
        if not moves:
            continue
        old, target = draft.rng.choice(moves)
        recent = number % 2 == 1
        day = draft.today - timedelta(days=1 if recent else 30)
        _end(draft, old, day)
        new = _enroll(draft, person, target, begin=day)
        if recent:
            draft.ended.add(old.sourced_id)
            draft.news.add(new.sourced_id)


def _add_returns_and_drops(draft: _Draft) -> None:
    """Students who left a class and came back (two enrollments), and students who dropped one yesterday."""
    for person in _untouched(draft, _share(draft, 1, 1)):
        old, made = draft.rng.choice(_classes_of(draft, person))
        _end(draft, old, draft.today - timedelta(days=40))
        _enroll(draft, person, made, begin=draft.today - timedelta(days=15))
    for person in _untouched(draft, _share(draft, 1, 1)):
        dropped, _ = draft.rng.choice(_classes_of(draft, person))
        _end(draft, dropped, draft.today - timedelta(days=1))
        draft.ended.add(dropped.sourced_id)


def _add_future_and_deleted(draft: _Draft) -> None:
    """Enrollments not begun, and rows the SIS marks tobedeleted; half of those Canvas still has open."""
    for person in _untouched(draft, _share(draft, 1, 2)):
        if open_classes := _elsewhere(draft, person):
            begin = draft.today + timedelta(days=10)
            if begin >= draft.year.end:
                # In the last days of a school year nothing begins any more.
                break
            draft.news.add(_enroll(draft, person, draft.rng.choice(open_classes), begin=begin).sourced_id)
    for number, person in enumerate(_untouched(draft, _share(draft, 2, 2))):
        if open_classes := _elsewhere(draft, person):
            gone = _enroll(draft, person, draft.rng.choice(open_classes), status="tobedeleted")
            if number % 2 == 0:
                draft.ended.add(gone.sourced_id)


def _add_news(draft: _Draft) -> None:
    """What appeared since Canvas was last filled: some students, one class, a few enrollments."""
    for person in _untouched(draft, _share(draft, 3, 2)):
        draft.news.add(person.sourced_id)
        draft.news.update(e.sourced_id for e in draft.seats_of(person))
    for person in _untouched(draft, _share(draft, 1, 2)):
        if open_classes := _elsewhere(draft, person):
            draft.news.add(_enroll(draft, person, draft.rng.choice(open_classes)).sourced_id)
    school = draft.schools[0]
    made = _add_class(draft, school, names.SUBJECTS[2][0], len(draft.classes) // 8 * 8 + 800, 7)
    draft.news.add(made.sourced_id)
    pupils = [p for p in draft.pupils if p.school_id == school.sourced_id]
    for person in (draft.teachers[school.sourced_id][0], *pupils[:12]):
        draft.news.add(_enroll(draft, person, made).sourced_id)


def _finished(draft: _Draft) -> District:
    """The draft as plain, frozen facts."""
    return District(
        key=draft.key,
        name=f"{names.town(draft.key)} Public Schools",
        time_zone="America/New_York",
        today=draft.today,
        org_id=f"NJ-{draft.base // 1000}",
        schools=tuple(draft.schools),
        sessions=draft.sessions,
        courses=tuple(draft.courses.values()),
        classes=tuple(draft.classes),
        people=tuple(draft.people),
        enrollments=tuple(draft.enrollments.values()),
        categories=tuple(Category(sourced_id, title) for sourced_id, title in _CATEGORIES),
        news=frozenset(draft.news),
        ended=frozenset(draft.ended),
    )
