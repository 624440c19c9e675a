"""What only Canvas can tell once a read may pass: new ids that are not there, imports that were taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gradesync.domain.roster import Roster
from gradesync.domain.run import Outcome, RunResult
from gradesync.sandbox.canvas_restore import restore
from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.sis_behaviour import drop_manners, take_manner
from gradesync.syncs.roster_braking import Brake
from tests.domain.roster_town import KEYED, renamed, town, without_school
from tests.syncs.roster_players import Records, Sis
from tests.syncs.test_roster_import import Scene
from tests.syncs.test_roster_nights import another_seat
from tests.syncs.test_roster_sandbox import held, run, wanted

TOWN = town()


def new(id: str) -> str:
    return f"new-{id}"


def people(roster: Roster) -> set[str]:
    return {one.id for one in roster.users}


def sections(roster: Roster) -> set[str]:
    return {one.id for one in roster.classes}


def approve(scene: Scene, stopped: RunResult) -> None:
    """As `gradesync approve` does, beside what was approved before."""
    assert stopped.roster is not None
    assert stopped.roster.digest is not None
    assert scene.brake is not None
    scene.brake = Brake(KEYED, scene.brake.approved | {stopped.roster.digest})


def rekeyed(then: Roster) -> Scene:
    """A town whose first import went through, and whose change of ids was stopped and approved; Canvas as it was."""
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.canvas.other_ids = {"users": people(TOWN)}
    scene.sis.roster = then
    stopped = scene.run()
    assert "GS-603" in stopped.codes or "GS-603" in (stopped.roster.codes if stopped.roster else ())
    approve(scene, stopped)
    return scene


# --- approved new ids ---------------------------------------------------------------------------------------------


def test_approved_new_ids_of_people_are_not_sent_before_canvas_holds_them() -> None:
    scene = rekeyed(renamed(TOWN, people=new))
    result = scene.run()
    assert dict(result.codes) == {"GS-624": 1}
    assert len(scene.canvas.uploads) == 1
    assert "Canvas does not hold 135 under the new ones" in result.vendor["GS-624"]
    assert result.roster is not None
    assert result.roster.digest is None, "no second approval empties a district"


def test_the_same_approval_lets_them_through_once_canvas_was_told() -> None:
    scene = rekeyed(renamed(TOWN, people=new))
    scene.run()
    scene.canvas.other_ids = {"users": {new(one) for one in people(TOWN)}}
    result = scene.run()
    assert dict(result.codes) == {"GS-614": 1}
    assert [one.remaster for one in scene.canvas.uploads[1:]] == [False, True]
    assert scene.run().did_nothing


def test_one_school_that_was_forgotten_in_canvas_holds_all_of_them() -> None:
    scene = rekeyed(renamed(TOWN, people=new))
    told = {new(one) for one in people(TOWN) if not one.startswith("003")}
    scene.canvas.other_ids = {"users": told | {one for one in people(TOWN) if one.startswith("003")}}
    assert "GS-624" in scene.run().codes


def test_people_who_are_new_that_night_are_not_missed() -> None:
    later = renamed(TOWN, people=new)
    newcomers = [
        one._replace(id=f"{one.id}-b", family_name=f"New{n}") for n, one in enumerate(list(later.users)[:30])
    ]
    scene = rekeyed(replace(later, users=[*later.users, *newcomers]))
    scene.canvas.other_ids = {"users": {new(one) for one in people(TOWN)} | {"somebody", "else"}}
    assert "GS-624" not in scene.run().codes


def test_new_ids_of_classes_go_as_new_courses_only_by_an_approval_of_their_own() -> None:
    scene = rekeyed(renamed(TOWN, classes=new))
    stopped = scene.run()
    assert dict(stopped.codes) == {"GS-624": 1}
    approve(scene, stopped)
    assert dict(scene.run().codes) == {"GS-614": 1}
    assert {new(one) for one in sections(TOWN)} <= scene.canvas.sections


def test_classes_renamed_in_canvas_go_with_the_first_approval() -> None:
    scene = rekeyed(renamed(TOWN, classes=new))
    scene.canvas.sections = {new(one) for one in sections(TOWN)}
    assert dict(scene.run().codes) == {"GS-614": 1}


def test_other_approved_changes_ask_canvas_for_no_ids() -> None:
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.canvas.other_ids = {"users": {"nobody"}}
    scene.sis.roster = without_school(TOWN, "003")
    approve(scene, scene.run())
    assert "GS-614" in scene.run().codes


# --- imports that were taken back ----------------------------------------------------------------------------------


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as one:
        yield one


@pytest.mark.parametrize("state", ["restored", "partially_restored"])
def test_an_import_that_was_taken_back_is_neither_passed_over_nor_sent_again_by_itself(state: str) -> None:
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.canvas.states = {7: state}
    for _ in range(2):
        result = scene.run()
        assert result.outcome is Outcome.WARNING
        assert dict(result.codes) == {"GS-625": 1}
    assert len(scene.canvas.uploads) == 1
    assert "GS-625" in scene.preview().codes

    approve(scene, result)
    assert dict(scene.run().codes) == {"GS-614": 1}
    assert len(scene.canvas.uploads) == 3
    assert scene.run().did_nothing, "what was taken back before is known"


def test_what_was_taken_back_while_the_sis_went_on_is_noticed_as_well() -> None:
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.canvas.states = {7: "restored"}
    scene.sis.roster = replace(TOWN, enrollments=list(TOWN.enrollments)[:-1])
    assert dict(scene.run().codes) == {"GS-625": 1}
    assert len(scene.canvas.uploads) == 1


def test_another_tools_import_may_be_taken_back() -> None:
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.canvas.first = 0
    scene.canvas.states = {0: "restored"}
    assert scene.run().did_nothing


def test_after_an_approval_canvas_holds_what_the_sis_says_again(sandbox: Sandbox) -> None:
    records = Records()
    run(sandbox, records)
    another_seat(sandbox)
    sis = sandbox.schools["riverside"].sis
    gone = next(
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    )
    sis.drop_row("enrollments", gone["sourcedId"])
    run(sandbox, records)
    assert held(sandbox) == wanted(sandbox)
    world = sandbox.schools["riverside"].canvas
    last = max(world.imports.values(), key=lambda one: one.id)
    restore(world, last, batch_mode=False, undelete_only=False, unconclude_only=False)
    assert held(sandbox) != wanted(sandbox)

    stopped = run(sandbox, records)
    assert dict(stopped.codes) == {"GS-625": 1}
    assert stopped.roster is not None
    approved = frozenset({str(stopped.roster.digest)})
    run(sandbox, records, approved=approved)
    assert held(sandbox) == wanted(sandbox)
    assert run(sandbox, records).did_nothing


# --- narrower views -------------------------------------------------------------------------------------------------


def test_one_night_without_enrollments_ends_nobodys_seat(sandbox: Sandbox) -> None:
    """Who sits in each class today is all that is left then: aides and enrollments to come would be taken for gone."""
    records, sis = Records(), sandbox.schools["riverside"].sis
    run(sandbox, records)
    before = held(sandbox)
    take_manner(sis.behaviour, "sis-members-only")
    result = run(sandbox, records)
    assert "GS-602" in result.codes
    assert "The SIS showed more in the last good read" in result.vendor["GS-602"]
    assert held(sandbox) == before
    assert result.roster is not None
    assert result.roster.digest is not None, "a SIS that never shows them again can be let through"
    drop_manners(sis.behaviour)
    assert run(sandbox, records).did_nothing
