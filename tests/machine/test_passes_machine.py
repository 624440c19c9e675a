"""Whole passes in any order: several at once that die anywhere, files that change, holds, requests, a clock that jumps.

A small model (`passes_model`) says which slot of which schedule must have become a run, and which must not; it knows
slots as multiples of minutes and holds as two instants, and shares nothing with the engine. After each pass the runs
there are must be exactly those. More examples: GRADESYNC_MACHINE_EXAMPLES=300; the shortest failing one:
GRADESYNC_MACHINE_SHRINK=1.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gradesync.domain.hold import Hold, HoldScope, Request
from gradesync.domain.run import Mode, Outcome, Run, RunState, Trigger
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.engine.control import ByHand, place_hold, release, run_by_hand
from gradesync.engine.requests import request_run
from gradesync.engine.stopping import stop_account
from gradesync.errors import GradesyncError
from gradesync.store.memory import MemoryStore
from gradesync.store.open import open_store
from gradesync.store.verify import verify_history
from tests.machine.passes_model import Known, next_slot, slots, stands
from tests.machine.passes_world import ACCOUNTS, World

EXAMPLES = int(os.environ.get("GRADESYNC_MACHINE_EXAMPLES", "12"))
NAMES = ("x", "y", "z")
accounts = st.sampled_from(ACCOUNTS)
names = st.sampled_from(NAMES)
intervals = st.sampled_from((15, 30, 60))
states = st.sampled_from(("active", "active", "paused", "observe"))
scopes = st.one_of(
    st.builds(HoldScope, account=accounts),
    st.builds(HoldScope, account=accounts, schedule=names),
    st.builds(lambda group: HoldScope(group=group), st.sampled_from(("north", "south"))),
    st.just(HoldScope(type=SyncType.GRADE_PASSBACK)),
    st.just(HoldScope(type=SyncType.ROSTER_IMPORT)),
    st.just(HoldScope()),
)
lives = st.one_of(st.none(), st.integers(0, 20), st.integers(0, 120))


class Passes(RuleBasedStateMachine):
    """Rules are what people, files, clocks and deaths do; `look` is what must be true afterwards."""

    world: World

    def make_world(self) -> World:
        """A fresh store in RAM."""
        return World(MemoryStore)

    def __init__(self) -> None:
        super().__init__()
        self.world = self.make_world()
        self.known: dict[tuple[str, str], Known] = {}
        self.owed: dict[tuple[str, str, datetime], None] = {}
        self.wishes: dict[str, Request] = {}
        self.placed_during = 0
        self.ended: dict[str, Run] = {}

    @property
    def now(self) -> datetime:
        return self.world.store.now()

    def tick(self) -> None:
        """No two things happen in the same instant: then it would be open which came first."""
        self.world.clock += timedelta(seconds=1)

    # - what happens -

    @initialize(minutes=intervals)
    def begin(self, minutes: int) -> None:
        for key in ACCOUNTS:
            self.world.write(key, "x", minutes, "active")
        self.reconcile(0, [None], files=True, hold=None)

    @rule(account=accounts, name=names, minutes=intervals, state=states)
    def edit(self, account: str, name: str, minutes: int, state: str) -> None:
        """A schedule is written, changed, paused, resumed or written again after it was removed."""
        self.world.edits += 1
        self.world.write(account, name, minutes, state)

    @rule(account=accounts, name=names)
    def remove(self, account: str, name: str) -> None:
        if len(self.world.files[account]) > 1:
            self.world.files[account].pop(name, None)

    @rule(minutes=st.sampled_from((1, 20, 60 * 5)))
    def step_back(self, minutes: int) -> None:
        """The host's clock is set back; what the store has told never goes back."""
        before = self.now
        self.world.later(-minutes)
        assert self.now >= before - timedelta(minutes=minutes)

    @rule(scope=scopes, hours=st.sampled_from((0.1, 1, 5, 72)))
    def hold(self, scope: HoldScope, hours: float) -> None:
        self.tick()
        try:
            place_hold(self.person(), scope, "maintenance", timedelta(hours=hours))
        except GradesyncError:
            assert scope.schedule is not None
            assert (str(scope.account), scope.schedule) not in self.known
        self.tick()

    @rule(scope=scopes)
    def resume(self, scope: HoldScope) -> None:
        self.tick()
        release(self.person(), scope)
        self.tick()

    @rule(account=accounts, name=names)
    def wish(self, account: str, name: str) -> None:
        self.tick()
        if (account, name) in self.known:
            try:
                made = request_run(self.person(), ScheduleId(account, name), Mode.DELTA, None)
            except GradesyncError:
                return  # one waits already
            self.wishes[made.id] = made

    @rule(account=accounts, name=names, life=lives, despite=st.booleans())
    def run_now(self, account: str, name: str, life: int | None, despite: bool) -> None:
        """Somebody presses the button; it may be refused, and the person's machine may die."""
        self.tick()
        process = self.world.process(life)
        kinds = frozenset({"paused", "hold"}) if despite else frozenset[str]()
        wish = ByHand(ScheduleId(account, name), despite=kinds, reason="parents' evening")
        try:
            asyncio.run(run_by_hand(self.world.tools(process), wish))
        except GradesyncError:
            pass
        except BaseException:
            if not process.dead:
                raise
        self.world.processes.clear()
        self.look()

    @rule(account=accounts)
    def stop(self, account: str) -> None:
        self.tick()
        stop_account(self.person(), account, "wrong term")
        self.look()

    @rule(
        minutes=st.sampled_from((0, 1, 3, 7, 16, 16, 45, 45, 130, 60 * 26, 60 * 24 * 3)),
        several=st.lists(lives, min_size=1, max_size=3),
        files=st.booleans(),
        hold=st.none() | scopes,
    )
    def reconcile(self, minutes: int, several: list[int | None], files: bool, hold: HoldScope | None) -> None:
        """Time goes by, then passes of the same files at once; somebody may place a hold while they work."""
        self.world.later(minutes)
        self.tick()
        now, before = self.now, self.world.recorded()
        holds = {hold.id for hold in self.world.store.holds(now, include_past=True)}
        self.world.meanwhile = lambda: self._hold_meanwhile(hold)
        whole = self.world.passes(self.world.tree() if files else None, several)
        self.world.meanwhile = lambda: None
        self._learn(before, now, holds, files=files, whole=whole)
        self._claimed(now, holds, whole=whole)
        self._requests_taken(now, holds, whole=whole)
        self.look()

    @rule(minutes=st.sampled_from((0.2, 3, 20)))
    def freeze(self, minutes: float) -> None:
        """A pass is suspended in its first run. Whoever passes by later than its lease takes the run over."""
        self.tick()
        seen: dict[str, Any] = {"now": self.now, "before": self.world.recorded()}
        holds = {hold.id for hold in self.world.store.holds(self.now, include_past=True)}

        def told() -> None:
            self._learn(seen["before"], seen["now"], holds, files=True, whole=True)
            self._claimed(seen["now"], holds, whole=True)
            self._requests_taken(seen["now"], holds, whole=True)
            # What the second one will find: the clock goes on by the minutes before it starts.
            ahead = self.world.clock + timedelta(minutes=minutes)
            seen["now"], seen["before"] = max(self.now, ahead), self.world.recorded()

        def told_and_looked() -> None:
            told()
            self.look()

        self.world.frozen_pass(self.world.tree(), minutes, told_and_looked)
        self.look()

    def _hold_meanwhile(self, hold: HoldScope | None) -> None:
        if hold is not None and self.placed_during < 5 and hold.schedule is None:
            self.placed_during += 1
            self.tick()
            place_hold(self.person(), hold, "leaked key", timedelta(hours=2))
            self.tick()

    def person(self) -> Any:
        return self.world.tools(self.world.process())

    # - what the model makes of it -

    def _learn(
        self, before: Any, now: datetime, known_holds: Collection[str], *, files: bool, whole: bool
    ) -> None:
        """What was recorded is what the files say, or (only where a pass died) what it was before.

        A schedule that an operator holds is not retired by a merge: it waits for the hold to end.
        """
        holds = self._holds(now, known_holds)
        after = self.world.recorded()
        for key, account in self.world.tree().accounts.items():
            wanted = {name: one.text for name, one in account.schedules.items()}
            kept = {
                name: text
                for name, text in before[key].items()
                if name not in wanted and any(stands(hold, key, name, now) for hold in holds)
            }
            wanted |= {name: text for name, text in after[key].items() if kept.get(name) == text}
            allowed = [wanted, before[key]] if files and not whole else [wanted] if files else [before[key]]
            assert after[key] in allowed, f"{key} is neither what it was nor what the files say"
            for name in {*after[key], *before[key]}:
                self._one(key, name, after[key].get(name), now)

    def _one(self, key: str, name: str, text: str | None, now: datetime) -> None:
        if text is None:
            self.known.pop((key, name), None)
            return
        values = json.loads(text)
        minutes, state = int(values["interval"].split()[1]), values["state"]
        had = self.known.get((key, name))
        if had is None or had.minutes != minutes or (had.state == "paused" and state != "paused"):
            self.known[key, name] = Known(minutes, state, now)
        else:
            had.state = state

    def _holds(self, now: datetime, known: Collection[str]) -> list[Hold]:
        """The holds there were when a pass began."""
        return [hold for hold in self.world.store.holds(now, include_past=True) if hold.id in known]

    def _claimed(self, now: datetime, known_holds: Collection[str], *, whole: bool) -> None:
        """The slots that this pass must have taken up; one that died may have come before or after that."""
        holds = self._holds(now, known_holds)
        recorded = self.world.store.recorded().accounts
        for (account, name), known in self.known.items():
            upcoming = recorded[account].schedules[name].next_run_at
            if known.state == "paused":
                assert upcoming is None, "a paused schedule has a next run"
                continue
            # After the clock was set back, slots that were taken up before come again, and are nobody's.
            taken = max(now, known.since)
            moved = upcoming == next_slot(known.minutes, taken)
            assert moved or not (whole or upcoming != next_slot(known.minutes, known.since)), (
                "a slot was lost"
            )
            if not moved:
                continue
            came = list(slots(known.minutes, known.since, now))
            known.since = taken
            if came and not any(stands(one, account, name, at) for one in holds for at in (now, came[-1])):
                self.owed[account, name, came[-1]] = None

    def _requests_taken(self, now: datetime, known_holds: Collection[str], *, whole: bool) -> None:
        """Every wish is a run by now, or waits; one that waits for a day is forgotten."""
        holds = self._holds(now, known_holds)
        taken = {run.slot_key.removeprefix("request:") for run in self.world.runs()}
        waiting = {one.id for one in self.world.store.requests(now)}
        for id, wish in list(self.wishes.items()):
            account, name = wish.schedule.account, wish.schedule.name
            known = self.known.get((account, name))
            old = now - wish.created_at > timedelta(hours=24)
            paused = known is None or known.state == "paused"
            blocked = old or paused or any(stands(hold, account, name, now) for hold in holds)
            if id in taken:
                assert not blocked, "a request was taken up under a hold"
                del self.wishes[id]
            else:
                assert blocked or not whole, "a request was left"
                assert (id in waiting) == (not old), "a request was lost"

    # - what must be true -

    def look(self) -> None:
        """After whatever happened."""
        runs = self.world.runs()
        by_slot = sorted(
            (run.schedule.account, run.schedule.name, run.slot_at)
            for run in runs
            if run.trigger is Trigger.SLOT and run.slot_at is not None
        )
        assert by_slot == sorted(self.owed), "a slot ran twice, was lost, or was caught up"
        keys = [run.slot_key for run in runs if run.trigger is Trigger.REQUEST]
        assert len(keys) == len(set(keys)), "a request ran twice"
        holds = self.world.store.holds(self.now, include_past=True)
        for run in runs:
            self._started_free(run, holds)
            if run.state is RunState.ENDED:
                assert self.ended.setdefault(run.id, run) == run, "a run that had ended was written once more"
        running = [run.schedule.account for run in runs if run.state is RunState.RUNNING]
        assert len(running) == len(set(running)), "two runs of one account"

    def _started_free(self, run: Run, holds: Iterable[Hold]) -> None:
        """Nothing started under a hold but what a person started in spite of it."""
        if run.started_at is None or run.trigger is Trigger.BY_HAND or run.attempt > 1:
            return
        account, name = run.schedule.account, run.schedule.name
        at = run.started_at
        # Behind a clock that was set back many things have one instant, and which came first is not known.
        over = [hold for hold in holds if hold.created_at < at and stands(hold, account, name, at)]
        assert not over, f"a run of {run.schedule} started under a hold"

    def teardown(self) -> None:
        """When everybody has gone home: passes that live make everything right, and the history says how it was."""
        try:
            self.go_home()
            runs = self.world.runs()
            assert {run.state for run in runs} <= {RunState.ENDED, RunState.QUEUED}
            left = [run for run in runs if run.state is RunState.QUEUED]
            assert all(run.trigger is not Trigger.SLOT for run in left), "a slot's run never came to its end"
            assert list(self.world.store.leases()) == []
            assert verify_history(self.world.store) == []
            self._told(runs)
        finally:
            self.world.store.close()

    def go_home(self) -> None:
        """Every hold ends, the dead are forgotten, and what the files say is recorded."""
        for hold in self.world.store.holds(self.now):
            release(self.person(), hold.scope)
        for _ in range(4):
            self.world.clock = self.now
            self.reconcile(3, [None], files=True, hold=None)
        for key, account in self.world.tree().accounts.items():
            assert self.world.recorded()[key] == {name: one.text for name, one in account.schedules.items()}

    def _told(self, runs: Iterable[Run]) -> None:
        """Every end that was an event stands in the history, once."""
        entries = [entry.fact for key in ACCOUNTS for entry in self.world.store.chain(key)]
        ended = [fact.run_id for fact in entries if fact.what == "run ended"]
        assert len(ended) == len(set(ended)), "a run ended twice"
        for run in runs:
            if run.result is not None and run.result.outcome is Outcome.FAILED:
                assert run.id in ended


class PassesOnSqlite(Passes):
    """The same on a file."""

    template: Path

    def make_world(self) -> World:
        self.folder = Path(tempfile.mkdtemp(prefix="gradesync-"))
        shutil.copy(self.template, self.folder / "store.db")
        return World(lambda clock: open_store(self.folder / "store.db", create=False, clock=clock))

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.folder)


def profile(examples: int, steps: int) -> settings:
    return settings(
        # Shrinking takes minutes; it is for whoever looks into a failure.
        phases=tuple(Phase) if "GRADESYNC_MACHINE_SHRINK" in os.environ else (Phase.generate,),
        report_multiple_bugs=False,
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def test_whole_passes_on_the_store_in_ram() -> None:
    run_state_machine_as_test(Passes, settings=profile(EXAMPLES * 4, 30))


def test_whole_passes_on_sqlite(tmp_path: Path) -> None:
    open_store(tmp_path / "store.db", create=True).close()
    PassesOnSqlite.template = tmp_path / "store.db"
    run_state_machine_as_test(PassesOnSqlite, settings=profile(EXAMPLES // 2, 25))
