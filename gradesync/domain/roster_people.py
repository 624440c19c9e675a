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
from itertools import pairwise

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import (
    Roster,
    RosterEnrollment,
    RosterUser,
    key_of_enrollment,
    key_of_user,
    shards,
)
from gradesync.domain.roster_csv import Row, RowFiles
from gradesync.domain.roster_text import INCOMPLETE, clean, distinct

SHARED_LOGIN, BAD_EMAIL = "GS-621", "GS-622"
GUARDIANS = frozenset({"guardian", "parent", "relative"})

_PERSON_ROLES = frozenset({"student", "teacher", "aide"})
_ROLE_RANK = {"teacher": 0, "student": 1, "aide": 2}
_STATUS_RANK = {"active": 0, "completed": 1, "inactive": 2}
_ONE_DAY = timedelta(days=1)
_LONGEST_EMAIL = 254

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
    for users, seats in zip(shards(roster.users, key_of_user), enrollments, strict=True):
        others = {u.id for u in users if u.role not in _PERSON_ROLES}
        if others:
            others &= {e.user_id for e in seats if e.role in _PERSON_ROLES} | guardians
        wanted = (u for u in users if u.role in _PERSON_ROLES or u.id in others)
        yield distinct(wanted, problems, _same_person), seats


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
        self._login = LOGINS[mapping.logins]
        self.open = 0
        self.problems: Counter[str] = Counter()

    def rows(self, people: Mapping[str, RosterUser]) -> list[Row]:
        """The rows of one part's people, in order.

        Whoever has no login of the account's kind, or shares it, gets no row, but keeps the seats: leaving those out
        would read as having left every class, and Canvas knows the person by the SIS id.
        """
        rows: list[Row] = []
        suspends = self._mapping.leavers == "suspend"
        by_integration = self._mapping.people == "integration_id"
        for user in people.values():
            names = claims(self._mapping, user)
            if not all(names):
                self.problems[INCOMPLETE] += 1
                continue
            if self._refused and not self._refused.isdisjoint(names):
                self.problems[SHARED_LOGIN] += 1
                continue
            # Leavers are suspended, not deleted: deleting the last login takes all enrollments along.
            is_open = user.enabled or not suspends
            self.open += is_open
            status = "active" if is_open else "suspended"
            row = (clean(self._login(user)), *self._names(user), self._email(user), status)
            rows.append((clean(user.identifier), *row, user.id) if by_integration else (user.id, *row))
        rows.sort()
        return rows

    def _names(self, user: RosterUser) -> tuple[str, str]:
        given, family = clean(user.given_name), clean(user.family_name)
        if self._mapping.names == "preferred":
            return clean(user.preferred_given_name) or given, clean(user.preferred_family_name) or family
        return given, family

    def _email(self, user: RosterUser) -> str:
        """The address; one that Canvas would refuse is left out, or every import would end with its warning."""
        if self._mapping.emails == "never":
            return ""
        address = clean(user.email)
        if address and not is_address(address):
            self.problems[BAD_EMAIL] += 1
            return ""
        return address

    def canvas_id(self, user: RosterUser) -> str | None:
        """What Canvas's `user_id` of the person is; None when the person has no row."""
        names = claims(self._mapping, user)
        if not all(names) or not self._refused.isdisjoint(names):
            return None
        return clean(user.identifier) if self._mapping.people == "integration_id" else user.id


LOGINS: Mapping[str, Callable[[RosterUser], str]] = {
    "username": lambda user: user.username,
    "email": lambda user: user.email if is_address(clean(user.email)) else "",
    "identifier": lambda user: user.identifier,
    "id": lambda user: user.id,
}


def claims(mapping: RosterMapping, user: RosterUser) -> tuple[str, ...]:
    """What nobody else in Canvas may have: the login, which Canvas compares without case, and the number."""
    login = clean(LOGINS[mapping.logins](user)).casefold()
    if mapping.people == "integration_id":
        number = clean(user.identifier)
        # Canvas keeps the two apart, so a login that equals somebody's number is no collision.
        return login and f"login {login}", number and f"number {number}"
    return (login,)


def is_address(text: str) -> bool:
    """Whether Canvas would take the text as an e-mail address: one @ with something on both sides, no blanks."""
    name, at, host = text.partition("@")
    return bool(name and at and host) and "@" not in host and " " not in text and len(text) <= _LONGEST_EMAIL


def _shared(roster: Roster, ties: _Ties | None, mapping: RosterMapping) -> frozenset[str]:
    """The claims of several people. Eight bytes for each person, and a closer look only where two are the same."""
    hashes = array("q")
    for user in roster.users:
        hashes.extend(hash(name) for name in claims(mapping, user) if name)
    ordered = sorted(hashes)
    doubtful = {one for one, other in pairwise(ordered) if one == other}
    del ordered, hashes
    seen: Counter[str] = Counter()
    # Most double claims are those of one person shown twice, or of people who are not sent.
    for people, _ in _parts(roster, ties, Counter()) if doubtful else ():
        for user in people.values():
            names = claims(mapping, user)
            if all(names):
                seen.update(name for name in names if hash(name) in doubtful)
    return frozenset(name for name, number in seen.items() if number > 1)


# --- enrollments ------------------------------------------------------------------------------------------------


class _Seats:
    """Rows of enrollments."""

    def __init__(
        self, mapping: RosterMapping, classes: Mapping[str, date], today: date, tally: PeopleTally
    ) -> None:
        self._classes, self._today, self._tally = classes, today, tally
        self._left = mapping.ended

    def rows(self, people: Mapping[str, RosterUser], enrollments: Sequence[RosterEnrollment]) -> list[Row]:
        """One row for each class, person and role of one part, in order.

        Canvas keeps one enrollment per section, person and role, so a student who left and came back has two rows in
        the SIS and one here: the one in force wins.
        """
        classes, today, left = self._classes, self._today, self._left
        roles = {user.id: user.role for user in people.values()}
        seats: dict[tuple[str, str, str], str] = {}
        bad = future = 0
        for _, user_id, class_id, enrolled_as, begin, end, _ in enrollments:
            person_is = roles.get(user_id)
            if enrolled_as == "student" and person_is is not None:
                role: str | None = "student"
            elif enrolled_as in _PERSON_ROLES or (enrolled_as == "proctor" and person_is == "aide"):
                role = person_is and role_of(enrolled_as, person_is)
            else:
                continue
            term_end = classes.get(class_id)
            if term_end is None or role is None:
                bad += 1
                continue
            if begin is not None and begin > today:
                future += 1
                continue
            # `end` is exclusive.
            status = "active" if end is None or today < end else ended_as(end, term_end, today, left)
            key = (class_id, user_id, role)
            known = seats.setdefault(key, status)
            if known is not status and _STATUS_RANK[status] < _STATUS_RANK[known]:
                seats[key] = status
        tally = self._tally
        tally.problems[INCOMPLETE] += bad
        tally.future += future
        tally.kept += sum(status != "inactive" for status in seats.values())
        return [(*key, status, "", "") for key, status in sorted(seats.items())]


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
