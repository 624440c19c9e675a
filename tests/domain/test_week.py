"""The coming days: every slot is told once, and what is said to stop it is what would stop it then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.account import Blackout
from gradesync.domain.due import blocks
from gradesync.domain.hold import Hold, HoldScope
from gradesync.domain.interval import Interval, to_local
from gradesync.domain.run import Actor
from gradesync.domain.schedule import Schedule, ScheduleId, State, SyncType
from gradesync.domain.upcoming import interval_of
from gradesync.domain.week import FEW, MOST, account_week, coming

ACTOR = Actor("alex", "OS user")
NOW = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)

INTERVALS = (
    "every 15 minutes",
    "every 90 minutes",
    "every 7 hours",
    "daily at 02:30",
    "daily at 02:30, 12:00, 18:15",
    "weekdays at 06:00",
    "every 2 days at 01:30",
    "cron */20 * * * *",
    "cron 15,45 1-3 * * *",
    "cron 0 6-20/2 * * mon-fri",
    "once at 2026-11-01 01:30",
    "manual",
)
ZONES = ("America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "America/Havana", "America/Phoenix")
# Around clock changes of all these zones in 2026, and away from them.
BEGINNINGS = (
    "2026-03-07",
    "2026-03-28",
    "2026-04-03",
    "2026-10-02",
    "2026-10-23",
    "2026-10-30",
    "2026-07-01",
)


def schedule(interval: str = "every 15 minutes", zone: str = "America/New_York", **more: object) -> Schedule:
    usual = Schedule(
        id=ScheduleId("r", "grades"),
        type=SyncType.GRADE_PASSBACK,
        interval=interval,
        time_zone=zone,
        first_run="2026-01-05 07:00",
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # a test names fields of the dataclass


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Schedule, list[Hold], list[Blackout], datetime, datetime, str]:
    interval = draw(st.sampled_from(INTERVALS))
    zone = draw(st.sampled_from(ZONES))
    since = datetime.fromisoformat(draw(st.sampled_from(BEGINNINGS))).replace(tzinfo=UTC)
    since += timedelta(seconds=draw(st.integers(0, 86_400)))
    until = since + timedelta(minutes=draw(st.integers(0, 4 * 1440)))
    minute = st.integers(-1440, 5 * 1440)
    holds = [
        Hold(
            id=str(number),
            scope=draw(
                st.sampled_from([HoldScope(), HoldScope("r"), HoldScope("other"), HoldScope("r", "grades")])
            ),
            actor=ACTOR,
            reason="SIS upgrade",
            created_at=since - DAY,
            expires_at=None if end is None else since + timedelta(minutes=end),
        )
        for number, end in enumerate(draw(st.lists(st.none() | minute, max_size=2)))
    ]
    blackouts = []
    for begin in draw(st.lists(minute, max_size=2)):
        start = (since + timedelta(minutes=begin)).replace(tzinfo=None, second=0)
        only = draw(st.sampled_from([None, ("grades",), ("roster",)]))
        length = timedelta(minutes=draw(st.integers(1, 2000)))
        blackouts.append(Blackout("roll-over", start, start + length, draw(st.sampled_from(ZONES)), only))
    made = schedule(
        interval,
        zone,
        state=draw(st.sampled_from([State.ACTIVE, State.ACTIVE, State.OBSERVE, State.PAUSED])),
        first_run=None if interval.startswith(("once", "manual")) else "2026-01-05 07:00",
        spread=draw(st.sampled_from([0, 0, 13])) if not interval.startswith(("once", "manual")) else 0,
    )
    return made, holds, blackouts, since, until, draw(st.sampled_from(ZONES))


def slots_between(interval: Interval, since: datetime, until: datetime) -> list[datetime]:
    found, at = [], since - timedelta(microseconds=1)
    while (slot := interval.next_slot(at)) is not None and slot < until:
        found.append(slot)
        at = slot
    return found


@settings(max_examples=400)
@given(scenes())
def test_every_slot_is_told_once_with_what_stops_it_then(
    scene: tuple[Schedule, list[Hold], list[Blackout], datetime, datetime, str],
) -> None:
    made, holds, blackouts, since, until, zone = scene
    told = coming(made, holds, blackouts, since, until, time_zone=zone)
    left = slots_between(interval_of(made), since, until)
    assert sum(one.count for one in told) == len(left)
    for one in told:
        mine, left = left[: one.count], left[one.count :]
        assert (one.first, one.last) == (mine[0], mine[-1])
        for slot in mine:
            assert blocks(made, holds, blackouts, slot) == one.blocks
            assert to_local(slot, zone).date() == one.day
        gaps = {later - earlier for earlier, later in pairwise(mine)}
        assert one.every == (next(iter(gaps)) // timedelta(minutes=1) if len(gaps) == 1 else None)
        assert one.count == 1 or one.count > FEW


def test_a_day_of_a_clock_change_has_the_slots_its_clock_shows() -> None:
    spring = datetime(2026, 3, 8, 5, tzinfo=UTC)  # midnight in New York
    (quarter,) = coming(schedule(), [], [], spring, datetime(2026, 3, 9, 4, tzinfo=UTC))
    assert (quarter.count, quarter.every, quarter.day) == (92, 15, date(2026, 3, 8))
    (night,) = coming(schedule("daily at 02:30"), [], [], spring, datetime(2026, 3, 9, 4, tzinfo=UTC))
    assert to_local(night.first, "America/New_York").strftime("%H:%M") == "03:00"


def test_a_hold_that_ends_at_noon_splits_the_day() -> None:
    noon = datetime(2026, 10, 6, 16, tzinfo=UTC)
    hold = Hold("h", HoldScope("r"), ACTOR, "SIS upgrade", NOW - DAY, noon)
    held, running = coming(schedule(), [hold], [], NOW, datetime(2026, 10, 7, 4, tzinfo=UTC))
    assert (held.runs, held.count, running.runs, running.first) == (False, 8, True, noon)
    assert "SIS upgrade" in held.blocks[0].sentence


def test_a_cron_of_every_minute_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime] = []
    real = Interval.next_slot

    def counted(interval: Interval, after: datetime) -> datetime | None:
        asked.append(after)
        return real(interval, after)

    monkeypatch.setattr(Interval, "next_slot", counted)
    start = datetime(2026, 10, 6, 4, tzinfo=UTC)
    (one,) = coming(schedule("cron * * * * *", first_run=None), [], [], start, start + DAY)
    assert (one.count, one.capped, one.every) == (MOST, True, 1)
    assert one.last == start + DAY - timedelta(minutes=1)
    assert len(asked) <= MOST


def test_the_days_are_the_accounts_own_and_whole() -> None:
    late = datetime(2026, 10, 7, 3, 30, tzinfo=UTC)  # 23:30 of the 6th in New York
    found = account_week("r", "R", "America/New_York", [schedule("daily at 02:00")], [], [], late, 3)
    assert found.days == (date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 8))
    assert [one.day.day for one in found.stretches] == [7, 8]
    assert found.until == datetime(2026, 10, 9, 4, tzinfo=UTC)


def test_what_does_not_touch_these_days_is_not_named() -> None:
    soon = datetime.fromisoformat("2026-10-07")
    near = Blackout("near", soon, soon + DAY, "America/New_York")
    far = replace(near, name="far", start=soon + 300 * DAY, until=soon + 310 * DAY)
    elsewhere = replace(near, name="elsewhere", schedules=("roster",))
    over = Hold("o", HoldScope("r"), ACTOR, "x", NOW - DAY, NOW)
    other = Hold("p", HoldScope("other"), ACTOR, "x", NOW - DAY, None)
    mine = Hold("m", HoldScope("r"), ACTOR, "x", NOW - DAY, None)
    manual = schedule("manual", first_run=None, id=ScheduleId("r", "by-hand"))
    found = account_week(
        "r",
        "R",
        "America/New_York",
        [schedule(), manual],
        [over, other, mine],
        [near, far, elsewhere],
        NOW,
        7,
    )
    assert [one.name for one in found.blackouts] == ["near"]
    assert [one.id for one in found.holds] == ["m"]
    assert found.idle == (manual,)


def test_a_day_costs_the_same_however_often_it_runs() -> None:
    often = coming(schedule("every 5 minutes"), [], [], NOW, NOW + 7 * DAY)
    assert [one.count for one in often[1:-1]] == [288] * 6
    assert len(often) == 8
