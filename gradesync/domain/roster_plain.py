"""What of a roster the brake sets no limit on: sub-accounts, terms, courses, cross-lists and observers, counted. Pure.

They are part of the generation as well, as keyed hashes, so that a dry run and a comparison can say how many of them a
run would create, change and end. Nothing is judged here; sections, people and enrollments are `roster_hashing`'s.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_change import ALL_SCHOOLS, SchoolChange
from gradesync.domain.roster_csv import CanvasFile, Row, RowFiles
from gradesync.domain.roster_generation import Basis, Generation, GenerationHead, chunk_of, numbers_of
from gradesync.domain.roster_hashing import GenerationMaker

ACCOUNTS, TERMS, COURSES, XLISTS, OBSERVERS = "accounts", "terms", "courses", "xlists", "user_observers"
PLAIN_KINDS = (ACCOUNTS, TERMS, COURSES, XLISTS, OBSERVERS)
PLAIN_WIDTH = 2
"""Numbers per record."""

_IDS: Mapping[str, tuple[str, ...]] = {
    ACCOUNTS: ("account_id",),
    TERMS: ("term_id",),
    COURSES: ("course_id",),
    XLISTS: ("section_id",),
    OBSERVERS: ("observer_id", "student_id"),
}
_DELETED = "deleted"
_PARTS_SHIFT, _PARTS = 60, 16
"""Numbers are sorted in sixteen parts by their highest bits: a district's guardians are never tuples together."""

Chunks = Callable[[str, str], bytes]


def plain_number(keyed: KeyedHash) -> Callable[[str, str], int]:
    """(kind, id) -> the number of a record in a generation."""
    number = keyed.numbers("plain")

    def of(kind: str, id: str) -> int:
        return number(f"{kind}\0{id}")

    return of


class PlainRows:
    """Takes rows as they are written. Per kind and school: number of the id, number of the content, and so on.

    The school of a course is its sub-account, that of a cross-list the one of the course it shows in; terms and
    observers belong to none.
    """

    def __init__(self, keyed: KeyedHash, headers: Mapping[str, Row]) -> None:
        self._id, self._content = keyed.numbers("plain"), keyed.numbers("content")
        self._headers = {kind: tuple(names) for kind, names in headers.items() if kind in PLAIN_KINDS}
        self._numbers: dict[tuple[str, str], array[int]] = {}
        # Which school a course lies in, for cross-lists alone.
        self._schools: dict[int, str] = {}

    def take(self, kind: str, rows: Sequence[Row]) -> None:
        """Rows of one file; other kinds are passed over."""
        header = self._headers.get(kind)
        if header is None or not rows:
            return
        status = header.index("status")
        rows = [row for row in rows if row[status].lower() != _DELETED]
        id_at = [header.index(name) for name in _IDS[kind]]
        ids = self._id.of([f"{kind}\0" + "\0".join([row[at] for at in id_at]) for row in rows])
        contents = self._content.of(map("\0".join, rows))
        for school, id, content in zip(self._schools_of(kind, header, rows), ids, contents, strict=True):
            self._numbers.setdefault((kind, school), array("Q")).extend((id, content))

    def _schools_of(self, kind: str, header: Row, rows: Sequence[Row]) -> list[str]:
        if kind == XLISTS:
            course = header.index("xlist_course_id")
            return [self._schools.get(hash(row[course]), ALL_SCHOOLS) for row in rows]
        if kind not in (ACCOUNTS, COURSES):
            return [ALL_SCHOOLS] * len(rows)
        at = header.index("account_id")
        schools = [row[at] or ALL_SCHOOLS for row in rows]
        if kind == COURSES and XLISTS in self._headers:
            course = header.index("course_id")
            self._schools.update(zip((hash(row[course]) for row in rows), schools, strict=True))
        return schools

    def added_to(self, made: Generation) -> Generation:
        """The generation with these kinds in it; the rows are spent."""
        chunks = made.chunks
        counts = {**made.head.counts, **{kind: {} for kind in self._headers}}
        digest = hashlib.sha256(made.head.digest.encode())
        for kind, school in sorted(self._numbers):
            numbers = _sorted(self._numbers.pop((kind, school)))
            counts[kind] = {**counts[kind], school: len(numbers) // 2}
            chunks[kind, school] = chunk = chunk_of(numbers)
            digest.update(f"{kind}\0{school}\0{len(chunk)}\0".encode())
            digest.update(chunk)
        return Generation(replace(made.head, digest=digest.hexdigest()[:32], counts=counts), chunks)


def _sorted(numbers: array[int]) -> array[int]:
    parts = [array("Q") for _ in range(_PARTS)]
    for id, content in zip(numbers[::2], numbers[1::2], strict=True):
        parts[id >> _PARTS_SHIFT].extend((id, content))
    found = array("Q")
    for part in parts:
        found.extend(chain.from_iterable(sorted(zip(part[::2], part[1::2], strict=True))))
    return found


@dataclass(frozen=True, slots=True)
class WholeMaker:
    """Makes a generation of all kinds out of the rows that pass by."""

    maker: GenerationMaker
    plain: PlainRows

    def beside(self, out: RowFiles) -> RowFiles:
        """Files that are written as `out` would write them, and taken here on the way."""
        return _Beside(self.maker.beside(out), self.plain)

    def made(self, basis: Basis, chunks: MutableMapping[tuple[str, str], bytes] | None = None) -> Generation:
        """The generation of everything taken, its pieces in `chunks`; the maker is spent."""
        return self.plain.added_to(self.maker.made(basis, chunks))


@dataclass(frozen=True, slots=True)
class _Beside:
    """Row files that show every row of these kinds on its way."""

    out: RowFiles
    plain: PlainRows

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        """Append rows to the kind's file."""
        if kind in PLAIN_KINDS:
            rows = rows if isinstance(rows, Sequence) else list(rows)
            self.plain.take(kind, rows)
        return self.out.add(kind, rows)

    def finished(self) -> Mapping[str, CanvasFile]:
        """Close all files."""
        return self.out.finished()


def plain_changes(old: GenerationHead, chunks: Chunks, new: Generation) -> tuple[SchoolChange, ...]:
    """Per kind and school what came, changed, went to another school and is gone; nothing for a kind that the older
    generation does not know."""
    found: list[SchoolChange] = []
    for kind in PLAIN_KINDS:
        before, after = old.counts.get(kind), new.head.counts.get(kind)
        if before is None or after is None:
            continue
        gone: dict[int, str] = {}
        come: dict[int, str] = {}
        changed: Counter[str] = Counter()
        for school in before.keys() | after.keys():
            was, now = chunks(kind, school), new.chunk(kind, school)
            for id, old_content, content in _differing(was, now) if was != now else ():
                if content is None:
                    gone[id] = school
                elif old_content is None:
                    come[id] = school
                else:
                    changed[school] += 1
        moved = Counter(gone[id] for id in gone.keys() & come.keys())
        created = Counter(school for id, school in come.items() if id not in gone)
        removed = Counter(school for id, school in gone.items() if id not in come)
        found += [
            SchoolChange(
                kind,
                school,
                before.get(school, 0),
                after.get(school, 0),
                created[school],
                changed[school],
                removed=removed[school],
                moved=moved[school],
            )
            for school in sorted(before.keys() | after.keys())
        ]
    return tuple(found)


def all_new_plain(new: Generation) -> tuple[SchoolChange, ...]:
    """With nothing to compare with, everything would be created."""
    return tuple(
        SchoolChange(kind, school, after=number, created=number)
        for kind in PLAIN_KINDS
        for school, number in sorted(new.head.counts.get(kind, {}).items())
    )


def _differing(was: bytes, now: bytes) -> Iterator[tuple[int, int | None, int | None]]:
    """(number, content before, content now) of the records that differ; both chunks are sorted by number."""
    old, new = numbers_of(was), numbers_of(now)
    at, place = 0, 0
    while at < len(old) or place < len(new):
        left = old[at] if at < len(old) else None
        right = new[place] if place < len(new) else None
        if left is not None and (right is None or left < right):
            yield left, old[at + 1], None
            at += 2
        elif right is not None and (left is None or right < left):
            yield right, None, new[place + 1]
            place += 2
        elif left is not None:
            if old[at + 1] != new[place + 1]:
                yield left, old[at + 1], new[place + 1]
            at, place = at + 2, place + 2


__all__ = [
    "PLAIN_KINDS",
    "PLAIN_WIDTH",
    "PlainRows",
    "WholeMaker",
    "all_new_plain",
    "plain_changes",
    "plain_number",
]
