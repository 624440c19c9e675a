"""Canvas as a roster import reads it: which imports there are, which SIS ids it holds, who sits in a class.

Nothing is written here; shapes are `parse`'s, pages `paging`'s. Endpoints and their traps: canvas.md 2.1, 2.3, 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from gradesync.connectors.canvas import parse
from gradesync.connectors.canvas.lookup import CourseLookup
from gradesync.connectors.canvas.paging import Listing
from gradesync.connectors.http import Query
from gradesync.connectors.tasks import together
from gradesync.connectors.wire import Malformed
from gradesync.domain.roster import ImportStatus
from gradesync.errors import ConnectionProblem

T = TypeVar("T")

_API = "/api/v1"
IMPORTS = f"{_API}/accounts/self/sis_imports"
_UNFINISHED = ("created", "importing", "cleanup_batch", "restoring")
_SITTING = (("state[]", "active"), ("state[]", "invited"), ("state[]", "creation_pending"))
_NOT_FOUND = 404


class ImportReader(CourseLookup):
    """The reading half of `ports.RosterSink`. Raises ConnectionProblem only."""

    async def unfinished_imports(self) -> Sequence[ImportStatus]:
        """Imports of any tool that wait or run; a stuck `initializing` one blocks nobody (canvas.md 2.3)."""
        found = await self._imports([("workflow_state[]", state) for state in _UNFINISHED])
        return [status for status in found if status.state in _UNFINISHED]

    async def recent_imports(self) -> Sequence[ImportStatus]:
        """The last imports of any tool, in any state, newest first."""
        return await self._imports([])

    async def _imports(self, query: list[tuple[str, str]]) -> list[ImportStatus]:
        # Newest first, so one page holds every unfinished one even where the filter is ignored.
        reply = await self._client.get(IMPORTS, query=[*query, ("per_page", str(self._page_size))])
        data = reply.json()
        rows = data.get("sis_imports") if isinstance(data, dict) else None
        if not isinstance(rows, list):
            raise self._client.unclear("sis_imports answered no list.")
        return [self._read(parse.import_status, row) for row in rows]

    async def known_ids(self) -> Mapping[str, frozenset[str]]:
        """SIS ids of all living courses and of their sections."""
        rows = await self._listing("/accounts/self/courses", query=[("state[]", "all")]).rows()
        living = [row for row in rows if row.get("workflow_state") != "deleted"]
        courses = [self._read(lambda one: parse.sis_id(one, "sis_course_id"), row) for row in living]
        ids = [self._read(lambda one: parse.whole(one, "id"), row) for row in living]
        sections = await together([self._section_ids(course_id) for course_id in ids])
        return {
            "courses": frozenset(one for one in courses if one is not None),
            "sections": frozenset().union(*sections),
        }

    async def _section_ids(self, course_id: int) -> frozenset[str]:
        rows = await self._listing("/courses/{}/sections", course_id).rows()
        found = [self._read(lambda one: parse.sis_id(one, "sis_section_id"), row) for row in rows]
        return frozenset(one for one in found if one is not None)

    async def class_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """Who sits in the section of that SIS id now: (SIS id of the person, Canvas role); None: no such section."""
        # Canvas takes what follows a dot for a format, so a SIS id's dots are encoded too (canvas.md 1.5).
        named = quote(f"sis_section_id:{class_id}", safe="").replace(".", "%2E")
        try:
            rows = await self._listing(f"/sections/{named}/enrollments", query=_SITTING).rows()
        except ConnectionProblem as problem:
            if problem.status == _NOT_FOUND:
                return None
            raise
        found = [self._read(parse.seat, row) for row in rows]
        return frozenset(one for one in found if one is not None)

    def _listing(
        self,
        path: str,
        *ids: int,
        query: Query = (),
        page_size: int | None = None,
        key: str | None = None,
    ) -> Listing:
        size = page_size or self._page_size
        return Listing(self._client, _API + path, *ids, query=query, page_size=size, key=key)

    def _read(self, parser: Callable[[Any], T], row: Any) -> T:
        """Parse with trouble put in our words: never a value of the row."""
        try:
            return parser(row)
        except parse.MissingRight as right:
            raise ConnectionProblem(f"The Canvas token works, but may not {right}.", code="GS-203") from None
        except (Malformed, KeyError, TypeError, AttributeError):
            raise self._client.unclear("a record is not of the documented shape.") from None
