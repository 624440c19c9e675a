"""A run at work in one line: who, since when, how far, and when last heard of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gradesync.domain.run import Headway, Lease
from gradesync.reporting.running import running_line
from gradesync.reporting.shapes import lease_shape

NOW = datetime(2026, 11, 25, 20, 0, 10, tzinfo=UTC)
LEASE = Lease(
    account="riverside",
    epoch=7,
    run_id="r1",
    holder="north-1 on sync-2 (process 4711)",
    since=datetime(2026, 11, 25, 19, 58, tzinfo=UTC),
    until=NOW + timedelta(seconds=50),
    host="sync-2",
    heard_at=NOW - timedelta(seconds=6),
    headway=Headway("classes", 112, 1178),
    schedule="grades",
)


def test_a_run_at_work_is_told_in_one_line() -> None:
    assert running_line(LEASE, NOW) == (
        "riverside/grades: north-1 on sync-2 (process 4711) since 2026-11-25 19:58 UTC, classes 112/1,178, "
        "heard of 6 s ago"
    )


def test_what_is_not_known_yet_is_left_out() -> None:
    begun = replace(LEASE, headway=None, heard_at=None)
    assert running_line(begun, NOW).endswith("since 2026-11-25 19:58 UTC")
    reading = replace(LEASE, headway=Headway("fetch"))
    assert ", fetch, heard of" in running_line(reading, NOW)
    counting = replace(LEASE, headway=Headway("fetch", 3))
    assert ", fetch 3, heard of" in running_line(counting, NOW)


def test_a_clock_that_went_back_hears_of_nobody_in_the_future() -> None:
    assert running_line(LEASE, NOW - timedelta(minutes=5)).endswith("heard of 0 s ago")


def test_a_name_from_outside_cannot_move_the_cursor() -> None:
    assert "\x1b" not in running_line(replace(LEASE, holder="\x1b[2J evil"), NOW)


def test_a_program_gets_the_same() -> None:
    shape = lease_shape(LEASE)
    assert shape is not None
    assert (shape["schedule"], shape["host"], shape["stage"], shape["done"], shape["total"]) == (
        "riverside/grades",
        "sync-2",
        "classes",
        112,
        1178,
    )
    assert shape["heard_at"] == "2026-11-25T20:00:04Z"
