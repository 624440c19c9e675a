"""A roster as rows of Canvas's SIS files: which record becomes which row. Pure.

Nothing is guessed: a record that lacks what Canvas needs is dropped and counted under GS-608. People and enrollments
are taken part by part (`roster.shards`), so that a district never lies in memory. The files' columns and text are
`roster_csv`'s; scope, guards and sending live elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from gradesync.domain.interval.zones import local_to_utc
from gradesync.domain.roster import (
    AcademicSession,
    Roster,
    RosterClass,
    RosterEnrollment,
    RosterUser,
    key_of_enrollment,
    key_of_user,
    shards,
)
from gradesync.domain.roster_csv import HEADERS, CanvasFiles, Row, RowFiles
from gradesync.domain.roster_scope import ancestors

_PERSON_ROLES = frozenset({"student", "teacher", "aide"})
_STATUS_RANK = {"active": 0, "completed": 1, "inactive": 2}
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass(slots=True)
class _Tally:
    """What is counted while the people go by."""

    kept: int = 0
    open_users: int = 0
    future: int = 0
    problems: Counter[str] = field(default_factory=Counter)


def canvas_files(roster: Roster, out: RowFiles, *, time_zone: str, today: date) -> CanvasFiles:
    """Write the Canvas files of a roster that is already cut to its scope (`roster_scope.in_scope`) to `out`.

    `time_zone` (IANA) is the one in which the district's dates are meant; `today` the local date there. The same
    records in any order give the same files. Raises IntervalError for a zone that does not exist.
    """
    tally = _Tally()
    sessions = _distinct(roster.sessions, tally.problems)
    classes = _placed(roster, sessions, tally.problems)
    counts = dict.fromkeys(HEADERS, 0)

    def add(kind: str, rows: Iterable[Row]) -> None:
        counts[kind] += out.add(kind, sorted(rows))

    for kind in HEADERS:
        out.add(kind, ())
    used_terms = {p.term.id: p.term for p in classes.values()}
    used_schools = {p.row.school_id: p.school for p in classes.values()}
    add("accounts", ((i, "", name, "active", i) for i, name in used_schools.items()))
    add("terms", (_term_row(term, time_zone) for term in used_terms.values()))
    # `active` makes a course that teachers prepare and students cannot see; `published` would open it to them.
    # Publishing is the teacher's act, so it is never sent, and an open course stays open under `active`.
    add(
        "courses",
        ((i, p.code, p.title, "active", p.row.school_id, p.term.id, i) for i, p in classes.items()),
    )
    add("sections", ((i, i, p.title, "active", "", "", i) for i, p in classes.items()))
    parts = zip(shards(roster.users, key_of_user), shards(roster.enrollments, key_of_enrollment), strict=True)
    for users, enrollments in parts:
        people = _people(users, enrollments, tally)
        seats = _seats(enrollments, classes, people, today, tally)
        add("users", (_user_row(user) for user in people.values() if _clean(user.username)))
        add("enrollments", ((c, u, role, status, "", "") for (c, u, role), status in seats.items()))
    return CanvasFiles(
        files=out.finished(),
        counts=counts,
        section_ids=frozenset(classes),
        kept_enrollments=tally.kept,
        open_users=tally.open_users,
        future=tally.future,
        problems={code: number for code, number in tally.problems.items() if number},
    )


# --- which records ----------------------------------------------------------------------------------------------


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_HasId)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A class with everything its course row needs."""

    row: RosterClass
    term: AcademicSession
    school: str
    title: str
    code: str


def _distinct(records: Iterable[R], problems: Counter[str]) -> dict[str, R]:
    """Records by id. A row that paging brought twice is one; of two that differ, one is kept and one is a problem.

    Dropping both would make Canvas delete what it holds under that id; which one stays does not depend on order.
    Ids Canvas would alter (it strips blanks) could meet another record's id, so they are not carried over.
    """
    found: dict[str, R] = {}
    for record in dict.fromkeys(records):
        if not record.id or _clean(record.id) != record.id:
            problems["GS-608"] += 1
            continue
        other = found.get(record.id)
        if other is not None:
            problems["GS-608"] += 1
            record = min(other, record, key=repr)
        found[record.id] = record
    return found


def _placed(
    roster: Roster, sessions: Mapping[str, AcademicSession], problems: Counter[str]
) -> dict[str, _Placed]:
    """Classes whose course, school and term are known; Canvas would silently misplace the others."""
    courses = _distinct(roster.courses, problems)
    orgs = _distinct(roster.orgs, problems)
    placed: dict[str, _Placed] = {}
    for class_id, row in _distinct(roster.classes, problems).items():
        course, school, term = courses.get(row.course_id), orgs.get(row.school_id), _term(row, sessions)
        if course is None or school is None or term is None:
            problems["GS-608"] += 1
            continue
        title = _clean(row.title) or _clean(course.title) or _clean(row.code)
        if not title:
            problems["GS-608"] += 1
            continue
        placed[class_id] = _Placed(
            row, term, _clean(school.name) or school.id, title, _clean(row.code) or title
        )
    return placed


def _term(row: RosterClass, sessions: Mapping[str, AcademicSession]) -> AcademicSession | None:
    """The class's only term, or the nearest session that holds all of its terms; None when there is none."""
    term_ids = sorted(set(row.term_ids))
    if not term_ids or any(t not in sessions for t in term_ids):
        return None
    chains = [ancestors(t, sessions) for t in term_ids]
    common = set.intersection(*(set(chain) for chain in chains))
    nearest = next((a for a in chains[0] if a in common), None)
    return None if nearest is None else sessions[nearest]


def _people(
    users: Sequence[RosterUser], enrollments: Sequence[RosterEnrollment], tally: _Tally
) -> dict[str, RosterUser]:
    """Students, teachers and aides, and whoever else sits in a class as one. Guardians never.

    People without any class are sent too: a student whose schedule is not made yet must keep the account. Whoever
    has lost the user name gets no row of their own, but keeps the seats: leaving them out would read as having left
    every class, and Canvas knows the person by the SIS id.
    """
    enrolled = {e.user_id for e in enrollments if e.role in _PERSON_ROLES}
    wanted = [u for u in users if u.role in _PERSON_ROLES or u.id in enrolled]
    people = _distinct(wanted, tally.problems)
    named = [user for user in people.values() if _clean(user.username)]
    tally.problems["GS-608"] += len(people) - len(named)
    tally.open_users += sum(user.enabled for user in named)
    return people


def _seats(
    enrollments: Sequence[RosterEnrollment],
    classes: Mapping[str, _Placed],
    people: Mapping[str, RosterUser],
    today: date,
    tally: _Tally,
) -> dict[tuple[str, str, str], str]:
    """(class, person, Canvas role) -> one status.

    Canvas keeps one enrollment per section, person and role, so a student who left and came back has two rows in
    the SIS and one here: the one in force wins.
    """
    seats: dict[tuple[str, str, str], str] = {}
    for row in enrollments:
        placed, person = classes.get(row.class_id), people.get(row.user_id)
        is_aide = person is not None and person.role == "aide"
        if row.role not in _PERSON_ROLES and not (row.role == "proctor" and is_aide):
            continue
        role = None if person is None else _role(row.role, person.role)
        if placed is None or role is None:
            tally.problems["GS-608"] += 1
            continue
        if row.begin is not None and row.begin > today:
            tally.future += 1
            continue
        status = _status(row, placed.term, today)
        key = (row.class_id, row.user_id, role)
        known = seats.get(key)
        if known is None or _STATUS_RANK[status] < _STATUS_RANK[known]:
            seats[key] = status
    tally.kept += sum(status in ("active", "completed") for status in seats.values())
    return seats


def _role(enrolled_as: str, person_is: str) -> str | None:
    """Canvas's role; None when the two sources contradict each other.

    An aide stands in a OneRoster 1.1 class as teacher or proctor, because its enrollments know no aide; `ta` gives
    the lesser right. A student enrolled as teacher or aide would see the grades of others: that is not guessed.
    """
    if enrolled_as == "student":
        return "student"
    if person_is == "student":
        return None
    return "ta" if "aide" in (enrolled_as, person_is) else "teacher"


def _status(row: RosterEnrollment, term: AcademicSession, today: date) -> str:
    """Canvas's status of an enrollment that has begun; `end` is exclusive.

    Whoever stayed until the term was over has `completed` it and may still look at the course. A student who left
    before is `inactive`: out of the course, but with the grades kept; `deleted` would hide them from every reader
    (`canvas.md` 5.6). A teacher or aide who left loses access by `inactive` too: nothing is ever deleted.
    """
    if row.end is None or today < row.end:
        return "active"
    # Some SISes mean the last day by the end date: one day less still counts as having stayed.
    if term.end <= today and row.end >= term.end - timedelta(days=1):
        return "completed"
    return "inactive"


# --- their fields -----------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """The text on one line: control characters removed, runs of white space made one blank, ends stripped."""
    return " ".join(_INVISIBLE.sub("", text).split())


def _term_row(term: AcademicSession, time_zone: str) -> Row:
    """A term with its dates as UTC instants: from the first local midnight to the last second before the end."""

    def instant(day: date, back: timedelta) -> str:
        at = local_to_utc(datetime(day.year, day.month, day.day), time_zone) - back  # noqa: DTZ001 - local wall time
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    # The end is exclusive here and shown as a day in Canvas: midnight would be shown as one day too many.
    start, end = instant(term.start, timedelta()), instant(term.end, timedelta(seconds=1))
    return (term.id, _clean(term.title) or term.id, "active", start, end, term.id)


def _user_row(user: RosterUser) -> Row:
    """A person. Leavers are suspended, not deleted: deleting the last login takes all enrollments along."""
    status = "active" if user.enabled else "suspended"
    fields = (user.username, user.given_name, user.family_name, user.email)
    return (user.id, *(_clean(text) for text in fields), status)
