"""What deserves an alarm, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gradesync.domain.alarm import AlarmKind, Cause, Letter, News
from gradesync.domain.alarm_causes import AccountFacts, Facts, ScheduleFacts, causes, ended_gap
from gradesync.domain.alarm_passes import PASSES_KEPT, Gap, gap_before, gap_now, with_pass
from gradesync.domain.alarm_rule import Subject
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.run import Actor, Outcome
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.notify.words import body, sentence_of
from tests.notify.samples import T0, ended_run, hours, message

GRADES, ROSTER = ScheduleId("riverside", "grades"), ScheduleId("riverside", "roster")
RIVERSIDE = AccountFacts(Subject(), "America/New_York", "canvas.example", "sis.example")


def look(*schedules: ScheduleFacts, **more: object) -> tuple[Cause, ...]:
    accounts = more.pop("accounts", {"riverside": RIVERSIDE})
    return causes(Facts(now=T0, accounts=accounts, schedules=schedules, **more))  # type: ignore[arg-type]  # by name


def grades(
    outcome: Outcome, *, codes: dict[str, int] | None = None, ago: float = 1, **more: object
) -> ScheduleFacts:
    run = ended_run(GRADES, outcome, hours(-ago), codes=codes)
    return ScheduleFacts(GRADES, "grade passback", run, **more)  # type: ignore[arg-type]  # by name


def roster(outcome: Outcome, *, codes: dict[str, int] | None = None, ago: float = 1) -> ScheduleFacts:
    run = ended_run(ROSTER, outcome, hours(-ago), codes=codes, type=SyncType.ROSTER_IMPORT)
    return ScheduleFacts(ROSTER, "roster import", run)


def said(found: tuple[Cause, ...]) -> list[tuple[AlarmKind, str, str | None]]:
    return [(one.kind, one.subject, one.code) for one in found]


def test_a_run_that_worked_is_no_news() -> None:
    assert look(grades(Outcome.COMPLETED), grades(Outcome.WARNING, codes={"GS-401": 3})) == ()


def test_a_failed_run_says_how_often_since_when_and_at_which_server() -> None:
    [one] = look(grades(Outcome.FAILED, codes={"GS-508": 1}, failures=3, failing_since=hours(-9)))
    assert (one.kind, one.count, one.since, one.host, one.who) == (
        AlarmKind.FAILED, 3, hours(-9), "sis.example", "support"
    )  # fmt: skip


def test_a_run_that_was_given_up_is_a_failure() -> None:
    [one] = look(grades(Outcome.ABANDONED))
    assert (one.kind, one.code, one.who) == (AlarmKind.FAILED, "GS-702", "support")


def test_a_dead_key_of_many_schedules_is_one_cause() -> None:
    dead = {"GS-201": 1}
    [one] = look(grades(Outcome.FAILED, codes=dead), roster(Outcome.FAILED, codes=dead))
    assert (one.kind, one.account, one.subject, one.count) == (AlarmKind.KEY, "riverside", "GS-201", 2)
    assert (one.who, one.urgent) == ("Canvas admin", True)


def test_a_key_that_lacks_a_right_is_a_key_though_the_run_went_on() -> None:
    assert said(look(grades(Outcome.WARNING, codes={"GS-203": 1}))) == [(AlarmKind.KEY, "GS-203", "GS-203")]


def test_a_later_run_with_the_same_key_proves_it() -> None:
    dead = grades(Outcome.FAILED, codes={"GS-201": 1}, ago=3)
    assert look(dead, roster(Outcome.COMPLETED, ago=1)) == ()
    assert len(look(dead, roster(Outcome.COMPLETED, ago=5))) == 1
    other = grades(Outcome.FAILED, codes={"GS-202": 1}, ago=3)
    assert len(look(other, roster(Outcome.COMPLETED, ago=1))) == 1


@pytest.mark.parametrize("code", ["GS-601", "GS-602", "GS-603", "GS-623", "GS-624"])
def test_a_braked_roster_is_told_as_such(code: str) -> None:
    [one] = look(roster(Outcome.FAILED, codes={code: 1}))
    assert (one.kind, one.subject, one.code, one.urgent) == (AlarmKind.BRAKE, "roster", code, True)
    assert one.run is not None


@pytest.mark.parametrize(
    ("days", "level"), [(31, None), (30, 1), (8, 1), (7, 2), (2, 2), (1, 3), (0, 4), (-5, 4)]
)
def test_a_key_that_ends_is_told_30_7_and_1_day_before(days: int, level: int | None) -> None:
    day = date(2027, 3, 1) + timedelta(days=days)
    account = AccountFacts(time_zone="UTC", ends={"sis": day})
    found = causes(Facts(now=T0.replace(hour=0), accounts={"riverside": account}))
    assert [one.level for one in found] == ([] if level is None else [level])
    assert all((one.who, one.code, one.subject) == ("SIS admin", "GS-204", "sis") for one in found)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Honolulu"])
def test_the_day_a_key_ends_is_told_as_the_file_says_it(zone: str) -> None:
    account = AccountFacts(time_zone=zone, ends={"canvas": date(2027, 3, 5)})
    [one] = causes(Facts(now=T0, accounts={"riverside": account}))
    assert "2027-03-05" in sentence_of(one)


def hold(kind: HoldKind = HoldKind.OPERATOR, **more: object) -> Hold:
    values: dict[str, object] = {"created_at": hours(-96), "expires_at": None, **more}
    scope = HoldScope("riverside", "grades")
    return Hold("h1", scope, Actor("alex", "OS user"), "told nobody", kind=kind, **values)  # type: ignore[arg-type]


def test_a_hold_is_told_a_day_before_it_ends_or_a_quarter_of_its_time() -> None:
    assert look(holds=[hold(expires_at=hours(25))]) == ()
    assert said(look(holds=[hold(expires_at=hours(23))])) == [(AlarmKind.HOLD, "h1", None)]
    short = hold(created_at=hours(-2), expires_at=hours(2))
    assert look(holds=[short]) == ()
    assert len(look(holds=[hold(created_at=hours(-3), expires_at=hours(1))])) == 1
    assert look(holds=[hold(expires_at=hours(-1))]) == ()
    assert look(holds=[hold()]) == ()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (HoldScope("riverside", "grades"), "riverside/grades: a hold ends"),
        (HoldScope("riverside", type=SyncType.ROSTER_IMPORT), "riverside, type roster import: a hold ends"),
        (HoldScope("riverside"), "riverside: a hold ends"),
        (HoldScope(group="north"), "Group north: a hold ends"),
        (HoldScope(), "Everything: a hold ends"),
    ],
)
def test_a_hold_that_ends_names_what_it_covers(scope: HoldScope, words: str) -> None:
    ending = replace(hold(expires_at=hours(2), created_at=hours(-96)), scope=scope)
    [one] = look(holds=[ending])
    assert sentence_of(one).startswith(words)
    assert f"- {words.partition(':')[0]}: the hold that was about" in body(message(Letter(News.ENDED, one)))


def test_a_breaker_is_told_unless_its_dead_key_is() -> None:
    opened = hold(HoldKind.BREAKER, code="GS-508")
    assert said(look(holds=[opened])) == [(AlarmKind.BREAKER, "grades", "GS-508")]
    assert look(holds=[hold(HoldKind.BREAKER, code="GS-201")]) == ()


def test_another_institution_behind_the_address_is_urgent() -> None:
    [one] = look(holds=[hold(HoldKind.IDENTITY)])
    assert (one.kind, one.code, one.urgent) == (AlarmKind.BRAKE, "GS-208", True)


def test_work_that_waits_too_long_is_told_by_who_must_act() -> None:
    old, new = T0 - timedelta(days=8), T0 - timedelta(days=2)
    waiting = {
        ("riverside", "GS-401"): (3, old),
        ("riverside", "GS-402"): (2, T0 - timedelta(days=9)),
        ("riverside", "GS-409"): (5, new),
        ("gone", "GS-401"): (1, old),
    }
    found = look(waiting=waiting)
    assert [(one.kind, one.who, one.count, one.code) for one in found] == [
        (AlarmKind.WAITING, "teacher", 5, "GS-402")
    ]
    assert look(waiting=waiting, waiting_days=30) == ()


def test_when_no_pass_comes_what_is_overdue_is_not_told_too() -> None:
    late = grades(Outcome.COMPLETED, overdue_since=hours(-3))
    assert said(look(late)) == [(AlarmKind.OVERDUE, "grades", None)]
    assert said(look(late, gap=Gap(hours(-4), None))) == [(AlarmKind.LATE, "", None)]


def test_a_gap_that_the_pass_ended_is_over_when_it_is_told() -> None:
    facts = Facts(now=T0, gap=Gap(hours(-4), T0))
    assert causes(facts) == ()
    over = ended_gap(facts)
    assert over is not None
    assert (over.kind, over.since, over.until) == (AlarmKind.LATE, hours(-4), T0)


def test_what_a_pass_over_the_files_met() -> None:
    found = look(withheld={"riverside": 2}, problems={"": 1, "riverside": 4}, stale=True)
    assert [(one.kind, one.account, one.subject, one.count) for one in found] == [
        (AlarmKind.SAFETY_STOP, "riverside", "", 2),
        (AlarmKind.PROBLEMS, "", "", 1),
        (AlarmKind.PROBLEMS, "riverside", "", 4),
        (AlarmKind.PROBLEMS, "", "commit", 0),
    ]


def test_only_an_account_that_was_recorded_is_said_to_go_on() -> None:
    known, new = look(problems={"riverside": 2, "hillside": 1})
    assert sentence_of(known).endswith("its file has 2 problems; its last good definition goes on")
    assert sentence_of(new) == "hillside: its file has 1 problem; nothing of it runs until it is fixed"


def test_a_cause_survives_the_store() -> None:
    from gradesync.domain.alarm import Alarm, AlarmKey

    for one in look(
        grades(Outcome.FAILED, codes={"GS-508": 1}, failures=3, failing_since=hours(-9)),
        holds=[hold(expires_at=hours(23))],
        withheld={"riverside": 2},
        problems={"hillside": 1},
    ):
        key = AlarmKey("ops", one.kind.value, one.account, one.subject)
        assert Alarm(key, one.text(), T0).cause == one


MINUTES = [hours(n / 60) for n in range(0, 60, 5)]


def test_passes_are_late_when_they_stay_away_three_times_as_long_as_usual() -> None:
    last = MINUTES[-1]
    assert gap_now(MINUTES, last + timedelta(minutes=20)) is None
    assert gap_now(MINUTES, last + timedelta(minutes=21)) == Gap(last, None)
    assert gap_before(MINUTES, last + timedelta(hours=4)) == Gap(last, last + timedelta(hours=4))
    hourly = [hours(n) for n in range(10)]
    assert gap_now(hourly, hours(12)) is None
    assert gap_now(hourly, hours(12.1)) == Gap(hours(9), None)


def test_a_pass_dated_ahead_by_a_wrong_clock_hides_no_gap() -> None:
    passes = [*MINUTES, hours(24 * 365)]
    assert gap_now(passes, hours(0.95)) is None
    assert gap_now(passes, hours(5)) == Gap(MINUTES[-1], None)
    assert with_pass(passes, hours(1)) == (*MINUTES, hours(1))


def test_with_few_passes_known_nothing_is_usual_unless_the_owner_says_so() -> None:
    assert gap_now(MINUTES[:3], hours(90)) is None
    assert gap_now(MINUTES[:3], hours(90), timedelta(hours=2)) == Gap(MINUTES[2], None)
    assert gap_now([], hours(90), timedelta(hours=2)) is None


def test_a_long_gap_does_not_become_usual() -> None:
    passes = with_pass(MINUTES, hours(9))
    assert gap_now(passes, hours(9.5)) is not None
    assert len(with_pass([hours(n) for n in range(99)], hours(100))) == PASSES_KEPT
