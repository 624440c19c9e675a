"""Holds: nobody's deploy undoes one, nobody forgets one, and nothing slips out from under it by another name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gradesync.domain.action import ActionKind
from gradesync.domain.definition import Desired, digest
from gradesync.domain.hold import Hold, HoldScope
from gradesync.domain.schedule import SyncType
from gradesync.engine.apply import plan_of
from gradesync.engine.control import place_hold, release
from gradesync.engine.reconcile import PassOptions
from gradesync.errors import GradesyncError, NotFound
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import District

HERE = HoldScope(account="riverside", schedule="grades")
RIVERSIDE = HoldScope(account="riverside")


def tree(schedules: dict[str, Any], moved: dict[str, str] | None = None, **more: Any) -> Desired:
    made = account("riverside", schedules, scope={"terms": "all"}, **more)
    return desired(replace(made, moved=moved or {}))


def started(**more: Any) -> District:
    district = District()
    district.reconcile(tree({"grades": schedule(), "rosters": schedule(type="roster import")}, **more))
    return district


def in_force(district: District) -> list[Hold]:
    return list(district.store.holds(district.store.now()))


def ran(district: District, the_tree: Desired | None = None) -> list[str]:
    """Fifteen minutes and a pass later: the schedules that ran."""
    district.later(15)
    return [end.run.schedule.name for end in district.reconcile(the_tree).ends]


def test_without_an_end_it_lasts_72_hours_and_on_into_working_hours() -> None:
    district = started()
    district.school.now = datetime(2026, 10, 6, 22, 0, tzinfo=UTC)  # Tuesday, 18:00 in New York
    hold = place_hold(district.tools, HERE, "SIS upgrade", None)
    assert hold.expires_at == datetime(2026, 10, 12, 13, 0, tzinfo=UTC)  # Monday, 09:00


def test_an_end_that_was_given_is_kept_to_the_minute() -> None:
    district = started()
    hold = place_hold(district.tools, HERE, "SIS upgrade", timedelta(hours=9))
    assert hold.expires_at == hold.created_at + timedelta(hours=9)


def test_it_ends_with_the_change_that_was_waited_for_and_nothing_is_caught_up() -> None:
    district = started()
    place_hold(district.tools, HERE, "wrong map, change 88", None, until_changed=True)
    schedules = {"grades": schedule(), "rosters": schedule(type="roster import")}
    assert "grades" not in ran(district, tree(schedules, labels={"region": "north"}))
    assert len(in_force(district)) == 1
    district.later(16)
    report = district.reconcile(tree(schedules, passback={"category_map": {"Homework": "HW"}}))
    assert [end.run.schedule.name for end in report.ends if end.run.schedule.name == "grades"] == []
    assert in_force(district) == []
    entry = district.history("hold released")[0].fact
    assert (entry.data["why"], entry.data["held by"]) == ("its definition changed", "alex (OS user)")
    assert entry.actor == district.tools.actor
    assert "grades" in ran(district)


def test_it_lasts_at_most_30_days_even_if_the_change_never_comes() -> None:
    district = started()
    hold = place_hold(district.tools, HERE, "change 88", None, until_changed=True)
    assert hold.expires_at == hold.created_at + timedelta(days=30)
    short = place_hold(district.tools, HERE, "change 88", timedelta(hours=1), until_changed=True)
    assert short.expires_at == short.created_at + timedelta(hours=1)
    for wide in (HoldScope(), HoldScope(group="north"), HoldScope(type=SyncType.GRADE_PASSBACK)):
        with pytest.raises(GradesyncError, match="one schedule or one account"):
            place_hold(district.tools, wide, "x", None, until_changed=True)


def test_a_file_with_problems_changes_nothing_so_its_hold_stays() -> None:
    district = started()
    place_hold(district.tools, RIVERSIDE, "change 88", None, until_changed=True)
    district.later(15)
    district.reconcile(desired(frozen=["riverside"]))
    assert len(in_force(district)) == 1


@pytest.mark.parametrize("until_changed", [False, True])
def test_a_hold_survives_a_rename(until_changed: bool) -> None:
    district = started()
    place_hold(district.tools, HERE, "SIS upgrade", None, until_changed=until_changed)
    moved = tree(
        {"grades-hourly": schedule(), "rosters": schedule(type="roster import")},
        {"grades": "grades-hourly"},
    )
    assert "grades-hourly" not in ran(district, moved)
    (hold,) = in_force(district)
    assert hold.scope.schedule == "grades-hourly"


@pytest.mark.parametrize("until_changed", [False, True])
def test_a_hold_survives_a_removal_and_a_return(until_changed: bool) -> None:
    district = started()
    place_hold(district.tools, HERE, "SIS upgrade", None, until_changed=until_changed)
    without = tree({"rosters": schedule(type="roster import")})
    district.reconcile(without, allow=plan_digest(district, without))
    assert len(in_force(district)) == 1
    back = tree({"grades": schedule(), "rosters": schedule(type="roster import")})
    assert "grades" not in ran(district, back)
    assert len(in_force(district)) == 1


def plan_digest(district: District, the_tree: Desired) -> str:
    return plan_of(district.tools, PassOptions(desired=the_tree).wish)[0].digest


@pytest.mark.parametrize(
    "scope",
    [
        HoldScope(group="north"),
        HoldScope(type=SyncType.GRADE_PASSBACK),
        HoldScope(group="north", type=SyncType.GRADE_PASSBACK),
        HoldScope(),
    ],
    ids=["group", "type", "group and type", "everything"],
)
def test_a_wide_hold_catches_a_schedule_that_joins_later_and_the_plan_says_so(scope: HoldScope) -> None:
    district = started(group="north")
    place_hold(district.tools, scope, "vendor outage", timedelta(days=2))
    joined = tree(
        {
            "grades": schedule(),
            "rosters": schedule(type="roster import"),
            "evening": schedule(canonical_interval="every 15 minutes", posted_by="x"),
        },
        group="north",
    )
    plan = plan_of(district.tools, PassOptions(desired=joined).wish)[0]
    (new,) = [action for action in plan.actions if action.kind is ActionKind.CREATE]
    assert (new.schedule, new.held) == ("evening", True)
    district.reconcile(joined)
    assert not {"evening", "grades"} & set(ran(district))


def test_a_merge_that_resumes_does_not_beat_a_hold() -> None:
    district = District()
    district.reconcile(tree({"grades": schedule(state="paused")}))
    place_hold(district.tools, HERE, "roster looks wrong", timedelta(days=2))
    active = tree({"grades": schedule()})
    plan = plan_of(district.tools, PassOptions(desired=active).wish)[0]
    assert [(a.kind, a.held) for a in plan.actions if a.schedule] == [(ActionKind.RESUME, True)]
    assert ran(district, active) == []
    assert len(in_force(district)) == 1


def test_an_expiry_is_told_once_in_the_history() -> None:
    district = started()
    hold = place_hold(district.tools, HERE, "SIS upgrade", timedelta(minutes=20))
    for _ in range(4):
        district.later(15)
        district.reconcile()
    (told,) = district.history("hold expired")
    assert (told.fact.actor.name, told.fact.schedule) == ("scheduler", "grades")
    (past,) = district.store.holds(district.store.now(), include_past=True)
    assert past == replace(hold, released_at=hold.expires_at)


def test_releasing_everything_leaves_single_holds_alone() -> None:
    district = started()
    place_hold(district.tools, HERE, "mine", None)
    place_hold(district.tools, HoldScope(), "leaked key", None)
    release(district.tools, HoldScope())
    assert [hold.reason for hold in in_force(district)] == ["mine"]


def test_what_is_not_there_cannot_be_waited_for() -> None:
    district = started()
    with pytest.raises(NotFound):
        place_hold(district.tools, HoldScope("riverside", "other"), "x", None, until_changed=True)


@pytest.mark.parametrize("until_changed", [False, True])
def test_a_hold_survives_a_new_name_of_its_account(until_changed: bool) -> None:
    district = started()
    place_hold(district.tools, RIVERSIDE, "SIS upgrade", None, until_changed=until_changed)
    schedules = {"grades": schedule(), "rosters": schedule(type="roster import")}
    made = account("riverdale", schedules, scope={"terms": "all"}, name="Riverside")
    renamed = replace(made, moved_from="riverside", text=made.text.replace("riverdale.", "riverside."))
    renamed = replace(renamed, digest=digest(json.loads(renamed.text)))
    district.reconcile(desired(renamed))
    (hold,) = in_force(district)
    assert hold.scope == HoldScope(account="riverdale")
    assert ran(district, desired(renamed)) == []
    assert len(in_force(district)) == 1
