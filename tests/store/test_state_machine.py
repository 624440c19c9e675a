"""Random sequences of verbs on the store in RAM and on SQLite: both must answer the same, all the way."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gradesync.domain.action import ActionKind
from gradesync.domain.hold import HoldScope
from gradesync.domain.record import RecordEvent
from gradesync.domain.run import Claimed, Mode, Outcome, RunResult, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import LeaseLost
from gradesync.ports import RunQuery, SlotClaim, Store, WaitingRecord
from gradesync.store.memory import MemoryStore
from gradesync.store.open import open_store
from gradesync.store.verify import verify_history
from tests.store.samples import (
    ELSEWHERE,
    FakeClock,
    action,
    apply,
    definition,
    entry,
    fact,
    hold,
    new_run,
    request,
)

ACCOUNTS = st.sampled_from(["a", "b"])
NAMES = st.sampled_from(["x", "y"])
SCHEDULES = st.builds(ScheduleId, ACCOUNTS, NAMES)
RESULTS = st.builds(
    RunResult,
    st.sampled_from(list(Outcome)),
    st.sampled_from(list(Stage)),
    st.dictionaries(st.sampled_from(["sent", "unchanged"]), st.integers(0, 5)),
    st.dictionaries(st.sampled_from(["GS-401", "GS-503"]), st.integers(0, 5)),
    st.dictionaries(st.sampled_from(["GS-503"]), st.text(max_size=5)),
)
PICK = st.integers(0, 1000)
NAMED = ("a", "b", "c")
"""Names an account may take; the last is nobody's at first."""


class BothStores(RuleBasedStateMachine):
    """Every rule is one verb, put to both stores."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.folder = Path(tempfile.mkdtemp(prefix="gradesync-"))
        shutil.copy(self.template, self.folder / "store.db")
        self.stores: tuple[Store, Store] = (
            MemoryStore(self.clock),
            open_store(self.folder / "store.db", create=False, clock=self.clock),
        )
        self.claimed: list[Claimed] = []
        self.holds: list[str] = []

    def teardown(self) -> None:
        self.same(self.everything)
        assert verify_history(self.stores[1]) == []
        self.stores[1].close()
        shutil.rmtree(self.folder)

    def same(self, verb: Callable[[Store], object]) -> object:
        """What both answered; a lost lease is an answer too."""
        answers = []
        for store in self.stores:
            try:
                answers.append(verb(store))
            except LeaseLost:
                answers.append("lease lost")
        assert answers[0] == answers[1]
        return answers[0]

    def everything(self, store: Store) -> object:
        """All that the read side can tell."""
        now = self.clock()
        records = [store.read_records(account) for account in NAMED]
        return (
            store.recorded(),
            list(store.due_rows(now)),
            list(store.runs(RunQuery(limit=1000))),
            list(store.queued_runs()),
            list(store.leases()),
            store.last_runs(),
            store.first_runs(),
            store.last_full_runs(),
            list(store.holds(now)),
            list(store.requests(now)),
            store.waiting_counts(),
            [dict(one.ledger("c1")) for one in records],
            [dict(one.waiting("c1")) for one in records],
            [list(store.waiting_rows(account)) for account in NAMED],
            store.waiting_since(),
            [list(store.record_events(account, list("pqrs"))) for account in NAMED],
            [list(store.ledger_entries(account, list("pqrs"))) for account in NAMED],
            [store.origin(account) in NAMED for account in NAMED],
            [list(store.history(account, limit=1000)) for account in NAMED],
            [one.watermark("w") for one in records],
            list(store.history(limit=1000)),
            [list(store.history("a", name)) for name in ("x", "y")],
            store.chains(),
            {**store.info(counted=True).counts},
        )

    def pick_run(self, number: int) -> str:
        runs = self.stores[0].runs(RunQuery(limit=1000))
        return runs[number % len(runs)].id if runs else "0" * 32

    @initialize()
    def begin(self) -> None:
        for account in ("a", "b"):
            self.apply(account, ActionKind.CREATE, "x", True, 0)

    @rule(
        account=ACCOUNTS,
        kind=st.sampled_from(
            [ActionKind.CREATE, ActionKind.CHANGE, ActionKind.RETIRE, ActionKind.PAUSE, ActionKind.MOVE]
        ),
        name=NAMES,
        fits=st.sampled_from([True, True, True, False]),
        number=PICK,
    )
    def apply(self, account: str, kind: ActionKind, name: str, fits: bool, number: int) -> None:
        known = self.stores[0].recorded([account]).accounts.get(account)
        expected = known.revision if known else None
        moved_from = {"x": "y", "y": "x"}[name] if kind is ActionKind.MOVE else None
        values = None if kind is ActionKind.RETIRE else definition(number=number)
        next_run = None if kind in (ActionKind.PAUSE, ActionKind.RETIRE) else self.clock()
        change = action(kind, account, name, values, next_run, moved_from)
        facts = (fact(f"schedule {kind}", account, schedule=name),)
        self.same(lambda s: apply(s, account, change, expected=expected if fits else 99, facts=facts))

    @rule(
        old=st.sampled_from(NAMED),
        new=st.sampled_from(NAMED),
        fits=st.sampled_from([True, True, False]),
        leaves=st.booleans(),
    )
    def rename(self, old: str, new: str, fits: bool, leaves: bool) -> None:
        known = self.stores[0].recorded([old]).accounts.get(old)
        if old == new:
            return
        moved = action(ActionKind.MOVE, new, None, {"account": new}, moved_from=old)
        gone = [action(ActionKind.RETIRE, new)] if leaves else []
        expected = known.revision if known and fits else 99
        facts = (fact("account moved", new), fact("account moved away", old, detail="words"))
        self.same(lambda s: apply(s, new, moved, *gone, expected=expected, facts=facts))

    @rule(account=st.sampled_from(NAMED))
    def forget(self, account: str) -> None:
        self.same(lambda s: s.forget_account(account, fact("account purged", account)))

    @rule(new=st.sampled_from("pqr"), fits=st.booleans())
    def advance(self, new: str, fits: bool) -> None:
        seen = self.stores[0].recorded([]).commit if fits else "elsewhere"
        self.same(lambda s: s.advance_commit(new, seen))
        self.same(lambda s: s.advance_commit("c0ffee", new))

    @rule(block=st.booleans(), mode=st.sampled_from(Mode))
    def claim_slots(self, block: bool, mode: Mode) -> None:
        rows = self.stores[0].due_rows(self.clock())
        claims = [
            SlotClaim(
                row.schedule,
                row.next_run_at,
                None,
                None if block else new_run(row.schedule, row.next_run_at.isoformat(), self.clock(), mode),
                (fact("slot", row.schedule.account),),
            )
            for row in rows
        ]
        self.same(lambda s: list(s.claim_slots(claims)))
        self.same(lambda s: list(s.claim_slots(claims)))

    @rule(schedule=SCHEDULES, mode=st.sampled_from(Mode))
    def add_run(self, schedule: ScheduleId, mode: Mode) -> None:
        run = new_run(schedule, created=self.clock(), mode=mode)
        self.same(lambda s: s.add_run(run, [fact("asked", schedule.account)]))

    @rule(number=PICK)
    def claim(self, number: int) -> None:
        run_id = self.pick_run(number)
        answer = self.same(lambda s: s.claim(run_id, ELSEWHERE, 60))
        if isinstance(answer, Claimed):
            self.claimed.append(answer)

    @precondition(lambda self: self.claimed)
    @rule(number=PICK)
    def renew(self, number: int) -> None:
        claimed = self.one_claim(number)
        self.same(lambda s: s.renew(claimed.run.schedule.account, claimed.epoch, 60))

    @precondition(lambda self: self.claimed)
    @rule(number=PICK, result=RESULTS)
    def finish(self, number: int, result: RunResult) -> None:
        claimed = self.one_claim(number)
        told = fact("run ended", claimed.run.schedule.account, run_id=claimed.run.id, detail="words")
        self.same(lambda s: s.finish(claimed, result, [told]))

    @precondition(lambda self: self.claimed)
    @rule(number=PICK)
    def hand_back(self, number: int) -> None:
        claimed = self.one_claim(number)
        self.same(lambda s: s.hand_back(claimed))

    @precondition(lambda self: self.claimed)
    @rule(
        number=PICK,
        subjects=st.sets(st.sampled_from("pqrs")),
        complete=st.booleans(),
        code=st.sampled_from(["GS-401", "GS-402"]),
        forgets=st.booleans(),
    )
    def record(self, number: int, subjects: set[str], complete: bool, code: str, forgets: bool) -> None:
        claimed = self.one_claim(number)
        ledger = [entry(subject, intent=str(number)) for subject in sorted(subjects)]
        sent = [replace(one, sent=str(number), intent=None) for one in ledger[1:]]
        waiting = [WaitingRecord(one.subject, "c1", code) for one in ledger[:1]]
        events = [RecordEvent(one.subject, "c1", "sent", value=one.sent) for one in sent]
        forgotten = [(one.kind, one.subject) for one in ledger[-1:] if forgets]
        self.same(lambda s: s.records(claimed).intend(ledger))
        self.same(
            lambda s: s.records(claimed).checkpoint(
                "c1",
                ledger=sent,
                waiting=waiting,
                complete=complete,
                events=events,
                forgotten=forgotten,
            )
        )
        self.same(lambda s: s.records(claimed).set_watermarks({"w": str(number)}))

    def one_claim(self, number: int) -> Claimed:
        """An earlier claim, fresh or long lost."""
        return self.claimed[-1 - number % min(4, len(self.claimed))]

    @rule(number=PICK)
    def stop(self, number: int) -> None:
        run_id = self.pick_run(number)
        self.same(lambda s: s.stop_run(run_id, [fact("stop", "a", run_id=run_id)]))
        self.same(lambda s: s.stop_asked(run_id))

    @rule(number=PICK)
    def skip(self, number: int) -> None:
        run_id = self.pick_run(number)
        self.same(lambda s: s.skip_runs([run_id], [fact("skipped", "a", run_id=run_id)]))

    @rule(account=ACCOUNTS)
    def unlock(self, account: str) -> None:
        self.same(lambda s: s.unlock(account, [fact("unlocked", account)]))

    @rule(schedule=SCHEDULES, wide=st.booleans(), lasting=st.sampled_from((None, 1, 30)))
    def hold(self, schedule: ScheduleId, wide: bool, lasting: int | None) -> None:
        scope = HoldScope(schedule.account, None if wide else schedule.name)
        expires = None if lasting is None else self.clock() + timedelta(minutes=lasting)
        placed = hold(scope, created=self.clock(), expires=expires)
        self.holds.append(placed.id)
        self.same(lambda s: s.add_hold(placed, [fact("held", schedule.account)]))

    @rule(number=PICK)
    def release(self, number: int) -> None:
        chosen = [self.holds[number % len(self.holds)]] if self.holds else ["none"]
        self.same(lambda s: s.release_holds(chosen, self.clock(), [fact("released", "a")]))

    @rule()
    def expire(self) -> None:
        now = self.clock()
        for one in self.same(lambda s: list(s.expired_holds(now))):  # type: ignore[attr-defined]  # a list of holds
            told = [fact("expired", one.scope.account)]
            self.same(lambda s, one=one, told=told: s.release_holds([one.id], one.expires_at, told))  # type: ignore[misc]  # bound now

    @rule(number=PICK, again=st.booleans())
    def try_breaker(self, number: int, again: bool) -> None:
        chosen = self.holds[number % len(self.holds)] if self.holds else "none"
        now = self.clock()
        (last,) = {one.tried_at for one in self.stores[0].holds(now) if one.id == chosen} or {None}
        seen = last if again else None
        self.same(lambda s: s.try_hold(chosen, seen, now, "mark"))

    @rule(schedule=SCHEDULES)
    def ask(self, schedule: ScheduleId) -> None:
        wish = request(schedule, self.clock())
        self.same(lambda s: s.add_request(wish, [fact("requested", schedule.account)]))

    @rule(schedule=SCHEDULES, withdraw=st.booleans())
    def answer(self, schedule: ScheduleId, withdraw: bool) -> None:
        if withdraw:
            self.same(lambda s: s.withdraw_request(schedule, [fact("withdrawn", schedule.account)]))
        for wish in self.stores[0].requests(self.clock()):
            run = new_run(wish.schedule, created=self.clock())
            self.same(lambda s: s.take_request(wish, run, []))  # noqa: B023 - called before the loop goes on

    @rule(minutes=st.sampled_from([1, 2, 30, 60 * 25]))
    def pass_time(self, minutes: int) -> None:
        self.clock.forward(minutes * 60)
        self.same(lambda s: s.now())

    @rule(age=st.sampled_from([0, 3600]))
    def look_after(self, age: int) -> None:
        self.same(lambda s: s.checkpoint())
        before = FakeClock(self.clock())
        before.forward(-age)
        self.same(lambda s: s.purge(before(), []))
        self.same(self.everything)


def test_the_store_in_ram_and_sqlite_never_differ(sqlite_template: Path) -> None:
    BothStores.template = sqlite_template
    run_state_machine_as_test(
        BothStores,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
