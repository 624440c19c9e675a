"""People who change the SIS by hand: every act changes what its name says, repeatably, and tells counts alone."""

from __future__ import annotations

from datetime import date

import pytest

from gradesync.errors import NotFound, UsageProblem
from gradesync.sandbox.generate import generate
from gradesync.sandbox.remote import sis_edit_over_http
from gradesync.sandbox.server import Sandbox
from gradesync.sandbox.sis_dialect import V1P2
from gradesync.sandbox.sis_edit import SIS_ACTS, edit_sis
from gradesync.sandbox.sis_errors import SisError
from gradesync.sandbox.sis_world import SisWorld
from gradesync.sandbox.sis_writes import post, put

from .gradebook_bodies import Place


def filled() -> tuple[SisWorld, Place]:
    """A small SIS with three columns and six results in one class."""
    district = generate("riverside", students=60, seed=1, today=date(2026, 11, 23))
    world = SisWorld(district)
    made = district.classes[0]
    period = next(one.sourced_id for one in district.sessions if one.title == "Marking Period 2")
    first, second = (row["sourcedId"] for row in world.people_of_class(made.sourced_id, "student")[:2])
    category = district.categories[0].sourced_id
    place = Place(made.sourced_id, made.school_id, period, category, (first, second))
    for number in range(3):
        item = f"li-{number}"
        put(world, V1P2, "lineItems", item, {"lineItem": place.item(item)})
        for student in place.students:
            row = place.result("tmp", item, student={"sourcedId": student})
            post(world, V1P2, "results", {"line_item": item}, {"results": [row]})
    return world, place


def test_the_same_seed_does_the_same_and_another_one_something_else() -> None:
    (first, _), (second, _), (third, _) = filled(), filled(), filled()
    assert edit_sis(first, seed=1, times=12) == edit_sis(second, seed=1, times=12)

    def rows(world: SisWorld) -> object:
        kinds = ("lineItems", "results", "enrollments", "categories")
        return {
            kind: [
                {name: value for name, value in row.items() if name != "dateLastModified"}
                for row in world.rows[kind].values()
            ]
            for kind in kinds
        }

    assert rows(first) == rows(second)
    edit_sis(third, seed=2, times=12)
    assert rows(third) != rows(first)


def test_every_act_does_something_and_counts_itself() -> None:
    for act in SIS_ACTS:
        world, _ = filled()
        world.behaviour.closed_periods = ("MP1",)
        assert edit_sis(world, seed=3, acts=(act,)) == {act: 1}


def test_an_empty_gradebook_leaves_nothing_to_change() -> None:
    world = SisWorld(generate("riverside", students=60, seed=1, today=date(2026, 11, 23)))
    acts = ("change-score", "change-title", "delete-result", "delete-line-item", "open-period")
    assert edit_sis(world, seed=1, acts=acts) == {}


def test_a_named_record_becomes_what_is_asked_for() -> None:
    world, place = filled()
    result = next(iter(world.rows["results"]))
    edit_sis(world, seed=1, acts=("change-score",), target=result, value="3.5")
    assert world.rows["results"][result]["score"] == 3.5
    edit_sis(world, seed=1, acts=("change-title",), target="li-1", value="Other")
    edit_sis(world, seed=1, acts=("change-maximum",), target="li-1", value=50)
    edit_sis(world, seed=1, acts=("change-date",), target="li-1", value="2026-12-01T12:00:00Z")
    item = world.rows["lineItems"]["li-1"]
    assert (item["title"], item["resultValueMax"]) == ("Other", 50)
    assert item["dueDate"] == "2026-12-01T12:00:00.000Z"
    edit_sis(world, seed=1, acts=("add-category",), target=place.class_id, value="Labs")
    (made,) = [row for row in world.rows["categories"].values() if row["title"] == "Labs"]
    assert made["metadata"] == {"classId": place.class_id}


def test_a_deleted_column_takes_its_results_along_and_a_deleted_result_nothing() -> None:
    world, _ = filled()
    edit_sis(world, seed=1, acts=("delete-line-item",), target="li-0")
    assert (len(world.rows["lineItems"]), len(world.rows["results"])) == (2, 4)
    edit_sis(world, seed=1, acts=("delete-result",))
    assert (len(world.rows["lineItems"]), len(world.rows["results"])) == (2, 3)


def test_a_period_closed_by_hand_refuses_and_takes_again_once_opened() -> None:
    world, place = filled()
    edit_sis(world, seed=1, acts=("close-period",))
    assert world.behaviour.closed_periods == (place.period_id,)
    with pytest.raises(SisError, match="grading window is closed"):
        put(world, V1P2, "lineItems", "li-0", {"lineItem": place.item("li-0")})
    edit_sis(world, seed=1, acts=("open-period",))
    put(world, V1P2, "lineItems", "li-0", {"lineItem": place.item("li-0")})


def test_a_transferred_student_is_in_the_other_class_and_no_longer_in_the_first() -> None:
    world, place = filled()
    student = place.students[0]
    before = {row["sourcedId"] for row in world.classes_of_user(student)}
    edit_sis(world, seed=1, acts=("transfer-student",), target=student)
    after = {row["sourcedId"] for row in world.classes_of_user(student)}
    assert (len(before - after), len(after - before)) == (1, 1)
    edit_sis(world, seed=1, acts=("drop-student",), target=student)
    assert len(world.classes_of_user(student)) == len(after) - 1


def test_wrong_names_are_refused_without_repeating_them() -> None:
    world, _ = filled()
    with pytest.raises(UsageProblem, match="nobody at the SIS does"):
        edit_sis(world, seed=1, acts=("burn-down",))
    with pytest.raises(UsageProblem, match="no such record") as caught:
        edit_sis(world, seed=1, acts=("change-score",), target="000123")
    assert "000123" not in str(caught.value)
    with pytest.raises(UsageProblem, match="needs an act"):
        edit_sis(world, seed=1, target="li-1")
    with pytest.raises(UsageProblem, match="the date is not one"):
        edit_sis(world, seed=1, acts=("change-date",), target="li-1", value="soon")


def test_a_running_sandbox_can_be_edited_from_outside(sandbox: Sandbox) -> None:
    assert sis_edit_over_http(sandbox.url, "oak-hill", ("close-period",)) == {"oak-hill": {"close-period": 1}}
    assert sandbox.schools["oak-hill"].sis.behaviour.closed_periods
    assert set(sis_edit_over_http(sandbox.url, acts=("open-period",))) == {"riverside", "oak-hill"}
    with pytest.raises(NotFound):
        sis_edit_over_http(sandbox.url, "atlantis")
    with pytest.raises(UsageProblem, match="nobody at the SIS") as caught:
        sis_edit_over_http(sandbox.url, acts=("burn-down",))
    assert "transfer-student" in (caught.value.hint or "")
