"""The Link header of one page, well made or as bad servers make it.

RFC 8288; which of the bad ways is in force is `SisBehaviour`'s.
"""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gradesync.sandbox.sis_behaviour import SisBehaviour
from gradesync.sandbox.sis_query import Page


def link_header(request: web.Request, page: Page, behaviour: SisBehaviour) -> str:
    """The Link header of one page: next and prev where there are such, first and last always."""
    last = max(0, (page.total - 1) // page.limit * page.limit)
    offsets = {"first": 0, "last": last}
    if page.offset + page.limit < page.total:
        offsets["next"] = page.offset + page.limit
    if page.offset > 0:
        offsets["prev"] = max(0, page.offset - page.limit)
    kept = [(name, value) for name, value in request.query.items() if name not in ("limit", "offset")]
    origin = "" if behaviour.link_relative else behaviour.link_origin or request.url.origin()
    root = f"{origin}{request.rel_url.raw_path}"
    links = []
    for relation, offset in offsets.items():
        query = urlencode([*kept, ("limit", page.limit), ("offset", offset)])
        links.append(f'<{root}?{query}>; rel="{relation}"')
    return ", ".join(links)
