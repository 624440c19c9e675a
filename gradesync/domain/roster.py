"""Rosters: what the SIS says of people, classes and enrollments, and how a Canvas import of them stands.

The values only. Deciding is pure and beside it: `roster_scope` (what the account looks at), `roster_csv` (the files),
`roster_guard` (what is too strange to send). Reading, sending and polling belong to `syncs.roster_import`.

A district's classes, people and enrollments need not be in memory: they are collections that can be gone through as
often as needed, and `shards` hands out small parts of them of which each holds all there is about some people.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable
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
