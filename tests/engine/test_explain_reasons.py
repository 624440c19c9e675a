"""Explaining the grades people dispute: refused by the SIS, withdrawn in Canvas, kept back by a rule, rounded."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.explained import Held, Next, Retry
from gradesync.domain.gradebook import DueOverride
from gradesync.errors import ConnectionProblem
from gradesync.reporting import structured
from gradesync.reporting.text import explanation as as_text
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import District
from tests.engine.test_explain import PLAIN, answers, edit, explained, story
from tests.syncs.passback_school import DUE


def started(**passback: Any) -> District:
    """A district with these passback settings, its first grades carried."""
    district = District()
    tree = desired(account("riverside", {"grades": schedule()}, scope={"terms": "all"}, passback=passback))
    district.reconcile(tree)
    district.school.later(15)
    district.reconcile()
    return district


def again(district: District) -> None:
    district.later()
    district.reconcile()


def cell(district: District, student: str = "s11", title: str = "Work 1") -> str:
    """The id of a result in the SIS."""
    sis = district.school.sis
    return next(
        r.id
        for r in sis.results.values()
        if r.student_id == student and sis.line_items[r.line_item_id].title == title
    )


@pytest.mark.parametrize(
    ("code", "retry"), [("GS-501", Retry.CATALOGUE), ("GS-502", Retry.CATALOGUE), ("GS-506", Retry.DAILY)]
)
def test_a_grade_the_sis_refused_says_so_with_its_reason_its_age_and_when_it_is_tried_again(
    code: str, retry: Retry
) -> None:
    district = started()
    id = cell(district)
    district.school.sis.refuse[id] = ConnectionProblem("no", code=code, vendor_text="no")
    district.later()
    district.school.grade(1, 11, "9")
    district.reconcile()
    refused_at = district.school.now
    district.later()
    for found in (explained(district), explained(district, student="sis:s11", offline=True)):
        one = story(found)
        assert (one.next, one.code, one.since, one.retry) == (Next.REFUSED, code, refused_at, retry)
        text = as_text(found, style=PLAIN)
        assert "broke off" not in text
        assert "will be sent" not in text
        for word in (
            "refused",
            "cause",
            "remedy",
            "who acts",
            "since",
            "looked at again" if "1" in code else "",
        ):
            assert word in text
        told = structured.explanation(found)["classes"][0]
        assert (told["next"], told["result"]["refused"], told["result"]["broken_off"]) == (
            "was refused",
            True,
            False,
        )
    assert answers(story(explained(district)))["taken by the SIS"] is False
    assert "--vendor-text" in as_text(explained(district), style=PLAIN)


def test_a_refused_grade_that_has_changed_in_canvas_since_goes_with_the_next_run() -> None:
    district = started()
    district.school.sis.refuse[cell(district)] = ConnectionProblem("no", code="GS-506")
    district.school.grade(1, 11, "9")
    again(district)
    district.school.grade(1, 11, "10")
    one = story(explained(district))
    assert (one.next, one.retry) == (Next.REFUSED, Retry.NEXT_RUN)
    assert "tried again by the next run" in as_text(explained(district), style=PLAIN)


def test_a_yes_behind_which_nothing_is_stored_is_no_write() -> None:
    district = District()
    edit(district, 2, flagged=False)
    district.school.grade(1, 11, None)
    district.started()
    district.school.sis.forget = True
    district.later()
    district.school.grade(1, 11, "9")
    district.reconcile()
    found = explained(district)
    one = story(found)
    assert (one.held, one.next, one.code) == (Held.NOTHING, Next.REFUSED, "GS-509")
    assert one.last_write is None
    text = as_text(found, style=PLAIN)
    assert "written to the SIS, run" not in text.split("what happened")[1].split("(line item)")[-1]
    assert "said yes" in text
    assert "none that the SIS kept" in text


def test_a_yes_behind_which_the_old_score_stays_is_no_write_either() -> None:
    district = started()
    before = story(explained(district)).last_write
    district.school.sis.forget = True
    district.school.grade(1, 11, "9")
    again(district)
    found = explained(district)
    one = story(found)
    assert (one.next, one.code) == (Next.REFUSED, "GS-509")
    assert one.last_write == before
    text = as_text(found, style=PLAIN)
    assert "another value than the one it said yes to" in text
    assert "its own way" not in text


def test_only_a_write_of_which_no_end_is_on_record_was_broken_off() -> None:
    district = started()
    one = story(explained(district)).result
    assert one is not None
    assert one.entry is not None
    open_ = replace(one, entry=replace(one.entry, intent="x" * 64), waiting=None)
    assert open_.broken_off
    district.school.sis.refuse[cell(district)] = ConnectionProblem("no", code="GS-502")
    district.school.grade(1, 11, "9")
    again(district)
    refused = story(explained(district)).result
    assert refused is not None
    assert refused.entry is not None
    assert refused.entry.intent is not None
    assert not refused.broken_off


# - deleted assignments and students who left, asked for by Canvas's own numbers -


@pytest.mark.parametrize("course_id", [None, 1])
@pytest.mark.parametrize("student", ["11", "sis:s11"])
def test_a_deleted_assignment_tells_what_the_store_remembers_whichever_id_is_typed(
    student: str, course_id: int | None
) -> None:
    district = started()
    course = district.school.canvas.held[1]
    course.assignments = [a for a in course.assignments if a.id != 1]
    found = explained(district, student=student, course_id=course_id)
    one = story(found)
    assert found.gone
    assert one.class_id == "c1"
    assert one.last_write is not None
    gone = "does not know this assignment any more" if course_id is None else "Course 1 in Canvas has no such"
    assert gone in as_text(found, style=PLAIN)
    assert structured.explanation(found)["gone_in_canvas"] is True


def test_a_student_who_was_dropped_is_found_by_the_number_canvas_gave_them() -> None:
    district = started()
    course = district.school.canvas.held[1]
    course.students = [s for s in course.students if s.user_id != 11]
    district.school.canvas.former[11] = frozenset({"s11"})
    found = explained(district, student="11")
    assert (found.in_course, [one.class_id for one in found.classes]) == (False, ["c1"])
    assert found.classes[0].last_write is not None


def test_of_a_course_that_is_not_published_nobody_is_told_that_work_was_withdrawn() -> None:
    district = started()
    held = district.school.canvas.held[1]
    held.course = replace(held.course, state="unpublished")
    found = explained(district, student="11")
    said = as_text(found, style=PLAIN)
    assert "Course 1 is not published in Canvas (GS-303)" in said
    assert "teacher" in said
    assert not {"GS-419", "GS-424"} & set(said.replace("(", " ").replace(")", " ").split())
    assert story(found).last_write is not None
    assert structured.explanation(found)["course_unpublished"] is True


# - every step that stops a grade says no -


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": "   "}, ("GS-403", "GS-427")),
        ({"only_overrides": True, "overrides": (DueOverride(None, DUE),)}, ("GS-407",)),
        ({"points": Decimal(0)}, ("GS-413",)),
        ({"counts": False}, ("GS-420", "GS-426")),
    ],
)
def test_the_step_that_stops_an_assignment_says_no_with_the_code(
    fields: dict[str, Any], code: tuple[str, ...]
) -> None:
    district = District()
    edit(district, 1, **fields)
    district.started()
    one = story(explained(district))
    assert one.code in code
    assert [(c.answer, c.code) for c in one.checks if c.code is not None] == [(False, one.code)]
    assert f"({one.code}" in as_text(explained(district), style=PLAIN)


def test_a_hand_edit_and_a_half_graded_work_have_a_step_that_says_no() -> None:
    district = started()
    id = cell(district)
    sis = district.school.sis
    sis.results[id] = replace(sis.results[id], score=Decimal(1))
    assert answers(story(explained(district)))["unchanged by hand in the SIS"] is False
    said = as_text(explained(district), style=PLAIN)
    assert "Nothing more is sent." in said
    assert "not sent" not in said
    district.school.grade(2, 11, "3", state="pending_review")
    one = story(explained(district, assignment=2))
    assert [c.code for c in one.checks if c.answer is False and c.code] == [one.code]


def test_what_is_kept_back_while_both_sides_show_one_number_is_not_called_different() -> None:
    district = started()
    edit(district, 1, flagged=False)
    again(district)
    one = story(explained(district))
    assert (one.held, one.next) == (Held.AS_CANVAS, Next.WAITS)
    assert "something else" not in as_text(explained(district), style=PLAIN)
    district.school.grade(1, 11, "9")
    assert story(explained(district)).held is Held.AS_SENT


def test_missing_work_that_the_account_keeps_back_is_told_as_that() -> None:
    district = started()
    district.school.grade(1, 12, None, missing=True, state="unsubmitted")
    district.school.sis.results.pop(cell(district, "s12"))
    missing = District()
    missing.school.grade(1, 11, None, missing=True, state="unsubmitted")
    missing.started()
    found = explained(missing)
    assert (story(found).next, story(found).unsent_missing) == (Next.NOTHING, True)
    assert "passback.missing: withhold" in as_text(found, style=PLAIN)


def test_a_student_of_a_completed_section_is_in_it() -> None:
    district = started()
    course = district.school.canvas.held[1]
    course.students = [replace(s, state="completed") for s in course.students]
    assert answers(story(explained(district)))["student in the section"] is True


# - numbers -


def test_a_rounded_score_is_not_called_what_canvas_shows() -> None:
    district = District()
    district.school.sis.decimals = 0
    district.school.grade(1, 11, "8.4")
    district.started()
    again(district)
    found = explained(district, values=True)
    assert story(found).held is Held.ROUNDED
    text = as_text(found, style=PLAIN)
    assert "rounded" in text
    assert "both sides agree" not in text


def test_a_zero_that_went_as_exempt_is_no_score_of_zero() -> None:
    district = started(excused="exempt")
    district.school.grade(1, 11, None, excused=True)
    again(district)
    found = explained(district, was=Decimal(0))
    assert found.was is not None
    assert found.was.statuses == {"exempt"}
    assert "exempt" in as_text(found, style=PLAIN)
    assert json.dumps(structured.explanation(found)["was_sent"]["statuses"]) == '["exempt"]'
    other = explained(district, was=Decimal("4.5"))
    assert other.was is not None
    assert other.was.statuses == {"fully graded"}
