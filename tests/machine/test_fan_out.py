"""One Canvas course, several SIS classes: a grade goes to the class its student sits in, under that class's dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gradesync.domain.run import Mode
from gradesync.sandbox.canvas_records import Assignment
from tests.machine.judging import Watcher
from tests.machine.town import KEY, Town, town
from tests.whole.oracle import cell_of, column_of

COURSE = 102
FIRST, SECOND = "001-MTH1-01", "001-MTH1/02"
OCTOBER = datetime(2026, 10, 16, 20, 0, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 4, 21, 0, tzinfo=UTC)
PROFILES: dict[str, dict[str, Any]] = {
    "1.1": {"sis": {"profile": "genesis"}},
    "1.2": {"sis": {"profile": "oneroster-1.2"}},
    "posted": {"sis": {"profile": "oneroster-1.2", "write_mode": "post"}, "sis_write": "post"},
}


@pytest.fixture(params=sorted(PROFILES))
def school(request: pytest.FixtureRequest) -> Iterator[Town]:
    with town(passback={"excused": "exempt"}, **PROFILES[request.param]) as made:
        made.run(Mode.FULL)
        yield made


def _work(school: Town, **fields: Any) -> Assignment:
    group = next(
        one for one in school.canvas.groups_by_course[COURSE] if one.name.strip().lower() == "homework"
    )
    made = school.canvas.add_assignment(
        COURSE, group, "Work", points_possible=20.0, **{"due_at": OCTOBER} | fields
    )
    made.name = f"A{made.id} Work"
    return made


def _grade_all(school: Town, work: Assignment) -> dict[int, float]:
    """A score of its own for every student of the course, by Canvas user."""
    users = sorted(
        row.user_id for row in school.canvas.submissions_by_course[COURSE] if row.assignment_id == work.id
    )
    scores = {user: 5.5 + number for number, user in enumerate(users)}
    for user, score in scores.items():
        school.canvas.grade(work.id, user, score)
    return scores


def _held(school: Town, work: Assignment) -> dict[str, dict[str, str]]:
    """class -> student -> score in the work's line item."""
    book = Watcher(school).book()
    found: dict[str, dict[str, str]] = {}
    for (class_id, assignment), columns in book.columns.items():
        if assignment == work.id:
            (column,) = columns
            found[class_id] = {
                student: cell_of(rows[0])[0]
                for (item, student), rows in book.cells.items()
                if item == column["sourcedId"] and len(rows) == 1
            }
    return found


def _sits_in(school: Town) -> dict[str, set[str]]:
    return {
        class_id: {p["sourcedId"] for p in school.sis.people_of_class(class_id, "student")}
        for class_id in (FIRST, SECOND)
    }


def _is_told(school: Town) -> None:
    watcher = Watcher(school, exempt_score="0" if "v1p1" in school.account.sis.gradebook_url else "-")
    assert watcher.untold() == []


@pytest.mark.parametrize("mode", list(Mode))
def test_grades_of_a_cross_listed_course_go_to_the_class_each_student_sits_in(
    mode: Mode, school: Town
) -> None:
    work = _work(school)
    _grade_all(school, work)
    school.run(mode)
    held, rolls = _held(school, work), _sits_in(school)
    assert held.keys() == {FIRST, SECOND}
    assert all(set(students) and set(students) <= rolls[class_id] for class_id, students in held.items())
    assert not held[FIRST].keys() & held[SECOND].keys()
    _is_told(school)


def test_a_student_in_two_sections_has_the_same_score_in_both_classes(school: Town) -> None:
    sections = {one.sis_section_id: one for one in school.canvas.sections_by_course[COURSE].values()}
    student = min(_sits_in(school)[FIRST] - _sits_in(school)[SECOND])
    login = next(one for one in school.canvas.logins.values() if one.sis_user_id == student)
    school.canvas.enroll(login.user_id, sections[SECOND], login_id=login.id)
    like = next(iter(school.sis.found("enrollments/user", student)))
    school.sis.put_row(
        "enrollments",
        {name: value for name, value in like.items() if name not in ("beginDate", "endDate")}
        | {"sourcedId": "second", "class": school.sis.reference("class", SECOND), "status": "active"},
    )
    work = _work(school)
    score = _grade_all(school, work)[login.user_id]
    school.run(Mode.DELTA)
    held = _held(school, work)
    assert float(held[FIRST][student]) == float(held[SECOND][student]) == score
    school.canvas.grade(work.id, login.user_id, 1.5)
    school.run(Mode.DELTA)
    held = _held(school, work)
    assert held[FIRST][student] == held[SECOND][student] == "1.5"
    _is_told(school)


def test_sections_with_dates_of_their_own_have_them_in_their_classes_and_periods(school: Town) -> None:
    work = _work(school)
    section = next(s for s in school.canvas.sections_by_course[COURSE].values() if s.sis_section_id == SECOND)
    school.canvas.override_section(work.id, section, DECEMBER)
    _grade_all(school, work)
    school.run(Mode.DELTA)
    columns = {place[0]: column_of(rows[0]) for place, rows in Watcher(school).book().columns.items()
               if place[1] == work.id}  # fmt: skip
    assert [columns[FIRST][1][:10], columns[SECOND][1][:10]] == ["2026-10-16", "2026-12-04"]
    assert columns[FIRST][3].startswith("MP1")
    assert columns[SECOND][3].startswith("MP2")
    _is_told(school)


def test_work_for_one_section_alone_is_in_its_class_alone(school: Town) -> None:
    work = _work(school, workflow_state="unpublished", only_visible_to_overrides=True)
    section = next(s for s in school.canvas.sections_by_course[COURSE].values() if s.sis_section_id == SECOND)
    school.canvas.override_section(work.id, section, OCTOBER)
    school.canvas.publish(work.id)
    _grade_all(school, work)
    school.run(Mode.DELTA)
    assert _held(school, work).keys() == {SECOND}
    _is_told(school)


def test_a_period_closed_for_one_section_holds_back_that_class_and_resumes_by_itself(school: Town) -> None:
    work = _work(school)
    section = next(s for s in school.canvas.sections_by_course[COURSE].values() if s.sis_section_id == SECOND)
    school.canvas.override_section(work.id, section, DECEMBER)
    _grade_all(school, work)
    closed = next(id for id in school.sis.rows["academicSessions"] if id.startswith("MP1"))
    school.sis.behaviour.closed_periods = (closed,)
    school.run(Mode.DELTA)
    assert _held(school, work).keys() == {SECOND}
    assert "GS-501" in {row.record.code for row in school.store.waiting_rows(KEY)}
    _is_told(school)
    school.sis.behaviour.closed_periods = ()
    school.later(days=1, minutes=1)
    school.run(Mode.FULL)
    assert _held(school, work).keys() == {FIRST, SECOND}
    assert "GS-501" not in {row.record.code for row in school.store.waiting_rows(KEY)}
    _is_told(school)
