"""The brake itself: whether a roster read, measured against the last good one, is too much to be sent. Pure.

Limits are per school, because one broken school hides inside a district's percentage; and for the account as a whole,
because many small losses make a large one. Differences are counted in `roster_diff`; whether a read is a read at all
is asked in `roster_guard`. A stop is final when no approval can lift it: an empty read is never right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from gradesync.domain.account import ChangeLimit, RosterPolicy
from gradesync.domain.roster_change import ALL_SCHOOLS, RosterChange, SchoolChange
from gradesync.domain.roster_diff import LAST_READ, LAST_TERM, LAST_YEAR
from gradesync.domain.roster_generation import (
    AIDES,
    AIDES_BY_ROLE,
    ENROLLMENTS,
    KINDS,
    SECTIONS,
    USERS,
    Basis,
)
from gradesync.domain.roster_guard import NOTHING_SENT, RosterStop

NAMED = 5
"""How many schools a sentence of each sort names; the others are a number, and the table has them all."""

CHURN_SHARE = 0.5
"""The share of the removed that came back under another id, from which on it is not leaving but renumbering."""

_FEWEST_RENUMBERED = 5
_RENUMBERED_OF_ALL = 0.1
_FEWEST_UNTAUGHT = 5
_UNTAUGHT_OF_ALL = 0.5
_FEW_DAYS = timedelta(days=7)
"""By so much may a term end earlier than it was said to."""
_WORDS = {SECTIONS: "sections", USERS: "people", ENROLLMENTS: "enrollments"}
_UNSEEN = {
    ENROLLMENTS: "now it shows only who sits in each class today, and no enrollments with their roles and days",
    AIDES: "now it does not show its aides",
}
_ORDER = ("GS-602", "GS-613", "GS-623", "GS-625", "GS-624", "GS-603", "GS-601", "GS-609")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the brake says: `stop` None lets the import go. `change` carries the numbers either way."""

    stop: RosterStop | None
    change: RosterChange


def change_stops(
    change: RosterChange, before: Basis, now: Basis, policy: RosterPolicy, today: date
) -> list[RosterStop]:
    """Every reason not to send a read that differs from the last good one by `change`.

    GS-602 a school is missing; GS-613 another school year came too early; GS-603 people or classes came back under
    other ids; GS-623 a term ended long before its end, or begins only later; GS-602 the
    SIS offers narrower views than it did; GS-601 more was removed, ended or moved than `policy` allows on
    `today` (the local day), or classes would lose their teachers.
    """
    stops = [
        *_hidden(before, now),
        *_missing(change, policy),
        *_wrong_year(before, now, policy, today),
        *(_closed_early(before, now, policy, today) or _not_begun(change, before, now, policy, today)),
        *_renumbered(change, policy),
        *_too_many(change, policy, today),
        *_untaught(change, policy, today),
    ]
    return [replace(stop, message=f"{stop.message} {NOTHING_SENT}") for stop in stops]


def _missing(change: RosterChange, policy: RosterPolicy) -> Iterable[RosterStop]:
    """Schools that had classes with people in them and are gone altogether."""
    classes = {one.school: one for one in change.schools if one.kind == SECTIONS}
    seats = {one.school: one for one in change.schools if one.kind == ENROLLMENTS}
    empty = SchoolChange(ENROLLMENTS, "")
    gone = [
        school
        for school, one in classes.items()
        if school and one.before and not one.after and seats.get(school, empty).before >= policy.at_least
    ]
    told = [
        f"School {school} is missing: its {classes[school].before:,} sections and {seats[school].before:,} "
        f"enrollments are gone since the {change.against}."
        for school in gone[:NAMED]
    ]
    if gone:
        yield RosterStop("GS-602", " ".join([*told, *_more(len(gone))]))


def _wrong_year(before: Basis, now: Basis, policy: RosterPolicy, today: date) -> Iterable[RosterStop]:
    """Another school year while the last one still runs: an early roll-over, or an export of the wrong year."""
    if before.year == now.year or before.until is None or today >= before.until:
        return
    if any(one.start <= today <= one.until for one in policy.expect):
        return
    yield RosterStop(
        "GS-613",
        f"The SIS now answers with the school year {now.year}, but {before.year} lasts until {before.until:%Y-%m-%d}.",
    )


def _closed_early(before: Basis, now: Basis, policy: RosterPolicy, today: date) -> list[RosterStop]:
    """Terms that were to go on and have ended: Canvas would close their courses to everybody."""
    if any(one.start <= today <= one.until for one in policy.expect):
        return []
    closed = sorted(
        (end, now.terms.get(id, today))
        for id, end in before.terms.items()
        if end > today + _FEW_DAYS and id in now.terms and now.terms[id] <= today
    )
    if not closed:
        return []
    was, become = closed[-1]
    return [
        RosterStop(
            "GS-623",
            f"{_counted(len(closed), 'term')} that should go on until {was:%Y-%m-%d} ended by {become:%Y-%m-%d}: "
            "Canvas would close the courses.",
        )
    ]


def _not_begun(
    change: RosterChange, before: Basis, now: Basis, policy: RosterPolicy, today: date
) -> Iterable[RosterStop]:
    """Classes in the middle of their time whose terms now begin later: Canvas would close them until then.

    Those that are gone, or were filed under another term, are counted as such elsewhere. A new year or term moves all.
    """
    if before.day is None or change.against != LAST_READ:
        return
    if any(one.start <= today <= one.until for one in policy.expect):
        return
    limit = policy.limit_on(today).sections
    sections = {one.school: one for one in change.schools if one.kind == SECTIONS}
    found: dict[str, tuple[int, int]] = {}
    for school in before.spans:
        was = before.under_way(school, before.day, today + _FEW_DAYS)
        one = sections.get(school, SchoolChange(SECTIONS, school))
        gone = one.removed + one.moved
        found[school] = was, max(0, was - now.under_way(school, today, today) - gone)
    all_was, all_lost = (sum(numbers) for numbers in zip(*found.values(), strict=True)) if found else (0, 0)

    def over(was: int, lost: int) -> bool:
        return lost >= max(policy.at_least, 1) and lost > was * limit

    schools = [(school, *numbers) for school, numbers in found.items() if over(*numbers)]
    if not schools and over(all_was, all_lost):
        schools = [(ALL_SCHOOLS, all_was, all_lost)]
    if schools:
        schools.sort(key=lambda one: (-one[2], one[0]))
        told = [
            f"{_where(SchoolChange(SECTIONS, school))}{lost:,} of {was:,} classes under way would be outside the "
            f"days of their terms, and Canvas would close their courses; the limit is {limit:.0%}."
            for school, was, lost in schools[:NAMED]
        ]
        yield RosterStop("GS-623", " ".join([*told, *_more(len(schools))]))


def _hidden(before: Basis, now: Basis) -> Iterable[RosterStop]:
    """A SIS that suddenly offers narrower views: what they cannot show would end as if it were gone."""
    known = {*before.hidden, AIDES if AIDES_BY_ROLE in before.hidden else "", AIDES_BY_ROLE}
    if unseen := [_UNSEEN.get(one, one) for one in now.hidden if one not in known]:
        yield RosterStop(
            "GS-602",
            f"The SIS showed more in the last good read: {'; '.join(unseen)}. What cannot be seen would end.",
        )


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _renumbered(change: RosterChange, policy: RosterPolicy) -> Iterable[RosterStop]:
    """No expected change excuses this one: new ids make a second account and an empty second course of each."""
    for kind in (USERS, SECTIONS):
        all_schools = change.total(kind)
        schools = [one for one in change.schools if one.kind == kind and _is_churn(one, policy)]
        if not schools and _is_churn(all_schools, policy):
            schools = [all_schools]
        if schools:
            told = [_renumbered_sentence(one) for one in schools[:NAMED]]
            yield RosterStop("GS-603", " ".join([*told, *_more(len(schools))]))


def _is_churn(one: SchoolChange, policy: RosterPolicy) -> bool:
    if one.renumbered < _FEWEST_RENUMBERED or one.renumbered < one.removed * CHURN_SHARE:
        return False
    return one.renumbered >= policy.at_least or one.renumbered >= one.before * _RENUMBERED_OF_ALL


def _renumbered_sentence(one: SchoolChange) -> str:
    told = f"{one.renumbered:,} of {one.before:,} {_WORDS[one.kind]}"
    harm = (
        "each would be a second person in Canvas, and the first would lose the classes"
        if one.kind == USERS
        else "each would be a second, empty course, and the one with the work in it would lose its students"
    )
    return f"{_where(one)}{told} seem to have come back under other ids. Sent like this, {harm}."


def _too_many(change: RosterChange, policy: RosterPolicy, today: date) -> Iterable[RosterStop]:
    limits = policy.limit_on(today)
    for kind in KINDS:
        limit, all_schools = _limit(limits, kind), change.total(kind)
        schools = [one for one in change.schools if one.kind == kind and is_over(one, limit, policy.at_least)]
        if not schools and is_over(all_schools, limit, policy.at_least):
            schools = [all_schools]
        if schools:
            schools.sort(key=lambda one: (-one.lost, one.school))
            told = [_lost_sentence(one, change.against, limit) for one in schools[:NAMED]]
            yield RosterStop("GS-601", " ".join([*told, *_more(len(schools))]))


def _untaught(change: RosterChange, policy: RosterPolicy, today: date) -> Iterable[RosterStop]:
    """Teachers are few among many students, so that a limit on all seats would not notice them missing."""
    limit = policy.limit_on(today).sections
    all_schools = change.total(SECTIONS)
    schools = [
        one for one in change.schools if one.kind == SECTIONS and _is_untaught(one, limit, policy.at_least)
    ]
    if not schools and _is_untaught(all_schools, limit, policy.at_least):
        schools = [all_schools]
    if schools:
        schools.sort(key=lambda one: (-one.untaught, one.school))
        told = [
            f"{_where(one)}{one.untaught:,} of {one.before:,} sections would keep their students and lose their last "
            f"teacher; the limit is {limit:.0%}."
            for one in schools[:NAMED]
        ]
        yield RosterStop("GS-601", " ".join([*told, *_more(len(schools))]))


def _is_untaught(one: SchoolChange, limit: float, at_least: int) -> bool:
    """Over the limit as any other loss; or so many of a small school that no teacher's leaving explains it."""
    if one.untaught <= one.before * limit:
        return False
    half = one.untaught >= _FEWEST_UNTAUGHT and one.untaught >= one.before * _UNTAUGHT_OF_ALL
    return half or one.untaught >= max(at_least, 1)


def is_over(one: SchoolChange, limit: float, at_least: int) -> bool:
    """Whether more was lost than the share `limit` (0..1) allows: both the share and the least number count."""
    return one.lost >= max(at_least, 1) and one.lost > one.before * limit


def _limit(limits: ChangeLimit, kind: str) -> float:
    return {SECTIONS: limits.sections, USERS: limits.users, ENROLLMENTS: limits.enrollments}[kind]


def _lost_sentence(one: SchoolChange, against: str, limit: float) -> str:
    if one.moved and against == LAST_YEAR:
        return (
            f"{_where(one)}{one.moved:,} of {one.before:,} sections of the last year come again under the same ids, so "
            f"their courses, with all work in them, would become this year's; the limit is {limit:.0%}."
        )
    if against in (LAST_YEAR, LAST_TERM):
        return (
            f"{_where(one)}{one.after:,} {_WORDS[one.kind]} where the {against} had {one.before:,}; "
            f"the limit is {limit:.0%} less."
        )
    parts = [
        f"{number:,} {word}"
        for number, word in ((one.removed, "removed"), (one.ended, "ended"), (one.moved, "moved"))
        if number
    ]
    return (
        f"{_where(one)}{one.lost:,} of {one.before:,} {_WORDS[one.kind]} would go ({', '.join(parts)}); "
        f"the limit is {limit:.0%}."
    )


def _where(one: SchoolChange) -> str:
    if one.school == ALL_SCHOOLS:
        return "All schools: "
    return f"School {one.school}: " if one.school else "Without a class: "


def _more(number: int) -> list[str]:
    return [f"The same in {number - NAMED:,} more schools."] if number > NAMED else []


def change_digest(account: str, base: str, files: str) -> str:
    """Names one change set: these files (their digest) on top of that generation, in this account.

    A change of either makes another digest, so an approval can never cover what nobody looked at.
    """
    return hashlib.sha256(f"roster change\0{account}\0{base}\0{files}".encode()).hexdigest()[:20]


def further_digest(digest: str, what: str) -> str:
    """Names a change set of which a person must know one thing more, so that the usual approval does not cover it."""
    return hashlib.sha256(f"roster change\0{digest}\0{what}".encode()).hexdigest()[:20]


def verdict(
    change: RosterChange, stops: Sequence[RosterStop], digest: str, approved: Collection[str]
) -> Verdict:
    """One answer of all stops: the gravest code, every sentence, and whether a person has approved just this.

    A final stop cannot be approved, whatever stands beside it.
    """
    if not stops:
        return Verdict(None, change)
    final = any(stop.final for stop in stops)
    # Beside "there is nothing", every number is only noise.
    told_of = [stop for stop in stops if stop.final] if final else stops
    ordered = sorted(told_of, key=lambda stop: _ORDER.index(stop.code))
    sentences = tuple(dict.fromkeys(stop.message.removesuffix(NOTHING_SENT).strip() for stop in ordered))
    told = replace(
        change,
        codes=tuple(dict.fromkeys(stop.code for stop in ordered)),
        sentences=sentences,
        digest=None if final else digest,
        approved=not final and digest in approved,
    )
    if told.approved:
        return Verdict(None, told)
    first = ordered[0]
    message = f"{' '.join(sentences)} {NOTHING_SENT}"
    return Verdict(RosterStop(first.code, message, final=final), told)


__all__ = ["CHURN_SHARE", "Verdict", "change_digest", "change_stops", "further_digest", "is_over", "verdict"]
