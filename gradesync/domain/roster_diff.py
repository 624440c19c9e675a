"""How two generations differ: per school and kind, what came, left, moved, changed or got another id. Pure.

School by school, so that only one school's numbers are opened at a time; of the whole account only what left and what
came is kept until the end, because a record that left one school may have come to another. No limit is known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from gradesync.domain.roster_change import Example, RosterChange, SchoolChange
from gradesync.domain.roster_generation import (
    ENROLLMENTS,
    KINDS,
    PERSON_SHIFT,
    SECTION_WIDTH,
    SECTIONS,
    USER_WIDTH,
    USERS,
    Generation,
    GenerationHead,
    is_taught,
    numbers_of,
    pseudonym,
)
from gradesync.domain.roster_plain import all_new_plain, plain_changes
from gradesync.domain.roster_seats import ACTIVE, COMPLETED, Count, SchoolSeats, seat_changes

Chunks = Callable[[str, str], bytes]
"""(kind, school) -> the chunk; empty bytes when there is none."""

LAST_READ, LAST_YEAR, LAST_TERM = "last read", "last year", "last term"

COMPLETING = timedelta(days=7)
"""How long after a term's end its enrollments may still be completed: not every one ends with its last day."""
REPLACING = timedelta(days=45)
"""How long after a term's end a SIS may begin to show the next one's classes alone."""
REPLACED_SHARE = 0.5
"""The share of the sections that must be gone for that."""

EXAMPLES = 10
"""How many examples a change names."""
_EACH = 5
_NEW_ID, _REMOVED, _LOST, _ENDED, _MOVED = "new id", "removed", "lost people", "ended", "moved"
_RANK = {what: rank for rank, what in enumerate((_NEW_ID, _REMOVED, _LOST, _ENDED, _MOVED))}


@dataclass(frozen=True, slots=True)
class _Record:
    """A record that left or came: its school, what it is like, who sits in it (sections; 0 when too few)."""

    school: str
    likeness: int
    company: int = 0
    seats: int = 0


@dataclass(slots=True)
class _Flow:
    """The records of one kind that left, and those that came."""

    gone: dict[int, _Record] = field(default_factory=dict)
    come: dict[int, _Record] = field(default_factory=dict)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    others: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def note(self, what: str, number: int, school: str) -> None:
        """Keep a few of those that stayed under their id, as examples."""
        kept = self.others.setdefault(what, [])
        if len(kept) < _EACH:
            kept.append((number, school))


class Differences:
    """Two generations laid side by side; `schools` and `examples` when all schools have been taken.

    `completing`: enrollments may be completed now, because a term has come to its end; else that is an end as well.
    """

    def __init__(self, *, completing: bool = True) -> None:
        self._lasting = COMPLETED if completing else ACTIVE
        self._counts: dict[tuple[str, str], Count] = {}
        self._flows = {USERS: _Flow(), SECTIONS: _Flow()}
        self._seats_lost: Counter[int] = Counter()
        self._emptied: list[tuple[int, int, str]] = []

    def take(self, school: str, old: Chunks, new: Chunks) -> None:
        """One school. Chunks that are equal byte for byte cost no more than that look."""
        was, now = old(ENROLLMENTS, school), new(ENROLLMENTS, school)
        seats = (SchoolSeats(was), SchoolSeats(now))
        if was != now:
            self._take_seats(school, *seats)
        self._take_sections(school, old(SECTIONS, school), new(SECTIONS, school), *seats)
        self._take_users(school, old(USERS, school), new(USERS, school))

    def _count(self, kind: str, school: str) -> Count:
        return self._counts.setdefault((kind, school), Count())

    def _take_seats(self, school: str, old: SchoolSeats, new: SchoolSeats) -> None:
        count = self._count(ENROLLMENTS, school)
        lost: Counter[int] = Counter()
        gained: Counter[int] = Counter()
        for section in old.places.keys() | new.places.keys():
            if old.raw(section) == new.raw(section):
                continue
            gone = seat_changes(old.seats(section), new.seats(section), count, lost, gained, self._lasting)
            if new.is_attended(section) and is_taught(old.seats(section)):
                self._count(SECTIONS, school).untaught += not is_taught(new.seats(section))
            if gone:
                self._emptied.append((gone, section, school))
        # Who lost one class and gained another in the same school was moved.
        moved = sum(min(number, gained[person]) for person, number in lost.items() if person in gained)
        count.moved += moved
        count.created -= moved
        from_removed = min(moved, count.removed)
        count.removed -= from_removed
        count.ended -= moved - from_removed
        self._seats_lost.update(lost)
        self._emptied = sorted(self._emptied, key=lambda one: (-one[0], one[1]))[:EXAMPLES]

    def _take_sections(
        self, school: str, was: bytes, now: bytes, seats: SchoolSeats, seats_now: SchoolSeats
    ) -> None:
        if was == now:
            return
        count, flow = self._count(SECTIONS, school), self._flows[SECTIONS]
        old, new = _records(was, SECTION_WIDTH), _records(now, SECTION_WIDTH)
        for number, (likeness, place, content) in old.items():
            other = new.get(number)
            if other is None:
                flow.gone[number] = _Record(school, likeness, seats.company(number), seats.kept(number))
            elif other[1] != place:
                count.moved += 1
                flow.note(_MOVED, number, school)
            elif other[2] != content:
                count.changed += 1
        for number in new.keys() - old.keys():
            flow.come[number] = _Record(school, new[number][0], seats_now.company(number))

    def _take_users(self, school: str, was: bytes, now: bytes) -> None:
        if was == now:
            return
        count, flow = self._count(USERS, school), self._flows[USERS]
        old, new = _records(was, USER_WIDTH), _records(now, USER_WIDTH)
        for number, (likeness, content) in old.items():
            other = new.get(number)
            if other is None:
                flow.gone[number] = _Record(school, likeness)
            elif content & 1 > other[1] & 1:
                count.ended += 1
                flow.note(_ENDED, number, school)
            elif content != other[1]:
                count.changed += 1
        for number in new.keys() - old.keys():
            flow.come[number] = _Record(school, new[number][0])

    def result(self, old: GenerationHead, new: GenerationHead) -> RosterChange:
        """Everything taken, as numbers and examples. `codes` and `digest` are still open."""
        for kind, flow in self._flows.items():
            self._settle(kind, flow)
        schools = []
        for kind in KINDS:
            before, after = old.counts.get(kind, {}), new.counts.get(kind, {})
            for school in sorted({*before, *after, *(name for of, name in self._counts if of == kind)}):
                count = self._counts.get((kind, school), Count())
                count.before, count.after = before.get(school, 0), after.get(school, 0)
                schools.append(
                    SchoolChange(kind, school, *(getattr(count, name) for name in Count.__slots__))
                )
        return RosterChange(tuple(schools), LAST_READ, examples=tuple(self._examples()), base=old.digest)

    def _settle(self, kind: str, flow: _Flow) -> None:
        """Tell apart what went to another school, what came back under another id, and what is gone."""
        for number in sorted(flow.gone.keys() & flow.come.keys()):
            left, came = flow.gone.pop(number), flow.come.pop(number)
            count = self._count(kind, left.school)
            # Getting or losing one's first class is no move between schools.
            if left.school and came.school:
                count.moved += 1
                flow.note(_MOVED, number, left.school)
            else:
                count.changed += 1
        flow.pairs = _pairs(flow)
        for number, _ in flow.pairs:
            self._count(kind, flow.gone[number].school).renumbered += 1
        for record in flow.gone.values():
            self._count(kind, record.school).removed += 1
        for record in flow.come.values():
            self._count(kind, record.school).created += 1

    def _examples(self) -> list[Example]:
        """The records most people hang on, a few of each sort, the gravest sort first."""
        found: list[Example] = []
        for kind, flow in self._flows.items():
            weights = {
                number: record.seats or self._seats_lost[number >> PERSON_SHIFT]
                for number, record in flow.gone.items()
            }
            heaviest = sorted(flow.gone, key=lambda number: (-weights[number], number))
            back = dict(flow.pairs)
            renumbered = [number for number in heaviest if number in back][:_EACH]
            others = [number for number in heaviest if number not in back][:_EACH]
            for number in (*renumbered, *others):
                other = back.get(number)
                found.append(
                    Example(
                        what=_REMOVED if other is None else _NEW_ID,
                        kind=kind,
                        school=flow.gone[number].school,
                        subject=pseudonym(number),
                        seats=weights[number],
                        other=None if other is None else pseudonym(other),
                    )
                )
            for what, numbers in flow.others.items():
                found += [Example(what, kind, school, pseudonym(number)) for number, school in numbers]
        for seats, section, school in self._emptied:
            if section not in self._flows[SECTIONS].gone:
                found.append(Example(_LOST, SECTIONS, school, pseudonym(section), seats))
        return sorted(found, key=lambda one: (_RANK[one.what], -one.seats, one.subject))[:EXAMPLES]


def _records(chunk: bytes, width: int) -> dict[int, tuple[int, ...]]:
    numbers = numbers_of(chunk)
    return {numbers[at]: tuple(numbers[at + 1 : at + width]) for at in range(0, len(numbers), width)}


def _pairs(flow: _Flow) -> list[tuple[int, int]]:
    """(number that left, number that came) of records that are alike but for the id.

    By likeness first; classes whose title or code changed along with the id are known by who sits in them.
    """
    pairs: list[tuple[int, int]] = []
    left, came = dict(flow.gone), dict(flow.come)
    for trait in (_likeness, _company):
        by_trait: dict[int, list[int]] = {}
        for number in sorted(came):
            if value := trait(came[number]):
                by_trait.setdefault(value, []).append(number)
        for number in sorted(left):
            waiting = by_trait.get(trait(left[number]))
            if waiting:
                other = waiting.pop(0)
                pairs.append((number, other))
                del left[number], came[other]
    return pairs


def _likeness(record: _Record) -> int:
    return record.likeness


def _company(record: _Record) -> int:
    return record.company


def differences(old: GenerationHead, chunks: Chunks, new: Generation, *, begun: bool = True) -> RosterChange:
    """How `new` differs from the generation of `old`, whose chunks are fetched one school at a time.

    Of another school year only the counts are compared, and people by id: its classes are others by nature. Unless it
    has `begun`, most of its enrollments are not sent yet and say nothing. The same where a term has ended and the SIS
    shows the classes of the next one in its place.
    """
    return replace(
        _measured(old, chunks, new, begun=begun),
        besides=plain_changes(old, chunks, new),
    )


def _measured(old: GenerationHead, chunks: Chunks, new: Generation, *, begun: bool) -> RosterChange:
    """The same for the kinds that have limits."""
    counted = (SECTIONS, ENROLLMENTS) if begun else (SECTIONS,)
    if old.basis.year != new.head.basis.year:
        return _replaced(old, chunks, new, counted, LAST_YEAR)
    laid = Differences(completing=old.basis.ended_by(new.head.basis.day, COMPLETING))
    for school in sorted(old.schools | new.head.schools):
        laid.take(school, chunks, new.chunk)
    found = laid.result(old, new.head)
    sections = found.total(SECTIONS)
    if (
        old.basis.ended_by(new.head.basis.day, REPLACING)
        and sections.removed >= sections.before * REPLACED_SHARE
    ):
        return _replaced(old, chunks, new, counted, LAST_TERM)
    return found


def _replaced(
    old: GenerationHead, chunks: Chunks, new: Generation, counted: Sequence[str], against: str
) -> RosterChange:
    """A new year or term against the one it replaces: no course of the old one leaves Canvas, so smaller counts tell.

    People are not `counted`: they belong to the school of a class, and before the first day of school few have one.
    """
    people = Differences()
    reused: dict[str, int] = {}
    for school in sorted(old.schools | new.head.schools):
        people.take(school, _only(USERS, chunks), _only(USERS, new.chunk))
        if against == LAST_YEAR:
            was, now = chunks(SECTIONS, school), new.chunk(SECTIONS, school)
            reused[school] = len(_records(was, SECTION_WIDTH).keys() & _records(now, SECTION_WIDTH).keys())
    measured = people.result(old, new.head)
    schools = tuple(
        SchoolChange(
            one.kind,
            one.school,
            one.before,
            one.after,
            created=max(one.after - one.before, 0),
            removed=max(one.before - one.after, 0) if one.kind in counted else 0,
            # The courses of last year, with the work in them, would become those of this year.
            moved=reused.get(one.school, 0) if one.kind == SECTIONS else 0,
            renumbered=one.renumbered,
        )
        for one in measured.schools
    )
    # Who left over the summer is no example of anything; who came back under another id is.
    examples = tuple(one for one in measured.examples if one.what == _NEW_ID)
    return RosterChange(schools, against, examples=examples, base=old.digest)


def all_new(new: Generation) -> RosterChange:
    """A read with nothing to compare it with: everything in it would be created."""
    counts = new.head.counts
    schools = (
        SchoolChange(kind, school, after=number, created=number)
        for kind in KINDS
        for school, number in sorted(counts.get(kind, {}).items())
    )
    return RosterChange(tuple(schools), besides=all_new_plain(new))


def _only(kind: str, chunks: Chunks) -> Chunks:
    return lambda of, school: chunks(of, school) if of == kind else b""


__all__ = ["EXAMPLES", "LAST_READ", "LAST_TERM", "LAST_YEAR", "Chunks", "all_new", "differences"]
