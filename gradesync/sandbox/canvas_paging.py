"""Pages and Link headers in Canvas's two styles: numbered pages and opaque bookmarks.

Knows no endpoint. A listing is handed over whole and already in order; only a page of it is turned into JSON.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from aiohttp import web

from gradesync.sandbox.canvas_http import WORLD, decode_bookmark, not_found, whole_number

Row = TypeVar("Row")

#: Canvas gives up on links beyond this many characters in all: a very long query silently loses even `next`.
LINK_LIMIT = 6144

#: When links are dropped, the later ones of this order go first.
_ORDER = ("next", "last", "prev", "current", "first")


def page_size(request: web.Request) -> int:
    """`per_page`, 10 by default, clamped to 1..the site's maximum."""
    asked = whole_number(request.query.get("per_page", "10"))
    return max(1, min(asked if asked is not None else 10, request.app[WORLD].settings.max_per_page))


def numbered(
    request: web.Request, rows: Sequence[Row], *, last: bool = True
) -> tuple[Sequence[Row], dict[str, str]]:
    """One numbered page and its headers; `last=False` where Canvas does not count. Past the end: no rows."""
    size = page_size(request)
    number = whole_number(request.query.get("page", "1"))
    if request.query.get("page") == "first":
        number = 1
    if number is None or number < 1:
        raise not_found()
    pages = {"current": str(number), "first": "1"}
    if number * size < len(rows):
        pages["next"] = str(number + 1)
    if number > 1:
        pages["prev"] = str(number - 1)
    if last:
        pages["last"] = str(max(1, -(-len(rows) // size)))
    return rows[(number - 1) * size : number * size], _headers(request, pages, size)


def bookmarked(
    request: web.Request, rows: Sequence[Row], key: Callable[[Row], list[Any]]
) -> tuple[Sequence[Row], dict[str, str]]:
    """One keyset page and its headers: `rows` in ascending order of `key`, stable while rows change.

    Numbers are no pages of such a listing: like a broken bookmark they answer 404.
    """
    size = page_size(request)
    page = request.query.get("page", "first")
    start = 0
    if page.startswith("bookmark:"):
        try:
            start = bisect_right(rows, decode_bookmark(page.removeprefix("bookmark:")), key=key)
        except TypeError:
            raise not_found() from None
    elif page != "first":
        raise not_found()
    shown = rows[start : start + size]
    pages = {"current": page, "first": "first"}
    if start + size < len(rows):
        pages["next"] = "bookmark:" + _bookmark(key(shown[-1]))
    return shown, _headers(request, pages, size)


def _bookmark(value: list[Any]) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _headers(request: web.Request, pages: dict[str, str], size: int) -> dict[str, str]:
    kept = [
        (name, value)
        for name, value in request.query.items()
        if name not in ("page", "per_page", "access_token")
    ]
    query = urlencode(kept, quote_via=quote)
    base = f"{request.scheme}://{request.host}{request.raw_path.partition('?')[0]}?"
    if query:
        base += query + "&"
    links: list[str] = []
    room = LINK_LIMIT
    for rel in _ORDER:
        if rel not in pages:
            continue
        link = f'<{base}page={pages[rel]}&per_page={size}>; rel="{rel}"'
        if len(link) > room:
            break
        room -= len(link) + 1
        links.append(link)
    return {"link": ",".join(links)} if links else {}
