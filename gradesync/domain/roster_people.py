"""People and enrollments of a roster as Canvas users, enrollments and observers. Pure.

People are taken part by part (`roster.shards`): all that is known of a person comes together, and a district never
lies in memory. Classes are `roster_courses`'s, enrollments `roster_enrolling`'s.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from datetime import date
from itertools import compress, pairwise
from operator import attrgetter

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import Roster, RosterUser, column, key_of_enrollment, key_of_user, shards
from gradesync.domain.roster_columns import Seats, seats_of
from gradesync.domain.roster_csv import Row, RowFiles
from gradesync.domain.roster_enrolling import PERSON_ROLES, Enrolling, PeopleTally
from gradesync.domain.roster_text import INCOMPLETE, all_clean, clean, distinct
from gradesync.domain.roster_ties import Ties

SHARED_LOGIN, BAD_EMAIL = "GS-621", "GS-622"

_ROLE_RANK = {"teacher": 0, "student": 1, "aide": 2}
_NUMBER = "\0"
"""Stands before a number, so that it never equals a login: those are clean text."""
_LONGEST_EMAIL = 254

Part = tuple[dict[str, RosterUser], Seats]


def write_people(
    roster: Roster, mapping: RosterMapping, classes: Mapping[str, date], out: RowFiles, today: date
) -> PeopleTally:
    """Write users, enrollments and (when guardians are wanted) observers.

    `classes` are those with a place in Canvas, with the exclusive last day of their own terms.
    """
    tally = PeopleTally()
    ties = Ties(roster) if mapping.guardians == "observers" else None
    users = _Users(mapping, _shared(roster, ties, mapping))
    seats = Enrolling(mapping, classes, today, tally)
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
        others = {u.id for u in users if u.role not in PERSON_ROLES}
        if others:
            as_one = [role in PERSON_ROLES for role, *_ in seats.kinds]
            seated = {*compress(seats.user_ids, map(as_one.__getitem__, seats.kind_numbers))}
            others = {one for one in others if one in seated or (ties is not None and ties.has(one))}
        wanted = (u for u in users if u.role in PERSON_ROLES or u.id in others)
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
