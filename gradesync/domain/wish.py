"""What one submission asks for: a score and status to hold in the SIS, or why it asks for nothing.

The first half of grade passback's decision table, decided without looking at the SIS, so that a delta can tell at a
glance that nothing changed. Pure; each branch says what it means for a student.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from enum import StrEnum

from gradesync.domain.account import PassbackPolicy
from gradesync.domain.gradebook import Assignment, Result, Submission
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.profile import SisProfile

FULLY_GRADED = "fully graded"
EXEMPT = "exempt"
NOT_SUBMITTED = "not submitted"
SUBMITTED = "submitted"
_WIDE = Context(prec=400)
"""Room for any number Canvas can hold: one absurd score must not break off a whole district's run."""
_FOURTH = Decimal("0.0001")
_NUMERIC = frozenset({"points", "percent", "pass_fail"})
_LETTERS = frozenset({"letter_grade", "gpa_scale"})


class Verdict(StrEnum):
    """What becomes of one record. `nothing` is "no score yet": counted, no code.

    `blank` takes the score out of a record and leaves the record; `delete` removes the record.
    """

    SEND = "send"
    UNCHANGED = "unchanged"
    WITHHELD = "withheld"
    NOTHING = "nothing"
    BLANK = "blank"
    DELETE = "delete"


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
class Speech:
    """Which flags belong to a result's value: those the account sends. Others a SIS may set as it likes."""

    late: bool = False
    missing: bool = False

    @classmethod
    def of(cls, rules: Rules) -> Speech:
        """What an account with these rules says about a result besides its score and status."""
        profile = rules.profile
        return cls(
            late=profile.sends_late and "late" not in profile.omit,
            missing=_can_flag(rules) and rules.policy.missing == "flag",
        )

    def key_of(self, held: Result, *, text: bool = False) -> str:
        """The value a SIS holds, as far as it is ours; `text` tells that we send words for this record."""
        return value_key(
            held.score,
            held.status,
            late=self.late and held.late,
            missing=self.missing and held.missing,
            text=held.text if text else None,
        )


NUMBERS_ONLY = Speech()
"""Scores and statuses, and nothing beside them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a submission alone asks for: a score and status to hold in the SIS, or a verdict without one.

    `text` is what stands beside the number (a letter), None when only the number goes.
    """

    verdict: Verdict
    code: str | None = None
    score: Decimal | None = None
    status: str = FULLY_GRADED
    late: bool = False
    missing: bool = False
    text: str | None = None

    @property
    def key(self) -> str:
        """Text that is equal exactly for equal score, status, flags and words."""
        return value_key(self.score, self.status, late=self.late, missing=self.missing, text=self.text)


def wish_for(submission: Submission, assignment: Assignment, rules: Rules) -> Wish:
    """What the student's work asks for, before any line item, class or ledger is looked at."""
    if assignment.grading_type == "not_graded":
        # Nobody can be graded in it: there is nothing to carry.
        return Wish(Verdict.NOTHING)
    if submission.excused:
        return _excused(submission, rules)
    if submission.score is None:
        return _no_score(submission, assignment, rules)
    if submission.posted_at is None:
        # The teacher has a score but the student may not see it yet; neither may the report card.
        return Wish(Verdict.WITHHELD, "GS-411")
    if submission.state == "pending_review":
        # Part of a quiz still waits for a person: today's number would change under the student.
        return Wish(Verdict.WITHHELD, "GS-416")
    if assignment.grading_type not in _NUMERIC | _LETTERS:
        # A way of grading Canvas has added since: nobody has said what it means in the SIS.
        return Wish(Verdict.WITHHELD, "GS-422")
    if not submission.score.is_finite():
        # No number a gradebook could show.
        return Wish(Verdict.WITHHELD, "GS-422")
    if assignment.points is None or assignment.points <= 0:
        # Out of nothing every score is the same: complete and incomplete are both 0, a percentage is no share, a
        # letter is whatever was typed, and extra credit on top of nothing divides by zero in the average.
        return Wish(Verdict.WITHHELD, "GS-413")
    if submission.score > assignment.points and rules.policy.over_max == "withhold":
        # More points than possible: extra credit or a slip of the key; the account asked to be told.
        return Wish(Verdict.WITHHELD, "GS-410")
    if assignment.grading_type in _LETTERS and rules.policy.letter_grades != "score":
        return _letter(submission, rules)
    # Graded and posted: points, the points behind a percentage, all or nothing for complete and incomplete, and the
    # number behind a letter. Below zero and above the maximum stand as the teacher gave them. Late deductions are in
    # the score already; a resubmission leaves the old score standing in Canvas, so it stands in the SIS too: the
    # student sees the same number in both.
    return _graded(submission, rules)


def _graded(submission: Submission, rules: Rules, text: str | None = None) -> Wish:
    assert submission.score is not None  # asked before
    score = rounded(submission.score, rules.profile.decimals)
    if not (submission.late or submission.missing):
        return Wish(Verdict.SEND, score=score, text=text)
    speech = Speech.of(rules)
    return Wish(
        Verdict.SEND,
        score=score,
        # Handed in late: the deduction is in the number, the flag only says so where the SIS has one.
        late=submission.late and speech.late,
        # Missing, and Canvas has put a number on it: the number counts, and the mark stays visible beside it.
        missing=submission.missing and speech.missing,
        text=text,
    )


def _letter(submission: Submission, rules: Rules) -> Wish:
    if rules.policy.letter_grades != "text" or not rules.profile.can_send_text:
        # The account wants letters or nothing, and this SIS takes numbers only.
        return Wish(Verdict.WITHHELD, "GS-408")
    words = (submission.grade or "").strip()
    if not words:
        # The scheme has no word for this score: a number alone is not what the account chose.
        return Wish(Verdict.WITHHELD, "GS-409")
    # The student sees the letter Canvas shows, and the SIS counts with the number behind it.
    return _graded(submission, rules, words)


def _excused(submission: Submission, rules: Rules) -> Wish:
    if submission.posted_at is None:
        # Excusing is a grading act; until it is posted the student does not know of it.
        return Wish(Verdict.WITHHELD, "GS-411")
    if rules.policy.excused != "exempt":
        # Excused must never look like a zero; without the account's word nothing is said.
        return Wish(Verdict.WITHHELD, "GS-415")
    if rules.profile.exempt_needs_score:
        # OneRoster 1.1 must have a number, so the exempt flag goes with 0; SISes leave it out of the average.
        return Wish(Verdict.SEND, score=Decimal(0), status=EXEMPT)
    # Exempt without a number: nothing that could be taken for a zero.
    return Wish(Verdict.SEND, status=EXEMPT)


def _no_score(submission: Submission, assignment: Assignment, rules: Rules) -> Wish:
    if submission.missing and rules.policy.missing == "zero":
        return _missing_zero(submission, assignment, rules)
    if submission.missing and rules.policy.missing == "flag":
        if _can_flag(rules):
            # The family sees that the work is missing, and no number that would count.
            return Wish(Verdict.SEND, status=NOT_SUBMITTED, missing=True)
        # This SIS has no word for missing without a number.
        return Wish(Verdict.WITHHELD, "GS-421")
    # No score yet. A missing score is not a zero.
    return Wish(Verdict.NOTHING)


def _missing_zero(submission: Submission, assignment: Assignment, rules: Rules) -> Wish:
    if assignment.post_manually and submission.posted_at is None:
        # The teacher shows nothing of this work yet; a zero on the report card would be the first to tell.
        return Wish(Verdict.WITHHELD, "GS-411")
    if assignment.grading_type not in _NUMERIC | _LETTERS:
        # Nobody has said what a zero means in it.
        return Wish(Verdict.WITHHELD, "GS-422")
    if assignment.grading_type in _LETTERS and rules.policy.letter_grades != "score":
        # Letters are withheld, or go with their word only: so does the zero that stands for a missing one.
        return _letter(replace(submission, score=Decimal(0)), rules)
    # The account has decided that missing work is a zero; gradesync never decides that by itself.
    return Wish(Verdict.SEND, score=Decimal(0))


def _can_flag(rules: Rules) -> bool:
    profile = rules.profile
    return profile.can_flag_missing and not profile.score_required and "missing" not in profile.omit


def rounded(score: Decimal, decimals: int) -> Decimal:
    """Half up to the places the SIS keeps, as teachers round; without trailing zeros."""
    return _plain(_places(score, Decimal(1).scaleb(-decimals)))


def value_key(
    score: Decimal | None,
    status: str,
    *,
    late: bool = False,
    missing: bool = False,
    text: str | None = None,
) -> str:
    """What of a result counts as its value. Four places: a SIS may answer 9.100000381 for 9.1.

    Flags and words are named only when set, so that ledgers written before there were any stay valid.
    """
    key = f"-|{status}" if score is None else f"{_plain(_places(score, _FOURTH)):f}|{status}"
    if late:
        key += "|late"
    if missing:
        key += "|missing"
    return f"{key}|text:{text}" if text is not None else key


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


BLANKS = (value_key(None, NOT_SUBMITTED), value_key(None, SUBMITTED))
"""The values of a result whose score we took out."""
