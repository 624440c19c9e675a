"""The kinds of Canvas's SIS CSV files, told apart by their columns as Canvas does (`canvas.md` 2.5), and their rules.

Canvas takes more than is here. Passwords are never carried, and neither are kinds that hand out rights or rename ids:
an export that wants to make administrators is not a roster.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gradesync.connectors.roster_table import Layout, Vocabulary

ACCOUNTS, TERMS, COURSES, SECTIONS = "accounts", "terms", "courses", "sections"
XLISTS, USERS, ENROLLMENTS, OBSERVERS = "xlists", "users", "enrollments", "user_observers"
NEEDED = (COURSES, SECTIONS, USERS, ENROLLMENTS)


def kind_of(columns: Collection[str]) -> str | None:
    """The kind of a file with these columns (in lower case), asked in Canvas's order; None for none."""
    has = set(columns)
    existing = {"existing_user_id", "existing_integration_id", "existing_canvas_user_id"}
    for kind, fits in (
        ("change_sis_id", bool(has & {"old_id", "old_integration_id"})),
        (ACCOUNTS, has >= {"account_id", "parent_account_id"}),
        (TERMS, has >= {"term_id", "name"}),
        (COURSES, has >= {"course_id", "short_name"}),
        (SECTIONS, has >= {"section_id", "name"}),
        (XLISTS, has >= {"xlist_course_id", "section_id"}),
        (USERS, has >= {"user_id", "login_id"} and not has & existing),
        ("logins", bool(has & existing)),
        (ENROLLMENTS, bool(has & {"section_id", "course_id"} and has & {"user_id", "user_integration_id"})),
        ("admins", has >= {"account_id", "user_id"}),
        ("grade_publishing_results", has >= {"enrollment_id", "grade_publishing_status"}),
        (OBSERVERS, has >= {"observer_id", "student_id"}),
    ):
        if fits:
            return kind
    return None


def _moment(cell: str) -> datetime | None:
    if cell == "<delete>":
        return None
    if not _BEGINS_WITH_DAY.match(cell):
        raise ValueError
    return datetime.fromisoformat(cell)


_BEGINS_WITH_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]|\Z)", re.ASCII)


def _status(*words: str) -> Vocabulary:
    def read(cell: str) -> str:
        word = cell.lower()
        if word not in words:
            raise ValueError
        return word

    return Vocabulary(read, f"the cell is none of {', '.join(words)}")


MOMENT = Vocabulary(_moment, "the cell is no date, written like 2026-09-01 or 2026-09-01T06:00:00Z")
_DATES = {"start_date": MOMENT, "end_date": MOMENT}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. `layout.columns` must be there; `always` are sent even when the export is without them,
    because Canvas clears what they hold either way (`canvas.md` 2.8); `also` are carried when the export has them.
    """

    layout: Layout
    always: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def carried(self, columns: Collection[str]) -> tuple[str, ...]:
        """The columns sent, for an export with these."""
        return (*self.layout.columns, *self.always, *(one for one in self.also if one in columns))

    def fitting(self, columns: Collection[str]) -> Layout:
        """The layout with the words of those columns alone that a file has."""
        words = {name: words for name, words in self.layout.words.items() if name in columns}
        return replace(self.layout, words=words)


def _kind(
    name: str,
    columns: str,
    status: Vocabulary,
    *,
    key: str = "",
    blank: str = "",
    always: str = "",
    also: str = "",
    words: Mapping[str, Vocabulary] | None = None,
) -> Kind:
    needed = tuple(columns.split())
    layout = Layout(
        f"{name}.csv",
        needed,
        tuple(one for one in needed if one not in blank.split()),
        tuple(key.split()),
        {"status": status, **(words or {})},
    )
    return Kind(layout, tuple(always.split()), tuple(also.split()))


_LIVE = _status("active", "deleted")

KINDS: Mapping[str, Kind] = {
    ACCOUNTS: _kind(
        ACCOUNTS,
        "account_id parent_account_id name status",
        _LIVE,
        key="account_id",
        blank="parent_account_id",
        always="integration_id",
    ),
    TERMS: _kind(
        TERMS,
        "term_id name status",
        _LIVE,
        key="term_id",
        always="start_date end_date integration_id",
        words=_DATES,
    ),
    COURSES: _kind(
        COURSES,
        "course_id short_name long_name status account_id term_id",
        _status("active", "deleted", "completed", "published", "unpublished"),
        key="course_id",
        blank="account_id term_id",
        always="integration_id",
        also="start_date end_date course_format blueprint_course_id grade_passback_setting homeroom_course "
        "friendly_name",
        words=_DATES,
    ),
    SECTIONS: _kind(
        SECTIONS,
        "section_id course_id name status",
        _LIVE,
        key="section_id",
        always="start_date end_date integration_id",
        words=_DATES,
    ),
    USERS: _kind(
        USERS,
        "user_id login_id status",
        _status("active", "suspended", "deleted"),
        key="user_id",
        also="integration_id authentication_provider_id first_name last_name full_name sortable_name short_name email "
        "pronouns declared_user_type",
    ),
    ENROLLMENTS: _kind(
        ENROLLMENTS,
        "section_id user_id role status",
        _status("active", "deleted", "completed", "inactive", "deleted_last_completed"),
        always="start_date end_date",
        also="associated_user_id limit_section_privileges",
        words=_DATES,
    ),
    XLISTS: _kind(XLISTS, "xlist_course_id section_id status", _LIVE, key="section_id"),
    OBSERVERS: _kind(OBSERVERS, "observer_id student_id status", _LIVE, key="observer_id student_id"),
}
"""The kinds that are carried, in the order in which they are sent. Two enrollments of one person in one class are no
mistake: somebody left and came back."""
