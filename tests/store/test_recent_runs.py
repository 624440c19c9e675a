"""The newest runs of every schedule at once, on every kind of store: what a page reads of its history."""

from __future__ import annotations

from gradesync.domain.schedule import ScheduleId
from gradesync.ports import Store
from tests.store.samples import minutes, queue, school


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
