"""Staff who teach a class and are in no view of people: an administrator with a section, a counselor, an aide where
users are not shown by role. Asked for one by one, by the ids their enrollments name.

Students are not: who sits in a class is shown among the students, and an ended enrollment names nobody who is needed.
"""

from __future__ import annotations

from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import GONE
from gradesync.connectors.oneroster.seen import Seen
from gradesync.connectors.oneroster.stream import View
from gradesync.connectors.tasks import together
from gradesync.connectors.wire import Malformed
from gradesync.domain.roster import RosterEnrollment, RosterUser
from gradesync.domain.roster_columns import Enrollments
from gradesync.errors import ConnectionProblem

_AT_ONCE = 8
_MOST = 2000
"""People asked for one by one at most; where more are missing, the rest waits to be shown, and counts as dropped."""
_MISSES = 20
"""Unknown people in a row after which the others are not asked for: such a server shows leavers' enrollments."""

_ROLE = RosterEnrollment._fields.index("role")


class Strays:
    """Collects the ids while enrollments pass by; `known` are the people handed over already."""

    def __init__(self, client: HttpClient, known: Seen, wants: rows.Wants) -> None:
        self._client = client
        self._wants = wants
        self._known = known
        self._ids: dict[str, None] = {}
        self._missed = 0
        self.unknown = False
        """Whether the server would not show somebody who was asked for."""

    def look(self, page: Enrollments) -> None:
        """Remember whoever is not a student and not known."""
        for user_id, role in zip(page.columns[0], page.columns[_ROLE], strict=True):
            if role != "student" and user_id not in self._known and len(self._ids) < _MOST:
                self._ids[user_id] = None

    async def found(self, view: View) -> list[RosterUser]:
        """Those of them the server shows; `view` says which fields are needed. Raises ConnectionProblem."""
        self._ids.pop("", None)
        waiting = iter(self._ids)
        people: list[RosterUser] = []

        async def work() -> None:
            for user_id in waiting:
                if self._missed >= _MISSES:
                    return
                person = await self._ask(user_id, ",".join(view.fields))
                self.unknown = self.unknown or person is None
                self._missed = self._missed + 1 if person is None else 0
                if person is not None:
                    people.append(person)

        await together([work() for _ in range(_AT_ONCE)])
        return people

    async def _ask(self, user_id: str, fields: str) -> RosterUser | None:
        try:
            reply = await self._client.get("/users/{}", user_id, query=f"fields={fields}")
        except ConnectionProblem as problem:
            if problem.status == 400:
                reply = await self._client.get("/users/{}", user_id)
            elif problem.status in (403, 404, 405, 410, 501):
                return None
            else:
                raise
        data = reply.json()
        row = data.get("user", data) if isinstance(data, dict) else None
        if not isinstance(row, dict) or row.get("sourcedId") != user_id or row.get("status") in GONE:
            return None
        try:
            return rows.user(user_id, row, self._wants)
        except (Malformed, KeyError, TypeError, AttributeError):
            raise self._client.unclear("a record of /users/{} is not of the standard's shape.") from None
