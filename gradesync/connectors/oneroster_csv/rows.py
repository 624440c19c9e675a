"""Rows of OneRoster's CSV files into the domain's values. Pure.

Only the cells the domain has a field for are looked at; passwords, telephone numbers and the like never leave the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from gradesync.connectors.oneroster_csv.layouts import V1P2
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)

T = TypeVar("T")
Cells = list[str]
Words = tuple[Any, ...]
Make = Callable[[Cells, Words], Any]

_RANK = {role: rank for rank, role in enumerate(("teacher", "student", "aide"))}
"""Of several roles the one that counts, as over REST: whoever teaches anywhere is a teacher."""

_GUARDIANS = frozenset({"guardian", "parent", "relative"})


class Role(NamedTuple):
    """A row of roles.csv (1.2): one person in one role."""

    id: str
    user_id: str
    role: str


def makers(
    version: str, headers: Mapping[str, Sequence[str]], roles: Mapping[str, str], *, guardians: bool
) -> dict[str, Make]:
    """How the rows of each file are read; `headers` by file, `roles` by person (1.2), filled by the time users come.
    Guardians are left where they are unless they are wanted.

    The words of a row begin with its `status` and `dateLastModified` (`layouts.in_mode`).
    """

    def org(row: Cells, words: Words) -> Org:
        return Org(row[0], row[3], words[2], row[6] or None)

    def session(row: Cells, words: Words) -> AcademicSession:
        kind, start, end = words[2:]
        return AcademicSession(row[0], row[3], kind, start, end, row[7] or None, row[8])

    def course(row: Cells, _words: Words) -> RosterCourse:
        return RosterCourse(row[0], row[4], row[5], row[7])

    def school_class(row: Cells, _words: Words) -> RosterClass:
        return RosterClass(row[0], row[3], row[6], row[5], row[9], _ids(row[10]))

    def role(row: Cells, words: Words) -> Role:
        return Role(row[0], row[3], words[3])

    def enrollment(row: Cells, words: Words) -> RosterEnrollment:
        _, _, as_, primary, begin, end = words
        return RosterEnrollment(row[0], row[5], row[3], as_, begin, end, primary is True)

    made: dict[str, Make] = {
        "orgs": org,
        "academicSessions": session,
        "courses": course,
        "classes": school_class,
        "roles": role,
        "enrollments": enrollment,
    }
    if "users" in headers:
        made["users"] = _user(version, headers["users"], roles, guardians=guardians)
    return made


def _user(version: str, header: Sequence[str], roles: Mapping[str, str], *, guardians: bool) -> Make:
    """A person of users.csv; nobody of `_GUARDIANS` unless they are wanted."""
    place = {name: at for at, name in enumerate(header)}
    login, given, family = (place[name] for name in ("username", "givenName", "familyName"))
    email, number, agents = (place[name] for name in ("email", "identifier", "agentSourcedIds"))
    # 1.1 knows no preferred names.
    called = place.get("preferredGivenName"), place.get("preferredFamilyName")

    def user(row: Cells, words: Words) -> RosterUser | None:
        role = roles.get(row[0], "") if version == V1P2 else words[3]
        if role in _GUARDIANS and not guardians:
            return None
        return RosterUser(
            row[0],
            row[login],
            row[given],
            row[family],
            row[email],
            role,
            words[2],
            row[number],
            "" if called[0] is None else row[called[0]],
            "" if called[1] is None else row[called[1]],
            _ids(row[agents]) if row[agents] else (),
        )

    return user


def _ids(cell: str) -> tuple[str, ...]:
    """Several ids in one cell, with commas between them."""
    return tuple(one for part in cell.split(",") if (one := part.strip()))


def better(role: str, known: str | None) -> str:
    """Of two roles of a person the one that counts."""
    if known is None:
        return role
    return role if _RANK.get(role, len(_RANK)) < _RANK.get(known, len(_RANK)) else known
