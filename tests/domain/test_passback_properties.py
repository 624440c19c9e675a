"""What holds for every class, whatever teachers, students and people in the SIS have done to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from gradesync.domain.gradebook import Assignment, Result, SectionStudent, Submission
from gradesync.domain.passback import ClassInput
from gradesync.domain.record import RESULT
from gradesync.domain.wish import Rules, Speech, Verdict, rounded
from tests.domain.passback_samples import (
    GRADED,
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
