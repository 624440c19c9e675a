"""Which scores the SIS gets: what each case means for a student, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from gradesync.domain.gradebook import Assignment, Result, SectionStudent, Submission
from gradesync.domain.passback import ClassDecision, ClassInput, ResultDecision
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.wish import Rules, Speech, Verdict, rounded, value_key
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
    sent,
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


def test_a_score_hidden_again_stays_in_the_sis() -> None:
    decided = only(decide(with_score(known(), "9", posted_at=None)))
    assert (decided.verdict, decided.code) == (Verdict.WITHHELD, "GS-411")


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
    assert only(decide(both)).verdict is Verdict.UNCHANGED
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


# --- what holds for every class --------------------------------------------------------------------------------

_IDS = (1, 2, 3)
_PEOPLE = (11, 12, 13, 14)
_SCORES: st.SearchStrategy[Decimal | None] = st.decimals(0, 20, places=3) | st.sampled_from(
    [Decimal(5), None]
)


def _mostly(usual: Any, *rare: Any) -> st.SearchStrategy[Any]:
    """Most classes are in order: where everything is wrong nothing is sent, and nothing is proved."""
    return st.sampled_from([usual] * 9 * len(rare) + list(rare))


_assignments: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "flagged": _mostly(True, False),
        "published": _mostly(True, False),
        "hidden": _mostly(False, True),
        "counts": _mostly(True, False),
        "points": _mostly(Decimal(10), Decimal(0), None),
        "title": st.sampled_from(["A", "B", "C", "Reading log of the week", "Reading log of the month"]),
        "grading_type": _mostly("points", "percent", "letter_grade", "pass_fail", "not_graded", "new"),
        "group": _mostly("Homework", "Tests", "Other"),
    }
)
_submissions: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "score": _SCORES,
        "excused": _mostly(False, True),
        "missing": _mostly(False, True),
        "late": st.booleans(),
        "grade": st.sampled_from(["A", "complete", " ", None]),
        "posted_at": _mostly(GRADED, None),
        "state": _mostly("graded", "submitted", "unsubmitted", "pending_review"),
    }
)
_policies: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "excused": st.sampled_from(["withhold", "exempt"]),
        "missing": st.sampled_from(["withhold", "zero", "flag"]),
        "over_max": st.sampled_from(["send", "withhold"]),
        "letter_grades": st.sampled_from(["score", "text", "withhold"]),
        "deletions": st.sampled_from(["report", "blank", "delete"]),
        "gone_in_sis": st.sampled_from(["withhold", "relink", "recreate"]),
        "long_titles": st.sampled_from(["withhold", "shorten"]),
        "new_assignments": st.sampled_from(["with_first_score", "at_once"]),
    }
)
_students: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "state": _mostly("active", "completed", "inactive"),
        "test_student": _mostly(False, True),
    }
)


@st.composite
def classes(draw: st.DrawFn) -> tuple[ClassInput, Rules]:
    work: list[Assignment] = [assignment(i, **draw(_assignments)) for i in _IDS]
    people: list[SectionStudent] = []
    for who in _PEOPLE:
        id = draw(_mostly(f"s{who}", "s11", "stranger", None))
        people.append(student(who, sis_user_id=id, **draw(_students)))
    rows: list[Submission] = []
    for one in _IDS:
        for who in _PEOPLE:
            values = draw(_submissions)
            rows.append(replace(submission("0", one, who), **values))
    given_rules = rules(
        draw(st.integers(0, 2)),
        max_title=draw(_mostly(None, 12)),
        unique=draw(_mostly(False, True)),
        sis=draw(st.sampled_from(["genesis", "oneroster-1.2"])),
        profile={"due_date_as": draw(st.sampled_from(["utc", "local_midnight_utc"]))},
        **draw(_policies),
    )
    return given(work, rows, people), given_rules


def _held(draw: Callable[[st.SearchStrategy[Decimal | None]], Decimal | None], one: ClassInput) -> ClassInput:
    """The SIS with some cells changed by somebody else."""
    results: list[Result] = []
    for result in one.sis.results:
        strange = draw(st.sampled_from([None, None, Decimal("0.77"), Decimal(3)]))
        results.append(result if strange is None else replace(result, score=strange))
    return replace(one, sis=replace(one.sis, results=tuple(results)))


@over(classes())
@settings(max_examples=150, deadline=None)
def test_nothing_is_sent_that_is_not_flagged_published_and_posted(drawn: tuple[ClassInput, Rules]) -> None:
    one, given_rules = drawn
    work = {a.id: a for a in one.assignments}
    rows = {(s.assignment_id, s.user_id): s for s in one.submissions}
    people = {s.sis_user_id: s for s in one.students if s.state != "inactive" and not s.test_student}
    for d in decide(one, given_rules).results:
        if d.verdict is not Verdict.SEND:
            continue
        assert d.result is not None
        about = work[d.assignment_id]
        row = rows[(d.assignment_id, people[d.result.student_id].user_id)]
        assert about.flagged
        assert about.published
        assert not about.hidden
        assert about.counts
        if row.excused:
            assert given_rules.policy.excused == "exempt"
            assert row.posted_at is not None
            needs = given_rules.profile.exempt_needs_score
            assert (d.result.score, d.result.status) == (Decimal(0) if needs else None, "exempt")
        elif row.score is None:
            assert row.missing
            if given_rules.policy.missing == "zero":
                assert (d.result.score, d.result.status) == (Decimal(0), "fully graded")
            else:
                assert given_rules.policy.missing == "flag"
                assert given_rules.profile.can_flag_missing
                assert (d.result.score, d.result.status, d.result.missing) == (None, "not submitted", True)
        else:
            assert row.posted_at is not None
            assert row.state != "pending_review"
            assert d.result.score == rounded(row.score, given_rules.profile.decimals)
            assert d.result.status == "fully graded"
            assert d.result.late == (row.late and given_rules.profile.sends_late)
            assert d.result.text == (
                row.grade
                if about.grading_type == "letter_grade" and given_rules.policy.letter_grades == "text"
                else None
            )


@over(classes())
@settings(max_examples=150, deadline=None)
def test_deciding_again_after_the_sis_took_everything_sends_nothing(drawn: tuple[ClassInput, Rules]) -> None:
    one, given_rules = drawn
    first = decide(one, given_rules)
    assert sent(decide(after(one, first), given_rules)) == 0
    # Nor after a lost store: what is there already is recognised, not sent again.
    assert sent(decide(after(one, first, ledger=False), given_rules)) == 0


@over(classes(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_in_which_things_were_read_decides_nothing(
    drawn: tuple[ClassInput, Rules], random: Any
) -> None:
    one, given_rules = drawn

    def shuffled(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        mixed = list(rows)
        random.shuffle(mixed)
        return tuple(mixed)

    known_ = after(one, decide(one, given_rules))
    for case in (one, known_):
        other = replace(
            case,
            assignments=shuffled(case.assignments),
            students=shuffled(case.students),
            submissions=shuffled(case.submissions),
            sis=replace(
                case.sis, line_items=shuffled(case.sis.line_items), results=shuffled(case.sis.results)
            ),
        )
        assert decide(other, given_rules) == decide(case, given_rules)


@over(st.data())
@settings(max_examples=100, deadline=None)
def test_what_a_person_typed_in_the_sis_is_never_overwritten(data: st.DataObject) -> None:
    one, given_rules = data.draw(classes())
    before = after(one, decide(one, given_rules))
    edited = _held(data.draw, before)
    changed = [
        s if data.draw(st.booleans()) else replace(s, score=data.draw(_SCORES)) for s in edited.submissions
    ]
    now = replace(edited, submissions=tuple(changed))
    held = {r.id: r for r in now.sis.results}
    records = {e.record_id: e for (kind, _), e in now.ledger.items() if kind == RESULT}
    for d in decide(now, given_rules).results:
        if d.verdict is Verdict.SEND and d.result is not None and d.result.id in held:
            mine = records[d.result.id]
            there = held[d.result.id]
            speech = Speech.of(given_rules)
            forms = {HASH(speech.key_of(there, text=text)) for text in (False, True)}
            assert forms & {mine.sent, mine.read_back, mine.intent}


@over(classes(), st.data())
@settings(max_examples=100, deadline=None)
def test_whatever_happens_to_a_class_every_score_not_there_has_a_code(
    drawn: tuple[ClassInput, Rules], data: st.DataObject
) -> None:
    """Sent, changed in Canvas and in the SIS, decided and taken, until nothing is left to do."""
    one, given_rules = drawn
    before = _held(data.draw, after(one, decide(one, given_rules)))
    lost = data.draw(st.sets(st.sampled_from(sorted(r.id for r in before.sis.results) or ["none"])))
    before = replace(
        before,
        sis=replace(before.sis, results=tuple(r for r in before.sis.results if r.id not in lost)),
        assignments=tuple(replace(a, **data.draw(_assignments)) for a in before.assignments),
        submissions=tuple(replace(s, **data.draw(_submissions)) for s in before.submissions),
    )
    now = after(before, decide(before, given_rules))
    # What is gone on both sides is forgotten, and then the rest may be few enough to be brought back.
    now = after(now, decide(now, given_rules))
    again = decide(now, given_rules)
    assert [d for d in again.results if d.verdict in (Verdict.SEND, Verdict.BLANK, Verdict.DELETE)] == []
    assert [d for d in again.line_items if d.verdict in (Verdict.SEND, Verdict.DELETE)] == []
    held = {(r.line_item_id, r.student_id): r for r in now.sis.results}
    for d in again.results:
        if d.verdict is Verdict.UNCHANGED:
            assert d.result is not None
            there = held[d.result.line_item_id, d.result.student_id]
            assert (there.score, there.status) == (d.result.score, d.result.status)
        else:
            assert (d.code is None) == (d.verdict is Verdict.NOTHING)


@over(classes(), st.sets(st.tuples(st.sampled_from(_IDS), st.sampled_from(_PEOPLE))))
@settings(max_examples=100, deadline=None)
def test_a_delta_decides_a_part_of_what_a_full_run_decides(
    drawn: tuple[ClassInput, Rules], seen: set[tuple[int, int]]
) -> None:
    one, given_rules = drawn
    full = decide(one, given_rules)
    rows = tuple(s for s in one.submissions if (s.assignment_id, s.user_id) in seen)
    delta = decide(replace(one, submissions=rows, complete=False), given_rules)
    assert set(delta.results) <= set(full.results)
    items = {d for d in delta.line_items if d.verdict is Verdict.SEND}
    assert items <= set(full.line_items)


def test_a_section_is_known_by_its_number_in_these_tests() -> None:
    # The samples would prove nothing if the students stood in another section than the class's.
    one = given()
    assert {s.section_id for s in one.students} == one.section_ids == {SECTION}
    assert {kind for kind, _ in known().ledger} == {LINE_ITEM, RESULT}
    assert entry(RESULT, "x", "y", "z").sent == "z"
