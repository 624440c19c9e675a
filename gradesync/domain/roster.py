"""Rosters: what the SIS says of people, classes and enrollments, and how a Canvas import of them stands.

The values only. Deciding is pure and beside it: `roster_scope` (what the account looks at), `roster_csv` (the files),
`roster_guard` (what is too strange to send). Reading, sending and polling belong to `syncs.roster_import`.

A district's classes, people and enrollments need not be in memory: they are collections that can be gone through as
often as needed, and `shards` hands out small parts of them of which each holds all there is about some people.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar, overload, runtime_checkable
from zlib import crc32

GUARDIANS = frozenset({"guardian", "parent", "relative"})
"""OneRoster's roles of people who come to Canvas only to look after a student."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Org:
    """A district or school. `kind` is OneRoster's org type."""

    id: str
    name: str
    kind: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class AcademicSession:
    """A school year, semester, term or grading period; `end` is exclusive (OneRoster)."""

    id: str
    title: str
    kind: str
    start: date
    end: date
    parent_id: str | None = None
    school_year: str = ""


@dataclass(frozen=True, slots=True)
class RosterCourse:
    """A course of the catalogue."""

    id: str
    title: str
    code: str
    org_id: str | None = None


class RosterClass(NamedTuple):
    """A class: the unit that becomes a Canvas section."""

    id: str
    title: str
    code: str
    course_id: str
    school_id: str
    term_ids: tuple[str, ...]


class RosterUser(NamedTuple):
    """A person, with only the fields Canvas needs.

    `identifier` is the number people know (student or staff number), not the SIS's own id. `agents` are the ids
    OneRoster ties to the person: a student's guardians or a guardian's students, whichever side the SIS fills.
    A tuple, like a class and an enrollment, because a district's are made several times a run.
    """

    id: str
    username: str
    given_name: str
    family_name: str
    email: str
    role: str
    enabled: bool = True
    identifier: str = ""
    preferred_given_name: str = ""
    preferred_family_name: str = ""
    agents: tuple[str, ...] = ()


class RosterEnrollment(NamedTuple):
    """One person in one class. `end` is exclusive; an ended enrollment stays in a OneRoster read.

    `id` is the SIS's own and matters only while the read goes on: what is put by (`Seats`) does not keep it.
    """

    user_id: str
    class_id: str
    role: str
    begin: date | None = None
    end: date | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """One full read of the SIS, without rows marked `tobedeleted`.

    `classes`, `users` and `enrollments` may lie on disk: go through them, as often as needed, but keep no list of them.
    """

    orgs: Sequence[Org] = ()
    sessions: Sequence[AcademicSession] = ()
    courses: Sequence[RosterCourse] = ()
    classes: Collection[RosterClass] = ()
    users: Collection[RosterUser] = ()
    enrollments: Collection[RosterEnrollment] = ()


SHARDS = 128
"""Into how many parts a roster is cut; constant, because the order of the files' rows follows from it."""


def shard_of(key: str) -> int:
    """The part that everything about `key` falls into: the same in every process and on every machine."""
    return crc32(key.encode("utf-8", "surrogatepass")) % SHARDS


@runtime_checkable
class Sharded(Protocol[T_co]):
    """A collection that is kept in its parts already."""

    def shards(self) -> Iterator[Sequence[T_co]]:
        """All `SHARDS` parts, in order: part n holds the rows whose key is of shard n."""
        ...

    def column(self, name: str) -> Iterator[Any]:
        """One field of all rows, which is not a date."""
        ...


def shards(rows: Collection[T], key: Callable[[T], str]) -> Iterator[Sequence[T]]:
    """The rows in `SHARDS` parts by `shard_of(key(row))`.

    Users are cut by `id` and enrollments by `user_id`, so that part n of both is about the same people; classes by
    `id`. A collection that is `Sharded` was cut by these keys when it was made.
    """
    if isinstance(rows, Sharded):
        yield from rows.shards()
        return
    parts: list[list[T]] = [[] for _ in range(SHARDS)]
    for row in rows:
        parts[shard_of(key(row))].append(row)
    yield from parts


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


class Table(dict[T, int]):
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
    classes: Table[str] = Table()
    kinds: Table[Kind] = Table()
    return Seats(
        [row.user_id for row in part],
        [classes[row.class_id] for row in part],
        [kinds[row.role, row.begin, row.end] for row in part],
        classes.values_in_order,
        kinds.values_in_order,
    )


def column(rows: Collection[T], name: str) -> Iterator[Any]:
    """One field of all rows, in any order."""
    return rows.column(name) if isinstance(rows, Sharded) else map(attrgetter(name), rows)


def key_of_user(row: RosterUser) -> str:
    """What users are cut by."""
    return row.id


def key_of_enrollment(row: RosterEnrollment) -> str:
    """What enrollments are cut by: their person."""
    return row.user_id


def key_of_class(row: RosterClass) -> str:
    """What classes are cut by."""
    return row.id


class Chosen(Collection[T]):
    """The rows of another collection for which `keep` says yes, without a copy of them."""

    __slots__ = ("_count", "_keep", "_key", "_whole")

    def __init__(self, whole: Collection[T], keep: Callable[[T], bool], key: Callable[[T], str]) -> None:
        self._whole, self._keep, self._key = whole, keep, key
        self._count: int | None = None

    def __iter__(self) -> Iterator[T]:
        return filter(self._keep, self._whole)

    def __contains__(self, row: object) -> bool:
        return any(row == one for one in self)

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def shards(self) -> Iterator[Sequence[T]]:
        """The chosen rows of each part."""
        for part in shards(self._whole, self._key):
            yield list(filter(self._keep, part))

    def column(self, name: str) -> Iterator[Any]:
        """One field of the chosen rows."""
        return map(attrgetter(name), self)


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


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """A Canvas SIS import as it stands. `state` is Canvas's workflow_state; messages count, their texts stay out.

    `data_set` is the name its files were compared under; `threshold_exceeded`: they differed by more than allowed, so
    all rows were applied and none was removed (`canvas.md` 2.2). `user_id` is Canvas's number of whoever sent it.
    """

    id: int
    state: str
    progress: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    statistics: Mapping[str, int] = field(default_factory=dict)
    warnings: int = 0
    errors: int = 0
    data_set: str = ""
    user_id: int | None = None
    threshold_exceeded: bool = False

    @property
    def finished(self) -> bool:
        """Whether Canvas is done with it (canvas.md 2.3)."""
        return self.state in FINISHED


FINISHED = frozenset(
    {
        "imported",
        "imported_with_messages",
        "failed",
        "failed_with_messages",
        "aborted",
        "restored",
        "partially_restored",
    }
)
