"""Parsing a record of Canvas, with trouble put in our words: what a row holds is never repeated.

Beside `parse`, which is pure and knows no connection; this knows the client, because its problems name the side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gradesync.connectors.canvas import parse
from gradesync.connectors.http import HttpClient
from gradesync.connectors.wire import Malformed
from gradesync.errors import ConnectionProblem

T = TypeVar("T")


def parsed(client: HttpClient, parser: Callable[[Any], T], row: Any) -> T:
    """What `parser` makes of `row`. Raises ConnectionProblem: GS-203 for a key that is not shown, else unclear."""
    try:
        return parser(row)
    except parse.MissingRight as right:
        raise ConnectionProblem(f"The Canvas token works, but may not {right}.", code="GS-203") from None
    except (Malformed, KeyError, TypeError, AttributeError):
        raise client.unclear("a record is not of the documented shape.") from None
