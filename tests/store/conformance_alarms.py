"""What a store promises about alarms: who has seen a row's last turn changes it, and nobody else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from gradesync.domain.action import ActionKind
from gradesync.domain.alarm import Alarm, AlarmChange, AlarmKey, AlarmKind, Cause
from gradesync.domain.alarm_passes import PASSES_KEPT
from gradesync.domain.history import Fact
from gradesync.ports import Store
from tests.store.samples import ALEX, T0, action, apply, minutes, school


def row(account: str = "riverside", rule: str = "ops", subject: str = "GS-201") -> Alarm:
    cause = Cause(
        AlarmKind.KEY, account, subject, T0, "Canvas admin", subject, count=2, host="canvas.example"
    )
    key = AlarmKey(rule, cause.kind.value, account, subject)
    return Alarm(key, cause.text(), raised_at=T0, news_at=T0)


class Alarms:
    def test_an_alarm_comes_back_as_it_was_kept(self, store: Store) -> None:
        kept = row()
        assert store.swap_alarms([AlarmChange(None, kept)]) == {kept.key}
        assert list(store.alarms()) == [kept]
        later = kept.next(
            told_at=minutes(1),
            news_at=None,
            ended_at=minutes(2),
            claimed_until=minutes(3),
            tried_at=minutes(4),
            attempts=5,
        )
        assert store.swap_alarms([AlarmChange(kept, later)]) == {kept.key}
        assert list(store.alarms()) == [later]
        assert store.swap_alarms([AlarmChange(later, None)]) == {kept.key}
        assert list(store.alarms()) == []

    def test_only_who_saw_the_last_turn_changes_a_row(self, store: Store) -> None:
        kept = row()
        store.swap_alarms([AlarmChange(None, kept)])
        now = kept.next(told_at=minutes(1))
        store.swap_alarms([AlarmChange(kept, now)])
        assert store.swap_alarms([AlarmChange(kept, kept.next(told_at=minutes(9)))]) == frozenset()
        assert store.swap_alarms([AlarmChange(kept, None)]) == frozenset()
        assert store.swap_alarms([AlarmChange(None, kept)]) == frozenset()
        assert list(store.alarms()) == [now]
        unknown = row(subject="GS-202")
        assert store.swap_alarms([AlarmChange(unknown, unknown.next())]) == frozenset()

    def test_of_many_changes_those_that_fit_are_made(self, store: Store) -> None:
        rows = [row(rule=rule, subject=code) for rule in ("b", "a") for code in ("GS-202", "GS-201")]
        store.swap_alarms([AlarmChange(None, one) for one in rows[:2]])
        made = store.swap_alarms([AlarmChange(None, one) for one in rows])
        assert made == {one.key for one in rows[2:]}
        assert [one.key for one in store.alarms()] == sorted(one.key for one in rows)
        assert store.swap_alarms([]) == frozenset()

    def test_of_passes_that_decide_the_same_one_claims(self, store: Store) -> None:
        rows = [row(subject=f"GS-20{number}") for number in range(5)]
        store.swap_alarms([AlarmChange(None, one) for one in rows])
        barrier = threading.Barrier(4)

        def one_pass(order: int) -> int:
            changes = [AlarmChange(one, one.next(claimed_until=minutes(order))) for one in rows]
            barrier.wait()
            return len(store.swap_alarms(changes))

        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(one_pass, range(4)))
        assert sum(won) == len(rows)
        assert [one.turn for one in store.alarms()] == [1] * len(rows)

    def test_a_renamed_account_takes_what_was_told_along(self, store: Store) -> None:
        school(store, "riverside")
        left_behind = row("lakeside")
        store.swap_alarms(
            [AlarmChange(None, row()), AlarmChange(None, left_behind), AlarmChange(None, row(""))]
        )
        rename = action(ActionKind.MOVE, "lakeside", None, {"account": "lakeside"}, moved_from="riverside")
        assert apply(store, "lakeside", rename, expected=1)
        assert {one.key.account for one in store.alarms()} == {"lakeside", ""}
        assert all(one.cause.account == one.key.account for one in store.alarms())

    def test_an_account_that_is_erased_leaves_no_alarm(self, store: Store) -> None:
        school(store, "riverside")
        store.swap_alarms([AlarmChange(None, row()), AlarmChange(None, row("hillside"))])
        assert apply(store, "riverside", action(ActionKind.RETIRE, "riverside"), expected=1)
        erased = store.forget_account("riverside", Fact("account purged", ALEX, "riverside"))
        assert erased is not None
        assert erased["alarm"] == 1
        assert [one.key.account for one in store.alarms()] == ["hillside"]

    def test_frozen_accounts_are_remembered_with_their_facts(self, store: Store) -> None:
        assert store.frozen() == {}
        store.note_frozen({"riverside": minutes(3)}, [Fact("account frozen", ALEX, "riverside")])
        assert store.frozen() == {"riverside": minutes(3)}
        store.note_frozen({}, [])
        assert store.frozen() == {}
        assert [one.fact.what for one in store.history("riverside")] == ["account frozen"]

    def test_the_last_passes_are_remembered_in_order(self, store: Store) -> None:
        assert list(store.passes()) == []
        for number in [3, 1, 2, *range(10, 10 + PASSES_KEPT)]:
            store.note_pass(minutes(number))
        found = list(store.passes())
        assert found == sorted(found)
        assert (len(found), found[-1]) == (PASSES_KEPT, minutes(9 + PASSES_KEPT))
