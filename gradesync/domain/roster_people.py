"""People and enrollments of a roster as Canvas users, enrollments and observers. Pure.

People are taken part by part (`roster.shards`): all that is known of a person comes together, and a district never
lies in memory. Classes are `roster_courses`'s.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise, repeat
from operator import attrgetter

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import (
    GUARDIANS,
    Roster,
    RosterEnrollment,
    RosterUser,
    column,
    columns,
    key_of_enrollment,
    key_of_user,
    shards,
)
from gradesync.domain.roster_csv import Row, RowFiles
from gradesync.domain.roster_text import INCOMPLETE, all_clean, clean, distinct

SHARED_LOGIN, BAD_EMAIL = "GS-621", "GS-622"

_PERSON_ROLES = frozenset({"student", "teacher", "aide"})
_ROLE_RANK = {"teacher": 0, "student": 1, "aide": 2}
_ONE_DAY = timedelta(days=1)
_LONGEST_EMAIL = 254
_NOTHING = ("", "", "")

Part = tuple[dict[str, RosterUser], Sequence[RosterEnrollment]]


@dataclass(slots=True)
class PeopleTally:
    """What the people's files hold: rows by kind, enrollments not withdrawn, people not suspended, enrollments that
    have not begun, and problems."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    open_users: int = 0
    future: int = 0
    problems: Counter[str] = field(default_factory=Counter)


def write_people(
    roster: Roster, mapping: RosterMapping, classes: Mapping[str, date], out: RowFiles, today: date
) -> PeopleTally:
    """Write users, enrollments and (when guardians are wanted) observers.

    `classes` are those with a place in Canvas, with the exclusive last day of their own terms.
    """
    tally = PeopleTally()
    ties = _Ties(roster) if mapping.guardians == "observers" else None
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
        tally.counts["user_observers"] = out.add("user_observers", ties.rows(users.canvas_id))
    return tally


def _parts(roster: Roster, ties: _Ties | None, problems: Counter[str]) -> Iterator[Part]:
    """The people of each part who are sent, by id, with the part's enrollments.

    These are students, teachers and aides, and whoever else sits in a class as one; guardians only where wanted.
    People without any class are sent too: a student whose schedule is not made yet must keep the account.
    """
    enrollments = shards(roster.enrollments, key_of_enrollment)
    guardians = ties.guardians if ties is not None else frozenset()
    for users in shards(roster.users, key_of_user):
        seats = next(enrollments)
        others = {u.id for u in users if u.role not in _PERSON_ROLES}
        if others:
            _, user_ids, _, roles, *_ = columns(seats)
            seated = {one for one, role in zip(user_ids, roles, strict=True) if role in _PERSON_ROLES}
            others &= seated | guardians
        wanted = (u for u in users if u.role in _PERSON_ROLES or u.id in others)
        people = distinct(wanted, problems, _same_person)
        # A part goes before the next one comes: with a district's, each megabyte counts twice.
        del users, wanted, others
        yield people, seats
        del people, seats


def _same_person(one: RosterUser, other: RosterUser) -> RosterUser | None:
    """One person whom the SIS shows in two roles: a teacher who is also listed as aide stays a teacher."""
    if replace(one, role=other.role) != other:
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
        return f"login {login.casefold()}", f"number {number}"
    return (f"login {login.casefold()}",)


def is_address(text: str) -> bool:
    """Whether Canvas would take the text as an e-mail address: one @ with something on both sides, no blanks."""
    name, at, host = text.partition("@")
    return bool(name and at and host) and "@" not in host and " " not in text and len(text) <= _LONGEST_EMAIL


def _shared(roster: Roster, ties: _Ties | None, mapping: RosterMapping) -> frozenset[str]:
    """The claims of several people. Eight bytes for each person, and a closer look only where two are the same."""
    hashes = array("q")
    by_number = mapping.people == "integration_id"
    logins = column(roster.users, mapping.logins)
    for login, number in zip(logins, column(roster.users, "identifier" if by_number else "id"), strict=True):
        if login := clean(login):
            hashes.extend(map(hash, claims(mapping, login, clean(number) if by_number else number)))
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


_NOT_OURS, _BAD, _FUTURE = "", "?", "future"
"""What stands for a role or status of an enrollment that is not carried: not Canvas's business, wrong, or not begun."""
_ODD = frozenset({_NOT_OURS, _BAD, _FUTURE})
_MOST_KNOWN = 20_000


class _Roles(dict[tuple[str, str | None], str]):
    """(enrolled as, the person's role or None) -> Canvas's role."""

    def __missing__(self, key: tuple[str, str | None]) -> str:
        enrolled_as, person_is = key
        found = _BAD
        if enrolled_as not in _PERSON_ROLES and not (enrolled_as == "proctor" and person_is == "aide"):
            found = _NOT_OURS
        elif person_is is not None:
            found = role_of(enrolled_as, person_is) or _BAD
        self[key] = found
        return found


class _Statuses(dict[tuple[date | None, date | None, date | None], str]):
    """(begin, end, end of the class's term or None) -> Canvas's status. A district has few such combinations."""

    def __init__(self, today: date, left: str) -> None:
        super().__init__()
        self._today, self._left = today, left

    def __missing__(self, key: tuple[date | None, date | None, date | None]) -> str:
        begin, end, term_end = key
        found = "active"
        if term_end is None:
            found = _BAD
        elif begin is not None and begin > self._today:
            found = _FUTURE
        elif end is not None and end <= self._today:
            # `end` is exclusive.
            found = ended_as(end, term_end, self._today, self._left)
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[key] = found
        return found


class _Seats:
    """Rows of enrollments. Column by column, because a district has hundreds of thousands of them."""

    def __init__(
        self, mapping: RosterMapping, classes: Mapping[str, date], today: date, tally: PeopleTally
    ) -> None:
        self._classes, self._tally = classes, tally
        self._roles, self._statuses = _Roles(), _Statuses(today, mapping.ended)

    def rows(self, people: Mapping[str, RosterUser], enrollments: Sequence[RosterEnrollment]) -> list[Row]:
        """One row for each class, person and role of one part, in order.

        Canvas keeps one enrollment per section, person and role, so a student who left and came back has two rows in
        the SIS and one here: the one in force wins.
        """
        _, user_ids, class_ids, enrolled, begins, ends, _ = columns(enrollments)
        persons = map({user.id: user.role for user in people.values()}.get, user_ids)
        roles = list(map(self._roles.__getitem__, zip(enrolled, persons, strict=True)))
        term_ends = map(self._classes.get, class_ids)
        statuses = list(map(self._statuses.__getitem__, zip(begins, ends, term_ends, strict=True)))
        rows: list[Row] = list(zip(class_ids, user_ids, roles, statuses, repeat(""), repeat("")))
        if not (_ODD.isdisjoint(roles) and _ODD.isdisjoint(statuses)):
            rows = self._carried(rows)
        rows.sort()
        rows = _one_each(rows)
        self._tally.kept += sum([row[3] != "inactive" for row in rows])
        return rows

    def _carried(self, rows: list[Row]) -> list[Row]:
        """The rows that are carried; the others are counted."""
        found = []
        for row in rows:
            if row[2] == _NOT_OURS:
                continue
            if row[2] == _BAD or row[3] == _BAD:
                self._tally.problems[INCOMPLETE] += 1
            elif row[3] == _FUTURE:
                self._tally.future += 1
            else:
                found.append(row)
        return found


def _one_each(rows: list[Row]) -> list[Row]:
    """The first of the rows of the same class, person and role. The statuses sort by their alphabet as they should:
    active before completed before inactive."""
    return [
        row
        for row, before in zip(rows, [_NOTHING, *rows], strict=False)
        if row[0] != before[0] or row[1] != before[1] or row[2] != before[2]
    ]


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


# --- guardians --------------------------------------------------------------------------------------------------


class _Ties:
    """Which guardian belongs to which student, whichever of the two the SIS says it at.

    Only the guardians of students that were read: who is tied to nobody has nothing to see in Canvas. These sets are
    in memory; a district that wants guardians pays for it.
    """

    def __init__(self, roster: Roster) -> None:
        students = {u.id for u in roster.users if u.role == "student"}
        adults = {u.id for u in roster.users if u.role in GUARDIANS}
        pairs: set[tuple[str, str]] = set()
        for user in roster.users:
            if user.role in GUARDIANS:
                pairs.update((user.id, one) for one in user.agents if one in students)
            elif user.role == "student":
                pairs.update((one, user.id) for one in user.agents if one in adults)
        self._roster, self._pairs = roster, pairs
        self.guardians = frozenset(guardian for guardian, _ in pairs)

    def rows(self, canvas_id: Callable[[RosterUser], str | None]) -> list[Row]:
        """Observers and their students, where both have a row of their own."""
        tied = {one for pair in self._pairs for one in pair}
        ids = {u.id: canvas_id(u) for u in self._roster.users if u.id in tied}
        found = ((ids.get(guardian), ids.get(student)) for guardian, student in self._pairs)
        return sorted((one, other, "active") for one, other in found if one and other)
