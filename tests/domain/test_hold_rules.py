"""Holds: what they cover, when one ends that nobody gave an end, and what counts as a change of its definition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.definition import RecordedAccount
from gradesync.domain.hold import HoldScope
from gradesync.domain.hold_rules import DEFAULT_HOLD, covered, default_end, mark_of, zone_of
from gradesync.domain.interval import to_local
from gradesync.domain.schedule import SyncType
from tests.domain.plan_samples import account, recorded, schedule

NEW_YORK = "America/New_York"
ROSTER = SyncType.ROSTER_IMPORT
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware here
ZONES = st.sampled_from([NEW_YORK, "America/Los_Angeles", "Pacific/Auckland", "UTC", "Asia/Kathmandu"])


@given(now=INSTANTS, zone=ZONES)
def test_a_hold_without_an_end_ends_in_working_hours_and_never_before_its_72_hours(
    now: datetime, zone: str
) -> None:
    end = default_end(now, zone)
    local = to_local(end, zone)
    assert local.weekday() < 5
    assert 9 <= local.hour < 16
    assert DEFAULT_HOLD <= end - now <= DEFAULT_HOLD + timedelta(days=3)
    at_once = to_local(now + DEFAULT_HOLD, zone)
    assert (end == now + DEFAULT_HOLD) == (at_once.weekday() < 5 and 9 <= at_once.hour < 16)


@pytest.mark.parametrize(
    ("placed", "ends"),
    [
        ("2026-10-06 10:30", "2026-10-09 10:30"),  # Tuesday morning to Friday morning
        ("2026-10-06 22:00", "2026-10-12 09:00"),  # Friday night is Monday morning
        ("2026-10-07 12:00", "2026-10-12 09:00"),  # Saturday noon too
        ("2026-10-05 03:00", "2026-10-08 09:00"),  # and a night waits for its morning
    ],
)
def test_examples_of_ends(placed: str, ends: str) -> None:
    from gradesync.domain.interval import local_to_utc

    now = local_to_utc(datetime.fromisoformat(placed), NEW_YORK)
    assert f"{to_local(default_end(now, NEW_YORK), NEW_YORK):%Y-%m-%d %H:%M}" == ends


def one(**more: Any) -> RecordedAccount:
    schedules = {"grades": schedule(), "nightly": schedule(type="roster import")}
    return recorded(account("riverside", more.pop("schedules", schedules), **more)).accounts["riverside"]


HERE = HoldScope("riverside", "grades")


def test_what_a_sync_does_marks_it_and_what_it_is_called_does_not() -> None:
    mark = mark_of(HERE, one())
    for same in (
        {"name": "Another name"},
        {"labels": {"region": "north"}},
        {"contacts": {"sis_admin": "x@example.org"}},
        {"blackouts": [{"name": "x", "from": "2027-01-01 00:00", "until": "2027-01-02 00:00"}]},
        {"roster": {"verify": "off"}},
        {
            "schedules": {
                "grades": schedule(),
                "nightly": schedule(type="roster import", interval="daily at 02:00"),
            }
        },
        {"schedules": {"grades": schedule()}},
    ):
        assert mark_of(HERE, one(**same)) == mark, same
    for other in (
        {"passback": {"excused": "exempt"}},
        {"scope": {"terms": "all"}},
        {"schedules": {"grades": schedule(state="paused")}},
        {
            "schedules": {
                "grades": schedule(interval="every 30 minutes", canonical_interval="every 30 minutes")
            }
        },
    ):
        assert mark_of(HERE, one(**other)) != mark, other


def test_a_rename_is_no_change_and_a_removal_none_either() -> None:
    renamed = one(schedules={"grades-hourly": schedule()})
    assert mark_of(HoldScope("riverside", "grades-hourly"), renamed) == mark_of(
        HERE, one(schedules={"grades": schedule()})
    )
    assert mark_of(HERE, renamed) is None
    assert mark_of(HERE, replace(one(), retired=True)) is None


def test_an_accounts_mark_moves_with_each_of_its_schedules() -> None:
    whole, rosters = HoldScope("riverside"), HoldScope("riverside", type=ROSTER)
    later = one(
        schedules={
            "grades": schedule(first_run="2027-01-01 07:00"),
            "nightly": schedule(type="roster import"),
        }
    )
    assert mark_of(whole, later) != mark_of(whole, one())
    assert mark_of(rosters, later) == mark_of(rosters, one())


def test_a_scope_covers_by_group_and_type_whoever_joins() -> None:
    found = one(group="north")
    assert [s.name for s in covered(HoldScope(group="north"), found)] == ["grades", "nightly"]
    assert [s.name for s in covered(HoldScope(group="north", type=ROSTER), found)] == ["nightly"]
    assert covered(HoldScope(group="south"), found) == ()
    assert len(covered(HoldScope(), found)) == 2


def test_the_zone_of_a_wide_hold_is_the_one_most_accounts_are_in() -> None:
    north = {"time_zone": "America/Los_Angeles", "group": "north"}
    accounts = recorded(
        account("a", {"x": schedule()}, **north),
        account("b", {"x": schedule()}, **north),
        account("c", {"x": schedule()}),
    ).accounts.values()
    assert zone_of(HoldScope(), accounts) == "America/Los_Angeles"
    assert zone_of(HoldScope(account="c"), accounts) == NEW_YORK
    assert zone_of(HoldScope(group="nowhere"), accounts) is None


@pytest.mark.parametrize(
    "pattern", ["file:secrets/{key}/canvas_token", "env:{KEY}_CANVAS_TOKEN", "env:CANVAS_TOKEN"]
)
def test_an_accounts_new_name_is_no_change_even_if_its_secrets_are_named_after_it(pattern: str) -> None:
    def named(key: str) -> RecordedAccount:
        token = pattern.format(key=key, KEY=key.upper().replace("-", "_"))
        made = account(
            key, {"grades": schedule()}, canvas={"url": "https://c.example", "token": token}, sis={}
        )
        return recorded(made).accounts[key]

    old, new = named("oak-hill"), named("north-oak")
    assert mark_of(HoldScope("oak-hill"), old) == mark_of(HoldScope("north-oak"), new)
    elsewhere = recorded(
        account("oak-hill", {"grades": schedule()}, canvas={"url": "x", "token": "env:OTHER"}, sis={})
    )
    assert mark_of(HoldScope("oak-hill"), elsewhere.accounts["oak-hill"]) != mark_of(
        HoldScope("oak-hill"), old
    )
