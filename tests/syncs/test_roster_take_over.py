"""First contact with a Canvas that another tool filled: all ids are compared, and what does not match is shown."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from gradesync.domain.roster_change import ALL_SCHOOLS, Matching
from gradesync.domain.run import RunResult
from tests.domain.roster_samples import person, sample, seat
from tests.syncs.roster_players import Canvas, Sis
from tests.syncs.test_roster_import import Scene


def roomful(students: int = 40) -> Sis:
    users = [person("t1", "teacher"), *(person(f"s{n}") for n in range(students))]
    rows = [seat("t1", role="teacher"), *(seat(f"s{n}") for n in range(students))]
    return Sis(sample(users=users, enrollments=rows))


def filled(sis: Sis, people: set[str], seats: set[str]) -> Scene:
    """A Canvas in which another tool's sections are ours; `people` it knows, `seats` who sits in BIO."""
    sitting = {"BIO": {(one, "student") for one in seats}}
    canvas = Canvas(sections={"BIO", "ART"}, other_ids={"users": people}, seats=sitting)
    return Scene(sis=sis, canvas=canvas)


def students(number: int = 40) -> set[str]:
    return {f"s{n}" for n in range(number)} | {"t1"}


def matching(result: RunResult, kind: str) -> Matching:
    assert result.roster is not None
    return next(one for one in result.roster.matching if one.kind == kind and one.school == ALL_SCHOOLS)


def test_the_same_ids_of_every_kind_are_taken_over() -> None:
    scene = filled(roomful(), students(), students())
    result = scene.run()
    assert "GS-609" not in result.codes
    assert scene.canvas.uploads
    assert matching(result, "users") == Matching("users", ALL_SCHOOLS, 41, 41)


def test_people_with_other_ids_stop_the_take_over_though_all_classes_match() -> None:
    scene = filled(roomful(), {f"number-{n}" for n in range(41)}, set())
    result = scene.run()
    assert dict(result.codes) == {"GS-609": 1}
    assert scene.canvas.uploads == []
    assert "Of 41 people from the SIS, Canvas knows 0 by id" in result.vendor["GS-609"]
    assert "sections" not in result.vendor["GS-609"]


def test_ids_that_mean_other_people_stop_it_though_all_ids_match() -> None:
    """Both sides count from one: the ids are the same, and nobody sits where they should."""
    scene = filled(roomful(), students(), {f"s{n}" for n in range(40, 80)})
    result = scene.run()
    assert dict(result.codes) == {"GS-609": 1}
    assert "equal ids seem to mean other classes or people" in result.vendor["GS-609"]
    assert scene.canvas.looks == ["ART", "BIO"]


def test_classes_that_nobody_sits_in_yet_say_nothing() -> None:
    assert "GS-609" not in filled(roomful(), students(), set()).run().codes


def test_examples_name_people_and_classes_by_pseudonym_only() -> None:
    result = filled(roomful(), {f"number-{n}" for n in range(41)}, set()).run()
    assert result.roster is not None
    assert {one.what for one in result.roster.examples} == {"only in Canvas", "only in SIS"}
    assert len(result.roster.examples) <= 10
    shown = repr(result.roster.examples) + repr(result.roster.sentences)
    assert "number-" not in shown
    assert "'s1'" not in shown


@pytest.mark.parametrize("known", [set(), {f"number-{n}" for n in range(41)}])
def test_a_look_leaves_every_id_that_only_one_side_holds(known: set[str], tmp_path: Path) -> None:
    scene = filled(roomful(), known, set())
    rows: list[dict[str, str]] = []

    def keep(files: Mapping[str, Path]) -> None:
        with files["take-over.csv"].open(encoding="utf-8", newline="") as file:
            rows.extend(csv.DictReader(file))

    scene.preview(keep)
    people = [row for row in rows if row["kind"] == "users"]
    assert {row["id"] for row in people if row["held_by"] == "Canvas"} == known
    assert {row["id"] for row in people if row["held_by"] == "SIS"} == students()
    assert not [row for row in rows if row["kind"] == "sections"]


def test_an_empty_canvas_is_filled_without_a_word_about_matching() -> None:
    result = Scene(sis=roomful()).run()
    assert "GS-609" not in result.codes
    assert result.roster is None or result.roster.matching == ()
