"""Records that are gone in the SIS are tied again or brought back only as far as the account allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.gradebook import LineItem
from gradesync.domain.passback import ClassDecision, ClassInput
from gradesync.domain.passback_columns import MOST_RECREATED
from gradesync.domain.record import LINE_ITEM
from gradesync.domain.wish import Verdict
from tests.domain.passback_samples import (
    HASH,
    after,
    assignment,
    decide,
    given,
    rules,
    sent,
    student,
    submission,
)


def school(people: int = 2, assignments: int = 1) -> ClassInput:
    """A class all of whose scores were sent and recorded."""
    who, work = range(11, 11 + people), range(1, 1 + assignments)
    one = given(
        [assignment(id) for id in work],
        [submission("8.5", id, user) for id in work for user in who],
        [student(user) for user in who],
        listed=frozenset(f"s{user}" for user in who),
    )
    return after(one, decide(one))


def without(one: ClassInput, results: int = 0, columns: int = 0) -> ClassInput:
    """The SIS has lost some columns with their results, and some results."""
    items = one.sis.line_items[columns:]
    there = {item.id for item in items}
    left = tuple(r for r in one.sis.results if r.line_item_id in there)[results:]
    return replace(one, sis=replace(one.sis, line_items=items, results=left))


def with_items(one: ClassInput, *items: LineItem) -> ClassInput:
    return replace(one, sis=replace(one.sis, line_items=(*one.sis.line_items, *items)))


def codes(decision: ClassDecision) -> tuple[list[str | None], list[str | None]]:
    return _codes(decision.line_items), _codes(decision.results)


def _codes(decisions: Iterable[Any]) -> list[str | None]:
    return [d.code for d in decisions]


@pytest.mark.parametrize("policy", ["withhold", "relink", "recreate"])
def test_a_lost_result_comes_back_only_when_the_account_says_so(policy: str) -> None:
    one = without(school(), results=1)
    decision = decide(one, rules(gone_in_sis=policy))
    if policy == "recreate":
        assert not decision.codes()
        assert sent(decision) == 1
        (back,) = [d for d in decision.results if d.verdict is Verdict.SEND]
        assert back.holds is None
        assert sent(decide(after(one, decision), rules(gone_in_sis=policy))) == 0
    else:
        assert decision.codes() == {"GS-505": 1}
        assert sent(decision) == 0


def test_a_lost_column_is_tied_to_the_one_of_its_name_and_day() -> None:
    one = school()
    old = one.sis.line_items[0]
    copy = replace(old, id="restored")
    cells = tuple(replace(r, id=f"x{n}", line_item_id="restored") for n, r in enumerate(one.sis.results))
    restored = replace(one, sis=replace(one.sis, line_items=(copy,), results=cells))
    assert codes(decide(restored, rules()))[0] == ["GS-505"]
    for policy in ("relink", "recreate"):
        decision = decide(restored, rules(gone_in_sis=policy))
        assert (decision.codes(), sent(decision)) == ({}, 0)
        # Both know their new ids from now on.
        assert all(d.confirmed for d in decision.line_items)
        assert all(d.confirmed for d in decision.results)
        assert [d.item.id for d in decision.line_items if d.item is not None] == ["restored"]


def test_a_lost_column_kept_its_own_way_is_tied_with_what_the_sis_holds() -> None:
    one = school()
    d = decide(one).line_items[0]
    item = one.sis.line_items[0]
    book = {
        **one.ledger,
        (LINE_ITEM, d.subject): replace(one.ledger[LINE_ITEM, d.subject], read_back=_hash(item, "Wor")),
    }
    copy = replace(item, id="restored", title="Wor")
    restored = replace(one, ledger=book, sis=replace(one.sis, line_items=(copy,), results=()))
    # Its name is not the assignment's any more, so nothing ties the two but a person.
    assert codes(decide(restored, rules(gone_in_sis="relink")))[0] == ["GS-505"]
    midnight = replace(item, id="restored", due_date=_moved(item))
    own_way = {
        **one.ledger,
        (LINE_ITEM, d.subject): replace(
            one.ledger[LINE_ITEM, d.subject], read_back=_hash(midnight, item.title)
        ),
    }
    tied = replace(one, ledger=own_way, sis=replace(one.sis, line_items=(midnight,), results=()))
    (column,) = decide(tied, rules(gone_in_sis="relink")).line_items
    assert (column.verdict, column.confirmed, column.code) == (Verdict.UNCHANGED, True, None)


def _moved(item: LineItem) -> Any:
    assert item.due_date is not None
    return item.due_date.replace(hour=0, minute=0)


def _hash(item: LineItem, title: str) -> str:
    from gradesync.domain.line_item import line_item_key

    return HASH(*line_item_key(replace(item, title=title)))


def test_where_two_columns_could_be_the_lost_one_neither_is_tied() -> None:
    one = school()
    old = one.sis.line_items[0]
    two = with_items(without(one, columns=1), replace(old, id="a"), replace(old, id="b"))
    for policy in ("relink", "recreate"):
        decision = decide(two, rules(gone_in_sis=policy))
        assert codes(decision) == (["GS-505"], ["GS-505", "GS-505"])


def test_a_tied_column_that_a_person_changed_keeps_their_change() -> None:
    one = school()
    changed = replace(one.sis.line_items[0], id="restored", maximum=Decimal(99))
    lost = with_items(without(one, columns=1), changed)
    decision = decide(lost, rules(gone_in_sis="relink"))
    assert (decision.line_items[0].code, decision.line_items[0].usable) == ("GS-412", False)


def test_a_lost_column_is_recreated_under_the_id_it_had() -> None:
    one = school(people=1, assignments=10)
    lost = without(one, columns=1)
    decision = decide(lost, rules(gone_in_sis="recreate"))
    assert not decision.codes()
    (column,) = [d for d in decision.line_items if d.verdict is Verdict.SEND]
    assert column.item is not None
    assert (column.item.id, column.is_new) == (one.sis.line_items[0].id, True)
    back = after(lost, decision)
    assert {r.id for r in back.sis.results} == {r.id for r in one.sis.results}


def test_many_at_once_are_never_brought_back() -> None:
    # 20 results and 2 columns: a share of 10 % is 4 of 42.
    one = school(people=20, assignments=2)
    known = len(one.ledger)
    assert known == 42
    for lost, back in ((1, True), (4, True), (5, False), (20, False)):
        decision = decide(without(one, results=lost), rules(gone_in_sis="recreate"))
        assert sent(decision) == (lost if back else 0)
        assert decision.codes() == ({} if back else {"GS-505": lost})
    # Half may be allowed, but never more than a handful of a class.
    half = rules(gone_in_sis="recreate", gone_limit=0.5)
    assert sent(decide(without(one, results=20), half)) == 20
    large = school(people=60, assignments=2)
    assert sent(decide(without(large, results=MOST_RECREATED), half)) == MOST_RECREATED
    assert sent(decide(without(large, results=MOST_RECREATED + 1), half)) == 0
    # Everything gone is a broken SIS or another one.
    assert sent(decide(without(large, columns=2), rules(gone_in_sis="recreate", gone_limit=1.0))) == 0


def test_one_lost_record_of_a_small_class_is_within_any_share() -> None:
    assert sent(decide(without(school(people=1), results=1), rules(gone_in_sis="recreate"))) == 1


def test_a_delta_brings_nothing_back_because_it_does_not_see_everything() -> None:
    one = replace(without(school(), results=1), complete=False)
    assert decide(one, rules(gone_in_sis="recreate")).codes() == {"GS-505": 1}
