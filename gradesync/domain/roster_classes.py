"""Who came and who left, class by class, between two generations of a roster. Pure; only numbers are to be kept.

Only schools whose seats differ are opened, one at a time. Which numbers stand for which class is told from outside,
because a generation holds nothing but keyed hashes; a class that is gone keeps its pseudonym.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_change import ClassChange
from gradesync.domain.roster_generation import (
    ENROLLMENTS,
    KEPT,
    STATUS_MASK,
    Generation,
    GenerationHead,
    numbers_of,
    pseudonym,
)
from gradesync.domain.roster_hashing import seat_numbers

MOST_CLASSES = 300
"""How many classes a run keeps, those with the most comings and goings first."""

_ROLE_AND_PERSON = 2
"""A seat shifted right by this is person and role, without the status."""


def class_changes(
    old: GenerationHead,
    chunks: Callable[[str, str], bytes],
    new: Generation,
    keyed: KeyedHash,
    class_ids: Iterable[str],
) -> tuple[ClassChange, ...]:
    """Seats added to and dropped from each class, those with the most comings and goings first; of another school year
    there is nothing to compare."""
    if old.basis.year != new.head.basis.year or old.key_id != new.head.key_id:
        return ()
    found: list[ClassChange] = []
    for school in sorted(old.schools | new.head.schools):
        was, now = chunks(ENROLLMENTS, school), new.chunk(ENROLLMENTS, school)
        if was != now:
            found += _school(school, was, now)
    found.sort(key=lambda one: (-(one.added + one.dropped), one.class_id))
    number = keyed.numbers("class")
    wanted = {one.class_id for one in found}
    names = {pseudonym(at): one for one in class_ids if pseudonym(at := number(one)) in wanted}
    return tuple(
        ClassChange(names.get(one.class_id, one.class_id), one.school, one.added, one.dropped)
        for one in found
    )


def left_behind(
    chunks: Callable[[str, str], bytes],
    new: Generation,
    keyed: KeyedHash,
    school: str,
    held: Mapping[str, Iterable[tuple[str, str]]],
) -> list[tuple[str, str, str]]:
    """Of the seats that Canvas holds (class -> person and role): those that the last good read had and the new one has
    not. Others are none of ours: teachers and other tools may seat whom they like."""
    before, after = sections_of(chunks(ENROLLMENTS, school)), sections_of(new.chunk(ENROLLMENTS, school))
    number, seat = keyed.numbers("class"), seat_numbers(keyed)
    found = []
    for class_id, seats in held.items():
        at = number(class_id)
        gone = _kept(before.get(at)) - _kept(after.get(at))
        found += [(class_id, person, role) for person, role in seats if gone and seat(person, role) in gone]
    return found


def _school(school: str, was: bytes, now: bytes) -> Iterator[ClassChange]:
    """The classes of a school that differ, by the pseudonym of their number."""
    before, after = sections_of(was), sections_of(now)
    for section in before.keys() | after.keys():
        left, came = before.get(section), after.get(section)
        if left == came:
            continue
        old, new = _kept(left), _kept(came)
        if old != new:
            yield ClassChange(pseudonym(section), school, len(new - old), len(old - new))


def sections_of(chunk: bytes) -> dict[int, array[int]]:
    """Section -> its seats."""
    numbers = numbers_of(chunk)
    found: dict[int, array[int]] = {}
    at = 0
    while at < len(numbers):
        end = at + 2 + numbers[at + 1]
        found[numbers[at]] = numbers[at + 2 : end]
        at = end
    return found


def _kept(seats: array[int] | None) -> frozenset[int]:
    """Persons and roles that sit in the class."""
    return frozenset(seat >> _ROLE_AND_PERSON for seat in seats or () if seat & STATUS_MASK < KEPT)
