"""One page of a collection, as this SIS serves it: what is offered at all, what of the question is heard, what is said
of the whole.

Where the bad manners of readings (`SisBehaviour`) are played. Filters, sorting and paging are `sis_query`'s, which rows
a path means `sis_reads`'; no HTTP here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gradesync.sandbox.sis_behaviour import SisBehaviour
from gradesync.sandbox.sis_dialect import GRADEBOOK_KINDS, Dialect
from gradesync.sandbox.sis_errors import Json, SisError
from gradesync.sandbox.sis_query import Page, select
from gradesync.sandbox.sis_reads import Read
from gradesync.sandbox.sis_world import SisWorld

_FLAT = frozenset(("courses", "classes", "enrollments", "users", "students", "teachers"))
_BY_SCHOOL = frozenset(f"schools/{{school}}/{kind}" for kind in ("enrollments", "students", "teachers"))
# What each kind of server refuses of a roster.
_REFUSED: Mapping[str, frozenset[str]] = {
    "all": frozenset(),
    "schools": _FLAT,
    "classes": (_FLAT - {"courses", "classes"}) | _BY_SCHOOL,
    "members": (_FLAT - {"courses", "classes"})
    | _BY_SCHOOL
    | {"schools/{school}/classes/{class}/enrollments"},
}
_TOO_MANY = 7
"""How many rows more than there are a wrong total counts."""


def served(
    world: SisWorld, dialect: Dialect, read: Read, ids: Mapping[str, str], query: Mapping[str, str]
) -> Page:
    """The page a question gets. Raises `SisError` where it is refused."""
    behaviour = world.behaviour
    if read.path in _REFUSED[behaviour.roster_views]:
        raise SisError(403, "forbidden", "this endpoint is not open to the client")
    heard = _heard(behaviour, read, query)
    rows: Iterable[Json] = () if read.kind in behaviour.empty_kinds else read.rows(world, ids)
    if behaviour.hides_deleted:
        rows = [row for row in rows if row.get("status", "active") == "active"]
    page = select(
        dialect.fields[read.kind],
        rows,
        heard,
        default_limit=behaviour.page_size,
        clamp=behaviour.page_clamp,
        show=lambda row: dialect.show(read.kind, row, world.root, world.school_of_class),
        shifted=behaviour.shifting_pages,
    )
    if behaviour.half_pages and read.kind not in GRADEBOOK_KINDS:
        # The window that was asked for is what the links go on from.
        page = replace(page, offset=page.offset // 2)
    if behaviour.removing_pages and read.path == "enrollments" and not page.offset and page.rows:
        world.drop_row("enrollments", str(page.rows[0]["sourcedId"]))
    return page


def total_header(behaviour: SisBehaviour, page: Page) -> str:
    """What the total header says of a page."""
    said = {
        "all": page.total,
        "page": len(page.rows),
        "rest": max(0, page.total - page.offset),
        "more": page.total + _TOO_MANY,
    }
    return str(said[behaviour.total_says])


def _heard(behaviour: SisBehaviour, read: Read, query: Mapping[str, str]) -> dict[str, str]:
    """The question as this server understands it."""
    if behaviour.fields_refused and "fields" in query:
        raise SisError(400, "invalid_selection_field", "fields cannot be chosen here")
    if behaviour.sort_refused and "sort" in query:
        raise SisError(400, "invalid_selection_field", "rows cannot be sorted here")
    deaf = ("filter",) * behaviour.no_filter + ("fields",) * behaviour.no_fields
    heard = {name: value for name, value in query.items() if name not in deaf}
    offset = int(heard["offset"]) if heard.get("offset", "").isdecimal() else 0
    if behaviour.row_cap is not None and read.path in _FLAT and offset >= behaviour.row_cap:
        raise SisError(400, "invaliddata", "the offset is too large")
    if behaviour.half_pages and read.kind not in GRADEBOOK_KINDS:
        heard["offset"] = str(offset * 2)
    if behaviour.repeats_page:
        heard.pop("offset", None)
    return heard
