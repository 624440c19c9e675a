"""Makes the generation of a roster's Canvas files out of their rows, as these are written. Pure.

A district has hundreds of thousands of rows, and they are looked at once more for this: so they are taken column by
column, hashed many at a time, and kept as bare numbers. What the numbers mean stands in `roster_generation`.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import reduce
from itertools import chain
from operator import itemgetter, or_
from typing import NamedTuple, cast

from gradesync.domain.keyed import KeyedHash, Numbers
from gradesync.domain.roster_csv import CanvasFile, Coded, Row, RowColumns, RowFiles, coded
from gradesync.domain.roster_generation import (
    ENROLLMENTS,
    KEPT,
    KINDS,
    PERSON_SHIFT,
    SECTIONS,
    STATUS_MASK,
    STUDENT,
    USERS,
    Basis,
    Generation,
    GenerationHead,
    chunk_of,
)

_NUMBER = (1 << 64) - (1 << PERSON_SHIFT)
_STATUSES = {"active": 0, "completed": 1, "inactive": 2}
_ROLES = {"student": STUDENT, "teacher": 2 << 2, "ta": 3 << 2, "observer": 4 << 2, "designer": 5 << 2}
_DELETED = "deleted"
_NO_SCHOOL = 0


class _Known(dict[str, int]):
    """Text -> number of its hash with the low bits left free; hashed when first asked for, or many at once."""

    def __init__(self, number: Numbers) -> None:
        self._number = number

    def __missing__(self, text: str) -> int:
        made = self[text] = self._number(text) & _NUMBER
        return made

    def learn(self, texts: Sequence[str]) -> array[int]:
        """The numbers of many texts, in order."""
        made = array("Q", [number & _NUMBER for number in self._number.of(texts)])
        self.update(zip(texts, made, strict=True))
        return made


class _Bits(dict[tuple[str, str], int]):
    """(role, status) -> the low bits of a seat.

    Roles of the account's own share what bits are left; a status of its own keeps nobody in class.
    """

    def __missing__(self, key: tuple[str, str]) -> int:
        # Canvas does not mind the case, and an export of its own files may write as it likes.
        role, status = (one.strip().lower() for one in key)
        made = _ROLES.get(role, (6 + sum(role.encode()) % 10) << 2) | _STATUSES.get(status, STATUS_MASK)
        self[key] = made
        return made


class _Sections(dict[str, "array[int]"]):
    """Section id -> its numbers; one that no row told of belongs to no school."""

    def __init__(self, number: Numbers) -> None:
        super().__init__()
        self.number = number

    def __missing__(self, section_id: str) -> array[int]:
        made = self[section_id] = array("Q", (_NO_SCHOOL, self.number(section_id), 0, 0, 0))
        return made


class _Course(NamedTuple):
    """What a section takes over from its course."""

    school: int
    likeness: str
    content: str
    term: str


_NO_COURSE = _Course(_NO_SCHOOL, "", "", "")


class GenerationMaker:
    """Makes a generation of the rows of Canvas files, part by part, in the order in which they are written.

    Only columns that `headers` name are looked at. Courses come before their sections, all of these before people, and
    people with their enrollments in parts: users first, then the enrollments of the same users. The cost per enrollment
    is a few look-ups; only its person is hashed, once. `schools` is section id -> school where courses do not tell it.
    """

    def __init__(
        self, keyed: KeyedHash, headers: Mapping[str, Row], schools: Mapping[str, str] | None = None
    ) -> None:
        self._key_id = keyed.key_id
        self._like, self._content = keyed.numbers("like"), keyed.numbers("content")
        self._at = {kind: {name: at for at, name in enumerate(names)} for kind, names in headers.items()}
        self._schools: list[str] = [""]
        self._school_at: dict[str, int] = {"": _NO_SCHOOL}
        self._school_of = schools or {}
        self._courses: dict[str, _Course] = {}
        # Section id -> [school, number, likeness, place, content, seat, seat, ...]: one object per section.
        self._sections = _Sections(keyed.numbers("class"))
        # The numbers of sections by their place in a table of ids that many parts share.
        self._table: Sequence[str] = ()
        self._numbered: list[array[int]] = []
        self._people: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        # Of the part under way: its people; their numbers, likenesses and contents, rows by rows; a school of each.
        self._part_ids: list[str] = []
        self._part: list[array[int]] = []
        self._seated: dict[str, int] = {}
        self._known = _Known(keyed.numbers("person"))
        self._bits = _Bits()
        self._take = {
            "courses": self._take_courses,
            "sections": self._take_sections,
            "users": self._take_users,
            "enrollments": self._take_enrollments,
        }

    def take(self, kind: str, rows: Sequence[Row]) -> None:
        """Rows of one file; kinds that hold nobody and no class are passed over."""
        if rows and (taking := self._take.get(kind)) is not None:
            taking(rows)

    def beside(self, out: RowFiles) -> RowFiles:
        """Files that are written as `out` would write them, and taken here on the way."""
        return _Beside(out, self)

    def _take_courses(self, rows: Sequence[Row]) -> None:
        at = self._at["courses"]
        id_at, code_at, term_at, school_at = (
            at[name] for name in ("course_id", "short_name", "term_id", "account_id")
        )
        for row in rows:
            likeness = f"{_unblank(row[code_at])}\0{row[term_at]}"
            self._courses[row[id_at]] = _Course(
                self._school(row[school_at]), likeness, "\0".join(row), row[term_at]
            )

    def _take_sections(self, rows: Sequence[Row]) -> None:
        at = self._at["sections"]
        id_at, course_at, name_at, status_at = (
            at[name] for name in ("section_id", "course_id", "name", "status")
        )
        rows = [row for row in rows if row[status_at].lower() != _DELETED]
        courses = [self._courses.get(row[course_at], _NO_COURSE) for row in rows]
        schools = [
            course.school if (told := self._school_of.get(row[id_at])) is None else self._school(told)
            for row, course in zip(rows, courses, strict=True)
        ]
        pairs = list(zip(rows, courses, schools, strict=True))
        ids = [row[id_at] for row in rows]
        numbers = zip(
            schools,
            self._sections.number.of(ids),
            self._like.of([f"{_unblank(row[name_at])}\0{course.likeness}" for row, course, _ in pairs]),
            self._like.of(
                [
                    f"{row[course_at]}\0{self._schools[school]}\0{course.term}\0place"
                    for row, course, school in pairs
                ]
            ),
            self._content.of(["\0".join((*row, course.content)) for row, course, _ in pairs]),
            strict=True,
        )
        for id, values in zip(ids, numbers, strict=True):
            self._sections[id] = array("Q", values)

    def _take_users(self, rows: Sequence[Row]) -> None:
        if self._seated:
            # The people before these have shown their seats; where all people come first, all of them wait.
            self._close_part()
        # All sections are there by now, and a district's courses are as large as what is kept of its classes.
        self._courses.clear()
        at = self._at["users"]
        id_at, status_at = at.get("integration_id", at["user_id"]), at["status"]
        names = [at[name] for name in ("first_name", "last_name", "full_name") if name in at]
        statuses = [row[status_at].lower() for row in rows]
        if _DELETED in statuses:
            rows = [row for row, status in zip(rows, statuses, strict=True) if status != _DELETED]
            statuses = [status for status in statuses if status != _DELETED]
        if not rows:
            return
        columns = tuple(zip(*rows, strict=True))
        ids = columns[id_at]
        likenesses = map("\0".join, zip(*(columns[one] for one in names), strict=True))
        contents = self._content.of(map("\0".join, rows))
        self._part_ids += ids
        self._part += (
            self._known.learn(ids),
            self._like.of(map(str.casefold, likenesses)),
            array("Q", [one | 1 for one in contents])
            if set(statuses) == {"active"}
            else array(
                "Q", [one & ~1 | (is_ == "active") for one, is_ in zip(contents, statuses, strict=True)]
            ),
        )

    def _take_enrollments(self, rows: Sequence[Row]) -> None:
        at = self._at["enrollments"]
        user_at = at["user_integration_id"] if "user_integration_id" in at else at["user_id"]
        # Column by column, so that no line of Python is run per enrollment: a district has hundreds of thousands.
        columns = rows.columns if isinstance(rows, RowColumns) else tuple(zip(*rows, strict=True))
        sections, users, roles, statuses = (
            coded(columns[one]) for one in (at["section_id"], user_at, at["role"], at["status"])
        )
        known = list(map(self._known.__getitem__, users.table))
        if roles.numbers is statuses.numbers:
            outcomes = list(map(self._bits.__getitem__, zip(roles.table, statuses.table, strict=True)))
            bits = map(outcomes.__getitem__, roles.numbers)
        else:
            bits = map(self._bits.__getitem__, zip(roles, statuses, strict=True))
        seats = map(or_, map(known.__getitem__, users.numbers), bits)
        if sections.table is not self._table:
            self._table = sections.table
            shared = isinstance(columns[at["section_id"]], Coded)
            # A table that came with the column names more sections than its rows do: those are not met here.
            found = map(self._sections.get if shared else self._sections.__getitem__, sections.table)
            self._numbered = list(cast("Iterable[array[int]]", found))
        deque(map(array.append, map(self._numbered.__getitem__, sections.numbers), seats), maxlen=0)
        for user, section in dict(zip(users.numbers, sections.numbers, strict=True)).items():
            self._seated[users.table[user]] = self._numbered[section][0]

    def _close_part(self) -> None:
        """These people are complete: each belongs to the school of their last class."""
        seated, people = self._seated.get, self._people
        columns = zip(*(chain.from_iterable(self._part[n::3]) for n in range(3)), strict=True)
        for user_id, person in zip(self._part_ids, columns, strict=True):
            people[seated(user_id, _NO_SCHOOL)].extend(person)
        self._part.clear()
        self._part_ids.clear()
        self._seated.clear()
        self._known.clear()

    def _school(self, id: str) -> int:
        found = self._school_at.get(id)
        if found is None:
            found = self._school_at[id] = len(self._schools)
            self._schools.append(id)
        return found

    def made(self, basis: Basis, chunks: MutableMapping[tuple[str, str], bytes] | None = None) -> Generation:
        """The generation of everything taken; the maker is spent. `chunks` is where its pieces go: into memory, unless
        the caller has room elsewhere."""
        self._close_part()
        chunks = {} if chunks is None else chunks
        counts: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        by_school: dict[int, list[array[int]]] = {}
        for section in self._sections.values():
            by_school.setdefault(section[0], []).append(section)
        self._sections.clear()
        self._numbered.clear()
        for school, sections in by_school.items():
            name = self._schools[school]
            chunks[SECTIONS, name], chunks[ENROLLMENTS, name], seats = _school_chunks(sections)
            counts[SECTIONS][name], counts[ENROLLMENTS][name] = len(sections), seats
            sections.clear()
        for school, people in self._people.items():
            name = self._schools[school]
            rows = sorted(zip(people[0::3], people[1::3], people[2::3], strict=True))
            chunks[USERS, name] = chunk_of(array("Q", [number for row in rows for number in row]))
            counts[USERS][name] = sum(row[2] & 1 for row in rows)
        digest = hashlib.sha256(repr(basis).encode())
        for key in sorted(chunks):
            chunk = chunks[key]
            digest.update(f"{key}{len(chunk)}".encode())
            digest.update(chunk)
        return Generation(GenerationHead(self._key_id, basis, digest.hexdigest()[:32], counts), chunks)


def _school_chunks(sections: list[array[int]]) -> tuple[bytes, bytes, int]:
    """The chunks of a school's sections and of their seats, and how many people the seats keep in class."""
    heads, seats, kept = array("Q"), array("Q"), 0
    for section in sorted(sections, key=itemgetter(1)):
        heads.extend(section[1:5])
        members = sorted(section[5:])
        seats.extend((section[1], len(members)))
        seats.extend(members)
        # In most classes everybody stays, and one look at all of them together says so.
        if members and not reduce(or_, members) & KEPT:
            kept += len(members)
        else:
            kept += sum([seat & STATUS_MASK < KEPT for seat in members])
    return chunk_of(heads), chunk_of(seats), kept


class _Beside:
    """Row files that show every row to a maker as it goes by."""

    def __init__(self, out: RowFiles, maker: GenerationMaker) -> None:
        self._out, self._maker = out, maker

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        """Append rows to the kind's file."""
        rows = rows if isinstance(rows, Sequence) else list(rows)
        self._maker.take(kind, rows)
        return self._out.add(kind, rows)

    def finished(self) -> Mapping[str, CanvasFile]:
        """Close all files."""
        return self._out.finished()


def _unblank(text: str) -> str:
    """Without case and blanks; signs stay, because they tell titles apart (`C`, `C++`)."""
    return "".join(text.casefold().split())


def person_number(keyed: KeyedHash) -> Callable[[str], int]:
    """Person -> the number under which a generation holds them."""
    number = keyed.numbers("person")

    def of(person: str) -> int:
        return number(person) & _NUMBER

    return of


def seat_numbers(keyed: KeyedHash) -> Callable[[str, str], int]:
    """(person, Canvas role) -> the number of a seat without its status: what two generations share of it."""
    number, bits = keyed.numbers("person"), _Bits()

    def seat(person: str, role: str) -> int:
        return (number(person) & _NUMBER | bits[role, "active"]) >> STATUS_MASK.bit_length()

    return seat


__all__ = ["GenerationMaker", "person_number", "seat_numbers"]
