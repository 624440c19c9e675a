"""What facts about secrets mean, without any secret: is it there, is it a slip, does it end, is it somebody else's.

A fact holds no value and nothing a value could be found from: `same_as` are marks keyed anew in every process. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gradesync.domain.doctor import Verdict
from gradesync.domain.doctor_judging import KEY_DAYS
from gradesync.domain.problem import CODES


class Kind(StrEnum):
    """What a secret is for; decides what it may look like."""

    CANVAS_TOKEN = "canvas token"  # noqa: S105 - a kind of secret, none itself
    CLIENT_ID = "sis client id"
    CLIENT_SECRET = "sis client secret"  # noqa: S105 - a kind of secret, none itself
    PASSWORD = "sftp password"  # noqa: S105 - a kind of secret, none itself
    PRIVATE_KEY = "sftp private key"
    PASSPHRASE = "sftp passphrase"  # noqa: S105 - a kind of secret, none itself
    HEADER = "sis header"
    LEDGER_KEY = "key of the ledger"
    STORE = "address or password of the store"
    ALARM = "address or password of an alarm"


class Look(StrEnum):
    """What a value plainly is, where it is no such secret."""

    RIGHT = "right"
    SHORT = "shorter than any such key"
    REFERENCE = "a reference (env:, file:), not the value it leads to"
    ADDRESS = "an address"
    PLACEHOLDER = "a placeholder of an example"
    SANDBOX = "a key of the sandbox, which no real district takes"
    QUOTED = "wrapped in quotes"
    HEADER = "a whole header (Bearer ...), not the token alone"
    CANVAS_TOKEN = "a Canvas token"  # noqa: S105 - a look, no secret
    KEY_FILE = "a private key"
    NO_KEY_FILE = "no private key in OpenSSH or PEM form"
    BREAK = "more than one line"


@dataclass(frozen=True, slots=True)
class SecretFact:
    """One reference of one account. `found` False: it leads nowhere, or to nothing but blanks.

    `edges`: blanks or a line end around it, which are cut off before use. `mark` tells equal values apart from
    different ones in this process alone. `shared`: the account says that it shares.
    """

    account: str
    kind: Kind
    reference: str
    found: bool
    look: Look = Look.RIGHT
    edges: bool = False
    mark: str = ""
    shared: bool = False
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class SecretFinding:
    """One thing about one secret; never its value."""

    account: str
    name: str
    verdict: Verdict
    code: str
    sentence: str
    remedy: str
    who: str


@dataclass(frozen=True, slots=True)
class SecretsReport:
    """All secrets of a tree. `findings` have the worst first; `unread` are accounts whose files have problems."""

    accounts: int
    secrets: int
    findings: tuple[SecretFinding, ...]
    unread: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """How many findings are of this kind."""
        return sum(one.verdict is verdict for one in self.findings)

    @property
    def by_code(self) -> list[tuple[str, int]]:
        """Code -> findings, the most frequent first."""
        return Counter(one.code for one in self.findings).most_common()

    @property
    def exit_code(self) -> int:
        """1 when a secret is wrong or an account could not be looked at, 3 when one needs a look, else 0."""
        if self.count(Verdict.FAIL) or self.unread:
            return 1
        return 3 if self.findings else 0


_OFTEN_SHARED = frozenset({Kind.CLIENT_ID, Kind.HEADER, Kind.ALARM})
"""Vendors give one client id, and one key of their own, to all their districts; it opens nothing alone."""


def judge_secrets(
    facts: Sequence[SecretFact], today: date, accounts: int, unread: Iterable[str] = ()
) -> SecretsReport:
    """Findings about every secret, the worst first."""
    findings = [finding for fact in facts for finding in _alone(fact, today)]
    findings += _same(facts)
    findings.sort(key=lambda one: (one.verdict is not Verdict.FAIL, one.code, one.account, one.name))
    return SecretsReport(accounts, len(facts), tuple(findings), tuple(sorted(unread)))


def _alone(fact: SecretFact, today: date) -> Iterator[SecretFinding]:
    """What a secret's own facts say."""
    if fact.expires is not None:
        yield from _ending(fact, fact.expires, today)
    if not fact.found:
        sentence = f"Nothing is found at {fact.reference}."
        yield _finding(
            fact, Verdict.FAIL, "GS-207", sentence, "Set the variable, or write the file, with its value."
        )
        return
    if fact.look is not Look.RIGHT:
        remedy = "Put the value itself there, alone and on one line."
        yield _finding(
            fact, Verdict.FAIL, "GS-214", f"What stands at {fact.reference} is {fact.look.value}.", remedy
        )
    elif fact.edges:
        sentence = f"The value at {fact.reference} has blanks around it, which are cut off."
        yield _finding(
            fact, Verdict.WARN, "GS-214", sentence, "Write it without blanks, so that nobody wonders."
        )


def _ending(fact: SecretFact, ends: date, today: date) -> Iterator[SecretFinding]:
    days = (ends - today).days
    if days < 0:
        code = "GS-201" if fact.kind is Kind.CANVAS_TOKEN else "GS-202"
        yield _finding(fact, Verdict.FAIL, code, f"It ended on {ends}.", "Renew it, and correct `expires`.")
    elif days <= KEY_DAYS:
        sentence = f"It ends on {ends}, in {days} day{'' if days == 1 else 's'}."
        yield _finding(fact, Verdict.WARN, "GS-204", sentence, CODES["GS-204"].remedy)


def _same(facts: Sequence[SecretFact]) -> Iterator[SecretFinding]:
    """Equal values: two accounts that do not both say so, or two secrets of one account."""
    by_mark: dict[str, list[SecretFact]] = defaultdict(list)
    for fact in facts:
        if fact.found and fact.mark and fact.look is Look.RIGHT:
            by_mark[fact.mark].append(fact)
    for equal in by_mark.values():
        if len(equal) < 2:
            continue
        for fact in equal:
            others = [one for one in equal if one.account != fact.account]
            own = [one for one in equal if one.account == fact.account and one.kind is not fact.kind]
            alone = [one for one in others if not (one.shared and fact.shared)]
            if own:
                sentence = f"It is the same as the account's {own[0].kind.value}."
                yield _finding(
                    fact, Verdict.FAIL, "GS-214", sentence, "Put the right value behind each reference."
                )
            if alone and fact.kind not in _OFTEN_SHARED:
                who = f"{alone[0].account}" + (f" and {len(alone) - 1} more" if len(alone) > 1 else "")
                yield _finding(fact, Verdict.FAIL, "GS-214", f"It is the same as that of {who}.", "")


def _finding(fact: SecretFact, verdict: Verdict, code: str, sentence: str, remedy: str) -> SecretFinding:
    entry = CODES[code]
    who = {"admin": "Canvas admin" if fact.kind is Kind.CANVAS_TOKEN else "SIS admin"}.get(
        entry.who, entry.who
    )
    return SecretFinding(fact.account, fact.kind.value, verdict, code, sentence, remedy or entry.remedy, who)
