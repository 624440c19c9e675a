"""What is left in the SIS when its Canvas side is gone: told, blanked or deleted, and never more than was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from gradesync.domain.gradebook import Result
from gradesync.domain.passback import ClassDecision, ClassInput
from gradesync.domain.passback_removals import within_limit
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry
from gradesync.domain.wish import Rules, Verdict, value_key
from tests.domain.passback_samples import (
    HASH,
    after,
    assignment,
    decide,
    given,
    rules,
    student,
    submission,
)

WITHDRAWALS: Mapping[str, Mapping[str, Any]] = {
    "unflagged": {"flagged": False},
    "unpublished": {"published": False},
    "hidden": {"hidden": True},
}


def policy(deletions: str, **more: Any) -> Rules:
    return rules(sis="oneroster-1.2", deletions=deletions, **more)


def known(people: Iterable[int] = (11, 12)) -> ClassInput:
    """A class whose scores were sent and recorded."""
    who = tuple(people)
    one = given(
        submissions=[submission("8.5", user_id=id) for id in who], students=[student(id) for id in who]
    )
    return after(one, decide(one))


def cleared(one: ClassInput, user: int = 11, **more: Any) -> ClassInput:
    rows = tuple(
        replace(s, score=None, state="unsubmitted", **more) if s.user_id == user else s
        for s in one.submissions
    )
    return replace(one, submissions=rows)


def verdicts(decision: ClassDecision) -> list[tuple[str, str | None]]:
    every = [*((d.verdict, d.code) for d in decision.results if d.verdict is not Verdict.UNCHANGED)]
    return [(verdict.value, code) for verdict, code in every]


def by_hand(one: ClassInput, score: str = "3") -> ClassInput:
    edited = replace(one.sis.results[0], score=Decimal(score))
    return replace(one, sis=replace(one.sis, results=(edited, *one.sis.results[1:])))


def test_a_cleared_score_is_told_blanked_or_deleted_as_the_account_chose() -> None:
    one = cleared(known())
    assert verdicts(decide(one, policy("report"))) == [("withheld", "GS-418")]
    assert verdicts(decide(one, policy("blank"))) == [("blank", None)]
    assert verdicts(decide(one, policy("delete"))) == [("delete", None)]


@pytest.mark.parametrize(
    ("state", "status"),
    [("submitted", "submitted"), ("pending_review", "submitted"), ("unsubmitted", "not submitted")],
)
def test_a_blank_has_no_number_and_says_whether_there_is_work(state: str, status: str) -> None:
    one = cleared(known())
    rows = tuple(replace(s, state=state) if s.score is None else s for s in one.submissions)
    (blank,) = [
        d
        for d in decide(replace(one, submissions=rows), policy("blank")).results
        if d.verdict is Verdict.BLANK
    ]
    assert blank.result is not None
    assert (blank.result.score, blank.result.status) == (None, status)
    assert blank.value == HASH(value_key(None, status))


def test_a_delta_removes_nothing_and_keeps_the_record_for_the_full_run() -> None:
    one = replace(cleared(known()), complete=False)
    for deletions in ("blank", "delete"):
        assert verdicts(decide(one, policy(deletions))) == [("withheld", "GS-418")]


@pytest.mark.parametrize("deletions", ["blank", "delete"])
def test_a_score_that_somebody_changed_in_the_sis_is_not_ours_to_take(deletions: str) -> None:
    for wins in ("withhold", "canvas_wins"):
        decision = decide(by_hand(cleared(known())), policy(deletions, conflict=wins))
        assert verdicts(decision) == [("withheld", "GS-412")]


@pytest.mark.parametrize("deletions", ["blank", "delete"])
def test_what_is_gone_on_both_sides_is_forgotten(deletions: str) -> None:
    one = cleared(known())
    gone = replace(one, sis=replace(one.sis, results=one.sis.results[1:]))
    (forgotten,) = [d for d in decide(gone, policy(deletions)).results if d.forget]
    assert (forgotten.verdict, forgotten.code) == (Verdict.NOTHING, None)
    assert decide(gone, policy("report")).codes() == {"GS-418": 1}


def test_a_blank_stays_blank_without_being_written_again_and_a_new_score_fills_it() -> None:
    one = cleared(known())
    blanked = after(one, decide(one, policy("blank")))
    for deletions in ("report", "blank"):
        decision = decide(blanked, policy(deletions))
        assert verdicts(decision) == [("nothing", None)]
    # What a person types into the emptied cell is theirs.
    assert verdicts(decide(by_hand(blanked), policy("blank"))) == [("nothing", None)]
    assert verdicts(decide(blanked, policy("delete"))) == [("delete", None)]
    again = replace(blanked, submissions=tuple(replace(s, score=Decimal(4)) for s in blanked.submissions))
    assert {d.verdict for d in decide(again, policy("blank")).results} == {Verdict.SEND}


def test_a_blank_of_a_run_that_broke_off_is_noted_and_not_written_again() -> None:
    one = cleared(known())
    decision = decide(one, policy("blank"))
    (blank,) = [d for d in decision.results if d.verdict is Verdict.BLANK]
    written = after(one, decision)
    book = dict(one.ledger)
    key = (RESULT, blank.subject)
    book[key] = replace(book[key], intent=blank.value)
    (noted,) = [d for d in decide(replace(written, ledger=book), policy("blank")).results if d.confirmed]
    assert (noted.verdict, noted.holds, noted.value) == (Verdict.UNCHANGED, blank.value, blank.value)


def test_a_deleted_score_that_comes_back_is_a_new_one() -> None:
    one = cleared(known())
    deleted = after(one, decide(one, policy("delete")))
    again = replace(deleted, submissions=tuple(replace(s, score=Decimal(4)) for s in deleted.submissions))
    assert not decide(again, policy("delete")).codes()
    assert {d.verdict for d in decide(again, policy("delete")).results} == {Verdict.SEND}


@pytest.mark.parametrize("change", WITHDRAWALS.values(), ids=WITHDRAWALS)
def test_a_withdrawn_assignment_takes_its_scores_along_and_then_its_column(change: Mapping[str, Any]) -> None:
    one = replace(known(), assignments=(assignment(**change),))
    told = decide(one, policy("report"))
    assert [d.code for d in told.line_items] == ["GS-419"]
    deleted = decide(one, policy("delete"))
    assert [d.verdict for d in deleted.results] == [Verdict.DELETE, Verdict.DELETE]
    assert [d.verdict for d in deleted.line_items] == [Verdict.DELETE]
    empty = after(one, deleted)
    assert (empty.sis.line_items, empty.sis.results, dict(empty.ledger)) == ((), (), {})
    blanked = decide(one, policy("blank"))
    assert [d.verdict for d in blanked.results] == [Verdict.BLANK, Verdict.BLANK]
    assert [(d.verdict, d.code) for d in blanked.line_items] == [(Verdict.NOTHING, None)]
    assert not decide(after(one, blanked), policy("blank")).codes()
    # A delta removes nothing of it.
    delta = decide(replace(one, complete=False), policy("delete"))
    assert [d.code for d in delta.line_items] == ["GS-419"]


def test_an_assignment_flagged_again_after_blanking_fills_its_own_column() -> None:
    one = replace(known(), assignments=(assignment(flagged=False),))
    blanked = replace(after(one, decide(one, policy("blank"))), assignments=(assignment(),))
    decision = decide(blanked, policy("blank"))
    assert not decision.codes()
    assert [d.verdict for d in decision.results] == [Verdict.SEND, Verdict.SEND]
    assert [d.verdict for d in decision.line_items] == [Verdict.UNCHANGED]


def test_an_assignment_deleted_in_canvas_is_found_by_a_full_run() -> None:
    one = replace(known(), assignments=(), submissions=())
    told = decide(one, policy("report"))
    assert [d.code for d in told.line_items] == ["GS-419"]
    assert [d.code for d in told.results] == ["GS-419", "GS-419"]  # the students are still there
    empty = after(one, decide(one, policy("delete")))
    assert (empty.sis.line_items, empty.sis.results, dict(empty.ledger)) == ((), (), {})
    assert decide(replace(one, complete=False), policy("delete")).line_items == ()


def test_a_score_in_a_column_that_a_person_made_is_told_or_taken_when_the_work_is_withdrawn() -> None:
    mine = decide(given()).line_items[0].item
    assert mine is not None
    one = given(line_items=[replace(mine, id="theirs", category_id="tests")])
    sent_there = after(one, decide(one))
    assert [kind for kind, _ in sent_there.ledger] == [RESULT]
    gone = replace(sent_there, assignments=(assignment(flagged=False),))
    assert verdicts(decide(gone, policy("report"))) == [("withheld", "GS-419")]
    decision = decide(gone, policy("delete"))
    assert verdicts(decision) == [("delete", None)]
    # The column is theirs and stays.
    assert [d.verdict for d in decision.line_items] == [Verdict.NOTHING]


def test_a_student_who_left_loses_only_what_the_account_said() -> None:
    one = replace(known(), students=(student(11, state="deleted"), student(12)))
    assert verdicts(decide(one, policy("report"))) == [("withheld", "GS-424")]
    assert verdicts(decide(one, policy("blank"))) == [("blank", None)]
    assert verdicts(decide(one, policy("delete"))) == [("delete", None)]


def test_a_column_a_person_has_worked_in_stays() -> None:
    one = replace(known(), assignments=(assignment(flagged=False),))
    stranger = Result("theirs", one.sis.line_items[0].id, "s99", Decimal(1), "fully graded", None)
    theirs = replace(one, sis=replace(one.sis, results=(*one.sis.results, stranger)))
    edited = by_hand(one)
    renamed = replace(
        one, sis=replace(one.sis, line_items=(replace(one.sis.line_items[0], title="By hand"),))
    )
    for case in (theirs, edited, renamed):
        assert [(d.verdict, d.code) for d in decide(case, policy("delete")).line_items] == [
            (Verdict.WITHHELD, "GS-412")
        ]
    gone = replace(one, sis=replace(one.sis, line_items=(), results=()))
    decision = decide(gone, policy("delete"))
    assert all(d.forget for d in decision.line_items)
    assert all(d.forget for d in decision.results)
    assert len(decision.results) == 2


def test_a_result_sent_with_its_letter_is_still_known_as_ours() -> None:
    lettered = rules(sis="oneroster-1.2", letter_grades="text", deletions="delete")
    one = given([assignment(grading_type="letter_grade")], [submission("8.5", grade="B")])
    sent_before = after(one, decide(one, lettered))
    gone = replace(sent_before, submissions=(submission(None),))
    assert verdicts(decide(gone, lettered)) == [("delete", None)]


# --- the limit --------------------------------------------------------------------------------------------------


@over(st.integers(0, 6), st.integers(0, 9), st.sampled_from(["blank", "delete"]))
@settings(max_examples=80, deadline=None)
def test_no_run_removes_more_than_the_limit_and_every_other_record_has_a_code(
    people: int, left: int, deletions: str
) -> None:
    one = replace(known(range(11, 11 + people)), assignments=(assignment(flagged=False),))
    decision = decide(one, policy(deletions))
    limited, used = within_limit(decision, left)
    meant = removed(decision)
    assert used == removed(limited) <= left
    assert removed(limited) + limited.codes()["GS-425"] >= min(meant, 1)
    kept = [*(d.code for d in limited.line_items), *(d.code for d in limited.results)]
    assert kept.count("GS-425") == meant - used
    # A column never goes while one of its results stays.
    if any(d.verdict is Verdict.DELETE for d in limited.line_items):
        assert all(d.verdict is Verdict.DELETE for d in limited.results)


def removed(decision: ClassDecision) -> int:
    return sum(d.verdict in (Verdict.BLANK, Verdict.DELETE) for d in decision.results) + sum(
        d.verdict is Verdict.DELETE for d in decision.line_items
    )


def test_counts_name_what_is_removed_and_the_limit_travels_with_the_decision() -> None:
    one = replace(known(), assignments=(assignment(flagged=False),))
    decision = decide(one, policy("delete", deletion_limit=7))
    assert decision.removal_limit == 7
    counts = decision.counts()
    assert (counts["deleted"], counts["line items deleted"]) == (2, 1)
    assert decide(one, policy("blank")).counts()["blanked"] == 2


# --- what holds for every class ---------------------------------------------------------------------------------


@over(
    st.sets(st.sampled_from([11, 12, 13, 14])),
    st.sets(st.sampled_from([11, 12, 13, 14])),
    st.sets(st.sampled_from([11, 12, 13, 14])),
    st.sampled_from(["report", "blank", "delete"]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_only_what_is_ours_unchanged_and_gone_in_canvas_is_ever_removed(
    clear: set[int], leave: set[int], edit: set[int], deletions: str, withdraw: bool, complete: bool
) -> None:
    one = known((11, 12, 13, 14))
    now = replace(
        one,
        complete=complete,
        assignments=(assignment(flagged=not withdraw),),
        students=tuple(
            student(s.user_id, state="deleted" if s.user_id in leave else "active") for s in one.students
        ),
        submissions=tuple(replace(s, score=None) if s.user_id in clear else s for s in one.submissions),
        sis=replace(
            one.sis,
            results=tuple(
                replace(r, score=Decimal(1)) if int(r.student_id[1:]) in edit else r for r in one.sis.results
            ),
        ),
    )
    decision = decide(now, policy(deletions))
    gone = clear | leave | ({11, 12, 13, 14} if withdraw else set())
    taken = {
        int(d.result.student_id[1:])
        for d in decision.results
        if d.verdict in (Verdict.BLANK, Verdict.DELETE) and d.result is not None
    }
    assert taken == (gone - edit if complete and deletions != "report" else set())
    column = [d for d in decision.line_items if d.verdict is Verdict.DELETE]
    assert bool(column) == (complete and deletions == "delete" and withdraw and not edit)
    # Done once, it is done: the next full run has nothing more to take away.
    again = decide(after(now, decision), policy(deletions))
    assert removed(again) == 0


def test_a_run_that_broke_off_and_a_record_that_was_never_sent() -> None:
    one = cleared(known())
    (key,) = [key for key, entry in one.ledger.items() if key[0] == RESULT and _is(one, entry, "s11")]
    never = {**one.ledger, key: replace(one.ledger[key], sent=None, read_back=None, record_id="nowhere")}
    assert verdicts(decide(replace(one, ledger=never), policy("delete"))) == [("nothing", None)]
    assert {kind for kind, _ in one.ledger} == {LINE_ITEM, RESULT}


def test_what_a_run_meant_to_send_and_the_sis_does_not_have_is_no_leftover() -> None:
    one = known()
    never = {
        key: replace(entry, sent=None, read_back=None, intent="x", record_id="nowhere")
        for key, entry in one.ledger.items()
    }
    left = replace(one, students=(), submissions=(), assignments=(), ledger=never)
    for deletions in ("report", "delete"):
        decision = decide(left, policy(deletions))
        assert (decision.line_items, decision.results) == ((), ())


def _is(one: ClassInput, entry: LedgerEntry, student_id: str) -> bool:
    return any(r.id == entry.record_id and r.student_id == student_id for r in one.sis.results)
