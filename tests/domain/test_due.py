"""What is due: which slot runs, what is consumed without a run and why, and in which mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.account import Blackout
from gradesync.domain.due import DueSchedule, SlotDecision, blocks, due, in_blackout, mode_of
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.interval import local_to_utc
from gradesync.domain.run import Actor, Mode
from gradesync.domain.schedule import Schedule, ScheduleId, State, SyncType

SLOT = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
ACTOR = Actor("alex", "OS user")


def at(hour: int, minute: int = 0, day: int = 6) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def schedule(name: str = "grades", account: str = "r", **more: Any) -> Schedule:
    usual = Schedule(
        id=ScheduleId(account, name),
        type=SyncType.GRADE_PASSBACK,
        interval="every 15 minutes",
        time_zone="America/New_York",
        first_run="2026-09-01 07:00",
    )
    return replace(usual, **more)


def entry(next_run: datetime = SLOT, one: Schedule | None = None, **more: Any) -> DueSchedule:
    return DueSchedule(one or schedule(), next_run, **more)


def decide(now: datetime, one: DueSchedule | None = None, holds: tuple[Hold, ...] = ()) -> SlotDecision:
    (decision,) = due([one or entry()], holds, now)
    return decision


def hold(begin: datetime, until: datetime | None = None, **more: Any) -> Hold:
    usual = Hold("h", HoldScope(account="r"), ACTOR, "SIS upgrade", begin, until)
    return replace(usual, **more)


def test_a_slot_on_time_runs_and_the_next_one_is_named() -> None:
    d = decide(SLOT)
    assert (d.run, d.slot, d.missed, d.late_by) == (True, SLOT, 0, 0)
    assert d.next_run_at == SLOT + timedelta(minutes=15)


@pytest.mark.parametrize(("late", "missed"), [(14, 0), (15, 1), (46, 3), (24 * 60, 96)])
def test_late_slots_become_one_run_of_the_latest(late: int, missed: int) -> None:
    now = SLOT + timedelta(minutes=late)
    d = decide(now)
    assert (d.run, d.missed) == (True, missed)
    assert d.slot == SLOT + timedelta(minutes=15 * missed)
    assert d.next_run_at is not None
    assert now < d.next_run_at <= now + timedelta(minutes=15)


@given(st.integers(0, 60 * 24 * 40))
def test_every_slot_is_run_or_counted_once(late: int) -> None:
    now = SLOT + timedelta(minutes=late)
    d = decide(now)
    assert d.slot + timedelta(minutes=15) == d.next_run_at
    assert d.missed == min(999, (d.slot - SLOT) // timedelta(minutes=15))
    assert d.slot <= now


def test_a_once_only_schedule_is_over_after_its_slot() -> None:
    once = schedule(interval="once at 2026-10-06 10:00", first_run=None)
    d = decide(at(14, 1), entry(at(14), once))
    assert (d.run, d.slot, d.next_run_at) == (True, at(14), None)


def test_a_slot_later_than_start_within_is_missed_not_run() -> None:
    one = schedule(interval="daily at 02:00", start_within=60)
    slot = at(6)
    assert decide(at(7), entry(slot, one)).run
    d = decide(at(7, 1), entry(slot, one))
    assert (d.run, d.too_late) == (False, True)
    assert d.next_run_at == at(6, day=7)


def test_roster_comes_before_grades_of_the_same_slot_and_older_slots_before_all() -> None:
    roster = schedule("z-roster", type=SyncType.ROSTER_IMPORT)
    other = schedule("grades", "a")
    early = schedule("early", interval="daily at 09:30", first_run=None)
    entries = [entry(), entry(SLOT, roster), entry(SLOT, other), entry(at(13, 30), early)]
    order = [str(d.schedule.id) for d in due(entries, (), SLOT + timedelta(minutes=1))]
    assert order == ["r/early", "r/z-roster", "a/grades", "r/grades"]


# --- what blocks ------------------------------------------------------------------------------------------------


def test_a_hold_consumes_the_slot_and_says_who_and_why() -> None:
    d = decide(at(14, 5), holds=(hold(at(13), at(15)),))
    assert not d.run
    assert d.next_run_at == at(14, 15)
    assert [b.kind for b in d.blocks] == ["hold"]
    assert "alex" in d.blocks[0].sentence
    assert "SIS upgrade" in d.blocks[0].sentence


def test_a_hold_is_told_on_the_clock_of_the_schedule_it_stops_however_much_it_covers() -> None:
    one = hold(at(12), at(20))
    every = replace(one, scope=HoldScope(type=SyncType.GRADE_PASSBACK))
    found = [block for each in (one, every) for block in blocks(schedule(), [each], (), at(13))]
    assert {block.sentence.partition(": ")[0] for block in found} == {
        "held by alex until 2026-10-06 16:00 EDT"
    }
    assert [block.scope for block in found] == ["r", "--type grade-passback"]


def test_a_hold_ends_at_its_expiry_to_the_second() -> None:
    one = hold(at(13), at(14))
    assert not one.in_force(at(14))
    assert one.in_force(at(14) - timedelta(seconds=1))
    assert decide(at(14), holds=(one,)).run


def test_what_came_under_a_hold_is_not_caught_up_after_its_release() -> None:
    released = hold(at(13), None, released_at=at(14, 5))
    assert not decide(at(14, 10), holds=(released,)).run
    # The slot after the release is due again.
    assert decide(at(14, 16), holds=(released,)).run


def test_a_hold_placed_after_the_slot_and_already_released_did_not_stand_in_its_way() -> None:
    short = hold(at(14, 2), None, released_at=at(14, 5))
    assert decide(at(14, 10), holds=(short,)).run
    assert not decide(at(14, 3), holds=(short,)).run


@pytest.mark.parametrize(
    ("scope", "stops"),
    [
        (HoldScope(), True),
        (HoldScope(account="r"), True),
        (HoldScope(account="q"), False),
        (HoldScope(account="r", schedule="grades"), True),
        (HoldScope(account="r", schedule="other"), False),
        (HoldScope(group="north"), True),
        (HoldScope(group="south"), False),
        (HoldScope(type=SyncType.GRADE_PASSBACK), True),
        (HoldScope(type=SyncType.ROSTER_IMPORT), False),
        (HoldScope(account="r", type=SyncType.ROSTER_IMPORT), False),
    ],
)
def test_a_hold_stops_exactly_its_scope(scope: HoldScope, stops: bool) -> None:
    d = decide(SLOT, entry(group="north"), (hold(at(13), scope=scope),))
    assert d.run is not stops


def test_an_automatic_hold_stands_until_it_is_released() -> None:
    one = hold(at(13), None, kind=HoldKind.IDENTITY)
    assert one.in_force(at(13) + timedelta(days=900))


def test_every_block_is_named_none_hides_another() -> None:
    window = Blackout("roll", datetime(2026, 10, 6, 9), datetime(2026, 10, 6, 11), "America/New_York")  # noqa: DTZ001 - local wall time by design
    one = schedule(state=State.PAUSED, reason="ticket 1")
    found = blocks(one, [hold(at(13))], [window], SLOT)
    assert [(b.kind, b.code) for b in found] == [
        ("paused", "GS-707"),
        ("hold", "GS-707"),
        ("blackout", "GS-605"),
    ]
    assert "ticket 1" in found[0].sentence


def test_an_observing_schedule_keeps_its_slots() -> None:
    assert decide(SLOT, entry(SLOT, schedule(state=State.OBSERVE))).run


def window(begin: datetime, until: datetime, **more: Any) -> Blackout:
    return Blackout(
        "roll", begin.replace(tzinfo=None), until.replace(tzinfo=None), "America/New_York", **more
    )


def test_a_blackout_begins_at_its_first_and_ends_before_its_last_local_minute() -> None:
    one = window(at(10), at(11))  # 14:00 to 15:00 UTC
    assert [in_blackout(one, t) for t in (at(13, 59), at(14), at(14, 59), at(15))] == [
        False,
        True,
        True,
        False,
    ]


def test_a_blackout_over_the_night_of_the_clock_change_is_an_hour_longer() -> None:
    begin, until = datetime(2026, 10, 31, 22, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)
    one = window(begin, until)
    first, last = datetime(2026, 11, 1, 2, tzinfo=UTC), datetime(2026, 11, 1, 11, tzinfo=UTC)
    assert in_blackout(one, first)
    assert not in_blackout(one, first - timedelta(minutes=1))
    assert in_blackout(one, last - timedelta(minutes=1))
    assert not in_blackout(one, last)


def test_a_blackout_of_named_schedules_stops_only_these() -> None:
    one = window(at(10), at(11), schedules=("roster",))
    assert decide(SLOT, entry(blackouts=(one,))).run
    assert not decide(SLOT, entry(SLOT, schedule("roster"), blackouts=(one,))).run


def test_a_slot_inside_a_blackout_is_not_caught_up_after_it() -> None:
    one = window(at(10), at(11))
    nightly = schedule(interval="daily at 10:30", first_run=None)
    d = decide(at(15, 5), entry(at(14, 30), nightly, blackouts=(one,)))
    assert (d.run, [b.kind for b in d.blocks]) == (False, ["blackout"])
    assert d.next_run_at == at(14, 30, day=7)


# --- full or delta ----------------------------------------------------------------------------------------------


def mode(
    slot: datetime, last_full: datetime | None, *, ran: bool = True, zone: str = "America/New_York"
) -> Mode:
    return mode_of(schedule(time_zone=zone), slot, last_full, ran_before=ran)


def test_the_first_run_is_full_and_so_is_one_after_a_full_run_that_never_worked() -> None:
    assert mode(SLOT, None, ran=False) is Mode.FULL
    assert mode(SLOT, None) is Mode.FULL


def test_the_first_slot_after_two_in_the_night_is_full_and_the_next_ones_are_not() -> None:
    yesterday = at(6, 0, day=5)  # 02:00 in New York
    assert mode(at(5, 45), yesterday) is Mode.DELTA
    assert mode(at(6, 0), yesterday) is Mode.FULL
    assert mode(at(6, 15), at(6, 0)) is Mode.DELTA
    assert mode(at(3, 45, day=7), at(6, 0)) is Mode.DELTA


def test_a_night_nobody_ran_is_made_up_by_the_first_slot_of_the_day() -> None:
    assert mode(at(14), at(6, 0, day=4)) is Mode.FULL


def test_a_roster_is_never_sent_whole_again_by_the_clock() -> None:
    one = schedule(type=SyncType.ROSTER_IMPORT)
    assert mode_of(one, SLOT, None, ran_before=False) is Mode.DELTA


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("America/New_York", datetime(2027, 3, 14)),  # noqa: DTZ001 - local wall time; 02:00 does not exist
        ("America/New_York", datetime(2026, 11, 1)),  # noqa: DTZ001 - local wall time; 01:00 comes twice
        ("Europe/Berlin", datetime(2026, 10, 25)),  # noqa: DTZ001 - local wall time; 02:00 comes twice
        ("Europe/Berlin", datetime(2027, 3, 28)),  # noqa: DTZ001 - local wall time; 02:00 does not exist
        ("Asia/Kolkata", datetime(2026, 11, 1)),  # noqa: DTZ001 - local wall time
    ],
)
def test_there_is_one_full_run_in_every_night(zone: str, night: datetime) -> None:
    # Every quarter of an hour through three days, as a schedule would: full runs are remembered, deltas are not.
    slot = local_to_utc(night - timedelta(hours=12), zone)
    last_full, fulls = slot - timedelta(minutes=1), []
    for _ in range(4 * 72):
        if mode(slot, last_full, zone=zone) is Mode.FULL:
            last_full = slot
            fulls.append(slot)
        slot += timedelta(minutes=15)
    assert fulls == [local_to_utc(night + timedelta(days=day, hours=2), zone) for day in range(len(fulls))]
    assert len(fulls) == 3
