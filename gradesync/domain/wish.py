"""What one submission asks for: a score and status to hold in the SIS, or why it asks for nothing.

The first half of grade passback's decision table, decided without looking at the SIS, so that a delta can tell at a
glance that nothing changed. Pure; each branch says what it means for a student.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from enum import StrEnum

from gradesync.domain.account import PassbackPolicy
from gradesync.domain.gradebook import Assignment, Submission
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.profile import SisProfile

FULLY_GRADED = "fully graded"
EXEMPT = "exempt"
_WIDE = Context(prec=400)
"""Room for any number Canvas can hold: one absurd score must not break off a whole district's run."""
_NUMERIC = frozenset({"points", "percent", "pass_fail"})
_LETTERS = frozenset({"letter_grade", "gpa_scale"})


class Verdict(StrEnum):
    """What becomes of one record. `nothing` is "no score yet": counted, no code."""

    SEND = "send"
    UNCHANGED = "unchanged"
    WITHHELD = "withheld"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions rest on, the same for every class of an account.

    `root_uuid` is the Canvas root account's; `time_zone` turns instants into school days; `hash` is keyed.
    """

    policy: PassbackPolicy
    profile: SisProfile
    time_zone: str
    root_uuid: str
    hash: KeyedHash


@dataclass(frozen=True, slots=True)
class Wish:
    """What a submission alone asks for: a score and status to hold in the SIS, or a verdict without one."""

    verdict: Verdict
    code: str | None = None
    score: Decimal | None = None
    status: str = FULLY_GRADED

    @property
    def key(self) -> str:
        """Text that is equal exactly for equal score and status."""
        return value_key(self.score, self.status)


def wish_for(submission: Submission, assignment: Assignment, rules: Rules) -> Wish:
    """What the student's work asks for, before any line item, class or ledger is looked at."""
    policy = rules.policy
    if assignment.grading_type == "not_graded":
        # Nobody can be graded in it: there is nothing to carry.
        return Wish(Verdict.NOTHING)
    if submission.excused:
        return _excused(submission, policy)
    if submission.score is None:
        return _no_score(submission, policy)
    if submission.posted_at is None:
        # The teacher has a score but the student may not see it yet; neither may the report card.
        return Wish(Verdict.WITHHELD, "GS-411")
    if submission.state == "pending_review":
        # Part of a quiz still waits for a person: today's number would change under the student.
        return Wish(Verdict.WITHHELD, "GS-416")
    if assignment.grading_type in _LETTERS and policy.letter_grades != "score":
        # The account wants letters or nothing, and this SIS takes numbers only.
        return Wish(Verdict.WITHHELD, "GS-408")
    if assignment.grading_type not in _NUMERIC | _LETTERS:
        # A way of grading Canvas has added since: nobody has said what it means in the SIS.
        return Wish(Verdict.WITHHELD, "GS-422")
    if not submission.score.is_finite():
        # No number a gradebook could show.
        return Wish(Verdict.WITHHELD, "GS-422")
    over = assignment.points is not None and submission.score > assignment.points
    if over and policy.over_max == "withhold":
        # More points than possible: extra credit or a slip of the key; the account asked to be told.
        return Wish(Verdict.WITHHELD, "GS-410")
    # Graded and posted. Late deductions are in the score already; a resubmission leaves the old score standing
    # in Canvas, so it stands in the SIS too: the student sees the same number in both.
    return Wish(Verdict.SEND, score=rounded(submission.score, rules.profile.decimals))


def _excused(submission: Submission, policy: PassbackPolicy) -> Wish:
    if submission.posted_at is None:
        # Excusing is a grading act; until it is posted the student does not know of it.
        return Wish(Verdict.WITHHELD, "GS-411")
    if policy.excused == "exempt":
        # OneRoster 1.1 must have a number, so the exempt flag goes with 0; SISes leave it out of the average.
        return Wish(Verdict.SEND, score=Decimal(0), status=EXEMPT)
    # Excused must never look like a zero; without the account's word nothing is said.
    return Wish(Verdict.WITHHELD, "GS-415")


def _no_score(submission: Submission, policy: PassbackPolicy) -> Wish:
    if submission.missing and policy.missing == "zero":
        # The account has decided that missing work is a zero; gradesync never decides that by itself.
        return Wish(Verdict.SEND, score=Decimal(0))
    if submission.missing and policy.missing == "flag":
        # This SIS has no word for missing without a number.
        return Wish(Verdict.WITHHELD, "GS-421")
    # No score yet. A missing score is not a zero.
    return Wish(Verdict.NOTHING)


def rounded(score: Decimal, decimals: int) -> Decimal:
    """Half up to the places the SIS keeps, as teachers round; without trailing zeros."""
    return _plain(_places(score, Decimal(1).scaleb(-decimals)))


def value_key(score: Decimal | None, status: str) -> str:
    """What of a result counts as its value. Four places: a SIS may answer 9.100000381 for 9.1."""
    if score is None:
        return f"-|{status}"
    return f"{_plain(_places(score, Decimal('0.0001'))):f}|{status}"


def _places(score: Decimal, step: Decimal) -> Decimal:
    return score.quantize(step, rounding=ROUND_HALF_UP, context=_WIDE) if score.is_finite() else score


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent; never minus nothing."""
    if not number.is_finite():
        return number
    return Decimal(f"{number.normalize(_WIDE):f}") if number else Decimal(0)


def stored_its_own_way(held: Decimal | None, sent: Decimal | None) -> bool:
    """Whether a SIS that keeps fewer places may have made `held` of `sent`."""
    if held is None or sent is None or not held.is_finite() or not sent.is_finite():
        return False
    for decimals in range(4):
        step = Decimal(1).scaleb(-decimals)
        if held in (_places(sent, step), sent.quantize(step, rounding=ROUND_DOWN, context=_WIDE)):
            return True
    return False
