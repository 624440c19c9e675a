"""Protection, renames, holds and the other guards that no share measures; consent never reaches what is locked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.action import ActionKind, Plan
from gradesync.domain.definition import DesiredAccount, Recorded
from gradesync.domain.hold import Hold, HoldScope
from gradesync.domain.plan import make_plan
from gradesync.domain.run import Actor
from gradesync.domain.schedule import SyncType
from tests.domain.plan_samples import NOW, account, applied, definition, desired, recorded, schedule


def many(count: int, **more: Any) -> dict[str, dict[str, Any]]:
    return {f"s{n:03}": schedule(posted_by=f"p{n}", **more) for n in range(count)}


def kinds(plan: Plan) -> set[tuple[str, str]]:
    return {(a.kind.value, a.subject) for a in plan.actions}


def withheld(plan: Plan) -> set[tuple[str, str]]:
    return {(a.kind.value, a.subject) for a in plan.withheld}


PROTECTED = {**many(9), "grades": schedule(posted_by="g", protect=True)}


# - protect -


def test_deleting_a_protected_schedule_together_with_its_protection_does_not_retire_it() -> None:
    plan = make_plan(desired(account("r", many(9))), recorded(account("r", PROTECTED)), NOW)
    assert withheld(plan) == {("retire", "r/grades")}
    assert "protected" in plan.stops[0].sentence
    assert "first" in plan.stops[0].hint


def test_no_consent_retires_what_is_protected() -> None:
    have = recorded(account("r", PROTECTED))
    plan = make_plan(desired(account("r", many(9))), have, NOW)
    assert plan.digest == "", "there is nothing that anybody could allow"
    for allow in ("", plan.digest, "0" * 12):
        assert withheld(make_plan(desired(account("r", many(9))), have, NOW, allow=allow))


def test_consent_to_the_rest_leaves_the_protected_one_alone() -> None:
    before = {**many(4), "grades": schedule(posted_by="g", protect=True)}
    after = account("r", {"s000": many(1)["s000"]})
    plan = make_plan(desired(after), recorded(account("r", before)), NOW)
    assert len(plan.withheld) == 4
    allowed = make_plan(desired(after), recorded(account("r", before)), NOW, allow=plan.digest)
    assert kinds(allowed) == {("retire", f"r/s00{n}") for n in (1, 2, 3)}
    assert {a.consent for a in allowed.actions} == {plan.digest}
    assert withheld(allowed) == {("retire", "r/grades")}
    assert [stop.account for stop in allowed.stops] == ["r"]


def test_protection_ends_in_two_merges() -> None:
    have = recorded(account("r", PROTECTED))
    without = {**PROTECTED, "grades": schedule(posted_by="g")}
    first = make_plan(desired(account("r", without)), have, NOW)
    assert kinds(first) == {("change", "r/grades")}
    assert not first.withheld
    second = make_plan(desired(account("r", many(9))), applied(have, first.actions), NOW)
    assert kinds(second) == {("retire", "r/grades")}
    assert not second.withheld


@pytest.mark.parametrize("how", ["leaving", "the file is gone", "the tree is empty"])
def test_an_account_does_not_leave_while_something_of_it_is_protected(how: str) -> None:
    have = recorded(account("r", PROTECTED), account("o", many(90)))
    trees = {
        "leaving": desired(replace(account("r", {}), leaving=True), account("o", many(90))),
        "the file is gone": desired(account("o", many(90))),
        "the tree is empty": desired(),
    }
    plan = make_plan(trees[how], have, NOW)
    assert {("retire", "r/grades"), ("retire", "r")} <= withheld(plan)
    again = make_plan(trees[how], have, NOW, allow=plan.digest)
    assert {("retire", "r/grades"), ("retire", "r")} <= withheld(again)


def test_a_protected_schedule_can_be_paused_changed_and_renamed() -> None:
    have = recorded(account("r", PROTECTED))
    paused = {**PROTECTED, "grades": schedule(posted_by="g", protect=True, state="paused")}
    assert kinds(make_plan(desired(account("r", paused)), have, NOW)) == {("pause", "r/grades")}
    renamed = {**many(9), "passback": PROTECTED["grades"]}
    moved = replace(account("r", renamed), moved={"grades": "passback"})
    plan = make_plan(desired(moved), have, NOW)
    assert kinds(plan) == {("move", "r/passback")}
    after = applied(have, plan.actions)
    assert withheld(make_plan(desired(account("r", many(9))), after, NOW)) == {("retire", "r/passback")}


# - nothing left -


def test_a_file_without_any_schedule_is_a_slip_however_small_the_account() -> None:
    plan = make_plan(desired(account("r", {})), recorded(account("r", many(1))), NOW)
    assert withheld(plan) == {("retire", "r/s000")}
    assert "no schedule any more" in plan.stops[0].sentence
    assert "leaving" in plan.stops[0].hint


def test_one_schedule_in_place_of_another_is_no_empty_account() -> None:
    after = account("r", {"other": schedule(posted_by="o")})
    plan = make_plan(desired(after), recorded(account("r", many(1))), NOW)
    assert kinds(plan) == {("retire", "r/s000"), ("create", "r/other")}


def test_an_account_that_has_left_is_no_longer_missed() -> None:
    have = recorded(account("r", many(1)), account("o", many(20)))
    gone = make_plan(desired(replace(account("r", {}), leaving=True), account("o", many(20))), have, NOW)
    assert kinds(gone) == {("retire", "r/s000"), ("retire", "r")}
    after = applied(have, gone.actions)
    assert not make_plan(desired(account("o", many(20))), after, NOW).changes


def test_an_account_that_left_can_come_back() -> None:
    have = recorded(account("r", many(1)))
    left = applied(have, make_plan(desired(replace(account("r", {}), leaving=True)), have, NOW).actions)
    plan = make_plan(desired(account("r", many(1))), left, NOW)
    assert kinds(plan) == {("change account", "r"), ("create", "r/s000")}


# - held -


def held(have: Recorded, key: str, name: str, *, by_person: bool) -> Recorded:
    one = have.accounts[key]
    marked = replace(one.schedules[name], held=True, stopped=by_person)
    return replace(
        have, accounts={**have.accounts, key: replace(one, schedules={**one.schedules, name: marked})}
    )


def test_what_an_operator_holds_is_not_quietly_deleted() -> None:
    have = held(recorded(account("r", many(10))), "r", "s000", by_person=True)
    after = desired(account("r", dict(list(many(10).items())[1:])))
    plan = make_plan(after, have, NOW)
    assert withheld(plan) == {("retire", "r/s000")}
    assert "holds s000" in plan.stops[0].sentence
    assert kinds(make_plan(after, have, NOW, allow=plan.digest)) == {("retire", "r/s000")}


def test_what_only_a_breaker_holds_may_be_deleted() -> None:
    have = held(recorded(account("r", many(10))), "r", "s000", by_person=False)
    plan = make_plan(desired(account("r", dict(list(many(10).items())[1:]))), have, NOW)
    assert kinds(plan) == {("retire", "r/s000")}


def test_an_account_may_leave_while_it_is_held() -> None:
    have = held(recorded(account("r", many(2)), account("o", many(40))), "r", "s000", by_person=True)
    plan = make_plan(desired(replace(account("r", {}), leaving=True), account("o", many(40))), have, NOW)
    assert not plan.withheld


# - renamed schedules -


def test_each_of_two_renames_is_named_with_its_own_twin() -> None:
    old = {**many(20), "a": schedule(), "b": schedule()}
    new = {**many(20), "c": schedule(), "d": schedule()}
    plan = make_plan(desired(account("r", new)), recorded(account("r", old)), NOW)
    assert withheld(plan) == {("retire", "r/a"), ("retire", "r/b"), ("create", "r/c"), ("create", "r/d")}
    assert {stop.hint for stop in plan.stops} == {
        "add `moved: {a: c}` to the account",
        "add `moved: {b: d}` to the account",
    }


def test_a_move_onto_a_schedule_with_its_own_history_is_a_clash() -> None:
    old = {**many(20), "a": schedule(posted_by="a"), "b": schedule(posted_by="b")}
    new = {**many(20), "b": schedule(posted_by="a")}
    plan = make_plan(desired(replace(account("r", new), moved={"a": "b"})), recorded(account("r", old)), NOW)
    assert withheld(plan) == {("retire", "r/a")}
    assert "history of its own" in plan.stops[0].sentence


def test_two_schedules_cannot_become_one() -> None:
    old = {**many(20), "a": schedule(posted_by="a"), "b": schedule(posted_by="b")}
    new = {**many(20), "c": schedule(posted_by="c")}
    plan = make_plan(
        desired(replace(account("r", new), moved={"a": "c", "b": "c"})), recorded(account("r", old)), NOW
    )
    assert withheld(plan) == {("retire", "r/a"), ("retire", "r/b"), ("create", "r/c")}


def test_renames_that_were_carried_out_may_stay_in_the_file() -> None:
    new = replace(account("r", {**many(5), "c": schedule()}), moved={"a": "c", "b": "c"})
    assert not make_plan(desired(new), recorded(new), NOW).changes


# - renamed accounts -


def moved_account(**more: Any) -> DesiredAccount:
    same = {k: definition("old")[k] for k in ("canvas", "sis")}
    return replace(account("new", many(3), **{**same, **more}), moved_from="old")


def test_a_declared_rename_moves_the_account_and_leaves_its_schedules_alone() -> None:
    have = recorded(account("old", many(3)))
    plan = make_plan(desired(moved_account()), have, NOW)
    assert [(a.kind.value, a.subject, a.moved_from) for a in plan.actions] == [("move", "new", "old")]
    assert plan.unchanged == 3
    assert plan.revisions["new"] == have.accounts["old"].revision
    after = applied(have, plan.actions)
    assert list(after.accounts) == ["new"]
    assert not make_plan(desired(moved_account()), after, NOW).changes, "the line may stay in the file"


def test_a_rename_that_changes_schedules_too_is_one_plan() -> None:
    have = recorded(account("old", many(3)))
    same = {k: definition("old")[k] for k in ("canvas", "sis")}
    now = {**many(3), "s000": schedule(posted_by="p0", state="paused"), "more": schedule(posted_by="m")}
    tree = desired(replace(account("new", now, **same), moved_from="old"))
    plan = make_plan(tree, have, NOW)
    assert kinds(plan) == {("move", "new"), ("pause", "new/s000"), ("create", "new/more")}
    assert plan.actions[0].kind is ActionKind.MOVE
    assert not make_plan(tree, applied(have, plan.actions), NOW).changes


def test_a_renamed_account_at_other_hosts_waits_for_consent_and_only_a_pause_goes_through() -> None:
    have = recorded(account("old", many(3)))
    elsewhere = {**definition("old")["sis"], "url": "https://elsewhere.example"}
    same = {"canvas": definition("old")["canvas"], "sis": elsewhere}
    now = {**many(3), "s000": schedule(posted_by="p0", state="paused"), "s001": schedule(posted_by="x")}
    tree = desired(replace(account("new", now, **same), moved_from="old"))
    plan = make_plan(tree, have, NOW)
    assert withheld(plan) == {("move", "new"), ("change", "new/s001")}
    assert kinds(plan) == {("pause", "old/s000")}, "under the name it still has"
    assert plan.revisions["old"] == have.accounts["old"].revision
    after = applied(have, plan.actions)
    allowed = make_plan(tree, after, NOW, allow=make_plan(tree, after, NOW).digest)
    assert kinds(allowed) == {("move", "new"), ("change", "new/s001")}


@pytest.mark.parametrize("broken", [False, True])
def test_an_account_whose_old_name_still_has_a_file_has_not_moved(broken: bool) -> None:
    old = account("old", many(3))
    tree = desired(moved_account(), frozen=["old"]) if broken else desired(moved_account(), old)
    plan = make_plan(tree, recorded(old), NOW)
    assert not [a for a in plan.actions if a.moved_from or a.kind is ActionKind.RETIRE]


def test_an_account_cannot_move_onto_one_with_its_own_history() -> None:
    have = recorded(account("old", many(3)), account("new", many(1)))
    plan = make_plan(desired(moved_account()), have, NOW)
    assert {("retire", "old"), ("change account", "new")} <= withheld(plan)
    assert any("history of its own" in stop.sentence for stop in plan.stops)


def test_a_renamed_account_may_leave_at_once() -> None:
    have = recorded(account("old", many(3)), account("o", many(40)))
    plan = make_plan(desired(replace(moved_account(), leaving=True), account("o", many(40))), have, NOW)
    assert [a.subject for a in plan.actions] == ["new", "new/s000", "new/s001", "new/s002", "new"]
    assert applied(have, plan.actions).accounts["new"].retired


# - secrets -


def test_a_new_account_does_not_carry_anothers_secret_to_another_host() -> None:
    old = account("old", many(1))
    theft = account("new", many(1), canvas={**definition("old")["canvas"], "url": "https://thief.example"})
    plan = make_plan(desired(old, theft), recorded(old), NOW)
    assert withheld(plan) == {("change account", "new"), ("create", "new/s000")}
    assert "the secret of old" in plan.stops[0].sentence


def test_two_accounts_may_share_a_secret_at_the_same_host() -> None:
    old = account("old", many(1))
    twin = account("new", many(1), canvas=definition("old")["canvas"])
    assert not make_plan(desired(old, twin), recorded(old), NOW).withheld


# - slipping from under a hold


def under(have: Recorded, **scope: Any) -> Recorded:
    hold = Hold("h", HoldScope(**scope), Actor("kim", "OS user"), "outage", NOW, NOW + timedelta(hours=72))
    return replace(have, holds=(hold,))


GRADES = {"grades": schedule()}
TO_IMPORT = {"grades": schedule(type="roster import")}


@pytest.mark.parametrize(
    ("before", "after", "scope"),
    [
        (account("r", GRADES, group="pilot"), account("r", GRADES, group="south"), {"group": "pilot"}),
        (account("r", GRADES, group="pilot"), account("r", GRADES), {"group": "pilot"}),
        (account("r", GRADES), account("r", TO_IMPORT), {"type": SyncType.GRADE_PASSBACK}),
    ],
    ids=["another group", "no group", "another type"],
)
def test_no_change_of_the_files_takes_a_schedule_out_from_under_an_operators_hold(
    before: DesiredAccount, after: DesiredAccount, scope: dict[str, Any]
) -> None:
    have = recorded(before)
    plan = make_plan(desired(after), under(have, **scope), NOW)
    assert plan.actions == ()
    assert "slip from under an operator's hold" in plan.stops[0].sentence
    # Nothing is withheld without that hold, or where one on the account goes along.
    assert not make_plan(desired(after), have, NOW).withheld
    both = replace(have, holds=(*under(have, **scope).holds, *under(have, account="r").holds))
    assert not make_plan(desired(after), both, NOW).withheld


def test_a_pause_goes_through_beside_a_group_that_is_left_under_a_hold() -> None:
    paused = {**GRADES, "more": schedule(state="paused", posted_by="p")}
    have = recorded(account("r", {**GRADES, "more": schedule(posted_by="p")}, group="pilot"))
    plan = make_plan(desired(account("r", paused, group="south")), under(have, group="pilot"), NOW)
    assert kinds(plan) == {("pause", "r/more")}


def hold_over(scope: HoldScope, number: int = 1) -> Hold:
    """A person's hold, placed now."""
    return Hold(
        f"hold-{number}", scope, Actor("ana", "OS user"), "to be looked at", NOW, NOW + timedelta(days=3)
    )


COVERING = st.sampled_from(
    [
        HoldScope(account="r", schedule="s000"),
        HoldScope(account="r"),
        HoldScope(type=SyncType.GRADE_PASSBACK),
        HoldScope(),
    ]
)


@given(
    scopes=st.lists(COVERING, min_size=1, max_size=3),
    before=st.integers(0, 2),
    gone=st.integers(4, 9),
    way=st.sampled_from(["rows", "file", "schedules"]),
)
def test_consent_given_before_a_hold_was_placed_does_not_end_the_held_schedule(
    scopes: list[HoldScope], before: int, gone: int, way: str
) -> None:
    have = recorded(account("r", many(10)), *(account(f"other{n}", many(9)) for n in range(2)))
    rest = {
        "rows": [account("r", dict(list(many(10).items())[gone:]))],
        "schedules": [account("r", {})],
        "file": [],
    }
    tree = desired(*rest[way], *(account(f"other{n}", many(9)) for n in range(2)))
    held_from = have
    for number, scope in enumerate(scopes):
        if number == min(before, len(scopes) - 1):
            held_from = have
        have = replace(held(have, "r", "s000", by_person=True), holds=(*have.holds, hold_over(scope, number)))
    shown = make_plan(tree, held_from, NOW)
    assert ("retire", "r/s000") in withheld(shown)
    later = make_plan(tree, have, NOW, allow=shown.digest)
    assert ("retire", "r/s000") in withheld(later)
    assert not later.allowed
    anew = make_plan(tree, have, NOW, allow=make_plan(tree, have, NOW).digest)
    assert ("retire", "r/s000") in kinds(anew), "who knows of the hold may consent"


def test_a_hold_over_something_else_leaves_the_consent_alone() -> None:
    have = recorded(account("r", many(10)), account("s", many(3)))
    tree = desired(account("r", dict(list(many(10).items())[4:])), account("s", many(3)))
    shown = make_plan(tree, have, NOW)
    other = replace(held(have, "s", "s000", by_person=True), holds=(hold_over(HoldScope(account="s")),))
    assert make_plan(tree, other, NOW, allow=shown.digest).allowed


def test_the_holds_a_renamed_account_brings_along_are_part_of_the_consent() -> None:
    have = recorded(account("old", many(10)))
    tree = desired(replace(account("new", dict(list(many(10).items())[4:])), moved_from="old"))
    shown = make_plan(tree, have, NOW)
    scope = HoldScope(account="old", schedule="s000")
    have = replace(held(have, "old", "s000", by_person=True), holds=(hold_over(scope),))
    later = make_plan(tree, have, NOW, allow=shown.digest)
    assert not later.allowed
    assert [a.despite for a in later.withheld if a.subject == "new/s000"] == [("hold-1",)]
