"""A generation: what the Canvas files of one roster import held, as keyed hashes small enough to keep. Pure.

The next import is measured against it: who and what left, came, changed, moved or only changed its id. Nobody can read
a person or a class out of it without the account's key, which is kept elsewhere. What is too much is decided in
`roster_brake`; how two generations differ in `roster_diff`; `roster_hashing` makes one. No file
and no store is touched here.

A generation is kept school by school in three chunks of 64-bit numbers, little-endian:

- `sections`     number of the id, likeness, place, content; sorted by number
- `users`        number of the id, likeness, content (bit 0: may log in); sorted by number
- `enrollments`  per section: its number, how many follow, and then for each person the number with role and status in
  its low bits, sorted

`likeness` is a hash of what stays the same when a record is given another id; `place` of where a section belongs.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date, timedelta

SECTIONS, USERS, ENROLLMENTS = "sections", "users", "enrollments"
KINDS = (SECTIONS, USERS, ENROLLMENTS)

AIDES = "aides"
"""With `ENROLLMENTS`, what a SIS may be unable to show (`Basis.hidden`)."""
AIDES_BY_ROLE = "aides by role"
"""Aides all the same, whom such a SIS shows one by one: some of them are always unknown."""

SECTION_WIDTH, USER_WIDTH = 4, 3
"""Numbers per record."""

STATUS_MASK = 3
"""Bits of a seat that hold its status."""
PERSON_SHIFT = 6
"""A seat shifted right by this is the person alone, whatever the role."""
KEPT = 2
"""Statuses below this one leave the person in the class (active, completed)."""
STUDENT, TEACHER = 1 << 2, 2 << 2
"""The role bits of a student and of a teacher."""

_ROLE_MASK = ((1 << PERSON_SHIFT) - 1) & ~STATUS_MASK


@dataclass(frozen=True, slots=True)
class Basis:
    """What a read was about: two generations are only compared record by record when both are the same.

    `scope` is the scope's digest. `until` is the day after the school year's last one; None when nothing tells. `day`
    is the local day of the read, and `terms` the exclusive last days of its sessions by id: those to come, and those
    of the last weeks. `spans` counts, school by school, the classes from one day to another (exclusive), as ISO dates
    with a slash between. `hidden` names what the views the SIS offered could not show.
    """

    scope: str
    year: str
    until: date | None = None
    day: date | None = None
    terms: Mapping[str, date] = field(default_factory=dict)
    spans: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    def under_way(self, school: str, begun: date, lasting: date) -> int:
        """How many classes of the school had begun on the one day and still go on the other."""
        first, last = begun.isoformat(), lasting.isoformat()
        spans = ((span.partition("/"), number) for span, number in self.spans.get(school, {}).items())
        return sum(number for (start, _, end), number in spans if start <= first and last < end)

    def ended_by(self, today: date | None, leeway: timedelta) -> bool:
        """Whether a session known then has come to its end since then, or shortly before; no where nothing tells."""
        if today is None or self.day is None:
            return False
        return any(self.day - leeway < end <= today for end in self.terms.values())


@dataclass(frozen=True, slots=True)
class GenerationHead:
    """A generation without its chunks. `counts` is kind -> school -> records; `digest` names exactly this one."""

    key_id: str
    basis: Basis
    digest: str
    counts: Mapping[str, Mapping[str, int]]

    @property
    def schools(self) -> frozenset[str]:
        """Every school with records that the brake measures; "" stands for people without a class."""
        return frozenset(school for kind in KINDS for school in self.counts.get(kind, {}))

    def total(self, kind: str) -> int:
        """Records of the kind in all schools."""
        return sum(self.counts.get(kind, {}).values())

    def to_text(self) -> str:
        """As JSON, for the store."""
        basis = {
            "scope": self.basis.scope,
            "year": self.basis.year,
            "until": _text_of(self.basis.until),
            "day": _text_of(self.basis.day),
            "terms": {id: end.isoformat() for id, end in self.basis.terms.items()},
            "spans": {school: dict(spans) for school, spans in self.basis.spans.items()},
            "hidden": list(self.basis.hidden),
        }
        values = {"key": self.key_id, "basis": basis, "digest": self.digest, "counts": self.counts}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> GenerationHead:
        """Back from JSON."""
        values = json.loads(text)
        basis = values["basis"]
        told = Basis(
            basis["scope"],
            basis["year"],
            _day_of(basis["until"]),
            _day_of(basis.get("day")),
            {id: date.fromisoformat(end) for id, end in basis.get("terms", {}).items()},
            basis.get("spans", {}),
            tuple(basis.get("hidden", ())),
        )
        return cls(values["key"], told, values["digest"], values["counts"])


def _text_of(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day_of(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as a whole; `chunks` by kind and school, which may lie on disk."""

    head: GenerationHead
    chunks: MutableMapping[tuple[str, str], bytes]

    def chunk(self, kind: str, school: str) -> bytes:
        """One chunk; empty when the school has no such records."""
        return self.chunks.get((kind, school), b"")


def numbers_of(chunk: bytes) -> array[int]:
    """A chunk's numbers."""
    found = array("Q")
    found.frombytes(chunk)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def chunk_of(numbers: array[int]) -> bytes:
    """Numbers as a chunk; the array may be spoilt by it."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def is_student(seat: int) -> bool:
    """Whether a seat is a student's."""
    return seat & _ROLE_MASK == STUDENT


def is_taught(seats: Iterable[int]) -> bool:
    """Whether a teacher in force is among the seats."""
    return any(seat & _ROLE_MASK == TEACHER and seat & STATUS_MASK < KEPT for seat in seats)


def pseudonym(number: int) -> str:
    """How a record is named to people: twelve hexadecimal digits of its keyed hash."""
    return f"{number:016x}"[:12]


__all__ = [
    "AIDES",
    "AIDES_BY_ROLE",
    "ENROLLMENTS",
    "KEPT",
    "KINDS",
    "PERSON_SHIFT",
    "SECTIONS",
    "SECTION_WIDTH",
    "STATUS_MASK",
    "STUDENT",
    "TEACHER",
    "USERS",
    "USER_WIDTH",
    "Basis",
    "Generation",
    "GenerationHead",
    "chunk_of",
    "is_student",
    "is_taught",
    "numbers_of",
    "pseudonym",
]
