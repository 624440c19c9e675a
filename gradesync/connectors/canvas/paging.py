"""Canvas's listings, page by page, without ever mistaking a lost link for the end (canvas.md 1.2).

Links are opaque: their query is taken whole and applied to the address we asked ourselves. No wire shape but the
list itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from gradesync.connectors.http import HttpClient, Query
from gradesync.connectors.links import link_relations
from gradesync.connectors.reply import Reply
from gradesync.errors import ConnectionProblem

Row = dict[str, Any]

# Sizes at which a page is full on some Canvas, whatever was asked: the default, and two known maxima.
_FULL = frozenset({10, 50, 100})


class Listing:
    """One listing: iterate `pages()`; afterwards `first` is its first reply and `count` the number of pages.

    `fill()` keeps the rows in `held`, for listings read beside each other."""

    def __init__(
        self,
        client: HttpClient,
        template: str,
        *ids: int,
        query: Query,
        page_size: int,
        key: str | None = None,
    ) -> None:
        self._client = client
        self._template = template
        self._ids = ids
        self._query = [*query, ("per_page", str(page_size))]
        self._page_size = page_size
        self._key = key
        self.first: Reply | None = None
        self.held: list[Row] = []
        self.count = 0

    async def pages(self) -> AsyncIterator[list[Row]]:
        """Each page's rows. Raises ConnectionProblem: GS-206 for a foreign link, GS-306 for what makes no sense."""
        query: Query | str = self._query
        asked: set[str] = set()
        while True:
            reply = await self._client.get(self._template, *self._ids, query=query)
            self.first = self.first or reply
            self.count += 1
            rows = self._rows(reply)
            yield rows
            following = self._next(reply, len(rows))
            if following is None:
                return
            if following in asked or self.count >= self._client.max_pages:
                raise self._client.unclear(f"the pages of {self._template} do not end.")
            asked.add(following)
            query = following

    async def rows(self) -> list[Row]:
        """All rows of all pages."""
        found: list[Row] = []
        async for page in self.pages():
            found += page
        return found

    async def fill(self) -> None:
        """Keep all rows of all pages in `held`."""
        self.held = await self.rows()

    def _rows(self, reply: Reply) -> list[Row]:
        data = reply.json()
        if self._key is not None and isinstance(data, dict):
            data = data.get(self._key)
        if not isinstance(data, list) or not all(type(row) is dict for row in data):
            raise self._client.unclear(f"{self._template} answered no list.")
        return data

    def _next(self, reply: Reply, rows: int) -> str | None:
        header = reply.headers.get("Link", "")
        links = link_relations(header) if header else {}
        following = links.get("next")
        if following is not None:
            return self._client.query_of_next(following)
        if "current" not in links and "first" not in links and (rows >= self._page_size or rows in _FULL):
            # Canvas drops links that grow too long, `next` among them: a full page without any link may be
            # followed by more, and a read that silently ends would look like disappearances.
            raise ConnectionProblem(
                f"Canvas sent a full page of {self._template} without saying whether more follow.",
                code="GS-306",
            )
        return None
