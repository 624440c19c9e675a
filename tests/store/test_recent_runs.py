"""The newest runs of every schedule at once, on every kind of store: what a page reads of its history."""

from __future__ import annotations

from gradesync.domain.run import Mode, Outcome, RunResult, Stage
from gradesync.domain.run_line import line_of
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import RunQuery, Store
from tests.store.samples import claim, minutes, queue, school


def test_each_schedule_has_its_newest_runs_and_no_account_pays_for_another(store: Store) -> None:
    school(store, "riverside", "grades", "roster")
    school(store, "oak-hill", "grades")
    for number in range(5):
        queue(store, ScheduleId("riverside", "grades"), at=minutes(number))
    queue(store, ScheduleId("riverside", "roster"), at=minutes(-900))
    queue(store, ScheduleId("oak-hill", "grades"), at=minutes(2))

    found = [(str(run.schedule), run.at) for run in store.recent_runs(3)]

    assert found == [
        ("riverside/grades", minutes(4)),
        ("riverside/grades", minutes(3)),
        ("oak-hill/grades", minutes(2)),
        ("riverside/grades", minutes(2)),
        ("riverside/roster", minutes(-900)),
    ]
    assert store.run_counts() == {"riverside": 6, "oak-hill": 1}


def test_asked_for_one_account_it_tells_of_no_other(store: Store) -> None:
    school(store, "riverside")
    school(store, "oak-hill")
    queue(store)
    queue(store, ScheduleId("oak-hill", "grades"))
    assert {run.schedule.account for run in store.recent_runs(9, ["oak-hill"])} == {"oak-hill"}
    assert store.run_counts(["oak-hill"]) == {"oak-hill": 1}
    assert store.recent_runs(9, ["elm"]) == []


RESULTS = (
    RunResult(
        Outcome.COMPLETED, Stage.RECORD, {"sent": 3, "blanked": 0}, {"GS-703": 1}, {"GS-503": "vendor text"}
    ),
    RunResult(Outcome.FAILED, Stage.FETCH, seconds={"fetch": 1.25}),
    RunResult(Outcome.WARNING, Stage.RECORD, {"withheld": 2}, seconds={"fetch": 1.25, "write": 0.5}),
    RunResult(
        Outcome.WARNING,
        Stage.RECORD,
        {"blanked": 1, "sent": 4, "withheld": 2},
        {"GS-599": 2},
        answers={"GS-599 0a1b2c3d4e5f": 2},
        seconds={"decide": 0.25, "fetch": 1.25},
    ),
    RunResult(Outcome.STOPPED, Stage.DECIDE, {"blanked": 1}, seconds={"fetch": 1.25}),
)


def test_a_line_says_what_its_run_says(store: Store) -> None:
    school(store, "riverside", "grades")
    for number, result in enumerate(RESULTS):
        run = queue(store, at=minutes(number))
        store.finish(claim(store, run), result, [])
    claim(store, queue(store, mode=Mode.FULL, at=minutes(50)))
    queue(store, at=minutes(51))

    lines = list(store.recent_runs(100))

    assert lines == [line_of(run) for run in store.runs(RunQuery(limit=100))]
    assert len(lines) == len(RESULTS) + 2
    assert [line.counts for line in lines[2:]] == [dict(result.counts) for result in reversed(RESULTS)]
    assert lines[3].codes == {"GS-599": 2}
