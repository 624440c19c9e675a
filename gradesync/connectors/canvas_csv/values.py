"""What the rows of a Canvas-format export say, as the domain's values: for the scope and the brake alone. Pure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from gradesync.connectors.canvas_csv.carried import Row
from gradesync.connectors.canvas_csv.layouts import COURSES, ENROLLMENTS, SECTIONS, TERMS, USERS
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)

_SUMMER = 7
"""The month with which a school year begins, where nothing but a term's first day tells its year."""

Known = dict[str, tuple[str, tuple[str, ...], str]]
"""Course id -> its school, its terms and its code, for the sections that come after the courses."""


def values_of(kind: str, rows: Sequence[Row], columns: Row, known: Known, zone: ZoneInfo) -> list[Any]:
    """The values of some rows of a kind; courses fill `known` and sections read it. `zone` is the district's."""
    at = {name: place for place, name in enumerate(columns)}
    if kind == TERMS:
        return _sessions(rows, at, zone)
    return _VALUES[kind](rows, at, known)


def orgs_of(accounts: Sequence[Row], known: Known) -> list[Org]:
    """The accounts, and those that only courses name; the columns are those of `layouts`."""
    orgs = {row[0]: Org(row[0], row[2], "school", row[1] or None) for row in accounts}
    for school, _, _ in known.values():
        if school and school not in orgs:
            orgs[school] = Org(school, school, "school")
    return list(orgs.values())


def _sessions(rows: Sequence[Row], at: Mapping[str, int], zone: ZoneInfo) -> list[AcademicSession]:
    """Terms with both dates. One without is in every scope: nothing tells its year."""
    found = []
    for row in rows:
        start, last = _day(row[at["start_date"]], zone), _day(row[at["end_date"]], zone, _BEFORE)
        if start is None or last is None:
            continue
        year = str(start.year + (start.month >= _SUMMER))
        # Canvas counts the last day in; the domain's end is the day after it.
        found.append(
            AcademicSession(
                row[at["term_id"]], row[at["name"]], "term", start, last + timedelta(days=1), None, year
            )
        )
    return found


_BEFORE = timedelta(microseconds=1)


def _day(cell: str, zone: ZoneInfo, before: timedelta = timedelta()) -> date | None:
    """The local day of a cell: an instant with an offset falls on a day of the district's, minus `before`, because an
    end at midnight ends the day that is over."""
    if not cell or cell == "<delete>":
        return None
    moment = datetime.fromisoformat(cell)
    return moment.date() if moment.tzinfo is None else (moment - before).astimezone(zone).date()


def _courses(rows: Sequence[Row], at: Mapping[str, int], known: Known) -> list[RosterCourse]:
    """Courses without their titles, which nobody asks for here: such an export has one for nearly every class."""
    found = []
    for row in rows:
        id, code, school, term = (
            row[at[name]] for name in ("course_id", "short_name", "account_id", "term_id")
        )
        # Few schools and terms stand in many rows: one text for each of them.
        school = sys.intern(school)
        known[id] = school, _terms(term), code
        found.append(RosterCourse(id, "", "", school or None))
    return found


@lru_cache(maxsize=1024)
def _terms(term: str) -> tuple[str, ...]:
    return (term,) if term else ()


def _classes(rows: Sequence[Row], at: Mapping[str, int], known: Known) -> list[RosterClass]:
    found = []
    for row in rows:
        course = row[at["course_id"]]
        school, terms, code = known.get(course, ("", (), ""))
        found.append(RosterClass(row[at["section_id"]], row[at["name"]], code, course, school, terms))
    return found


def _users(rows: Sequence[Row], at: Mapping[str, int], _known: Known) -> list[RosterUser]:
    """People by id and whether they may log in; the brake knows their names from the rows themselves."""
    id, login, status = at["user_id"], at["login_id"], at["status"]
    return [RosterUser(row[id], row[login], "", "", "", "", row[status] == "active") for row in rows]


def _seats(rows: Sequence[Row], at: Mapping[str, int], _known: Known) -> list[RosterEnrollment]:
    section, user, role = at["section_id"], at["user_id"], at["role"]
    return [RosterEnrollment(row[user], row[section], row[role].lower()) for row in rows]


_VALUES: Mapping[str, Callable[[Sequence[Row], Mapping[str, int], Known], list[Any]]] = {
    COURSES: _courses,
    SECTIONS: _classes,
    USERS: _users,
    ENROLLMENTS: _seats,
}
