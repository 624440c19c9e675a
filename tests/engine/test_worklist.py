"""Worklists: what each teacher must do, with live names that go into the lists and nowhere else."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace

import pytest

from gradesync.domain.people import STUDENT, TEACHER, Member
from gradesync.domain.worklist import Task, TeacherList, Worklist
from gradesync.engine.worklist import make_worklist
from gradesync.errors import ConnectionProblem
from gradesync.reporting import structured
from gradesync.reporting.lists import HEADER, WHOLE_CLASS, cell, list_name, list_text
from gradesync.reporting.style import Style
from gradesync.reporting.text import worklist as as_text
from tests.engine.district import District
from tests.store.samples import T0

PLAIN = Style(color=False, width=110, terminal=False)
ORTIZ = Member(900, "Ortiz, Ana", TEACHER, "t900", 100, "c1")
BLAKE = Member(901, "Blake, Bo", TEACHER, "t901", 201, "c3")


def student(user: int, class_id: str, section: int) -> Member:
    return Member(user, f"Student {user}, Given", STUDENT, f"s{user}", section, class_id)


def waiting_district() -> District:
    """Work 1 has no due date (class c1); work 3's group fits no category (c2 and c3)."""
    district = District()
    first, second = district.school.canvas.held[1], district.school.canvas.held[2]
    first.name, second.name = "Algebra", "Biology"
    first.members = [ORTIZ, student(11, "c1", 100), student(12, "c1", 100)]
    second.members = [BLAKE, student(21, "c2", 200), student(31, "c3", 201)]
    first.assignments[0] = replace(first.assignments[0], title="Zebra essay", due_at=None)
    second.assignments[0] = replace(second.assignments[0], title="Okapi lab", group="Unheard of")
    district.started()
    return district


def made(district: District) -> Worklist:
    return asyncio.run(make_worklist(district.tools, "riverside", None))


def told(one: TeacherList) -> set[tuple[str, str, str, str | None, str]]:
    return {(t.course, t.class_id, t.assignment, t.student, t.code) for t in one.tasks}


def test_each_teacher_gets_what_waits_in_their_classes_with_live_names() -> None:
    found = made(waiting_district())
    blake, ortiz = found.files
    assert (blake.teacher, ortiz.teacher) == (BLAKE, ORTIZ)
    assert told(ortiz) == {
        ("Algebra", "c1", "Zebra essay", None, "GS-401"),
        ("Algebra", "c1", "Zebra essay", "Student 11, Given", "GS-401"),
        ("Algebra", "c1", "Zebra essay", "Student 12, Given", "GS-401"),
    }
    # A section without a teacher of its own belongs to the course's.
    assert {task.class_id for task in blake.tasks} == {"c2", "c3"}
    assert (found.teachers, found.unplaced) == (2, 0)
    assert found.records == sum(found.codes.values()) == len(ortiz.tasks) + len(blake.tasks)


def test_work_that_waits_for_somebody_else_is_in_no_list() -> None:
    district = District()
    district.school.sis.closed = frozenset({"q1"})
    district.started()
    assert district.store.waiting_counts()
    found = made(district)
    assert (found.files, found.records) == ((), 0)


def test_a_class_without_course_or_teacher_is_told_apart() -> None:
    district = waiting_district()
    district.school.canvas.held[1].members = []
    del district.school.canvas.held[2]
    found = made(district)
    [nobody] = found.files
    assert nobody.teacher is None
    assert found.unplaced == found.records == len(nobody.tasks)
    assert list_name(nobody) == "no-teacher.csv"


def test_a_student_or_an_assignment_that_is_gone_has_no_name_left() -> None:
    district = waiting_district()
    first = district.school.canvas.held[1]
    first.members = [one for one in first.members if one.user_id != 11]
    names = {task.student for task in made(district).files[1].tasks}
    assert "(a student who is no longer in this class)" in names
    first.assignments = first.assignments[1:]
    titles = {task.assignment for task in made(district).files[1].tasks}
    assert titles == {"(an assignment that is no longer in Canvas)"}


def test_only_counts_are_said_and_kept() -> None:
    district = waiting_district()
    found = made(district)
    said = as_text(found, "worklist-riverside", style=PLAIN) + json.dumps(structured.worklist(found, "there"))
    kept = json.dumps([dict(entry.fact.data) for entry in district.history()])
    for secret in ("Ortiz", "Student 11", "Zebra", "Algebra", "s11"):
        assert secret not in said
        assert secret not in kept
    [fact] = [entry.fact for entry in district.history("worklist written")]
    assert (fact.actor.name, fact.data) == ("alex", {"records": found.records})


def test_no_name_is_read_from_another_institution() -> None:
    district = waiting_district()
    district.school.canvas.uuid = "another institution"
    with pytest.raises(ConnectionProblem, match="not the institution recorded"):
        made(district)


def test_a_list_is_a_table_a_spreadsheet_opens() -> None:
    found = made(waiting_district())
    text = list_text(found.files[1], found.time_zone)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == HEADER
    assert rows[1][:4] == ["Algebra", "c1", "Zebra essay", WHOLE_CLASS]
    assert rows[1][-1] == "GS-401"
    assert all(rows[1])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "  =1+1", "\x1b[0m=1+1", "|x"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text).startswith("'")


def test_a_title_with_a_formula_is_marked_as_text_in_the_file() -> None:
    task = Task("Algebra", "c1", '=HYPERLINK("http://x")', 1, "Doe, Jo", "GS-401", T0)
    rows = list(csv.reader(io.StringIO(list_text(TeacherList(ORTIZ, (task,)), "UTC"))))
    assert rows[1][2].startswith("'=")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c", "..", "", "日本", "x" * 500])
def test_a_teachers_name_makes_a_harmless_file_name(name: str) -> None:
    made_of = list_name(TeacherList(replace(ORTIZ, name=name), ()))
    assert made_of.endswith("-900.csv")
    assert "/" not in made_of
    assert "\\" not in made_of
    assert not made_of.startswith(".")
    assert len(made_of) < 100
