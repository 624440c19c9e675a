"""Teachers on the made-up Canvas: what a day changes, what the benchmark styles change, and repeatability."""

from __future__ import annotations

import pytest

from gradesync.errors import UsageProblem
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.teach import teach

from .canvas_client import Clock, world


def test_a_day_brings_a_handful_of_every_kind_of_change() -> None:
    made = world()
    before = len(made.submissions)
    counts = teach(made, seed=1)
    expected = {"graded", "changed", "excused", "posted", "cleared", "resubmitted", "late_penalties"}
    assert expected | {"new_assignments", "renamed", "hidden"} <= set(counts)
    changed = [one for one in made.submissions.values() if one.updated_at == made.now()]
    # A day touches a small part of the gradebook, not all of it.
    assert 10 < len(changed) < before / 4


def test_the_same_seed_teaches_the_same_and_another_one_differently() -> None:
    first, second, third = world(), world(), world()
    assert teach(first, seed=1, rounds=2) == teach(second, seed=1, rounds=2)
    assert first.raw() == second.raw()
    teach(third, seed=2, rounds=2)
    assert third.raw() != first.raw()


def test_grading_all_scores_one_new_assignment_for_every_active_student() -> None:
    clock = Clock()
    made = world(clock=clock)
    moment = clock.forward(hours=1)
    counts = teach(made, seed=1, style="grade-all")
    fresh = [one for one in made.assignments.values() if one.created_at == moment]
    assert {one.course_id for one in fresh} == {one.id for one in made.courses.values() if one.published}
    assert counts["new_assignments"] == len(fresh)
    scored = [one for one in made.submissions.values() if one.graded_at == moment]
    assert len(scored) == counts["graded"] > 100
    assert all(one.posted_at == moment and one.score is not None for one in scored)


def test_regrading_all_changes_every_score() -> None:
    made = world()
    before = {
        one.id: one.score
        for one in made.submissions.values()
        if one.score is not None and made.assignments[one.assignment_id].workflow_state == "published"
    }
    counts = teach(made, seed=1, style="regrade-all")
    assert counts == {"changed": len(before)}
    assert all(made.submissions[key].score != score for key, score in before.items())


def test_an_empty_canvas_has_nothing_to_teach() -> None:
    made = world(populated=False)
    assert teach(made, seed=1) == {}
    assert teach(made, seed=1, style="grade-all") == {}


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(UsageProblem):
        teach(world(populated=False), seed=1, style="night")


#: Acts by what they must leave alone (canvas.md of the reference: what moves graded_at).
_QUIET = ("cleared", "unexcused", "posted", "hidden", "resubmitted", "late_penalties")
_LOUD = ("graded", "changed", "excused", "missing_zeros", "marked_missing", "changed_points")
_SILENT = ("renamed", "moved_due_dates", "deleted_assignments", "unpublished", "unflagged")


def prepared(clock: Clock) -> CanvasWorld:
    """A Canvas in which every act finds something to do, an hour later."""
    made = world(clock=clock)
    teach(made, seed=1, rounds=2)
    teach(made, seed=2, acts=("hidden", "excused", "unpublished", "unflagged"))
    clock.forward(hours=1)
    return made


@pytest.mark.parametrize("act", [*_QUIET, *_LOUD, *_SILENT])
def test_an_act_moves_what_it_moves_in_canvas_and_nothing_else(act: str) -> None:
    clock = Clock()
    made = prepared(clock)
    graded = {one.id: one.graded_at for one in made.submissions.values()}
    updated = {one.id: one.updated_at for one in made.submissions.values()}
    assert teach(made, seed=3, acts=(act,)) == {act: 1}
    moved = {key for key, one in made.submissions.items() if one.updated_at != updated[key]}
    regraded = {key for key, one in made.submissions.items() if one.graded_at != graded[key]}
    assert bool(moved) is (act not in _SILENT)
    assert bool(regraded) is (act in _LOUD)
    assert regraded <= moved


def test_work_goes_and_comes_back() -> None:
    clock = Clock()
    made = prepared(clock)
    assert teach(made, seed=3, acts=("republished", "reflagged")) == {"republished": 1, "reflagged": 1}


def test_a_moved_student_is_in_another_section_of_the_same_course() -> None:
    made = world()
    before = {one.id: one.workflow_state for one in made.enrollments.values()}
    assert teach(made, seed=1, acts=("moved_students",)) == {"moved_students": 1}
    (old,) = [
        one
        for one in made.enrollments.values()
        if before.get(one.id, one) != one.workflow_state and one.id in before
    ]
    (new,) = [one for one in made.enrollments.values() if one.id not in before]
    assert (old.workflow_state, new.workflow_state, new.user_id) == ("deleted", "active", old.user_id)
    assert new.course_section_id != old.course_section_id
    course = made.sections[old.course_section_id].course_id
    assert made.sections[new.course_section_id].course_id == course
    assert teach(made, seed=1, acts=("dropped_students",)) == {"dropped_students": 1}


def test_a_hard_day_does_more_than_a_day_and_stays_repeatable() -> None:
    first, second = world(), world()
    counts = teach(first, seed=1, rounds=2, style="hard-day")
    rare = {"changed_points", "deleted_assignments", "unpublished", "republished", "unflagged", "reflagged"}
    assert rare | {"moved_students", "dropped_students", "missing_zeros", "unexcused"} <= set(counts)
    assert teach(second, seed=1, rounds=2, style="hard-day") == counts
    assert first.raw() == second.raw()


def test_an_unknown_act_is_refused() -> None:
    with pytest.raises(UsageProblem, match="no act"):
        teach(world(populated=False), seed=1, acts=("sang",))
