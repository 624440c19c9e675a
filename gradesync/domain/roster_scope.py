"""What of a roster an account looks at: its terms, schools and classes. Pure.

What is outside is neither sent nor counted as gone, so everything that counts, compares or writes a roster takes
the answer of `in_scope`, never the whole read. No CSV and no guard lives here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from gradesync.domain.account import Scope
from gradesync.domain.roster import (
    GUARDIANS,
    AcademicSession,
    Chosen,
    Roster,
    RosterClass,
    key_of_class,
    key_of_user,
)
from gradesync.domain.roster_columns import SeatsOutside


def ancestors(session_id: str, sessions: Mapping[str, AcademicSession]) -> tuple[str, ...]:
    """The session and its known parents, nearest first. A parent chain that bites its tail ends where it does."""
    chain: list[str] = []
    current: str | None = session_id
    while current is not None and current in sessions and current not in chain:
        chain.append(current)
        current = sessions[current].parent_id
    return tuple(chain)


def school_year(roster: Roster, today: date) -> str:
    """The school year a roster read on `today` is about, such as `2027`; `none` when it has no present or future.

    It is part of the name under which Canvas compares uploads: a new year starts a new comparison, or last
    year's courses would be deleted for no longer being in the files (`canvas.md` 2.6).
    """
    years = _years(roster.sessions)
    current = _current_years(roster.sessions, years, today)
    return max(
        (s.school_year or years[s.id] for s in roster.sessions if years[s.id] in current), default="none"
    )


def scope_digest(scope: Scope) -> str:
    """A short digest that changes whenever the account looks at something else than before."""
    return hashlib.sha256(repr(scope).encode()).hexdigest()[:16]


def in_scope(roster: Roster, scope: Scope, today: date) -> Roster:
    """The part of the roster the account looks at.

    `current` terms are all terms of the school year that contains `today`, not the running term alone: a class of
    the first semester must stay in the files in spring, because a course missing from them is deleted in Canvas
    together with its grades. In the summer gap the next year counts as current. Records that point at a class
    nobody knows stay in, so that they are reported instead of vanishing.
    """
    sessions = {s.id: s for s in roster.sessions}
    wanted_terms = _terms_in_scope(roster.sessions, sessions, scope, today)
    outside = {c.id for c in roster.classes if not _class_in_scope(c, scope, sessions, wanted_terms)}
    if not outside and scope.schools == "all":
        return roster
    users = roster.users
    if scope.schools != "all":
        # A person carries no school here; whoever sits in a class of a chosen school (of any term) belongs to it.
        of_schools = {c.id for c in roster.classes if _chosen(c.school_id, scope.schools)}
        present = {e.user_id for e in roster.enrollments if e.class_id in of_schools}
        present |= _guardians_of(roster, present)
        users = Chosen(roster.users, lambda user: user.id in present, key_of_user)
    return replace(
        roster,
        classes=Chosen(roster.classes, lambda row: row.id not in outside, key_of_class),
        users=users,
        enrollments=SeatsOutside(roster.enrollments, outside),
    )


def _guardians_of(roster: Roster, present: Set[str]) -> set[str]:
    """Guardians tied to somebody who is present, whichever of the two says so."""
    found = {u.id for u in roster.users if u.role in GUARDIANS and not present.isdisjoint(u.agents)}
    said = {agent for u in roster.users if u.id in present for agent in u.agents}
    return found | {u.id for u in roster.users if u.role in GUARDIANS and u.id in said} if said else found


def _years(sessions: Sequence[AcademicSession]) -> dict[str, str]:
    """Session id -> a key that all sessions of one school year share."""
    by_id = {s.id: s for s in sessions}

    def year(session: AcademicSession) -> str:
        for ancestor in ancestors(session.id, by_id):
            if by_id[ancestor].kind == "schoolYear":
                return ancestor
        return session.school_year or ancestors(session.id, by_id)[-1]

    return {s.id: year(s) for s in sessions}


def _current_years(
    sessions: Sequence[AcademicSession], years: Mapping[str, str], today: date
) -> frozenset[str]:
    """The years that contain `today`; between two years, the ones that begin next."""
    if running := frozenset(years[s.id] for s in sessions if s.start <= today < s.end):
        return running
    ahead = [s for s in sessions if s.start > today]
    first = min((s.start for s in ahead), default=today)
    return frozenset(years[s.id] for s in ahead if s.start == first)


def _terms_in_scope(
    sessions: Sequence[AcademicSession], by_id: Mapping[str, AcademicSession], scope: Scope, today: date
) -> frozenset[str] | None:
    """Ids of the sessions in scope; None means all."""
    if scope.terms == "all":
        return None
    if scope.terms == "current":
        years = _years(sessions)
        current = _current_years(sessions, years, today)
        return frozenset(s.id for s in sessions if years[s.id] in current)
    # A title (or id) names its session and all that lies in it: "2026-2027" brings both of its semesters.
    names = (scope.terms,) if isinstance(scope.terms, str) else scope.terms
    titles = {name.casefold() for name in names}
    named = {s.id for s in sessions if s.title.casefold() in titles or s.id in names}
    return frozenset(s.id for s in sessions if not named.isdisjoint(ancestors(s.id, by_id)))


def _class_in_scope(
    row: RosterClass, scope: Scope, sessions: Mapping[str, AcademicSession], terms: frozenset[str] | None
) -> bool:
    if scope.schools != "all" and not _chosen(row.school_id, scope.schools):
        return False
    if scope.include_classes and not _matches(row.code, scope.include_classes):
        return False
    if _matches(row.code, scope.exclude_classes):
        return False
    known = [t for t in row.term_ids if t in sessions]
    return terms is None or not known or any(t in terms for t in known)


def _matches(code: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(code, glob) for glob in globs)


def _chosen(value: str, names: str | tuple[str, ...]) -> bool:
    return value == names if isinstance(names, str) else value in names
