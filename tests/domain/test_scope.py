"""Which classes an account looks at."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gradesync.domain.account import Account, Scope
from gradesync.domain.scope import class_in_scope
from tests.domain.plan_samples import definition

SESSIONS = {"fall": ("Fall 2026", date(2026, 9, 1), date(2027, 1, 30))}


def inside(scope: Scope, today: date = date(2026, 10, 1), **more: Any) -> bool:
    usual: dict[str, Any] = {"code": "MATH-1", "school_id": "oak", "term_ids": ["fall"]}
    return class_in_scope(scope, sessions=SESSIONS, today=today, **{**usual, **more})


@pytest.mark.parametrize(
    ("today", "answer"),
    [
        (date(2026, 8, 31), False),
        (date(2026, 9, 1), True),
        (date(2027, 2, 28), True),
        (date(2027, 3, 1), False),
    ],
)
def test_current_means_begun_and_over_for_less_than_30_days(today: date, answer: bool) -> None:
    assert inside(Scope(), today) is answer


def test_a_class_of_unknown_terms_is_looked_at_rather_than_lost() -> None:
    assert inside(Scope(), term_ids=["other"])
    assert inside(Scope(terms=("Spring",)), term_ids=[])


def test_schools_classes_and_terms_choose() -> None:
    assert not inside(Scope(schools=("elm",)))
    assert inside(Scope(schools=("elm", "oak")))
    assert inside(Scope(include_classes=("MATH-*",)))
    assert not inside(Scope(include_classes=("ART-*",)))
    assert not inside(Scope(include_classes=("MATH-*",), exclude_classes=("*-1",)))
    assert inside(Scope(terms=("Fall 2026",)))
    assert not inside(Scope(terms=("Fall",)))
    assert inside(Scope(terms="all"), date(2030, 1, 1))


def read_scope(**scope: Any) -> Scope:
    return Account.from_definitions("r", definition("r", scope=scope), {}).scope


def test_one_title_is_a_list_of_one_and_no_part_of_it_matches() -> None:
    assert read_scope(terms="Fall 2026").terms == ("Fall 2026",)
    assert read_scope(terms="all", schools="all") == Scope(terms="all")
    assert read_scope(schools="oak").schools == ("oak",)
    assert not inside(read_scope(schools="oakland"))
