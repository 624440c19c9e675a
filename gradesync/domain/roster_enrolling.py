"""Enrollments of one part of a roster as rows of Canvas's file: role, status, and one row for each seat. Pure.

Column by column and decided once for each combination that occurs, because a district has hundreds of thousands of
them. Who the people are is `roster_people`'s, which classes have a place in Canvas `roster_courses`'s.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import add

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import RosterUser
from gradesync.domain.roster_columns import Kind, Seats
from gradesync.domain.roster_csv import Coded, RowColumns, is_plain
from gradesync.domain.roster_text import INCOMPLETE

PERSON_ROLES = frozenset({"student", "teacher", "aide"})
"""Roles of people who are sent for their own sake."""
_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class PeopleTally:
    """What the people's files hold: rows by kind, enrollments not withdrawn, people not suspended, enrollments that
    have not begun, those in force of people who were not read, and problems."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    open_users: int = 0
    future: int = 0
    strangers: int = 0
    problems: Counter[str] = field(default_factory=Counter)


_NOT_OURS, _BAD, _STRANGER, _FUTURE = "", "?", "nobody", "future"
"""What stands for a role or status of an enrollment that is not carried: not Canvas's business, wrong, or not begun."""
_MOST_KNOWN = 20_000
_PEOPLE = 1 << 20
"""More than the people of any part."""
_RANKS = {"active": 0, "completed": 1, "inactive": 2}


def _canvas_role(enrolled_as: str, person_is: str | None) -> str:
    """Canvas's role, or what stands for none."""
    if enrolled_as not in PERSON_ROLES and not (enrolled_as == "proctor" and person_is == "aide"):
        return _NOT_OURS
    return _STRANGER if person_is is None else role_of(enrolled_as, person_is) or _BAD


def _canvas_status(
    begin: date | None, end: date | None, term_end: date | None, today: date, left: str
) -> str:
    """Canvas's status, or what stands for none; `term_end` None: the class has no place in Canvas."""
    if term_end is None:
        return _BAD
    if begin is not None and begin > today:
        return _FUTURE
    # `end` is exclusive.
    return "active" if end is None or end > today else ended_as(end, term_end, today, left)


class _Outcomes(dict[tuple[int, "str | None", "date | None"], int]):
    """(kind of enrollment, the person's role, end of the class's term) -> the place of what becomes of it.

    A district has few such combinations, so that nothing is decided twice. `roles` and `statuses` are Canvas's.
    """

    def __init__(self, kinds: Sequence[Kind], today: date, left: str) -> None:
        super().__init__()
        self.kinds, self._today, self._left = kinds, today, left
        self.roles: list[str] = []
        self.statuses: list[str] = []
        self.odd: set[int] = set()

    def __missing__(self, key: tuple[int, str | None, date | None]) -> int:
        kind, person_is, term_end = key
        enrolled_as, begin, end = self.kinds[kind]
        role = _canvas_role(enrolled_as, person_is)
        status = _canvas_status(begin, end, term_end, self._today, self._left)
        place = self[key] = len(self.roles)
        self.roles.append(role)
        self.statuses.append(status)
        if role in (_NOT_OURS, _BAD, _STRANGER) or status in (_BAD, _FUTURE):
            self.odd.add(place)
        return place

    def withdrawn(self, places: Sequence[int]) -> int:
        """How many of the places stand for an enrollment that is withdrawn."""
        return sum(places.count(at) for at, status in enumerate(self.statuses) if status == "inactive")

    def tell(self, places: Iterable[int], tally: PeopleTally) -> None:
        """Count what is not carried."""
        for place in self.odd.intersection(places) and filter(self.odd.__contains__, places):
            role, status = self.roles[place], self.statuses[place]
            if role == _NOT_OURS:
                continue
            if role == _STRANGER or _BAD in (role, status):
                tally.problems[INCOMPLETE] += 1
                tally.strangers += role == _STRANGER and status == "active"
            else:
                tally.future += 1


class _Classes:
    """What is known of classes by their number in the parts of one roster."""

    def __init__(self, ids: Sequence[str], ends: Mapping[str, date]) -> None:
        self.ids = ids
        self.count = len(ids)
        self.plain = is_plain(ids)
        self.ends = [ends.get(one) for one in ids]
        # Numbers with a fraction are compared and added faster than whole ones of this size.
        self.ranks = array("d", bytes(8 * len(ids)))
        for rank, number in enumerate(sorted(range(len(ids)), key=ids.__getitem__)):
            self.ranks[number] = float(rank * _PEOPLE)


class Enrolling:
    """Rows of enrollments. Column by column, because a district has hundreds of thousands of them."""

    def __init__(
        self, mapping: RosterMapping, classes: Mapping[str, date], today: date, tally: PeopleTally
    ) -> None:
        self._ends, self._left, self._today, self._tally = classes, mapping.ended, today, tally
        self._classes = _Classes((), classes)
        self._outcomes = _Outcomes((), today, mapping.ended)

    def rows(self, people: Mapping[str, RosterUser], seats: Seats) -> RowColumns:
        """One row for each class, person and role of one part, in order.

        Canvas keeps one enrollment per section, person and role, so a student who left and came back has two rows in
        the SIS and one here: the one in force wins.
        """
        self._prepare(seats)
        outcomes, classes = self._outcomes, self._classes
        persons = _Persons(people)
        numbers = list(map(persons.__getitem__, seats.user_ids))
        # Once a column, so that no line of Python is run for each enrollment.
        places = list(
            map(
                outcomes.__getitem__,
                zip(
                    seats.kind_numbers,
                    map(persons.roles.__getitem__, numbers),
                    map(classes.ends.__getitem__, seats.class_numbers),
                    strict=True,
                ),
            )
        )
        keys = list(
            map(
                add,
                map(classes.ranks.__getitem__, seats.class_numbers),
                map(persons.ranks().__getitem__, numbers),
            )
        )
        order = self._order(keys, places)
        carried = list(map(places.__getitem__, order))
        self._tally.kept += len(order) - outcomes.withdrawn(carried)
        nothing = Coded(carried, ("",) * len(outcomes.roles))
        return RowColumns(
            (
                Coded(list(map(seats.class_numbers.__getitem__, order)), classes.ids, classes.plain),
                Coded(list(map(numbers.__getitem__, order)), list(persons)),
                Coded(carried, outcomes.roles),
                Coded(carried, outcomes.statuses),
                nothing,
                nothing,
            )
        )

    def _prepare(self, seats: Seats) -> None:
        """Begin anew with what is known of classes and kinds where a part brings tables of its own."""
        if seats.classes is not self._classes.ids or len(seats.classes) != self._classes.count:
            self._classes = _Classes(seats.classes, self._ends)
        if seats.kinds is not self._outcomes.kinds or len(self._outcomes) > _MOST_KNOWN:
            self._outcomes = _Outcomes(seats.kinds, self._today, self._left)

    def _order(self, keys: list[float], places: list[int]) -> Sequence[int]:
        """The rows that are carried, by number, in the order of class, person and role."""
        odd = self._outcomes.odd
        order: Iterable[int] = range(len(keys))
        if odd and not odd.isdisjoint(places):
            self._outcomes.tell(places, self._tally)
            order = [at for at in order if places[at] not in odd]
        ordered = sorted(order, key=keys.__getitem__)
        if len(set(keys)) == len(keys):
            return ordered
        # Somebody is in a class twice: in two roles, or for a second time.
        roles, statuses = self._outcomes.roles, self._outcomes.statuses
        found: list[int] = []
        for _, group in groupby(ordered, keys.__getitem__):
            by_role: dict[str, int] = {}
            for at in sorted(group, key=lambda one: _RANKS[statuses[places[one]]]):
                by_role.setdefault(roles[places[at]], at)
            found += [by_role[role] for role in sorted(by_role)]
        return found


class _Persons(dict[str, int]):
    """User id -> number; `roles` by number. Whoever is not among the `people` has no role."""

    def __init__(self, people: Mapping[str, RosterUser]) -> None:
        super().__init__(zip(people, range(len(people)), strict=True))
        self.roles: list[str | None] = [user.role for user in people.values()]

    def __missing__(self, user_id: str) -> int:
        number = self[user_id] = len(self.roles)
        self.roles.append(None)
        return number

    def ranks(self) -> list[float]:
        """By number, the rank of the user's id among all."""
        found = [0.0] * len(self)
        for rank, user_id in enumerate(sorted(self)):
            found[self[user_id]] = float(rank)
        return found


def role_of(enrolled_as: str, person_is: str) -> str | None:
    """Canvas's role; None when the two sources contradict each other.

    An aide stands in a OneRoster 1.1 class as teacher or proctor, because its enrollments know no aide; `ta` gives
    the lesser right. A student enrolled as teacher or aide would see the grades of others: that is not guessed.
    """
    if enrolled_as == "student":
        return "student"
    if person_is == "student":
        return None
    return "ta" if "aide" in (enrolled_as, person_is) else "teacher"


def ended_as(end: date, term_end: date, today: date, left: str) -> str:
    """Canvas's status of an enrollment that has ended; `left` is that of one that ended before its term.

    Whoever stayed until the term was over has `completed` it and may still look at the course. A student who left
    before is `inactive`: out of the course, but with the grades kept; `deleted` would hide them from every reader
    (`canvas.md` 5.6). A teacher or aide who left loses access by `inactive` too: nothing is ever deleted.
    """
    # Some SISes mean the last day by the end date: one day less still counts as having stayed.
    return "completed" if term_end <= today and end >= term_end - _ONE_DAY else left
