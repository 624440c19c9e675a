"""The filled Canvas: repeatable, complete, and with every oddity a sync must survive."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gradesync.sandbox.canvas_seed import fill_canvas
from gradesync.sandbox.canvas_seed_work import FEATURES
from gradesync.sandbox.canvas_world import CanvasWorld

from .canvas_client import Clock, district, world


@pytest.fixture(scope="module")
def shared() -> CanvasWorld:
    """One populated world that no test of this module changes."""
    return world()


def test_the_same_seed_fills_the_same_canvas(shared: CanvasWorld) -> None:
    assert world().raw() == shared.raw()
    other = fill_canvas(district(), seed=2, populated=True, now=Clock())
    assert other.raw() != shared.raw()


def test_news_has_not_arrived_and_ended_enrollments_are_still_open(shared: CanvasWorld) -> None:
    source = district()
    assert source.news
    assert source.ended
    for person in source.people:
        assert (shared.login_by_sis(person.sourced_id) is None) == (person.sourced_id in source.news)
    for one in source.classes:
        assert (shared.id_of("section", one.sourced_id) is None) == (one.sourced_id in source.news)
    for enrollment in source.enrollments:
        if enrollment.sourced_id in source.ended:
            login = shared.login_by_sis(enrollment.person_id)
            section_id = shared.id_of("section", enrollment.class_id)
            assert login is not None
            assert section_id is not None
            states = {
                one.workflow_state
                for one in shared.enrollments_by_section[section_id]
                if one.user_id == login.user_id
            }
            assert states == {"active"}


def test_a_class_of_one_term_and_a_class_of_two_sit_in_the_right_terms(shared: CanvasWorld) -> None:
    years = {one.sourced_id for one in district().sessions if one.kind == "schoolYear"}
    for one in district().classes:
        course_id = shared.id_of("course", one.sourced_id)
        if course_id is None:
            continue
        term = shared.terms[shared.courses[course_id].enrollment_term_id].sis_term_id
        assert term == one.term_ids[0] if len(one.term_ids) == 1 else term in years


def test_every_planted_oddity_is_there(shared: CanvasWorld) -> None:
    work = [one for one in shared.assignments.values() if one.workflow_state != "deleted"]
    rows = shared.submissions.values()
    twins = [(one.course_id, one.name, one.due_at) for one in work]
    categories = {one.title for one in district().categories}
    names = {one.name for one in shared.groups.values()}
    folded = {one.strip().casefold() for one in categories}
    oddities = {
        "no due date": any(one.due_at is None for one in work),
        "section override": any(one.overrides and one.overrides[0].course_section_id for one in work),
        "student override": any(one.overrides and one.overrides[0].student_ids for one in work),
        "not flagged": any(not one.post_to_sis for one in work),
        "unpublished": any(one.workflow_state == "unpublished" for one in work),
        "zero points": any(one.points_possible == 0 for one in work),
        "no points": any(one.points_possible is None for one in work),
        "long title": any(len(one.name) > 30 for one in work),
        "twins": len(set(twins)) < len(twins),
        "only for some": any(one.only_visible_to_overrides for one in work),
        "another group name": "Participation" in names - categories,
        "another spelling": any(one not in categories and one.strip().casefold() in folded for one in names),
        "unposted": any(one.score is not None and one.posted_at is None for one in rows),
        "excused": any(one.excused for one in rows),
        "missing": any(one.late_policy_status == "missing" and one.score is None for one in rows),
        "late": any(one.points_deducted for one in rows),
        "resubmitted": any(not one.grade_matches_current_submission for one in rows),
        "pending review": any(one.workflow_state == "pending_review" for one in rows),
        "ungraded": any(one.workflow_state == "submitted" and one.score is None for one in rows),
        "not submitted": any(one.workflow_state == "unsubmitted" for one in rows),
        "over maximum": any(
            one.score is not None
            and one.score > (shared.assignments[one.assignment_id].points_possible or 1e9)
            for one in rows
        ),
        "decimals": any(one.grade is not None and one.grade.endswith("333333") for one in rows),
        "left unpublished": any(not one.published for one in shared.courses.values()),
        "cross-listed": any(one.nonxlist_course_id for one in shared.sections.values()),
    }
    assert [name for name, there in oddities.items() if not there] == []
    assert len(FEATURES) == 16


def test_people_without_a_sis_id_have_scores(shared: CanvasWorld) -> None:
    with_sis = {one.user_id for one in shared.logins.values() if one.sis_user_id is not None}
    scored = {one.user_id for one in shared.submissions.values() if one.score is not None}
    fakes = {one.user_id for one in shared.enrollments.values() if one.type == "StudentViewEnrollment"}
    guests = {one.id for one in shared.users.values() if one.name.startswith("Visiting")}
    assert fakes & scored
    assert guests & scored
    assert not (fakes | guests) & with_sis
    by_hand = next(one for one in shared.sections.values() if one.sis_section_id is None)
    assert {one.user_id for one in shared.enrollments_by_section[by_hand.id]} <= with_sis


def test_all_work_lies_in_the_past_and_is_due_at_the_end_of_a_local_day(shared: CanvasWorld) -> None:
    for row in shared.submissions.values():
        for moment in (row.graded_at, row.posted_at, row.submitted_at, row.updated_at):
            assert moment is None or moment < shared.now()
    zone = ZoneInfo("America/New_York")
    dues = [one.due_at for one in shared.assignments.values() if one.due_at is not None]
    assert {due.astimezone(zone).strftime("%H:%M:%S") for due in dues} == {"23:59:59"}
    borders = {one.end_at for one in shared.grading_periods.values()}
    assert borders & set(dues)
    periods = shared.grading_periods.values()
    used = {one.id for one in periods for due in dues if one.start_at <= due <= one.end_at}
    assert len(used) > 1


def test_scores_count_within_what_their_assignment_allows(shared: CanvasWorld) -> None:
    for row in shared.submissions.values():
        assignment = shared.assignments[row.assignment_id]
        assert row.course_id == assignment.course_id
        if row.excused:
            assert row.score is None
        if assignment.grading_type == "pass_fail" and row.score is not None:
            assert row.grade in ("complete", "incomplete")


def test_the_past_import_is_no_fresh_one(shared: CanvasWorld) -> None:
    (past,) = shared.imports.values()
    assert past.workflow_state == "imported"
    assert past.created_at <= shared.now() - timedelta(days=2)
    assert past.diffing_data_set_identifier is None
