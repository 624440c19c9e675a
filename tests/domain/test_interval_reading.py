"""What an interval may say, what equals what, and which zones and first runs it takes."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gradesync.domain.interval import IntervalError, known_zones, parse_interval, tzdata_version, zone

NY = "America/New_York"
FIRST = "2026-09-01 02:00"


def refused(text: str, time_zone: str = NY, first_run: datetime | str | None = FIRST) -> IntervalError:
    with pytest.raises(IntervalError) as caught:
        parse_interval(text, time_zone, first_run)
    return caught.value


@pytest.mark.parametrize(
    "text", ["every 15 minutes", "every 6 hours", "every 2 days at 06:00", "every 1 week at 06:00"]
)
def test_a_counted_interval_needs_a_first_run(text: str) -> None:
    assert refused(text, first_run=None).reason_key == "first-run-missing"
    assert parse_interval(text, NY, FIRST).kind in {"elapsed", "calendar"}


@pytest.mark.parametrize(
    "spellings",
    [
        ["daily at 02:00", "cron 0 2 * * *", "CRON 00 02 * * *", " Daily  at 02:00 ", "every 1 day at 02:00"],
        [
            "daily at 02:00",
            "cron 0 2 1-31 * *",
            "cron 0 2 * 1-12 0-6",
            "cron 0 2 * jan-dec 0-7",
            "cron 0 2 */1 * *",
        ],
        [
            "weekdays at 06:00",
            "cron 0 6 * * mon-fri",
            "cron 0 6 * * 1,2,3,4,5",
            "weekly on fri,mon,tue,wed,thu at 06:00",
        ],
        [
            "weekly on sun at 01:00",
            "cron 0 1 * * 7",
            "cron 0 1 * * 0",
            "cron 0 1 * * SUN",
            "every 1 week on sun at 01:00",
        ],
        ["monthly on last day at 03:00", "cron 0 3 L * *", "every 1 month on last day at 03:00"],
        [
            "monthly on last fri at 03:00",
            "cron 0 3 * * L5",
            "cron 0 3 * * lfri",
            "monthly on last friday at 03:00",
        ],
        ["monthly on second tue at 03:00", "cron 0 3 * * tue#2", "cron 0 3 * * 2#2"],
        ["monthly on 1, 15 at 03:00", "cron 0 3 15,1 * *", "monthly on 01,15,1 at 03:00"],
        ["hourly", "hourly at :00", "cron 0 * * * *"],
        ["cron */15 * * * *", "cron 0,15,30,45 * * * *", "cron 0-59/15 * * * *"],
        ["daily at 02:00, 14:00", "cron 0 2,14 * * *", "daily at 14:00,02:00"],
        ["every 60 minutes", "every 1 hour", "EVERY 1 HOURS"],
        ["every 2 weeks on tue at 06:00", "every 2 weeks at 06:00"],
    ],
)
def test_equal_meanings_have_one_canonical_form(spellings: list[str]) -> None:
    intervals = [parse_interval(text, NY, FIRST) for text in spellings]
    assert len({interval.canonical for interval in intervals}) == 1
    assert len(set(intervals)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cron 0-59 2 * * *", "cron * 2 * * *"),
        ("cron 0 0-23/2 * * *", "cron 0 */2 * * *"),
        ("daily at 02:00", "daily at 02:01"),
        ("cron 0 0 1 * *", "cron 0 0 1 * 1"),
        ("cron 0 0 * * mon#4", "cron 0 0 * * L1"),
    ],
)
def test_what_runs_at_other_instants_stays_different(one: str, other: str) -> None:
    # The first two pairs name the same wall times but differ in a night with a clock change.
    assert parse_interval(one, NY).canonical != parse_interval(other, NY).canonical


def test_an_elapsed_interval_keeps_its_anchor_in_the_canonical_form() -> None:
    early = parse_interval("every 15 minutes", NY, "2026-09-01 07:00")
    late = parse_interval("every 15 minutes", NY, "2026-09-01 07:05")
    assert early.canonical != late.canonical


@pytest.mark.parametrize(
    "text", ["daily at 02:00,14:30", "manual", "once at 2026-12-01 06:00", "every 15 minutes"]
)
def test_an_interval_survives_copying_and_pickling(text: str) -> None:
    interval = parse_interval(text, NY, FIRST)
    if interval.kind != "manual":
        interval = interval.with_spread(10, "riverside/grades")
    for twin in (copy.deepcopy(interval), pickle.loads(pickle.dumps(interval))):
        assert twin == interval
        assert twin.next_slot(datetime(2026, 10, 1, tzinfo=UTC)) == interval.next_slot(
            datetime(2026, 10, 1, tzinfo=UTC)
        )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cron 0 0 1 * mon", "on the 1st or on Mondays at 00:00"),
        ("daily at 02:00,14:30", "every day at 02:00 and 14:30"),
        ("weekdays at 06:00", "Monday to Friday at 06:00"),
        ("weekly on thu,mon at 06:30", "every Monday and Thursday at 06:30"),
        ("monthly on last day at 18:00", "on the last day of the month at 18:00"),
        ("monthly on second tue at 18:00", "on the second Tuesday of the month at 18:00"),
        ("monthly on 1,22 at 18:00", "on the 1st and 22nd of the month at 18:00"),
        ("cron 0 2 1 3,9 *", "on the 1st of the month in March and September at 02:00"),
        ("cron */15 8-17 * * 1-5", "every 15 minutes during the hours from 08 to 17 Monday to Friday"),
        ("cron * * * * *", "every minute"),
        ("hourly at :05", "every hour at :05"),
        ("every 15 minutes", "every 15 minutes counted from 2026-09-01 02:00"),
        ("every 1 hour", "every hour counted from 2026-09-01 02:00"),
        ("every 2 weeks on mon at 06:00", "every 2 weeks counted from 2026-08-31, every Monday, at 06:00"),
        ("once at 2026-12-01 06:00", "once at 2026-12-01 06:00"),
        ("manual", "only on request"),
    ],
)
def test_an_interval_says_itself_in_plain_words(text: str, words: str) -> None:
    assert parse_interval(text, NY, FIRST).words == words


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("every 15 minutes", 15),
        ("cron */7 * * * *", 4),
        ("cron 0 0,23 * * *", 60),
        ("cron 0 0,23 1 * *", 1380),
        ("daily at 02:00", 1440),
        ("weekdays at 06:00,14:30", 510),
        ("weekly on mon,thu at 06:30", 4320),
        ("monthly on 1 at 00:00", 28 * 1440),
        ("monthly on 1,29 at 00:00", 1440),
        ("every 3 days at 23:00,01:00", 22 * 60),
        ("manual", None),
        ("once at 2026-12-01 06:00", None),
    ],
)
def test_the_shortest_gap_is_known(text: str, minutes: int | None) -> None:
    assert parse_interval(text, NY, FIRST).shortest_gap_minutes == minutes


@pytest.mark.parametrize(
    "first_run",
    [
        "2026-02-30 02:00",
        "2026-09-01",
        "2026-09-01 02:00-05:00",
        "2026-09-01 02:00Z",
        "2026-09-01 24:00",
        "tomorrow",
        "1999-12-31 23:59",
        datetime(2026, 9, 1, 2, 0, tzinfo=UTC),
        datetime(2026, 9, 1, 2, 0, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2026, 9, 1, 2, 0, 1),  # noqa: DTZ001 -- naive wall time is what first_run is
    ],
)
def test_a_first_run_is_a_possible_local_minute_without_an_offset(first_run: str | datetime) -> None:
    error = refused("daily at 02:00", NY, first_run)
    assert (error.reason_key, error.culprit) == ("first-run", "first_run")


def test_a_first_run_may_be_text_or_a_naive_time() -> None:
    naive = datetime(2026, 9, 1, 2, 0)  # noqa: DTZ001 -- naive wall time is what first_run is
    assert parse_interval("every 6 hours", NY, naive) == parse_interval(
        "every 6 hours", NY, "2026-09-01 02:00"
    )


def test_a_first_run_after_the_only_slot_is_refused() -> None:
    assert refused("once at 2026-08-01 02:00").culprit == "first_run"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("EST", "offset-zone"),
        ("est", "offset-zone"),
        ("EST5EDT", "offset-zone"),
        ("Etc/GMT+5", "offset-zone"),
        ("Etc/UCT", "offset-zone"),
        ("+05:00", "offset-zone"),
        ("-5", "offset-zone"),
        ("UTC+5", "offset-zone"),
        ("GMT-5", "offset-zone"),
        ("localtime", "unknown-zone"),
        ("/usr/share/zoneinfo/America/New_York", "unknown-zone"),
        ("../zones", "unknown-zone"),
        ("posix/America/New_York", "unknown-zone"),
        ("america/new_york", "unknown-zone"),
        ("America/New York", "unknown-zone"),
        ("Amerika/New_York", "unknown-zone"),
        ("", "unknown-zone"),
        ("Factory", "offset-zone"),
    ],
)
def test_only_places_are_time_zones(name: str, key: str) -> None:
    error = refused("daily at 02:00", name)
    assert (error.reason_key, error.culprit) == (key, "time_zone")


@pytest.mark.parametrize("name", ["america/new_york", "New_York", "America/New York", "Amerika/New_York"])
def test_a_mistyped_zone_is_answered_with_the_right_one(name: str) -> None:
    with pytest.raises(IntervalError, match="did you mean America/New_York"):
        zone(name)


def test_every_known_zone_loads_and_has_whole_minute_offsets() -> None:
    assert {NY, "UTC", "US/Eastern", "Etc/UTC"} <= known_zones()
    assert not {"EST", "Etc/GMT+5", "Factory", "GMT"} & known_zones()
    for name in known_zones():
        for month in (1, 7):
            offset = datetime(2026, month, 1, tzinfo=UTC).astimezone(zone(name)).utcoffset()
            assert offset is not None
            assert offset % timedelta(minutes=1) == timedelta(0)


def test_zone_rules_come_from_the_pinned_package_and_not_from_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Vancouver keeps -07:00 from late 2026 on; copies of the rules from 2025 still say -08:00 in winter.
    monkeypatch.setenv("PYTHONTZPATH", "/nonexistent")
    winter = datetime(2027, 1, 15, 12, 0, tzinfo=UTC).astimezone(zone("America/Vancouver"))
    assert winter.utcoffset() == timedelta(hours=-7)
    assert tzdata_version() >= "2026"


@pytest.mark.parametrize("day", ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "saturday", "mon,sat"])
@pytest.mark.parametrize("form", ["weekly on {} at 06:30", "every 2 weeks on {} at 06:30"])
def test_every_weekday_can_be_named_before_a_time(form: str, day: str) -> None:
    assert parse_interval(form.format(day), "America/New_York", "2026-09-05 07:00").next_slot(
        datetime(2026, 9, 6, tzinfo=UTC)
    )
