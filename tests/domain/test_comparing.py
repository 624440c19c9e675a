"""A comparison can say nothing else than what the next run will do, whatever happened on either side."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from gradesync.domain.comparing import Cause, ClassComparison, compare_class
from gradesync.domain.gradebook import Result
from gradesync.domain.passback import ClassInput
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry
from gradesync.domain.wish import Verdict, value_key
from tests.domain.passback_samples import after, assignment, decide, given, rules, sent, student, submission

SCORES = st.sampled_from([None, "0", "7", "7.25", "10", "12"])
WHATS = st.sampled_from(["keep", "drop", "edit", "round", "forget", "intend"])


def judged(one: ClassInput, **policy: Any) -> ClassComparison:
    chosen = rules(**policy)
    return compare_class(one, decide(one, chosen), chosen, {})


def causes(one: ClassInput, kind: str = RESULT, **policy: Any) -> list[Cause]:
    return list(judged(one, **policy).causes(kind))


def after_a_run(score: str = "8.5") -> ClassInput:
    one = given(submissions=[submission(score)])
    return after(one, decide(one))


def holding(one: ClassInput, result: Result) -> ClassInput:
    return replace(one, sis=replace(one.sis, results=(result,)))


def test_nothing_ever_sent_is_not_yet_there() -> None:
    assert causes(given()) == causes(given(), LINE_ITEM) == [Cause.NOT_YET]


def test_equal_after_a_run() -> None:
    found = judged(after_a_run())
    assert (dict(found.equal), found.differences, found.scores_agree) == (
        {LINE_ITEM: 1, RESULT: 1},
        (),
        True,
    )


def test_a_class_without_a_score_has_nothing_that_could_agree() -> None:
    found = judged(given(submissions=[submission(None)]))
    assert (found.nothing, found.differences, found.scores_agree) == (1, (), False)


@pytest.mark.parametrize(("held", "cause"), [("8.55", Cause.ROUNDING), ("4", Cause.OTHERWISE)])
def test_what_the_sis_made_of_our_score_is_rounding_only_if_rounding_explains_it(
    held: str, cause: Cause
) -> None:
    rule = rules(decimals=3)
    one = after(
        given(submissions=[submission("8.554")]), decide(given(submissions=[submission("8.554")]), rule)
    )
    (result,) = one.sis.results
    stored = replace(result, score=Decimal(held))
    read_back = rule.hash(value_key(Decimal(held), "fully graded"))
    ledger = {
        key: replace(entry, read_back=read_back) if key[0] == RESULT else entry
        for key, entry in one.ledger.items()
    }
    one = replace(holding(one, stored), ledger=ledger)
    found = compare_class(one, decide(one, rule), rule, {})
    assert list(found.causes(RESULT)) == [cause]


def test_a_second_cell_of_one_student_is_told_once() -> None:
    one = after_a_run()
    (mine,) = one.sis.results
    twice = replace(one, sis=replace(one.sis, results=(mine, replace(mine, id="another"))))
    assert causes(twice) == [Cause.WITHHELD]


def test_a_column_whose_assignment_is_gone_is_not_called_somebody_elses() -> None:
    one = replace(after_a_run(), assignments=(), submissions=())
    found = judged(one)
    assert {d.cause for d in found.differences} == {Cause.WITHHELD}
    assert {d.kind for d in found.differences} == {LINE_ITEM, RESULT}


def test_scores_of_withdrawn_work_are_still_called_ours() -> None:
    one = replace(after_a_run(), assignments=(assignment(flagged=False),), submissions=())
    assert {(d.kind, d.cause, d.code) for d in judged(one).differences} == {
        (LINE_ITEM, Cause.WITHHELD, "GS-419"),
        (RESULT, Cause.WITHHELD, "GS-419"),
    }


@pytest.mark.parametrize(("policy", "sends"), [("report", False), ("blank", True), ("delete", True)])
def test_a_score_cleared_in_canvas_waits_for_the_next_run_only_where_the_account_removes(
    policy: str, sends: bool
) -> None:
    one = replace(after_a_run(), submissions=(submission(None),))
    (found,) = judged(one, deletions=policy).differences
    assert found.sends is sends
    assert (found.cause, found.code) == ((Cause.NOT_YET, None) if sends else (Cause.WITHHELD, "GS-418"))
    # A teacher must say what becomes of it, unless the account has.
    assert found.needs_person is not sends


def test_a_number_canvas_shows_with_more_places_than_are_sent_is_rounding_and_not_equal() -> None:
    chosen = rules(decimals=0)
    one = given(submissions=[submission("8.5")])
    one = after(one, decide(one, chosen))
    assert one.sis.results[0].score == 9
    found = compare_class(one, decide(one, chosen), chosen, {}, values=True)
    assert list(found.causes(RESULT)) == [Cause.ROUNDING]
    (difference,) = (d for d in found.differences if d.kind == RESULT)
    assert difference.shown is not None
    assert (difference.shown.canvas, difference.shown.sends[0], difference.shown.sis[0]) == ("8.5", "9", "9")
    assert found.scores_agree
    assert not difference.needs_person


def test_what_canvas_shows_stands_beside_a_record_that_is_kept_back_too() -> None:
    one = replace(after_a_run("8.125"), submissions=(submission("7.125", posted_at=None),))
    chosen = rules()
    found = compare_class(one, decide(one, chosen), chosen, {}, values=True)
    (difference,) = (d for d in found.differences if d.kind == RESULT)
    assert difference.cause is Cause.WITHHELD
    assert difference.shown is not None
    assert difference.shown.canvas == "7.125"


@settings(max_examples=150, deadline=None)
@over(
    before=st.lists(SCORES, min_size=3, max_size=3),
    now=st.lists(SCORES, min_size=3, max_size=3),
    sis=st.lists(WHATS, min_size=3, max_size=3),
    flagged=st.booleans(),
    conflict=st.sampled_from(["withhold", "canvas_wins"]),
)
def test_a_comparison_never_disagrees_with_the_run_that_follows(
    before: list[str | None], now: list[str | None], sis: list[str], flagged: bool, conflict: str
) -> None:
    one = given(
        submissions=[submission(score, user_id=11 + n) for n, score in enumerate(before)],
        students=[student(11 + n) for n in range(3)],
    )
    one = after(one, decide(one))
    one = replace(
        one,
        assignments=(assignment(flagged=flagged),),
        submissions=tuple(submission(score, user_id=11 + n) for n, score in enumerate(now)),
    )
    results, ledger = {r.student_id: r for r in one.sis.results}, dict(one.ledger)
    for n, what in enumerate(sis):
        _happen(what, f"s{11 + n}", results, ledger)
    one = replace(one, sis=replace(one.sis, results=tuple(results.values())), ledger=ledger)
    chosen = rules(conflict=conflict)
    decision = decide(one, chosen)
    found = compare_class(one, decision, chosen, {})
    assert sum(d.sends for d in found.differences) == sent(decision)
    verdicts = [*(d.verdict for d in decision.line_items), *(d.verdict for d in decision.results)]
    settled = [d for d in found.differences if d.cause in (Cause.ROUNDING, Cause.OTHERWISE)]
    assert sum(found.equal.values()) + len(settled) == verdicts.count(Verdict.UNCHANGED)
    if found.scores_agree:
        # Whoever is told that all scores agree may rely on it.
        assert not any(d.verdict in (Verdict.SEND, Verdict.WITHHELD) for d in decision.results)


def _happen(
    what: str, student_id: str, results: dict[str, Result], ledger: dict[tuple[str, str], LedgerEntry]
) -> None:
    """Something befalls one student's cell in the SIS, or our memory of it."""
    mine = results.get(student_id)
    if mine is None:
        return
    key = next(key for key, entry in ledger.items() if entry.record_id == mine.id)
    if what == "drop":
        del results[student_id]
    elif what == "edit":
        results[student_id] = replace(mine, score=Decimal(3))
    elif what == "round":
        results[student_id] = replace(mine, score=round(mine.score or Decimal(0), 0))
    elif what == "forget":
        del ledger[key]
    elif what == "intend":
        ledger[key] = replace(ledger[key], intent=ledger[key].sent, sent=None, read_back=None)
