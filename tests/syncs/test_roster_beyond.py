"""A new store over a Canvas that was filled before: who left meanwhile is told, and goes only when a person agrees."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gradesync.domain.run import Outcome, RunResult
from gradesync.sandbox.canvas_records import Enrollment
from gradesync.sandbox.server import Sandbox, running
from gradesync.syncs.marks import BEYOND
from gradesync.syncs.roster_braking import Brake
from tests.domain.roster_town import KEYED, town
from tests.syncs.roster_players import Records, Sis
from tests.syncs.test_roster_import import Scene
from tests.syncs.test_roster_sandbox import held, run, wanted

TOWN = town()
LEFT = [one for one in TOWN.enrollments if one.user_id in ("001-s1", "002-s7")]


def stayed() -> set[tuple[str, str, str]]:
    return {(one.class_id, one.user_id, one.role) for one in LEFT}


def lost_store() -> Scene:
    """Two students left all their classes, and then the store was lost."""
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.records = Records()
    scene.sis.roster = replace(TOWN, enrollments=[one for one in TOWN.enrollments if one not in LEFT])
    return scene


def sitting(scene: Scene) -> set[tuple[str, str, str]]:
    seats = scene.canvas.seats.items()
    return {(id, *seat) for id, of in seats for seat in of} & stayed()


def approved(scene: Scene, result: RunResult) -> Scene:
    assert result.roster is not None
    assert result.roster.digest is not None
    scene.brake = Brake(KEYED, frozenset({result.roster.digest}))
    return scene


def test_seats_of_people_who_left_before_the_store_was_lost_are_told_every_night() -> None:
    scene = lost_store()
    for _ in range(3):
        result = scene.run()
        assert result.outcome is Outcome.WARNING
        assert dict(result.codes) == {"GS-626": 6}
        assert result.roster is not None
        assert result.roster.stopped
        (sentence,) = result.roster.sentences
        assert "6 seats" in sentence
        assert "school 001: 3 in 3 classes; school 002: 3 in 3 classes" in sentence
        assert sitting(scene) == stayed(), "nothing is taken out by itself"
    assert len(scene.canvas.uploads) == 2


def test_later_nights_look_at_those_classes_alone_and_keep_no_id_of_them() -> None:
    scene = lost_store()
    scene.run()
    scene.canvas.asked_for_imported = []
    scene.run()
    assert set(scene.canvas.asked_for_imported) == {one.class_id for one in LEFT}
    assert "-c" not in scene.records.marks[BEYOND]


def test_who_is_approved_is_taken_out_and_nobody_else() -> None:
    scene = lost_store()
    before = {(id, *seat) for id, of in scene.canvas.seats.items() for seat in of}
    first = scene.run()
    result = approved(scene, first).run()
    assert dict(result.codes) == {"GS-614": 1}
    assert result.counts["taken out"] == 6
    assert {(id, *seat) for id, of in scene.canvas.seats.items() for seat in of} == before - stayed()
    assert scene.run().did_nothing
    assert scene.canvas.asked_for_imported[-6:] != [], "looked at once more"
    assert scene.records.marks[BEYOND] == ""


def test_an_approval_covers_no_seat_that_was_not_looked_at() -> None:
    scene = lost_store()
    approved(scene, scene.run())
    scene.canvas.seats["001-c1"].add(("001-s5", "student"))
    assert dict(scene.run().codes) == {"GS-626": 7}
    assert sitting(scene) == stayed()


def test_what_is_taken_out_by_hand_is_not_told_any_more() -> None:
    scene = lost_store()
    scene.run()
    for id, person, role in stayed():
        scene.canvas.seats[id].discard((person, role))
    assert scene.run().did_nothing
    assert scene.records.marks[BEYOND] == ""


def test_who_was_seated_by_hand_is_nobodys_business() -> None:
    scene = lost_store()
    scene.canvas.by_hand = frozenset({("001-s1", "student"), ("002-s7", "student")})
    assert dict(scene.run().codes) == {}


def test_an_empty_canvas_is_not_looked_through() -> None:
    scene = Scene(sis=Sis(TOWN), brake=Brake(KEYED))
    scene.run()
    scene.run()
    assert scene.canvas.asked_for_imported == []


def test_a_look_leaves_the_seats_as_a_file_canvas_takes() -> None:
    scene = lost_store()
    rows: list[dict[str, str]] = []

    def keep(files: Mapping[str, Path]) -> None:
        with files["seats-beyond.csv"].open(encoding="utf-8", newline="") as file:
            rows.extend(csv.DictReader(file))

    result = scene.preview(keep)
    assert result.codes["GS-626"] == 6
    assert {(row["section_id"], row["user_id"], row["role"]) for row in rows} == stayed()
    assert {row["status"] for row in rows} == {"inactive"}


# --- over real HTTP -------------------------------------------------------------------------------------------------


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as one:
        yield one


def by_hand(sandbox: Sandbox) -> Enrollment:
    """A teacher of another class, seated in Canvas by somebody."""
    world = sandbox.schools["riverside"].canvas
    teacher, other = (
        next(row for row in rows if row.type == "TeacherEnrollment")
        for rows in (world.enrollments.values(), reversed(world.enrollments.values()))
    )
    return world.enroll(teacher.user_id, world.sections[other.course_section_id], "TeacherEnrollment")


def test_a_lost_store_leaves_nobody_in_a_class_the_sis_has_ended(sandbox: Sandbox) -> None:
    run(sandbox, Records())
    sis = sandbox.schools["riverside"].sis
    gone = [
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    ][:5]
    for row in gone:
        sis.drop_row("enrollments", row["sourcedId"])
    guest = by_hand(sandbox)
    records = Records()
    told = run(sandbox, records)
    assert dict(told.codes) == {"GS-626": 5}
    assert len(held(sandbox) - wanted(sandbox)) == 6
    assert told.roster is not None
    run(sandbox, records, approved=frozenset({str(told.roster.digest)}))
    assert len(held(sandbox) - wanted(sandbox)) == 1
    assert wanted(sandbox) <= held(sandbox)
    assert guest.workflow_state == "active"
    assert run(sandbox, records).did_nothing
