"""The contract about accounts as a whole: another name, leaving, erasing; and which commit is applied."""

from __future__ import annotations

from gradesync.domain.action import ActionKind
from gradesync.domain.history import Fact
from gradesync.domain.hold import HoldScope
from gradesync.domain.run import Claimed, Run
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import RunQuery, Store, WaitingRecord
from gradesync.store.verify import verify_history
from tests.store.samples import (
    ALEX,
    DONE,
    GRADES,
    T0,
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

NEW = ScheduleId("riverside-usd", "grades")


def move(store: Store, expected: int | None = 1, new: str = "riverside-usd", old: str = "riverside") -> bool:
    renamed = action(ActionKind.MOVE, new, None, {"account": new, "group": "north"}, moved_from=old)
    facts = (fact("account moved", new), fact("account moved away", old))
    return apply(store, new, renamed, expected=expected, facts=facts)


def lived(store: Store) -> Run:
    """An account with something of everything; answers its run, ended."""
    school(store)
    store.append([fact("first told", detail="erasable")])
    run = queue(store)
    claimed = claim(store, run)
    records = store.records(claimed)
    waiting = [WaitingRecord("s2", "c1", "GS-405")]
    records.checkpoint("c1", ledger=[entry("s1", sent="x")], waiting=waiting, complete=True)
    records.set_watermarks({"identity": "uuid"})
    records.keep_generation('{"users": 1}', {("users", "s"): b"12345678"})
    store.finish(claimed, DONE, [fact("run ended", run_id=run.id, schedule="grades")])
    store.add_hold(hold(HoldScope("riverside", "grades"), minutes(60)), [])
    store.add_request(request(), [])
    store.add_approval(approval("d1"), [])
    return run


def retire(store: Store, key: str = "riverside", expected: int = 1) -> None:
    gone = [action(ActionKind.RETIRE, key, "grades"), action(ActionKind.RETIRE, key)]
    assert apply(store, key, *gone, expected=expected, facts=(fact("account retired", key),))


class Accounts:
    def test_a_renamed_account_keeps_all_that_it_had(self, store: Store) -> None:
        run = lived(store)
        assert move(store)
        recorded = store.recorded().accounts
        assert list(recorded) == ["riverside-usd"]
        assert recorded["riverside-usd"].revision == 2
        grades = recorded["riverside-usd"].schedules["grades"]
        assert (grades.account, grades.next_run_at, grades.held, grades.stopped) == (
            "riverside-usd",
            T0,
            True,
            True,
        )
        assert [r.id for r in store.runs(RunQuery(account="riverside-usd"))] == [run.id]
        assert list(store.last_runs()) == [NEW]
        assert [r.schedule for r in store.requests(T0)] == [NEW]
        assert [h.scope for h in store.holds(T0)] == [HoldScope("riverside-usd", "grades")]
        assert [a.digest for a in store.approvals("riverside-usd", T0)] == ["d1"]
        records = store.read_records("riverside-usd")
        assert list(records.ledger("c1")) == [("result", "s1")]
        assert list(records.waiting("c1")) == ["s2"]
        assert (records.watermark("identity"), records.generation()) == ("uuid", '{"users": 1}')
        assert records.generation_chunk("users", "s") == b"12345678"
        assert store.origin("riverside-usd") == "riverside"
        assert not verify_history(store)

    def test_nothing_is_left_under_the_old_name(self, store: Store) -> None:
        lived(store)
        assert move(store)
        old = store.read_records("riverside")
        assert (old.watermark("identity"), old.generation(), list(old.ledger("c1"))) == (None, None, [])
        assert not store.runs(RunQuery(account="riverside"))
        assert not store.approvals("riverside", T0)
        assert not list(store.classes("riverside"))

    def test_history_is_found_under_the_new_name_and_told_where_it_happened(self, store: Store) -> None:
        lived(store)
        assert move(store)
        told = [(e.chain, e.fact.what) for e in store.history("riverside-usd")]
        assert sorted(told) == [
            ("riverside", "first told"),
            ("riverside", "run ended"),
            ("riverside-usd", "account moved"),
        ]
        runs = store.history("riverside-usd", "grades")
        assert [e.fact.what for e in runs] == ["run ended"]
        assert store.erasable(minutes(1), "riverside-usd")["details"] == 1
        assert store.erasable(minutes(1), "riverside")["details"] == 0
        assert store.purge(minutes(1), [], "riverside-usd") >= 1
        assert store.erasable(minutes(1))["details"] == 0
        assert verify_history(store) == []

    def test_an_old_name_taken_by_another_account_keeps_the_two_apart(self, store: Store) -> None:
        lived(store)
        assert move(store)
        school(store)
        store.append([fact("second told")])
        assert {e.fact.what for e in store.history("riverside")} == {"account moved away", "second told"}
        assert "second told" not in {e.fact.what for e in store.history("riverside-usd")}
        assert store.origin("riverside") not in ("riverside", "riverside-usd"), "its hashes are its own"

    def test_an_account_renamed_twice_is_one_account(self, store: Store) -> None:
        lived(store)
        assert move(store)
        assert move(store, expected=2, new="unified", old="riverside-usd")
        assert store.origin("unified") == "riverside"
        assert {e.fact.what for e in store.history("unified")} == {
            "first told",
            "run ended",
            "account moved",
        }
        assert len(store.history("unified")) == 4

    def test_an_account_is_not_renamed_under_a_run(self, store: Store) -> None:
        school(store)
        claimed = claim(store, queue(store))
        assert not move(store)
        store.finish(claimed, DONE, [])
        assert move(store)

    def test_a_run_queued_before_the_rename_is_claimed_under_the_new_name(self, store: Store) -> None:
        school(store)
        first = claim(store, queue(store))
        store.finish(first, DONE, [])
        run = queue(store)
        assert move(store)
        claimed = claim(store, run)
        assert claimed.run.schedule == NEW
        assert claimed.epoch > first.epoch
        store.finish(claimed, DONE, [])

    def test_a_name_that_is_taken_or_a_revision_that_moved_is_no_rename(self, store: Store) -> None:
        school(store)
        school(store, "riverside-usd")
        assert not move(store)
        assert not move(store, expected=7, new="other")
        assert not move(store, expected=1, new="other", old="unknown")
        assert sorted(store.recorded().accounts) == ["riverside", "riverside-usd"]

    def test_an_account_that_left_is_retired_until_it_comes_back(self, store: Store) -> None:
        school(store)
        retire(store)
        assert store.recorded().accounts["riverside"].retired
        back = [
            action(ActionKind.CHANGE_ACCOUNT, "riverside"),
            action(ActionKind.CREATE, "riverside", "grades", next_run=T0),
        ]
        assert apply(store, "riverside", *back, expected=2)
        recorded = store.recorded().accounts["riverside"]
        assert (recorded.retired, recorded.schedules["grades"].retired) == (False, False)

    def test_what_is_kept_of_an_account_that_left_can_be_erased(self, store: Store) -> None:
        run = lived(store)
        school(store, "hillside")
        store.append([fact("told there", "hillside", detail="stays")])
        retire(store)
        erased = store.forget_account("riverside", Fact("account purged", ALEX, "riverside"))
        assert erased is not None
        assert {name: count for name, count in erased.items() if count} == {
            "approval": 1,
            "history details": 1,
            "ledger": 1,
            "request": 1,
            "roster_chunk": 1,
            "roster_generation": 1,
            "run texts": 1,
            "waiting": 1,
            "watermark": 1,
        }
        records = store.read_records("riverside")
        assert (records.watermark("identity"), list(records.ledger("c1"))) == (None, [])
        [left] = store.runs(RunQuery(run_id=run.id))
        assert left.result is not None
        assert (dict(left.result.counts), dict(left.result.vendor)) == ({"sent": 3}, {})
        entries = {e.fact.what: e for e in store.history("riverside")}
        assert entries["first told"].fact.detail is None
        assert entries["account purged"].fact.data["erased"] == erased
        assert store.history("hillside")[0].fact.detail == "stays"
        assert not verify_history(store)

    def test_a_live_account_an_unknown_one_and_one_that_works_keep_their_data(self, store: Store) -> None:
        lived(store)
        purged = Fact("account purged", ALEX, "riverside")
        assert store.forget_account("riverside", purged) is None
        assert store.forget_account("unknown", purged) is None
        claimed: Claimed = claim(store, queue(store))
        retire(store)
        assert store.forget_account("riverside", purged) is None
        store.finish(claimed, DONE, [])
        assert store.forget_account("riverside", purged) is not None
        assert store.add_run(new_run(GRADES)), "the store still knows the account"


class Commits:
    def test_the_applied_commit_only_moves_on_from_where_it_was_seen(self, store: Store) -> None:
        assert store.recorded().commit is None
        assert store.advance_commit("a", None)
        assert not store.advance_commit("b", None)
        assert store.advance_commit("b", "a")
        assert not store.advance_commit("c", "a")
        assert store.recorded([]).commit == "b"

    def test_a_pass_of_another_commit_applies_nothing_more(self, store: Store) -> None:
        school(store)
        change = action(ActionKind.CHANGE, "riverside", "grades", definition(posted_by="other"))
        assert store.advance_commit("c0ffee", None)
        assert apply(store, "riverside", change, expected=1)
        assert store.advance_commit("newer", "c0ffee")
        assert not apply(store, "riverside", change, expected=2)
        assert store.recorded().accounts["riverside"].revision == 2
