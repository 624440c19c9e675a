"""The plan: what a change of the files does to what is recorded, and that a plan applied leaves nothing to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan
from gradesync.domain.plan import changed_fields, changed_fields_by_hand, make_plan
from tests.domain.plan_samples import NOW, account, applied, desired, everything_applied, recorded, schedule

K = ActionKind


def kinds(plan: Plan) -> list[tuple[str, str]]:
    return [(a.kind.value, a.subject) for a in plan.actions]


def one_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> Action:
    """The action on riverside/grades when its definition goes from `before` to `after`."""
    have = recorded(account("riverside", {"grades": before}))
    plan = make_plan(desired(account("riverside", {"grades": after})), have, NOW)
    (action,) = plan.actions
    return action


def test_a_new_account_comes_with_its_schedules() -> None:
    plan = make_plan(desired(account("riverside", {"grades": schedule()})), recorded(), NOW)
    assert kinds(plan) == [("change account", "riverside"), ("create", "riverside/grades")]
    create = plan.actions[1]
    assert create.next_run_after == NOW + timedelta(minutes=15)
    assert create.next_run_before is None


def test_nothing_changed_is_an_empty_plan() -> None:
    one = account("riverside", {"grades": schedule(), "roster": schedule(type="roster import")})
    plan = make_plan(desired(one), recorded(one), NOW)
    assert not plan.changes
    assert plan.unchanged == 2
    assert plan.digest == ""


def test_another_spelling_of_the_same_interval_is_no_change() -> None:
    one = account("riverside", {"grades": schedule(interval="every 15 minutes")})
    other = account("riverside", {"grades": schedule(interval="every  15  min")})
    assert not make_plan(desired(other), recorded(one), NOW).changes


@pytest.mark.parametrize(
    "change", [{"posted_by": "somebody-else"}, {"start_within": 60}, {"state": "observe"}, {"reason": "x"}]
)
def test_what_does_not_move_the_slots_leaves_an_overdue_run_due(change: dict[str, Any]) -> None:
    overdue = NOW - timedelta(minutes=3)
    have = recorded(account("riverside", {"grades": schedule()}), next_run=overdue)
    plan = make_plan(desired(account("riverside", {"grades": schedule(**change)})), have, NOW)
    (action,) = plan.actions
    assert (action.kind, action.next_run_after) == (K.CHANGE, overdue)


@pytest.mark.parametrize(
    "change",
    [
        {"interval": "every 30 minutes", "canonical_interval": "every 30 minutes"},
        {"time_zone": "America/Chicago"},
        {"first_run": "2026-09-02 07:00"},
    ],
)
def test_a_changed_interval_starts_at_its_first_slot_from_now(change: dict[str, Any]) -> None:
    have = recorded(account("riverside", {"grades": schedule()}), next_run=NOW - timedelta(minutes=3))
    plan = make_plan(desired(account("riverside", {"grades": schedule(**change)})), have, NOW)
    (action,) = plan.actions
    assert action.next_run_after is not None
    assert action.next_run_after > NOW
    assert set(change) - {"interval"} == {f.path for f in action.fields}


def test_a_changed_interval_is_shown_in_the_words_of_the_files() -> None:
    before = schedule(interval="daily at 03:15", canonical_interval="cron 15 3 * * *")
    after = schedule(interval="daily at 04:30", canonical_interval="cron 30 4 * * *")
    (field,) = one_change(before, after).fields
    assert (field.path, field.before, field.after) == (
        "canonical_interval",
        '"daily at 03:15"',
        '"daily at 04:30"',
    )


def test_a_pause_has_no_next_run_and_a_resume_catches_nothing_up() -> None:
    pause = one_change(schedule(), schedule(state="paused", reason="SIS upgrade"))
    assert (pause.kind, pause.next_run_after) == (K.PAUSE, None)
    assert "SIS upgrade" in pause.why
    resume = one_change(schedule(state="paused"), schedule())
    assert resume.kind is K.RESUME
    assert resume.next_run_after is not None
    assert resume.next_run_after > NOW
    assert one_change(schedule(state="paused"), schedule(state="observe")).kind is K.RESUME
    born_paused = make_plan(
        desired(account("r", {"grades": schedule(state="paused")})), recorded(), NOW
    ).actions[1]
    assert (born_paused.kind, born_paused.next_run_after) == (K.CREATE, None)


def test_a_schedule_that_leaves_observe_is_told_to_send_from_now_on() -> None:
    assert "sends from now on" in one_change(schedule(state="observe"), schedule()).why
    assert "sends" not in one_change(schedule(), schedule(state="observe")).why


def test_a_changed_policy_says_what_is_decided_anew() -> None:
    before = account("riverside", {"grades": schedule()})
    after = account("riverside", {"grades": schedule()}, passback={"excused": "exempt"})
    (action,) = make_plan(desired(after), recorded(before), NOW).actions
    assert action.kind is K.CHANGE_ACCOUNT
    assert "decides every record anew" in action.why
    assert [f.path for f in action.fields] == ["passback"]
    only_name = account("riverside", {"grades": schedule()}, name="New name")
    (action,) = make_plan(desired(only_name), recorded(before), NOW).actions
    assert "what is sent stays as it was" in action.why


def test_a_policy_that_sends_or_overwrites_more_is_told_in_words() -> None:
    before = account("riverside", {"grades": schedule()}, passback={"missing": "withhold"})
    after = account("riverside", {"grades": schedule()}, passback={"missing": "zero"})
    (action,) = make_plan(desired(after), recorded(before), NOW).actions
    assert "work marked missing is sent as 0" in action.why
    (back,) = make_plan(desired(before), recorded(after), NOW).actions
    assert "sent as 0" not in back.why


def test_a_new_schedule_says_what_it_does_and_whether_it_only_observes() -> None:
    new = account("riverside", {"grades": schedule(state="observe")})
    (_, action) = make_plan(desired(new), recorded(), NOW).actions
    assert action.why.startswith("grade passback, every 15 minutes, America/New_York; it observes")


def test_a_move_keeps_the_schedule_and_its_next_run() -> None:
    have = recorded(account("r", {"old": schedule()}), next_run=NOW + timedelta(minutes=2))
    want = replace(account("r", {"new": schedule()}), moved={"old": "new"})
    (action,) = make_plan(desired(want), have, NOW).actions
    assert (action.kind, action.subject, action.moved_from) == (K.MOVE, "r/new", "old")
    assert action.next_run_after == NOW + timedelta(minutes=2)
    # Once carried out, the line may stand there for ever.
    assert not make_plan(desired(want), applied(have, [action]), NOW).changes


def test_two_renames_in_a_row_are_one_move() -> None:
    have = recorded(account("r", {"a": schedule()}))
    want = replace(account("r", {"c": schedule()}), moved={"a": "b", "b": "c"})
    (action,) = make_plan(desired(want), have, NOW).actions
    assert (action.subject, action.moved_from) == ("r/c", "a")


def test_a_move_to_nothing_retires_the_schedule_instead_of_leaving_it_running() -> None:
    have = recorded(account("r", {"a": schedule(), "other": schedule(type="roster import")}))
    for moved in ({"a": "b"}, {"a": "b", "b": "a"}):
        want = replace(account("r", {"other": schedule(type="roster import")}), moved=moved)
        assert kinds(make_plan(desired(want), have, NOW)) == [("retire", "r/a")]


def test_a_move_that_resumes_is_guarded_as_a_resume() -> None:
    have = recorded(account("r", {"a": schedule(state="paused")}))
    want = replace(account("r", {"b": schedule()}), moved={"a": "b"})
    (action,) = make_plan(desired(want), have, NOW).actions
    assert (action.kind, action.moved_from) == (K.RESUME, "a")


def test_a_removed_schedule_is_retired_and_a_retired_one_comes_back_as_new() -> None:
    both = {"a": schedule(), "b": schedule(type="roster import"), "c": schedule(posted_by="x"),
            "d": schedule(posted_by="y")}  # fmt: skip
    less = {name: value for name, value in both.items() if name != "b"}
    plan = make_plan(desired(account("r", less)), recorded(account("r", both)), NOW)
    assert kinds(plan) == [("retire", "r/b")]
    back = make_plan(desired(account("r", both)), applied(recorded(account("r", both)), plan.actions), NOW)
    assert kinds(back) == [("create", "r/b")]
    assert back.actions[0].next_run_after is not None
    assert back.actions[0].next_run_after > NOW


def test_a_file_with_problems_leaves_its_account_as_it_was() -> None:
    one = account("r", {"grades": schedule()})
    plan = make_plan(desired(frozen={"r"}), recorded(one), NOW)
    assert not plan.changes
    assert plan.frozen == ("r",)


def test_looking_at_one_account_retires_no_other() -> None:
    have = recorded(account("a", {"g": schedule()}), account("b", {"g": schedule()}))
    changed = account("a", {"g": schedule(posted_by="x")})
    plan = make_plan(desired(changed), have, NOW, only=frozenset({"a"}))
    assert kinds(plan) == [("change", "a/g")]
    assert not plan.withheld


def test_the_accounts_own_change_comes_before_its_schedules() -> None:
    before = account(
        "r", {"a": schedule(), "b": schedule(state="paused"), "z": schedule(type="roster import")}
    )
    after = account("r", {"a": schedule(state="paused"), "b": schedule(), "c": schedule(posted_by="n")},
                    name="N")  # fmt: skip
    plan = make_plan(desired(after), recorded(before), NOW)
    assert kinds(plan) == [
        ("change account", "r"),
        ("retire", "r/z"),
        ("resume", "r/b"),
        ("pause", "r/a"),
        ("create", "r/c"),
    ]


def test_a_plan_of_thousands_names_its_fields_by_hand() -> None:
    many = {f"s{n}": schedule() for n in range(520)}
    changed = {name: schedule(posted_by="new") for name in many}
    plan = make_plan(desired(account("r", changed)), recorded(account("r", many)), NOW)
    assert {tuple(f.path for f in a.fields) for a in plan.actions} == {("posted_by",)}


# --- field names ----------------------------------------------------------------------------------------------

_keys = st.sampled_from(["a", "b", "c.d", "__x", "it's", "ü", "interval", ""])
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.5, "", "x", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)
_mappings = st.dictionaries(_keys, _values, max_size=4)


@given(_mappings, _mappings)
@settings(max_examples=300, deadline=None)
def test_both_ways_of_naming_fields_agree(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert changed_fields(before, after) == changed_fields_by_hand(before, after)


def test_a_number_and_a_truth_value_within_a_list_differ() -> None:
    before, after = {"b": [[0], {"b": None}, 0]}, {"b": [[False], {"b": None}, 0]}
    assert [field.path for field in changed_fields(before, after)] == ["b"]
    assert changed_fields(before, after) == changed_fields_by_hand(before, after)


@given(_mappings)
@settings(max_examples=50, deadline=None)
def test_equal_definitions_have_no_changed_field(one: dict[str, Any]) -> None:
    copy = json.loads(json.dumps(one))
    assert changed_fields(one, copy) == changed_fields_by_hand(one, copy) == ()


def test_a_list_is_shown_whole() -> None:
    before, after = {"m": {"l": [1, 2]}}, {"m": {"l": [1, 3]}, "n": 1}
    expected = (FieldChange("m.l", "[1, 2]", "[1, 3]"), FieldChange("n", None, "1"))
    assert changed_fields(before, after) == expected


# --- what holds for every tree --------------------------------------------------------------------------------

_schedules = st.fixed_dictionaries(
    {
        "interval": st.sampled_from(["every 15 minutes", "daily at 02:00", "hourly"]),
        "state": st.sampled_from(["active", "paused", "observe"]),
        "posted_by": st.sampled_from(["x", "y"]),
        "type": st.sampled_from(["grade passback", "roster import"]),
    }
)
_accounts = st.dictionaries(st.sampled_from("abc"), _schedules, max_size=3)
_trees = st.dictionaries(st.sampled_from(["north", "south"]), _accounts, max_size=2)


def _tree(drawn: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    return [
        account(key, {n: schedule(**{**s, "canonical_interval": s["interval"]}) for n, s in found.items()})
        for key, found in drawn.items()
    ]


@given(_trees, _trees)
@settings(max_examples=150, deadline=None)
def test_a_plan_applied_leaves_nothing_to_do(first: Any, second: Any) -> None:
    have = everything_applied(desired(*_tree(first)), recorded())
    plan = make_plan(desired(*_tree(second)), have, NOW)
    now_recorded = everything_applied(desired(*_tree(second)), have)
    again = make_plan(desired(*_tree(second)), now_recorded, NOW)
    assert not again.changes
    # And applying only what no guard withheld leaves exactly the withheld part.
    partly = applied(have, plan.actions)
    rest = make_plan(desired(*_tree(second)), partly, NOW)
    assert {a.subject for a in rest.actions} <= {a.subject for a in plan.withheld}


@given(_trees, _trees)
@settings(max_examples=150, deadline=None)
def test_a_pause_is_never_withheld(first: Any, second: Any) -> None:
    have = everything_applied(desired(*_tree(first)), recorded())
    plan = make_plan(desired(*_tree(second)), have, NOW)
    assert not [a for a in plan.withheld if a.kind is K.PAUSE]
    for key, found in second.items():
        for name, wanted in found.items():
            old = have.accounts[key].schedules.get(name) if key in have.accounts else None
            alive = old is not None and not old.retired and json.loads(old.text)["state"] != "paused"
            if wanted["state"] == "paused" and alive:
                assert (K.PAUSE, f"{key}/{name}") in {(a.kind, a.subject) for a in plan.actions}


def test_now_is_a_quiet_minute_in_these_tests() -> None:
    assert datetime(2026, 10, 6, 14, 0, tzinfo=UTC) == NOW
