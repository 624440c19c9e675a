"""The columns of OneRoster's CSV files, 1.1 and 1.2, and how their words, flags and days are read (CSV binding).

Only the files a roster import needs are here: demographics, grades and resources are never opened. Columns are named
in full, because their order is part of the format; passwords, telephone numbers and the like are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from gradesync.connectors.roster_table import Layout, Vocabulary

V1P1, V1P2 = "1.1", "1.2"
BULK, DELTA, ABSENT = "bulk", "delta", "absent"
TO_BE_DELETED = "tobedeleted"

_EVERY = ("sourcedId", "status", "dateLastModified")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_YEAR = re.compile(r"\d{4}\Z", re.ASCII)
_EXTENSION = re.compile(r"ext:[A-Za-z0-9._-]+\Z")


def _day(cell: str) -> date:
    if not _DAY.match(cell):
        raise ValueError
    return date.fromisoformat(cell)


def _year(cell: str) -> str:
    if not _YEAR.match(cell):
        raise ValueError
    return cell


def _flag(cell: str) -> bool:
    if cell not in ("true", "false"):
        raise ValueError
    return cell == "true"


def _blank(cell: str) -> None:
    if cell:
        raise ValueError


def _instant(cell: str) -> None:
    # Only its form is judged: the order of two exports is told by the files, not by clocks of the SIS.
    if not cell.endswith("Z") or "T" not in cell:
        raise ValueError
    datetime.fromisoformat(cell)


def _word(known: Iterable[str], *, extended: bool = False) -> Vocabulary:
    """One of the known words; 1.2 lets a SIS add words of its own behind `ext:`."""
    words = frozenset(known)

    def read(cell: str) -> str:
        if cell in words:
            return cell
        if extended and _EXTENSION.match(cell):
            return cell.removeprefix("ext:")
        raise ValueError

    return Vocabulary(read, f"the cell is none of {', '.join(sorted(words))}")


DAY = Vocabulary(_day, "the cell is no date of the calendar, written YYYY-MM-DD")
YEAR = Vocabulary(_year, "the cell is no school year, written as four digits")
FLAG = Vocabulary(_flag, "the cell is neither true nor false")
IS_BULK = {
    "status": Vocabulary(_blank, "the cell must be empty in a bulk file", blank_too=True),
    "dateLastModified": Vocabulary(_blank, "the cell must be empty in a bulk file", blank_too=True),
}
IS_DELTA = {
    "status": Vocabulary(
        _word(("active", TO_BE_DELETED)).read, "the cell is neither active nor tobedeleted", blank_too=True
    ),
    "dateLastModified": Vocabulary(
        _instant, "the cell is no date and time in UTC, written like 2026-09-01T06:00:00Z", blank_too=True
    ),
}

_SESSION_TYPES = ("gradingPeriod", "semester", "schoolYear", "term")
_ORG_TYPES = ("department", "district", "local", "national", "school", "state")
_CLASS_TYPES = ("homeroom", "scheduled")
# The standard has no aides in classes. SISes write them all the same, and what is meant is plain.
_SEATS = ("administrator", "aide", "proctor", "student", "teacher")
_ROLES_11 = ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
_ROLES_12 = (
    *("aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor"),
    *("relative", "siteAdministrator", "student", "systemAdministrator", "teacher"),
)
_KEY = ("sourcedId",)


def _layout(
    file: str,
    columns: str,
    required: str,
    words: dict[str, Vocabulary] | None = None,
    order: tuple[str, str] | None = None,
) -> Layout:
    names = (*_EVERY, *columns.split())
    return Layout(f"{file}.csv", names, ("sourcedId", *required.split()), _KEY, words or {}, order)


def layouts(version: str) -> dict[str, Layout]:
    """The files of a version that a roster import reads, by name without its ending, in reading order."""
    newer = version == V1P2
    one = {
        "orgs": _layout(
            "orgs",
            "name type identifier parentSourcedId",
            "name type",
            {"type": _word(_ORG_TYPES, extended=newer)},
        ),
        "academicSessions": _layout(
            "academicSessions",
            "title type startDate endDate parentSourcedId schoolYear",
            "title type startDate endDate schoolYear",
            {
                "type": _word(_SESSION_TYPES, extended=newer),
                "startDate": DAY,
                "endDate": DAY,
                "schoolYear": YEAR,
            },
            ("startDate", "endDate"),
        ),
        "courses": _layout(
            "courses",
            "schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
            "title orgSourcedId",
        ),
        "classes": _layout(
            "classes",
            "title grades courseSourcedId classCode classType location schoolSourcedId termSourcedIds subjects "
            "subjectCodes periods",
            "title courseSourcedId classType schoolSourcedId termSourcedIds",
            {"classType": _word(_CLASS_TYPES, extended=newer)},
        ),
    }
    if newer:
        one["roles"] = _layout(
            "roles",
            "userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId",
            "userSourcedId roleType role orgSourcedId",
            {
                "roleType": _word(("primary", "secondary")),
                "role": _word(_ROLES_12, extended=True),
                "beginDate": DAY,
                "endDate": DAY,
            },
        )
    one["users"] = _users_12() if newer else _users_11()
    one["enrollments"] = _layout(
        "enrollments",
        "classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate",
        "classSourcedId schoolSourcedId userSourcedId role",
        {"role": _word(_SEATS, extended=newer), "primary": FLAG, "beginDate": DAY, "endDate": DAY},
    )
    return one


def _users_11() -> Layout:
    return _layout(
        "users",
        "enabledUser orgSourcedIds role username userIds givenName familyName middleName identifier email sms phone "
        "agentSourcedIds grades password",
        "enabledUser orgSourcedIds role username givenName familyName",
        {"enabledUser": FLAG, "role": _word(_ROLES_11)},
    )


def _users_12() -> Layout:
    return _layout(
        "users",
        "enabledUser username userIds givenName familyName middleName identifier email sms phone agentSourcedIds "
        "grades password userMasterIdentifier preferredGivenName preferredMiddleName preferredFamilyName "
        "primaryOrgSourcedId pronouns",
        "enabledUser username givenName familyName",
        {"enabledUser": FLAG},
    )


MAY_END_WITHOUT = {"users": "pronouns"}
"""Last columns that came to the format late, so that sound exports are without them."""


def in_mode(layout: Layout, mode: str) -> Layout:
    """The layout with what `bulk` or `delta` says of the columns `status` and `dateLastModified`.

    Their values come first in what a row's words are: `status` at 0, `dateLastModified` at 1.
    """
    return replace(layout, words={**(IS_DELTA if mode == DELTA else IS_BULK), **layout.words})
