"""Which sourcedIds were read already, in sixteen bytes each: a district's enrollments are told apart without keeping
their ids.

Pure. Which rows may repeat, and what a repetition means, is `stream`'s.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from gradesync.connectors.wire import Malformed

Row = Mapping[str, Any]

_FIRST = 1 << 10
_MOST_EXPECTED = 500_000
"""What a server says of its size is believed up to here, and earned beyond."""


class Seen:
    """A set of sourcedIds that remembers their 64-bit hashes only, in one flat table.

    Among 400,000 ids the chance that any two share a hash is one in two hundred million; a Python set of the ids
    themselves would be the largest thing in memory of a whole run.
    """

    __slots__ = ("_count", "_table")

    def __init__(self) -> None:
        self._table = array("q", [0]) * _FIRST
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def expect(self, count: int) -> None:
        """Make room for so many ids at once: cheaper than growing, and never two tables in memory. A hint only."""
        self._make_room(min(count, _MOST_EXPECTED) - self._count)

    def __contains__(self, sourced_id: str) -> bool:
        table, mask = self._table, len(self._table) - 1
        key = hash(sourced_id) or 1
        place = key & mask
        while (held := table[place]) and held != key:
            place = place + 1 & mask
        return held == key

    def fresh(self, rows: Sequence[Row]) -> list[Row]:
        """The rows whose sourcedId was not seen before, which now is. Raises Malformed for a row without one."""
        ids = [row["sourcedId"] for row in rows]
        if not set(map(type, ids)) <= {str} or "" in ids:
            raise Malformed("a row without sourcedId")
        self._make_room(len(ids))
        table, mask = self._table, len(self._table) - 1
        repeated: list[int] = []
        for number, key in enumerate(map(hash, ids)):
            key = key or 1  # an empty place holds 0
            place = key & mask
            while held := table[place]:
                if held == key:
                    repeated.append(number)
                    break
                place = place + 1 & mask
            else:
                table[place] = key
        self._count += len(ids) - len(repeated)
        if not repeated:
            return list(rows)
        known = set(repeated)
        return [row for number, row in enumerate(rows) if number not in known]

    def _make_room(self, more: int) -> None:
        size = len(self._table)
        while (self._count + more) * 4 > size * 3:
            size *= 2
        if size == len(self._table):
            return
        held, self._table = self._table, array("q", [0]) * size
        table, mask = self._table, size - 1
        for key in held:
            if key:
                place = key & mask
                while table[place]:
                    place = place + 1 & mask
                table[place] = key
