"""Teachers on the made-up Canvas: what a day changes, what the benchmark styles change, and repeatability."""

from __future__ import annotations

import pytest

from gradesync.errors import UsageProblem
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
