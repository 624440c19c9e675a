"""Worklists: what each teacher must do, with live names that go into the lists and nowhere else."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace

import pytest

from gradesync.domain.people import STUDENT, TEACHER, Member
from gradesync.domain.run import Mode
from gradesync.domain.worklist import Task, TeacherList, Worklist
from gradesync.engine.control import ByHand, run_by_hand
from gradesync.engine.worklist import make_worklist
from gradesync.errors import ConnectionProblem
from gradesync.reporting import structured
from gradesync.reporting.lists import HEADER, WHOLE_CLASS, cell, list_name, list_text
from gradesync.reporting.style import Style
from gradesync.reporting.text import worklist as as_text
from tests.engine.district import GRADES, District
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
    # What is wrong with an assignment is one row, however many students it has.
    assert told(ortiz) == {("Algebra", "c1", "Zebra essay", None, "GS-401")}
    assert [task.grades for task in ortiz.tasks] == [2]
    # A section without a teacher of its own belongs to the course's.
    assert {task.class_id for task in blake.tasks} == {"c2", "c3"}
    assert (found.teachers, found.unplaced) == (2, 0)
    rows = sum(task.grades + 1 for one in found.files for task in one.tasks)
    assert found.records == sum(found.codes.values()) == rows


def test_work_that_waits_for_somebody_else_is_in_a_list_of_their_own_and_in_no_teachers() -> None:
    district = District()
    district.school.sis.closed = frozenset({"q1"})
    district.started()
    assert district.store.waiting_counts()
    found = made(district)
    assert (found.files, found.records) == ((), 0)
    [sis_admin] = found.others
    waiting = sum(district.store.waiting_counts().values())
    assert (sis_admin.who, sis_admin.codes) == ("SIS admin", {"GS-501": waiting})
    assert list_name(sis_admin) == "for-sis-admin.csv"
    text = as_text(found, "there", style=PLAIN)
    assert f"{waiting} records wait for others (SIS admin): for-sis-admin.csv" in text
    assert structured.worklist(found, "there")["lists"] == 1


def test_a_student_without_a_sis_id_is_named_in_the_canvas_admins_list_with_their_page() -> None:
    district = District()
    first = district.school.canvas.held[1]
    first.name = "Algebra"
    first.members = [ORTIZ, student(11, "c1", 100), replace(student(12, "c1", 100), sis_user_id=None)]
    first.students = [replace(one, sis_user_id=None) if one.user_id == 12 else one for one in first.students]
    district.started()
    found = made(district)
    [admin] = found.others
    assert (found.files, admin.who, admin.codes) == ((), "Canvas admin", {"GS-417": 2})
    [task] = admin.tasks
    assert (task.course, task.class_id, task.student, task.grades) == (
        "Algebra",
        "c1",
        "Student 12, Given",
        2,
    )
    assert task.link == "https://riverside.canvas.example/courses/1/users/12"
    text = list_text(admin, "UTC")
    assert "2 grades of this student." in text
    assert ",Tie the student to the SIS.," in text
    said = as_text(found, "there", style=PLAIN) + json.dumps(structured.worklist(found, "there"))
    assert "GS-417" in said
    assert "Student 12" not in said


def test_a_section_without_a_class_is_told_by_its_address_in_canvas() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.students = [replace(one, section_sis_id=None) for one in course.students]
    district.started()
    found = made(district)
    place = f"courses/1/sections/{course.students[0].section_id}"
    assert found.untied == (place,)
    [admin] = found.others
    [task] = admin.tasks
    assert (admin.who, task.code, task.class_id) == ("Canvas admin", "GS-414", place)
    assert task.link == f"https://riverside.canvas.example/{place}"
    assert place in as_text(found, "there", style=PLAIN)
    assert structured.worklist(found, "there")["untied_sections"] == [place]


def test_a_section_without_a_class_in_a_course_no_longer_published_waits_for_a_teacher() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.students = [replace(one, section_sis_id=None) for one in course.students]
    district.started()
    course.course = replace(course.course, state="unpublished")
    full(district)
    found = made(district)
    [nobodys] = found.files
    [task] = nobodys.tasks
    assert (task.code, task.class_id) == ("GS-303", f"courses/1/sections/{course.students[0].section_id}")
    assert (found.others, found.records, found.unplaced, found.untied) == ((), 1, 1, (task.class_id,))


def test_a_class_that_waits_as_a_whole_is_not_called_a_deleted_assignment() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.name = "Algebra"
    course.students = [replace(one, section_sis_id="nowhere") for one in course.students]
    district.started()
    [other] = made(district).others
    [task] = other.tasks
    assert (task.code, task.course, task.assignment, task.student) == (
        "GS-512",
        "Algebra",
        "(all of its work)",
        None,
    )


def test_a_class_without_course_or_teacher_is_told_apart() -> None:
    district = waiting_district()
    district.school.canvas.held[1].members = []
    del district.school.canvas.held[2]
    found = made(district)
    [nobody] = found.files
    assert nobody.teacher is None
    assert found.unplaced == found.records >= len(nobody.tasks)
    assert list_name(nobody) == "no-teacher.csv"


def sent_district() -> District:
    """Everything carried; class c1 has its people, and two scores of Work 2 were cleared since."""
    district = District()
    first = district.school.canvas.held[1]
    first.name, first.members = "Algebra", [ORTIZ, student(11, "c1", 100), student(12, "c1", 100)]
    district.started()
    for user in (11, 12):
        district.school.grade(2, user, None)
    return district


def full(district: District) -> None:
    district.later()
    asyncio.run(run_by_hand(district.tools, ByHand(GRADES, mode=Mode.FULL)))


def test_students_of_deleted_work_keep_their_names_and_the_work_the_title_it_has_in_the_sis() -> None:
    district = sent_district()
    full(district)
    first = district.school.canvas.held[1]
    first.assignments = [one for one in first.assignments if one.id != 2]
    [ortiz] = made(district).files
    assert {(t.student, t.code) for t in ortiz.tasks} == {
        ("Student 11, Given", "GS-418"),
        ("Student 12, Given", "GS-418"),
    }
    assert {t.assignment for t in ortiz.tasks} == {"Work 2 (its title in the SIS; no longer in Canvas)"}
    # Nothing is behind its address any more.
    assert {t.link for t in ortiz.tasks} == {""}
    full(district)
    [ortiz] = made(district).files
    assert {t.assignment for t in ortiz.tasks} == {"Work 2 (its title in the SIS; no longer in Canvas)"}
    assert [(t.student, t.code, t.grades) for t in ortiz.tasks] == [(None, "GS-419", 2)]


def test_only_a_student_who_has_left_is_called_so() -> None:
    district = sent_district()
    full(district)
    first = district.school.canvas.held[1]
    first.members = [one for one in first.members if one.user_id != 11]
    [ortiz] = made(district).files
    assert {t.student for t in ortiz.tasks} == {
        "Student 12, Given",
        "(a student who is no longer in this class)",
    }
    first.members.append(student(11, "elsewhere", 101))
    [ortiz] = made(district).files
    assert "Student 11, Given (no longer in this class)" in {t.student for t in ortiz.tasks}


def test_a_group_without_a_category_is_one_row_that_names_group_categories_and_who_does_what() -> None:
    blake = made(waiting_district()).files[0]
    assert [(t.class_id, t.code, t.student) for t in blake.tasks] == [
        ("c2", "GS-405", None),
        ("c3", "GS-405", None),
    ]
    text = list_text(blake, "UTC")
    for words in ("Unheard of", "Homework", "Teacher: ", "District: ", "category_map"):
        assert words in text


def test_of_two_assignments_with_one_name_each_row_has_the_address_of_the_other() -> None:
    district = District()
    first = district.school.canvas.held[1]
    first.members = [ORTIZ, student(11, "c1", 100), student(12, "c1", 100)]
    first.assignments[1] = replace(first.assignments[1], title=first.assignments[0].title)
    district.started()
    [ortiz] = made(district).files
    assert {(t.assignment_id, t.code, t.more) for t in ortiz.tasks} == {
        (1, "GS-404", "(The other one: https://riverside.canvas.example/courses/1/assignments/2)"),
        (2, "GS-404", "(The other one: https://riverside.canvas.example/courses/1/assignments/1)"),
    }


def test_a_sis_that_is_away_costs_details_and_no_list() -> None:
    district = waiting_district()
    district.school.sis.district = "another"
    assert [t.code for t in made(district).files[0].tasks] == ["GS-405", "GS-405"]
    assert "not read now" in list_text(made(district).files[0], "UTC")


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
    assert rows[1][-2:] == ["GS-401", "https://riverside.canvas.example/courses/1/assignments/1"]
    assert all(rows[1])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "  =1+1", "\x1b[0m=1+1", "|x"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text).startswith("'")


def test_a_title_with_a_formula_is_marked_as_text_in_the_file() -> None:
    task = Task("Algebra", "c1", '=HYPERLINK("http://x")', 1, "Doe, Jo", "GS-401", T0)
    rows = list(csv.reader(io.StringIO(list_text(TeacherList(ORTIZ, (task,)), "UTC"))))
    assert rows[1][2].startswith("'=")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b\\c", "..", "", "日本", "x" * 500, "\u0939\u093f" * 300]
)
def test_a_teachers_name_makes_a_harmless_file_name(name: str) -> None:
    made_of = list_name(TeacherList(replace(ORTIZ, name=name), ()))
    assert made_of.endswith("-900.csv")
    assert len(made_of.encode()) < 200
    assert "/" not in made_of
    assert "\\" not in made_of
    assert not made_of.startswith(".")
    assert len(made_of) < 100


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Müller, Isaac", "Müller-Isaac"),
        ("Mu\u0308ller", "Müller"),
        ("Ng\u202e\u0000uyễn", "Ng-uyễn"),
        ("O'Neil", "O-Neil"),
    ],
)
def test_a_teachers_name_keeps_its_letters_in_the_file_name(name: str, kept: str) -> None:
    assert list_name(TeacherList(replace(ORTIZ, name=name), ())) == f"{kept}-900.csv"
