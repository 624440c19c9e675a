"""Who acts, and how we know: what an actor's `via` is made of, and how it is read again.

`via` is one sentence of a fixed form, because it stands under the history's hash: a way of knowing, a login where it
is not the name itself, the address of a CI run, the login of the machine, and last what somebody claimed with --as.
Pure; the environment is read by `wiring.actor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradesync.domain.run import Actor

SCHEDULER_NAME = "scheduler"
"""The name of whatever starts by the clock. It has no rights but to carry out a pass."""

_TWO_WORDS = frozenset({"OS", "CI", "git", "system"})
_RUN, _MACHINE, _CLAIMS = "run ", "OS user ", "claims "


@dataclass(frozen=True, slots=True)
class Identity:
    """What the environment proves. `realm` is os, github, gitlab, ci or git; `login` the name there.

    `how` is the beginning of `via` (`OS user`, `CI dispatch`, `system cron`); `os_user` the machine's login where that
    is not `login` itself; `by_clock` tells that no person started this.
    """

    login: str
    realm: str
    how: str
    run_url: str | None = None
    os_user: str | None = None
    by_clock: bool = False

    def is_named(self, written: str) -> bool:
        """Whether a login as people write it means this one: `aortiz` anywhere, `github:aortiz` only there."""
        realm, colon, login = written.partition(":")
        if colon and realm in REALMS:
            return realm == self.realm and self._same(login)
        return self._same(written)

    def _same(self, login: str) -> bool:
        # GitHub and GitLab keep no two logins that differ in their capitals alone.
        if self.realm in ("github", "gitlab"):
            return login.casefold() == self.login.casefold()
        return login == self.login

    def actor(self, people: Mapping[str, Mapping[str, Any]], claims: str | None = None) -> Actor:
        """As history shows it: by the name `people` knows the login under, with everything that is known in `via`."""
        name = self.login
        for person in people.values():
            if not self.by_clock and any(self.is_named(one) for one in person.get("logins", ())):
                name = printable(str(person["name"]))
                break
        parts = [self.how if name == self.login else f"{self.how} {self.login}"]
        if self.run_url is not None:
            parts.append(f"{_RUN}{self.run_url}")
        if self.os_user is not None:
            parts.append(f"{_MACHINE}{self.os_user}")
        if claims:
            parts.append(f"{_CLAIMS}{printable(claims)}")
        return Actor(name, ", ".join(parts))


REALMS = ("os", "github", "gitlab", "ci", "git")
"""Where a login is one; written before it with a colon when it is to count nowhere else."""


@dataclass(frozen=True, slots=True)
class ActorParts:
    """What an actor's `via` says, taken apart; what is not known is None."""

    how: str
    login: str
    run_url: str | None
    os_user: str | None
    claims: str | None


def parts_of(actor: Actor) -> ActorParts:
    """Read `via` again. A claim comes last and may hold anything, so nothing in it is taken for more than a claim."""
    known, _, claims = actor.via.partition(f", {_CLAIMS}")
    first, *more = known.split(", ")
    words = first.split(" ")
    count = 2 if words[0] in _TWO_WORDS else 1
    return ActorParts(
        how=" ".join(words[:count]),
        login=" ".join(words[count:]) or actor.name,
        run_url=next((one.removeprefix(_RUN) for one in more if one.startswith(_RUN)), None),
        os_user=next((one.removeprefix(_MACHINE) for one in more if one.startswith(_MACHINE)), None),
        claims=claims or None,
    )


def printable(text: str, longest: int = 64) -> str:
    """A name from outside, cut to what may stand in a history and on a terminal."""
    return "".join(c for c in text if c.isprintable())[:longest].strip()


def printable_login(text: str) -> str:
    """A login, in which no comma may stand: `via` is taken apart at them."""
    return printable(text.replace(",", " ")) or "unknown"


__all__ = ["REALMS", "SCHEDULER_NAME", "ActorParts", "Identity", "parts_of", "printable", "printable_login"]
