"""The guards: what they withhold, where their borders lie, and that consent covers exactly what was shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gradesync.domain.action import ActionKind, Plan
from gradesync.domain.definition import DesiredAccount
from gradesync.domain.plan import make_plan
from tests.domain.plan_samples import NOW, account, definition, desired, recorded, schedule


def many(count: int, **more: Any) -> dict[str, dict[str, Any]]:
    """Schedules that all differ, so that no two look like a rename of each other."""
    return {f"s{n:03}": schedule(posted_by=f"p{n}", **more) for n in range(count)}


def without(schedules: dict[str, dict[str, Any]], count: int) -> dict[str, dict[str, Any]]:
    return dict(list(schedules.items())[count:])


def retire(total: int, gone: int) -> Plan:
    before = many(total)
    return make_plan(desired(account("r", without(before, gone))), recorded(account("r", before)), NOW)


@pytest.mark.parametrize(
    ("total", "gone", "withheld"),
    [
        (1, 1, True),
        (2, 1, False),
        (3, 1, False),
        (5, 2, True),
        (6, 2, True),
        (7, 2, False),
        (10, 3, False),
        (10, 4, True),
        (20, 6, False),
        (20, 7, True),
        (30, 9, False),
    ],
)
def test_over_30_percent_and_at_least_2_of_an_account_stop(total: int, gone: int, withheld: bool) -> None:
    plan = retire(total, gone)
    assert (len(plan.withheld) == gone) is withheld
    assert (len(plan.actions) == gone) is not withheld


@pytest.mark.parametrize("total", range(10, 130, 10))
def test_exactly_30_percent_is_never_over_it(total: int) -> None:
    # 10 % of all would stop the larger ones, so another account makes up the rest.
    before, other = many(total), account("o", many(3 * total))
    share = total * 3 // 10
    after = desired(account("r", without(before, share)), other)
    plan = make_plan(after, recorded(account("r", before), other), NOW)
    assert not plan.withheld
    more = desired(account("r", without(before, share + 1)), other)
    assert len(make_plan(more, recorded(account("r", before), other), NOW).withheld) == share + 1


@pytest.mark.parametrize(("gone", "withheld"), [(9, 0), (10, 0), (11, 11)])
def test_over_10_percent_and_at_least_10_of_all_stop(gone: int, withheld: int) -> None:
    keys = [f"a{n:02}" for n in range(20)]
    before = [account(key, many(5)) for key in keys]
    after = [account(key, without(many(5), 1 if n < gone else 0)) for n, key in enumerate(keys)]
    plan = make_plan(desired(*after), recorded(*before), NOW)
    assert len(plan.withheld) == withheld


def test_a_mass_resume_stops_like_a_mass_retire() -> None:
    before = account("r", many(4, state="paused"))
    plan = make_plan(desired(account("r", many(4))), recorded(before), NOW)
    assert [a.kind for a in plan.withheld] == [ActionKind.RESUME] * 4
    assert not plan.actions


def test_a_mass_pause_never_stops() -> None:
    plan = make_plan(desired(account("r", many(40, state="paused"))), recorded(account("r", many(40))), NOW)
    assert len(plan.actions) == 40
    assert not plan.withheld


def test_only_the_dangerous_part_is_withheld() -> None:
    before = many(5)
    after = without(before, 2)
    after["s004"] = {**after["s004"], "state": "paused"}
    after["new"] = schedule(posted_by="n")
    plan = make_plan(desired(account("r", after)), recorded(account("r", before)), NOW)
    assert [a.subject for a in plan.withheld] == ["r/s000", "r/s001"]
    assert {(a.kind.value, a.subject) for a in plan.actions} == {("pause", "r/s004"), ("create", "r/new")}


def test_a_vanished_file_stops_however_small_the_account() -> None:
    stays = account("b", many(30))
    plan = make_plan(desired(stays), recorded(account("a", many(1)), stays), NOW)
    assert [a.subject for a in plan.withheld] == ["a/s000", "a"]
    assert "leaving" in plan.stops[0].hint


def test_a_vanished_file_is_looked_for_in_its_group_folder() -> None:
    stays = account("b", many(30))
    plan = make_plan(desired(stays), recorded(account("a", many(1), group="pilot"), stays), NOW)
    assert [a.place.file for a in plan.withheld if a.place] == ["schedules/pilot/a.yaml"] * 2


def test_an_empty_tree_retires_nothing() -> None:
    plan = make_plan(desired(), recorded(account("a", many(1)), account("b", many(2))), NOW)
    assert not plan.actions
    assert [a.subject for a in plan.withheld] == ["a/s000", "a", "b/s000", "b/s001", "b"]
    assert "no account at all" in plan.stops[0].sentence


def test_an_account_that_leaves_has_said_so() -> None:
    big = account("b", many(100))
    leaving = replace(account("a", {}), leaving=True)
    plan = make_plan(desired(leaving, big), recorded(account("a", many(3)), big), NOW)
    assert [a.kind for a in plan.actions] == [ActionKind.RETIRE] * 4
    assert plan.actions[-1].subject == "a", "the account leaves after its schedules"
    assert not plan.withheld


def test_every_account_leaving_at_once_is_a_slip_of_the_defaults_file() -> None:
    keys = [f"a{n}" for n in range(6)]
    leaving = [replace(account(key, {}), leaving=True) for key in keys]
    plan = make_plan(desired(*leaving), recorded(*[account(key, many(2)) for key in keys]), NOW)
    assert len(plan.withheld) == 18
    assert not plan.actions, "no account has left while its schedules go on"


def test_equal_definitions_under_a_new_name_ask_for_moved() -> None:
    before = {**many(10), "old": schedule()}
    after = {**many(10), "new": schedule()}
    plan = make_plan(desired(account("r", after)), recorded(account("r", before)), NOW)
    assert {(a.kind.value, a.subject) for a in plan.withheld} == {("retire", "r/old"), ("create", "r/new")}
    assert "moved: {old: new}" in plan.stops[0].hint


def test_a_really_new_definition_is_no_rename() -> None:
    before = {**many(10), "old": schedule()}
    after = {**many(10), "new": schedule(posted_by="somebody")}
    assert not make_plan(desired(account("r", after)), recorded(account("r", before)), NOW).withheld


def changed_sis(**sis: Any) -> Plan:
    before = account("r", many(1))
    after = account("r", many(1), sis={**definition("r")["sis"], **sis})
    return make_plan(desired(after), recorded(before), NOW)


def test_secrets_do_not_follow_a_changed_host() -> None:
    for change in (
        {"url": "https://elsewhere.example"},
        {"token_url": "https://elsewhere.example/token"},
        {"gradebook_url": "https://r.canvas.example/ims"},
    ):
        plan = changed_sis(**change)
        assert [a.kind for a in plan.withheld] == [ActionKind.CHANGE_ACCOUNT]
        assert "another host" in plan.stops[0].sentence


def test_another_path_on_the_same_host_is_no_other_host() -> None:
    assert not changed_sis(url="https://r.sis.example/new").withheld
    assert not changed_sis(token_url="https://R.sis.example/token").withheld


def test_a_host_that_is_no_longer_used_is_no_danger() -> None:
    usual = definition("r")["sis"]
    before = account("r", many(1), sis={**usual, "token_url": "https://token.example/x"})
    after = account("r", many(1), sis=usual)
    assert not make_plan(desired(after), recorded(before), NOW).withheld


def test_a_label_that_ends_in_url_is_no_host() -> None:
    before = account("r", many(1), labels={"url": "a", "n_url": 5})
    after = account("r", many(1), labels={"url": "https://x.example", "n_url": 6})
    assert not make_plan(desired(after), recorded(before), NOW).withheld


def test_a_changed_host_does_not_hold_up_a_pause_in_the_same_file() -> None:
    before = account("r", many(1))
    after = account("r", many(1, state="paused"), sis={**definition("r")["sis"], "url": "https://x.example"})
    plan = make_plan(desired(after), recorded(before), NOW)
    assert [a.kind for a in plan.actions] == [ActionKind.PAUSE]


def renamed(**more: Any) -> DesiredAccount:
    return account("new", many(1), **{**{k: definition("old")[k] for k in ("canvas", "sis")}, **more})


def test_an_account_under_a_new_file_name_is_not_synced_twice() -> None:
    plan = make_plan(desired(renamed()), recorded(account("old", many(1))), NOW)
    assert not plan.actions
    assert {a.subject for a in plan.withheld} == {"old/s000", "old", "new", "new/s000"}
    assert "add `moved_from: old` to new's file" in [stop.hint for stop in plan.stops]


def test_a_retired_schedule_keeps_the_zone_people_read_its_times_in() -> None:
    have = recorded(account("r", {"g": schedule(time_zone="America/Denver")}))
    plan = make_plan(desired(account("o", {})), have, NOW)
    assert [(a.subject, a.time_zone) for a in plan.withheld] == [("r/g", "America/Denver"), ("r", None)]
    assert [s.sentence for s in plan.stops] == [
        "r: its file is gone from the tree; 1 schedule would be retired"
    ]


def test_a_new_account_beside_a_vanished_stranger_is_created() -> None:
    plan = make_plan(desired(account("new", many(1))), recorded(account("old", many(1))), NOW)
    assert {a.subject for a in plan.actions} == {"new", "new/s000"}


def test_consent_covers_exactly_what_was_shown() -> None:
    before = many(10)
    first = retire(10, 4)
    have = recorded(account("r", before))
    allowed = make_plan(desired(account("r", without(before, 4))), have, NOW, allow=first.digest)
    assert (len(allowed.actions), allowed.withheld, allowed.stops) == (4, (), ())
    other = make_plan(desired(account("r", without(before, 5))), have, NOW, allow=first.digest)
    assert len(other.withheld) == 5
    assert not other.actions
    assert len(make_plan(desired(account("r", without(before, 4))), have, NOW, allow="").withheld) == 4


def test_consent_to_one_definition_is_none_to_another() -> None:
    first = changed_sis(url="https://a.example")
    second = changed_sis(url="https://b.example")
    assert first.digest != second.digest
