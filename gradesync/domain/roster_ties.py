"""Which guardian belongs to which student, kept so small that a district's guardians cost little memory. Pure.

Only the guardians of students that were read count: who is tied to nobody has nothing to see in Canvas. What becomes
of people and their seats is `roster_people`'s.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Set

from gradesync.domain.roster import GUARDIANS, SHARDS, Roster, RosterUser, column, shard_of
from gradesync.domain.roster_csv import Row
from gradesync.domain.roster_numbers import in_order

_BETWEEN, _END = "\x1f", "\x1e"


class _Ids:
    """A set of ids as bare numbers: eight bytes each. Of two ids one passes for the other once in a million years."""

    def __init__(self, hashes: Iterable[int]) -> None:
        self._numbers = in_order(hashes)

    def __contains__(self, id: str) -> bool:
        number = hash(id)
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number


class Ties:
    """The ties of a roster, whichever of the two sides the SIS says them at.

    The pairs lie in one text for each part of the people, by guardian: twenty bytes each instead of two hundred.
    """

    def __init__(self, roster: Roster) -> None:
        students, adults = _of_roles(roster, {"student"}), _of_roles(roster, GUARDIANS)
        self._roster = roster
        self._pairs = [bytearray() for _ in range(SHARDS)]
        numbers = array("q")
        for user in roster.users:
            if user.role in GUARDIANS:
                numbers.extend(self._put(user.id, one) for one in user.agents if one in students)
            elif user.role == "student":
                numbers.extend(self._put(one, user.id) for one in user.agents if one in adults)
        self._guardians = _Ids(numbers)

    def _put(self, guardian: str, student: str) -> int:
        pair = f"{guardian}{_BETWEEN}{student}{_END}"
        self._pairs[shard_of(guardian)] += pair.encode("utf-8", "surrogatepass")
        return hash(guardian)

    def has(self, id: str) -> bool:
        """Whether the person is somebody's guardian."""
        return id in self._guardians

    def rows(self, canvas_id: Callable[[RosterUser], str | None]) -> Iterator[list[Row]]:
        """Observers and their students, where both have a row of their own; part by part, each in order."""
        found: dict[str, str] = {}
        same = array("q")
        for user in self._roster.users:
            if (name := canvas_id(user)) == user.id:
                same.append(hash(name))
            elif name:
                found[user.id] = name
        known = _Ids(same)

        def name_of(id: str) -> str | None:
            return found.get(id) or (id if id in known else None)

        for pairs in self._pairs:
            text = pairs.decode("utf-8", "surrogatepass")
            split = (one.partition(_BETWEEN) for one in set(text.split(_END)) - {""})
            named = ((name_of(guardian), name_of(student)) for guardian, _, student in split)
            yield sorted((one, other, "active") for one, other in named if one and other)


def _of_roles(roster: Roster, wanted: Set[str]) -> _Ids:
    ids, roles = column(roster.users, "id"), column(roster.users, "role")
    return _Ids(hash(id) for id, role in zip(ids, roles, strict=True) if role in wanted)


__all__ = ["Ties"]
