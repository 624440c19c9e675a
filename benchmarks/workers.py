"""Workers beside each other on one PostgreSQL: throughput, latency, and what the queue adds to each run.

`python -m benchmarks.workers` makes 2,000 made-up districts with five grade schedules each, puts 10,000 runs on the
queue and lets eight worker processes carry them out against the sandbox over HTTP; writes docs/workers-at-scale.md.
`--accounts 100` does less of it and writes the page too, with the size it had. That no two runs of one account
overlap is judged by the sandbox's own request log. Ends with 1 when any did, when a run did not end, or when a target
is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

from benchmarks.table import Row, table
from gradesync.domain.run import SCHEDULER, Claimed, Mode, Outcome, Run, RunResult, RunState, Stage, Trigger
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.engine.passing import PassState
from gradesync.engine.slots import queue_due
from gradesync.sandbox.front import RequestRecord
from gradesync.sandbox.server import running
from gradesync.store.holder import this_holder
from gradesync.store.open import open_store
from gradesync.wiring import open_app
from tests.postgresql import running_server
from tests.whole.harness import KEY, Tree

COMMAND = "python -m benchmarks.workers"
DOCUMENT = Path(__file__).parent.parent / "docs" / "workers-at-scale.md"
SCHEDULES = 5
STUDENTS = 2
CLAIMS = 500
ROUNDS = 3
PATIENCE = 7200.0

TEXT = """\
# Workers at scale

{workers} worker processes with {concurrency} accounts at once each, {accounts:,} accounts with {schedules} grade
schedules each, {runs:,} runs; PostgreSQL, the sandbox's Canvas and SIS (over HTTP on loopback) and all workers share
the processors of one machine. Written by `python -m benchmarks.workers`, which measures all of it anew.

| | |
|---|---|
{facts}

What the queue adds to a run:

{table}

Measured on {day} on {machine}.

* **Overlap** is judged by the sandbox's own request log: each request says its run and its epoch, and no run's requests
  may begin before the last request of the run before it in the same account.
* **Waiting** is the time from the claim of the slot to the beginning of the run: all runs are put on the queue at
  once, so it is the length of the queue that is measured. **Working** is the run itself, some {requests:.0f} requests.
* The sandbox took {share:.0%} of the processors. Seconds and throughput depend on what else the machine does; the CPU
  for each run and the ratios carry over.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of one measurement."""

    facts: list[tuple[str, str]]
    rows: list[Row]
    overlaps: int
    unfinished: int
    requests: float
    share: float


def main() -> None:
    """Measure, print, write the page."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--accounts", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--no-page", action="store_true", help="print only")
    asked = parser.parse_args()
    found = measure(asked.accounts, asked.workers, asked.concurrency)
    for what, value in found.facts:
        print(f"{what}: {value}")
    print(table(found.rows))
    if not asked.no_page:
        _write(found, asked)
    raise SystemExit(1 if found.overlaps or found.unfinished or not all(row.met for row in found.rows) else 0)


def _write(found: Measured, asked: argparse.Namespace) -> None:
    DOCUMENT.write_text(
        TEXT.format(
            workers=asked.workers,
            concurrency=asked.concurrency,
            accounts=asked.accounts,
            schedules=SCHEDULES,
            runs=asked.accounts * SCHEDULES,
            facts="\n".join(f"| {what} | {value} |" for what, value in found.facts),
            table=table(found.rows),
            day=datetime.now(UTC).date().isoformat(),
            machine=f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}",
            requests=found.requests,
            share=found.share,
        )
    )


def measure(accounts: int, workers: int, concurrency: int) -> Measured:
    """The whole of it, from an empty database to the last run's end."""
    districts = tuple(f"district{number:04}" for number in range(accounts))
    with (
        tempfile.TemporaryDirectory(prefix="workers-") as folder,
        running_server() as server,
        running(districts, students=STUDENTS) as sandbox,
    ):
        os.environ |= {"GRADESYNC_TEST_KEY": KEY, "GRADESYNC_TEST_STORE": str(server.get_uri())}
        tree = Tree(Path(folder), sandbox, accounts=districts, store=str(server.get_uri()))
        for district in districts:
            _five_schedules(tree, district)
        tree.prepare()
        bare, queued = _enqueue(tree)
        log = _Whole()
        sandbox.front.records = log
        began, cpu = time.monotonic(), time.process_time()
        spent = _carry_out(tree, workers, concurrency)
        wall, sandbox_cpu = time.monotonic() - began, time.process_time() - cpu
        facts, overlaps, unfinished = _judged(tree, log, wall)
        claim = _claims(tree)
        runs = accounts * SCHEDULES
    return Measured(
        facts=[*facts, ("CPU of the workers, each run", f"{spent / runs * 1000:.0f} ms")],
        rows=[
            Row(
                "a slot claimed and put on the queue: CPU, each run",
                queued * 1000,
                bare * 1000,
                "ms",
                "the same claim without the queue",
                2.5,
                COMMAND,
            ),
            Row(
                "a run claimed and finished (two transactions): CPU",
                claim[0] * 1000,
                claim[1] * 1000,
                "ms",
                "two bare transactions of one UPDATE each",
                None,
                COMMAND,
            ),
        ],
        overlaps=overlaps,
        unfinished=unfinished,
        requests=len(log) / runs,
        share=sandbox_cpu / (wall * (os.cpu_count() or 1)),
    )


class _Whole(list[RequestRecord]):
    """A request log that forgets nothing; the sandbox's own keeps the newest ones only."""

    def __delitem__(self, at: object) -> None:
        """Nothing goes."""


def _five_schedules(tree: Tree, district: str) -> None:
    """Grades alone, five times over: what is measured is many short runs of one account."""
    path = tree.root / "schedules" / f"{district}.yaml"
    head = path.read_text().partition("schedules:")[0]
    one = "  grades{n}: {{type: grade passback, interval: daily at 0{n}:30}}"
    lines = [one.format(n=number) for number in range(1, SCHEDULES + 1)]
    # One subject's classes: what is measured is the queue and the runs around it, not long gradebooks.
    scope = 'scope: {classes: {include: ["ENG*"]}}\n'
    path.write_text(head + scope + "schedules:\n" + "\n".join(lines) + "\n")


def _all_due(tree: Tree) -> None:
    micros = int((datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    tree.execute(f"UPDATE schedule SET next_run_at = {micros - 1000}")


def _enqueue(tree: Tree) -> tuple[float, float]:
    """CPU seconds for each run: its slot claimed alone, and claimed with its job."""

    def claimed(*, enqueue: bool) -> float:
        _all_due(tree)
        with open_app(tree.root) as app:
            state = PassState(app.tools(), None)
            app.store.redeliver()  # the queue's tables are made once, which is not what is measured
            began = time.thread_time()
            queue_due(state, enqueue=enqueue)
            return (time.thread_time() - began) / state.enqueued

    def anew() -> None:
        tree.execute("DELETE FROM run")
        tree.execute("DELETE FROM procrastinate_jobs")

    claimed(enqueue=True)  # everything is imported and compiled once
    bare, queued = [], []
    for _ in range(ROUNDS):
        anew()
        bare.append(claimed(enqueue=False))
        anew()
        queued.append(claimed(enqueue=True))
    return statistics.median(bare), statistics.median(queued)


def _carry_out(tree: Tree, workers: int, concurrency: int) -> float:
    """Start the workers, wait for the last run, ask them to end; their CPU seconds."""
    before = os.times()
    processes = [
        tree.start("worker", "--concurrency", str(concurrency), "--name", f"w{number}")
        for number in range(workers)
    ]
    # What they say is read all the while: one whose pipe is full stands still, heartbeat and all.
    said: dict[int, str] = {}
    listening = [Thread(target=_listen, args=(one, said), daemon=True) for one in processes]
    for listener in listening:
        listener.start()
    ends_at = time.monotonic() + PATIENCE
    while _open(tree) and time.monotonic() < ends_at and all(one.poll() is None for one in processes):
        time.sleep(1)
    for one in processes:
        one.send_signal(signal.SIGTERM)
    for process, listener in zip(processes, listening, strict=True):
        listener.join(120)
        if process.returncode != 0:
            raise SystemExit(f"a worker ended with {process.returncode}: {said.get(process.pid, '')[-2000:]}")
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)


def _listen(process: subprocess.Popen[str], said: dict[int, str]) -> None:
    _, said[process.pid] = process.communicate()


def _open(tree: Tree) -> int:
    return int(tree.rows("SELECT count(*) AS n FROM run WHERE state <> 'ended'")[0]["n"])


def _judged(tree: Tree, log: Sequence[RequestRecord], wall: float) -> tuple[list[tuple[str, str]], int, int]:
    runs = tree.rows("SELECT * FROM run")
    overlapping = overlaps(log)
    waits = sorted((run["started_at"] - run["created_at"]) / 1e6 for run in runs if run["started_at"])
    works = sorted((run["ended_at"] - run["started_at"]) / 1e6 for run in runs if run["ended_at"])
    attempts = sum(run["attempt"] for run in runs)
    outcomes = {run["outcome"] for run in runs}
    unfinished = sum(run["state"] != "ended" for run in runs)
    named = len({(record.district, record.run) for record in log})
    return (
        [
            (
                "runs",
                f"{len(runs):,}, attempts {attempts:,}, outcomes {', '.join(sorted(map(str, outcomes)))}",
            ),
            ("runs of one account that overlap, by the request log", str(overlapping)),
            ("requests", f"{len(log):,}, of {named:,} runs"),
            ("wall", f"{wall:,.0f} s"),
            ("throughput", f"{len(runs) / wall:.1f} runs/s"),
            ("waiting in the queue, median and 95th of 100", _two(waits)),
            ("working, median and 95th of 100", _two(works)),
        ],
        overlapping,
        unfinished,
    )


def overlaps(log: Sequence[RequestRecord]) -> int:
    """How many runs of the log have a request before the end of another run of the same district."""
    spans: dict[tuple[str, str], list[datetime]] = {}
    for record in log:
        if record.run:
            spans.setdefault((record.district, record.run), [record.at, record.at])[1] = record.at
    by_district: dict[str, list[list[datetime]]] = defaultdict(list)
    for (district, _), span in spans.items():
        by_district[district].append(span)
    found = 0
    for each in by_district.values():
        ordered = sorted(each)
        found += sum(later[0] < earlier[1] for earlier, later in pairwise(ordered))
    return found


def _two(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} s, {values[int(len(values) * 0.95)]:.2f} s" if values else "none"


def _claims(tree: Tree) -> tuple[float, float]:
    """CPU of this side for one claim with its finish, and for two bare transactions, in seconds."""
    import psycopg

    assert tree.store is not None
    holder = this_holder("bench")
    done = RunResult(Outcome.COMPLETED, Stage.RECORD)
    with closing(open_store(tree.store, create=False)) as store:
        runs = [
            _run(store.now(), tree.accounts[number % len(tree.accounts)], number) for number in range(CLAIMS)
        ]
        for run in runs:
            store.add_run(run)

        def claim_and_finish(run: Run) -> None:
            claimed = store.claim(run.id, holder, 60)
            assert isinstance(claimed, Claimed)
            store.finish(claimed, done, [])

        ours = _each(claim_and_finish, runs)
    with psycopg.connect(tree.store, autocommit=True) as session:

        def bare(run: Run) -> None:
            for late_by in (1, 2):
                session.execute("UPDATE run SET late_by = %s WHERE id = %s", [late_by, run.id])

        return ours, _each(bare, runs)


def _each(work: Callable[[Run], Any], runs: Sequence[Run]) -> float:
    began = time.thread_time()
    for run in runs:
        work(run)
    return (time.thread_time() - began) / len(runs)


def _run(now: datetime, account: str, number: int) -> Run:
    return Run(
        id=f"bench{number:027}",
        schedule=ScheduleId(account, "grades1"),
        type=SyncType.GRADE_PASSBACK,
        slot_key=f"bench {number}",
        slot_at=now,
        trigger=Trigger.SLOT,
        mode=Mode.DELTA,
        actor=SCHEDULER,
        state=RunState.QUEUED,
        created_at=now,
    )


if __name__ == "__main__":
    main()
