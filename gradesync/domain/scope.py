"""What an account's `scope` includes: one reading of it for both syncs.

Pure. What lies outside is neither sent nor counted as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase

from gradesync.domain.account import Scope


def class_in_scope(
    scope: Scope,
    *,
    code: str,
    school_id: str,
    term_ids: Iterable[str],
    sessions: Mapping[str, tuple[str, date, date]],
    today: date,
) -> bool:
    """Whether a class is meant. `sessions` maps a session's id to (title, start, end exclusive).

    A class whose sessions are unknown counts as current: leaving it out silently would lose grades.
    """
    if scope.schools != "all" and school_id not in scope.schools:
        return False
    if scope.include_classes and not any(fnmatchcase(code, glob) for glob in scope.include_classes):
        return False
    if any(fnmatchcase(code, glob) for glob in scope.exclude_classes):
        return False
    known = [sessions[term] for term in term_ids if term in sessions]
    if scope.terms == "all" or not known:
        return True
    if scope.terms == "current":
        return any(_in_year_of(start, end, today) for _, start, end in known)
    return any(title in scope.terms for title, _, _ in known)


def _in_year_of(start: date, end: date, today: date) -> bool:
    """Started already and over for less than 30 days: late grades of a term just ended still count."""
    return start <= today and (today - end).days < 30
