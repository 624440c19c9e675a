"""Taking over what another tool wrote: nothing doubled, nothing changed behind a teacher's back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from gradesync.domain.adoption import ClassAdoption, Fate, adopt_class
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.passback import ClassInput
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.wish import Rules, Verdict
from tests.domain.passback_samples import (
    CATALOGUE,
    DUE,
    assignment,
    decide,
    given,
    rules,
    sent,
    student,
    submission,
)


def theirs(id: str = "v1", title: str = "Work 1", **more: object) -> LineItem:
    """A column as another tool's sync leaves it: same title and day, its own id and dates."""
    mine = decide(given()).line_items[0].item
    assert mine is not None
    usual = replace(mine, id=id, title=title, due_date=DUE - timedelta(hours=3), assign_date=None)
    return replace(usual, **more)  # type: ignore[arg-type]  # LineItem's own fields


def cell(score: str, id: str = "r1", column: str = "v1", who: str = "s11") -> Result:
    return Result(id, column, who, Decimal(score), "fully graded", DUE.date())


def vendor(items: Iterable[LineItem] = (), cells: Iterable[Result] = ()) -> ClassInput:
    return given(line_items=items, results=cells)


def adopt(one: ClassInput, given_rules: Rules | None = None) -> ClassAdoption:
    return adopt_class(one, CATALOGUE, given_rules or rules())


def adopted(one: ClassInput, adoption: ClassAdoption) -> ClassInput:
    book = dict(one.ledger) | {(entry.kind, entry.subject): entry for entry in adoption.entries()}
    return replace(one, ledger=book)


def fates(adoption: ClassAdoption) -> tuple[dict[Fate, int], dict[Fate, int]]:
    return dict(adoption.counts(LINE_ITEM)), dict(adoption.counts(RESULT))


def test_what_agrees_is_taken_over_and_the_next_run_has_nothing_to_do() -> None:
    one = vendor([theirs()], [cell("8.5")])
    adoption = adopt(one)
    assert fates(adoption) == ({Fate.SAME: 1}, {Fate.SAME: 1})
    assert [event.what for event in adoption.events()] == ["adopted", "adopted"]
    after = decide(adopted(one, adoption))
    assert [d.verdict for d in after.line_items] == [Verdict.UNCHANGED]
    assert [d.verdict for d in after.results] == [Verdict.UNCHANGED]
    assert not after.codes()


def test_another_tools_category_and_times_stay_until_the_work_changes() -> None:
    one = vendor([theirs(category_id="tests", assign_date=DUE - timedelta(days=5))], [cell("8.5")])
    book = adopted(one, adopt(one))
    for complete in (True, False):
        quiet = decide(replace(book, complete=complete))
        assert (sent(quiet), quiet.codes()) == (0, {})
    by_hand = replace(book, sis=replace(book.sis, line_items=(theirs(category_id="hw", title="Mine"),)))
    assert decide(by_hand).line_items[0].code == "GS-412"
    moved = decide(replace(book, assignments=(assignment(due_at=DUE + timedelta(days=1)),)))
    assert moved.line_items[0].verdict is Verdict.SEND


def test_a_rounded_score_is_the_same_score() -> None:
    one = vendor([theirs()], [cell("9")])
    assert adopt(one).counts(RESULT) == {Fate.SAME: 1}
    assert sent(decide(adopted(one, adopt(one)))) == 0


def test_another_score_is_linked_and_waits_until_somebody_has_decided() -> None:
    one = vendor([theirs()], [cell("4")])
    adoption = adopt(one)
    assert adoption.counts(RESULT) == {Fate.DIFFERS: 1}
    after = decide(adopted(one, adoption))
    assert (after.results[0].verdict, after.results[0].code) == (Verdict.WITHHELD, "GS-412")
    wins = decide(adopted(one, adoption), rules(conflict="canvas_wins"))
    assert wins.results[0].verdict is Verdict.SEND
    assert wins.results[0].result is not None
    assert wins.results[0].result.id == "r1"


def test_another_scale_is_linked_and_takes_no_scores() -> None:
    one = vendor([theirs(maximum=Decimal(100))], [cell("85")])
    adoption = adopt(one)
    assert adoption.counts(LINE_ITEM) == {Fate.DIFFERS: 1}
    assert sent(decide(adopted(one, adoption))) == 0


def test_a_change_in_canvas_after_adoption_goes_into_the_adopted_record() -> None:
    one = vendor([theirs()], [cell("8.5")])
    book = adopted(one, adopt(one))
    later = replace(
        book, submissions=(submission("9"),), assignments=(assignment(points=Decimal(20), title="New"),)
    )
    after = decide(later)
    assert after.line_items[0].item is not None
    assert (after.line_items[0].verdict, after.line_items[0].item.id) == (Verdict.SEND, "v1")
    assert after.results[0].result is not None
    assert (after.results[0].verdict, after.results[0].result.id) == (Verdict.SEND, "r1")


def test_where_several_could_be_meant_none_is_taken() -> None:
    columns = adopt(vendor([theirs("a"), theirs("b")], [cell("8.5", column="a")]))
    assert fates(columns) == (
        {Fate.AMBIGUOUS: 1, Fate.ONLY_IN_SIS: 2},
        {Fate.AMBIGUOUS: 1, Fate.ONLY_IN_SIS: 1},
    )
    assert columns.entries() == ()
    cells = adopt(vendor([theirs()], [cell("8.5", "a"), cell("8.5", "b")]))
    assert cells.counts(RESULT) == {Fate.AMBIGUOUS: 1, Fate.ONLY_IN_SIS: 2}
    assert [entry.kind for entry in cells.entries()] == [LINE_ITEM]


def test_what_the_sis_lacks_is_told_and_created_by_the_next_run() -> None:
    assert fates(adopt(vendor())) == ({Fate.MISSING: 1}, {Fate.MISSING: 1})
    other = adopt(vendor([theirs(title="Field trip")], [cell("1")]))
    assert fates(other) == ({Fate.MISSING: 1, Fate.ONLY_IN_SIS: 1}, {Fate.MISSING: 1, Fate.ONLY_IN_SIS: 1})


def test_what_a_rule_withholds_is_not_adopted_and_what_is_known_is_not_adopted_again() -> None:
    hidden = replace(vendor([theirs()], [cell("8.5")]), submissions=(submission("8.5", posted_at=None),))
    assert adopt(hidden).counts(RESULT) == {Fate.WITHHELD: 1, Fate.ONLY_IN_SIS: 1}
    one = vendor([theirs()], [cell("8.5")])
    again = adopt(adopted(one, adopt(one)))
    assert fates(again) == ({Fate.KNOWN: 1}, {Fate.KNOWN: 1})
    assert again.entries() == ()


_SCORES = st.sampled_from(["8.5", "4", "9", "0"])


@over(st.lists(st.tuples(st.sampled_from([11, 12, 13]), _SCORES, _SCORES), unique_by=lambda row: row[0]))
@settings(max_examples=100, deadline=None)
def test_adopting_doubles_nothing_and_changes_no_score(rows: list[tuple[int, str, str]]) -> None:
    one = given(
        submissions=[submission(mine, user_id=who) for who, mine, _ in rows],
        students=[student(who) for who, _, _ in rows],
        line_items=[theirs()],
        results=[cell(held, f"r{who}", who=f"s{who}") for who, _, held in rows],
    )
    adoption = adopt(one)
    after = decide(adopted(one, adoption))
    assert sent(after) == 0
    assert {d.result.id for d in after.results if d.result is not None} <= {f"r{who}" for who, _, _ in rows}
    differing = sum(d.code == "GS-412" for d in after.results)
    assert differing == adoption.counts(RESULT)[Fate.DIFFERS]
