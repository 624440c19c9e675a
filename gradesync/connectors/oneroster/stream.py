"""One collection of the roster, page by page to its true end: every row handed over once, none kept, none missing.

What tells a whole collection from a part of one is here: totals, links, empty pages, repeated rows. Which collections
there are and what is asked instead of one that is refused is `roster_views`'; what a row means is `rows`'. A request
itself is `paging`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from gradesync.connectors.http import HttpClient
from gradesync.connectors.links import link_relations
from gradesync.connectors.oneroster.paging import GONE, Collections, Way, total_of
from gradesync.connectors.oneroster.seen import Row, Seen
from gradesync.connectors.reply import Reply
from gradesync.connectors.wire import Malformed
from gradesync.errors import ConnectionProblem

Take = Callable[[list[Row]], None]
"""Is handed the living rows of each page that were not handed over before. Raises Malformed for what makes no sense."""

_PASSES = 3
"""How often a collection that changes under the reading is gone through."""

_FEW, _MANY = 20, 100
"""Fewer rows are never a page that was cut; this many may be one even where total and links say that it was all."""

_LIMITS = frozenset({1_000, 5_000, 10_000, 50_000, 100_000})
"""Where search engines and databases behind a service stop, and their totals with them."""

_CAPPED = (400, 403, 404, 413, 416, 422, 500, 501)
"""Refusals of a later page behind which a largest offset may stand."""


class Incomplete(ConnectionProblem):
    """The SIS did not show the whole of a collection; narrower views of the same rows may still be whole."""


class PerhapsCut(Incomplete):
    """The collection ended where a limit may stand. Its rows are handed over; narrower views tell if they are all."""


@dataclass(frozen=True, slots=True)
class View:
    """A collection under one path. `fields` are all that is needed of a row, `required` those every row must have."""

    template: str
    key: str
    fields: tuple[str, ...]
    required: frozenset[str]
    where: str = ""


@dataclass(slots=True)
class _Walk:
    """Going through a collection once: what was asked, and what the server said of it."""

    seen: Seen
    handed: int = 0
    offset: int = 0
    pages: int = 0
    largest_page: int = 0
    rows: int = 0
    totals: list[int] = field(default_factory=list)
    confirming: bool = False
    totals_count_pages: bool = False

    shrunk: bool = False

    def counted(self, total: int | None) -> None:
        """Remember what a page said of the whole."""
        if total is not None:
            self.shrunk |= bool(self.totals) and total < self.totals[-1]
            self.totals.append(total)

    @property
    def total(self) -> int | None:
        """What the pages say of the whole; None when nothing can be believed."""
        return None if self.totals_count_pages or self.shrunk or not self.totals else self.totals[-1]

    @property
    def moved(self) -> bool:
        """Whether rows came, went or changed places meanwhile, so that one may have slipped past."""
        return self.shrunk or self.rows > len(self.seen)

    @property
    def ends_roundly(self) -> bool:
        """Whether the end is one that somebody may have set; some honest collections end there too."""
        count = len(self.seen)
        return count in _LIMITS if self.totals else count > 0 and count % min(_LIMITS) == 0

    @property
    def short(self) -> int:
        """How many rows are missing of those that the server counted from the first page to the last."""
        return 0 if self.totals_count_pages else max(0, min(self.totals, default=0) - len(self.seen))


class Stream:
    """Reads collections of one service row by row. Raises ConnectionProblem; Incomplete where rows are missing."""

    def __init__(self, client: HttpClient, collections: Collections) -> None:
        self._client = client
        self._collections = collections

    async def read(
        self, view: View, ids: tuple[str, ...], take: Take, handed: Seen, *, alone: bool = False
    ) -> None:
        """Hand over every living row of the view that is not among `handed` yet, and add all to it.

        `alone`: the view shows everything, and nothing else is read into `handed` at the same time. Such a view raises
        PerhapsCut where it ends at a round number: a server may have shown no more because it shows no more to anybody.

        A row removed while the pages are read moves its followers up, and one of them is never shown: a student would
        seem to have left. So whatever moved is gone through again, a few times at most, and rows shown only then are
        handed over late. What was removed meanwhile stays until the next read.
        """
        for number in range(1, _PASSES + 1):
            # The first time through, the rows handed over are the rows seen: one table serves for both.
            walk = _Walk(handed if alone and not len(handed) else Seen())
            await self._once(view, ids, take, handed, walk)
            if not walk.short and (not walk.moved or (number > 1 and not walk.handed)):
                if alone and walk.ends_roundly:
                    raise PerhapsCut(f"{view.template} ends at {len(walk.seen):,} records.", code="GS-602")
                return
        if walk.short:
            raise Incomplete(
                f"The SIS says that {view.template} holds {min(walk.totals):,} records and shows "
                f"{len(walk.seen):,} of them.",
                code="GS-602",
                hint="Nothing was sent. Ask the SIS vendor why pages are missing.",
            )
        raise Incomplete(
            f"The SIS kept changing {view.template} while it was read.", code="GS-602", retryable=True
        )

    async def _once(self, view: View, ids: tuple[str, ...], take: Take, handed: Seen, walk: _Walk) -> None:
        reply, rows, way = await self._first(view, ids)
        walk.seen.expect(total_of(reply) or 0)
        while rows:
            walk.counted(total_of(reply))
            new = self._fresh(view, rows, walk, handed, take)
            walk.pages += 1
            if not new and (walk.confirming or walk.largest_page > way.size):
                # The server had said that there is no more, or it does not page at all.
                return
            walk.rows += len(rows)
            if not new and (len(rows) < walk.largest_page or len(rows) < _FEW):
                # The tail once more, because rows came in before it; going through again tells what else moved.
                return
            if not new or walk.pages > self._client.max_pages:
                raise self._client.unclear(f"the pages of {view.template} repeat themselves.")
            # More rows behind a total that was reached: that header counts the page, not the collection.
            walk.totals_count_pages |= walk.confirming and bool(walk.totals)
            walk.largest_page = max(walk.largest_page, len(rows))
            if not self._goes_on(reply, walk, len(rows)):
                return
            # Two pages are never in memory at once.
            rows = []
            reply, rows = await self._next(view, ids, walk, way)
        walk.counted(total_of(reply))

    async def _first(self, view: View, ids: tuple[str, ...]) -> tuple[Reply, list[Row], Way]:
        fields = ",".join(view.fields)
        reply, way = await self._collections.first_page(view.template, ids, view.where, fields)
        rows = self._collections.rows_of(reply, view.key)
        if way.fields and rows and isinstance(rows[0], dict) and not view.required <= rows[0].keys():
            # A selection that loses what every record must have is worse than none.
            self._collections.give_up_fields(fields)
            return await self._first(view, ids)
        return reply, rows, way

    async def _next(self, view: View, ids: tuple[str, ...], walk: _Walk, way: Way) -> tuple[Reply, list[Row]]:
        try:
            reply = await self._collections.page(view.template, ids, walk.offset, view.where, way)
        except ConnectionProblem as problem:
            if problem.status not in _CAPPED:
                raise
            if walk.confirming:
                # There is nothing behind the end, and this server says so by refusing.
                return Reply(200, {}, b"[]", "sis", view.template), []
            raise Incomplete(
                f"The SIS shows {view.template} up to record {walk.offset:,} and refuses to go on.",
                code="GS-602",
                status=problem.status,
                hint="Nothing was sent. Ask the SIS vendor for a larger limit.",
                vendor_text=problem.vendor_text,
            ) from None
        return reply, self._collections.rows_of(reply, view.key)

    def _fresh(self, view: View, rows: list[Row], walk: _Walk, handed: Seen, take: Take) -> int:
        """Hand over what is new; answers how many rows this walk had not met."""
        try:
            new = walk.seen.fresh(rows)
            unknown = new if walk.seen is handed else handed.fresh(new)
            walk.handed += len(unknown)
            living = [row for row in unknown if row.get("status") not in GONE]
        except (Malformed, KeyError, TypeError, AttributeError):
            raise self._unlike(view, walk) from None
        try:
            take(living)
        except Malformed:
            raise self._unlike(view, walk) from None
        return len(new)

    def _unlike(self, view: View, walk: _Walk) -> ConnectionProblem:
        where = f"a record of {view.template} (on the page from record {walk.offset + 1:,} on)"
        return self._client.unclear(f"{where} is not of the standard's shape.")

    def _goes_on(self, reply: Reply, walk: _Walk, rows: int) -> bool:
        """Set the next page's offset, never leaving a gap; False at an end that can be believed.

        A page that may have been cut is followed by one more question: there are servers that put the size of the page
        into the total, and such that leave out the next link because they forgot their own largest page.
        """
        header = reply.headers.get("Link")
        relations = link_relations(header) if header else {}
        reached = walk.offset + rows
        following = reached
        agreed = bool(relations) and walk.total is not None
        perhaps_cut = rows >= (_MANY if agreed else _FEW) and rows >= walk.largest_page
        walk.confirming = False
        if "next" in relations:
            following = self._linked(relations["next"], walk.offset, reached)
        elif walk.total is not None:
            if len(walk.seen) >= walk.total:
                walk.confirming = perhaps_cut and walk.pages == 1
                if not walk.confirming:
                    return False
        elif relations:
            walk.confirming = perhaps_cut
            if not walk.confirming:
                return False
        walk.offset = following
        return True

    def _linked(self, link: str, offset: int, reached: int) -> int:
        try:
            query = self._client.query_of_next(link, behind_proxy=True)
        except ConnectionProblem:
            # A link elsewhere only says that there is more; where it is, our own count knows.
            return reached
        linked = parse_qs(query).get("offset", [""])[0]
        return min(int(linked), reached) if linked.isdecimal() and int(linked) > offset else reached
