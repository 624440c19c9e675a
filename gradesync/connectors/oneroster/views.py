"""A class's line items and results, in whichever view the server offers: its own, one column's, or all rows filtered.

Remembers what the server turned out not to offer, so that it is asked in vain a few times only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import Collections
from gradesync.connectors.tasks import together
from gradesync.domain.gradebook import LineItem, Result
from gradesync.errors import ConnectionProblem

T = TypeVar("T")

_VIEW_MISSES = 3
"""Single columns not found in a row before only whole classes are asked for."""


class ClassViews:
    """Reads of one gradebook service. `may_filter`: a key without the right to a class's own view is asked for the
    flat collections instead (1.2's gradebook-core, oneroster.md 7.30). Raises GS-512 for an unknown class."""

    def __init__(self, collections: Collections, *, may_filter: bool) -> None:
        self._rows = collections
        self._may_filter = may_filter
        self._flat = False
        self._missed = 0

    async def line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items."""

        async def own() -> list[LineItem]:
            parser = rows.line_item_of(class_id)
            return await of_class(self._rows, "/classes/{}/lineItems", class_id, "lineItems", parser)

        return await self._own_or_flat(own, lambda: self._flat_items(class_id))

    async def results(self, class_id: str) -> Sequence[Result]:
        """The class's results."""

        async def own() -> list[Result]:
            parser = rows.result_of(class_id)
            return await of_class(self._rows, "/classes/{}/results", class_id, "results", parser)

        return await self._own_or_flat(own, lambda: self._flat_results(class_id))

    async def column(self, class_id: str, line_item_id: str) -> Sequence[Result]:
        """One line item's results; the whole class's where the server does not offer that view."""
        if self._flat:
            return await self._flat_column(class_id, line_item_id)
        if self._missed < _VIEW_MISSES:
            try:
                found = await self._rows.read(
                    "/classes/{}/lineItems/{}/results",
                    class_id,
                    line_item_id,
                    key="results",
                    parser=rows.result_of(class_id),
                )
            except ConnectionProblem as problem:
                if self._flattens(problem):
                    return await self._flat_column(class_id, line_item_id)
                if problem.status not in (400, 404, 405, 501):
                    raise
                # Either this column is gone, or the server has no such view: a few misses in a row tell which.
                self._missed += 1
            else:
                self._missed = 0
                return list(found.values())
        return await self.results(class_id)

    async def _own_or_flat(
        self, own: Callable[[], Awaitable[list[T]]], flat: Callable[[], Awaitable[list[T]]]
    ) -> list[T]:
        if self._flat:
            return await flat()
        try:
            return await own()
        except ConnectionProblem as problem:
            if not self._flattens(problem):
                raise
        found = await flat()
        # Only now: a key that may read nothing at all is told so by the flat collection's own refusal.
        self._flat = True
        return found

    def _flattens(self, problem: ConnectionProblem) -> bool:
        return self._may_filter and problem.status == 403 and problem.code == "GS-203"

    async def _flat_items(self, class_id: str) -> list[LineItem]:
        return await self._filtered(
            "lineItems", f"class.sourcedId='{_quoted(class_id)}'", _items_only(class_id)
        )

    async def _flat_results(self, class_id: str) -> list[Result]:
        # A result need not name its class, so the columns are asked one by one.
        items = await self._flat_items(class_id)
        columns = await together([self._flat_column(class_id, item.id) for item in items])
        return [result for column in columns for result in column]

    async def _flat_column(self, class_id: str, line_item_id: str) -> list[Result]:
        parse = rows.result_of(class_id)

        def of_column(sourced_id: str, row: rows.Row) -> Result | None:
            return parse(sourced_id, row) if rows.ref(row, "lineItem") == line_item_id else None

        return await self._filtered("results", f"lineItem.sourcedId='{_quoted(line_item_id)}'", of_column)

    async def _filtered(self, kind: str, where: str, parser: Callable[[str, rows.Row], Any]) -> list[Any]:
        found = await self._rows.read(f"/{kind}", key=kind, parser=parser, where=where)
        return list(found.values())


def _items_only(class_id: str) -> Callable[[str, rows.Row], LineItem | None]:
    """A parser that keeps items which name the class themselves: servers may ignore the filter."""
    parse = rows.line_item_of(class_id)
    return lambda sourced_id, row: parse(sourced_id, row) if rows.ref(row, "class") else None


def _quoted(sourced_id: str) -> str:
    return sourced_id.replace("'", "''")


async def of_class(
    collections: Collections,
    template: str,
    class_id: str,
    key: str,
    parser: Callable[[str, Mapping[str, Any]], Any],
) -> list[Any]:
    """All rows of a class's own view. Raises GS-512 when the SIS does not know the class."""
    try:
        found = await collections.read(template, class_id, key=key, parser=parser)
    except ConnectionProblem as problem:
        if problem.code != "GS-505":
            raise
        raise ConnectionProblem(
            "The SIS does not know the class.",
            code="GS-512",
            status=problem.status,
            vendor_text=problem.vendor_text,
        ) from None
    return list(found.values())
