"""Canvas clears the SIS flag of a closed marking period by itself; that is no teacher withdrawing her work."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gradesync.domain.passback import ClassDecision, ClassInput
from gradesync.domain.wish import Verdict
from tests.domain.passback_samples import after, assignment, decide, given, rules, submission

AFTER_Q1 = date(2026, 11, 15)


def unflagged(today: date | None, **more: Any) -> ClassInput:
    """A class whose one score was sent, and whose assignment has lost its flag since."""
    one = given()
    sent = after(one, decide(one))
    return replace(sent, assignments=(assignment(flagged=False, **more),), today=today)


def verdicts(decision: ClassDecision) -> list[Verdict]:
    return [*(d.verdict for d in decision.line_items), *(d.verdict for d in decision.results)]


@pytest.mark.parametrize("deletions", ["report", "blank", "delete"])
@pytest.mark.parametrize(
    "one", [unflagged(AFTER_Q1), unflagged(date(2026, 10, 20), period_closed=True)], ids=["SIS", "Canvas"]
)
def test_work_of_a_closed_period_stays_linked_when_its_flag_goes_off(one: ClassInput, deletions: str) -> None:
    decision = decide(one, rules(deletions=deletions))
    assert not decision.codes()
    assert verdicts(decision) == [Verdict.UNCHANGED] * 2
    changed = decide(replace(one, submissions=(submission("9"),)), rules(deletions=deletions))
    assert [d.verdict for d in changed.results] == [Verdict.SEND]


def test_the_first_day_after_a_period_is_outside_it() -> None:
    before = replace(unflagged(date(2026, 11, 14)))
    assert decide(before).line_items[0].code == "GS-419"
    assert decide(before, rules(deletions="delete")).results[0].verdict is Verdict.DELETE


@pytest.mark.parametrize("one", [unflagged(None), unflagged(AFTER_Q1, due_at=None)], ids=["day", "due date"])
def test_nothing_is_removed_while_nobody_knows_whether_the_period_is_open(one: ClassInput) -> None:
    if one.today is not None:
        # The column names no period either.
        items = tuple(replace(item, period_id=None) for item in one.sis.line_items)
        one = replace(one, sis=replace(one.sis, line_items=items))
    decision = decide(one, rules(deletions="delete"))
    assert set(verdicts(decision)) == {Verdict.WITHHELD}
    assert set(decision.codes()) == {"GS-419"}


def test_work_that_never_had_a_column_needs_its_flag_in_a_closed_period_too() -> None:
    one = given([assignment(flagged=False)])
    decision = decide(replace(one, today=AFTER_Q1))
    assert [d.verdict for d in decision.line_items] == [Verdict.NOTHING]
    assert decision.results == ()


def test_unpublished_work_of_a_closed_period_is_withdrawn() -> None:
    one = unflagged(AFTER_Q1, published=False)
    assert decide(one).line_items[0].code == "GS-419"
    assert decide(one, rules(deletions="delete")).results[0].verdict is Verdict.DELETE
