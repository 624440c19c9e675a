"""At which instants an interval runs: nights with clock changes, first run, lateness, spread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.interval import (
    COUNT_CAP,
    Interval,
    IntervalError,
    known_zones,
    local_to_utc,
    parse_interval,
    to_local,
)

NY = "America/New_York"
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def walk(interval: Interval, since: datetime, until: datetime) -> list[datetime]:
    """All slots in (since, until], one by one."""
    found: list[datetime] = []
    slot = interval.next_slot(since)
    while slot is not None and slot <= until:
        found.append(slot)
        slot = interval.next_slot(slot)
    return found


def local_day(text: str, zone_name: str, since: str, until: str, first_run: str | None = None) -> list[str]:
    """Slots between two UTC instants as local times of day with their offset."""
    interval = parse_interval(text, zone_name, first_run)
    slots = walk(interval, utc(since), utc(until))
    return [to_local(slot, zone_name).strftime("%d %H:%M%z") for slot in slots]


# New York 2026: the gap is at 07:00 UTC on 8 March, the overlap ends at 06:00 UTC on 1 November.
GAP = ("2026-03-08 04:59", "2026-03-08 08:30")
OVERLAP = ("2026-11-01 03:59", "2026-11-01 07:59")


@pytest.mark.parametrize(
    ("text", "zone_name", "window", "expected"),
    [
        ("cron 30 2 * * *", NY, GAP, ["08 03:00-0400"]),
        ("cron 0,30 2 * * *", NY, GAP, ["08 03:00-0400"]),
        ("cron 0 2,3 * * *", NY, GAP, ["08 03:00-0400"]),
        ("daily at 02:15,02:45", NY, GAP, ["08 03:00-0400"]),
        ("cron 30 1 * * *", NY, OVERLAP, ["01 01:30-0400"]),
        ("cron 0 1-4 * * *", NY, ("2026-11-01 04:59", "2026-11-01 09:59"), [f"01 0{n}" for n in "1234"]),
        ("cron */15 * * * *", NY, ("2026-11-01 04:59", "2026-11-01 06:59"), ["01 01:"] * 8),
        ("cron 0 * * * *", NY, OVERLAP, ["01 00:00-0400", "01 01:00-0400", "01 01:00-0500", "01 02:00-0500"]),
        ("hourly", NY, GAP, ["08 00:00-0500", "08 01:00-0500", "08 03:00-0400", "08 04:00-0400"]),
        ("cron 0 */2 * * *", NY, GAP, ["08 00:00-0500", "08 04:00-0400"]),
        ("cron 0 0-23/2 * * *", NY, GAP, ["08 00:00-0500", "08 03:00-0400", "08 04:00-0400"]),
        ("cron */15 2 * * *", NY, GAP, []),
        ("daily at 00:00", "America/Havana", ("2026-03-08 03:00", "2026-03-09 03:00"), ["08 01:00-0400"]),
        ("daily at 00:00", "Africa/Cairo", ("2026-04-23 21:00", "2026-04-24 20:00"), ["24 01:00+0300"]),
        ("daily at 00:00", "Asia/Tehran", ("2022-03-21 19:00", "2022-03-22 18:00"), ["22 01:00+0430"]),
        (
            "cron */20 * * * *",
            "Australia/Lord_Howe",
            ("2026-04-04 14:29", "2026-04-04 15:30"),
            ["05 01:40+1100", "05 01:40+1030", "05 02:00+1030"],
        ),
        (
            "cron 30 * * * *",
            "Australia/Lord_Howe",
            ("2026-10-03 15:00", "2026-10-03 16:00"),
            ["04 02:30+1100"],
        ),
        (
            "cron 15 2 * * *",
            "Australia/Lord_Howe",
            ("2026-10-03 15:00", "2026-10-03 16:00"),
            ["04 02:30+1100"],
        ),
        ("cron 30 2 * * *", "Pacific/Apia", ("2011-12-29 13:00", "2011-12-31 12:00"), ["31 02:30+1400"]),
        ("cron 0 0 30 * *", "Pacific/Apia", ("2011-12-01 00:00", "2012-01-31 00:00"), ["30 00:00+1400"]),
        ("daily at 02:30", "Antarctica/Troll", ("2026-03-29 00:00", "2026-03-29 12:00"), ["29 03:00+0200"]),
        ("daily at 02:30", "Antarctica/Troll", ("2026-10-24 23:30", "2026-10-25 12:00"), ["25 02:30+0200"]),
        ("daily at 23:45", "Asia/Pyongyang", ("2018-05-04 14:00", "2018-05-04 16:00"), ["05 00:00+0900"]),
    ],
)
def test_a_night_with_a_clock_change(
    text: str, zone_name: str, window: tuple[str, str], expected: list[str]
) -> None:
    found = local_day(text, zone_name, *window)
    assert len(found) == len(expected)
    assert all(got.startswith(wanted) for got, wanted in zip(found, expected, strict=True)), found


def test_a_year_of_a_doubled_time_has_one_run_a_day() -> None:
    interval = parse_interval("daily at 01:30", NY)
    assert len(walk(interval, utc("2026-01-01 05:00"), utc("2027-01-01 05:00"))) == 365


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Fixed answers that guard against another reading of the same text by a newer cron engine.
        ("cron 0 0 1 * mon", ["2026-11-30 05:00", "2026-12-01 05:00", "2026-12-07 05:00"]),
        ("cron 0 2-20/6 * * *", ["2026-11-24 13:00", "2026-11-24 19:00", "2026-11-25 01:00"]),
        ("cron 10-50/20 5 * * 7", ["2026-11-29 10:10", "2026-11-29 10:30", "2026-11-29 10:50"]),
        ("cron 0 0 29 2 *", ["2028-02-29 05:00", "2032-02-29 05:00", "2036-02-29 05:00"]),
        ("cron 0 6 * * L5", ["2026-11-27 11:00", "2026-12-25 11:00", "2027-01-29 11:00"]),
        ("cron 0 6 * * L0", ["2026-11-29 11:00", "2026-12-27 11:00", "2027-01-31 11:00"]),
        ("cron 0 6 * * sun#1,sun#3", ["2026-12-06 11:00", "2026-12-20 11:00", "2027-01-03 11:00"]),
        ("cron 0 6 L * *", ["2026-11-30 11:00", "2026-12-31 11:00", "2027-01-31 11:00"]),
        ("weekdays at 06:00", ["2026-11-25 11:00", "2026-11-26 11:00", "2026-11-27 11:00"]),
        ("every 2 weeks on mon,wed at 06:00", ["2026-11-25 11:00", "2026-12-07 11:00", "2026-12-09 11:00"]),
        ("every 3 days at 06:00,18:00", ["2026-11-24 23:00", "2026-11-27 11:00", "2026-11-27 23:00"]),
        ("every 3 months on 31 at 06:00", ["2026-12-31 11:00", "2027-03-31 10:00", "2027-12-31 11:00"]),
        ("every 2 months on last fri at 06:00", ["2026-11-27 11:00", "2027-01-29 11:00", "2027-03-26 10:00"]),
        ("every 2 days on mon,tue at 06:00", ["2026-11-30 11:00", "2026-12-08 11:00", "2026-12-14 11:00"]),
        ("every 90 minutes", ["2026-11-24 12:00", "2026-11-24 13:30", "2026-11-24 15:00"]),
        ("once at 2026-12-01 06:00", ["2026-12-01 11:00"]),
        ("manual", []),
    ],
)
def test_golden_slots_from_a_tuesday_on(text: str, expected: list[str]) -> None:
    # 24 November 2026, 06:00 in New York; the counted forms start on Tuesday 1 September at 02:00.
    interval = parse_interval(text, NY, "2026-09-01 02:00")
    after = utc("2026-11-24 11:00")
    found: list[str] = []
    for _ in range(3):
        slot = interval.next_slot(after)
        if slot is None:
            break
        found.append(slot.strftime("%Y-%m-%d %H:%M"))
        after = slot
    assert found == expected


def test_a_calendar_interval_starts_with_its_first_run_and_not_before() -> None:
    interval = parse_interval("daily at 02:00", NY, "2026-09-01 02:00")
    first = utc("2026-09-01 06:00")
    assert interval.next_slot(utc("2020-01-01 00:00")) == first
    assert interval.next_slot(first) == utc("2026-09-02 06:00")
    assert interval.latest_slot(first - MINUTE, utc("2020-01-01 00:00")) is None
    assert interval.latest_slot(first, utc("2020-01-01 00:00")) == first


def test_an_elapsed_interval_counts_real_time_across_a_clock_change() -> None:
    found = local_day("every 6 hours", NY, "2026-03-08 00:00", "2026-03-09 00:00", "2026-03-01 02:00")
    assert found == ["07 20:00-0500", "08 03:00-0400", "08 09:00-0400", "08 15:00-0400"]


def test_the_anchor_of_an_elapsed_interval_is_itself_a_slot() -> None:
    in_gap = parse_interval("every 15 minutes", NY, "2026-03-08 02:30")
    assert in_gap.next_slot(utc("2026-01-01 00:00")) == utc("2026-03-08 07:00")
    in_overlap = parse_interval("every 15 minutes", NY, "2026-11-01 01:30")
    assert in_overlap.next_slot(utc("2026-01-01 00:00")) == utc("2026-11-01 05:30")


def test_a_doubled_or_missing_wall_time_has_one_instant() -> None:
    def wall(text: str) -> datetime:
        return datetime.fromisoformat(text)

    assert local_to_utc(wall("2026-03-08 02:30"), NY) == utc("2026-03-08 07:00")
    assert local_to_utc(wall("2026-11-01 01:30"), NY) == utc("2026-11-01 05:30")
    assert local_to_utc(wall("2026-07-01 01:30"), NY) == utc("2026-07-01 05:30")


def test_a_single_run_is_over_after_it() -> None:
    interval = parse_interval("once at 2026-03-08 02:30", NY)
    slot = utc("2026-03-08 07:00")
    assert interval.next_slot(slot - MINUTE) == slot
    assert interval.next_slot(slot) is None
    assert interval.latest_slot(slot, slot - MINUTE) == slot
    assert interval.latest_slot(slot + MINUTE, slot) is None
    assert interval.count_slots(slot - MINUTE, slot) == 1


def test_manual_has_no_slots() -> None:
    interval = parse_interval("manual", NY)
    now = utc("2026-11-01 00:00")
    assert interval.next_slot(now) is None
    assert interval.latest_slot(now, utc("2020-01-01 00:00")) is None
    assert interval.count_slots(utc("2020-01-01 00:00"), now) == 0


def test_seconds_do_not_move_a_slot() -> None:
    interval = parse_interval("hourly", "UTC")
    slot = utc("2026-11-01 10:00")
    assert interval.next_slot(slot - timedelta(microseconds=1)) == slot
    assert interval.next_slot(slot + timedelta(seconds=59)) == slot + timedelta(hours=1)
    assert interval.latest_slot(slot + timedelta(seconds=59), slot - MINUTE) == slot
    assert interval.latest_slot(slot - timedelta(seconds=1), slot - timedelta(hours=2)) == slot - timedelta(
        hours=1
    )


def test_a_local_instant_is_taken_as_the_instant_it_is() -> None:
    interval = parse_interval("hourly", NY)
    second_pass = to_local(utc("2026-11-01 06:10"), NY)
    assert interval.next_slot(second_pass) == utc("2026-11-01 07:00")


def test_a_wall_time_is_not_an_instant() -> None:
    with pytest.raises(ValueError, match="aware"):
        parse_interval("hourly", NY).next_slot(datetime(2026, 1, 1))  # noqa: DTZ001 -- that is the point


@pytest.mark.parametrize(
    "text", ["daily at 02:00", "every 15 minutes", "every 2 weeks on mon at 02:00", "hourly"]
)
def test_the_ends_of_the_calendar_do_no_harm(text: str) -> None:
    interval = parse_interval(text, NY, "2026-09-01 02:00").with_spread(5, "a/b")
    for zone_name in ("UTC", NY):
        first = datetime.min.replace(tzinfo=to_local(utc("2026-01-01 00:00"), zone_name).tzinfo)
        last = datetime.max.replace(tzinfo=first.tzinfo)
        slot = interval.next_slot(first)
        assert slot is not None
        assert slot.year == 2026
        assert interval.next_slot(last) is None
        assert interval.count_slots(first, last) == COUNT_CAP


def test_an_instant_of_the_first_year_with_slots_is_not_moved_back() -> None:
    interval = parse_interval("daily at 02:00", NY)
    after = to_local(utc("2000-07-01 12:00"), NY)
    assert interval.next_slot(after) == utc("2000-07-02 06:00")


def test_missed_slots_are_counted_up_to_the_cap() -> None:
    since = utc("2026-01-01 00:00")
    daily = parse_interval("daily at 02:00", NY, "2025-01-01 02:00")
    assert daily.count_slots(since, since + timedelta(days=30)) == 30
    assert daily.count_slots(since, since) == 0
    assert daily.count_slots(since, since - timedelta(days=3)) == 0
    often = parse_interval("every 1 minute", NY, "2025-01-01 02:00")
    assert often.count_slots(since, since + timedelta(minutes=999)) == 999
    assert often.count_slots(since, since + timedelta(days=30)) == COUNT_CAP
    assert often.count_slots(utc("2020-01-01 00:00"), utc("2025-01-01 07:00")) == 1
    assert parse_interval("cron * * * * *", NY).count_slots(since, since + timedelta(days=30)) == COUNT_CAP


def test_a_spread_is_stable_small_and_later() -> None:
    plain = parse_interval("daily at 02:00", NY)
    spread = plain.with_spread(30, "riverside/grades")
    assert spread == parse_interval("cron 0 2 * * *", NY).with_spread(30, "riverside/grades")
    assert spread.canonical == plain.canonical
    # The number is part of what people see as next run, so it must not change with a release.
    assert spread.spread_minutes == 5
    now = utc("2026-11-24 00:00")
    slot = plain.next_slot(now)
    assert slot is not None
    assert spread.next_slot(now) == slot + timedelta(minutes=5)
    assert spread.next_slot(slot) == slot + timedelta(minutes=5)
    assert spread.latest_slot(slot + timedelta(minutes=4), now) is None
    assert spread.latest_slot(slot + timedelta(minutes=5), now) == slot + timedelta(minutes=5)
    assert {plain.with_spread(30, f"a/{n}").spread_minutes for n in range(400)} == set(range(30))


@pytest.mark.parametrize(
    ("text", "minutes"), [("hourly", 60), ("cron */7 * * * *", 4), ("daily at 02:00", 0)]
)
def test_a_spread_stays_below_the_shortest_gap(text: str, minutes: int) -> None:
    with pytest.raises(IntervalError, match="spread") as caught:
        parse_interval(text, NY).with_spread(minutes, "a/b")
    assert caught.value.reason_key == "spread"


def test_threads_that_share_an_expression_get_their_own_answers() -> None:
    interval = parse_interval("cron 17 3 * * *", NY)
    starts = [utc("2026-01-01 00:00") + timedelta(hours=7 * n) for n in range(300)]
    wrong: list[datetime] = []

    def ask(offset: int) -> None:
        for start in starts:
            slot = interval.next_slot(start + timedelta(minutes=offset))
            local = None if slot is None else to_local(slot, NY)
            if local is None or (local.hour, local.minute) != (3, 17) or local - start > timedelta(hours=26):
                wrong.append(start)

    threads = [Thread(target=ask, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


INTERVALS = st.one_of(
    st.sampled_from(
        [
            "daily at 02:30",
            "daily at 00:00,01:30,23:45",
            "hourly at :05",
            "cron */20 * * * *",
            "cron 0 */5 * * *",
            "cron 0 0 1 * mon",
            "cron 30 2 29-31 * *",
            "weekly on sat,sun at 02:00",
            "monthly on last sun at 01:15",
            "monthly on last day at 00:00",
            "every 2 weeks on sun at 02:30",
            "every 5 days at 01:30,02:30",
            "every 2 months on 31 at 00:30",
        ]
    ),
    st.builds("every {} minutes".format, st.integers(1, 1440)),
    st.builds("every {} hours".format, st.integers(1, 168)),
)
ZONES = st.sampled_from(sorted(known_zones()))
INSTANTS = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001 -- hypothesis wants naive bounds
    max_value=datetime(2031, 1, 1),  # noqa: DTZ001 -- hypothesis wants naive bounds
    timezones=st.just(UTC),
)


@settings(max_examples=150, deadline=None)
@given(INTERVALS, ZONES, INSTANTS, INSTANTS, st.integers(0, 30))
def test_next_is_strictly_after_and_grows_with_time(
    text: str, zone_name: str, one: datetime, other: datetime, spread: int
) -> None:
    interval = parse_interval(text, zone_name, "2025-03-30 02:30")
    if spread and spread < (interval.shortest_gap_minutes or 0):
        interval = interval.with_spread(spread, text)
    early, late = sorted((one, other))
    first, second = interval.next_slot(early), interval.next_slot(late)
    assert first is not None
    assert second is not None
    assert first > early
    assert second > late
    assert first <= second
    assert first.tzinfo is UTC
    # Nothing lies between: the slot before the answer is not after the question.
    assert interval.latest_slot(first - timedelta(seconds=1), early) is None


@settings(max_examples=100, deadline=None)
@given(INTERVALS, ZONES, INSTANTS, st.integers(0, 5 * 1440), st.integers(0, 20))
def test_the_latest_slot_and_the_count_agree_with_stepping(
    text: str, zone_name: str, since: datetime, minutes: int, spread: int
) -> None:
    interval = parse_interval(text, zone_name, "2025-03-30 02:30")
    gap = interval.shortest_gap_minutes
    assert gap is not None
    if spread and spread < gap:
        interval = interval.with_spread(spread, text)
    until = since + timedelta(minutes=min(minutes, gap * 60))
    slots = walk(interval, since, until)
    assert interval.latest_slot(until, since) == (slots[-1] if slots else None)
    assert interval.count_slots(since, until) == len(slots)
