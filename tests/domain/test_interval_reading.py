"""What an interval may say, what equals what, and what is refused with which reason."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gradesync.domain.interval import IntervalError, known_zones, parse_interval, tzdata_version, zone
from gradesync.errors import GradesyncError

NY = "America/New_York"
FIRST = "2026-09-01 02:00"


def refused(text: str, time_zone: str = NY, first_run: datetime | str | None = FIRST) -> IntervalError:
    with pytest.raises(IntervalError) as caught:
        parse_interval(text, time_zone, first_run)
    return caught.value


REFUSED_CRON = [
    ("cron", "cron-fields"),
    ("cron 0 2 * *", "cron-fields"),
    ("cron 0 0 2 * * *", "cron-fields"),
    ("cron 0 0 2 * * * 2026", "cron-fields"),
    ("cron @daily", "cron-alias"),
    ("cron @reboot", "cron-alias"),
    ("@hourly", "cron-alias"),
    ("cron H 2 * * *", "cron-letters"),
    ("cron H H * * *", "cron-letters"),
    ("cron H(0-5) 2 * * *", "cron-letters"),
    ("cron H/15 * * * *", "cron-letters"),
    ("cron R 2 * * *", "cron-letters"),
    ("cron R(0-29) 2 * * *", "cron-letters"),
    ("cron 0 2 ? * 1", "cron-letters"),
    ("cron 0 2 1 * ?", "cron-letters"),
    ("cron 0 2 15W * *", "cron-letters"),
    ("cron 0 2 W15 * *", "cron-letters"),
    ("cron 0 0 15W * MON", "cron-letters"),
    ("cron 0 2 LW * *", "cron-letters"),
    ("cron 0 2 15,L * *", "cron-last"),
    ("cron 0 2 10-L * *", "cron-last"),
    ("cron 0 2 L-3 * *", "cron-last"),
    ("cron 0 2 L * 1", "cron-last"),
    ("cron 0 2 * * L", "cron-last"),
    ("cron 0 2 * * 5L", "cron-last"),
    ("cron 0 2 * * L5,L1", "cron-last"),
    ("cron 0 2 * L *", "cron-last"),
    ("cron L 2 * * *", "cron-last"),
    ("cron 5-5 * * * *", "cron-range"),
    ("cron 0 5-5 * * *", "cron-range"),
    ("cron 0 0 * JAN-JAN *", "cron-range"),
    ("cron 0 0 * * MON-MON", "cron-range"),
    ("cron 0 22-2 * * *", "cron-range"),
    ("cron 50-10 * * * *", "cron-range"),
    ("cron 0 2 * * FRI-MON", "cron-range"),
    ("cron 0 2 * * FRI-SUN", "cron-range"),
    ("cron 0 2 * NOV-FEB *", "cron-range"),
    ("cron 60 * * * *", "cron-range"),
    ("cron 0 24 * * *", "cron-range"),
    ("cron 0 0 0 * *", "cron-range"),
    ("cron 0 0 32 * *", "cron-range"),
    ("cron 0 0 * 0 *", "cron-range"),
    ("cron 0 0 * 13 *", "cron-range"),
    ("cron 0 0 * * 8", "cron-range"),
    ("cron -1 * * * *", "cron-syntax"),
    ("cron " + "1" * 150 + " * * * *", "cron-range"),
    ("cron */60 * * * *", "cron-step"),
    ("cron */100 * * * *", "cron-step"),
    ("cron */0 * * * *", "cron-step"),
    ("cron 0 */24 * * *", "cron-step"),
    ("cron 0 */25 * * *", "cron-step"),
    ("cron 0 0 */31 * *", "cron-step"),
    ("cron 0 0 * */12 *", "cron-step"),
    ("cron 0 0 * * */7", "cron-step"),
    ("cron 59/15 * * * *", "cron-step"),
    ("cron 0 6/1 * * *", "cron-step"),
    ("cron 10-20/15 * * * *", "cron-step"),
    ("cron *,5 * * * *", "cron-syntax"),
    ("cron 5,* * * * *", "cron-syntax"),
    ("cron */5,7 * * * *", "cron-syntax"),
    ("cron *-5 * * * *", "cron-syntax"),
    ("cron 1,,2 * * * *", "cron-syntax"),
    ("cron 1, * * * *", "cron-fields"),
    ("cron 1.5 * * * *", "cron-syntax"),
    ("cron 0 2 * * monday", "cron-syntax"),
    ("cron 0 2 * * thursday", "cron-syntax"),
    ("cron 0 2 * january *", "cron-syntax"),
    ("cron mon 2 * * *", "cron-syntax"),
    ("cron 0 2 * * mon#6", "cron-nth"),
    ("cron 0 2 * * mon#0", "cron-nth"),
    ("cron 0 2 * * mon#1,fri", "cron-nth"),
    ("cron 0 2 * * mon-fri#1", "cron-nth"),
    ("cron 0 2 1#2 * *", "cron-nth"),
    ("cron 0 0 1 * MON#1", "cron-days"),
    ("cron 0 0 1 * L5", "cron-days"),
    ("cron 0 0 */2 * MON", "cron-days"),
    ("cron 0 0 1 * */2", "cron-days"),
    ("cron 0 0 */2 * */2", "cron-days"),
    ("cron 0 0 30 2 *", "cron-never"),
    ("cron 0 0 31 2 *", "cron-never"),
    ("cron 0 0 31 4,6,9,11 *", "cron-never"),
    ("cron 0 0 * 2 mon#5", "cron-never"),
    ("cron 0,1,2,3,4,5 " + "1," * 100 + "2 * * *", "too-long"),
    ("cron 0 2 * * *\u00a0", "not-ascii"),
    ("cron \u0660 2 * * *", "not-ascii"),
    ("cron 0 2 * * *\n* * * * *", "not-an-interval"),
]

REFUSED_WORDS = [
    ("", "not-an-interval"),
    ("   ", "not-an-interval"),
    ("630", "looks-like-number"),
    ("870", "looks-like-number"),
    ("10.5", "looks-like-number"),
    ("-5", "looks-like-number"),
    ("10:30", "not-an-interval"),
    ("0 2 * * *", "not-an-interval"),
    ("*/5 * * * *", "not-an-interval"),
    ("dayly at 02:00", "not-an-interval"),
    ("off", "not-an-interval"),
    ("daily", "not-an-interval"),
    ("daily 02:00", "not-an-interval"),
    ("daily on mon at 02:00", "not-an-interval"),
    ("weekdays on mon at 02:00", "not-an-interval"),
    ("weekly at 02:00", "not-an-interval"),
    ("weekly on mon", "not-an-interval"),
    ("monthly at 02:00", "not-an-interval"),
    ("manual at 02:00", "not-an-interval"),
    ("once", "not-an-interval"),
    ("daily at 2:00", "bad-time"),
    ("daily at 24:00", "bad-time"),
    ("daily at 02:60", "bad-time"),
    ("daily at 2pm", "bad-time"),
    ("daily at 02:00:00", "bad-time"),
    ("daily at 02:00 UTC", "bad-time"),
    ("daily at 02:00+05:00", "bad-time"),
    ("daily at 02:00,", "bad-time"),
    ("hourly at 05", "bad-time"),
    ("hourly at :60", "bad-time"),
    ("weekly on monday-friday at 02:00", "bad-day"),
    ("weekly on 1 at 02:00", "bad-day"),
    ("monthly on 0 at 02:00", "bad-day"),
    ("monthly on 32 at 02:00", "bad-day"),
    ("monthly on fifth mon at 02:00", "bad-day"),
    ("monthly on mon at 02:00", "bad-day"),
    ("monthly on 1,last day at 02:00", "bad-day"),
    ("every minute", "not-an-interval"),
    ("every 0 minutes", "out-of-range"),
    ("every 1441 minutes", "out-of-range"),
    ("every 169 hours", "out-of-range"),
    ("every 32 days at 02:00", "out-of-range"),
    ("every 9 weeks on mon at 02:00", "out-of-range"),
    ("every 13 months on 1 at 02:00", "out-of-range"),
    ("every -5 minutes", "out-of-range"),
    ("every 1.5 hours", "out-of-range"),
    ("every 30 seconds", "not-an-interval"),
    ("every 15 minutes at 02:00", "not-an-interval"),
    ("every 2 days", "not-an-interval"),
    ("every 7 days on wed at 02:00", "never-matches"),
    ("every 12 months on 31 at 02:00", "never-matches"),
    ("once at 2026-02-30 02:00", "impossible-date"),
    ("once at 2026-13-01 02:00", "impossible-date"),
    ("once at 2027-02-29 02:00", "impossible-date"),
    ("once at 2026-12-01", "bad-time"),
    ("once at 2026-12-01 25:00", "bad-time"),
    ("once at 2026-12-01 02:00Z", "bad-time"),
    ("once at 1926-12-01 02:00", "bad-time"),
]


@pytest.mark.parametrize(("text", "key"), REFUSED_CRON + REFUSED_WORDS)
def test_what_could_be_misread_is_refused_with_a_stable_key_and_a_sentence(text: str, key: str) -> None:
    error = refused(text)
    assert (error.reason_key, error.culprit) == (key, "interval")
    assert isinstance(error, GradesyncError)
    assert len(str(error).split()) >= 4
    assert len(str(error)) < 330


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("630", "quotes"),
        ("10:30", "daily at 10:30"),
        ("dayly at 02:00", "did you mean daily"),
        ("*/5 * * * *", "write cron */5 * * * *"),
        ("cron 0 2 * * fri-sun", "5-7"),
        ("cron 0 22-2 * * *", "22-23,0-2"),
        ("cron 5/15 * * * *", "5-59/15"),
        ("cron 0 2 * * 5L", "L5"),
        ("cron 0 0 2 * * *", "seconds"),
        ("cron 0 0 30 2 *", "30 February"),
        ("once at 2026-02-30 02:00", "there is no 30 February in 2026"),
        ("daily at 2:00", "02:00"),
        ("daily at 24:00", "00:00"),
    ],
)
def test_a_refusal_shows_the_way_out(text: str, part: str) -> None:
    assert part in str(refused(text))


def test_an_integer_read_from_a_file_is_refused_like_its_text() -> None:
    value: object = 630
    with pytest.raises(IntervalError, match="quotes"):
        parse_interval(value, NY)  # type: ignore[arg-type]  # a reader of untyped files may hand this over


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
