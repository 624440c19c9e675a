"""Enrollments in columns instead of rows: what a district's half a million cost is decided by how they are held. Pure.

Values only, as in `roster`; what becomes of an enrollment is decided in `roster_enrolling`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from datetime import date
from itertools import compress
from operator import attrgetter
from typing import Any, TypeVar, overload

from gradesync.domain.roster import RosterEnrollment, key_of_enrollment, shards

T = TypeVar("T")


class Enrollments(Sequence[RosterEnrollment]):
    """Enrollments as a reader has them: the columns of `RosterEnrollment`, all of one length."""

    __slots__ = ("columns",)

    def __init__(self, columns: Sequence[Sequence[Any]]) -> None:
        self.columns = columns

    @classmethod
    def of(cls, rows: Sequence[RosterEnrollment]) -> Enrollments:
        """Rows, which may be columns already."""
        if isinstance(rows, cls):
            return rows
        return cls(tuple(zip(*rows, strict=True)) or ((),) * len(RosterEnrollment._fields))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[RosterEnrollment]:
        return map(RosterEnrollment._make, zip(*self.columns, strict=True))

    @overload
    def __getitem__(self, at: int) -> RosterEnrollment: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[RosterEnrollment]: ...
    def __getitem__(self, at: int | slice) -> RosterEnrollment | Sequence[RosterEnrollment]:
        if isinstance(at, slice):
            return Enrollments([one[at] for one in self.columns])
        return RosterEnrollment._make([one[at] for one in self.columns])


Kind = tuple[str, "date | None", "date | None"]
"""Role, begin and end of an enrollment: a district's half a million have a few hundred of them."""


class Seats(Sequence[RosterEnrollment]):
    """A part's enrollments in columns: what runs over whole columns costs a third of what runs over rows.

    Row n is `user_ids[n]` in `classes[class_numbers[n]]` as `kinds[kind_numbers[n]]`. The two tables may hold more than
    these rows need, and may be those of other parts as well.
    """

    __slots__ = ("class_numbers", "classes", "kind_numbers", "kinds", "user_ids")

    def __init__(
        self,
        user_ids: Sequence[str],
        class_numbers: Sequence[int],
        kind_numbers: Sequence[int],
        classes: Sequence[str],
        kinds: Sequence[Kind],
    ) -> None:
        self.user_ids, self.class_numbers, self.kind_numbers = user_ids, class_numbers, kind_numbers
        self.classes, self.kinds = classes, kinds

    def __len__(self) -> int:
        return len(self.user_ids)

    def __iter__(self) -> Iterator[RosterEnrollment]:
        return map(self._row, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> RosterEnrollment: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[RosterEnrollment]: ...
    def __getitem__(self, at: int | slice) -> RosterEnrollment | Sequence[RosterEnrollment]:
        return list(map(self._row, range(len(self))[at])) if isinstance(at, slice) else self._row(at)

    def _row(self, at: int) -> RosterEnrollment:
        kind = self.kinds[self.kind_numbers[at]]
        return RosterEnrollment(self.user_ids[at], self.classes[self.class_numbers[at]], *kind)

    def kept(self, keeps: Sequence[bool]) -> Seats:
        """The rows whose class `keeps`, by its number, says yes to."""
        chosen = list(map(keeps.__getitem__, self.class_numbers))
        if all(chosen):
            return self
        return Seats(
            list(compress(self.user_ids, chosen)),
            list(compress(self.class_numbers, chosen)),
            list(compress(self.kind_numbers, chosen)),
            self.classes,
            self.kinds,
        )


class Numbering(dict[T, int]):
    """Value -> its number, counted from 0 as values are first asked for; `values_in_order` has them back."""

    __slots__ = ("values_in_order",)

    def __init__(self) -> None:
        super().__init__()
        self.values_in_order: list[T] = []

    def __missing__(self, value: T) -> int:
        if len(self) < len(self.values_in_order):
            self.update(zip(self.values_in_order, range(len(self.values_in_order)), strict=True))
            return self[value]
        number = self[value] = len(self.values_in_order)
        self.values_in_order.append(value)
        return number

    def settle(self) -> None:
        """Keep the values alone; asking for a number again costs as much as the first time."""
        self.clear()


def seats_of(part: Sequence[RosterEnrollment]) -> Seats:
    """A part in columns; one that is in columns already stays what it is."""
    if isinstance(part, Seats):
        return part
    classes: Numbering[str] = Numbering()
    kinds: Numbering[Kind] = Numbering()
    return Seats(
        [row.user_id for row in part],
        [classes[row.class_id] for row in part],
        [kinds[row.role, row.begin, row.end] for row in part],
        classes.values_in_order,
        kinds.values_in_order,
    )


class SeatsOutside(Collection[RosterEnrollment]):
    """The enrollments of another collection that are not in one of the classes `outside`, without a copy of them."""

    __slots__ = ("_count", "_outside", "_whole")

    def __init__(self, whole: Collection[RosterEnrollment], outside: Set[str]) -> None:
        self._whole, self._outside = whole, outside
        self._count: int | None = None

    def __iter__(self) -> Iterator[RosterEnrollment]:
        for part in self.shards():
            yield from part

    def __contains__(self, row: object) -> bool:
        return any(row == one for one in self)

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(map(len, self.shards()))
        return self._count

    def shards(self) -> Iterator[Seats]:
        """What is left of each part."""
        classes: Sequence[str] = ()
        keeps: list[bool] = []
        for part in map(seats_of, shards(self._whole, key_of_enrollment)):
            if part.classes is not classes or len(keeps) < len(classes):
                # Parts from a disk share their table of classes, so that this is done once for all of them.
                classes = part.classes
                keeps = [one not in self._outside for one in classes]
            yield part.kept(keeps)

    def column(self, name: str) -> Iterator[Any]:
        """One field of these rows."""
        return map(attrgetter(name), self)
