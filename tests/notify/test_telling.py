"""What is told, to whom and when: never twice, never lost, in peace when peace was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.alarm import Alarm, AlarmKey, AlarmKind, Cause, Letter, Look, News
from gradesync.domain.alarm_rule import AlarmRule, Subject, covers, quiet_hours
from gradesync.domain.alarm_telling import (
    AGAIN,
    END_KEPT,
    ENVELOPES,
    LETTERS,
    MAX_ATTEMPTS,
    addresses,
    claim,
    due,
    envelopes,
    keep,
    settled,
)
from tests.notify.samples import T0, failed, hours, key_cause, rule

ZONE = "America/New_York"
ALL = Look()
NIGHT = quiet_hours("21:00-06:30", ZONE)


@dataclass
class Desk:
    """A store of one dictionary, and passes over it; `channel` tells whether the channel takes anything."""

    rules: tuple[AlarmRule, ...]
    accounts: dict[str, Subject] = field(default_factory=dict)
    rows: dict[AlarmKey, Alarm] = field(default_factory=dict)
    told: list[tuple[datetime, str, Letter, tuple[str, ...]]] = field(default_factory=list)

    def swap(self, changes: list[object]) -> None:
        for change in changes:
            after = change.after  # type: ignore[attr-defined]  # an AlarmChange
            key = change.key  # type: ignore[attr-defined]  # an AlarmChange
            if after is None:
                del self.rows[key]
            else:
                self.rows[key] = after

    def one_pass(
        self, now: datetime, *standing: Cause, channel: bool = True, look: Look = ALL, dies: bool = False
    ) -> list[Letter]:
        """Note and send; what was told. `dies`: the process vanishes between claiming and sending."""
        self.swap([*keep(self.rows.values(), standing, self.rules, self.accounts, look, now)])
        sent: list[Letter] = []
        for one in self.rules:
            ready, _ = envelopes(one, list(self.rows.values()), self.accounts, now)
            for envelope in ready:
                claims = claim(envelope.rows, now)
                self.swap([*claims])
                if dies:
                    continue
                rows = [change.after for change in claims if change.after is not None]
                if channel:
                    sent += envelope.letters()
                    self.told += [(now, one.name, letter, envelope.to) for letter in envelope.letters()]
                self.swap([settled(row, now, sent=channel) for row in rows])
        return sent


def test_a_dead_key_is_told_once_and_its_recovery_once() -> None:
    desk = Desk((rule(),))
    assert [one.news for one in desk.one_pass(T0, key_cause())] == [News.RAISED]
    assert all(desk.one_pass(hours(n), key_cause()) == [] for n in range(1, 5))
    assert [one.news for one in desk.one_pass(hours(5))] == [News.ENDED]
    assert desk.one_pass(hours(6)) == []
    assert desk.rows == {}


def test_what_still_stands_is_told_again_after_the_days_of_the_rule() -> None:
    desk = Desk((rule(remind=2), rule("never", remind=0)))
    desk.one_pass(T0, key_cause())
    assert desk.one_pass(hours(47), key_cause()) == []
    assert [one.news for one in desk.one_pass(hours(48), key_cause())] == [News.STILL]
    assert [name for _, name, _, _ in desk.told] == ["ops", "never", "ops"]


def test_what_gets_worse_is_told_again() -> None:
    desk = Desk((rule(),))
    ends = Cause(AlarmKind.EXPIRES, "riverside", "sis", T0, "SIS admin", "GS-204", level=1)
    desk.one_pass(T0, ends)
    assert [one.news for one in desk.one_pass(hours(1), replace(ends, level=2))] == [News.STILL]
    assert desk.one_pass(hours(2), replace(ends, level=2)) == []


def test_quiet_hours_delay_and_lose_nothing() -> None:
    desk = Desk((rule(quiet=NIGHT),))
    night, morning = hours(16), hours(23.6)  # 23:00 and 06:36 in New York
    assert desk.one_pass(night, failed()) == []
    assert desk.one_pass(night + timedelta(hours=2)) == []
    [letter] = desk.one_pass(morning)
    assert (letter.news, letter.ended_at) == (News.PASSED, night + timedelta(hours=2))
    assert desk.rows == {}


def test_urgent_alarms_pass_quiet_hours_unless_the_rule_says_no() -> None:
    desk = Desk((rule(quiet=NIGHT), rule("calm", quiet=NIGHT, urgent_any_time=False)))
    desk.one_pass(hours(16), key_cause(), failed())
    assert [(name, one.cause.kind) for _, name, one, _ in desk.told] == [("ops", AlarmKind.KEY)]


def test_a_digest_collects_until_its_time() -> None:
    desk = Desk((rule(digest="daily at 07:30", time_zone=ZONE, urgent_any_time=False),))
    assert desk.one_pass(T0, failed()) == []  # 07:00
    assert desk.one_pass(T0 + timedelta(minutes=29), failed(), failed("oak")) == []
    assert len(desk.one_pass(T0 + timedelta(minutes=30), failed(), failed("oak"))) == 2
    assert desk.one_pass(hours(5), failed(), failed("oak"), failed("elm")) == []
    assert [
        one.cause.account for one in desk.one_pass(hours(24.5), failed(), failed("oak"), failed("elm"))
    ] == ["elm"]


def test_one_trouble_of_many_accounts_is_one_message() -> None:
    everybody = [failed(f"a{number:02}", host="sis.example") for number in range(40)]
    ready, _ = envelopes(rule(), _rows(rule(), everybody), {}, T0)
    assert [len(one.rows) for one in ready] == [40]


def test_a_flood_goes_out_in_portions_and_all_of_it_goes() -> None:
    many = rule(to=("contacts",), channel="email")
    accounts = {f"a{n}": Subject(contacts={"sis_admin": f"a{n}@x.example"}) for n in range(ENVELOPES + 7)}
    desk = Desk((many,), accounts)
    standing = [failed(key) for key in accounts]
    assert len(desk.one_pass(T0, *standing)) == ENVELOPES
    assert len(desk.one_pass(hours(1), *standing)) == 7
    desk = Desk((rule(),))
    standing = [failed(f"a{n}") for n in range(LETTERS + 3)]
    assert [len(desk.one_pass(hours(n), *standing)) for n in range(3)] == [LETTERS, 3, 0]


def test_a_channel_that_is_away_is_tried_less_and_less_often_and_then_given_up() -> None:
    desk, now = Desk((rule(),)), T0
    waits: list[timedelta] = []
    for _ in range(MAX_ATTEMPTS):
        before = now
        while not any(due(row, rule(), now) for row in desk.rows.values()) and desk.rows:
            now += timedelta(minutes=1)
        waits.append(now - before)
        assert desk.one_pass(now, key_cause(), channel=False) == []
    assert waits == sorted(waits)
    assert desk.one_pass(now + AGAIN - timedelta(minutes=1), key_cause()) == []
    assert [one.news for one in desk.one_pass(now + AGAIN, key_cause())] == [News.RAISED]


def test_what_was_given_up_and_is_over_is_nobodys_news() -> None:
    desk, now = Desk((rule(),)), T0
    for _ in range(MAX_ATTEMPTS):
        desk.one_pass(now, key_cause(), channel=False)
        now += timedelta(hours=1, minutes=1)
    assert desk.one_pass(now) == []
    assert desk.rows == {}


def test_a_process_that_dies_while_sending_is_taken_over() -> None:
    desk = Desk((rule(),))
    desk.one_pass(T0, key_cause(), dies=True)
    assert desk.one_pass(T0 + timedelta(minutes=4), key_cause()) == []
    assert [one.news for one in desk.one_pass(T0 + timedelta(minutes=5), key_cause())] == [News.RAISED]


def test_what_somebody_is_sending_is_changed_by_nobody_else() -> None:
    desk = Desk((rule(),))
    desk.one_pass(T0, failed(), dies=True)  # it is still at work
    [row] = desk.rows.values()
    for found in ([], [failed(count=3, level=2)]):
        assert keep([row], found, [rule()], {}, Look(), T0 + timedelta(minutes=1)) == []
    # Only a sender that died is overtaken.
    [change] = keep([row], [], [rule()], {}, Look(), T0 + timedelta(minutes=5))
    assert change.after is not None
    assert change.after.ended_at is not None


def test_the_end_of_what_was_told_is_told_though_the_channel_was_away_for_days() -> None:
    desk, now = Desk((rule(),)), T0
    desk.one_pass(now, key_cause())
    for _ in range(3 * MAX_ATTEMPTS):
        now += timedelta(hours=2)
        assert desk.one_pass(now, channel=False) == []
    assert [one.news for one in desk.one_pass(now + timedelta(hours=2))] == [News.ENDED]
    assert desk.rows == {}


def test_an_end_that_nobody_can_be_told_of_is_forgotten_at_last() -> None:
    desk, now = Desk((rule(),)), T0
    desk.one_pass(now, key_cause())
    while desk.rows:
        now += timedelta(hours=2)
        desk.one_pass(now, channel=False)
    assert END_KEPT <= now - T0 <= END_KEPT + timedelta(hours=4)


def test_a_clock_that_was_a_year_ahead_silences_nobody() -> None:
    desk = Desk((rule(),))
    ahead = T0 + timedelta(days=365)
    desk.one_pass(ahead, key_cause(), channel=False)
    assert [one.news for one in desk.one_pass(T0, key_cause())] == [News.RAISED]
    desk = Desk((rule(),))
    desk.one_pass(ahead, key_cause(), dies=True)
    assert [one.news for one in desk.one_pass(T0, key_cause())] == [News.RAISED]


def test_a_pass_over_one_account_ends_nothing_of_others() -> None:
    desk = Desk((rule(),))
    desk.one_pass(T0, key_cause("riverside"), key_cause("oak"))
    assert desk.one_pass(hours(1), look=Look(accounts=frozenset({"elm"}))) == []
    [letter] = desk.one_pass(hours(2), look=Look(accounts=frozenset({"oak"})))
    assert (letter.news, letter.cause.account) == (News.ENDED, "oak")
    kinds = frozenset(AlarmKind) - {AlarmKind.KEY}
    assert desk.one_pass(hours(3), look=Look(kinds)) == []


def test_a_cause_that_comes_back_before_its_end_was_told_has_stood_all_along() -> None:
    desk = Desk((rule(quiet=NIGHT, urgent_any_time=False),))
    desk.one_pass(T0, failed())
    desk.one_pass(hours(16))
    assert desk.one_pass(hours(17), failed()) == []
    assert desk.one_pass(hours(24), failed()) == []
    assert [one.news for one in desk.one_pass(hours(25))] == [News.ENDED]


def test_a_rule_without_recovered_hears_only_what_begins() -> None:
    desk = Desk((rule(recoveries=False),))
    desk.one_pass(T0, failed())
    assert desk.one_pass(hours(1)) == []
    assert desk.rows == {}


def test_a_rule_that_is_gone_takes_its_rows_along() -> None:
    desk = Desk((rule("old"),))
    desk.one_pass(T0, failed())
    desk.rules = (rule("new"),)
    assert [one.news for one in desk.one_pass(hours(1), failed())] == [News.RAISED]
    assert {key.rule for key in desk.rows} == {"new"}


def test_a_failure_is_told_from_the_nth_in_a_row_on() -> None:
    desk = Desk((rule(after=3),))
    assert desk.one_pass(T0, failed(count=2)) == []
    assert len(desk.one_pass(hours(1), failed(count=3))) == 1


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, True),
        ({"accounts": ("river*",)}, True),
        ({"accounts": ("oak",)}, False),
        ({"groups": ("north",)}, True),
        ({"groups": ("south",)}, False),
        ({"labels": {"region": "n"}}, True),
        ({"labels": {"region": "s"}}, False),
        ({"type": "grade passback"}, True),
        ({"type": "roster import"}, False),
        ({"who": frozenset({"sis_admin"})}, True),
        ({"who": frozenset({"canvas_admin"})}, False),
        ({"kinds": frozenset({AlarmKind.KEY})}, False),
    ],
)
def test_a_rule_chooses_by_account_group_label_type_and_who(more: dict[str, object], wanted: bool) -> None:
    about = Subject("north", {"region": "n"})
    assert covers(replace(rule(), **more), failed(type="grade passback"), about) is wanted  # type: ignore[arg-type]  # by name


def test_what_concerns_everybody_is_only_for_rules_that_choose_no_account() -> None:
    late = Cause(AlarmKind.LATE, "", "", T0, "support")
    assert covers(rule(), late, Subject())
    assert not covers(rule(groups=("north",)), late, Subject())


CONTACTS = {"sis_admin": "sis@x.example", "admin": "boss@x.example", "support": "the help desk"}


@pytest.mark.parametrize(
    ("to", "who", "wanted"),
    [
        (("contacts",), "SIS admin", ("sis@x.example",)),
        (("contacts",), "Canvas admin", ("boss@x.example",)),
        (("contacts",), "teacher", None),
        (("admin",), "SIS admin", ("boss@x.example",)),
        (("ops@y.example", "contacts"), "SIS admin", ("ops@y.example", "sis@x.example")),
        (("ops@y.example", "contacts"), "teacher", ("ops@y.example",)),
        ((), "teacher", ()),
    ],
)
def test_mail_goes_to_whoever_must_act(to: tuple[str, ...], who: str, wanted: tuple[str, ...] | None) -> None:
    about = Subject(contacts=CONTACTS)
    assert addresses(rule(to=to), replace(failed(), who=who), about) == wanted


def _rows(one: AlarmRule, standing: list[Cause]) -> list[Alarm]:
    desk = Desk((one,))
    desk.swap([*keep([], standing, (one,), {}, Look(), T0)])
    return list(desk.rows.values())


STEPS = st.lists(
    st.tuples(
        st.integers(1, 600),
        st.sets(st.sampled_from(["a", "b", "c"])),
        st.booleans(),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=MAX_ATTEMPTS - 1,
)
RULES = st.sampled_from([
    rule(remind=0),
    rule(remind=0, quiet=NIGHT, urgent_any_time=False),
    rule(remind=0, quiet=NIGHT),
    rule(remind=0, digest="daily at 07:30", time_zone=ZONE, urgent_any_time=False),
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, one=RULES, urgent=st.booleans())
def test_whatever_happens_each_standing_cause_is_told_once_and_its_end_if_it_was_told(
    steps: list[tuple[int, set[str], bool, bool]], one: AlarmRule, urgent: bool
) -> None:
    desk, now = Desk((one,)), T0
    made = key_cause if urgent else failed
    for minutes, standing, dies, channel in steps:
        now += timedelta(minutes=minutes)
        desk.one_pass(now, *(made(key) for key in sorted(standing)), channel=channel, dies=dies)
        passes_quiet = urgent and one.urgent_any_time
        if one.quiet is not None and one.quiet.holds(now) and not passes_quiet:
            assert all(at != now for at, *_ in desk.told)
    # In the end the channel works, for two days: whatever was put off comes.
    for _ in range(48):
        now += timedelta(hours=1)
        desk.one_pass(now, *(made(key) for key in sorted(standing)))
    for account in "abc":
        said = [letter.news for _, _, letter, _ in desk.told if letter.cause.account == account]
        open_ = False
        for news in said:
            assert (news is News.RAISED and not open_) or (news is News.ENDED and open_) or (
                news is News.PASSED and not open_
            )  # fmt: skip
            open_ = news is News.RAISED
        assert open_ == (account in standing)
        met = any(account in one[1] for one in steps)
        assert bool(said) == met
    assert all(row.news_at is None for row in desk.rows.values())
