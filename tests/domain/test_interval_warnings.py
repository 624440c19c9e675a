"""What a person is told about an interval that is allowed but may surprise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gradesync.domain.interval import SOON, parse_interval, warnings

NY = "America/New_York"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def told(
    text: str, time_zone: str = NY, first_run: str | None = None, tick: int | None = None
) -> dict[str, str]:
    found = warnings(parse_interval(text, time_zone, first_run), NOW, tick)
    assert len({warning.key for warning in found}) == len(found)
    return {warning.key: warning.text for warning in found}


@pytest.mark.parametrize(
    "text", ["daily at 06:00", "hourly", "cron */15 * * * *", "monthly on 28 at 06:00", "manual"]
)
def test_ordinary_intervals_raise_no_warning(text: str) -> None:
    assert told(text) == {}


def test_a_step_that_does_not_divide_the_hour_is_uneven() -> None:
    assert "4 minutes later" in told("cron */7 * * * *")["uneven"]
    assert "20 minutes later" in told("cron */40 * * * *")["uneven"]
    assert "hours" in told("cron 0 */5 * * *")["uneven"]
    assert "uneven" not in told("cron 0,40 * * * *")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("monthly on 31 at 06:00", "skips 5 months"),
        ("monthly on 30 at 06:00", "skips 1 month;"),
        ("monthly on 29 at 06:00", "leap years"),
        ("cron 0 6 31 1-6 *", "skips 3 months"),
        ("cron 0 6 * * mon#5", "fifth"),
    ],
)
def test_days_that_some_months_lack_are_named(text: str, part: str) -> None:
    warning = told(text)["skips-months"]
    assert part in warning
    assert "last" in warning


@pytest.mark.parametrize("text", ["cron 0 6 31 1,3,5 *", "monthly on last day at 06:00", "cron 0 6 31 * mon"])
def test_days_that_are_never_skipped_raise_nothing(text: str) -> None:
    assert "skips-months" not in told(text)


def test_a_fixed_time_that_the_next_year_leaves_out_is_dated() -> None:
    warning = told("daily at 02:30")["dst-gap"]
    assert "2027-03-14" in warning
    assert "runs at 03:00" in warning


def test_a_fixed_time_that_comes_twice_is_dated() -> None:
    assert "2027-11-07" in told("daily at 01:30")["dst-overlap"]


@pytest.mark.parametrize(
    ("day", "soon"),
    [("2026-11-23", False), ("2027-01-30", False), ("2027-02-15", True), ("2027-03-15", False)],
)
def test_a_look_at_the_files_tells_a_change_of_clocks_only_in_the_weeks_before_it(
    day: str, soon: bool
) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = warnings(parse_interval("daily at 02:00", NY), now, ahead=SOON)
    assert [one.key for one in found] == ["dst-gap"] * soon


@pytest.mark.parametrize(
    ("text", "time_zone"),
    [("daily at 02:30", "America/Phoenix"), ("cron */15 2 * * *", NY), ("weekly on mon at 02:30", NY)],
)
def test_no_clock_change_is_reported_where_none_is_met(text: str, time_zone: str) -> None:
    assert not {"dst-gap", "dst-overlap"} & set(told(text, time_zone))


def test_a_single_run_at_a_missing_time_is_reported_and_a_past_one_too() -> None:
    assert "03:00" in told("once at 2027-03-14 02:30")["dst-gap"]
    assert "over" in told("once at 2026-01-01 06:00")


def test_slots_closer_than_the_tick_become_one_run() -> None:
    assert "5 minutes" in told("cron */5 * * * *", tick=15)["faster-than-tick"]
    assert "faster-than-tick" not in told("cron */15 * * * *", tick=15)
    assert "faster-than-tick" not in told("manual", tick=15)


@pytest.mark.parametrize(
    ("text", "offer"),
    [
        ("every 6 hours", "cron 0 2-20/6 * * *"),
        ("every 12 hours", "cron 0 2,14 * * *"),
        ("every 120 minutes", "cron 0 0-22/2 * * *"),
    ],
)
def test_long_elapsed_intervals_move_with_the_clocks_and_the_calendar_spelling_is_offered(
    text: str, offer: str
) -> None:
    warning = told(text, first_run="2026-09-01 02:00")["elapsed-moves"]
    assert warning.endswith(offer)
    parse_interval(offer, NY)


def test_every_24_hours_is_not_daily() -> None:
    found = told("every 24 hours", first_run="2026-09-01 02:00")
    assert "daily at 02:00" in found["not-daily"]
    assert "elapsed-moves" not in found


@pytest.mark.parametrize(("text", "time_zone"), [("every 6 hours", "UTC"), ("every 90 minutes", NY)])
def test_elapsed_intervals_that_cannot_surprise_raise_nothing(text: str, time_zone: str) -> None:
    assert told(text, time_zone, "2026-09-01 02:00") == {}


def test_a_first_run_that_is_no_slot_names_the_real_one() -> None:
    warning = told("weekly on mon at 06:00", first_run="2026-12-01 02:00")["first-run-no-match"]
    assert "2026-12-07 06:00 EST" in warning
    assert "first-run-no-match" not in told("weekly on tue at 06:00", first_run="2026-12-01 06:00")


def test_a_first_run_that_lies_behind_is_left_alone_when_the_hour_changes() -> None:
    assert "first-run-no-match" not in told("daily at 03:30", first_run="2026-09-01 02:00")


def test_an_anchor_inside_a_clock_change_is_explained() -> None:
    assert "03:00 EDT" in told("every 15 minutes", first_run="2026-03-08 02:30")["first-run-gap"]
    assert "EDT" in told("every 15 minutes", first_run="2026-11-01 01:30")["first-run-overlap"]


def test_a_first_run_without_effect_is_reported() -> None:
    assert "first-run-unused" in told("manual", first_run="2026-09-01 02:00")
