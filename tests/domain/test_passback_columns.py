"""Which columns the SIS gets: every reason for and against one, and how an existing one is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.gradebook import Category, DueOverride, GradingPeriod, LineItem
from gradesync.domain.keyed import minted_line_item_id
from gradesync.domain.line_item import (
    category_for,
    clean_title,
    due_for,
    fingerprint,
    line_item_key,
    period_on,
    periods_of,
)
from gradesync.domain.record import LINE_ITEM
from gradesync.domain.wish import Verdict
from tests.domain.passback_samples import (
    CATALOGUE,
    CLASS,
    DUE,
    HASH,
    ROOT,
    SECTION,
    after,
    assignment,
    column,
    decide,
    entry_with_intent,
    given,
    rules,
    submission,
)


def test_a_new_column_is_whole_and_minted() -> None:
    decided = column(assignment())
    item = decided.item
    assert decided.verdict is Verdict.SEND
    assert item is not None
    assert item.id == minted_line_item_id(ROOT, 1, CLASS)
    assert (item.title, item.category_id, item.period_id, item.school_id) == ("Work 1", "hw", "q1", "oak")
    assert (item.minimum, item.maximum, item.due_date) == (Decimal(0), Decimal(10), DUE)


@pytest.mark.parametrize(
    ("change", "verdict", "code"),
    [
        ({"flagged": False}, Verdict.NOTHING, None),
        ({"published": False}, Verdict.NOTHING, None),
        ({"hidden": True}, Verdict.NOTHING, None),
        ({"grading_type": "not_graded"}, Verdict.NOTHING, None),
        ({"only_overrides": True, "overrides": (DueOverride(99, DUE),)}, Verdict.NOTHING, None),
        ({"only_overrides": True, "overrides": (DueOverride(None, DUE),)}, Verdict.WITHHELD, "GS-407"),
        ({"counts": False}, Verdict.WITHHELD, "GS-420"),
        ({"points": None}, Verdict.WITHHELD, "GS-413"),
        ({"points": Decimal(0)}, Verdict.WITHHELD, "GS-413"),
        ({"points": Decimal(-5)}, Verdict.WITHHELD, "GS-413"),
        ({"due_at": None}, Verdict.WITHHELD, "GS-401"),
        ({"due_at": DUE - timedelta(days=60)}, Verdict.WITHHELD, "GS-402"),
        ({"title": "  \u0007 "}, Verdict.WITHHELD, "GS-427"),
        ({"group": "Projects"}, Verdict.WITHHELD, "GS-405"),
    ],
)
def test_what_cannot_be_a_column_is_left_or_withheld_with_its_code(
    change: dict[str, Any], verdict: Verdict, code: str | None
) -> None:
    decided = column(assignment(**change))
    assert (decided.verdict, decided.code, decided.usable) == (verdict, code, False)


def test_no_score_goes_where_no_column_may_be() -> None:
    for change in ({"flagged": False}, {"points": None}, {"due_at": None}, {"counts": False}):
        decision = decide(given([assignment(**change)]))
        assert all(d.verdict is not Verdict.SEND for d in decision.results)


def test_work_for_this_section_only_is_for_the_whole_class() -> None:
    one = assignment(only_overrides=True, overrides=(DueOverride(SECTION, DUE),))
    assert column(one).verdict is Verdict.SEND


def test_a_column_the_sis_shows_another_way_waits_in_a_delta_and_is_sent_again_by_the_full_run() -> None:
    one = given()
    first = decide(one)
    known = after(one, first)
    d = first.line_items[0]
    for change, usable in (({"category_id": "tests"}, True), ({"maximum": Decimal(99)}, False)):
        other = replace(known.sis.line_items[0], **change)
        book = dict(known.ledger)
        book[LINE_ITEM, d.subject] = replace(
            book[LINE_ITEM, d.subject], read_back=HASH(*line_item_key(other))
        )
        shown = replace(known, sis=replace(known.sis, line_items=(other,)), ledger=book)
        assert decide(shown).line_items[0].verdict is Verdict.SEND
        waits = decide(replace(shown, complete=False)).line_items[0]
        assert (waits.verdict, waits.code, waits.usable) == (Verdict.WITHHELD, "GS-509", usable)


def test_the_sections_own_due_date_wins() -> None:
    own = DUE + timedelta(days=3)
    one = assignment(overrides=(DueOverride(None, DUE - timedelta(days=9)), DueOverride(SECTION, own)))
    assert due_for(one, frozenset({SECTION})) == own
    assert due_for(one, frozenset({5})) == DUE


def test_overlapping_periods_are_never_guessed_between() -> None:
    twice = [*CATALOGUE.periods, GradingPeriod("x", "X", date(2026, 9, 1), date(2026, 12, 1), None)]
    assert period_on(date(2026, 10, 1), twice) is None
    assert period_on(date(2026, 11, 15), CATALOGUE.periods) == CATALOGUE.periods[1]


def test_periods_below_the_classes_session_are_found_and_a_ring_of_sessions_ends() -> None:
    assert [p.id for p in periods_of(["s1"], CATALOGUE)] == ["q1", "q2"]
    year = replace(CATALOGUE, session_parents={"s1": "y"})
    assert [p.id for p in periods_of(["y"], year)] == ["q1", "q2"]
    ring = replace(CATALOGUE, session_parents={"s1": "s2", "s2": "s1"})
    assert periods_of(["nowhere"], ring) == ()


@pytest.mark.parametrize(
    ("group", "policy", "answer"),
    [
        ("Homework", {}, "hw"),
        (" home  work", {}, "GS-405"),
        ("  HOMEWORK ", {}, "hw"),
        ("Quizzes", {"category_map": {"Quizzes": "Tests"}}, "tests"),
        ("Quizzes", {"default_category": "Homework"}, "hw"),
        ("Quizzes", {}, "GS-405"),
    ],
)
def test_categories_are_mapped_matched_or_told_never_guessed(
    group: str, policy: dict[str, Any], answer: str
) -> None:
    found = category_for(group, CLASS, CATALOGUE.categories, rules(**policy).policy)
    assert (found if isinstance(found, str) else found.id) == answer


def test_two_categories_of_one_name_are_told() -> None:
    twice = (Category("a", "Tests"), Category("b", "Tests"))
    assert category_for("Tests", CLASS, twice, rules().policy) == "GS-406"
    own = (Category("a", "Tests"), Category("b", "Tests", CLASS), Category("c", "Tests", "other"))
    found = category_for("Tests", CLASS, own, rules().policy)
    assert isinstance(found, Category)
    assert found.id == "b"


def test_a_class_the_sis_does_not_have_is_told() -> None:
    from gradesync.domain.passback import decide_class

    decision = decide_class(given(), replace(CATALOGUE, classes={}), rules())
    assert decision.line_items[0].code == "GS-512"


def test_another_tools_column_of_the_same_name_and_day_is_taken_over() -> None:
    first = column(assignment()).item
    assert first is not None
    theirs = replace(first, id="theirs", due_date=DUE - timedelta(hours=2))
    decided = decide(given(line_items=[theirs]), rules(conflict="canvas_wins")).line_items[0]
    assert decided.item is not None
    assert decided.item.id == "theirs"
    # Without that policy the column is left alone, and scores still fit.
    decided = decide(given(line_items=[theirs])).line_items[0]
    assert (decided.verdict, decided.code, decided.usable) == (Verdict.WITHHELD, "GS-412", True)


def test_two_columns_that_could_both_be_meant_are_told() -> None:
    first = column(assignment()).item
    assert first is not None
    twice = [replace(first, id="a"), replace(first, id="b")]
    assert decide(given(line_items=twice)).line_items[0].code == "GS-404"


def test_two_assignments_that_look_alike_do_not_share_an_old_column() -> None:
    first = column(assignment()).item
    assert first is not None
    alike = [assignment(1, title="Work"), assignment(2, title="Work")]
    old = replace(first, id="old", title="Work")
    assert [d.code for d in decide(given(alike, line_items=[old])).line_items] == ["GS-404", "GS-404"]
    work = [submission(assignment_id=1), submission(assignment_id=2)]
    assert [d.code for d in decide(given(alike, work)).line_items] == ["GS-404", "GS-404"]
    other_day = [alike[0], replace(alike[1], due_at=DUE + timedelta(days=2))]
    assert {d.verdict for d in decide(given(other_day, work)).line_items} == {Verdict.SEND}
    # Who stands in the SIS already stays; work that gets no column is in nobody's way.
    standing = after(given(alike[:1], work[:1]), decide(given(alike[:1], work[:1])))
    later = decide(replace(standing, assignments=tuple(alike), submissions=tuple(work)))
    assert [(d.verdict, d.code) for d in later.line_items] == [
        (Verdict.UNCHANGED, None),
        (Verdict.WITHHELD, "GS-404"),
    ]
    no_column = [alike[0], replace(alike[1], points=None)]
    assert [d.code for d in decide(given(no_column, work)).line_items] == [None, "GS-413"]
    unique = decide(given(alike, work), rules(unique=True))
    assert [d.code for d in unique.line_items] == ["GS-404", "GS-404"]


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({"category_map": {"Homework": "HW"}}, "hw"),  # the map names nothing the SIS has
        ({"category_map": {"Homework": " TESTS"}}, "tests"),
        ({"category_map": {"Homework": "HW"}, "default_category": "Tests"}, "hw"),
    ],
)
def test_a_map_that_names_nothing_does_not_keep_a_group_from_its_own_category(
    policy: dict[str, Any], found: str
) -> None:
    one = category_for("Homework", CLASS, CATALOGUE.categories, rules(**policy).policy)
    assert isinstance(one, Category)
    assert one.id == found


def test_the_default_category_is_found_apart_from_capitals_and_blanks() -> None:
    one = category_for("Labs", CLASS, CATALOGUE.categories, rules(default_category=" tests").policy)
    assert isinstance(one, Category)
    assert one.id == "tests"


def test_a_column_somebody_removed_in_the_sis_is_not_brought_back() -> None:
    one = given()
    known = after(one, decide(one))
    gone = replace(known, sis=replace(known.sis, line_items=(), results=()))
    decision = decide(gone)
    assert decision.line_items[0].code == "GS-505"
    assert decision.results[0].code == "GS-505"


def test_an_assignment_withdrawn_after_it_was_sent_is_told() -> None:
    one = given()
    known = after(one, decide(one))
    for change in ({"flagged": False}, {"published": False}, {"hidden": True}):
        decision = decide(replace(known, assignments=(assignment(**change),)))
        assert decision.line_items[0].code == "GS-419"
        assert all(d.verdict is not Verdict.SEND for d in decision.results)


def test_a_changed_title_is_sent_and_a_hand_made_one_is_kept() -> None:
    one = given()
    known = after(one, decide(one))
    renamed = decide(replace(known, assignments=(assignment(title="New name"),)))
    assert renamed.line_items[0].verdict is Verdict.SEND
    assert [d.verdict for d in renamed.results] == [Verdict.UNCHANGED]
    item = known.sis.line_items[0]
    by_hand = replace(known, sis=replace(known.sis, line_items=(replace(item, title="By hand"),)))
    assert decide(by_hand).line_items[0].code == "GS-412"
    assert decide(by_hand, rules(conflict="canvas_wins")).line_items[0].verdict is Verdict.SEND


def test_scores_wait_when_the_columns_maximum_was_changed_by_hand() -> None:
    one = given()
    known = after(one, decide(one))
    item = replace(known.sis.line_items[0], maximum=Decimal(20))
    decision = decide(replace(known, sis=replace(known.sis, line_items=(item,))))
    assert not decision.line_items[0].usable
    assert [d.code for d in decision.results] == ["GS-412"]


def test_a_sis_that_keeps_a_column_its_own_way_is_not_written_to_again() -> None:
    one = given()
    first = decide(one)
    known = after(one, first)
    d = first.line_items[0]
    short = replace(known.sis.line_items[0], title="Wor")
    book = dict(known.ledger)
    book[LINE_ITEM, d.subject] = replace(book[LINE_ITEM, d.subject], read_back=HASH(*line_item_key(short)))
    again = replace(known, sis=replace(known.sis, line_items=(short,)), ledger=book)
    assert decide(again).line_items[0].verdict is Verdict.UNCHANGED


def test_a_column_written_and_not_read_back_is_ours_even_when_cut() -> None:
    one = given()
    d = decide(one).line_items[0]
    assert d.item is not None
    book = {(LINE_ITEM, d.subject): entry_with_intent(d)}
    for held in (d.item, replace(d.item, title="Wor")):
        decided = decide(replace(one, sis=replace(one.sis, line_items=(held,)), ledger=book)).line_items[0]
        assert decided.code is None
    other = replace(d.item, title="Something else")
    decided = decide(replace(one, sis=replace(one.sis, line_items=(other,)), ledger=book)).line_items[0]
    assert decided.code == "GS-412"


def test_a_new_column_waits_for_its_first_score_unless_wanted_at_once() -> None:
    empty = given(submissions=[submission(None)])
    assert decide(empty).line_items[0].verdict is Verdict.NOTHING
    assert decide(empty, rules(new_assignments="at_once")).line_items[0].verdict is Verdict.SEND


def test_titles_lose_what_no_column_can_show() -> None:
    assert clean_title(" a\tb\u0000  c\n") == "a b c"


def test_the_same_instant_in_another_offset_is_the_same_column() -> None:
    item = LineItem("x", "t", CLASS, "hw", "q1", DUE, DUE, Decimal(0), Decimal("10.0"))
    east = timezone(timedelta(hours=-5))
    same = replace(item, due_date=DUE.astimezone(east), maximum=Decimal("1E+1"))
    assert line_item_key(item) == line_item_key(same)
    assert line_item_key(item) != line_item_key(replace(item, due_date=DUE + timedelta(minutes=1)))


def test_the_fingerprint_sees_every_change_and_no_order() -> None:
    a, b = assignment(1), assignment(2)
    assert fingerprint([a, b], HASH) == fingerprint([b, a], HASH)
    assert fingerprint([a, b], HASH) != fingerprint([a, replace(b, points=Decimal(11))], HASH)
    assert fingerprint([a, b], HASH) != fingerprint([a], HASH)
