"""People and enrollments of a roster as Canvas users, enrollments and observers. Pure.

People are taken part by part (`roster.shards`): all that is known of a person comes together, and a district never
lies in memory. Classes are `roster_courses`'s.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import compress, groupby, pairwise
from operator import add, attrgetter

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import (
    Kind,
    Roster,
    RosterUser,
    Seats,
    column,
    key_of_enrollment,
    key_of_user,
    seats_of,
    shards,
)
from gradesync.domain.roster_csv import Coded, Row, RowColumns, RowFiles
from gradesync.domain.roster_text import INCOMPLETE, all_clean, clean, distinct
from gradesync.domain.roster_ties import Ties

SHARED_LOGIN, BAD_EMAIL = "GS-621", "GS-622"

_PERSON_ROLES = frozenset({"student", "teacher", "aide"})
_ROLE_RANK = {"teacher": 0, "student": 1, "aide": 2}
_NUMBER = "\0"
"""Stands before a number, so that it never equals a login: those are clean text."""
_ONE_DAY = timedelta(days=1)
_LONGEST_EMAIL = 254

Part = tuple[dict[str, RosterUser], Seats]


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


def write_people(
    roster: Roster, mapping: RosterMapping, classes: Mapping[str, date], out: RowFiles, today: date
) -> PeopleTally:
    """Write users, enrollments and (when guardians are wanted) observers.

    `classes` are those with a place in Canvas, with the exclusive last day of their own terms.
    """
    tally = PeopleTally()
    ties = Ties(roster) if mapping.guardians == "observers" else None
    users = _Users(mapping, _shared(roster, ties, mapping))
    seats = _Seats(mapping, classes, today, tally)
    for people, enrollments in _parts(roster, ties, tally.problems):
        tally.counts["users"] += out.add("users", users.rows(people))
        tally.counts["enrollments"] += out.add("enrollments", seats.rows(people, enrollments))
        # Or this part would stay in memory while the next one is read.
        del people, enrollments
    tally.open_users = users.open
    tally.problems += users.problems
    if ties is not None:
        tally.counts["user_observers"] = sum(
            out.add("user_observers", rows) for rows in ties.rows(users.canvas_id)
        )
    return tally


def _parts(roster: Roster, ties: Ties | None, problems: Counter[str]) -> Iterator[Part]:
    """The people of each part who are sent, by id, with the part's enrollments.

    These are students, teachers and aides, and whoever else sits in a class as one; guardians only where wanted.
    People without any class are sent too: a student whose schedule is not made yet must keep the account.
    """
    enrollments = map(seats_of, shards(roster.enrollments, key_of_enrollment))
    for users in shards(roster.users, key_of_user):
        seats = next(enrollments)
        others = {u.id for u in users if u.role not in _PERSON_ROLES}
        if others:
            as_one = [role in _PERSON_ROLES for role, *_ in seats.kinds]
            seated = {*compress(seats.user_ids, map(as_one.__getitem__, seats.kind_numbers))}
            others = {one for one in others if one in seated or (ties is not None and ties.has(one))}
        wanted = (u for u in users if u.role in _PERSON_ROLES or u.id in others)
        people = distinct(wanted, problems, _same_person)
        # A part goes before the next one comes: with a district's, each megabyte counts twice.
        del users, wanted, others
        yield people, seats
        del people, seats


def _same_person(one: RosterUser, other: RosterUser) -> RosterUser | None:
    """One person whom the SIS shows in two roles: a teacher who is also listed as aide stays a teacher."""
    if one._replace(role=other.role) != other:
        return None
    return min(one, other, key=lambda user: (_ROLE_RANK.get(user.role, 9), user.role))


# --- users ------------------------------------------------------------------------------------------------------


class _Users:
    """Rows of users. `refused` are logins (and numbers) that several people claim: none of them is believed."""

    def __init__(self, mapping: RosterMapping, refused: Set[str]) -> None:
        self._mapping, self._refused = mapping, refused
        self._by_number = mapping.people == "integration_id"
        self._preferred = mapping.names == "preferred"
        self._suspends = mapping.leavers == "suspend"
        self._login = attrgetter(mapping.logins)
        self.open = 0
        self.problems: Counter[str] = Counter()

    def rows(self, people: Mapping[str, RosterUser]) -> list[Row]:
        """The rows of one part's people, in order.

        Whoever has no login of the account's kind, or shares it, gets no row, but keeps the seats: leaving those out
        would read as having left every class, and Canvas knows the person by the SIS id.
        """
        rows: list[Row] = []
        for user in people.values():
            login, given, family, email = all_clean(
                self._login(user), user.given_name, user.family_name, user.email
            )
            number = clean(user.identifier) if self._by_number else user.id
            if not number or not is_login(self._mapping, login):
                self.problems[INCOMPLETE] += 1
                continue
            if self._refused and self._claimed(login, number):
                self.problems[SHARED_LOGIN] += 1
                continue
            if self._preferred:
                given = clean(user.preferred_given_name) or given
                family = clean(user.preferred_family_name) or family
            # Leavers are suspended, not deleted: deleting the last login takes all enrollments along.
            is_open = user.enabled or not self._suspends
            self.open += is_open
            row = (number, login, given, family, self._email(email), "active" if is_open else "suspended")
            rows.append((*row, user.id) if self._by_number else row)
        rows.sort()
        return rows

    def _email(self, address: str) -> str:
        """The address; one that Canvas would refuse is left out, or every import would end with its warning."""
        if self._mapping.emails == "never":
            return ""
        if address and not is_address(address):
            self.problems[BAD_EMAIL] += 1
            return ""
        return address

    def _claimed(self, login: str, number: str) -> bool:
        return not self._refused.isdisjoint(claims(self._mapping, login, number))

    def canvas_id(self, user: RosterUser) -> str | None:
        """What Canvas's `user_id` of the person is; None when the person has no row."""
        login = clean(self._login(user))
        number = clean(user.identifier) if self._by_number else user.id
        good = number and is_login(self._mapping, login) and not self._claimed(login, number)
        return number if good else None


def is_login(mapping: RosterMapping, login: str) -> bool:
    """Whether a field of the SIS that was cleaned gives a login."""
    return is_address(login) if mapping.logins == "email" else bool(login)


def claims(mapping: RosterMapping, login: str, number: str) -> tuple[str, ...]:
    """What nobody else in Canvas may have: the login, which Canvas compares without case, and the number.

    Canvas keeps the two apart, so a login that equals somebody's number is no collision.
    """
    if mapping.people == "integration_id":
        return login.casefold(), f"{_NUMBER}{number}"
    return (login.casefold(),)


def is_address(text: str) -> bool:
    """Whether Canvas would take the text as an e-mail address: one @ with something on both sides, no blanks."""
    name, at, host = text.partition("@")
    return bool(name and at and host) and "@" not in host and " " not in text and len(text) <= _LONGEST_EMAIL


def _shared(roster: Roster, ties: Ties | None, mapping: RosterMapping) -> frozenset[str]:
    """The claims of several people. Eight bytes for each person, and a closer look only where two are the same."""
    hashes = array("q")
    by_number = mapping.people == "integration_id"
    # Column by column what `claims` says of one person; whoever has no login claims nothing but the empty text.
    logins = map(str.casefold, map(clean, column(roster.users, mapping.logins)))
    hashes.extend(map(hash, filter(None, logins)))
    if by_number:
        numbers = map(clean, column(roster.users, "identifier"))
        hashes.extend(map(hash, map(_NUMBER.__add__, filter(None, numbers))))
    ordered = sorted(hashes)
    doubtful = {one for one, other in pairwise(ordered) if one == other}
    del ordered, hashes
    if not doubtful:
        return frozenset()
    seen: Counter[str] = Counter()
    # Most double claims are those of one person shown twice, or of people who are not sent.
    for people, _ in _parts(roster, ties, Counter()):
        for user in people.values():
            login = clean(getattr(user, mapping.logins))
            number = clean(user.identifier) if by_number else user.id
            if number and is_login(mapping, login):
                seen.update(one for one in claims(mapping, login, number) if hash(one) in doubtful)
    return frozenset(name for name, times in seen.items() if times > 1)


# --- enrollments ------------------------------------------------------------------------------------------------


_NOT_OURS, _BAD, _STRANGER, _FUTURE = "", "?", "nobody", "future"
"""What stands for a role or status of an enrollment that is not carried: not Canvas's business, wrong, or not begun."""
_MOST_KNOWN = 20_000
_PEOPLE = 1 << 20
"""More than the people of any part."""
_RANKS = {"active": 0, "completed": 1, "inactive": 2}


def _canvas_role(enrolled_as: str, person_is: str | None) -> str:
    """Canvas's role, or what stands for none."""
    if enrolled_as not in _PERSON_ROLES and not (enrolled_as == "proctor" and person_is == "aide"):
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
        self.ends = [ends.get(one) for one in ids]
        # Numbers with a fraction are compared and added faster than whole ones of this size.
        self.ranks = array("d", bytes(8 * len(ids)))
        for rank, number in enumerate(sorted(range(len(ids)), key=ids.__getitem__)):
            self.ranks[number] = float(rank * _PEOPLE)


class _Seats:
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
                Coded(list(map(seats.class_numbers.__getitem__, order)), classes.ids),
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
        if not odd.isdisjoint(places):
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
