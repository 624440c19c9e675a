"""A saved plan only narrows: whatever it says, nothing goes through that the files and the store do not say now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.action import ActionKind, Plan
from gradesync.domain.definition import Desired, Recorded
from gradesync.domain.plan import make_plan
from gradesync.domain.saved_plan import SavedAction, SavedPlan, fitted, misfit, saved_actions
from tests.domain.plan_samples import NOW, account, applied, desired, recorded, schedule

ACCOUNTS, NAMES = ("north", "south"), ("a", "b", "c")
SCHEDULES = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(
        lambda who, state: schedule(posted_by=who, state=state),
        st.sampled_from(("p", "q", "r")),
        st.sampled_from(("active", "paused")),
    ),
)
TREES = st.dictionaries(st.sampled_from(ACCOUNTS), SCHEDULES)


def tree(drawn: dict[str, dict[str, Any]]) -> Desired:
    return desired(*(account(key, schedules) for key, schedules in drawn.items()))


def saved(plan: Plan, want: Desired, have: Recorded) -> SavedPlan:
    return SavedPlan("1", "lineage", None, None, saved_actions(plan, want, have))


def everything(have: Recorded, want: Desired) -> Recorded:
    plan = make_plan(want, have, NOW)
    return applied(have, [*plan.actions, *plan.withheld])


@given(TREES, TREES)
def test_nothing_came_between_so_the_saved_plan_is_the_plan(first: Any, second: Any) -> None:
    have = everything(Recorded({}), tree(first))
    plan = make_plan(tree(second), have, NOW)
    fit = fitted(saved(plan, tree(second), have), plan, tree(second), have)
    assert (fit.plan.actions, set(fit.plan.withheld)) == (plan.actions, set(plan.withheld))
    assert fit.plan.digest == plan.digest
    assert fit.stale == ()


@given(TREES, TREES, TREES, TREES)
def test_whatever_came_between_nothing_unplanned_goes_through(
    first: Any, second: Any, between: Any, later: Any
) -> None:
    have = everything(Recorded({}), tree(first))
    kept = saved(make_plan(tree(second), have, NOW), tree(second), have)
    now = everything(have, tree(between))
    fresh = make_plan(tree(later), now, NOW)
    fit = fitted(kept, fresh, tree(later), now)
    named = {(one.kind, one.subject, one.after) for one in kept.actions}
    assert set(fit.plan.actions) <= set(fresh.actions)
    assert {(a.kind.value, a.subject, a.digest) for a in (*fit.plan.actions, *fit.plan.withheld)} <= named
    freed = {(one.kind, one.subject) for one in kept.actions if one.withheld}
    assert not freed & {(a.kind.value, a.subject) for a in fit.plan.actions}
    assert len(fit.stale) + len(fit.plan.actions) + len(fit.plan.withheld) <= len(kept.actions)


@given(TREES, TREES)
def test_a_plan_carried_out_has_nothing_left_and_is_never_stale(first: Any, second: Any) -> None:
    have = everything(Recorded({}), tree(first))
    plan = make_plan(tree(second), have, NOW)
    kept = saved(plan, tree(second), have)
    after = applied(have, plan.actions)
    fit = fitted(kept, make_plan(tree(second), after, NOW), tree(second), after)
    assert not fit.plan.actions
    assert not fit.stale


def test_the_next_run_of_a_schedule_is_none_of_its_plans_business() -> None:
    have = recorded(account("r", {"g": schedule()}))
    want = desired(account("r", {"g": schedule(posted_by="x")}))
    kept = saved(make_plan(want, have, NOW), want, have)
    row = have.accounts["r"].schedules["g"]
    ran = replace(
        have,
        accounts={
            "r": replace(have.accounts["r"], schedules={"g": replace(row, next_run_at=NOW, held=True)})
        },
    )
    fit = fitted(kept, make_plan(want, ran, NOW), want, ran)
    assert [a.kind for a in fit.plan.actions] == [ActionKind.CHANGE]
    assert not fit.stale


def test_a_renamed_account_is_stale_as_a_whole_when_its_definition_moved() -> None:
    before = recorded(account("old", {"g": schedule()}))
    connections = {"canvas": {"url": "https://old.canvas.example"}, "sis": {"profile": "genesis"}}
    new = replace(account("new", {"g": schedule(posted_by="x")}, **connections), moved_from="old")
    want = desired(new)
    kept = saved(make_plan(want, before, NOW), want, before)
    assert {(one.kind, one.subject) for one in kept.actions} == {("move", "new"), ("change", "new/g")}
    changed = recorded(account("old", {"g": schedule()}, name="Somebody was here"))
    fit = fitted(kept, make_plan(want, changed, NOW), want, changed)
    assert not fit.plan.actions
    assert {one.subject for one in fit.stale} == {"new", "new/g"}


def test_a_plan_is_bound_to_store_version_and_commit() -> None:
    plan = SavedPlan("1.0", "here", "c" * 40, None, (SavedAction("create", "r", "g", None, "d"),))
    fits = {"version": "1.0", "lineage": "here", "commit": "c" * 40}
    assert misfit(plan, **fits) is None
    assert "lineage" in str(misfit(plan, **{**fits, "lineage": "there"}))
    assert "gradesync 1.0" in str(misfit(plan, **{**fits, "version": "1.1"}))
    assert "commit" in str(misfit(plan, **{**fits, "commit": "d" * 40}))
    assert "no commit" in str(misfit(plan, version="1.0", lineage="here", commit=None))
