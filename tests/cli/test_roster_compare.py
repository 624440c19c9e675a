"""`compare` of a roster import over real HTTP: what it says, how it ends, and that it writes nothing."""

from __future__ import annotations

import json
from typing import Any

from gradesync.sandbox.school_year import SchoolYear
from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree, writes

ID = "riverside/roster-nightly"


def compared(tree: Tree, *more: str, code: int = 0) -> dict[str, Any]:
    answer = json.loads(tree.run("compare", ID, "--format", "json", *more, code=code).stdout)
    assert isinstance(answer, dict)
    assert answer["kind"] == "roster_comparison"
    return answer


def test_after_an_import_the_three_agree_in_every_kind_and_school(live: Tree, sandbox: Sandbox) -> None:
    told = json.loads(live.run("run", ID, "--format", "json", code=None).stdout)
    sandbox.forget_requests()
    # A seat of the days before gradesync: the run says so, and a comparison right after it says the same.
    assert [(one["code"], one["count"]) for one in told["result"]["codes"]] == [("GS-626", 1)]
    found = compared(live, "--full", "--exit-code", code=3)
    assert found["records_that_need_a_person"] == found["causes"]["beyond"] == 1
    assert found["classes_looked_at"] == found["classes_in_all"] > 0
    district = sandbox.schools["riverside"].district
    for kind in ("sections", "users", "enrollments"):
        lines = [one for one in found["kinds"] if one["kind"] == kind]
        assert {one["school"] for one in lines} >= {school.sourced_id for school in district.schools}
        assert all(one["sis"] == one["both"] for one in lines)
    assert not any(
        found["causes"][cause] for cause in ("lost", "stayed", "refused", "ends", "not yet", "gone")
    )
    assert writes(sandbox) == 0


def test_a_day_in_the_offices_waits_for_the_next_run_and_then_agrees(live: Tree, sandbox: Sandbox) -> None:
    live.run("run", ID, code=None)
    year = SchoolYear(sandbox.schools["riverside"].sis)
    for act in ("admit-student", "add-class", "drop-class", "delete-enrollment"):
        year.act(act)
    found = compared(live, "--full")
    assert found["causes"]["not yet"] > 0
    assert found["causes"]["ends"] > 0
    assert found["records_that_need_a_person"] == found["causes"]["beyond"] == 1
    text = live.run("compare", ID, "--full", "--records").stdout
    assert "the next run sends it" in text
    assert "wait for the next run" in text
    live.run("run", ID, code=None)
    after = compared(live, "--full")["causes"]
    assert after["not yet"] == after["ends"] == after["lost"] == 0


def test_who_was_taken_out_in_canvas_is_lost_and_ends_with_3_only_when_asked(
    live: Tree, sandbox: Sandbox
) -> None:
    live.run("run", ID, code=None)
    world = sandbox.schools["riverside"].canvas
    row = next(row for row in world.enrollments.values() if row.workflow_state == "active")
    row.workflow_state = "deleted"
    section = world.sections[row.course_section_id].sis_section_id
    found = compared(live, "--full")
    assert found["causes"]["lost"] == 1
    [line] = [one for one in found["classes"] if one["causes"]["lost"]]
    assert line["class"] == section
    assert line["canvas"] == line["sis"] - 1 + line["causes"]["others'"]
    [record] = [one for one in found["records"] if one["cause"] == "lost"]
    assert record["class"] == section
    assert compared(live, "--class", str(section), "--exit-code", code=3)["causes"]["lost"] == 1
    text = live.run("compare", ID, "--full").stdout
    assert "2 records need somebody" in text
    people = sandbox.schools["riverside"].district.people
    assert not any(one.family_name in text or one.sourced_id in text for one in people[:50])


def test_options_of_the_other_kind_of_schedule_are_refused(live: Tree) -> None:
    live.run("compare", ID, "--show-values", code=64)
    live.run("compare", "riverside/grades", "--full", code=64)
    live.run("compare", ID, "--full", "--class", "X", code=64)
    assert "no class X was met" in live.run("compare", ID, "--class", "X", code=1).output


def test_before_the_first_import_nothing_is_there_yet(live: Tree) -> None:
    found = compared(live)
    assert found["last_import"] is None
    assert found["causes"]["not yet"] > 0
    assert "no import yet" in live.run("compare", ID).stdout
