"""The seats of two generations laid side by side, section by section: what became of each. Pure.

Counts only; what they mean for schools, and whose they are, is put together in `roster_diff`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gradesync.domain.roster_generation import (
    KEPT,
    PERSON_SHIFT,
    STATUS_MASK,
    is_student,
    numbers_of,
)

ACTIVE, COMPLETED = 0, 1
"""The statuses that keep people in a class."""

_COMPANY = 3
"""From how many students on the same people in a class tell that it is the same class."""


@dataclass(slots=True)
class Count:
    """A `SchoolChange` in the making."""

    before: int = 0
    after: int = 0
    created: int = 0
    changed: int = 0
    ended: int = 0
    removed: int = 0
    moved: int = 0
    renumbered: int = 0
    untaught: int = 0


class SchoolSeats:
    """A school's seats, section by section; a section's bytes are opened only when they differ."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = memoryview(chunk)
        self.places: dict[int, tuple[int, int]] = {}
        numbers, at = numbers_of(chunk), 0
        while at < len(numbers):
            end = at + 2 + numbers[at + 1]
            self.places[numbers[at]] = (8 * (at + 2), 8 * end)
            at = end

    def raw(self, section: int) -> memoryview:
        """A section's seats as bytes; empty for an unknown one."""
        start, end = self.places.get(section, (0, 0))
        return self._chunk[start:end]

    def seats(self, section: int) -> Iterable[int]:
        """A section's seats."""
        return numbers_of(bytes(self.raw(section)))

    def company(self, section: int) -> int:
        """A hash of the students in force; 0 when they are too few to tell a class by."""
        people = [
            seat >> PERSON_SHIFT
            for seat in self.seats(section)
            if is_student(seat) and seat & STATUS_MASK < KEPT
        ]
        return hash(tuple(people)) if len(people) >= _COMPANY else 0

    def is_attended(self, section: int) -> bool:
        """Whether a student in force sits in a section."""
        return any(is_student(seat) and seat & STATUS_MASK < KEPT for seat in self.seats(section))

    def kept(self, section: int) -> int:
        """People in force in a section."""
        return sum(seat & STATUS_MASK < KEPT for seat in self.seats(section))


def seat_changes(
    old: Iterable[int],
    new: Iterable[int],
    count: Count,
    lost: Counter[int],
    gained: Counter[int],
    lasting: int,
) -> int:
    """Count one section's changes; answers how many seats were lost. Up to the status `lasting` a seat is still one."""
    was = {seat >> 2: seat & STATUS_MASK for seat in old}
    now = {seat >> 2: seat & STATUS_MASK for seat in new}
    gone = 0
    for seat, status in was.items():
        later = now.get(seat)
        if status >= KEPT or later == status:
            continue
        if later is not None and later <= max(status, lasting):
            count.changed += 1
            continue
        if later is None:
            count.removed += 1
        else:
            count.ended += 1
        gone += 1
        lost[seat >> (PERSON_SHIFT - 2)] += 1
    for seat, status in now.items():
        if status < KEPT and was.get(seat, KEPT) >= KEPT:
            count.created += 1
            gained[seat >> (PERSON_SHIFT - 2)] += 1
    return gone


__all__ = ["ACTIVE", "COMPLETED", "Count", "SchoolSeats", "seat_changes"]
