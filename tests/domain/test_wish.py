"""What a student's work alone asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.gradebook import Result
from gradesync.domain.wish import Speech, Verdict, rounded, stored_its_own_way, value_key, wish_for
from tests.domain.passback_samples import assignment, rules, submission


def test_a_posted_score_is_sent_as_it_stands() -> None:
    wish = wish_for(submission("8.5"), assignment(), rules())
    assert (wish.verdict, wish.score, wish.status) == (Verdict.SEND, Decimal("8.5"), "fully graded")


def test_a_score_the_student_may_not_see_yet_stays_in_canvas() -> None:
    wish = wish_for(submission("8.5", posted_at=None), assignment(), rules())
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-411")


def test_work_that_still_waits_for_review_is_not_half_graded_in_the_sis() -> None:
    wish = wish_for(submission("4", state="pending_review"), assignment(), rules())
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-416")


def test_excused_is_withheld_until_the_account_chooses() -> None:
    wish = wish_for(submission(None, excused=True), assignment(), rules())
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-415")


def test_excused_goes_as_exempt_and_never_as_a_plain_zero() -> None:
    wish = wish_for(submission(None, excused=True), assignment(), rules(excused="exempt"))
    assert (wish.verdict, wish.score, wish.status) == (Verdict.SEND, Decimal(0), "exempt")


def test_an_excuse_nobody_was_told_of_is_withheld_even_when_exempt_is_chosen() -> None:
    wish = wish_for(submission(None, excused=True, posted_at=None), assignment(), rules(excused="exempt"))
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-411")


def test_an_excused_student_with_an_old_score_is_exempt_not_scored() -> None:
    wish = wish_for(submission("3", excused=True), assignment(), rules(excused="exempt"))
    assert (wish.score, wish.status) == (Decimal(0), "exempt")


def test_no_score_yet_is_nothing_not_a_zero() -> None:
    assert wish_for(submission(None), assignment(), rules()).verdict is Verdict.NOTHING


@pytest.mark.parametrize(
    ("policy", "verdict", "code", "score"),
    [
        ("withhold", Verdict.NOTHING, None, None),
        ("zero", Verdict.SEND, None, Decimal(0)),
        ("flag", Verdict.WITHHELD, "GS-421", None),
    ],
)
def test_missing_work_is_a_zero_only_when_the_account_says_so(
    policy: str, verdict: Verdict, code: str | None, score: Decimal | None
) -> None:
    wish = wish_for(submission(None, missing=True), assignment(), rules(missing=policy))
    assert (wish.verdict, wish.code, wish.score) == (verdict, code, score)


def test_missing_work_with_a_score_keeps_its_score() -> None:
    wish = wish_for(submission("2", missing=True), assignment(), rules(missing="zero"))
    assert wish.score == Decimal(2)


@pytest.mark.parametrize("kind", ["points", "percent", "pass_fail", "letter_grade", "gpa_scale"])
def test_every_known_way_of_grading_carries_its_number(kind: str) -> None:
    assert wish_for(submission("7"), assignment(grading_type=kind), rules()).score == Decimal(7)


@pytest.mark.parametrize("kind", ["letter_grade", "gpa_scale"])
@pytest.mark.parametrize("policy", ["text", "withhold"])
def test_letters_are_withheld_when_the_account_wants_no_numbers_for_them(policy: str, kind: str) -> None:
    wish = wish_for(submission("7", grade="B"), assignment(grading_type=kind), rules(letter_grades=policy))
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-408")


def test_a_letter_goes_with_the_number_behind_it_where_the_sis_takes_words() -> None:
    one = rules(sis="oneroster-1.2", letter_grades="text")
    wish = wish_for(submission("8.5", grade=" B+ "), assignment(grading_type="letter_grade"), one)
    assert (wish.verdict, wish.score, wish.text) == (Verdict.SEND, Decimal("8.5"), "B+")
    # A plain number says nothing in words, and a scheme without a word for the score is told.
    assert wish_for(submission("8.5", grade="8.5"), assignment(), one).text is None
    for grade in (None, "  "):
        bare = wish_for(submission("8.5", grade=grade), assignment(grading_type="gpa_scale"), one)
        assert (bare.verdict, bare.code) == (Verdict.WITHHELD, "GS-409")


@pytest.mark.parametrize("kind", ["points", "percent", "pass_fail", "letter_grade"])
@pytest.mark.parametrize("points", [None, Decimal(0), Decimal(-1)])
def test_a_score_out_of_nothing_says_nothing(kind: str, points: Decimal | None) -> None:
    for score in ("0", "3"):
        wish = wish_for(submission(score), assignment(grading_type=kind, points=points), rules())
        assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-413")


@pytest.mark.parametrize(("score", "grade"), [("10", "complete"), ("0", "incomplete")])
def test_complete_and_incomplete_are_all_points_or_none(score: str, grade: str) -> None:
    wish = wish_for(submission(score, grade=grade), assignment(grading_type="pass_fail"), rules())
    assert (wish.verdict, wish.score) == (Verdict.SEND, Decimal(score))


def test_a_score_below_zero_goes_as_the_teacher_gave_it() -> None:
    assert wish_for(submission("-2.5"), assignment(), rules()).score == Decimal("-2.5")
    assert rounded(Decimal("-2.5"), 0) == Decimal(-3)


def test_exempt_needs_no_number_where_the_sis_has_a_word_for_it() -> None:
    one = rules(sis="oneroster-1.2", excused="exempt")
    wish = wish_for(submission("3", excused=True, late=True), assignment(), one)
    assert (wish.score, wish.status, wish.late) == (None, "exempt", False)
    old = rules(sis="oneroster-1.2", excused="exempt", profile={"exempt_needs_score": True})
    assert wish_for(submission(None, excused=True), assignment(), old).score == Decimal(0)


def test_missing_work_is_flagged_without_a_number_where_the_sis_can() -> None:
    one = rules(sis="oneroster-1.2", missing="flag")
    wish = wish_for(submission(None, missing=True, posted_at=None), assignment(), one)
    assert (wish.verdict, wish.score, wish.status, wish.missing) == (
        Verdict.SEND,
        None,
        "not submitted",
        True,
    )
    # Canvas's own zero for missing work is a number, and stays one.
    scored = wish_for(submission("0", missing=True), assignment(), one)
    assert (scored.score, scored.status, scored.missing) == (Decimal(0), "fully graded", True)
    quiet = wish_for(submission("0", missing=True), assignment(), rules(sis="oneroster-1.2"))
    assert not quiet.missing


@pytest.mark.parametrize("profile", [{"score_required": True}, {"omit": ("missing",)}])
def test_a_flag_the_sis_cannot_hold_alone_is_not_sent(profile: dict[str, Any]) -> None:
    one = rules(sis="oneroster-1.2", missing="flag", profile=profile)
    wish = wish_for(submission(None, missing=True), assignment(), one)
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-421")


def test_late_work_is_flagged_where_the_sis_has_a_flag_and_keeps_its_reduced_score() -> None:
    late = submission("7", late=True)
    wish = wish_for(late, assignment(), rules(sis="oneroster-1.2"))
    assert (wish.score, wish.late) == (Decimal(7), True)
    assert not wish_for(late, assignment(), rules()).late
    assert not wish_for(late, assignment(), rules(sis="oneroster-1.2", profile={"omit": ("late",)})).late


def test_a_value_names_flags_and_words_only_when_they_are_set() -> None:
    # Ledgers written before there were flags must go on meaning the same.
    assert value_key(Decimal(7), "fully graded") == "7|fully graded"
    assert value_key(None, "exempt") == "-|exempt"
    every = {
        value_key(Decimal(7), "x", late=late, missing=missing, text=text)
        for late in (False, True)
        for missing in (False, True)
        for text in (None, "A")
    }
    assert len(every) == 8


def test_what_the_sis_says_beside_the_score_counts_only_as_far_as_we_say_it_too() -> None:
    held = Result("r", "i", "s", Decimal(7), "fully graded", None, text="B", late=True, missing=True)
    assert Speech().key_of(held) == value_key(Decimal(7), "fully graded")
    assert Speech(late=True).key_of(held) == value_key(Decimal(7), "fully graded", late=True)
    full = Speech.of(rules(sis="oneroster-1.2", missing="flag"))
    assert full.key_of(held, text=True) == value_key(
        Decimal(7), "fully graded", late=True, missing=True, text="B"
    )


def test_a_way_of_grading_nobody_knows_is_withheld() -> None:
    wish = wish_for(submission("7"), assignment(grading_type="emoji"), rules())
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-422")


def test_what_is_not_graded_asks_for_nothing() -> None:
    assert (
        wish_for(submission("7"), assignment(grading_type="not_graded"), rules()).verdict is Verdict.NOTHING
    )


def test_extra_credit_goes_through_and_a_cautious_account_is_told() -> None:
    assert wish_for(submission("12"), assignment(), rules()).score == Decimal(12)
    wish = wish_for(submission("10.01"), assignment(), rules(over_max="withhold"))
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-410")
    assert wish_for(submission("10"), assignment(), rules(over_max="withhold")).verdict is Verdict.SEND


@pytest.mark.parametrize("score", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_never_sent(score: str) -> None:
    wish = wish_for(submission(score), assignment(), rules())
    assert (wish.verdict, wish.code) == (Verdict.WITHHELD, "GS-422")


def test_an_absurd_score_does_not_stop_the_class() -> None:
    assert wish_for(submission("1e60"), assignment(), rules()).score == Decimal("1e60")


def test_halves_are_rounded_up_as_teachers_do() -> None:
    assert [rounded(Decimal(n), 0) for n in ("2.5", "3.5", "2.4999")] == [3, 4, 2]
    assert str(rounded(Decimal("100.00"), 2)) == "100"


@given(st.decimals(-1000, 100000, places=6), st.integers(0, 4))
def test_a_score_is_sent_rounded_and_nothing_else(score: Decimal, decimals: int) -> None:
    wish = wish_for(submission(str(score)), assignment(), rules(decimals))
    assert wish.score is not None
    assert abs(wish.score - score) <= Decimal(1).scaleb(-decimals) / 2
    assert "E" not in str(wish.score)


@given(st.decimals(-1000, 100000, places=3))
def test_a_sis_that_answers_with_float_noise_holds_the_same_value(score: Decimal) -> None:
    noisy = Decimal(repr(float(score) + 3.1e-7))
    near = value_key(score + Decimal("0.00000031"), "fully graded")
    assert value_key(score, "fully graded") in (near, value_key(noisy, "fully graded"))
    assert value_key(score, "fully graded") != value_key(score, "exempt")


def test_what_is_no_number_is_still_a_value_of_its_own() -> None:
    # A SIS may answer anything; it must neither break a run nor look like a score.
    assert value_key(Decimal("NaN"), "x") == "NaN|x"
    assert not stored_its_own_way(Decimal("Infinity"), Decimal(8))


def test_blank_and_zero_are_different_values() -> None:
    assert value_key(None, "fully graded") != value_key(Decimal(0), "fully graded")
    assert value_key(Decimal("-0.0"), "x") == value_key(Decimal(0), "x")


@pytest.mark.parametrize(
    ("held", "own"), [("9", True), ("8", True), ("8.6", True), ("8.57", True), ("7", False)]
)
def test_a_rounded_score_is_recognised_as_ours(held: str, own: bool) -> None:
    assert stored_its_own_way(Decimal(held), Decimal("8.57")) is own
    assert not stored_its_own_way(None, Decimal(8))


def test_a_missing_zero_waits_until_the_teacher_shows_the_work() -> None:
    missing = submission(None, missing=True, state="unsubmitted", posted_at=None)
    zero = rules(missing="zero")
    unposted = wish_for(missing, assignment(post_manually=True), zero)
    assert (unposted.verdict, unposted.code) == (Verdict.WITHHELD, "GS-411")
    # Shown by itself, an ungraded row has no date of posting either.
    assert wish_for(missing, assignment(), zero).score == 0
    posted = submission(None, missing=True, state="unsubmitted")
    assert wish_for(posted, assignment(post_manually=True), zero).score == 0


def test_withheld_letters_withhold_their_zero_too() -> None:
    missing = submission(None, missing=True, state="unsubmitted")
    letter = assignment(grading_type="letter_grade")
    assert wish_for(missing, letter, rules(missing="zero", letter_grades="withhold")).code == "GS-408"
    assert wish_for(missing, letter, rules(missing="zero")).score == 0
    assert wish_for(missing, assignment(grading_type="odd"), rules(missing="zero")).code == "GS-422"
