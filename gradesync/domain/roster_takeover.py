"""Taking over a Canvas that another tool has filled: do the ids match? Pure.

With other ids an import would build every course a second time, empty, beside the one with the grades in it. So at
least 95 % must match in every kind and every school (DESIGN.md 8). Asked once, before the first import of an account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_guard import NOTHING_SENT, TAKEOVER_SHARE, RosterStop

NAMED = 5
"""How many schools of a kind, and how many other tools, are named."""

_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Matching:
    """One kind in one school: how many ids we would send, and how many of them Canvas holds already."""

    kind: str
    school: str
    wanted: int
    known: int


def matchings(known: Mapping[str, Set[str]], wanted: Mapping[str, Mapping[str, Set[str]]]) -> list[Matching]:
    """Per kind and school, for the kinds Canvas told ids of. `wanted` is kind -> school -> our ids."""
    return [
        Matching(kind, school, len(ids), len(ids & known[kind]))
        for kind, schools in sorted(wanted.items())
        if known.get(kind)
        for school, ids in sorted(schools.items())
    ]


def take_over_stop(
    known: Mapping[str, Set[str]],
    wanted: Mapping[str, Mapping[str, Set[str]]],
    others: Sequence[str] = (),
) -> RosterStop | None:
    """GS-609 when too few ids of a kind match in some school; an empty Canvas is simply filled.

    Measured against the smaller side: Canvas keeps the sections of former years, and the SIS may have classes Canvas
    has not heard of. An id counts as mismatched only as far as Canvas holds ids of the kind that match nobody.
    `others` names other tools that imported lately, without a person's name.
    """
    sentences: list[str] = []
    found = matchings(known, wanted)
    for kind in sorted({one.kind for one in found}):
        of_kind = [one for one in found if one.kind == kind]
        unmatched = len(known[kind]) - sum(one.known for one in of_kind)
        bad = [one for one in of_kind if _mismatches(one, unmatched)]
        if bad:
            sentences.append(_sentence(kind, known[kind], of_kind, bad))
    if not sentences:
        return None
    if others:
        sentences.append(f"Others imported lately: {'; '.join(others)}.")
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


def _mismatches(one: Matching, unmatched: int) -> bool:
    return one.known < min(one.wanted, one.known + unmatched) * TAKEOVER_SHARE


def _sentence(kind: str, known: Set[str], of_kind: Sequence[Matching], bad: Sequence[Matching]) -> str:
    wanted, same = sum(one.wanted for one in of_kind), sum(one.known for one in of_kind)
    named = ", ".join(f"{one.school or 'all'} {one.known:,} of {one.wanted:,}" for one in bad[:NAMED])
    more = f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
    return (
        f"Canvas already holds {len(known):,} {kind} with SIS ids, the SIS has {wanted:,}, and only {same:,} ids are "
        f"the same; at least {TAKEOVER_SHARE:.0%} must be, in every school (too few in: {named}{more})."
    )


__all__ = ["Matching", "matchings", "other_tools", "take_over_stop"]
