"""Which sessions and classes an account's scope means. Pure.

`current` is the whole school year of today, past and future terms of it included, as the vendor's own integration
reads it (oneroster.md 5.2); in the summer gap the year that begins next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase

from gradesync.domain.account import Scope
from gradesync.domain.roster import AcademicSession


def sessions_in_scope(
    sessions: Mapping[str, AcademicSession], terms: str | tuple[str, ...], today: date
) -> frozenset[str]:
    """Ids of the sessions meant: a class belongs when one of its terms is among them."""
    if terms == "all":
        return frozenset(sessions)
    if terms != "current":
        wanted = {title.casefold() for title in ((terms,) if isinstance(terms, str) else terms)}
        named = {one.id for one in sessions.values() if one.title.casefold() in wanted or one.id in terms}
        return frozenset(one for one in sessions if not named.isdisjoint(_line(sessions, one)))
    year = _year_of(sessions, today)
    return frozenset(one.id for one in sessions.values() if _label(sessions, one) == year)


def _line(sessions: Mapping[str, AcademicSession], session_id: str) -> list[str]:
    """A session and its ancestors, itself first; a circle of parents ends it."""
    line: list[str] = []
    at: str | None = session_id
    while at is not None and at in sessions and at not in line:
        line.append(at)
        at = sessions[at].parent_id
    return line


def _label(sessions: Mapping[str, AcademicSession], session: AcademicSession) -> str:
    """What names a school year: the label OneRoster gives, else the topmost session."""
    return session.school_year or _line(sessions, session.id)[-1]


def _year_of(sessions: Mapping[str, AcademicSession], today: date) -> str | None:
    """The label of today's school year; in a gap that of the next to begin, after all of them the last."""
    years: dict[str, tuple[date, date]] = {}
    for one in sessions.values():
        label = _label(sessions, one)
        start, end = years.get(label, (one.start, one.end))
        years[label] = (min(start, one.start), max(end, one.end))
    running = [label for label, (start, end) in years.items() if start <= today < end]
    if running:
        # Overlapping years (summer school): the one that began last is the one being taught.
        return max(running, key=lambda label: years[label])
    coming = [label for label, (start, _) in years.items() if start > today]
    if coming:
        return min(coming, key=lambda label: years[label])
    return max(years, key=lambda label: years[label], default=None)


def class_filter(scope: Scope, sessions: Collection[str]) -> Callable[[str, str, Iterable[str]], bool]:
    """A test of (class code, school id, term ids)."""
    schools = None if scope.schools == "all" else frozenset(_texts(scope.schools))
    every_term = scope.terms == "all"
    include, exclude = scope.include_classes, scope.exclude_classes

    def inside(code: str, school_id: str, term_ids: Iterable[str]) -> bool:
        if schools is not None and school_id not in schools:
            return False
        if include and not any(fnmatchcase(code, glob) for glob in include):
            return False
        if any(fnmatchcase(code, glob) for glob in exclude):
            return False
        return every_term or any(term in sessions for term in term_ids)

    return inside


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
