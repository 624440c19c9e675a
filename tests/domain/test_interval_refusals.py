"""Every text that could be misread is refused, with a stable key and a reason in plain words."""

from __future__ import annotations

from datetime import datetime

import pytest

from gradesync.domain.interval import IntervalError, parse_interval
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
