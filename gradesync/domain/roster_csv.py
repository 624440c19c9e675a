"""A roster as Canvas SIS CSV files: which record becomes which row, and the text of it. Pure.

The rules of the files are Canvas's (`canvas.md` 2.5 to 2.8). Nothing is guessed: a record that lacks what Canvas
needs is dropped and counted under GS-608. Scope, guards and sending live elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from gradesync.domain.interval.zones import local_to_utc
from gradesync.domain.roster import AcademicSession, Roster, RosterClass, RosterEnrollment, RosterUser
from gradesync.domain.roster_scope import ancestors

HEADERS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_id", "parent_account_id", "name", "status", "integration_id"),
    "terms": ("term_id", "name", "status", "start_date", "end_date", "integration_id"),
    "courses": ("course_id", "short_name", "long_name", "status", "account_id", "term_id", "integration_id"),
    "sections": ("section_id", "course_id", "name", "status", "start_date", "end_date", "integration_id"),
    "users": ("user_id", "login_id", "first_name", "last_name", "email", "status"),
    "enrollments": ("section_id", "user_id", "role", "status", "start_date", "end_date"),
}
"""The columns of every file. Canvas tells the files apart by their columns alone, not by their names.

What a missing column would do decided the list (`canvas.md` 2.8):

- `integration_id` of accounts, terms, courses and sections is set to null both by a missing column and by an empty
  value. The only id this import can vouch for is the SIS's own, so that is written: it never flickers.
- `integration_id` of users is kept by Canvas while the column is missing, and wiped when it is empty: left out.
- Dates of sections and enrollments are cleared either way. They stand here empty, on purpose: dates of a section or
  of a person override those of the term, and an enrollment's `status` already says today's truth.
- Dates of courses are cleared only by a present, empty column: left out, so that a date set in Canvas survives.
"""

_PERSON_ROLES = frozenset({"student", "teacher", "aide"})
_STATUS_RANK = {"active": 0, "completed": 1, "inactive": 2}
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CanvasFiles:
    """The upload: `files` by name (always all six, the names never change, so that Canvas can compare uploads).

    `counts` are rows by kind (`accounts` ... `enrollments`); `kept_enrollments` those not withdrawn (active or
    completed); `open_users` the people not suspended; `future` enrollments that have not begun and are not sent yet;
    `problems` records by code.
    """

    files: Mapping[str, str]
    counts: Mapping[str, int]
    section_ids: frozenset[str]
    kept_enrollments: int = 0
    open_users: int = 0
    future: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all files together, without headers."""
        return sum(self.counts.values())

    @property
    def dropped(self) -> int:
        """Records that cannot be carried over."""
        return sum(self.problems.values())


def canvas_files(roster: Roster, *, time_zone: str, today: date) -> CanvasFiles:
    """The Canvas files of a roster that is already cut to its scope (`roster_scope.in_scope`).

    `time_zone` (IANA) is the one in which the district's dates are meant; `today` the local date there. The same
    records in any order give the same text. Raises IntervalError for a zone that does not exist.
    """
    problems: Counter[str] = Counter()
    sessions = _distinct(roster.sessions, problems)
    classes = _placed(roster, sessions, problems)
    people = _people(roster, problems)
    seats = _seats(roster.enrollments, classes, people, today, problems)
    used_terms = {p.term.id: p.term for p in classes.values()}
    used_schools = {p.row.school_id: p.school for p in classes.values()}
    rows: dict[str, Iterable[tuple[str, ...]]] = {
        "accounts": ((i, "", name, "active", i) for i, name in used_schools.items()),
        "terms": (_term_row(term, time_zone) for term in used_terms.values()),
        # `active` makes a course that teachers prepare and students cannot see; `published` would open it to them.
        # Publishing is the teacher's act, so it is never sent, and an open course stays open under `active`.
        "courses": (
            (i, p.code, p.title, "active", p.row.school_id, p.term.id, i) for i, p in classes.items()
        ),
        "sections": ((i, i, p.title, "active", "", "", i) for i, p in classes.items()),
        "users": (_user_row(user) for user in people.values() if _clean(user.username)),
        "enrollments": (
            (class_id, user_id, role, status, "", "")
            for (class_id, user_id, role), status in seats.status.items()
        ),
    }
    ordered = {kind: sorted(content) for kind, content in rows.items()}
    return CanvasFiles(
        files={f"{kind}.csv": _text(kind, content) for kind, content in ordered.items()},
        counts={kind: len(content) for kind, content in ordered.items()},
        section_ids=frozenset(classes),
        kept_enrollments=sum(status in ("active", "completed") for status in seats.status.values()),
        open_users=sum(bool(user.enabled and _clean(user.username)) for user in people.values()),
        future=seats.future,
        problems={code: number for code, number in problems.items() if number},
    )


def files_digest(files: CanvasFiles) -> str:
    """One hash over names and texts; equal digests mean that there is nothing to send."""
    digest = hashlib.sha256()
    for name, text in sorted(files.files.items()):
        digest.update(f"{name}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()


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


@dataclass(slots=True)
class _Seats:
    """(class, person, Canvas role) -> status, and how many enrollments have not begun."""

    status: dict[tuple[str, str, str], str] = field(default_factory=dict)
    future: int = 0


def _distinct(records: Sequence[R], problems: Counter[str]) -> dict[str, R]:
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


def _people(roster: Roster, problems: Counter[str]) -> dict[str, RosterUser]:
    """Students, teachers and aides, and whoever else sits in a class as one. Guardians never.

    People without any class are sent too: a student whose schedule is not made yet must keep the account. Whoever
    has lost the user name gets no row of their own, but keeps the seats: leaving them out would read as having left
    every class, and Canvas knows the person by the SIS id.
    """
    enrolled = {e.user_id for e in roster.enrollments if e.role in _PERSON_ROLES}
    wanted = [u for u in roster.users if u.role in _PERSON_ROLES or u.id in enrolled]
    people = _distinct(wanted, problems)
    problems["GS-608"] += sum(not _clean(user.username) for user in people.values())
    return people


def _seats(
    enrollments: Sequence[RosterEnrollment],
    classes: Mapping[str, _Placed],
    people: Mapping[str, RosterUser],
    today: date,
    problems: Counter[str],
) -> _Seats:
    """One status for each person, class and role.

    Canvas keeps one enrollment per section, person and role, so a student who left and came back has two rows in
    the SIS and one here: the one in force wins.
    """
    seats = _Seats()
    for row in enrollments:
        placed, person = classes.get(row.class_id), people.get(row.user_id)
        is_aide = person is not None and person.role == "aide"
        if row.role not in _PERSON_ROLES and not (row.role == "proctor" and is_aide):
            continue
        role = None if person is None else _role(row.role, person.role)
        if placed is None or role is None:
            problems["GS-608"] += 1
            continue
        if row.begin is not None and row.begin > today:
            seats.future += 1
            continue
        status = _status(row, placed.term, today)
        key = (row.class_id, row.user_id, role)
        known = seats.status.get(key)
        if known is None or _STATUS_RANK[status] < _STATUS_RANK[known]:
            seats.status[key] = status
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


# --- their text -------------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """The text on one line: control characters removed, runs of white space made one blank, ends stripped."""
    return " ".join(_INVISIBLE.sub("", text).split())


def _term_row(term: AcademicSession, time_zone: str) -> tuple[str, ...]:
    """A term with its dates as UTC instants: from the first local midnight to the last second before the end."""

    def instant(day: date, back: timedelta) -> str:
        at = local_to_utc(datetime(day.year, day.month, day.day), time_zone) - back  # noqa: DTZ001 - local wall time
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    # The end is exclusive here and shown as a day in Canvas: midnight would be shown as one day too many.
    start, end = instant(term.start, timedelta()), instant(term.end, timedelta(seconds=1))
    return (term.id, _clean(term.title) or term.id, "active", start, end, term.id)


def _user_row(user: RosterUser) -> tuple[str, ...]:
    """A person. Leavers are suspended, not deleted: deleting the last login takes all enrollments along."""
    status = "active" if user.enabled else "suspended"
    fields = (user.username, user.given_name, user.family_name, user.email)
    return (user.id, *(_clean(text) for text in fields), status)


def _text(kind: str, rows: Sequence[tuple[str, ...]]) -> str:
    """The file, quoted and ended as RFC 4180 says (CRLF), header first."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADERS[kind])
    writer.writerows(rows)
    return out.getvalue()
