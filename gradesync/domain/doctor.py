"""An examination of one account's two connections, as values: checks, what they found, and who must act.

Only the shape and its order; what a finding means is `doctor_judging`'s, how it was found the connectors'. A check's
sentence holds counts and never a name, a title or an id of a person; titles stand in `names`, which only a terminal
may show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gradesync.domain.problem import CODES
from gradesync.errors import ConnectionProblem


class Verdict(StrEnum):
    """What a check came to. `skipped`: it could not be made, or does not concern this account."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


CANVAS, SIS, BOTH, HERE = "canvas", "sis", "both", "here"
SIDES = (HERE, CANVAS, SIS, BOTH)
"""Where a check looks: at this installation, at one of the sides, or at both beside each other."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer. `name` is stable, for programs; `sentence` is for people.

    `code` is of the catalogue; `remedy` and `who` are the catalogue's unless the check knows better. `counts` are
    by name. `names` are titles that people gave, or where in Canvas something stands: shown on a terminal, when
    asked for.
    """

    name: str
    side: str
    verdict: Verdict
    sentence: str
    code: str | None = None
    remedy: str = ""
    who: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    @property
    def needs_action(self) -> bool:
        """Whether somebody must do something."""
        return self.verdict in (Verdict.FAIL, Verdict.WARN)


def fine(name: str, side: str, sentence: str, counts: Mapping[str, int] | None = None) -> Check:
    """A check that found nothing wrong."""
    return Check(name, side, Verdict.OK, sentence, counts=counts or {})


def skipped(name: str, side: str, why: str) -> Check:
    """A check that was not made; `why` completes "not checked, because ..."."""
    return Check(name, side, Verdict.SKIPPED, f"{_NOT_CHECKED} {why}.")


def spare(name: str, side: str, sentence: str) -> Check:
    """A check that has nothing to look at here."""
    return Check(name, side, Verdict.SKIPPED, sentence)


def found(
    name: str,
    side: str,
    verdict: Verdict,
    sentence: str,
    code: str,
    *,
    remedy: str = "",
    who: str = "",
    counts: Mapping[str, int] | None = None,
    names: Sequence[str] = (),
) -> Check:
    """A check somebody must act on; remedy and who are the code's unless given."""
    entry = CODES[code]
    return Check(
        name,
        side,
        verdict,
        sentence,
        code,
        remedy or entry.remedy,
        _whose(who or entry.who, side),
        counts or {},
        tuple(names),
    )


def lines_of(checks: Iterable[Check]) -> list[tuple[Verdict, str]]:
    """One line for each check; those that were not made for one and the same reason share a line, by their names."""
    lines: list[tuple[Verdict, str]] = []
    waiting: dict[str, list[str]] = {}
    for check in checks:
        if check.verdict is Verdict.SKIPPED and check.sentence.startswith(_NOT_CHECKED):
            waiting.setdefault(check.sentence, []).append(check.name)
        else:
            lines.append((check.verdict, check.sentence))
    for sentence, names in waiting.items():
        plain = ", ".join(
            name.removeprefix("canvas-").removeprefix("sis-").replace("-", " ") for name in names
        )
        lines.append((Verdict.SKIPPED, f"{sentence.removesuffix('.')}: {plain}."))
    return lines


_NOT_CHECKED = "Not checked, because"
_DOWN = frozenset({"GS-302", "GS-508"})
_WHEN_DOWN = (
    "Check the address in the account file; if it is right, the server is down or unreachable from here."
)
_WHEN_BROKEN = (
    "Ask again in an hour; if it stays, tell whoever runs that server: it answers, with an error of its own."
)
_WHEN_BUSY = "Ask again in some minutes: what comes after this was not looked at."
_WHEN_ODD = (
    "Check that the address leads to the service itself, not to a sign-in page or a proxy before it. If it does, send "
    "this answer (`--format markdown`, nobody is named in it) to the makers of gradesync."
)
_ELSEWHERE: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("sis-token", "GS-510"): (
        "GS-510",
        "No service that gives tokens answers at the SIS's address",
        "Check `url` under `sis` (and `token_url`) against what the SIS shows; if right, its vendor must enable it.",
    ),
}
"""(check, code) of the first request to a side -> code, sentence, remedy: what a run means by the code is not it."""
_IN_A_RUN: Mapping[str, str] = dict.fromkeys(("GS-301", "GS-507"), _WHEN_BUSY) | dict.fromkeys(
    ("GS-306", "GS-599"), _WHEN_ODD
)
"""Codes whose remedy speaks of a run, and what to do about them where there is none."""


def of_problem(name: str, side: str, problem: ConnectionProblem) -> Check:
    """The check that a refusal ended. What passes by itself is a warning; the other side's own words stay out."""
    entry = CODES[problem.code]
    met = str(problem).removesuffix(".")
    if (name, problem.code) in _ELSEWHERE:
        code, told, remedy = _ELSEWHERE[name, problem.code]
        return found(name, side, Verdict.FAIL, f"{told}: {met}.", code, remedy=remedy, who="support")
    passes = entry.who == "nobody" and problem.code not in _DOWN
    verdict = Verdict.WARN if passes else Verdict.FAIL
    # What was met stands behind what it means: a school reads the first half, its technician the second.
    sentence = f"{entry.title}: {met}."
    if remedy := _outside_a_run(problem):
        return found(name, side, verdict, sentence, problem.code, remedy=remedy, who="support")
    remedy = _sentence(problem.hint) if problem.hint else entry.remedy
    return Check(name, side, verdict, sentence, problem.code, remedy, _whose(entry.who, side))


def _outside_a_run(problem: ConnectionProblem) -> str:
    """What to do where the catalogue's remedy speaks of a run; empty where it does not."""
    if problem.code in _DOWN:
        return _WHEN_DOWN if problem.status is None else _WHEN_BROKEN
    return _IN_A_RUN.get(problem.code, "")


def _sentence(text: str) -> str:
    shown = f"{text[:1].upper()}{text[1:]}"
    return shown if shown.endswith(".") else f"{shown}."


def _whose(who: str, side: str) -> str:
    """`admin` is whoever runs the side in question: a school must read whose desk it lands on."""
    if who == "admin":
        return {CANVAS: "Canvas admin", SIS: "SIS admin"}.get(side, "support")
    if who == "SIS admin" and side == CANVAS:
        return "Canvas admin"
    return who


@dataclass(frozen=True, slots=True)
class Examination:
    """All checks of one account, in the order they were made."""

    account: str
    at: datetime
    checks: tuple[Check, ...]

    def count(self, verdict: Verdict) -> int:
        """How many checks came to this."""
        return sum(check.verdict is verdict for check in self.checks)

    @property
    def exit_code(self) -> int:
        """1 when a check failed, 3 when a person should look at something, else 0 (DESIGN.md 4)."""
        if self.count(Verdict.FAIL):
            return 1
        return 3 if self.count(Verdict.WARN) else 0


_FIRST = ("support", "Canvas admin", "SIS admin", "SIS vendor", "teacher", "admin", "us", "nobody")


def by_who(checks: Iterable[Check]) -> list[tuple[str, list[Check]]]:
    """What somebody must act on, by who must, failures first; in the order of people of the catalogue."""
    groups: dict[str, list[Check]] = {}
    for check in checks:
        if check.needs_action:
            groups.setdefault(check.who, []).append(check)
    for group in groups.values():
        group.sort(key=lambda check: check.verdict is not Verdict.FAIL)
    place = {who: index for index, who in enumerate(_FIRST)}
    return sorted(groups.items(), key=lambda item: place.get(item[0], len(_FIRST)))


__all__ = [
    "BOTH",
    "CANVAS",
    "HERE",
    "SIDES",
    "SIS",
    "Check",
    "Examination",
    "Verdict",
    "by_who",
    "fine",
    "found",
    "lines_of",
    "of_problem",
    "skipped",
    "spare",
]
