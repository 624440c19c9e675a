"""Who may do what: `people` of gradesync.yaml, asked once before everything that acts.

Rights are kept as soon as one person of the file has a `may`; until then the file is only an address book, and who can
reach the store may act. Only what the environment proves counts here: a claimed name never reaches this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from gradesync.domain.acting import Identity

People = Mapping[str, Mapping[str, Any]]
"""As `config.settings` reads them: `may` maps a right to the places where it counts."""

EVERYWHERE = "everywhere"
GROUP = "group:"


class Right(StrEnum):
    """What somebody may do; named after the command or option it is asked for."""

    RECONCILE = "reconcile"
    RUN = "run"
    REQUEST = "request"
    DESPITE = "despite"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    APPROVE = "approve"
    ALLOW = "allow"
    ADOPT = "adopt"
    PURGE = "purge"
    STORE = "store"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Target:
    """What an act concerns: an account with its group, a whole group, or (both None) every account."""

    account: str | None = None
    group: str | None = None

    def __str__(self) -> str:
        if self.account is not None:
            return self.account
        return f"group {self.group}" if self.group is not None else "every account"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody may not act, in words, and the names of those who may."""

    sentence: str
    who_may: tuple[str, ...]


def keeps_rights(people: People) -> bool:
    """Whether `people` decides at all: somebody has a `may`."""
    return any(person.get("may") for person in people.values())


def refusal(people: People, who: Identity, right: Right, target: Target) -> Refusal | None:
    """None when `who` may; else why not. Several entries of one login add up.

    The clock and CI may carry out a pass (`reconcile`): what they apply was merged. Everything else is a person's.
    """
    if not keeps_rights(people):
        return None
    if right is Right.RECONCILE and (who.by_clock or who.realm in ("github", "gitlab", "ci")):
        return None
    mine = [
        person for person in people.values() if any(who.is_named(one) for one in person.get("logins", ()))
    ]
    if any(_grants(person, right, target) for person in mine):
        return None
    allowed = (str(person["name"]) for person in people.values() if _grants(person, right, target))
    return Refusal(_sentence(mine, who, right, target), tuple(sorted(set(allowed))))


def _sentence(mine: Sequence[Mapping[str, Any]], who: Identity, right: Right, target: Target) -> str:
    if who.by_clock:
        return f"what is started by the clock may only carry out passes; `{right}` on {target} takes a person"
    known = f"{who.login} ({who.how})"
    if not mine:
        return f"{known} is nobody `people` in gradesync.yaml knows, and `{right}` on {target} needs a right"
    places = sorted({place for person in mine for place in _places(person, right)})
    if places:
        return f"{known} may `{right}` only on {', '.join(places)}, not on {target}"
    return f"{known} has no right `{right}`, which this needs on {target}"


def _grants(person: Mapping[str, Any], right: Right, target: Target) -> bool:
    return any(_covers(place, target) for place in _places(person, right))


def _places(person: Mapping[str, Any], right: Right) -> Sequence[str]:
    may: Mapping[str, Sequence[str]] = person.get("may") or {}
    return [*may.get(right.value, ()), *may.get(Right.EVERYTHING.value, ())]


def _covers(place: str, target: Target) -> bool:
    if place == EVERYWHERE:
        return True
    if place.startswith(GROUP):
        return target.group == place.removeprefix(GROUP)
    return target.account is not None and fnmatchcase(target.account, place)


__all__ = ["EVERYWHERE", "GROUP", "People", "Refusal", "Right", "Target", "keeps_rights", "refusal"]
