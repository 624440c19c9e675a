"""A SIS gives records ids of its own, and the run that wrote them broke off before it could note which."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.passback import ClassInput
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.wish import Rules, Verdict
from tests.domain.passback_samples import after, assignment, decide, entry, given, rules, student, submission

ALL = ("report", "blank", "delete")


def policy(deletions: str, **more: Any) -> Rules:
    return rules(sis="oneroster-1.2", deletions=deletions, **more)


def broken_off(*, new_column: bool = True, stored: bool = True) -> ClassInput:
    """One score was sent, and all is stored in the SIS under its own ids; the ledger knows the column's at most.

    With `stored` false the SIS refused the score: the ledger looks just the same.
    """
    one = given()
    if not new_column:
        empty = after(one, decide(one))
        book = {key: row for key, row in empty.ledger.items() if key[0] == LINE_ITEM}
        one = replace(empty, sis=replace(empty.sis, results=()), ledger=book)
    decision = decide(one)
    (column,), (cell,) = decision.line_items, decision.results
    assert column.item is not None
    assert cell.result is not None
    assert cell.verdict is Verdict.SEND
    item = replace(column.item, id="own-column") if new_column else column.item
    result = replace(cell.result, id="own-cell", line_item_id=item.id)
    ledger = {
        (LINE_ITEM, column.subject): entry(LINE_ITEM, column.subject, item.id, None, intent=column.value),
        (RESULT, cell.subject): entry(RESULT, cell.subject, cell.result.id, None, intent=cell.value),
    }
    sis = replace(one.sis, line_items=(item,), results=(result,) if stored else ())
    return replace(one, sis=sis, ledger=ledger)


def cleared(one: ClassInput) -> ClassInput:
    rows = tuple(replace(s, score=None, state="unsubmitted") for s in one.submissions)
    return replace(one, submissions=rows)


def dropped(one: ClassInput) -> ClassInput:
    return replace(one, students=(student(state="inactive"),))


def hidden(one: ClassInput) -> ClassInput:
    return replace(one, submissions=tuple(replace(s, posted_at=None) for s in one.submissions))


@pytest.mark.parametrize("new_column", [False, True])
def test_what_is_gone_in_canvas_is_told_although_the_ledger_does_not_know_the_record(
    new_column: bool,
) -> None:
    one = broken_off(new_column=new_column)
    for change, code in ((cleared, "GS-418"), (dropped, "GS-424"), (hidden, "GS-426")):
        assert decide(change(one), policy("report")).codes() == {code: 1}


@pytest.mark.parametrize("new_column", [False, True])
@pytest.mark.parametrize("deletions", ["blank", "delete"])
def test_what_only_looks_like_ours_is_told_and_never_taken_away(deletions: str, new_column: bool) -> None:
    one = broken_off(new_column=new_column)
    for change in (cleared, dropped, hidden):
        decision = decide(change(one), policy(deletions))
        assert decision.codes() == {"GS-412": 1}
        assert not {d.verdict for d in decision.results} & {Verdict.BLANK, Verdict.DELETE}


@pytest.mark.parametrize("new_column", [False, True])
@pytest.mark.parametrize("deletions", ALL)
@pytest.mark.parametrize("change", [{"flagged": False}, {"published": False}, None])
def test_work_withdrawn_or_deleted_is_told(
    change: dict[str, Any] | None, deletions: str, new_column: bool
) -> None:
    one = broken_off(new_column=new_column)
    works = (assignment(**change),) if change else ()
    decision = decide(replace(one, assignments=works, submissions=()), policy(deletions))
    assert decision.codes()
    verdicts = {d.verdict for d in decision.line_items} | {d.verdict for d in decision.results}
    assert not verdicts & {Verdict.BLANK, Verdict.DELETE}


@pytest.mark.parametrize("deletions", ALL)
def test_a_score_that_the_sis_never_stored_is_nobodys_concern_once_it_is_gone(deletions: str) -> None:
    one = broken_off(stored=False)
    for change in (cleared, dropped):
        assert decide(change(one), policy(deletions)).codes() == {}


def test_of_several_results_in_the_cell_the_one_with_just_our_score_is_told_as_ours() -> None:
    one = broken_off()
    (ours,) = one.sis.results
    first, last = (replace(ours, id=id, score=Decimal(3)) for id in ("a", "z"))
    full = replace(one, sis=replace(one.sis, results=(last, ours, first)))
    decision = decide(cleared(full), policy("delete"))
    assert decision.codes() == {"GS-412": 1, "GS-423": 2}
    assert [d.result.id for d in decision.results if d.result is not None] == [ours.id]


def test_a_score_that_is_still_wanted_is_found_and_noted_as_before() -> None:
    one = broken_off()
    (cell,) = decide(one, policy("report")).results
    assert (cell.verdict, cell.code, cell.confirmed) == (Verdict.UNCHANGED, None, True)
    assert cell.result is not None
    assert cell.result.id == "own-cell"
    better = replace(one, submissions=(submission("9"),))
    (again,) = decide(better, policy("report")).results
    assert again.verdict is Verdict.SEND
    assert again.result is not None
    assert again.result.id == "own-cell"


@pytest.mark.parametrize("deletions", ["blank", "delete"])
def test_a_score_brought_back_under_a_new_id_is_not_forgotten_as_gone_on_both_sides(deletions: str) -> None:
    one = broken_off()
    book = {
        key: replace(row, sent="an earlier score", read_back="an earlier score") if key[0] == RESULT else row
        for key, row in one.ledger.items()
    }
    decision = decide(cleared(replace(one, ledger=book)), policy(deletions))
    assert decision.codes() == {"GS-412": 1}
    assert not any(d.forget for d in decision.results)
