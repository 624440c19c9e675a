"""Canvas as a roster import reads it: which imports there are, which SIS ids it holds, who sits in a class.

Nothing is written here; shapes are `parse`'s, pages `paging`'s. Endpoints and their traps: canvas.md 2.1, 2.3, 3.3.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from gradesync.connectors.canvas import parse
from gradesync.connectors.canvas.lookup import CourseLookup
from gradesync.connectors.canvas.paging import Listing, Row
from gradesync.connectors.canvas.parsed import parsed
from gradesync.connectors.http import HttpClient, Query
from gradesync.connectors.tasks import together
from gradesync.connectors.wire import instant
from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_takeover import HeldIds
from gradesync.errors import ConnectionProblem

T = TypeVar("T")

_API = "/api/v1"
IMPORTS = f"{_API}/accounts/self/sis_imports"
_UNFINISHED = ("created", "importing", "cleanup_batch", "restoring")
_SITTING = (("state[]", "active"), ("state[]", "invited"), ("state[]", "creation_pending"))
_LIVING_TERMS = (("workflow_state[]", "active"),)
_ALL_BELOW = (("recursive", "true"),)
_AT_ONCE = 20
_NOT_FOUND = 404


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _id(row: Row) -> int:
    return parse.whole(row, "id")


class ImportReader(CourseLookup):
    """The reading half of `ports.RosterSink`. Raises ConnectionProblem only."""

    def __init__(
        self, client: HttpClient, *, page_size: int = 100, now: Callable[[], datetime] = _utc_now
    ) -> None:
        super().__init__(client, page_size=page_size)
        self._now = now

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

    async def held_ids(self, people: str) -> AsyncIterator[HeldIds]:
        """SIS ids of sub-accounts, terms, living courses, their sections, and people, a page at a time.

        Names and logins stand in the same answers and are not looked at. Sections of courses that are over are not
        asked for: that would be a request for every course of the last ten years.
        """
        over: set[int] = set()
        async for page in self._listing("/accounts/self/sub_accounts", query=_ALL_BELOW).pages():
            yield HeldIds("accounts", self._sis_ids(page, "sis_account_id"))
        terms = self._listing("/accounts/self/terms", query=_LIVING_TERMS, key="enrollment_terms")
        async for page in terms.pages():
            ended = [row for row in page if self._read(self._is_over, row)]
            over.update(self._read(_id, row) for row in ended)
            yield HeldIds("terms", self._sis_ids(ended, "sis_term_id"), over=True)
            yield HeldIds("terms", self._sis_ids([row for row in page if row not in ended], "sis_term_id"))
        async for page in self._listing("/accounts/self/courses", query=[("state[]", "all")]).pages():
            living = [row for row in page if row.get("workflow_state") != "deleted"]
            ended = [
                row
                for row in living
                if row.get("enrollment_term_id") in over or row.get("workflow_state") == "completed"
            ]
            yield HeldIds("courses", self._sis_ids(ended, "sis_course_id"), over=True)
            going_on = [row for row in living if row not in ended]
            yield HeldIds("courses", self._sis_ids(going_on, "sis_course_id"))
            ids = [self._read(_id, row) for row in going_on]
            for start in range(0, len(ids), _AT_ONCE):
                some = ids[start : start + _AT_ONCE]
                for found in await together([self._section_ids(course_id) for course_id in some]):
                    yield HeldIds("sections", found)
        key = "integration_id" if people == "integration_id" else "sis_user_id"
        async for page in self._listing("/accounts/self/users").pages():
            yield HeldIds("users", self._sis_ids(page, key))

    async def _section_ids(self, course_id: int) -> list[str]:
        return self._sis_ids(await self._listing("/courses/{}/sections", course_id).rows(), "sis_section_id")

    def _sis_ids(self, rows: Sequence[Row], key: str) -> list[str]:
        found = [self._read(lambda one: parse.sis_id(one, key), row) for row in rows]
        return [one for one in found if one is not None]

    def _is_over(self, term: Row) -> bool:
        end = instant(term.get("end_at"))
        return end is not None and end < self._now()

    async def class_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """Who sits in the section of that SIS id now: (SIS id of the person, Canvas role); None: no such section."""
        return self._seats_in(await self._sitting(class_id))

    async def imported_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """Those whose enrollment names a SIS import; a key that may not see which counts all of them."""
        rows = await self._sitting(class_id)
        return self._seats_in(
            rows and [row for row in rows if row.get("sis_import_id", "unseen") is not None]
        )

    def _seats_in(self, rows: Sequence[Row] | None) -> frozenset[tuple[str, str]] | None:
        if rows is None:
            return None
        found = [self._read(parse.seat, row) for row in rows]
        return frozenset(one for one in found if one is not None)

    async def _sitting(self, class_id: str) -> Sequence[Row] | None:
        """The enrollments in force of a section; None: no such section."""
        # Canvas takes what follows a dot for a format, so a SIS id's dots are encoded too (canvas.md 1.5).
        named = quote(f"sis_section_id:{class_id}", safe="").replace(".", "%2E")
        try:
            return await self._listing(f"/sections/{named}/enrollments", query=_SITTING).rows()
        except ConnectionProblem as problem:
            if problem.status == _NOT_FOUND:
                return None
            raise

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
        return parsed(self._client, parser, row)
