"""Several real processes on one store: who wins, who recovers, and what a killed or frozen one leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from gradesync.domain.run import Busy, RunState
from gradesync.errors import LeaseLost
from gradesync.ports import RunQuery
from gradesync.store.holder import is_dead, this_holder
from gradesync.store.verify import verify_history
from tests.store.conftest import Place
from tests.store.samples import DONE, GRADES, claim, minutes, new_run, queue, school

CLAIMER = """
import sys, time
from gradesync.domain.run import Claimed
from gradesync.store.holder import this_holder
from gradesync.store.open import open_store
store = open_store(sys.argv[1], create=False)
answer = store.claim(sys.argv[2], this_holder("child"), 60)
print(type(answer).__name__, flush=True)
if isinstance(answer, Claimed):
    sys.stdin.readline()
"""

PASS = """
import sys
from dataclasses import replace
from gradesync.domain.run import *
from gradesync.ports import SlotClaim
from gradesync.store.holder import this_holder
from gradesync.store.open import open_store
from tests.store.samples import DONE, fact, minutes, new_run
store = open_store(sys.argv[1], create=False)
rows = store.due_rows(minutes(1))
sys.stdin.readline()
claims = [
    SlotClaim(r.schedule, r.next_run_at, minutes(15),
              replace(new_run(r.schedule, slot="s"), id=f"{sys.argv[2]}-{r.schedule}"))
    for r in rows
]
mine = store.claim_slots(claims)
done = 0
for run in store.queued_runs():
    answer = store.claim(run.id, this_holder(sys.argv[2]), 60)
    if isinstance(answer, Claimed):
        store.finish(answer, DONE, [fact("run completed", run.schedule.account, run_id=run.id)])
        done += 1
print(len(mine), done, flush=True)
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.kill()
        process.communicate()


def test_processes_that_claim_the_same_run_have_one_winner(place: Place) -> None:
    with closing(place.open(None)) as store:
        run = queue(store)
        children = [start(CLAIMER, place.url, run.id) for _ in range(3)]
        assert sorted(first_line(child) for child in children) == ["Busy", "Busy", "Claimed"]
        assert isinstance(store.claim(run.id, this_holder("parent"), 60), Busy)
        end(*children)


def test_a_killed_holder_is_known_to_be_dead_at_once(place: Place) -> None:
    with closing(place.open(None)) as store:
        run = queue(store)
        child = start(CLAIMER, place.url, run.id)
        assert first_line(child) == "Claimed"
        assert store.queued_runs() == []
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        # Not reaped yet: as a zombie it runs no code any more.
        assert [r.id for r in store.queued_runs()] == [run.id]
        assert store.leases() == []
        end(child)
        again = claim(store, run, this_holder("parent"))
        assert (again.epoch, again.run.attempt) == (2, 2)
        assert [e.fact.data["holder"] for e in store.history()] == ["child"]


def test_a_frozen_holder_keeps_its_lease_until_the_time_is_up(place: Place) -> None:
    with closing(place.open(None, lease_grace=0.0)) as store:
        run = queue(store)
        child = start(CLAIMER, place.url, run.id)
        assert first_line(child) == "Claimed"
        child.send_signal(signal.SIGSTOP)
        assert isinstance(store.claim(run.id, this_holder("parent"), 60), Busy)
        end(child)


def test_three_processes_share_the_work_of_one_store(place: Place) -> None:
    with closing(place.open(None)) as store:
        for number in range(12):
            school(store, f"a{number:02}", "grades", "roster")
        children = [start(PASS, place.url, name) for name in "xyz"]
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        results = [child.communicate()[0].split() for child in children]
        assert sum(int(claimed) for claimed, _ in results) == 24
        for run in store.queued_runs():
            store.finish(claim(store, run, this_holder("parent")), DONE, [])
        runs = store.runs(RunQuery(limit=100))
        assert [run.state for run in runs] == [RunState.ENDED] * 24
        assert {run.attempt for run in runs} == {1}
        assert len(store.history(limit=100)) == sum(int(done) for _, done in results)
        assert verify_history(store) == []


def test_this_process_is_alive_and_an_earlier_one_with_its_number_is_not() -> None:
    me = this_holder("me")
    assert not is_dead(me)
    assert is_dead(replace(me, process_start="1"))
    assert is_dead(replace(me, pid=2**22 + 1))


@pytest.mark.parametrize("other", [{"host": "elsewhere"}, {"boot_id": "earlier"}, {"boot_id": ""}])
def test_processes_of_another_host_or_boot_are_never_called_dead(other: dict[str, str]) -> None:
    gone = replace(this_holder("me"), pid=2**22 + 1)
    assert not is_dead(replace(gone, **other))  # type: ignore[arg-type]  # only texts are replaced


def test_a_claim_is_timed_by_the_stores_own_clock(place: Place) -> None:
    with closing(place.open(None)) as store:
        run = new_run(GRADES, created=minutes(0))
        store.add_run(run)
        before = store.now()
        claimed = claim(store, run)
        assert claimed.run.started_at is not None
        assert before <= claimed.run.started_at <= store.now()
        [lease] = store.leases()
        assert (lease.until - claimed.run.started_at).total_seconds() == 60
        with pytest.raises(LeaseLost):
            store.finish(replace(claimed, epoch=9), DONE, [])
