"""The store's contract as behaviours; `test_conformance.py` runs them on every store that ships."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta
from typing import ClassVar

import pytest

from gradesync.domain.action import ActionKind
from gradesync.domain.class_terms import ClassTerm, PastTerm
from gradesync.domain.history import GENESIS_HASH
from gradesync.domain.hold import HoldKind, HoldScope
from gradesync.domain.record import RecordEvent
from gradesync.domain.roster_change import Example, RosterChange, SchoolChange
from gradesync.domain.run import (
    Busy,
    Claimed,
    Gone,
    Headway,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
)
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.errors import AccountBusy, LeaseLost
from gradesync.ports import RunQuery, SlotClaim, Store, WaitingRecord
from gradesync.store.verify import verify_history
from tests.store.conformance_accounts import Accounts, Commits
from tests.store.conformance_alarms import Alarms
from tests.store.samples import (
    ALEX,
    DONE,
    ELSEWHERE,
    GRADES,
    T0,
    FakeClock,
    action,
    apply,
    approval,
    claim,
    definition,
    entry,
    fact,
    hold,
    minutes,
    new_run,
    queue,
    request,
    school,
)


def one_run(store: Store, run_id: str) -> Run:
    [run] = store.runs(RunQuery(run_id=run_id))
    return run


class Definitions:
    def test_a_new_account_is_recorded_with_its_schedules_and_next_runs(self, store: Store) -> None:
        school(store, "riverside", "grades", "roster", next_run=minutes(15))
        assert store.advance_commit("abc", None)
        recorded = store.recorded()
        account = recorded.accounts["riverside"]
        assert (recorded.commit, account.revision, list(account.schedules)) == (
            "abc",
            1,
            ["grades", "roster"],
        )
        grades = account.schedules["grades"]
        assert grades.next_run_at == minutes(15)
        assert grades.next_run_at.tzinfo is UTC
        assert (grades.text, grades.retired, grades.held) == (
            action(ActionKind.CREATE, "riverside", "grades").text,
            False,
            False,
        )

    def test_reading_while_accounts_appear_never_shows_half_of_one(self, store: Store) -> None:
        def write(part: int) -> None:
            for number in range(15):
                school(store, f"a{part}{number}")

        with ThreadPoolExecutor(2) as pool:
            writers = [pool.submit(write, part) for part in range(2)]
            while not all(writer.done() for writer in writers):
                assert all(list(a.schedules) == ["grades"] for a in store.recorded().accounts.values())
            for writer in writers:
                writer.result()
        assert len(store.recorded().accounts) == 30

    def test_only_the_named_accounts_are_read(self, store: Store) -> None:
        school(store, "riverside")
        school(store, "hillside")
        assert list(store.recorded(["hillside", "unknown"]).accounts) == ["hillside"]

    def test_a_plan_made_against_an_older_revision_changes_nothing(self, store: Store) -> None:
        school(store)
        change = action(ActionKind.CHANGE, "riverside", "grades", definition(posted_by="other"))
        assert apply(store, "riverside", change, expected=1, facts=(fact("changed"),))
        before = store.recorded()
        assert not apply(store, "riverside", change, expected=1, facts=(fact("again"),))
        assert not apply(store, "riverside", change, expected=None)
        assert not apply(store, "unknown", change, expected=1)
        assert store.recorded() == before
        assert [e.fact.what for e in store.history()] == ["changed"]

    def test_an_action_that_fails_leaves_nothing_behind(self, store: Store) -> None:
        broken = replace(action(ActionKind.CREATE, "riverside", "grades"), text=None)
        with pytest.raises(ValueError, match="no definition"):
            apply(store, "riverside", action(ActionKind.CHANGE_ACCOUNT, "riverside"), broken)
        assert store.recorded().accounts == {}

    def test_a_retired_schedule_never_comes_due_and_revives_as_itself(self, store: Store) -> None:
        school(store)
        run = queue(store)
        store.finish(claim(store, run), DONE, [])
        assert apply(store, "riverside", action(ActionKind.RETIRE, "riverside", "grades"), expected=1)
        grades = store.recorded().accounts["riverside"].schedules["grades"]
        assert (grades.retired, grades.next_run_at) == (True, None)
        assert store.due_rows(minutes(1000)) == []
        again = action(ActionKind.CREATE, "riverside", "grades", next_run=minutes(5))
        assert apply(store, "riverside", again, expected=2)
        assert not store.recorded().accounts["riverside"].schedules["grades"].retired
        assert store.last_runs()[GRADES].id == run.id

    def test_retiring_an_account_retires_its_schedules(self, store: Store) -> None:
        school(store)
        school(store, "hillside")
        assert apply(store, "riverside", action(ActionKind.RETIRE, "riverside"), expected=1)
        accounts = store.recorded().accounts
        assert accounts["riverside"].retired
        assert accounts["riverside"].schedules["grades"].retired
        assert not accounts["hillside"].schedules["grades"].retired

    def test_a_moved_schedule_takes_everything_with_it(self, store: Store) -> None:
        school(store, "riverside", "hourly")
        old, new = ScheduleId("riverside", "hourly"), GRADES
        store.append([fact("said before", schedule="hourly")])
        ended, waiting = queue(store, old, Mode.FULL), queue(store, old)
        store.finish(claim(store, ended), DONE, [])
        store.add_request(request(old), [])
        store.add_hold(hold(HoldScope("riverside", "hourly")), [])
        move = action(
            ActionKind.RESUME, "riverside", "grades", next_run=minutes(3), moved_from="hourly"
        )  # fmt: skip
        assert apply(store, "riverside", move, expected=1)
        schedules = store.recorded().accounts["riverside"].schedules
        assert list(schedules) == ["grades"]
        assert (schedules["grades"].held, schedules["grades"].next_run_at) == (True, minutes(3))
        assert [r.schedule for r in store.requests(T0)] == [new]
        assert [r.schedule for r in store.queued_runs()] == [new]
        assert store.queued_runs()[0].id == waiting.id
        assert store.last_runs()[new].id == ended.id
        assert set(store.first_runs()) == set(store.last_full_runs()) == {new}
        assert [e.fact.what for e in store.history("riverside", "grades")] == ["said before"]

    def test_two_schedules_may_swap_their_names(self, store: Store) -> None:
        school(store, "riverside", "a")
        assert apply(store, "riverside", action(ActionKind.CREATE, "riverside", "b"), expected=1)
        of_a, of_b = queue(store, ScheduleId("riverside", "a")), queue(store, ScheduleId("riverside", "b"))
        swap = [
            action(ActionKind.MOVE, "riverside", "b", definition(was="a"), moved_from="a"),
            action(ActionKind.MOVE, "riverside", "a", definition(was="b"), moved_from="b"),
        ]
        assert apply(store, "riverside", *swap, expected=2)
        assert one_run(store, of_a.id).schedule.name == "b"
        assert one_run(store, of_b.id).schedule.name == "a"

    @pytest.mark.parametrize(
        ("scope", "held"),
        [
            (HoldScope(), True),
            (HoldScope(account="riverside"), True),
            (HoldScope(account="riverside", schedule="grades"), True),
            (HoldScope(group="north"), True),
            (HoldScope(type=SyncType.GRADE_PASSBACK), True),
            (HoldScope(account="hillside"), False),
            (HoldScope(account="riverside", schedule="roster"), False),
            (HoldScope(group="south"), False),
            (HoldScope(type=SyncType.ROSTER_IMPORT), False),
        ],
    )
    def test_a_schedule_is_held_by_a_hold_that_covers_it(
        self, store: Store, scope: HoldScope, held: bool
    ) -> None:
        school(store)
        store.add_hold(hold(scope), [])
        assert store.recorded().accounts["riverside"].schedules["grades"].held is held


class Slots:
    def due(self, store: Store, **more: object) -> SlotClaim:
        [row] = store.due_rows(minutes(1))
        run = new_run(row.schedule, slot=row.next_run_at.isoformat())
        return SlotClaim(row.schedule, row.next_run_at, minutes(15), run, (fact("slots missed", count=2),))

    def test_due_rows_come_longest_due_first_and_within_the_limit(self, store: Store) -> None:
        school(store, "late", next_run=minutes(-30))
        school(store, "now", next_run=T0)
        school(store, "later", next_run=minutes(1))
        assert [row.schedule.account for row in store.due_rows(T0)] == ["late", "now"]
        assert [row.schedule.account for row in store.due_rows(T0, limit=1)] == ["late"]

    def test_a_slot_is_claimed_once(self, store: Store) -> None:
        school(store)
        claim_ = self.due(store)
        assert claim_.run is not None
        assert store.claim_slots([claim_]) == [claim_.run]
        again = replace(claim_, run=new_run(slot=claim_.run.slot_key))
        assert store.claim_slots([again, claim_]) == []
        assert store.due_rows(minutes(1)) == []
        assert [run.id for run in store.queued_runs()] == [claim_.run.id]
        assert [e.fact.what for e in store.history()] == ["slots missed"]

    def test_a_slot_that_ran_before_is_not_run_again(self, store: Store) -> None:
        school(store)
        claim_ = self.due(store)
        assert claim_.run is not None
        store.claim_slots([claim_])
        again = action(ActionKind.CHANGE, "riverside", "grades", next_run=T0)
        assert apply(store, "riverside", again, expected=1)
        repeated = replace(claim_, run=new_run(slot=claim_.run.slot_key))
        assert store.claim_slots([repeated]) == []
        assert store.due_rows(minutes(1)) == []

    def test_a_blocked_slot_is_consumed_without_a_run(self, store: Store) -> None:
        school(store)
        blocked = replace(self.due(store), run=None, facts=(fact("slot blocked"),), next_run_at=None)
        assert store.claim_slots([blocked]) == []
        assert store.due_rows(minutes(1000)) == []
        assert [e.fact.what for e in store.history()] == ["slot blocked"]

    def test_passes_at_the_same_time_share_the_slots(self, store: Store) -> None:
        for number in range(30):
            school(store, f"a{number:02}")
        rows = store.due_rows(T0)
        barrier = threading.Barrier(4)

        def one_pass(order: int) -> list[str]:
            claims = [
                SlotClaim(r.schedule, T0, minutes(15), new_run(r.schedule, slot="s"), (fact("x", r.schedule.account),))
                for r in rows[::order]
            ]  # fmt: skip
            barrier.wait()
            return [str(run.schedule) for run in store.claim_slots(claims)]

        with ThreadPoolExecutor(4) as pool:
            claimed = [name for names in pool.map(one_pass, (1, -1, 1, -1)) for name in names]
        assert sorted(claimed) == sorted(str(row.schedule) for row in rows)
        assert len(store.queued_runs()) == len(store.history()) == 30
        assert verify_history(store) == []

    def test_a_run_by_hand_is_queued_once(self, store: Store) -> None:
        run = new_run()
        assert store.add_run(run, [fact("asked")])
        assert not store.add_run(replace(run, id="f" * 32), [fact("asked")])
        assert store.queued_runs() == [run]
        assert store.queued_runs(["hillside"]) == []
        assert len(store.history()) == 1

    def test_a_superseded_run_ends_as_skipped_unless_it_started(self, store: Store) -> None:
        school(store)
        first, second = queue(store), queue(store)
        claim(store, second)
        facts = [fact("skipped", run_id=first.id), fact("skipped", run_id=second.id)]
        store.skip_runs([first.id, second.id], facts)
        skipped = one_run(store, first.id)
        assert skipped.state is RunState.ENDED
        assert skipped.result is not None
        assert skipped.result.outcome is Outcome.SKIPPED
        assert one_run(store, second.id).state is RunState.RUNNING
        assert [e.fact.run_id for e in store.history()] == [first.id]

    def test_a_skipped_run_does_not_hide_how_the_last_one_that_worked_ended(self, store: Store) -> None:
        school(store)
        first, worked, late = queue(store), queue(store), queue(store)
        store.skip_runs([first.id], [])
        assert store.last_runs()[GRADES].id == first.id
        store.finish(claim(store, worked), DONE, [])
        store.skip_runs([late.id], [])
        assert store.last_runs()[GRADES].id == worked.id


class Leases:
    def test_claim_renew_finish(self, store: Store, clock: FakeClock) -> None:
        school(store)
        run = queue(store, mode=Mode.FULL)
        claimed = claim(store, run)
        assert (claimed.epoch, claimed.run.attempt, claimed.run.state) == (1, 1, RunState.RUNNING)
        assert claimed.run.started_at == T0
        [lease] = store.leases()
        assert (lease.run_id, lease.holder, lease.until) == (run.id, "ci-7", minutes(1))
        clock.forward(30)
        assert store.renew("riverside", 1, 60)
        assert store.leases()[0].until == minutes(1.5)
        store.finish(claimed, DONE, [fact("run completed", run_id=run.id)])
        ended = one_run(store, run.id)
        assert (ended.state, ended.ended_at, ended.result) == (RunState.ENDED, minutes(0.5), DONE)
        assert store.leases() == []
        assert store.last_runs() == {GRADES: ended}
        assert store.last_runs(["hillside"]) == {}
        assert store.first_runs() == store.last_full_runs() == {GRADES: T0}
        assert not store.renew("riverside", 1, 60)

    def test_a_shorter_renewal_does_not_shorten_the_lease(self, store: Store) -> None:
        claim(store, queue(store))
        assert store.renew("riverside", 1, 600)
        assert store.renew("riverside", 1, 60)
        assert store.leases()[0].until == minutes(10)

    def test_how_far_a_run_has_come_is_kept_with_its_renewal(self, store: Store, clock: FakeClock) -> None:
        school(store)
        claimed = claim(store, queue(store))
        [lease] = store.leases()
        told = (lease.heard_at, lease.headway, lease.schedule, lease.host)
        assert told == (T0, None, "grades", "another-host")
        clock.forward(15)
        assert store.renew("riverside", claimed.epoch, 60, Headway("classes", 12, 40))
        [lease] = store.leases()
        assert (lease.heard_at, lease.headway) == (minutes(0.25), Headway("classes", 12, 40))
        clock.forward(15)
        assert store.renew("riverside", claimed.epoch, 60)
        assert store.leases()[0].headway == Headway("classes", 12, 40)
        store.finish(claimed, DONE, [])
        claim(store, queue(store))
        assert store.leases()[0].headway is None, "the next run begins anew"

    def test_one_account_runs_one_thing_at_a_time(self, store: Store) -> None:
        first, second = queue(store), queue(store, ScheduleId("riverside", "roster"))
        other = queue(store, ScheduleId("hillside", "grades"))
        claimed = claim(store, first)
        answer = store.claim(second.id, ELSEWHERE, 60)
        assert isinstance(answer, Busy)
        assert answer.lease.run_id == first.id
        assert isinstance(store.claim(first.id, ELSEWHERE, 60), Busy)
        claim(store, other)
        store.finish(claimed, DONE, [])
        assert claim(store, second).epoch == 2

    def test_what_has_ended_or_is_unknown_is_gone(self, store: Store) -> None:
        run = queue(store)
        store.finish(claim(store, run), DONE, [])
        assert store.claim(run.id, ELSEWHERE, 60) == Gone(run.id)
        assert store.claim("0" * 32, ELSEWHERE, 60) == Gone("0" * 32)
        assert store.leases() == []

    def test_many_claim_and_one_wins(self, store: Store) -> None:
        runs = [queue(store) for _ in range(3)]
        barrier = threading.Barrier(6)

        def try_claim(number: int) -> object:
            barrier.wait()
            return store.claim(runs[number % 3].id, ELSEWHERE, 60)

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(try_claim, range(6)))
        assert sum(isinstance(answer, Claimed) for answer in answers) == 1
        assert sum(isinstance(answer, Busy) for answer in answers) == 5

    def test_a_lease_is_respected_until_its_grace_is_over(self, store: Store, clock: FakeClock) -> None:
        run = queue(store)
        claim(store, run)
        clock.forward(75)
        assert store.queued_runs() == []
        assert isinstance(store.claim(run.id, ELSEWHERE, 60), Busy)
        clock.forward(0.000_001)
        assert [r.id for r in store.queued_runs()] == [run.id]
        again = claim(store, run)
        assert (again.epoch, again.run.attempt) == (2, 2)

    def test_an_expired_lease_gives_way_to_another_run(self, store: Store, clock: FakeClock) -> None:
        lost, next_ = queue(store), queue(store)
        claim(store, lost)
        clock.forward(80)
        claim(store, next_)
        assert one_run(store, lost.id).state is RunState.QUEUED
        [told] = store.history()
        assert told.fact.what == "run abandoned"
        assert told.fact.run_id == lost.id
        assert told.fact.data["code"] == "GS-702"

    def test_a_frozen_holder_that_wakes_writes_nothing(self, store: Store, clock: FakeClock) -> None:
        school(store)
        run = queue(store)
        zombie = claim(store, run)
        store.records(zombie).intend([entry("s1", intent="zombie")])
        clock.forward(80)
        fresh = claim(store, run)
        records = store.records(zombie)
        late = [fact("run completed")]
        assert not store.renew("riverside", zombie.epoch, 60)
        writes: tuple[Callable[[], None], ...] = (
            lambda: records.intend([entry("s2", intent="late")]),
            lambda: records.checkpoint("c1", ledger=[entry("s2")], waiting=[], complete=True),
            lambda: records.set_watermarks({"w": "late"}),
            lambda: store.finish(zombie, DONE, late),
            lambda: store.hand_back(zombie),
        )
        for write in writes:
            with pytest.raises(LeaseLost):
                write()
        assert one_run(store, run.id) == fresh.run
        assert set(records.ledger("c1")) == {("result", "s1")}
        assert records.watermark("w") is None
        assert [e.fact.what for e in store.history()] == ["run abandoned"]
        store.finish(fresh, DONE, [])
        with pytest.raises(LeaseLost):
            store.finish(zombie, DONE, late)
        with pytest.raises(LeaseLost):
            store.finish(fresh, DONE, late)
        assert one_run(store, run.id).result == DONE

    def test_a_run_that_loses_three_holders_is_given_up(self, store: Store, clock: FakeClock) -> None:
        school(store)
        run, other = queue(store), queue(store, at=minutes(1))
        for _ in range(3):
            claim(store, run)
            clock.forward(100)
        assert store.claim(run.id, ELSEWHERE, 60) == Gone(run.id)
        ended = one_run(store, run.id)
        assert (ended.state, ended.attempt) == (RunState.ENDED, 3)
        assert ended.result is not None
        assert (ended.result.outcome, ended.result.codes) == (Outcome.ABANDONED, {"GS-702": 1})
        assert [e.fact.data["outcome"] for e in store.history()] == ["abandoned", "queued", "queued"]
        assert store.leases() == []
        claim(store, other)

    def test_handing_back_counts_as_nothing_lost(self, store: Store) -> None:
        run = queue(store)
        for attempt in range(1, 6):
            claimed = claim(store, run)
            assert (claimed.run.attempt, claimed.epoch) == (attempt, attempt)
            store.hand_back(claimed)
        waiting = one_run(store, run.id)
        assert (waiting.state, waiting.started_at) == (RunState.QUEUED, None)
        assert store.history() == []

    def test_stopping_ends_a_queued_run_at_once(self, store: Store) -> None:
        run = queue(store)
        assert store.stop_run(run.id, [fact("stopped")])
        ended = one_run(store, run.id)
        assert ended.result is not None
        assert ended.result.outcome is Outcome.STOPPED
        assert not store.stop_run(run.id, [fact("stopped")])
        assert not store.stop_run("0" * 32, [fact("stopped")])
        assert len(store.history()) == 1

    def test_a_running_run_learns_of_a_stop_and_still_records_what_it_sent(self, store: Store) -> None:
        run = queue(store)
        claimed = claim(store, run)
        assert not store.stop_asked(run.id)
        assert store.stop_run(run.id, [fact("stop asked")])
        assert store.stop_asked(run.id)
        assert not store.renew("riverside", claimed.epoch, 60)
        assert isinstance(store.claim(queue(store).id, ELSEWHERE, 60), Busy)
        records = store.records(claimed)
        records.checkpoint("c1", ledger=[entry("s1", sent="x")], waiting=[], complete=False)
        stopped = RunResult(Outcome.STOPPED, Stage.WRITE, {"sent": 1}, {"GS-708": 1})
        store.finish(claimed, stopped, [])
        assert one_run(store, run.id).result == stopped
        assert records.ledger("c1")["result", "s1"].sent == "x"

    @pytest.mark.parametrize("handed_back", [True, False])
    def test_a_run_asked_to_stop_is_never_queued_again(
        self, store: Store, clock: FakeClock, handed_back: bool
    ) -> None:
        run, other = queue(store), queue(store)
        claimed = claim(store, run)
        store.stop_run(run.id, [])
        if handed_back:
            store.hand_back(claimed)
        else:
            clock.forward(100)
        claim(store, other)
        result = one_run(store, run.id).result
        assert result is not None
        assert result.outcome is Outcome.STOPPED

    def test_unlocking_takes_a_lease_away(self, store: Store) -> None:
        run = queue(store)
        zombie = claim(store, run)
        assert store.unlock("riverside", [fact("unlocked")])
        assert not store.unlock("riverside", [fact("unlocked")])
        assert not store.unlock("unknown", [])
        assert [e.fact.what for e in store.history()] == ["unlocked", "run abandoned"]
        with pytest.raises(LeaseLost):
            store.records(zombie).intend([])
        assert claim(store, run).epoch == 2

    def test_a_failed_finish_leaves_lease_and_run_alone(self, store: Store) -> None:
        run = queue(store)
        claimed = claim(store, run)
        with pytest.raises(LeaseLost):
            store.finish(replace(claimed, epoch=claimed.epoch + 1), DONE, [fact("x")])
        assert store.history() == []
        store.finish(claimed, DONE, [])

    def test_full_runs_of_one_class_or_that_failed_do_not_count_as_full(self, store: Store) -> None:
        school(store)
        one_class = replace(new_run(mode=Mode.FULL), class_filter="c1")
        store.add_run(one_class)
        store.finish(claim(store, one_class), DONE, [])
        failed = queue(store, mode=Mode.FULL)
        store.finish(claim(store, failed), RunResult(Outcome.FAILED, Stage.FETCH), [])
        assert store.last_full_runs() == {}
        assert store.last_runs()[GRADES].id == failed.id

    def test_runs_are_read_newest_first(self, store: Store) -> None:
        old, new = queue(store), queue(store, at=minutes(5))
        other = queue(store, ScheduleId("hillside", "grades"), at=minutes(1))
        assert [r.id for r in store.runs(RunQuery())] == [new.id, other.id, old.id]
        assert [r.id for r in store.runs(RunQuery(limit=1))] == [new.id]
        assert [r.id for r in store.runs(RunQuery(account="hillside", schedule="grades"))] == [other.id]
        assert one_run(store, old.id) == old

    def test_a_run_is_found_by_the_beginning_of_its_id(self, store: Store) -> None:
        ids = [
            f"{beginning:0<32}" for beginning in ("296f8dea92e0", "296f8dea92e1f", "296f8deaffff", "296f8deb")
        ]
        for n, id in enumerate(ids):
            store.add_run(replace(new_run(created=minutes(n)), id=id))
        found = {
            len(text): [r.id for r in store.runs(RunQuery(id_begins=text))] for text in ("296f8dea", ids[0])
        }
        assert found == {8: [ids[2], ids[1], ids[0]], 32: [ids[0]]}
        assert [r.id for r in store.runs(RunQuery(id_begins="296f8dea92e", limit=1))] == [ids[1]]

    def test_it_is_known_since_when_runs_meet_a_code(self, store: Store) -> None:
        school(store)
        met = [({"GS-202": 1}, "failed"), ({}, "completed"), ({"GS-202": 1}, "failed")]
        met += [({}, "stopped"), ({"GS-202": 2, "GS-405": 1}, "warning"), ({"GS-405": 3}, "warning")]
        for place, (codes, outcome) in enumerate(met):
            run = queue(store, at=minutes(place))
            store.finish(claim(store, run), RunResult(Outcome(outcome), Stage.FETCH, codes=codes), [])
        queue(store, at=minutes(9))
        asked = {(GRADES, code) for code in ("GS-405", "GS-202", "GS-40", "")}
        assert store.met_since(asked, 50) == {(GRADES, "GS-405"): (minutes(4), False)}
        assert store.met_since(asked, 2) == {(GRADES, "GS-405"): (minutes(4), True)}
        broke = queue(store, at=minutes(10))
        store.finish(claim(store, broke), RunResult(Outcome.FAILED, Stage.FETCH), [])
        assert store.met_since(asked, 50) == {(GRADES, ""): (minutes(10), False)}
        assert store.met_since([], 50) == {}

    def test_a_streak_that_began_with_the_first_run_did_not_begin_earlier(self, store: Store) -> None:
        school(store)
        for place in range(3):
            run = queue(store, at=minutes(place))
            store.finish(claim(store, run), RunResult(Outcome.WARNING, Stage.FETCH, codes={"GS-202": 1}), [])
        asked = [(GRADES, "GS-202")]
        assert store.met_since(asked, 4) == {(GRADES, "GS-202"): (minutes(0), False)}
        assert store.met_since(asked, 3) == {(GRADES, "GS-202"): (minutes(0), True)}, (
            "an older one may be there"
        )


class Ledger:
    def test_an_intent_keeps_what_is_known_and_a_checkpoint_replaces_it(self, store: Store) -> None:
        store.set_key_id("k1")
        records = store.records(claim(store, queue(store)))
        records.intend([entry("s1", intent="i1"), entry("s2", intent="i2")])
        assert records.ledger("c1")["result", "s1"] == entry("s1", intent="i1")
        done = [entry("s1", sent="a", read_back="b"), entry("s2", sent="c", read_back="c")]
        records.checkpoint("c1", ledger=done, waiting=[], complete=True)
        records.intend([entry("s1", intent="i3")])
        assert records.ledger("c1")["result", "s1"] == entry("s1", sent="a", read_back="b", intent="i3")
        assert records.ledger("c1")["result", "s2"] == done[1]
        assert records.ledger("c2") == {}
        assert store.read_records("riverside").ledger("c1") == records.ledger("c1")
        assert store.read_records("hillside").ledger("c1") == {}

    def test_waiting_rows_are_replaced_by_a_complete_look_and_merged_by_a_delta(self, store: Store) -> None:
        records = store.records(claim(store, queue(store)))

        def look(*waiting: tuple[str, str], sent: tuple[str, ...] = (), complete: bool = False) -> object:
            rows = [WaitingRecord(subject, "c1", code, 4711) for subject, code in waiting]
            ledger = [entry(subject, sent="x") for subject in sent]
            records.checkpoint("c1", ledger=ledger, waiting=rows, complete=complete)
            return store.waiting_counts()

        both = {("riverside", "GS-401"): 1, ("riverside", "GS-402"): 1}
        assert look(("s1", "GS-401"), ("s2", "GS-402"), complete=True) == both
        assert look(("s3", "GS-402")) == {**both, ("riverside", "GS-402"): 2}
        assert look(("s1", "GS-402"), sent=("s2",)) == {("riverside", "GS-402"): 2}
        assert look(("s9", "GS-401"), complete=True) == {("riverside", "GS-401"): 1}
        assert store.waiting_counts("hillside") == {}

    def test_a_record_keeps_since_when_it_waits_until_its_code_changes(
        self, store: Store, clock: FakeClock
    ) -> None:
        records = store.records(claim(store, queue(store), ttl=9_000))

        def look(
            at: float, *waiting: tuple[str, str], sent: tuple[str, ...] = (), complete: bool = True
        ) -> object:
            clock.at = minutes(at)
            rows = [WaitingRecord(subject, "c1", code, 4711) for subject, code in waiting]
            ledger = [entry(subject, sent="x") for subject in sent]
            records.checkpoint("c1", ledger=ledger, waiting=rows, complete=complete)
            found = records.waiting("c1")
            assert {subject: row.record for subject, row in found.items() if subject in dict(waiting)} == {
                row.subject: row for row in rows
            }
            return {subject: row.since for subject, row in found.items()}

        assert look(0, ("s1", "GS-401"), ("s2", "GS-402")) == {"s1": T0, "s2": T0}
        assert look(1, ("s1", "GS-401"), ("s2", "GS-403")) == {"s1": T0, "s2": minutes(1)}
        assert look(2, ("s1", "GS-401"), complete=False) == {"s1": T0, "s2": minutes(1)}
        assert look(3, ("s1", "GS-401"), sent=("s1", "s2"), complete=False) == {"s1": T0}
        assert look(4, ("s3", "GS-401")) == {"s3": minutes(4)}
        assert look(5, ("s1", "GS-401"), ("s3", "GS-401")) == {"s1": minutes(5), "s3": minutes(4)}
        records.checkpoint("c2", ledger=[], waiting=[WaitingRecord("s1", "c2", "GS-401")], complete=True)
        assert look(6) == {}
        assert set(records.waiting("c2")) == {"s1"}
        assert store.read_records("hillside").waiting("c2") == {}

    def test_what_waits_is_told_oldest_first_and_since_when(self, store: Store, clock: FakeClock) -> None:
        records = store.records(claim(store, queue(store), ttl=9_000))
        old, new = WaitingRecord("s2", "c1", "GS-401", 7), WaitingRecord("s1", "c1", "GS-401")
        records.checkpoint("c1", ledger=[], waiting=[old], complete=True)
        clock.forward(60)
        records.checkpoint("c1", ledger=[], waiting=[old, new], complete=True)
        rows = store.waiting_rows("riverside")
        for codes in (set[str](), {rows[0].record.code}, {row.record.code for row in rows}):
            some = [row for row in rows if row.record.code in codes]
            assert list(store.waiting_rows("riverside", codes)) == some
        assert [(row.record, row.since) for row in rows] == [(old, T0), (new, minutes(1))]
        assert store.waiting_since() == {("riverside", "GS-401"): T0}
        assert store.waiting_since("riverside") == {("riverside", "GS-401"): T0}
        assert (store.waiting_rows("hillside"), store.waiting_since("hillside")) == ([], {})

    def test_the_life_of_a_record_is_told_oldest_first(self, store: Store, clock: FakeClock) -> None:
        run = queue(store)
        records = store.records(claim(store, run, ttl=9_000))
        held, sent = (
            RecordEvent("s1", "c1", "withheld", code="GS-401"),
            RecordEvent("s1", "c1", "sent", value="v"),
        )
        other = RecordEvent("s2", "c1", "sent", value="w")
        records.checkpoint("c1", ledger=[], waiting=[], complete=False, events=[held, other])
        clock.forward(60)
        records.checkpoint("c1", ledger=[], waiting=[], complete=False, events=[sent])
        told = store.record_events("riverside", ["s1"])
        assert [(past.event, past.at, past.run_id) for past in told] == [
            (held, T0, run.id),
            (sent, minutes(1), run.id),
        ]
        everybody = [f"nobody{number}" for number in range(1200)] + ["s2", "s1"]
        assert [past.event for past in store.record_events("riverside", everybody)] == [held, other, sent]
        assert store.record_events("hillside", ["s1"]) == []
        assert store.record_events("riverside", []) == []

    def test_a_lost_lease_tells_no_events(self, store: Store) -> None:
        lost = store.records(claim(store, queue(store)))
        assert store.unlock("riverside", [])
        with pytest.raises(LeaseLost):
            lost.checkpoint(
                "c1", ledger=[], waiting=[], complete=False, events=[RecordEvent("s1", "c1", "sent")]
            )
        assert store.record_events("riverside", ["s1"]) == []

    def test_a_forgotten_record_is_in_the_ledger_no_more_and_waits_no_longer(self, store: Store) -> None:
        records = store.records(claim(store, queue(store)))
        both = [entry("s1", sent="a"), entry("s1", kind="line item", sent="b"), entry("s2", sent="c")]
        records.checkpoint("c1", ledger=both, waiting=[], complete=False)
        records.checkpoint("c1", ledger=[], waiting=[WaitingRecord("s1", "c1", "GS-505")], complete=False)
        assert store.ledger_entries("riverside", ["s1", "s9"]) == [both[1], both[0]]
        records.checkpoint("c1", ledger=[], waiting=[], complete=False, forgotten=[("result", "s1")])
        assert store.ledger_entries("riverside", ["s1", "s2"]) == [both[1], both[2]]
        records.checkpoint("c0", ledger=[], waiting=[WaitingRecord("s7", "c0", "GS-401")], complete=False)
        assert (store.classes("riverside"), store.classes("hillside")) == (["c0", "c1"], [])
        records.checkpoint("c0", ledger=[], waiting=[], complete=True)
        assert store.waiting_counts() == {}
        assert store.ledger_entries("hillside", ["s1"]) == []

    def test_watermarks_belong_to_the_account(self, store: Store) -> None:
        records = store.records(claim(store, queue(store)))
        records.set_watermarks({"updated": "1", "identity": "u"})
        records.set_watermarks({"updated": "2"})
        assert (records.watermark("updated"), records.watermark("identity")) == ("2", "u")
        assert store.read_records("hillside").watermark("updated") is None

    def test_the_first_key_named_stays(self, store: Store) -> None:
        store.set_key_id("k1")
        store.set_key_id("k2")
        assert store.key_id() == "k1"

    def test_another_key_forgets_what_the_old_one_hashed(self, store: Store) -> None:
        assert store.key_id() is None
        store.set_key_id("k1")
        school(store)
        claimed = claim(store, queue(store, mode=Mode.FULL))
        records = store.records(claimed)
        waiting = [WaitingRecord("s2", "c1", "GS-401")]
        records.checkpoint(
            "c1",
            ledger=[entry("s1", sent="x")],
            waiting=waiting,
            complete=True,
            events=[RecordEvent("s1", "c1", "sent", value="x")],
        )
        with pytest.raises(AccountBusy, match="riverside"):
            store.rekey("k2", [fact("too early", None)])
        assert (store.key_id(), len(records.ledger("c1"))) == ("k1", 1)
        store.finish(claimed, DONE, [])
        assert store.last_full_runs()
        store.rekey("k2", [fact("rekeyed", None)])
        assert store.last_full_runs() == {}
        assert store.key_id() == "k2"
        assert records.ledger("c1") == {}
        assert store.waiting_counts() == {}
        assert store.record_events("riverside", ["s1"]) == []


class Wishes:
    def test_a_hold_ends_by_time_or_by_release(self, store: Store) -> None:
        short, long = hold(expires=minutes(10)), hold()
        store.add_hold(short, [fact("held")])
        store.add_hold(short, [fact("held twice")])
        store.add_hold(long, [])
        assert list(store.holds(T0)) == [short, long]
        assert list(store.holds(minutes(10))) == [long]
        store.release_holds([long.id], minutes(11), [fact("released")])
        store.release_holds([long.id], minutes(12), [fact("released twice")])
        assert list(store.holds(minutes(10.5))) == [replace(long, released_at=minutes(11))]
        assert list(store.holds(minutes(11))) == []
        assert len(store.holds(minutes(11), include_past=True)) == 2
        assert [e.fact.what for e in store.history()] == ["released", "held"]

    def test_an_account_is_told_of_its_own_holds_and_of_wide_ones(self, store: Store) -> None:
        mine, other, wide = hold(HoldScope("a")), hold(HoldScope("b", "x")), hold(HoldScope(group="north"))
        for one in (mine, other, wide):
            store.add_hold(one, [])
        assert list(store.holds(T0, account="a")) == [mine, wide]
        assert list(store.holds(T0, include_past=True, account="b")) == [other, wide]
        assert len(store.holds(T0)) == 3

    def test_an_expiry_is_told_once(self, store: Store) -> None:
        short, long = hold(expires=minutes(10)), hold()
        for one in (short, long):
            store.add_hold(one, [])
        assert list(store.expired_holds(minutes(9))) == []
        assert list(store.expired_holds(minutes(10))) == [short]
        store.release_holds([short.id], minutes(10), [fact("expired")])
        assert list(store.expired_holds(minutes(11))) == []
        store.release_holds([short.id], minutes(10), [fact("expired twice")])
        assert [e.fact.what for e in store.history()] == ["expired"]

    def test_a_breaker_lets_one_caller_through_at_a_time(self, store: Store) -> None:
        breaker = replace(hold(), kind=HoldKind.BREAKER, expires_at=None, code="GS-202", mark="m1")
        store.add_hold(breaker, [])
        assert list(store.holds(T0)) == [breaker]
        assert store.try_hold(breaker.id, None, minutes(1), "m1")
        assert not store.try_hold(breaker.id, None, minutes(2), "m1")
        assert store.try_hold(breaker.id, minutes(1), minutes(61), "m2")
        assert list(store.holds(T0)) == [replace(breaker, tried_at=minutes(61), mark="m2")]
        store.release_holds([breaker.id], minutes(62), [])
        assert not store.try_hold(breaker.id, minutes(61), minutes(63), "m2")
        assert not store.try_hold("0" * 32, None, minutes(63), None)

    def test_one_request_waits_per_schedule_until_it_is_a_day_old(
        self, store: Store, clock: FakeClock
    ) -> None:
        first = request()
        assert store.add_request(first, [fact("requested")])
        assert not store.add_request(request(), [fact("requested")])
        assert list(store.requests(T0 + timedelta(hours=24))) == [first]
        assert list(store.requests(T0 + timedelta(hours=24, seconds=1))) == []
        clock.forward(24 * 3600 + 1)
        second = request(created=clock())
        assert store.add_request(second, [])
        assert list(store.requests(clock())) == [second]
        assert len(store.history()) == 1

    def test_a_request_becomes_one_run(self, store: Store) -> None:
        wish = request()
        store.add_request(wish, [])
        run = new_run()
        assert store.take_request(wish, run, [fact("taken")])
        assert not store.take_request(wish, new_run(), [fact("taken")])
        assert list(store.queued_runs()) == [run]
        assert list(store.requests(T0)) == []
        assert len(store.history()) == 1

    def test_a_request_can_be_withdrawn_once(self, store: Store) -> None:
        store.add_request(request(), [])
        assert store.withdraw_request(GRADES, [fact("withdrawn")])
        assert not store.withdraw_request(GRADES, [fact("withdrawn")])
        assert len(store.history()) == 1

    def test_an_approval_counts_in_its_account_until_it_expires_and_anew_when_given_again(
        self, store: Store, clock: FakeClock
    ) -> None:
        first, other = approval("d1"), approval("d2", created=1)
        store.add_approval(first, [fact("approved")])
        store.add_approval(other, [])
        assert list(store.approvals("riverside", T0)) == [first, other]
        assert list(store.approvals("riverside", first.expires_at)) == [other]
        assert list(store.approvals("riverside", other.expires_at)) == []
        assert list(store.approvals("hillside", T0)) == []
        again = replace(first, run_id="later", created_at=minutes(2), expires_at=minutes(200))
        store.add_approval(again, [fact("approved")])
        assert list(store.approvals("riverside", minutes(120))) == [again]
        assert [e.fact.what for e in store.history()] == ["approved", "approved"]


class Generations:
    CHUNKS: ClassVar = {("users", "001"): b"\x00\xff" * 40, ("users", ""): b"1234", ("sections", "001"): b"x"}

    def test_a_generation_comes_back_chunk_by_chunk(self, store: Store) -> None:
        records = store.records(claim(store, queue(store)))
        assert records.generation() is None
        assert records.generation_chunk("users", "001") == b""
        records.keep_generation('{"a":1}', self.CHUNKS)
        for reader in (records, store.read_records("riverside")):
            assert reader.generation() == '{"a":1}'
            assert {key: reader.generation_chunk(*key) for key in self.CHUNKS} == self.CHUNKS
            assert reader.generation_chunk("users", "002") == b""
        assert store.read_records("hillside").generation() is None

    def test_the_next_generation_takes_the_place_of_the_whole_one_before(self, store: Store) -> None:
        records = store.records(claim(store, queue(store)))
        records.keep_generation("1", self.CHUNKS)
        records.keep_generation("2", {("users", "002"): b"new"})
        assert records.generation() == "2"
        assert records.generation_chunk("users", "001") == b""
        assert records.generation_chunk("users", "002") == b"new"
        records.keep_generation("3", {})
        assert (records.generation(), records.generation_chunk("users", "002")) == ("3", b"")

    def test_a_run_that_lost_its_lease_keeps_no_generation(self, store: Store, clock: FakeClock) -> None:
        claimed = claim(store, queue(store))
        records = store.records(claimed)
        records.keep_generation("1", self.CHUNKS)
        clock.forward(3600)
        claim(store, queue(store))
        with pytest.raises(LeaseLost):
            records.keep_generation("2", {})
        assert store.read_records("riverside").generation() == "1"

    def test_another_key_makes_generations_worthless(self, store: Store) -> None:
        claimed = claim(store, queue(store))
        records = store.records(claimed)
        records.keep_generation("1", self.CHUNKS)
        store.finish(claimed, DONE, [])
        store.rekey("k2", [])
        assert records.generation() is None
        assert records.generation_chunk("users", "001") == b""

    def test_what_a_roster_import_changed_is_kept_with_its_run(self, store: Store) -> None:
        found = RosterChange(
            schools=(SchoolChange("users", "001", 10, 9, removed=1), SchoolChange("sections", "")),
            against="last read",
            codes=("GS-601",),
            sentences=("School 001: 1 of 10 people would go.",),
            examples=(Example("removed", "users", "001", "0a1b2c3d4e5f", 3),),
            digest="d1",
            base="b1",
        )
        run = queue(store)
        store.finish(claim(store, run), replace(DONE, roster=found), [])
        assert one_run(store, run.id).result == replace(DONE, roster=found)

    def test_what_was_found_in_a_roster_is_erased_with_the_old_texts(
        self, store: Store, clock: FakeClock
    ) -> None:
        quiet = replace(DONE, vendor={}, roster=RosterChange(against="last read", examples=(_GONE,)))
        old, new = queue(store), new_run(slot="s2")
        store.finish(claim(store, old), quiet, [])
        clock.forward(3600)
        store.add_run(new)
        store.finish(claim(store, new), quiet, [])
        assert store.erasable(minutes(30))["vendor texts"] == 1
        assert store.purge(minutes(30), [], "elm") == 0
        assert store.purge(minutes(30), []) == 1
        assert one_run(store, old.id).result == replace(quiet, roster=None)
        assert one_run(store, new.id).result == quiet
        assert sum(store.erasable(minutes(30)).values()) == 0


_GONE = Example("removed", "users", "001", "0a1b2c3d4e5f", 3)


class History:
    def test_entries_come_back_as_they_were_told_newest_first(self, store: Store, clock: FakeClock) -> None:
        told = fact("run completed", schedule="grades", run_id="r1", detail="a\x00b é", counts={"sent": 1})
        store.append([told, fact("global", None)])
        clock.forward(1)
        store.append([fact("later", "hillside"), fact("later still", "riverside")])
        assert [e.fact.what for e in store.history(limit=2)] == ["later", "later still"]
        assert [e.fact.what for e in store.history("riverside")] == ["later still", "run completed"]
        [entry_] = store.history("riverside", "grades")
        assert entry_.fact == told
        assert (entry_.chain, entry_.seq, entry_.at, entry_.previous) == ("riverside", 1, T0, GENESIS_HASH)
        assert [e.seq for e in store.chain("riverside")] == [1, 2]
        assert set(store.chains()) == {"-", "hillside", "riverside"}
        assert verify_history(store) == []

    def test_time_in_the_history_never_goes_back(self, store: Store, clock: FakeClock) -> None:
        store.append([fact()])
        clock.forward(-3600)
        store.append([fact()])
        assert [e.at for e in store.chain("riverside")] == [T0, T0]

    def test_writers_at_the_same_time_make_one_chain(self, store: Store) -> None:
        def write(number: int) -> None:
            for _ in range(5):
                store.append([fact(f"by {number}", f"a{number % 2}"), fact("both", f"a{(number + 1) % 2}")])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        assert [e.seq for e in store.chain("a0")] == list(range(1, 21))
        assert verify_history(store) == []

    def test_a_checkpoint_is_written_only_when_something_happened(self, store: Store) -> None:
        assert store.checkpoint() == GENESIS_HASH
        store.append([fact()])
        first = store.checkpoint()
        assert store.checkpoint() == first
        assert store.chains()["-"] == first
        store.append([fact("global", None)])
        second = store.checkpoint()
        store.append([fact()])
        third = store.checkpoint()
        assert len({first, second, third}) == 3
        assert [e.fact.what for e in store.chain("-")] == ["checkpoint", "global", "checkpoint", "checkpoint"]
        assert verify_history(store) == []

    def test_purging_erases_details_and_the_chain_still_verifies(
        self, store: Store, clock: FakeClock
    ) -> None:
        run = queue(store)
        store.finish(claim(store, run), DONE, [fact(detail="somebody's words")])
        clock.forward(3600)
        store.append([fact(detail="kept")])
        told = {"details": 1, "vendor texts": 1, "record events": 0}
        assert store.erasable(minutes(30)) == store.erasable(minutes(30), "riverside") == told
        assert sum(store.erasable(minutes(30), "elm").values()) == 0
        assert store.purge(minutes(30), [], "elm") == 0
        assert store.purge(minutes(30), [fact("purged", None)]) == 2
        assert sum(store.erasable(minutes(30)).values()) == 0
        new, old = store.history("riverside")
        assert (old.fact.detail, new.fact.detail) == (None, "kept")
        assert old.detail_hash is not None
        result = one_run(store, run.id).result
        assert result is not None
        assert (result.vendor, result.counts) == ({}, DONE.counts)
        assert verify_history(store) == []

    def test_purging_drops_old_record_events_and_always_those_of_an_earlier_school_year(
        self, store: Store, clock: FakeClock
    ) -> None:
        records = store.records(claim(store, queue(store), ttl=90_000_000))

        def happened(*days: int) -> None:
            for day in days:
                clock.at = T0 + timedelta(days=day)
                event = RecordEvent("s1", "c1", "sent", value=str(day))
                records.checkpoint("c1", ledger=[], waiting=[], complete=False, events=[event])

        def left() -> list[str | None]:
            return [past.event.value for past in store.record_events("riverside", ["s1"])]

        happened(0, 1, 300, 401)
        assert store.purge(T0 - timedelta(days=1000), []) == 1
        assert left() == ["1", "300", "401"]
        assert store.erasable(T0 + timedelta(days=400), "riverside")["record events"] == 2
        assert store.purge(T0 + timedelta(days=400), [], "elm") == 0
        assert store.purge(T0 + timedelta(days=400), [], "riverside") == 2
        assert left() == ["401"]

    def test_every_checkpoint_tells_how_far_the_chains_have_come(self, store: Store) -> None:
        store.append([fact("one"), fact("two"), fact("three", "elm")])
        first = store.checkpoint()
        assert store.checkpoint() == first
        store.append([fact("four", "elm")])
        assert store.checkpoint() != first
        told = [entry.fact.data["moved"] for entry in store.chain("-")]
        assert told == [{"elm": 1, "riverside": 2}, {"elm": 2}]
        assert verify_history(store) == []

    def test_the_store_tells_its_time_and_its_counts(self, store: Store, clock: FakeClock) -> None:
        school(store)
        store.append([fact()])
        assert store.info().counts == {}
        info = store.info(counted=True)
        assert info.lineage
        assert info.counts == {"account": 1, "schedule": 1, "run": 0, "history": 1, "ledger": 0, "waiting": 0}
        clock.forward(5)
        assert store.now() == T0 + timedelta(seconds=5)
        assert store.history()[0].fact.actor == ALEX


def term(ends: float, name: str = "autumn") -> ClassTerm:
    return ClassTerm(name, minutes(ends))


class PastTerms:
    def remembered(self, store: Store, account: str = "riverside") -> None:
        """A run that noted two classes of the autumn, one of the spring, and one of nobody knows when."""
        school(store, account)
        claimed = claim(store, queue(store, ScheduleId(account, "grades")))
        records = store.records(claimed)
        for class_id in ("a1", "a2", "s1", "unknown"):
            records.checkpoint(
                class_id,
                ledger=[entry(f"{class_id}-{number}", class_id, sent="h") for number in range(3)],
                waiting=[WaitingRecord(f"{class_id}-w", class_id, "GS-401")],
                complete=True,
            )
        records.note_terms(
            {"a1": term(-100), "a2": term(-100), "s1": term(100, "spring"), "empty": term(-100)}
        )
        store.finish(claimed, DONE, [])

    def test_terms_that_are_over_are_counted_and_no_others(self, store: Store) -> None:
        self.remembered(store)
        self.remembered(store, "oak-hill")
        autumn = PastTerm("riverside", "autumn", minutes(-100), 2, 8)
        assert list(store.past_terms(T0)) == [replace(autumn, account="oak-hill"), autumn]
        assert list(store.past_terms(T0, "riverside")) == [autumn]
        assert list(store.past_terms(minutes(-100))) == []
        assert [one.term_id for one in store.past_terms(minutes(101), "riverside")] == ["autumn", "spring"]

    def test_pruning_forgets_one_term_of_one_account_and_says_so(self, store: Store) -> None:
        self.remembered(store)
        self.remembered(store, "oak-hill")
        [autumn] = store.past_terms(T0, "riverside")
        assert store.prune(autumn, [fact("ledger pruned")]) == 8
        assert list(store.classes("riverside")) == ["s1", "unknown"]
        assert list(store.classes("oak-hill")) == ["a1", "a2", "s1", "unknown"]
        assert list(store.past_terms(T0, "riverside")) == []
        assert store.prune(autumn, [fact("told twice")]) == 0
        assert [e.fact.what for e in store.history("riverside")] == ["ledger pruned"]

    def test_a_class_that_goes_on_in_another_term_is_not_pruned(self, store: Store) -> None:
        self.remembered(store)
        [autumn] = store.past_terms(T0)
        claimed = claim(store, queue(store))
        store.records(claimed).note_terms({"a1": term(500, "all year")})
        store.finish(claimed, DONE, [])
        assert store.prune(autumn, []) == 4
        assert list(store.classes("riverside")) == ["a1", "s1", "unknown"]

    def test_nothing_is_pruned_under_a_run(self, store: Store) -> None:
        self.remembered(store)
        [autumn] = store.past_terms(T0)
        claimed = claim(store, queue(store))
        with pytest.raises(AccountBusy, match="riverside"):
            store.prune(autumn, [])
        store.finish(claimed, DONE, [])
        with pytest.raises(LeaseLost):
            store.records(claimed).note_terms({"a1": term(0)})
        assert store.prune(autumn, []) == 8


class Conformance(
    Definitions, Slots, Leases, Ledger, Wishes, Generations, History, PastTerms, Accounts, Commits, Alarms
):
    """Everything a store must do."""
