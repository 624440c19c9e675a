"""A roster three times beside each other: what the SIS says now, what the last good import held, what Canvas holds.

Pure. Every difference gets one cause, so that somebody who asks "why is she not in Canvas" reads an answer. Records are
told by school and kind, classes by the SIS's id, people by pseudonym only. Nothing is read here.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_change import ALL_SCHOOLS, RosterChange
from gradesync.domain.roster_classes import sections_of
from gradesync.domain.roster_generation import (
    ENROLLMENTS,
    SECTION_WIDTH,
    SECTIONS,
    STATUS_MASK,
    USER_WIDTH,
    USERS,
    Generation,
    GenerationHead,
    numbers_of,
    pseudonym,
)
from gradesync.domain.roster_hashing import person_number, seat_numbers
from gradesync.domain.roster_plain import PLAIN_WIDTH, plain_number

Seat = tuple[str, str]
Chunks = Callable[[str, str], bytes]

MOST_RECORDS, MOST_CLASSES = 100, 300
"""How many records of each kind and cause are named, and how many classes."""


class Cause(Enum):
    """Why a record is on one side only, the gravest first."""

    LOST = "lost"
    STAYED = "stayed"
    BEYOND = "beyond"
    REFUSED = "refused"
    ENDS = "ends"
    NOT_YET = "not yet"
    GONE = "gone"
    OTHERS = "others'"


NEED_PERSON = frozenset({Cause.LOST, Cause.STAYED, Cause.BEYOND, Cause.REFUSED})


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind in one school: records in force in the SIS, in the last good import (None: unknown), and in Canvas too.

    Of enrollments only those of the classes that were looked at.
    """

    kind: str
    school: str
    sis: int
    last: int | None
    both: int
    causes: Mapping[Cause, int]


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class whose seats differ; `canvas` is None where Canvas has no such section."""

    class_id: str
    school: str
    sis: int
    canvas: int | None
    causes: Mapping[Cause, int]


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One record that differs, by pseudonym."""

    kind: str
    school: str
    subject: str
    cause: Cause
    class_id: str = ""


@dataclass(frozen=True, slots=True)
class RosterComparison:
    """The whole comparison. `change` lays the SIS beside the last good import of `last_day` (None: none is known).

    `looked` of `classes_in_all` classes were asked for in Canvas; `ids_compared` tells whether ids were, too. `codes`
    are records the mapping leaves out; `future` enrollments that have not begun.
    """

    schedule: str
    lines: tuple[KindLine, ...]
    classes: tuple[ClassLine, ...]
    records: tuple[RecordLine, ...]
    change: RosterChange
    looked: int
    classes_in_all: int
    ids_compared: bool = True
    last_day: date | None = None
    codes: Mapping[str, int] = field(default_factory=dict)
    future: int = 0
    observes: bool = False

    def causes(self) -> Counter[Cause]:
        """All kinds together."""
        found: Counter[Cause] = Counter()
        for one in self.lines:
            found.update(one.causes)
        return found

    @property
    def looks(self) -> int:
        """Records somebody must look at."""
        causes = self.causes()
        return sum(causes[cause] for cause in NEED_PERSON)

    @property
    def needs_person(self) -> bool:
        """Whether anything needs somebody: records, or a stop that the next run would meet."""
        return bool(self.looks or self.change.stopped)


class LastRead:
    """The last good import: whether it held a record, and in which school. Without one, it held nothing."""

    def __init__(self, head: GenerationHead | None, chunk: Chunks, keyed: KeyedHash) -> None:
        self._head = head if head is not None and head.key_id == keyed.key_id else None
        self._chunk = chunk
        self._numbers: dict[str, dict[str, array[int]]] = {}
        person, section, plain = person_number(keyed), keyed.numbers("class"), plain_number(keyed)
        self._number: Mapping[str, Callable[[str], int]] = {USERS: person, SECTIONS: section}
        self._plain = plain

    @property
    def head(self) -> GenerationHead | None:
        """Its head; None when there is none under this key."""
        return self._head

    def number(self, kind: str, id: str) -> int:
        """The record's number, whether it is held or not."""
        of = self._number.get(kind)
        return of(id) if of is not None else self._plain(kind, id)

    def school_of(self, kind: str, id: str) -> str | None:
        """The school in which the record stood; None when it did not."""
        if self._head is None:
            return None
        number = self.number(kind, id)
        for school, numbers in self._of(kind).items():
            at = bisect_left(numbers, number)
            if at < len(numbers) and numbers[at] == number:
                return school
        return None

    def _of(self, kind: str) -> Mapping[str, array[int]]:
        if kind not in self._numbers and self._head is not None:
            width = {SECTIONS: SECTION_WIDTH, USERS: USER_WIDTH}.get(kind, PLAIN_WIDTH)
            self._numbers[kind] = {
                school: numbers_of(self._chunk(kind, school))[::width]
                for school in sorted(self._head.counts.get(kind, {}).keys() | self._more(kind))
            }
        return self._numbers[kind]

    def _more(self, kind: str) -> frozenset[str]:
        return self._head.schools if self._head is not None and kind in self._number else frozenset()


class Tally:
    """Counts differences by kind, school and cause, and names some of them."""

    def __init__(self) -> None:
        self.causes: dict[tuple[str, str], Counter[Cause]] = {}
        self.records: list[RecordLine] = []
        self._named: Counter[tuple[str, Cause]] = Counter()

    def note(self, kind: str, school: str, cause: Cause, number: int, class_id: str = "") -> None:
        """One record that differs; `number` is its keyed hash."""
        self.causes.setdefault((kind, school), Counter())[cause] += 1
        if self._named[kind, cause] < MOST_RECORDS:
            self._named[kind, cause] += 1
            self.records.append(RecordLine(kind, school, pseudonym(number), cause, class_id))


class SeatJudge:
    """Judges the seats of classes, by the last good import (`old`) and the read at hand (`new`)."""

    def __init__(self, old: LastRead, chunk: Chunks, new: Generation, keyed: KeyedHash, tally: Tally) -> None:
        self._class, self._seat, self._tally = keyed.numbers("class"), seat_numbers(keyed), tally
        self._old: dict[int, array[int]] = {}
        if old.head is not None:
            for school in old.head.schools:
                self._old |= sections_of(chunk(ENROLLMENTS, school))
        self._new: dict[int, array[int]] = {}
        for school in new.head.schools:
            self._new |= sections_of(new.chunk(ENROLLMENTS, school))

    def last(self, class_id: str) -> int:
        """Active seats of the class in the last good import."""
        return sum(not seat & STATUS_MASK for seat in self._old.get(self._class(class_id), ()))

    def judge(
        self,
        class_id: str,
        school: str,
        wanted: Mapping[Seat, Seat],
        held: Mapping[Seat, Seat] | None,
        refused: Callable[[Seat], bool],
        beyond: Set[Seat] = frozenset(),
    ) -> ClassLine | None:
        """Every seat that is on one side only; None where there is none.

        The keys of `wanted` and `held` are (person, role) as Canvas names them, the values as the files do; `beyond`
        are keys of seats that a run tells as GS-626.
        """
        number = self._class(class_id)
        before, now = self._old.get(number, ()), self._new.get(number, ())
        active = {self._bare(seat) for seat in before if not seat & STATUS_MASK}
        # Sent as ended before; of one that this read is the first to call ended, the next run sends that.
        ended, ends = {self._bare(seat) for seat in before}, {self._bare(seat) for seat in now}
        causes: Counter[Cause] = Counter()
        found: Mapping[Seat, Seat] = {} if held is None else held
        for one, named in sorted(wanted.items()):
            if one not in found:
                cause = (
                    Cause.REFUSED
                    if refused(named)
                    else Cause.LOST
                    if self._seat(*named) in active
                    else Cause.NOT_YET
                )
                causes[cause] += 1
                self._tally.note(ENROLLMENTS, school, cause, self._seat(*named), class_id)
        for one, named in sorted(found.items()):
            if one not in wanted:
                seat = self._seat(*named)
                cause = Cause.ENDS if seat in active else Cause.STAYED if seat in ended else Cause.OTHERS
                if cause is Cause.OTHERS and seat in ends:
                    cause = Cause.ENDS
                if cause is not Cause.ENDS and one in beyond:
                    # No hand seated it: the run tells it every night, and so must whoever asks in between.
                    cause = Cause.BEYOND
                causes[cause] += 1
                self._tally.note(ENROLLMENTS, school, cause, seat, class_id)
        canvas = None if held is None else len(held)
        return ClassLine(class_id, school, len(wanted), canvas, causes) if causes else None

    @staticmethod
    def _bare(seat: int) -> int:
        return seat >> STATUS_MASK.bit_length()


def worst_first(classes: list[ClassLine]) -> tuple[ClassLine, ...]:
    """The classes to be told: those first in which most needs somebody, then those that differ most."""

    def rank(one: ClassLine) -> tuple[int, int, str]:
        need = sum(number for cause, number in one.causes.items() if cause in NEED_PERSON)
        return (-need, -sum(one.causes.values()), one.class_id)

    return tuple(sorted(classes, key=rank)[:MOST_CLASSES])


def cause_of_absent(*, refused: bool, sent: bool) -> Cause:
    """Why Canvas does not hold a record of the SIS's."""
    if refused:
        return Cause.REFUSED
    return Cause.LOST if sent else Cause.NOT_YET


__all__ = [
    "ALL_SCHOOLS",
    "NEED_PERSON",
    "Cause",
    "ClassLine",
    "KindLine",
    "LastRead",
    "RecordLine",
    "RosterComparison",
    "SeatJudge",
    "Tally",
    "cause_of_absent",
    "worst_first",
]
