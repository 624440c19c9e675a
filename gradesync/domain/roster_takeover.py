"""Taking over a Canvas that another tool has filled: do the ids match? Pure.

With other ids an import would build every course a second time, empty, beside the one with the grades in it, and every
person beside the one who made the work. So at least 95 % must match in every kind and every school (DESIGN.md 8).
Asked once, before the first import of an account. A district's ids are kept as bare numbers, never as texts together.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_change import ALL_SCHOOLS, Example, Matching
from gradesync.domain.roster_guard import NOTHING_SENT, TAKEOVER_SHARE, RosterStop

KINDS = ("accounts", "terms", "courses", "sections", "users")
"""Kinds of records with SIS ids, in the order in which Canvas is asked."""

SEATS = "enrollments"
"""An enrollment has no id of its own. Who sits in some of the classes both sides hold tells whether equal ids mean the
same classes and people at all."""

SEATS_SHARE = 0.5
"""The share of those seats that must be the same: many may differ, because an import is what puts them right; but
numbers that mean other people agree by chance only."""

NAMED = 5
"""How many schools of a kind, and how many other tools, are named."""

_LONGEST = 40
_FEWEST_SEATS = 20
_FEWEST_PEOPLE = 5
"""Fewer people than this with other ids are people whom somebody gave a SIS id by hand."""
_WORDS = {"accounts": "sub-accounts", "users": "people"}


@dataclass(frozen=True, slots=True)
class HeldIds:
    """SIS ids that Canvas holds, page by page. `over`: of terms that have ended, which no SIS need know any more."""

    kind: str
    ids: Sequence[str]
    over: bool = False


@dataclass(frozen=True, slots=True)
class FirstContact:
    """How our ids match Canvas's, why that stops the import (None: it does not), and the file of those that do not."""

    stop: RosterStop | None
    matching: tuple[Matching, ...]
    examples: tuple[Example, ...]
    rest: Mapping[str, Path]


class OurIds:
    """The ids of one kind that would be sent, each with its school: eleven bytes per id, whatever its length.

    Numbers, not texts: two ids of a district share one with a chance of one in a hundred million, and then one too many
    counts as known.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        numbers = sorted(array("q", map(hash, ids)))
        self._numbers = array("q", (number for number, _ in groupby(numbers)))
        self._schools = array("H", bytes(2 * len(self._numbers)))
        self._met = bytearray(len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    def school(self, id: str, number: int) -> None:
        """The id belongs to the school of that number; ids of no school keep the number 0."""
        at = self._at(id)
        if at is not None:
            self._schools[at] = number

    def school_of(self, id: str) -> int:
        """The number of the id's school; 0 for none."""
        at = self._at(id)
        return 0 if at is None else self._schools[at]

    def meet(self, id: str) -> bool:
        """Canvas holds this id; whether it is one of ours."""
        at = self._at(id)
        if at is None:
            return False
        self._met[at] = 1
        return True

    def met(self, id: str) -> bool:
        """Whether Canvas holds our id."""
        at = self._at(id)
        return at is not None and bool(self._met[at])

    def by_school(self) -> Iterator[tuple[int, int, int]]:
        """(number of the school, our ids, those that Canvas holds)."""
        wanted = Counter(self._schools)
        same = Counter(number for number, met in zip(self._schools, self._met, strict=True) if met)
        return ((number, wanted[number], same[number]) for number in sorted(wanted))

    def _at(self, id: str) -> int | None:
        number = hash(id)
        at = bisect_left(self._numbers, number)
        return at if at < len(self._numbers) and self._numbers[at] == number else None


class TakeOver:
    """Our ids beside Canvas's, as these arrive page by page. `schools` names the numbers of `OurIds`."""

    def __init__(self, ours: Mapping[str, OurIds], schools: Sequence[str]) -> None:
        self._ours, self._schools = ours, schools
        self._foreign: Counter[str] = Counter()
        self.held = 0

    def hold(self, page: HeldIds) -> list[str]:
        """Take ids that Canvas holds; answers those nobody of ours has, unless they are of ended terms."""
        ours = self._ours.get(page.kind)
        if ours is None:
            return []
        self.held += len(page.ids)
        foreign = [id for id in page.ids if not ours.meet(id)]
        if page.over:
            return []
        self._foreign[page.kind] += len(foreign)
        return foreign

    def matchings(self) -> tuple[Matching, ...]:
        """Per kind and school, and per kind in all schools together."""
        found: list[Matching] = []
        for kind, ours in self._ours.items():
            of_kind = [
                Matching(kind, self._schools[number], wanted, same)
                for number, wanted, same in ours.by_school()
            ]
            all_of = Matching(
                kind,
                ALL_SCHOOLS,
                sum(one.wanted for one in of_kind),
                sum(one.same for one in of_kind),
                self._foreign[kind],
            )
            found += [all_of, *of_kind]
        return tuple(found)


def take_over_stop(matchings: Sequence[Matching], others: Sequence[str] = ()) -> RosterStop | None:
    """GS-609 when too few ids of a kind match in some school; an empty Canvas is simply filled.

    Measured against the smaller side: Canvas keeps the sections of former years, and the SIS may have classes Canvas
    has not heard of. An id counts as mismatched only as far as Canvas holds ids of the kind that match nobody.
    `others` names other tools that imported lately, without a person's name.
    """
    sentences: list[str] = []
    for kind in (*KINDS, SEATS):
        of_kind = [one for one in matchings if one.kind == kind]
        all_of = next((one for one in of_kind if one.school == ALL_SCHOOLS), None)
        if all_of is None:
            continue
        bad = [one for one in of_kind if one.school != ALL_SCHOOLS and _mismatches(one, all_of.foreign)]
        if bad:
            sentences.append(_sentence(all_of, bad))
    if not sentences:
        return None
    if others:
        sentences.append(f"Other tools imported lately: {'; '.join(others)}.")
    return RosterStop("GS-609", " ".join([*sentences, NOTHING_SENT]))


def other_tools(imports: Iterable[ImportStatus], own: str) -> tuple[str, ...]:
    """Who else imported lately, the busiest first: by data set where one is named, else by Canvas's number of the user.

    `own` is the data set we would import under. No person is named: a tool's user may be somebody's account.
    """
    found: Counter[str] = Counter()
    for one in imports:
        if one.data_set and one.data_set == own:
            continue
        name = "".join(
            sign if sign.isascii() and sign.isprintable() else "?" for sign in one.data_set[:_LONGEST]
        )
        by = f"Canvas user {one.user_id}" if one.user_id is not None else "an unknown user"
        found[f"data set {name}" if name else by] += 1
    return tuple(f"{name} ({count:,})" for name, count in found.most_common(NAMED))


def _mismatches(one: Matching, foreign: int) -> bool:
    smaller = min(one.wanted, one.same + foreign)
    if one.kind == SEATS:
        # Of a handful of seats no share tells anything.
        return smaller >= _FEWEST_SEATS and one.same < smaller * SEATS_SHARE
    if one.kind == "users" and smaller - one.same < _FEWEST_PEOPLE:
        return False
    return one.same < smaller * TAKEOVER_SHARE


def _sentence(all_of: Matching, bad: Sequence[Matching]) -> str:
    worst = sorted(bad, key=lambda one: (one.same - one.wanted, one.school))[:NAMED]
    more = f" and {len(bad) - NAMED:,} more schools" if len(bad) > NAMED else ""
    named = ", ".join(f"{one.school}: {one.same:,} of {one.wanted:,}" for one in worst if one.school)
    where = f" Too few in school {named}{more}." if named else ""
    if all_of.kind == SEATS:
        return (
            f"In classes that both sides hold, only {all_of.same:,} of {all_of.wanted:,} seats are the same people, "
            f"so equal ids seem to mean other classes or people.{where}"
        )
    word = _WORDS.get(all_of.kind, all_of.kind)
    return (
        f"Of {all_of.wanted:,} {word} from the SIS, Canvas knows {all_of.same:,} by id, and it holds "
        f"{all_of.foreign:,} {word} whose SIS ids we do not send; at least {TAKEOVER_SHARE:.0%} must match "
        f"in every school.{where}"
    )


__all__ = [
    "KINDS",
    "NAMED",
    "SEATS",
    "FirstContact",
    "HeldIds",
    "OurIds",
    "TakeOver",
    "other_tools",
    "take_over_stop",
]
