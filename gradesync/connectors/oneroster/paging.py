"""OneRoster collections, read to their true end whatever the server says of pages (oneroster.md 1.4).

Servers clamp limits silently, leave headers out, point links at other hosts and repeat pages. Of a next-link only
the offset is taken, and of one that leads to another server nothing; no link is ever followed. What a row means is
the caller's parser's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote

from gradesync.connectors.http import HttpClient
from gradesync.connectors.links import link_relations
from gradesync.connectors.reply import Reply
from gradesync.connectors.wire import Malformed
from gradesync.errors import ConnectionProblem

T = TypeVar("T")
Row = Mapping[str, Any]

# `inactive` is OneRoster 1.0's word for a row that may be deleted; the 1.1 default result contains both kinds.
GONE = frozenset({"tobedeleted", "inactive", "toBeDeleted", "Inactive"})

_SMALL = 100
"""Rows per page that every server takes: OneRoster's own default."""

_PERHAPS_THE_QUERY = (400, 422, 500, 501)
"""Refusals behind which a sorting or a page size may stand that the server does not bear."""

_TIMES = 3
"""How often a collection that changes under the reading is read."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a server bears being asked: rows per page, whether sorted by sourcedId, and the fields chosen (or "")."""

    size: int
    sorted: bool
    fields: str


class Collections:
    """Reads collections of one service. Remembers whether the server bears sorting and a choice of fields."""

    def __init__(self, client: HttpClient, page_size: int) -> None:
        self._client = client
        self._page_size = page_size
        self._sorts = True
        self._unselectable = {""}

    async def read(
        self, template: str, *ids: str, key: str, parser: Callable[[str, Row], T | None], where: str = ""
    ) -> dict[str, T]:
        """All living rows by sourcedId, in the server's order; rows the parser answers None for are left out.

        `key` is the envelope's expected name. `where` is a OneRoster filter; servers may ignore it, so the parser
        has to judge for itself. Raises ConnectionProblem, GS-599 for what makes no sense.

        A row removed while the pages are read moves its followers up, and one of them is never shown: a student
        would seem to have left. A total that shrank tells, and the collection is read anew, a few times at most,
        because some servers' totals mean something else.
        """
        found: dict[str, T] = {}
        for _ in range(_TIMES):
            found = {}
            if not await self._read_once(template, ids, key, parser, where, found):
                break
        return found

    async def _read_once(
        self,
        template: str,
        ids: tuple[str, ...],
        key: str,
        parser: Callable[[str, Row], T | None],
        where: str,
        found: dict[str, T],
    ) -> bool:
        """Read all pages into `found`; True when rows were removed meanwhile."""
        seen: set[str] = set()
        offset = pages = largest = 0
        reply, way = await self.first_page(template, ids, where)
        while True:
            rows = self.rows_of(reply, key)
            new = self._take(template, rows, parser, found, seen)
            pages += 1
            total = total_of(reply)
            largest = max(largest, total or 0)
            shrunk = total is not None and total < largest
            if not rows:
                if total is not None and offset < total:
                    raise self._client.unclear(f"{template} ended before its own total.")
                return shrunk
            if not new or pages > self._client.max_pages:
                raise self._client.unclear(f"the pages of {template} repeat themselves.")
            following = self._following(reply, offset, len(rows), total)
            if following is None:
                return shrunk
            offset = following
            reply = await self.page(template, ids, offset, where, way)

    async def first_page(
        self, template: str, ids: tuple[str, ...], where: str = "", fields: str = ""
    ) -> tuple[Reply, Way]:
        """The first page and the way it was got; a server that refuses is asked for less: all fields, unsorted, in
        small pages."""
        ways = self._ways(fields)
        for number, way in enumerate(ways, 1):
            try:
                reply = await self.page(template, ids, 0, where, way)
            except ConnectionProblem as problem:
                if number == len(ways) or problem.status not in _PERHAPS_THE_QUERY:
                    raise
            else:
                self._page_size, self._sorts = way.size, way.sorted
                if not way.fields:
                    self._unselectable.add(fields)
                return reply, way
        raise AssertionError("the last way answers or raises")

    async def page(self, template: str, ids: tuple[str, ...], offset: int, where: str, way: Way) -> Reply:
        """One page, asked for in the way that the first one was got."""
        filtered = f"&filter={quote(where, safe='')}" if where else ""
        # Sorted pages stay put while rows are added; `orderBy` is sent along because strict servers want it.
        order = "&sort=sourcedId&orderBy=asc" if way.sorted else ""
        fields = f"&fields={way.fields}" if way.fields else ""
        return await self._client.get(
            template, *ids, query=f"limit={way.size}&offset={offset}{filtered}{order}{fields}"
        )

    def _ways(self, fields: str) -> list[Way]:
        """What to try, the best first."""
        selections = ("",) if fields in self._unselectable else (fields, "")
        bare = [(self._page_size, True)] if self._sorts else []
        bare.append((self._page_size, False))
        if self._page_size > _SMALL:
            bare.append((_SMALL, False))
        return [Way(size, by_id, chosen) for size, by_id in bare for chosen in selections]

    def give_up_fields(self, fields: str) -> None:
        """Ask for whole rows from now on instead of these fields."""
        self._unselectable.add(fields)

    def rows_of(self, reply: Reply, key: str) -> list[Any]:
        """The rows of an answer, under `key` or whatever other name. Raises GS-599 when there is no list."""
        data = reply.json()
        if isinstance(data, dict):
            if key in data:
                data = data[key]
            else:
                # Some servers name the envelope after the path instead of the type.
                lists = [value for value in data.values() if isinstance(value, list)]
                data = lists[0] if len(lists) == 1 else None
        if not isinstance(data, list):
            raise self._client.unclear(f"{reply.template} answered no list.")
        return data

    def _take(
        self,
        template: str,
        rows: list[Any],
        parser: Callable[[str, Row], T | None],
        found: dict[str, T],
        seen: set[str],
    ) -> int:
        """Parse rows not seen before into `found`; answers how many were new."""
        before = len(seen)
        try:
            for row in rows:
                sourced_id = row["sourcedId"]
                if type(sourced_id) is not str or not sourced_id:
                    raise Malformed("a row without sourcedId")
                if sourced_id in seen:
                    continue
                seen.add(sourced_id)
                if row.get("status") in GONE:
                    continue
                value = parser(sourced_id, row)
                if value is not None:
                    found[sourced_id] = value
        except (Malformed, KeyError, TypeError, AttributeError):
            raise self._client.unclear(f"a record of {template} is not of the standard's shape.") from None
        return len(seen) - before

    def _following(self, reply: Reply, offset: int, rows: int, total: int | None) -> int | None:
        """The next page's offset; None at the end. Never leaves a gap, whatever a link says."""
        reached = offset + rows
        header = reply.headers.get("Link")
        relations = link_relations(header) if header else {}
        if "next" in relations:
            try:
                query = self._client.query_of_next(relations["next"], behind_proxy=True)
            except ConnectionProblem:
                # A link elsewhere only says that there is more; where it is, our own count knows.
                return reached
            linked = parse_qs(query).get("offset", [""])[0]
            if linked.isdecimal() and int(linked) > offset:
                return min(int(linked), reached)
            return reached
        if total is not None:
            return reached if reached < total else None
        # A Link header that names other pages but no next one is the end; without any header only an empty page is.
        return None if relations else reached


def total_of(reply: Reply) -> int | None:
    """How many rows the server says there are in all; None when it says nothing that can be understood."""
    text = reply.headers.get("X-Total-Count", "").strip()
    return int(text) if text.isdecimal() and len(text) < 12 else None
