"""Guardians' ties to students, sent by themselves: when, under which name, and what happens when that fails."""

from __future__ import annotations

from dataclasses import replace

from gradesync.domain.account import RosterMapping
from gradesync.domain.run import Outcome
from tests.domain.roster_samples import person, sample
from tests.syncs.roster_players import Sis, Upload
from tests.syncs.test_roster_import import Scene, account


def scene(*wards: str) -> Scene:
    """A district with one guardian of these students."""
    made = account()
    roster = replace(made.roster, mapping=RosterMapping(guardians="observers"))
    found = Scene(account=replace(made, roster=roster))
    tied(found, *wards)
    return found


def tied(scene: Scene, *wards: str) -> None:
    guardian = person("g9", "guardian")._replace(agents=wards)
    scene.sis = Sis(sample(users=[*sample().users, guardian]))


def alone(uploads: list[Upload]) -> list[Upload]:
    """The imports of the observers' file alone."""
    return [one for one in uploads if set(one.files) == {"user_observers.csv"}]


def test_ties_that_changed_go_by_themselves_once_and_only_they_may_delete() -> None:
    canvas = (made := scene("s1", "s2")).canvas
    made.run()
    made.run()
    assert [one.deletes for one in canvas.uploads] == [False, True]
    tied(made, "s2")
    assert made.run().outcome is Outcome.COMPLETED
    assert [one.deletes for one in canvas.uploads] == [False, True, False, True]
    first, second = alone(canvas.uploads)
    assert first.data_set == second.data_set == "gradesync:riverside:observers"
    assert [row["student_id"] for row in second.rows("user_observers")] == ["s2"]
    assert second.expected_change > 0


def test_where_guardians_are_left_out_nothing_goes_by_itself() -> None:
    made = Scene()
    made.run()
    assert alone(made.canvas.uploads) == []


def test_ties_that_met_another_tools_import_are_sent_by_the_next_run() -> None:
    made = scene("s1", "s2")
    made.run()
    tied(made, "s2")
    made.canvas.foreign = [False, *[True] * 1000]
    result = made.run()
    assert dict(result.codes) == {"GS-607": 1}
    assert len(alone(made.canvas.uploads)) == 1
    made.canvas.foreign = []
    assert made.run().outcome is Outcome.COMPLETED
    assert [len(one.rows("user_observers")) for one in alone(made.canvas.uploads)] == [2, 1]
    assert made.run().counts["sent"] == 0
