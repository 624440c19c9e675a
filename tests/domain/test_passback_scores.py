"""Which scores the SIS gets: what each case means for a student, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.passback import ClassDecision, ClassInput, ResultDecision
from gradesync.domain.problem import CODES
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.wish import Verdict, value_key
from tests.domain.passback_samples import (
    GRADED,
    HASH,
    SECTION,
    after,
    assignment,
    decide,
    entry,
    given,
    rules,
    student,
    submission,
)


def known() -> ClassInput:
    """A class whose one score was sent and recorded."""
    one = given()
    return after(one, decide(one))


def with_score(one: ClassInput, score: str | None, **more: Any) -> ClassInput:
    return replace(one, submissions=(submission(score, **more),))


def with_held(one: ClassInput, score: str | None, status: str = "fully graded") -> ClassInput:
    number = None if score is None else Decimal(score)
    held = replace(one.sis.results[0], score=number, status=status)
    return replace(one, sis=replace(one.sis, results=(held,)))


def only(decision: ClassDecision) -> ResultDecision:
    (result,) = decision.results
    return result


def test_a_first_score_is_sent_with_its_local_date() -> None:
    result = only(decide(given())).result
    assert result is not None
    assert (result.score, result.status, result.student_id) == (Decimal("8.5"), "fully graded", "s11")
    assert result.score_date == GRADED.date()
    late = decide(given(submissions=[submission(graded_at=GRADED.replace(hour=2))])).results[0].result
    assert late is not None
    assert late.score_date == GRADED.date() - timedelta(days=1)


def test_the_same_score_is_not_sent_twice() -> None:
    assert only(decide(known())).verdict is Verdict.UNCHANGED


def test_a_changed_score_is_sent_into_the_same_cell() -> None:
    one = known()
    decided = only(decide(with_score(one, "9")))
    assert decided.verdict is Verdict.SEND
    assert decided.result is not None
    assert decided.result.id == one.sis.results[0].id


@pytest.mark.parametrize("state", ["inactive", "deleted", "rejected"])
def test_a_student_who_left_gets_nothing_new_and_keeps_what_is_there(state: str) -> None:
    one = replace(with_score(known(), "1"), students=(student(state=state),))
    assert [d.code for d in decide(one).results] == ["GS-424"]
    assert decide(replace(one, complete=False)).results == ()


def test_a_student_who_came_back_is_graded_whichever_row_comes_first() -> None:
    rows = [student(state="inactive"), student(state="active")]
    for students in (rows, rows[::-1]):
        assert only(decide(given(students=students))).verdict is Verdict.SEND


def test_the_test_student_never_leaves_canvas() -> None:
    assert decide(given(students=[student(test_student=True)])).results == ()


def test_a_student_without_sis_id_is_told_and_never_guessed() -> None:
    decided = only(decide(given(students=[student(sis_user_id=None)])))
    assert (decided.verdict, decided.code, decided.result) == (Verdict.WITHHELD, "GS-417", None)
    nothing = given(students=[student(sis_user_id=None)], submissions=[submission(None)])
    assert decide(nothing).results == ()


def test_two_people_with_one_sis_id_cannot_grade_each_other() -> None:
    two = [student(11, sis_user_id="s11"), student(12, sis_user_id="s11")]
    work = [submission("9", user_id=11), submission("2", user_id=12)]
    assert [d.code for d in decide(given(students=two, submissions=work)).results] == ["GS-422", "GS-422"]
    one_left = [two[0], replace(two[1], state="inactive")]
    assert only(decide(given(students=one_left, submissions=work))).verdict is Verdict.SEND


def test_a_student_the_sis_does_not_list_waits_for_the_roster() -> None:
    decided = only(decide(given(listed=frozenset())))
    assert (decided.verdict, decided.code) == (Verdict.WITHHELD, "GS-503")


def test_a_student_of_another_section_is_not_this_classes() -> None:
    assert decide(given(submissions=[submission(user_id=99)])).results == ()


def test_a_row_listed_twice_is_sent_once_with_its_latest_score() -> None:
    old = submission("3", graded_at=GRADED - timedelta(hours=1))
    for rows in ([old, submission("9")], [submission("9"), old]):
        decided = only(decide(given(submissions=rows)))
        assert decided.result is not None
        assert decided.result.score == Decimal(9)


def test_a_score_cleared_in_canvas_stays_in_the_sis_and_is_told() -> None:
    decided = only(decide(with_score(known(), None)))
    assert (decided.verdict, decided.code) == (Verdict.WITHHELD, "GS-418")


def test_a_score_hidden_again_stays_in_the_sis_and_somebody_is_told() -> None:
    hidden = with_score(known(), "9", posted_at=None)
    decided = only(decide(hidden))
    assert (decided.verdict, decided.code) == (Verdict.WITHHELD, "GS-426")
    assert CODES["GS-426"].needs_person
    # Hidden and never sent, it is for information; so it is once somebody took it out of the SIS.
    assert only(decide(given(submissions=[submission(posted_at=None)]))).code == "GS-411"
    assert only(decide(replace(hidden, sis=replace(hidden.sis, results=())))).code == "GS-411"


def test_a_score_hidden_again_goes_the_way_of_a_cleared_one() -> None:
    hidden = with_score(known(), "9", posted_at=None)
    assert only(decide(hidden, rules(deletions="blank"))).verdict is Verdict.BLANK
    assert only(decide(hidden, rules(deletions="delete"))).verdict is Verdict.DELETE
    assert only(decide(replace(hidden, complete=False), rules(deletions="delete"))).code == "GS-426"
    blanked = after(hidden, decide(hidden, rules(deletions="blank")))
    assert only(decide(blanked, rules(deletions="blank"))).verdict is not Verdict.BLANK


def test_a_score_canvas_has_a_reason_not_to_show_is_told_when_the_sis_still_shows_it() -> None:
    assert only(decide(with_score(known(), "9", state="pending_review"))).code == "GS-426"
    assert only(decide(with_score(known(), None, excused=True))).code == "GS-426"
    uncounted = replace(known(), assignments=(assignment(counts=False),))
    assert only(decide(uncounted)).code == "GS-426"
    # The very number the SIS shows misleads nobody.
    assert only(decide(with_score(known(), "8.5", state="pending_review"))).code == "GS-416"


def test_an_excuse_taken_back_is_not_called_a_cleared_grade() -> None:
    one = with_score(given(), None, excused=True)
    excused = after(one, decide(one, rules(excused="exempt")))
    back = with_score(excused, None, state="unsubmitted")
    assert only(decide(back, rules(excused="exempt"))).code == "GS-426"


def test_a_grade_changed_by_hand_in_the_sis_is_kept() -> None:
    decided = only(decide(with_held(with_score(known(), "9"), "4")))
    assert (decided.verdict, decided.code) == (Verdict.WITHHELD, "GS-412")
    decided = only(decide(with_held(with_score(known(), "9"), "4"), rules(conflict="canvas_wins")))
    assert decided.verdict is Verdict.SEND


def test_a_grade_blanked_or_exempted_by_hand_is_a_decision_too() -> None:
    assert only(decide(with_held(known(), None))).code == "GS-412"
    assert only(decide(with_held(known(), "8.5", "exempt"))).code == "GS-412"


def test_a_hand_edit_that_says_what_canvas_says_is_agreement() -> None:
    one = with_held(with_score(known(), "9"), "9")
    decided = only(decide(one))
    assert (decided.verdict, decided.confirmed) == (Verdict.UNCHANGED, True)


def test_a_grade_that_was_there_before_us_is_not_overwritten() -> None:
    one = known()
    fresh = with_held(replace(one, ledger={}), "4")
    assert only(decide(fresh)).code == "GS-412"
    agreed = only(decide(replace(one, ledger={})))
    assert (agreed.verdict, agreed.confirmed) == (Verdict.UNCHANGED, True)


def test_two_cells_for_one_student_are_told_unless_one_is_ours() -> None:
    one = known()
    ours = one.sis.results[0]
    other = replace(ours, id="other", score=Decimal(1))
    both = replace(one, sis=replace(one.sis, results=(other, ours)))
    mine, second = decide(both).results
    assert (mine.verdict, second.verdict, second.code) == (Verdict.UNCHANGED, Verdict.WITHHELD, "GS-423")
    mine, second = decide(with_score(both, "9")).results
    assert mine.result is not None
    assert (mine.verdict, mine.result.id, second.code) == (Verdict.SEND, ours.id, "GS-423")
    third = replace(other, id="third")
    strange = replace(one, ledger={}, sis=replace(one.sis, results=(other, third)))
    assert only(decide(strange)).code == "GS-423"


def test_a_result_somebody_removed_in_the_sis_is_not_brought_back() -> None:
    one = known()
    assert only(decide(replace(one, sis=replace(one.sis, results=())))).code == "GS-505"


def test_a_sis_that_rounds_is_not_written_to_again() -> None:
    one = known()
    (key,) = [key for key in one.ledger if key[0] == RESULT]
    book = {
        **one.ledger,
        key: replace(one.ledger[key], read_back=HASH(value_key(Decimal(9), "fully graded"))),
    }
    rounding = with_held(replace(one, ledger=book), "9")
    assert only(decide(rounding)).verdict is Verdict.UNCHANGED
    assert only(decide(with_score(rounding, "7"))).verdict is Verdict.SEND


def broken_off(score: str, held: str, sent_before: str | None = None) -> ClassInput:
    """The run broke off after `score` was sent; the SIS holds `held`."""
    one = known()
    (key,) = [key for key in one.ledger if key[0] == RESULT]
    old = None if sent_before is None else HASH(value_key(Decimal(sent_before), "fully graded"))
    intent = HASH(value_key(Decimal(score), "fully graded"))
    left = replace(one.ledger[key], sent=old, read_back=old, intent=intent)
    return with_held(with_score(replace(one, ledger={**one.ledger, key: left}), score), held)


def test_a_score_written_by_a_run_that_broke_off_is_ours() -> None:
    decided = only(decide(broken_off("9", "9", "8.5")))
    assert (decided.verdict, decided.confirmed) == (Verdict.UNCHANGED, True)
    assert only(decide(broken_off("9", "8.5", "8.5"))).verdict is Verdict.SEND
    assert only(decide(with_score(broken_off("9", "9", "8.5"), "7"))).verdict is Verdict.SEND
    assert only(decide(broken_off("9", "3", "8.5"))).code == "GS-412"


def test_a_score_written_by_a_run_that_broke_off_is_ours_when_the_sis_rounds() -> None:
    assert only(decide(broken_off("8.57", "9"))).verdict is Verdict.SEND
    assert only(decide(broken_off("8.57", "7"))).code == "GS-412"


def test_going_back_to_the_old_score_after_a_broken_off_run_is_sent() -> None:
    # 8.5 was confirmed, 9 was written and not recorded, and the teacher has gone back to 8.5.
    decided = only(decide(with_score(broken_off("9", "9", "8.5"), "8.5")))
    assert decided.verdict is Verdict.SEND


def test_a_student_no_longer_listed_is_told_by_a_full_run_only() -> None:
    gone = replace(known(), students=(), submissions=())
    assert [d.code for d in decide(gone).results] == ["GS-424"]
    # Which assignment it was is not known any more, and no number is made up for it.
    assert [w.assignment_id for w in decide(gone).waiting()] == [None]
    assert decide(replace(gone, complete=False)).results == ()


def test_counts_and_waiting_rows_tell_each_record_once() -> None:
    work = [submission("9"), submission(None, user_id=12), submission("1", user_id=13, posted_at=None)]
    decision = decide(given(students=[student(11), student(12), student(13)], submissions=work))
    counts = decision.counts()
    assert (counts["sent"], counts["nothing to send"], counts["withheld"]) == (1, 1, 1)
    assert counts["line items sent"] == 1
    assert decision.codes() == {"GS-411": 1}
    assert [w.code for w in decision.waiting()] == ["GS-411"]


def test_a_section_is_known_by_its_number_in_these_tests() -> None:
    # The samples would prove nothing if the students stood in another section than the class's.
    one = given()
    assert {s.section_id for s in one.students} == one.section_ids == {SECTION}
    assert {kind for kind, _ in known().ledger} == {LINE_ITEM, RESULT}
    assert entry(RESULT, "x", "y", "z").sent == "z"
