"""What a message says, and that nothing in it is read as a command, a mention or markup."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gradesync.domain.alarm import AlarmKind, Cause, Letter, News, Where
from gradesync.notify import words
from gradesync.notify.harmless import harmless
from tests.notify.samples import T0, failed, hours, key_cause, message, raised

ZONE = "America/New_York"
FOR_TWO_DAYS = "from 2027-03-01 07:00 EST to 2027-03-03 09:00 EST (2 d 2 h)"

ONE_OF_EACH = [
    failed(count=3, run="c0ffee"),
    failed(code=None),
    key_cause(),
    Cause(AlarmKind.EXPIRES, "riverside", "sis", T0, "SIS admin", "GS-204", until=hours(48), level=2),
    Cause(AlarmKind.HOLD, "riverside", "h1", T0, "support", until=hours(3)),
    Cause(AlarmKind.BREAKER, "riverside", "grades", T0, "support", "GS-508"),
    Cause(AlarmKind.BRAKE, "riverside", "roster", T0, "admin", "GS-602", run="c0ffee"),
    Cause(AlarmKind.SAFETY_STOP, "riverside", "", T0, "support", count=2),
    Cause(AlarmKind.PROBLEMS, "riverside", "", T0, "support", count=1),
    Cause(AlarmKind.PROBLEMS, "", "", T0, "support", count=2),
    Cause(AlarmKind.PROBLEMS, "", "commit", T0, "support", "GS-704"),
    Cause(AlarmKind.WAITING, "riverside", "teacher", T0, "teacher", "GS-401", 12),
    Cause(AlarmKind.OVERDUE, "riverside", "grades", T0, "support"),
    Cause(AlarmKind.LATE, "", "", T0, "support"),
]


@pytest.mark.parametrize("cause", ONE_OF_EACH, ids=lambda one: f"{one.kind}-{one.code}")
@pytest.mark.parametrize("news", list(News))
def test_every_letter_names_what_it_is_about_and_what_to_do(cause: Cause, news: News) -> None:
    one = message(
        Letter(news, cause, hours(3) if news in (News.ENDED, News.PASSED) else None), time_zone=ZONE
    )
    text = words.body(one)
    assert cause.account in text
    assert (cause.code or "") in text
    assert ("Look: gradesync " in text) == (news in (News.RAISED, News.STILL))
    assert words.subject(one).startswith("gradesync: ")
    assert "None" not in text


def test_a_message_reads_like_this() -> None:
    late = Cause(AlarmKind.LATE, "", "", T0, "support", until=hours(4))
    text = words.body(
        message(
            raised(key_cause()),
            raised(failed(count=3, run="c0ffee")),
            Letter(News.PASSED, late, hours(4)),
            Letter(News.ENDED, failed("oak"), hours(50)),
            time_zone=ZONE,
        )
    )
    assert text.splitlines() == [
        "New:",
        "- riverside: Canvas refuses our key (GS-201), since 2027-03-01 07:00 EST",
        "  Canvas admin must act: Renew the Canvas token.",
        "  Look: gradesync show riverside",
        "- riverside/grades failed 3 times in a row: SIS is down or too slow (GS-508), since 2027-03-01 07:00 EST",
        "  Nothing to do yet: the next pass tries again.",
        "  Look: gradesync show c0ffee",
        "",
        "Came and went:",
        "- No pass between 2027-03-01 07:00 EST and 2027-03-01 11:00 EST; passes come again",
        "",
        "Over:",
        f"- oak/grades failed: SIS is down or too slow (GS-508), {FOR_TWO_DAYS}",
        "",
        "Seen 2027-03-01 07:00 EST. More about a code: gradesync explain GS-201.",
    ]


def test_one_servers_outage_is_one_line() -> None:
    text = words.body(message(*(raised(failed(f"a{n:02}", host="sis.example")) for n in range(40))))
    [line] = [line for line in text.splitlines() if line.startswith("- ")]
    assert "40 accounts at sis.example" in line
    assert "a00, a01, a02 and 37 more" in line


def test_a_long_message_is_cut_and_says_so() -> None:
    many = [raised(failed(f"a{n:02}", host=f"sis{n}.example")) for n in range(words.LINES + 5)]
    text = words.body(message(*many))
    assert text.count("Look: ") == words.LINES
    assert "And 5 more: gradesync list" in text


def test_the_subject_names_the_one_thing_or_counts() -> None:
    assert (
        words.subject(message(raised(key_cause()))) == "gradesync: riverside: Canvas refuses our key (GS-201)"
    )
    ended = Letter(News.ENDED, failed("oak"), hours(1))
    assert words.subject(message(ended)).startswith("gradesync: over: oak/grades failed")
    assert words.subject(message(raised(key_cause()), ended)) == "gradesync: 1 new, 1 over"


HOSTILE = [
    "@everyone", "<!channel>", "<@U123>", "[click](https://evil.example)", "`code`", "*bold*", "~struck~", "a|b",
    "::set-output name=x::y", "=cmd|' /C calc'!A0", "\x1b[31mred\x1b[0m", "a\r\nBcc: x@y.example", "\u202egnol\u202c",
    "# head", "&lt;script&gt;", "<script>alert(1)</script>", "https://evil.example", "\\n",
    ":::set-output name=x:::y",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_out_as_text(text: str) -> None:
    shown = harmless(f"{text}")
    assert not any(sign in shown for sign in ("<", ">", "`", "*", "~", "[", "]", "|", "\\", "&", "\n", "\r"))
    assert not any(sign in shown for sign in ("@everyone", "@U123", "://", "::", "\x1b", "\u202e"))
    assert not shown.startswith(("=", "+", "-", "#"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_harmless_in_a_whole_message(text: str) -> None:
    one = message(raised(failed(text, text)), raised(key_cause(text)), raised(failed("b", "x", host=text)))
    whole = words.subject(one) + words.body(one)
    assert not any(
        sign in whole for sign in ("@everyone", "<", ">", "`", "://", "\x1b", "\u202e", "\r", "::")
    )


def test_the_command_of_an_alarm_about_everything_can_be_typed() -> None:
    late = Cause(AlarmKind.LATE, "", "", T0, "support")
    assert words.command_of(late) == "gradesync history"
    assert (
        "Look: gradesync history\n" in words.body(message(Letter(News.RAISED, late), time_zone=ZONE)) + "\n"
    )
    assert harmless("") == ""


def test_no_line_is_longer_than_a_screen_or_two() -> None:
    shown = harmless("a" * 5000)
    assert len(shown) == 200


def test_lengths_are_told_in_two_units() -> None:
    assert [words.lasted(timedelta(minutes=n)) for n in (0, 5, 60, 61, 1440 + 61)] == [
        "under a minute", "5 min", "1 h", "1 h 1 min", "1 d 1 h"
    ]  # fmt: skip


def test_what_a_clock_that_was_set_back_ended_before_it_began_has_no_length() -> None:
    text = words.body(message(Letter(News.ENDED, failed("oak"), hours(-2)), time_zone=ZONE))
    [line] = [line for line in text.splitlines() if line.startswith("- ")]
    assert line.endswith("(GS-508), until 2027-03-01 05:00 EST")
    assert words.lasted(timedelta(hours=-2)) == "under a minute"


def test_a_file_with_problems_is_to_be_mended_and_no_run_is_looked_for() -> None:
    text = words.body(message(raised(Cause(AlarmKind.PROBLEMS, "riverside", "", T0, "support", count=1))))
    assert "must act: Mend the file: gradesync validate shows what is wrong" in text


RUN, PAGE = "https://github.com/north/sync/actions/runs/4711", "https://pages.example.org/sync"


def test_a_message_about_one_account_ends_with_its_page_and_the_job_of_ci() -> None:
    where = Where(RUN, PAGE)
    one = message(raised(key_cause()), raised(failed()), where=where)
    assert words.body(one).splitlines()[-2:] == [
        f"Page: {PAGE}/accounts/riverside/index.html",
        f"CI job: {RUN}",
    ]
    several = message(raised(key_cause()), raised(failed("oak")), where=where)
    assert words.body(several).splitlines()[-2:] == [f"Page: {PAGE}", f"CI job: {RUN}"]
    everybodys = message(raised(Cause(AlarmKind.LATE, "", "", T0, "support")), where=where)
    assert f"Page: {PAGE}\n" in words.body(everybodys)
    assert words.body(message(test=True, where=where)).endswith(f"Page: {PAGE}\nCI job: {RUN}")


def test_what_is_not_known_is_not_linked() -> None:
    only_page = words.body(message(raised(key_cause()), where=Where(page=PAGE)))
    assert "CI job" not in only_page
    assert only_page.endswith("/accounts/riverside/index.html")
    assert "https://" not in words.body(message(raised(key_cause())))
