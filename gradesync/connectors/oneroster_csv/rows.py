"""Rows of OneRoster's CSV files into the domain's values. Pure.

Only the cells the domain has a field for are looked at; passwords, telephone numbers and the like never leave the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from gradesync.connectors.oneroster_csv.layouts import V1P2
from gradesync.connectors.roster_table import Columns, Make, Words
from gradesync.domain.roster import AcademicSession, Org, RosterClass, RosterCourse, RosterUser
from gradesync.domain.roster_columns import Enrollments

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
) -> dict[str, Make[Any]]:
    """How the rows of each file are read; `headers` by file, `roles` by person (1.2), filled by the time users come.
    Guardians are None unless they are wanted.

    The words of a row begin with its `status` and `dateLastModified` (`layouts.in_mode`).
    """
    made: dict[str, Make[Any]] = {
        "orgs": _orgs,
        "academicSessions": _sessions,
        "courses": _courses,
        "classes": _classes,
        "roles": _roles,
        "enrollments": _enrollments,
    }
    if "users" in headers:
        made["users"] = _users(version, headers["users"], roles, guardians=guardians)
    return made


def _orgs(cells: Columns, words: Words) -> Iterable[Org]:
    return map(Org, cells[0], cells[3], words[2], map(_or_none, cells[6]))


def _sessions(cells: Columns, words: Words) -> Iterable[AcademicSession]:
    kinds, starts, ends, years = words[2:]
    return map(AcademicSession, cells[0], cells[3], kinds, starts, ends, map(_or_none, cells[7]), years)


def _courses(cells: Columns, _words: Words) -> Iterable[RosterCourse]:
    return map(RosterCourse, cells[0], cells[4], cells[5], cells[7])


def _classes(cells: Columns, _words: Words) -> Iterable[RosterClass]:
    return map(RosterClass, cells[0], cells[3], cells[6], cells[5], cells[9], map(_ids, cells[10]))


def _roles(cells: Columns, words: Words) -> Iterable[Role]:
    return map(Role, cells[0], cells[3], words[3])


def _enrollments(cells: Columns, words: Words) -> Enrollments:
    _, _, roles, _, begins, ends = words
    # Words may have no end.
    read = [
        one if isinstance(one, list) else list(islice(one, len(cells[0]))) for one in (roles, begins, ends)
    ]
    return Enrollments((cells[5], cells[3], *read, cells[0]))


# A named tuple's own constructor is a Python function; this is the one it calls.
_user: partial[RosterUser] = partial(tuple.__new__, RosterUser)


def _users(
    version: str, header: Sequence[str], roles: Mapping[str, str], *, guardians: bool
) -> Make[RosterUser | None]:
    """People of users.csv; None for `_GUARDIANS` unless they are wanted."""
    place = {name: at for at, name in enumerate(header)}
    named = ("username", "givenName", "familyName", "email", "identifier", "agentSourcedIds")
    login, given, family, email, number, agents = (place[name] for name in named)
    # 1.1 knows no preferred names.
    called = place.get("preferredGivenName"), place.get("preferredFamilyName")

    def users(cells: Columns, words: Words) -> Iterable[RosterUser | None]:
        nothing = ("",) * len(cells[0])
        ours = [roles.get(one, "") for one in cells[0]] if version == V1P2 else list(words[3])
        found = map(
            _user,
            zip(  # noqa: B905 - words may have no end
                cells[0],
                cells[login],
                cells[given],
                cells[family],
                cells[email],
                ours,
                words[2],
                cells[number],
                nothing if called[0] is None else cells[called[0]],
                nothing if called[1] is None else cells[called[1]],
                map(_ids, cells[agents]),
            ),
        )
        if guardians or _GUARDIANS.isdisjoint(ours):
            return found
        return (None if one.role in _GUARDIANS else one for one in found)

    return users


def _or_none(cell: str) -> str | None:
    return cell or None


def _ids(cell: str) -> tuple[str, ...]:
    """Several ids in one cell, with commas between them."""
    return tuple([one for part in cell.split(",") if (one := part.strip())]) if cell else ()


def better(role: str, known: str | None) -> str:
    """Of two roles of a person the one that counts."""
    if known is None:
        return role
    return role if _RANK.get(role, len(_RANK)) < _RANK.get(known, len(_RANK)) else known
