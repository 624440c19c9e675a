"""What one look at the store finds: streaks, what is owed, and whether passes come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from gradesync.domain.action import ActionKind
from gradesync.domain.alarm import AlarmKind, Look, Message
from gradesync.domain.alarm_rule import AlarmRule, AlarmSettings
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.engine.alarm_facts import PassNews, gather
from gradesync.engine.alarms import after_pass, standing
from gradesync.store.memory import MemoryStore
from tests.store.samples import DONE, GRADES, T0, FakeClock, action, apply, claim, minutes, queue

DOWN = RunResult(Outcome.FAILED, Stage.FETCH, {}, {"GS-508": 1})
ACCOUNT: dict[str, object] = {
    "account": "riverside",
    "group": "north",
    "time_zone": "America/New_York",
    "canvas": {"url": "https://canvas.example:8443/x", "expires": "2027-03-20"},
    "sis": {"url": "https://sis.example"},
    "contacts": {"support": "help@x.example"},
}


class Post:
    """Takes everything."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, rule: AlarmRule, message: Message) -> None:
        self.messages.append(message)

    def ping(self, *, good: bool) -> None:
        """Nobody waits."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    made = MemoryStore(clock)
    assert apply(
        made,
        "riverside",
        action(ActionKind.CHANGE_ACCOUNT, "riverside", values=ACCOUNT),
        action(ActionKind.CREATE, "riverside", "grades", next_run=minutes(15)),
    )
    return made


def run(store: MemoryStore, clock: FakeClock, result: RunResult) -> None:
    clock.forward(60)
    store.finish(claim(store, queue(store, at=clock.at)), result, [])


def test_failures_in_a_row_are_counted_back_to_the_last_run_that_worked(
    store: MemoryStore, clock: FakeClock
) -> None:
    stopped = RunResult(Outcome.STOPPED, Stage.FETCH)
    for result in (DOWN, DONE, DOWN, stopped, DOWN):
        run(store, clock, result)
    facts, _ = gather(store, None, 7, None)
    [one] = facts.schedules
    assert (one.failures, one.failing_since) == (2, minutes(3))


def test_an_account_is_known_by_group_hosts_contacts_and_the_days_its_keys_end(store: MemoryStore) -> None:
    facts, subjects = gather(store, None, 7, None)
    one = facts.accounts["riverside"]
    assert (one.canvas_host, one.sis_host) == ("canvas.example", "sis.example")
    assert {side: day.isoformat() for side, day in one.ends.items()} == {"canvas": "2027-03-20"}
    assert (subjects["riverside"].group, subjects["riverside"].contacts) == (
        "north",
        {"support": "help@x.example"},
    )


def test_a_slot_is_overdue_after_an_hour_unless_a_run_is_at_work_there(
    store: MemoryStore, clock: FakeClock
) -> None:
    clock.forward(75 * 60)
    assert gather(store, None, 7, None)[0].schedules == ()
    clock.forward(60)
    [one] = gather(store, None, 7, None)[0].schedules
    assert one.overdue_since == minutes(15)
    claim(store, queue(store))
    assert gather(store, None, 7, None)[0].schedules == ()


def regular(store: MemoryStore, clock: FakeClock) -> None:
    for _ in range(10):
        clock.forward(300)
        store.note_pass(clock.at)


def test_a_long_pass_is_no_time_without_one(store: MemoryStore, clock: FakeClock) -> None:
    regular(store, clock)
    clock.forward(300)
    began = clock.at
    clock.forward(7200)
    assert gather(store, PassNews(whole=True, began=began), 7, None)[0].gap is None
    assert gather(store, None, 7, None)[0].gap is not None


def test_while_a_run_is_at_work_passes_are_not_missed(store: MemoryStore, clock: FakeClock) -> None:
    regular(store, clock)
    clock.forward(7200)
    claim(store, queue(store))
    assert gather(store, None, 7, None)[0].gap is None


def test_a_pass_that_begins_late_says_between_when_none_came(store: MemoryStore, clock: FakeClock) -> None:
    regular(store, clock)
    last = clock.at
    clock.forward(4 * 3600)
    news = PassNews(whole=True, began=clock.at)
    clock.forward(60)
    gap = gather(store, news, 7, None)[0].gap
    assert gap is not None
    assert (gap.since, gap.until) == (last, last + timedelta(hours=4))


def test_a_pass_is_remembered_though_nobody_is_told(store: MemoryStore, clock: FakeClock) -> None:
    post = Post()
    after_pass(store, post, AlarmSettings(), PassNews(whole=True, began=clock.at))
    after_pass(store, post, AlarmSettings(), PassNews(whole=False, began=clock.at))
    assert list(store.passes()) == [T0]
    assert post.messages == []


def test_settings_without_rules_forget_nothing(store: MemoryStore, clock: FakeClock) -> None:
    post, settings = Post(), AlarmSettings((AlarmRule("ops", "webhook", "env:X"),))
    run(store, clock, DOWN)
    after_pass(store, post, settings, None)
    after_pass(store, post, AlarmSettings(), None)
    after_pass(store, post, settings, None)
    # The failure and the key that ends in three weeks, once.
    assert [{letter.cause.kind for letter in one.letters} for one in post.messages] == [
        {AlarmKind.FAILED, AlarmKind.EXPIRES}
    ]


class Slow(Post):
    """Takes its time over each message, while `meanwhile` goes on beside it."""

    def __init__(self, clock: FakeClock, seconds: float, meanwhile: Callable[[str], object]) -> None:
        super().__init__()
        self._clock, self._seconds, self._meanwhile = clock, seconds, meanwhile

    def send(self, rule: AlarmRule, message: Message) -> None:
        super().send(rule, message)
        self._clock.forward(self._seconds)
        self._meanwhile(rule.name)


def test_a_pass_beside_a_slow_one_sends_nothing_twice(store: MemoryStore, clock: FakeClock) -> None:
    run(store, clock, DOWN)
    settings = AlarmSettings((AlarmRule("a", "webhook", "env:X"), AlarmRule("b", "webhook", "env:Y")))
    other = Post()

    def meanwhile(name: str) -> None:
        if name == "b":
            after_pass(store, other, settings, None)

    # The first rule's message takes longer than a claim lasts.
    slow = Slow(clock, 290, meanwhile)
    assert after_pass(store, slow, settings, None).messages == 2
    assert other.messages == []


def test_a_channel_that_hangs_holds_up_no_other_and_loses_nothing(
    store: MemoryStore, clock: FakeClock
) -> None:
    keys = [f"a{number}" for number in range(9)]
    for key in keys:
        contacts = {"canvas_admin": f"{key}@x.example"}
        values = {**ACCOUNT, "account": key, "sis": {"url": f"https://{key}.example"}, "contacts": contacts}
        assert apply(store, key, action(ActionKind.CHANGE_ACCOUNT, key, values=values))
    to = ("canvas_admin",)
    settings = AlarmSettings(
        (AlarmRule("schools", "email", "env:X", to=to), AlarmRule("ops", "webhook", "env:Y"))
    )
    slow = Slow(clock, 60, lambda name: None)
    told = [after_pass(store, slow, settings, None).messages for _ in range(4)]
    assert told == [4, 3, 3, 0]
    assert sorted(one.to for one in slow.messages if one.to) == [(f"{key}@x.example",) for key in keys]
    assert len([one for one in slow.messages if not one.to]) == 1


def test_who_must_act_without_an_address_is_told_to_the_terminal_and_stays_open(
    store: MemoryStore, clock: FakeClock
) -> None:
    post = Post()
    settings = AlarmSettings((AlarmRule("schools", "email", "env:X", to=("sis_admin",)),))
    run(store, clock, DOWN)
    told = after_pass(store, post, settings, PassNews(look=Look(frozenset({AlarmKind.FAILED}))))
    assert (told.letters, told.nobody) == (0, 1)
    [(row, state)] = standing(store, settings).rows
    assert (row.key.subject, state) == (GRADES.name, "nobody to tell")
