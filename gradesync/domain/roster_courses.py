"""Orgs, sessions, courses and classes of a roster as Canvas accounts, terms, courses, sections and cross-lists. Pure.

A class stays small here: what is remembered of a district's classes is only where and until when each one runs. The
people in them are `roster_people`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from gradesync.domain.account import RosterMapping
from gradesync.domain.interval.zones import local_to_utc
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    key_of_class,
    shards,
)
from gradesync.domain.roster_csv import Row, RowFiles
from gradesync.domain.roster_scope import ancestors
from gradesync.domain.roster_text import INCOMPLETE, clean, distinct


@dataclass(slots=True)
class Placed:
    """The classes that have a place in Canvas: id -> the last day (exclusive) of the class's own term.

    `counts` are rows written, by kind.
    """

    ends: dict[str, date] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def write_courses(
    roster: Roster, mapping: RosterMapping, out: RowFiles, time_zone: str, problems: Counter[str]
) -> Placed:
    """Write accounts, terms, courses, sections and (when there is a map) cross-lists.

    Raises IntervalError for a zone that does not exist.
    """
    places = _Places(roster, mapping, problems)
    placed = Placed()
    # Once over all classes to know which accounts and terms they need: both come before the courses in them.
    for part in shards(roster.classes, key_of_class):
        for row in distinct(part, Counter()).values():
            places.prepare(row)
    placed.counts["accounts"] = out.add("accounts", places.account_rows())
    terms = sorted(_term_row(term, time_zone) for term in places.terms.values())
    placed.counts["terms"] = out.add("terms", terms)
    places.known.clear()
    for part in shards(roster.classes, key_of_class):
        courses, sections = [], []
        for class_id, row in distinct(part, problems).items():
            place = places.of(row)
            if place is None:
                problems[INCOMPLETE] += 1
                continue
            if place.is_new:
                # `active` makes a course that teachers prepare and students cannot see; `published` would open it
                # to them. Publishing is the teacher's act, and an open course stays open under `active`.
                courses.append(
                    (place.id, place.code, place.title, "active", place.account, place.term, place.id)
                )
            sections.append((class_id, place.id, place.name, "active", "", "", class_id))
            placed.ends[class_id] = place.end
        placed.counts["courses"] += out.add("courses", sorted(courses))
        placed.counts["sections"] += out.add("sections", sorted(sections))
    if mapping.cross_list:
        placed.counts["xlists"] = out.add("xlists", _cross_lists(mapping, placed.ends))
    return placed


def _cross_lists(mapping: RosterMapping, classes: Mapping[str, date]) -> list[Row]:
    """Classes taught together in one course. Only what the map names: joining by teacher or hour would be a guess,
    and a section that moves leaves its submissions behind. A class that is not in the read waits for its year."""
    per_class = mapping.courses == "per_class"
    return sorted(
        (course, class_id, "active")
        for course, members in mapping.cross_list.items()
        for class_id in members
        # A section is in its own course already.
        if class_id in classes and not (per_class and class_id == course)
    )


# --- where a class belongs --------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A class's course (`id`, `code`, `title`, `account`, `term`), its section's `name`, the end of its own term."""

    id: str
    code: str
    title: str
    account: str
    term: str
    name: str
    end: date
    is_new: bool


class _Spot(NamedTuple):
    """What classes of the same course, school and sessions have in common."""

    course: RosterCourse
    school: Org
    own: AcademicSession
    term: AcademicSession


class _Places:
    """Finds the place of one class after the other, and remembers the accounts and terms that were needed."""

    def __init__(self, roster: Roster, mapping: RosterMapping, problems: Counter[str]) -> None:
        self._mapping = mapping
        self._per_class = mapping.courses == "per_class"
        self._courses = distinct(roster.courses, problems)
        self._orgs = distinct(roster.orgs, problems)
        self._sessions = distinct(roster.sessions, problems)
        self._spots: dict[tuple[str, str, tuple[str, ...]], _Spot | None] = {}
        self._prepared: set[tuple[str, str, tuple[str, ...]]] = set()
        self._homes: dict[tuple[str, str], str] = {}
        self._accounts: dict[str, Org] = {}
        self.known: dict[str, tuple[str, str, str]] = {}
        self.terms: dict[str, AcademicSession] = {}

    def of(self, row: RosterClass) -> _Place | None:
        """The place; None when course, school, term or title is not known: Canvas would silently misplace it."""
        key = (row.course_id, row.school_id, row.term_ids)
        if key not in self._spots:
            self._spots[key] = self._spot(row)
        spot = self._spots[key]
        if spot is None:
            return None
        course, school, own, term = spot
        name = clean(row.title) or clean(course.title) or clean(row.code)
        if not name:
            return None
        if self._per_class:
            id, code, title, is_new = row.id, clean(row.code) or name, name, True
        else:
            # The class's own title must not become that of a course other classes share.
            code = clean(course.code) or clean(course.title) or course.id
            title = clean(course.title) or code
            id, meant = f"{course.id}:{school.id}:{term.id}", (course.id, school.id, term.id)
            is_new = id not in self.known
            if self.known.setdefault(id, meant) != meant:
                return None
        self.terms[term.id] = term
        return _Place(id, code, title, self._home(school, course), term.id, name, own.end, is_new)

    def prepare(self, row: RosterClass) -> None:
        """Remember which account and term the class needs."""
        key = (row.course_id, row.school_id, row.term_ids)
        if key not in self._prepared and self.of(row) is not None:
            self._prepared.add(key)

    def _spot(self, row: RosterClass) -> _Spot | None:
        course, school = self._courses.get(row.course_id), self._orgs.get(row.school_id)
        terms = self._term(row)
        return None if course is None or school is None or terms is None else _Spot(course, school, *terms)

    def _home(self, school: Org, course: RosterCourse) -> str:
        """The sub-account of a course; empty is the root account."""
        key = (school.id, course.org_id or "")
        if key not in self._homes:
            self._homes[key] = self._account(school, course)
        return self._homes[key]

    def _term(self, row: RosterClass) -> tuple[AcademicSession, AcademicSession] | None:
        """The class's own session, and the one that becomes its Canvas term; None when there is none.

        The own one is the class's only session, or the nearest that holds all of them. Canvas's files know no
        grading periods (teachers would see each quarter as a term), so a class filed under one belongs to the term
        around it.
        """
        term_ids = sorted(set(row.term_ids))
        if not term_ids or any(t not in self._sessions for t in term_ids):
            return None
        chains = [self._terms_around(t) for t in term_ids]
        common = set.intersection(*(set(chain) for chain in chains))
        nearest = next((a for a in chains[0] if a in common), None)
        if nearest is None:
            return None
        own = self._sessions[nearest]
        if self._mapping.terms == "school_year":
            above = [self._sessions[a] for a in ancestors(own.id, self._sessions)]
            return own, next((one for one in above if one.kind == "schoolYear"), own)
        return own, own

    def _terms_around(self, session_id: str) -> list[str]:
        chain = ancestors(session_id, self._sessions)
        return [a for a in chain if self._sessions[a].kind != "gradingPeriod"] or list(chain)

    def _account(self, school: Org, course: RosterCourse) -> str:
        if self._mapping.accounts == "none":
            return ""
        if self._mapping.accounts == "schools":
            self._accounts[school.id] = school
            return school.id
        home = school
        owner = self._orgs.get(course.org_id or "")
        if owner is not None and owner.kind == "department" and school.id in self._above(owner):
            home = owner
        chain = self._above(home)
        for org_id in chain:
            self._accounts[org_id] = self._orgs[org_id]
        return chain[0] if chain else ""

    def _above(self, org: Org) -> list[str]:
        """The org and what it lies in, nearest first, without the topmost one: that is Canvas's root account.

        Unless the topmost one is a school or department itself: then nothing above it is known.
        """
        chain: list[str] = []
        current: str | None = org.id
        while current is not None and current in self._orgs:
            if current in chain:
                # A circle has no top to begin with.
                return [org.id]
            chain.append(current)
            current = self._orgs[current].parent_id
        if chain and self._orgs[chain[-1]].kind not in ("school", "department"):
            chain.pop()
        return chain

    def account_rows(self) -> list[Row]:
        """The accounts that were needed, parents before their children: Canvas refuses a parent it does not know."""
        rows = []
        for org_id, org in self._accounts.items():
            above = self._above(org) if self._mapping.accounts == "tree" else [org_id]
            parent = above[1] if len(above) > 1 else ""
            rows.append((len(above), (org_id, parent, clean(org.name) or org_id, "active", org_id)))
        return [row for _, row in sorted(rows)]


def _term_row(term: AcademicSession, time_zone: str) -> Row:
    """A term with its dates as UTC instants: from the first local midnight to the last second before the end."""

    def instant(day: date, back: timedelta) -> str:
        at = local_to_utc(datetime(day.year, day.month, day.day), time_zone) - back  # noqa: DTZ001 - local wall time
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    # The end is exclusive here and shown as a day in Canvas: midnight would be shown as one day too many.
    start, end = instant(term.start, timedelta()), instant(term.end, timedelta(seconds=1))
    return (term.id, clean(term.title) or term.id, "active", start, end, term.id)
