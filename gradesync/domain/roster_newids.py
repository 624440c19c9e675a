"""An approved change of ids: has Canvas been told of the new ones before they are sent? Pure.

People and classes under new ids are only safe to send once Canvas knows them by these: else every person would be
refused or built a second time, and every seat of the old ids would end. What Canvas holds is asked elsewhere, and how
the change was noticed is `roster_diff`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradesync.domain.roster_change import ALL_SCHOOLS, Matching, RosterChange, SchoolChange
from gradesync.domain.roster_diff import LAST_READ
from gradesync.domain.roster_generation import SECTIONS, USERS
from gradesync.domain.roster_guard import NOTHING_SENT, TAKEOVER_SHARE, RosterStop

NEW_IDS = "GS-603"
"""The stop whose approval this looks after."""

AS_NEW = "as new"
"""Names, in an approval, that classes under new ids are to become new courses beside the old ones."""

_FEWEST = 5
_WORDS = {USERS: "people", SECTIONS: "sections"}


def unknown_ids_stop(change: RosterChange, matchings: Sequence[Matching]) -> RosterStop | None:
    """GS-624 when Canvas does not hold at least 95 % of the ids under which people or classes came back.

    Records that are new altogether are not missed: only as many of our ids may be unknown as came without having been
    known by another. Of people it cannot be approved: Canvas refuses most of them, their logins being taken, and all
    their seats would end. Classes can: then they are new courses, and the old ones stay with the work in them.
    """
    sentences, final = [], False
    for kind in (USERS, SECTIONS):
        late = _late(change, change.total(kind), matchings)
        schools = [_late(change, one, matchings) for one in _schools(change, kind)]
        renumbered = change.total(kind).renumbered
        if late < _FEWEST or not (late > _few(renumbered) or any(schools)):
            continue
        final = final or kind == USERS
        sentences.append(
            f"Of {renumbered:,} {_WORDS[kind]} that came back under other ids, Canvas does not hold {late:,} under the "
            f"new ones; at least {TAKEOVER_SHARE:.0%} must be there."
        )
    if not sentences:
        return None
    sentences.append("Change their SIS ids in Canvas first; the approval still counts then.")
    return RosterStop("GS-624", " ".join([*sentences, NOTHING_SENT]), final=final)


def _schools(change: RosterChange, kind: str) -> Iterable[SchoolChange]:
    """One small school that was forgotten hides among the others."""
    return (one for one in change.schools if one.kind == kind and one.renumbered >= _FEWEST)


def _few(renumbered: int) -> float:
    return renumbered * (1 - TAKEOVER_SHARE)


def _late(change: RosterChange, one: SchoolChange, matchings: Sequence[Matching]) -> int:
    """How many of the renumbered Canvas does not know by their new ids; 0 for so few that they do not count."""
    found = next((of for of in matchings if (of.kind, of.school) == (one.kind, one.school)), None)
    if found is None:
        return 0
    if change.against == LAST_READ:
        late = found.wanted - found.same - (one.created - one.renumbered)
    else:
        # Against a former year nobody knows how many are new, but at least these must be known.
        late = one.renumbered - found.same
    late = min(late, one.renumbered)
    if one.school != ALL_SCHOOLS:
        return late if late >= _FEWEST and late > _few(one.renumbered) else 0
    # What Canvas alone holds is what would be left behind; where that is nothing, nothing was forgotten.
    return max(0, min(late, found.foreign))


__all__ = ["AS_NEW", "NEW_IDS", "unknown_ids_stop"]
