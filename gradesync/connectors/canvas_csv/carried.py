"""Which rows of a Canvas-format export are sent, and how a row changes on the way. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from gradesync.connectors.canvas_csv.layouts import (
    ACCOUNTS,
    COURSES,
    ENROLLMENTS,
    OBSERVERS,
    SECTIONS,
    TERMS,
    USERS,
    XLISTS,
)
from gradesync.connectors.roster_table import Columns, Make, Words
from gradesync.domain.roster import Roster, column
from gradesync.domain.roster_numbers import in_order

Row = tuple[str, ...]

_SOFTENED: Mapping[str, Mapping[str, str]] = {
    # Deleting somebody's last login takes all enrollments along, and a deleted enrollment hides its grades from
    # every reader (canvas.md 5.6): neither happens because of a file.
    USERS: {"deleted": "suspended"},
    ENROLLMENTS: {"deleted": "inactive", "deleted_last_completed": "inactive"},
}


_ROLES = {role: role for role in ("student", "teacher", "ta", "observer", "designer")}


def carried_rows(kind: str, header: Sequence[str], columns: Sequence[str]) -> Make[Row | None]:
    """How rows of a file become rows that are sent; None for one that says its record is deleted.

    A record left out is dropped by Canvas like any other that left, and is measured by the brake as such.
    """
    places = [header.index(name) if name in header else None for name in columns]
    status_at = columns.index("status")
    role_at = columns.index("role") if kind == ENROLLMENTS else None
    softened = _SOFTENED.get(kind, {})

    def make(cells: Columns, words: Words) -> Iterable[Row | None]:
        statuses = [softened.get(word, word) for word in words[0]]
        nothing = ("",) * len(statuses)
        sent = [tuple(map(str.strip, cells[at])) if at is not None else nothing for at in places]
        sent[status_at] = tuple(statuses)
        if role_at is not None:
            # Canvas reads its own roles in any case, and the district's as they are written.
            sent[role_at] = tuple([_ROLES.get(role.lower(), role) for role in sent[role_at]])
        rows = zip(*sent, strict=True)
        if "deleted" not in statuses:
            return rows
        return (None if row[status_at] == "deleted" else row for row in rows)

    return make


class Carried:
    """The rows in scope: `keeps` is asked for every row, kind by kind in the order they are sent.

    `sections` are the sections kept, `seats` the enrollments not withdrawn, `open_users` people who may log in.
    """

    def __init__(self, scoped: Roster, columns: Mapping[str, Row]) -> None:
        # Id -> the same text as it is in memory already.
        self._sections: dict[str, str] = {}
        self._courses: set[str] = set()
        # The ids of courses are in memory already: the same texts, not others that say the same.
        known = {one.id: one.id for one in scoped.courses}
        for one in scoped.classes:
            self._sections[one.id] = one.id
            self._courses.add(known.get(one.course_id, one.course_id))
        del known
        # Eight bytes for each person, not a set of texts: two ids of a district share a number as good as never.
        self._users = in_order(map(hash, column(scoped.users, "id")))
        self.seats = 0
        self.open_users = 0
        self._at = {kind: {name: at for at, name in enumerate(names)} for kind, names in columns.items()}
        self._keep: Mapping[str, Callable[[Row, Mapping[str, int]], bool]] = {
            ACCOUNTS: lambda _row, _at: True,
            TERMS: lambda _row, _at: True,
            COURSES: lambda row, at: row[at["course_id"]] in self._courses,
            SECTIONS: lambda row, at: row[at["section_id"]] in self._sections,
            XLISTS: lambda row, at: row[at["section_id"]] in self._sections,
            USERS: self._user,
            ENROLLMENTS: self._seat,
            OBSERVERS: lambda row, at: self._is_known(row[at["student_id"]]),
        }

    @property
    def sections(self) -> Set[str]:
        """Ids of the sections kept."""
        return self._sections.keys()

    def shared(self, row: Row) -> Row:
        """A section's row with its id as it is in memory already: the brake keeps all of them."""
        at = self._at[SECTIONS]["section_id"]
        return (*row[:at], self._sections[row[at]], *row[at + 1 :])

    def keeps(self, kind: str, row: Row) -> bool:
        """Whether the row is in scope."""
        return self._keep[kind](row, self._at[kind])

    def _is_known(self, id: str) -> bool:
        number = hash(id)
        at = bisect_left(self._users, number)
        return at < len(self._users) and self._users[at] == number

    def _user(self, row: Row, at: Mapping[str, int]) -> bool:
        kept = self._is_known(row[at["user_id"]])
        self.open_users += kept and row[at["status"]] == "active"
        return kept

    def _seat(self, row: Row, at: Mapping[str, int]) -> bool:
        kept = row[at["section_id"]] in self._sections
        self.seats += kept and row[at["status"]] in ("active", "completed")
        return kept
