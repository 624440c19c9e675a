"""What the page is made of: as the list and the calendar tell it, and read for all accounts at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from gradesync.domain.action import ActionKind
from gradesync.domain.hold import HoldScope
from gradesync.domain.page_standing import Word
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.domain.unrecorded import Unrecorded
from gradesync.engine.overview import overview
from gradesync.engine.queries import ListFilter, schedule_row, schedule_rows
from gradesync.engine.upcoming import UpcomingFilter, upcoming
from gradesync.errors import NotFound
from gradesync.store.memory import MemoryStore
from tests.store.samples import T0, FakeClock, action, apply, claim, definition, hold, queue, request


def a_store(*accounts: str, **more: object) -> MemoryStore:
    """Accounts with two schedules each; `more` are keys of the account's definition."""
    store = MemoryStore(clock=FakeClock())
    for key in accounts:
        account = {
            "account": key,
            "name": f"{key} schools",
            "time_zone": "America/New_York",
            "group": "north",
            **more,
        }
        roster = definition(SyncType.ROSTER_IMPORT, interval="daily at 02:00", first_run="2026-09-01 02:00")
        grades = definition(first_run="2026-09-01 07:00")
        assert apply(
            store,
            key,
            action(ActionKind.CHANGE_ACCOUNT, key, values=account),
            action(ActionKind.CREATE, key, "roster", roster, next_run=T0 + timedelta(hours=5)),
            action(ActionKind.CREATE, key, "grades", grades, next_run=T0 + timedelta(minutes=5)),
        )
    return store


class Counting:
    """A store that counts how often it is asked."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        def told(*arguments: Any, **named: Any) -> Any:
            self.asked[name] += 1
            return found(*arguments, **named)

        return told


def test_many_accounts_are_read_with_as_many_questions_as_one() -> None:
    asked = []
    for number in (1, 40):
        counting = Counting(a_store(*(f"account-{n:02}" for n in range(number))))
        assert len(overview(counting).accounts) == number
        asked.append(counting.asked)
    assert asked[0] == asked[1]
    assert sum(asked[0].values()) < 20


def test_the_calendar_says_what_upcoming_says() -> None:
    store = a_store("oak-hill", "riverside", "elm")
    store.add_hold(hold(HoldScope("riverside", "grades"), expires=T0 + timedelta(hours=30)), [])
    told = {week.account: week for week in upcoming(store, UpcomingFilter(), 7)}
    for account in overview(store).accounts:
        assert account.week is not None
        assert account.week.stretches == told[account.key].stretches


def test_a_hold_over_everything_stands_in_every_account_and_one_of_another_in_none() -> None:
    store = a_store("oak-hill", "riverside")
    store.add_hold(hold(HoldScope(group="north", type=SyncType.GRADE_PASSBACK)), [])
    store.add_hold(hold(HoldScope("oak-hill", "roster")), [])
    store.add_hold(hold(HoldScope(group="south")), [])
    found = {one.key: one for one in overview(store).accounts}
    assert len(found["oak-hill"].holds) == 2
    assert len(found["riverside"].holds) == 1
    assert found["riverside"].standing.word is Word.HELD
    assert found["riverside"].standing.since == T0


def test_worst_accounts_come_first() -> None:
    store = a_store("alder", "birch")
    store.add_hold(hold(HoldScope("birch")), [])
    assert [one.key for one in overview(store).accounts] == ["birch", "alder"]


def test_runs_and_wishes_stand_in_their_own_account() -> None:
    store = a_store("oak-hill", "riverside")
    for number in range(4):
        queue(store, ScheduleId("riverside", "grades"), at=T0 + timedelta(minutes=number))
    store.add_request(request(ScheduleId("oak-hill", "grades")), [])
    found = {one.key: one for one in overview(store, runs_each=3).accounts}
    assert (len(found["riverside"].runs), found["riverside"].runs_kept) == (3, 4)
    assert (len(found["oak-hill"].runs), found["oak-hill"].runs_kept) == (0, 0)
    assert [str(one.schedule) for one in found["oak-hill"].requests] == ["oak-hill/grades"]


def test_a_newer_attempt_that_was_skipped_is_told_beside_the_last_run() -> None:
    store = a_store("riverside")
    ran = queue(store, ScheduleId("riverside", "grades"), at=T0)
    store.finish(claim(store, ran), RunResult(Outcome.COMPLETED, Stage.RECORD), [])
    [account] = overview(store).accounts
    assert [one.skipped_at for one in account.schedules] == [None, None]
    for schedule in ("grades", "roster"):
        later = queue(store, ScheduleId("riverside", schedule), at=T0 + timedelta(minutes=15))
        store.skip_runs([later.id], [])
    queue(store, ScheduleId("riverside", "grades"), at=T0 + timedelta(minutes=30))
    [account] = overview(store).accounts
    found = {one.row.schedule.id.name: one for one in account.schedules}
    assert found["grades"].row.last is not None
    assert found["grades"].row.last.id == ran.id
    assert found["grades"].skipped_at is not None
    # Of the other it is the last run itself, which says that it was skipped.
    assert found["roster"].row.last is not None
    assert found["roster"].skipped_at is None
    # The list asks for it by itself, and gives the same answer; whoever does not ask pays nothing.
    listed = schedule_rows(store, ListFilter(), attempts=True)
    assert {row.schedule.id.name: row.skipped_at for row in listed} == {
        name: one.skipped_at for name, one in found.items()
    }
    assert schedule_row(store, ScheduleId("riverside", "grades")).skipped_at == found["grades"].skipped_at
    assert {row.skipped_at for row in schedule_rows(store, ListFilter())} == {None}


def test_blackouts_that_are_over_are_left_out() -> None:
    windows = [
        {"name": name, "from": start, "until": until, "time_zone": "America/New_York"}
        for name, start, until in (
            ("past", "2020-01-01 00:00", "2020-01-02 00:00"),
            ("far", "2099-01-01 00:00", "2099-01-02 00:00"),
        )
    ]
    [account] = overview(a_store("riverside", blackouts=windows)).accounts
    assert [one.name for one in account.blackouts] == ["far"]


def test_one_account_alone_is_found_or_named_as_unknown() -> None:
    store = a_store("oak-hill", "riverside")
    assert [one.key for one in overview(store, "riverside").accounts] == ["riverside"]
    with pytest.raises(NotFound, match="no account elm"):
        overview(store, "elm")


def test_without_days_there_is_no_calendar() -> None:
    [account] = overview(a_store("riverside"), days=0).accounts
    assert account.week is None


def test_an_interval_that_cannot_be_read_costs_the_calendar_and_nothing_else() -> None:
    store = a_store("riverside")
    broken = definition(interval="whenever")
    recorded = store.recorded(["riverside"]).accounts["riverside"]
    assert apply(
        store,
        "riverside",
        action(ActionKind.CREATE, "riverside", "odd", broken),
        expected=recorded.revision,
    )
    [account] = overview(store).accounts
    assert account.week is None
    assert len(account.schedules) == 3


def test_files_of_which_nothing_was_recorded_are_named_where_all_accounts_are_asked_for() -> None:
    store = a_store("oak-hill", "riverside")
    store.note_frozen({"oak-hill": T0, "schedules/north/elm-park.yaml": T0}, [])
    assert overview(store).unrecorded == (Unrecorded("schedules/north/elm-park.yaml", since=T0),)
    assert overview(store, "riverside").unrecorded == ()
