"""What a yes of the SIS says: under which id it holds the record just sent. Pure.

Servers answer nothing, the object, the object in an envelope, or the pairs of supplied and allocated ids that the 1.2
file describes, as a list or alone (oneroster.md 2.2, 2.3). What cannot be read names no id, and is no error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradesync.connectors.wire import Malformed, decode


@dataclass(frozen=True, slots=True)
class Answered:
    """`id` None: the answer names none. `pairs`: it lists what it took, so what is not in it was not taken."""

    id: str | None
    pairs: bool = False


_NOTHING = Answered(None)


def answered(body: bytes, kind: str, supplied: str) -> Answered:
    """The id that the answer to sending one `kind` (`lineItem`, `result`) under the id `supplied` gives."""
    if b'"' not in body:
        return _NOTHING
    try:
        data = decode(body)
    except Malformed:
        # A page of a web server with a status of 200: reading back will tell.
        return _NOTHING
    if isinstance(data, dict) and "sourcedIdPairs" in data:
        return Answered(_of_pairs(data["sourcedIdPairs"], supplied), pairs=True)
    if _is_pair(data) or (isinstance(data, list) and data and all(map(_is_pair, data))):
        return Answered(_of_pairs(data, supplied), pairs=True)
    return Answered(_of_object(data, kind))


def _is_pair(value: Any) -> bool:
    return isinstance(value, dict) and "allocatedSourcedId" in value


def _of_pairs(value: Any, supplied: str) -> str | None:
    pairs = [pair for pair in (value if isinstance(value, list) else [value]) if _is_pair(pair)]
    for pair in pairs:
        if pair.get("suppliedSourcedId", supplied) == supplied:
            return _text(pair["allocatedSourcedId"])
    return None


def _of_object(data: Any, kind: str) -> str | None:
    if not isinstance(data, dict):
        return None
    found = data.get(kind, data.get(f"{kind}s", data))
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else None
    return _text(found.get("sourcedId")) if isinstance(found, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
