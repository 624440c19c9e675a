"""Explaining one grade: what is remembered, what both sides show, what happens next, and who looked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.explained import ClassStory, Explanation, Held, Next
from gradesync.domain.gradebook import SectionStudent
from gradesync.domain.record import EVENTS_KEPT
from gradesync.engine.explain import GradeWish, explain_grade
from gradesync.errors import ConnectionProblem, NotFound, UsageProblem
from gradesync.reporting import structured
from gradesync.reporting.style import Style
from gradesync.reporting.text import explanation as as_text
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import District
from tests.syncs.passback_school import work

PLAIN = Style(color=False, width=110, terminal=False)


def explained(district: District, assignment: int = 1, student: str = "11", **more: Any) -> Explanation:
    """One look; neither side is written to by it."""
    writes = district.school.sis.writes
    wish = GradeWish(assignment, student, **more)
    found = asyncio.run(explain_grade(district.tools, "riverside", None, wish))
    assert district.school.sis.writes == writes
    return found


def story(found: Explanation) -> ClassStory:
    [one] = found.classes
    return one


def answers(one: ClassStory) -> dict[str, bool | None]:
    return {check.question: check.answer for check in one.checks}


def edit(district: District, id: int, **fields: Any) -> None:
    """A teacher changes an assignment."""
    for course in district.school.canvas.held.values():
        course.assignments = [replace(a, **fields) if a.id == id else a for a in course.assignments]


def test_a_grade_that_is_in_the_sis_agrees_on_every_step_and_names_its_run() -> None:
    district = District()
    district.started()
    found = explained(district)
    one = story(found)
    assert all(answers(one).values())
    assert (one.class_id, one.held, one.next, one.code) == ("c1", Held.AS_CANVAS, Next.SETTLED, None)
    assert one.last_write is not None
    assert one.last_write.event.what == "sent"
    assert found.runs[one.last_write.run_id].schedule.name == "grades"
    assert (found.course_id, found.in_course, found.live) == (1, True, True)
    assert {check.id for check in one.checks} >= {"c1", "q1", "hw"}


def test_the_same_student_is_found_by_the_id_of_the_sis() -> None:
    district = District()
    district.started()
    assert story(explained(district, student="sis:s11")) == story(explained(district, student="11"))


def test_a_score_that_changed_since_is_told_to_go_with_the_next_run() -> None:
    district = District()
    district.started()
    district.later()
    district.school.grade(1, 11, "9")
    found = explained(district)
    assert (story(found).held, story(found).next) == (Held.AS_SENT, Next.SENDS)
    assert "will be sent by the next run" in as_text(found, style=PLAIN)


@pytest.mark.parametrize(
    ("fields", "question", "code"),
    [
        ({"due_at": None}, "has a due date", "GS-401"),
        ({"group": "Unheard of"}, "in one category", "GS-405"),
        ({"points": Decimal(0)}, "has points", "GS-413"),
    ],
)
def test_an_assignment_the_sis_cannot_take_is_told_with_cause_remedy_and_who(
    fields: dict[str, Any], question: str, code: str
) -> None:
    district = District()
    edit(district, 1, **fields)
    district.started()
    found = explained(district)
    one = story(found)
    assert (answers(one)[question], one.next, one.code) == (False, Next.WAITS, code)
    assert one.result is not None
    assert one.result.waiting is not None
    assert one.result.waiting.record.code == code
    text = as_text(found, style=PLAIN)
    for word in (code, "cause", "remedy", "who acts"):
        assert word in text


def test_of_two_assignments_with_one_name_each_names_the_other() -> None:
    district = District()
    edit(district, 2, title="  work 1 ")
    district.started()
    for mine, other in ((1, 2), (2, 1)):
        found = explained(district, assignment=mine)
        assert (story(found).code, story(found).namesakes) == ("GS-404", (other,))
        assert f"the other courses/1/assignments/{other}" in as_text(found, style=PLAIN)
        assert structured.explanation(found)["classes"][0]["same_name"] == [other]


def test_what_is_not_marked_or_not_posted_says_so() -> None:
    district = District()
    edit(district, 1, flagged=False)
    district.started()
    assert answers(story(explained(district)))["marked for the SIS"] is False
    assert story(explained(district)).next is Next.NOTHING
    district.school.grade(2, 12, "5", posted_at=None)
    hidden = story(explained(district, assignment=2, student="12"))
    assert answers(hidden)["posted to the student"] is False
    assert (hidden.next, hidden.code in ("GS-411", "GS-426")) == (Next.WAITS, True)


def test_a_value_typed_into_the_sis_by_hand_is_neither_sides() -> None:
    district = District()
    district.started()
    sis = district.school.sis
    [mine] = [r for r in sis.results.values() if r.student_id == "s11" and r.score is not None][:1]
    sis.results[mine.id] = replace(mine, score=Decimal(1))
    assignment = 1 if sis.line_items[mine.line_item_id].title == "Work 1" else 2
    one = story(explained(district, assignment=assignment))
    assert (one.held, one.code) == (Held.OTHER, "GS-412")


def test_a_section_without_a_class_and_a_class_the_sis_does_not_know_are_told() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.students = [replace(s, section_sis_id=None) for s in course.students]
    district.started()
    assert (story(explained(district)).class_id, story(explained(district)).code) == (None, "GS-414")
    place = f"courses/1/sections/{course.students[0].section_id}"
    assert place in as_text(explained(district), style=PLAIN)
    assert structured.explanation(explained(district))["classes"][0]["section"] == place
    course.students = [replace(s, section_sis_id="nowhere") for s in course.students]
    one = story(explained(district))
    assert (answers(one)["class known to the SIS"], one.code) == (False, "GS-512")


def test_a_student_without_a_sis_id_is_told_to_be_tied() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.students = [replace(s, sis_user_id=None) if s.user_id == 11 else s for s in course.students]
    district.started()
    one = story(explained(district))
    assert (answers(one)["student has a SIS id"], one.code) == (False, "GS-417")


def test_a_student_who_moved_shows_the_new_class_and_what_was_sent_in_the_old_one() -> None:
    district = District()
    district.started()
    course = district.school.canvas.held[1]
    course.students = [s for s in course.students if s.user_id != 11]
    course.students.append(SectionStudent(11, "s11", 300, "c2", "active"))
    found = explained(district)
    assert [one.class_id for one in found.classes] == ["c2", "c1"]
    assert found.classes[1].last_write is not None
    said = as_text(found, style=PLAIN)
    assert "no longer in a section of this class" in said
    assert "Not known" not in said
    course.students = [s for s in course.students if s.user_id != 11]
    gone = explained(district, student="sis:s11")
    assert (gone.in_course, [one.class_id for one in gone.classes]) == (False, ["c1"])


def test_a_value_that_was_sent_earlier_is_found_and_another_is_not() -> None:
    district = District()
    district.started()
    district.later()
    district.school.grade(1, 11, "9")
    district.reconcile()
    first = explained(district, was=Decimal("4.5")).was
    assert first is not None
    assert (first.answer, first.last, [past.event.what for past in first.events]) == (True, False, ["sent"])
    now = explained(district, was=Decimal("9.00"), offline=True, student="sis:s11").was
    assert now is not None
    assert (now.answer, now.last) == (True, True)
    never = explained(district, was=Decimal(7))
    assert never.was is not None
    assert (never.was.answer, never.was.events) == (False, ())
    assert "Not sent" in as_text(never, style=PLAIN)


def test_offline_neither_side_is_asked_and_the_store_tells_what_it_knows() -> None:
    district = District()
    edit(district, 1, due_at=None)
    district.started()
    district.school.canvas.reads.clear()
    district.school.sis.asked.clear()
    found = explained(district, student="sis:s11", offline=True)
    assert (district.school.canvas.reads, district.school.sis.asked) == ([], [])
    one = story(found)
    assert (one.next, one.code, one.checks) == (Next.WAITS, "GS-401", ())
    assert "From the store alone" in as_text(found, style=PLAIN)
    with pytest.raises(UsageProblem):
        explained(district, student="11", offline=True)


def test_the_course_is_found_by_searching_when_the_store_knows_nothing_and_spared_when_named() -> None:
    district = District()
    district.reconcile(district.tree())
    assert explained(district, assignment=3, student="31").course_id == 2
    assert explained(district, assignment=3, student="31", course_id=2).course_id == 2
    with pytest.raises(NotFound, match="course 1 in Canvas has no assignment 3"):
        explained(district, assignment=3, student="31", course_id=1)


def test_an_assignment_of_another_course_is_not_told_as_deleted() -> None:
    district = District()
    district.started()
    found = explained(district, course_id=2)
    assert found.gone
    text = " ".join(as_text(found, style=PLAIN).split())
    assert "Course 2 in Canvas has no such assignment: it was deleted, or is in another course" in text


@pytest.mark.parametrize(
    ("assignment", "student", "told"),
    [
        (99, "11", "Canvas does not know assignment 99"),
        (1, "99", "Canvas knows no user with this number; assignment 1 is in course 1"),
        (1, "31", "assignment 1 is in course 1, and this student is in no section of it"),
        (1, "sis:nobody", "assignment 1 is in course 1, and this student is in no section of it"),
    ],
)
def test_a_grade_nobody_knows_is_not_found_and_which_half_of_it_is_said(
    assignment: int, student: str, told: str
) -> None:
    district = District()
    district.started()
    with pytest.raises(NotFound, match=told) as said:
        explained(district, assignment=assignment, student=student)
    assert student.removeprefix("sis:") not in str(said.value)
    assert said.value.hint


def test_a_grade_the_store_alone_does_not_know_says_that_only_it_was_asked() -> None:
    district = District()
    district.started()
    with pytest.raises(NotFound, match="the store remembers nothing of assignment 1") as said:
        explained(district, student="sis:nobody", offline=True)
    assert "without --offline" in (said.value.hint or "")


def test_how_far_back_a_new_store_knows_is_since_it_began_and_not_a_school_year() -> None:
    district = District()
    began = district.school.now
    district.started()
    district.later(60)
    found = explained(district, was=Decimal(99))
    assert found.was is not None
    assert (found.was.answer, found.was.since) == (False, began)
    district.later(500 * 24 * 60)
    later = explained(district, was=Decimal(99)).was
    assert later is not None
    assert later.since == district.school.now - EVENTS_KEPT


def test_every_look_is_in_the_history_under_a_pseudonym_even_when_it_fails() -> None:
    district = District()
    district.started()
    explained(district, was=Decimal("4.5"))
    district.school.canvas.uuid = "another institution"
    with pytest.raises(ConnectionProblem) as stranger:
        explained(district)
    assert stranger.value.code == "GS-208"
    told = [entry.fact for entry in district.history("grade explained")]
    assert [(fact.actor.name, fact.data["assignment"]) for fact in told] == [("alex", 1)] * 2
    body = json.dumps([dict(fact.data) for fact in told])
    assert "s11" not in body
    assert "4.5" not in body
    assert told[0].data["student"] == told[1].data["student"]


def test_scores_and_titles_are_shown_to_whoever_may_see_values_and_to_nobody_else() -> None:
    district = District()
    edit(district, 1, title="Zebra essay")
    district.started()
    shown = as_text(explained(district, values=True), style=PLAIN)
    assert "Zebra essay" in shown
    assert "the SIS shows" in shown
    hidden = explained(district)
    for text in (as_text(hidden, style=PLAIN), json.dumps(structured.explanation(hidden))):
        assert "Zebra" not in text
        assert "4.5" not in text
        assert "s11" not in text
    secret = explained(district, values=True)
    assert "Zebra" not in json.dumps(structured.explanation(secret))


def test_a_group_without_a_category_names_those_of_the_class_and_what_the_account_maps_it_to() -> None:
    district = District()
    edit(district, 1, group="Unheard of")
    district.started()
    shown = " ".join(as_text(explained(district, values=True), style=PLAIN).split())
    assert "group Unheard of points" in shown
    assert 'categories "Homework"' in shown
    assert "category_map" not in shown.partition("next")[0]
    assert "Homework" not in as_text(explained(district), style=PLAIN)
    edit(district, 1, group="Homework")
    assert "categories" not in as_text(explained(district, values=True), style=PLAIN)


def test_a_group_that_the_map_ties_to_no_category_is_told_what_the_map_says() -> None:
    district = District()
    edit(district, 1, group="Unheard of")
    schedules, passback = {"grades": schedule()}, {"category_map": {"Unheard of": "Ghost"}}
    tree = desired(account("riverside", schedules, scope={"terms": "all"}, passback=passback))
    district.reconcile(tree)
    shown = " ".join(as_text(explained(district, values=True), style=PLAIN).split())
    assert 'categories "Homework"' in shown
    assert 'category_map "Ghost", which is none of them' in shown


def test_what_stops_the_schedule_is_told_with_what_would_be_sent() -> None:
    district = District(state="paused", reason="upgrade")
    district.reconcile(district.tree())
    said = as_text(explained(district), style=PLAIN)
    assert "would be sent, but the schedule is blocked" in said
    assert "by itself" in said
    watching = District(state="observe")
    watching.reconcile(watching.tree())
    assert "only observes" in as_text(explained(watching), style=PLAIN)


def test_a_title_that_would_break_a_terminal_is_made_harmless() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.assignments = [work(1, 1, title="\x1b]0;owned\x07Essay"), *course.assignments[1:]]
    district.started()
    assert "\x1b" not in as_text(explained(district, values=True), style=PLAIN)
