"""One pass after another: what is applied, what runs, what is left alone, and what the history says of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.gradebook import Result
from gradesync.domain.hold import HoldKind, HoldScope
from gradesync.domain.report import PassReport, exit_code_of
from gradesync.domain.run import Busy, Claimed, Holder, Mode, Outcome, RunState, Trigger
from gradesync.domain.schedule import SyncType
from gradesync.engine import slots
from gradesync.engine.control import ByHand, place_hold, release, run_by_hand
from gradesync.engine.reconcile import PassOptions, reconcile
from gradesync.engine.requests import request_run
from gradesync.engine.runner import effective, queued_run
from gradesync.errors import AccountBusy, Blocked, ConnectionProblem, NotFound, StoreUnavailable
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import GRADES, OTHER, District
from tests.syncs.passback_school import START, work

HERE = HoldScope(account="riverside", schedule="grades")


def outcomes(report: PassReport) -> list[str]:
    return [end.result.outcome.value if end.result else "lost" for end in report.ends]


def sent(report: PassReport) -> int:
    return sum(end.result.counts.get("sent", 0) for end in report.ends if end.result)


def test_a_merge_is_applied_and_the_first_slot_carries_the_grades() -> None:
    district = District()
    first = district.reconcile(district.tree())
    assert (first.applied, outcomes(first)) == (2, [])
    district.later(15)
    second = district.reconcile(district.tree())
    assert (second.applied, sent(second), exit_code_of(second)) == (0, 6, 0)
    assert district.words() == ["account changed", "schedule created", "run ended"]
    assert district.runs()[0].mode is Mode.FULL


def test_the_report_shows_the_run_as_it_ended() -> None:
    district = District()
    (end,) = district.started().ends
    (kept,) = district.runs()
    assert (end.run.state, end.run.ended_at, end.run.result) == (kept.state, kept.ended_at, kept.result)
    assert end.run.state is RunState.ENDED


def test_a_second_pass_in_the_same_slot_runs_nothing_again() -> None:
    district = District()
    district.started()
    again = district.reconcile()
    assert outcomes(again) == []
    assert len(district.runs()) == 1


def test_passes_that_came_late_run_once_and_say_what_was_missed() -> None:
    district = District()
    district.started()
    district.later(60)
    report = district.reconcile()
    assert len(report.ends) == 1
    assert report.missed == {GRADES: 3}
    (entry,) = district.history("slots missed")
    assert entry.fact.data["count"] == 3


def test_a_pause_in_the_files_stops_the_next_slot_and_a_resume_catches_nothing_up() -> None:
    district = District()
    district.started()
    paused = district.reconcile(district.tree(state="paused", reason="SIS upgrade"))
    assert paused.applied == 1
    district.later(60)
    assert outcomes(district.reconcile(district.tree(state="paused", reason="SIS upgrade"))) == []
    assert outcomes(district.reconcile(district.tree())) == []
    district.later(15)
    assert len(district.reconcile(district.tree()).ends) == 1


def queue_while_busy(district: District) -> Claimed:
    """Somebody else works in the account while a slot comes; answers their claim."""
    target = district.store.recorded(["riverside"]).accounts["riverside"]
    run = queued_run(
        effective(target).account,
        "grades",
        slot_key="manual:other",
        slot_at=None,
        trigger=Trigger.BY_HAND,
        mode=Mode.DELTA,
        actor=district.tools.actor,
        now=district.store.now(),
    )
    district.store.add_run(run)
    claimed = district.store.claim(run.id, OTHER, 3600)
    assert isinstance(claimed, Claimed)
    return claimed


def finish(district: District, claimed: Claimed) -> None:
    from gradesync.domain.run import RunResult, Stage

    district.store.finish(claimed, RunResult(Outcome.COMPLETED, Stage.RECORD), [])


def test_a_busy_account_keeps_its_slot_for_the_next_pass() -> None:
    district = District()
    district.reconcile(district.tree())
    claimed = queue_while_busy(district)
    district.later(15)
    busy = district.reconcile()
    assert [lease.holder for lease in busy.busy] == ["ci-7"]
    assert exit_code_of(busy) == 0
    finish(district, claimed)
    district.later(1)
    assert sent(district.reconcile()) == 6


def test_a_slot_still_waiting_when_the_next_one_comes_is_missed_not_run_twice() -> None:
    district = District()
    district.reconcile(district.tree())
    claimed = queue_while_busy(district)
    for _ in range(3):
        district.later(15)
        district.reconcile()
    finish(district, claimed)
    report = district.reconcile()
    assert len(report.ends) == 1
    assert [e.fact.data["code"] for e in district.history("slot missed")] == ["GS-703", "GS-703"]
    assert sum(run.state is RunState.QUEUED for run in district.runs()) == 0


@pytest.mark.parametrize("how", ["paused in the files", "held", "blackout"])
def test_a_pause_reaches_a_run_that_was_queued_before_it(how: str) -> None:
    district = District()
    district.reconcile(district.tree())
    claimed = queue_while_busy(district)
    district.later(15)
    district.reconcile()
    finish(district, claimed)
    tree = district.tree()
    if how == "paused in the files":
        tree = district.tree(state="paused")
    elif how == "held":
        place_hold(district.tools, HERE, "SIS upgrade", None)
    else:
        rows = [{"name": "roll", "from": "2026-10-06 09:00", "until": "2026-10-06 23:00"}]
        tree = desired(account("riverside", {"grades": schedule()}, scope={"terms": "all"}, blackouts=rows))
    district.later(1)
    report = district.reconcile(tree)
    assert outcomes(report) == []
    assert set(report.blocked) == {GRADES}
    assert district.school.sis.writes == 0
    assert [e.fact.what for e in district.history("run skipped")] == ["run skipped"]


def test_a_request_runs_at_the_next_pass_and_only_once() -> None:
    district = District()
    district.reconcile(district.tree())
    request_run(district.tools, GRADES, Mode.FULL, "a teacher asked")
    with pytest.raises(Blocked):
        request_run(district.tools, GRADES, Mode.FULL, None)
    report = district.reconcile()
    assert (len(report.ends), report.ends[0].run.trigger, sent(report)) == (1, Trigger.REQUEST, 6)
    assert outcomes(district.reconcile()) == []
    with pytest.raises(NotFound):
        request_run(district.tools, replace(GRADES, name="other"), Mode.FULL, None)


def test_a_request_waits_behind_a_hold_and_runs_after_its_release() -> None:
    district = District()
    district.reconcile(district.tree())
    request_run(district.tools, GRADES, Mode.DELTA, None)
    place_hold(district.tools, HERE, "roster looks wrong", timedelta(hours=1))
    blocked = district.reconcile()
    assert (outcomes(blocked), set(blocked.blocked)) == ([], {GRADES})
    assert len(district.store.requests(district.store.now())) == 1
    assert len(release(district.tools, HERE).released) == 1
    assert len(district.reconcile().ends) == 1


def test_a_hold_ends_by_itself_and_its_slots_are_not_caught_up() -> None:
    district = District()
    district.reconcile(district.tree())
    place_hold(district.tools, HERE, "SIS upgrade", timedelta(minutes=20))
    district.later(16)
    assert outcomes(district.reconcile()) == []
    district.later(10)
    assert outcomes(district.reconcile()) == []
    district.later(5)
    assert len(district.reconcile().ends) == 1


def test_a_slot_that_came_under_a_hold_is_not_run_by_a_pass_after_it() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(10)
    place_hold(district.tools, HERE, "SIS upgrade", None)
    district.later(10)
    release(district.tools, HERE)
    district.later(1)
    assert outcomes(district.reconcile()) == []
    district.later(9)
    assert len(district.reconcile().ends) == 1


def test_releasing_one_hold_leaves_a_wider_one_in_force() -> None:
    district = District()
    district.reconcile(district.tree())
    place_hold(district.tools, HERE, "mine", None)
    place_hold(district.tools, HoldScope(type=SyncType.GRADE_PASSBACK), "everybody's", None)
    resumed = release(district.tools, HERE)
    assert [hold.reason for hold in resumed.released] == ["mine"]
    assert [block.kind for _, block in resumed.still] == ["hold"]
    district.later(15)
    assert outcomes(district.reconcile()) == []


def test_observing_tells_what_would_be_sent_and_sends_nothing() -> None:
    district = District(state="observe")
    report = district.started()
    assert outcomes(report) == ["completed"]
    assert district.school.sis.writes == 0
    assert district.store.ledger_rows == {}
    assert report.ends[0].result is not None
    counts = report.ends[0].result.counts
    assert (counts["would send"], counts["would send line items"], counts.get("sent", 0)) == (6, 4, 0)
    assert district.history("run ended")[0].fact.data["counts"] == {
        "classes": 3,
        "would send": 6,
        "would send line items": 4,
    }
    # A person's press of the button does not send either, and going live sends everything.
    end = asyncio.run(run_by_hand(district.tools, ByHand(GRADES)))
    assert end.result is not None
    assert district.school.sis.writes == 0
    district.reconcile(district.tree(state="active"))
    district.later(15)
    assert sent(district.reconcile()) == 6


def test_another_institution_places_a_hold_that_only_a_person_lifts() -> None:
    district = District()
    district.started()
    district.school.sis.district = "copied-by-mistake"
    district.later(15)
    report = district.reconcile()
    assert outcomes(report) == ["failed"]
    assert report.ends[0].result is not None
    assert report.ends[0].result.codes == {"GS-208": 1}
    assert exit_code_of(report) == 3
    (hold,) = district.store.holds(district.store.now())
    assert (hold.kind, hold.expires_at) == (HoldKind.IDENTITY, None)
    district.school.sis.district = "district-1"
    district.later(15)
    blocked = district.reconcile()
    assert (outcomes(blocked), set(blocked.blocked)) == ([], {GRADES})
    release(district.tools, HoldScope(account="riverside"))
    district.later(15)
    assert outcomes(district.reconcile()) == ["completed"]


def test_the_second_schedule_of_the_same_pass_is_stopped_by_that_hold_too() -> None:
    district = District()
    more = {"second": schedule(posted_by="x")}
    district.reconcile(district.tree(more=more))
    district.later(15)
    district.reconcile()
    district.school.canvas.uuid = "another"
    district.later(15)
    report = district.reconcile()
    assert len(report.ends) == 1
    assert len(report.blocked) == 1


def test_uneventful_runs_are_counted_in_the_entry_that_ends_them() -> None:
    district = District()
    district.started()
    for _ in range(3):
        district.later(15)
        district.reconcile()
    assert len(district.runs()) == 4
    assert len(district.history("run ended")) == 1
    district.school.grade(1, 11, "9")
    district.later(15)
    district.reconcile()
    last = district.history("run ended")[-1].fact.data
    assert last["uneventful runs before"] == 3
    assert last["counts"]["sent"] == 1  # type: ignore[index]  # JSON of the history, a mapping here


def test_a_run_of_nothing_but_a_changed_title_is_history() -> None:
    district = District()
    district.started()
    first = district.school.canvas.held[1].assignments[0]
    district.school.canvas.held[1].assignments[0] = replace(first, title="New title")
    district.later(15)
    district.reconcile()
    assert district.history("run ended")[-1].fact.data["counts"]["line items sent"] == 1  # type: ignore[index]  # JSON


def test_trouble_already_told_is_no_new_failure() -> None:
    district = District()
    district.reconcile(district.tree())
    district.school.grade(1, 11, None, excused=True)
    district.later(15)
    first = district.reconcile()
    assert (outcomes(first), exit_code_of(first)) == (["warning"], 3)
    district.later(15)
    assert exit_code_of(district.reconcile()) == 0


def test_a_run_by_hand_names_every_block_and_needs_a_reason_to_go_over_it() -> None:
    district = District(state="paused")
    district.reconcile(district.tree())
    place_hold(district.tools, HERE, "roster looks wrong", None)

    def by_hand(**wish: Any) -> Any:
        return asyncio.run(run_by_hand(district.tools, ByHand(GRADES, **wish)))

    with pytest.raises(Blocked, match=r"paused.*held by alex"):
        by_hand(despite=frozenset({"blackout"}))
    with pytest.raises(Blocked, match="held"):
        by_hand(despite=frozenset({"paused"}), reason="x")
    with pytest.raises(Blocked, match="reason"):
        by_hand(despite=frozenset({"paused", "hold"}))
    end = by_hand(despite=frozenset({"paused", "hold"}), reason="the registrar asked")
    assert end.result.counts["sent"] == 6
    assert district.history("run ended")[0].fact.data["reason"] == "the registrar asked"


def test_a_run_by_hand_does_not_wait_for_a_busy_account() -> None:
    district = District()
    district.reconcile(district.tree())
    queue_while_busy(district)
    with pytest.raises(AccountBusy, match="ci-7"):
        asyncio.run(run_by_hand(district.tools, ByHand(GRADES)))
    assert not [run for run in district.runs() if run.state is RunState.QUEUED]


def test_a_run_that_met_a_busy_account_makes_nothing_of_the_next_one_look_new() -> None:
    district = District()
    course = next(iter(district.school.canvas.held.values()))
    course.assignments[0] = work(course.assignments[0].id, course.course.id, due_at=None)
    district.reconcile(district.tree())

    def full() -> Any:
        return asyncio.run(run_by_hand(district.tools, ByHand(GRADES, mode=Mode.FULL)))

    assert full().new_or_worse
    claimed = queue_while_busy(district)
    with pytest.raises(AccountBusy):
        full()
    finish(district, claimed)
    again = full()
    assert again.previous.outcome is Outcome.WARNING
    assert not again.new_or_worse


def test_a_delta_over_records_that_wait_says_how_many_it_did_not_try() -> None:
    district = District()
    district.school.sis.closed = frozenset({"q1"})
    district.started()
    delta = asyncio.run(run_by_hand(district.tools, ByHand(GRADES)))
    assert delta.result is not None
    assert delta.result.outcome is Outcome.COMPLETED
    assert set(delta.untried) == {"GS-501"}
    assert delta.untried["GS-501"] > 0
    district.school.sis.closed = frozenset()
    full = asyncio.run(run_by_hand(district.tools, ByHand(GRADES, mode=Mode.FULL)))
    assert full.result is not None
    assert full.result.counts["sent"] > 0
    assert not full.untried
    assert not district.store.waiting_counts("riverside")


def test_a_dry_run_leaves_no_row_and_no_write() -> None:
    district = District()
    district.reconcile(district.tree())
    end = asyncio.run(run_by_hand(district.tools, ByHand(GRADES, dry=True)))
    assert end.result is not None
    assert end.result.counts["sent"] == 6
    assert (district.runs(), district.school.sis.writes, district.store.ledger_rows) == ([], 0, {})


def test_an_interrupted_pass_hands_its_run_to_the_next_one() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    sis = district.school.sis

    writing = asyncio.Event()

    async def stuck(result: Result, *, new: bool = True) -> str:
        writing.set()
        await asyncio.sleep(3600)
        return result.id

    async def interrupted() -> None:
        task = asyncio.create_task(reconcile(district.tools, PassOptions()))
        await writing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    put, sis.put_result = sis.put_result, stuck  # type: ignore[method-assign]  # a SIS that never answers
    asyncio.run(interrupted())
    sis.put_result = put  # type: ignore[method-assign]  # and answers again
    assert district.store.leases() == []
    assert [run.state for run in district.runs()] == [RunState.QUEUED]
    report = district.reconcile()
    assert (outcomes(report), len(district.school.grades())) == (["completed"], 6)
    assert report.ends[0].run.attempt == 2


def test_a_run_stopped_by_an_operator_ends_as_stopped_with_its_counts() -> None:
    district = District()
    district.tools = replace(district.tools, lease_seconds=0.2)
    district.reconcile(district.tree())
    district.later(15)
    sis, store = district.school.sis, district.store

    async def stuck(result: Result, *, new: bool = True) -> str:
        store.stop_run(district.runs()[0].id, [])
        await asyncio.sleep(3600)
        return result.id

    put, sis.put_result = sis.put_result, stuck  # type: ignore[method-assign]  # a SIS that never answers
    report = district.reconcile()
    sis.put_result = put  # type: ignore[method-assign]  # and answers again
    assert outcomes(report) == ["stopped"]
    assert report.ends[0].result is not None
    assert report.ends[0].result.codes == {"GS-708": 1}
    assert store.leases() == []
    assert district.history("run ended")[0].fact.data["outcome"] == "stopped"
    district.later(15)
    assert outcomes(district.reconcile()) == ["completed"]
    assert len(district.school.grades()) == 6


def test_a_lost_lease_ends_the_run_here_and_writes_no_end() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)

    def taken() -> None:
        if district.school.sis.writes == 2:
            district.store.unlock("riverside", [])

    sis = district.school.sis
    put = sis._before

    def before() -> None:
        put()
        taken()

    sis._before = before  # type: ignore[method-assign]  # somebody takes the lease in the middle
    report = district.reconcile()
    assert outcomes(report) == ["lost"]
    assert district.history("run ended") == []
    sis._before = put  # type: ignore[method-assign]  # and lets go
    district.later(1)
    district.reconcile()
    assert len(district.school.grades()) == 6


def test_a_store_that_fails_is_told_as_itself() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)

    def gone(run_id: str, holder: Holder, ttl: float) -> Any:
        raise StoreUnavailable("the database is away")

    district.store.claim = gone  # type: ignore[method-assign]  # the database goes away between two verbs
    with pytest.raises(StoreUnavailable):
        district.reconcile()


def test_a_bug_of_ours_fails_one_run_and_not_the_pass() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    district.school.canvas.broken[1] = ZeroDivisionError("a student's name could stand here")
    report = district.reconcile()
    assert report.ends[0].result is not None
    assert (report.ends[0].result.outcome, report.ends[0].result.codes) == (Outcome.FAILED, {"GS-709": 1})
    assert district.store.leases() == []


def test_another_key_stops_before_the_first_read() -> None:
    district = District()
    district.started()
    district.keys.key = b"x" * 32
    district.school.canvas.reads.clear()
    district.later(15)
    report = district.reconcile()
    assert report.ends[0].result is not None
    assert report.ends[0].result.codes == {"GS-207": 1}
    assert district.school.canvas.reads == []


def test_of_two_passes_that_begin_a_ledger_with_two_keys_only_one_goes_on() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    known = district.store.key_id

    def overtaken() -> str | None:
        found = known()
        district.store.set_key_id("another pass's")
        return found

    district.store.key_id = overtaken  # type: ignore[method-assign]  # another pass names its key in this moment
    report = district.reconcile()
    assert report.ends[0].result is not None
    assert report.ends[0].result.codes == {"GS-207": 1}
    assert district.store.key_id() == "another pass's"
    assert district.school.sis.writes == 0


def test_a_refused_key_fails_the_run_with_its_code_and_stage() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    district.school.canvas.broken[1] = ConnectionProblem("refused", code="GS-201", hint="renew the token")
    report = district.reconcile()
    (end,) = report.ends
    assert end.result is not None
    assert (end.result.outcome, end.result.codes) == (Outcome.FAILED, {"GS-201": 1})
    # What to renew is named by its reference, never by its value.
    assert end.hint is not None
    assert end.hint.startswith("renew the token; renew what `env:")


def test_withheld_actions_are_not_applied_and_consent_is_history() -> None:
    district = District()
    more = {f"s{n}": schedule(posted_by=f"p{n}") for n in range(3)}
    district.reconcile(district.tree("one", more))
    held = district.reconcile(district.tree("two"))
    assert held.plan is not None
    assert (held.applied, len(held.plan.withheld), exit_code_of(held)) == (0, 3, 5)
    wrong = district.reconcile(district.tree("two"), allow="000000000000", reason="because")
    assert (wrong.applied, exit_code_of(wrong)) == (0, 5)
    assert wrong.plan is not None
    assert not wrong.plan.allowed
    allowed = district.reconcile(district.tree("two"), allow=held.plan.digest, reason="because")
    assert (allowed.applied, exit_code_of(allowed)) == (3, 0)
    assert allowed.plan is not None
    assert allowed.plan.allowed
    (fact,) = [e.fact for e in district.store.history() if e.fact.what == "plan allowed"]
    assert fact.data == {"digest": held.plan.digest, "reason": "because"}


def test_the_applied_commit_is_remembered_even_when_a_part_was_withheld() -> None:
    district = District()
    more = {f"s{n}": schedule(posted_by=f"p{n}") for n in range(3)}
    district.reconcile(district.tree("one", more))
    district.reconcile(district.tree("two", state="paused"))
    assert district.store.recorded().commit == "two"


def test_one_interval_nobody_understands_any_more_stops_no_other_schedule() -> None:
    district = District()
    district.reconcile(district.tree(more={"odd": schedule(posted_by="x")}))
    row = district.store.schedule_rows[replace(GRADES, name="odd")]
    row.text = row.text.replace('"interval":"every 15 minutes"', '"interval":"whenever"')
    district.later(15)
    report = district.reconcile()
    assert [end.run.schedule for end in report.ends] == [GRADES]


def test_a_schedule_retired_while_its_run_waited_does_not_run() -> None:
    district = District()
    more = {f"s{n}": schedule(type="roster import", posted_by=f"p{n}", state="paused") for n in range(4)}
    district.reconcile(district.tree(more=more))
    claimed = queue_while_busy(district)
    district.later(15)
    district.reconcile(district.tree(more=more))
    finish(district, claimed)
    report = district.reconcile(desired(account("riverside", more, scope={"terms": "all"})))
    assert (report.applied, outcomes(report)) == (1, [])
    assert district.runs()[0].result is not None
    assert district.school.sis.writes == 0


@pytest.mark.parametrize("how", ["retired", "paused in the files", "held"])
def test_a_crashed_run_that_may_not_go_on_is_ended_once(how: str) -> None:
    district = District()
    more = {f"s{n}": schedule(type="roster import", posted_by=f"p{n}", state="paused") for n in range(4)}
    district.reconcile(district.tree(more=more))
    crashed = queued_run(
        effective(district.store.recorded(["riverside"]).accounts["riverside"]).account,
        "grades",
        slot_key=district.store.now().isoformat(),
        slot_at=district.store.now(),
        trigger=Trigger.SLOT,
        mode=Mode.DELTA,
        actor=district.tools.actor,
        now=district.store.now(),
    )
    district.store.add_run(crashed)
    assert isinstance(district.store.claim(crashed.id, OTHER, 60), Claimed)
    district.later(10)
    tree = district.tree(more=more)
    if how == "retired":
        tree = desired(account("riverside", more, scope={"terms": "all"}))
    elif how == "held":
        place_hold(district.tools, HERE, "SIS upgrade", None)
    else:
        tree = district.tree(more=more, state="paused")
    for _ in range(3):
        assert outcomes(district.reconcile(tree)) == []
    (run,) = district.runs()
    assert run.result is not None
    assert (run.state, run.result.outcome) == (RunState.ENDED, Outcome.ABANDONED)
    assert run.result.codes == {"GS-702": 1}
    assert len(district.history("run ended")) == 1
    assert (list(district.store.queued_runs()), list(district.store.leases())) == ([], [])
    assert district.school.sis.writes == 0


def test_only_the_accounts_named_are_run() -> None:
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    assert outcomes(district.reconcile(only=frozenset({"elsewhere"}))) == []
    assert len(district.reconcile(only=frozenset({"riverside"})).ends) == 1


@pytest.mark.parametrize("only", [None, frozenset({"riverside"})])
def test_more_due_slots_than_go_together_are_all_claimed_once(
    only: frozenset[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "BATCH", 2)
    district = District()
    district.reconcile(district.tree(more={f"grades{n}": schedule() for n in range(6)}))
    district.later(15)
    report = district.reconcile(only=only)
    assert len(report.ends) == len({run.schedule for run in district.runs()}) == len(district.runs()) == 7


def test_the_grades_in_the_sis_are_the_ones_in_canvas() -> None:
    district = District()
    district.started()
    assert district.school.grades()["Work 1", "s11"] == (Decimal("4.5"), "fully graded")
    assert district.school.now > START
    assert isinstance(district.store.claim(district.runs()[0].id, OTHER, 1), Busy) is False
