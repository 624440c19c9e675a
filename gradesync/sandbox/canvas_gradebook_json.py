"""The JSON Canvas serves for a gradebook: groups, grading periods, assignments, submissions; exact keys in order.

Reads records, changes nothing, knows no request. People and places are in `canvas_json`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from gradesync.sandbox.canvas_http import stamp
from gradesync.sandbox.canvas_records import (
    Assignment,
    AssignmentGroup,
    GradingPeriod,
    Override,
    Submission,
)
from gradesync.sandbox.canvas_world import entered_score, grade_text


def group_json(group: AssignmentGroup) -> dict[str, Any]:
    """An assignment group."""
    return {
        "id": group.id,
        "name": group.name,
        "position": group.position,
        "group_weight": group.group_weight,
        "sis_source_id": None,
        "integration_data": {},
        "rules": dict(group.rules),
    }


def period_json(period: GradingPeriod) -> dict[str, Any]:
    """A grading period."""
    return {
        "id": str(period.id),
        "title": period.title,
        "start_date": stamp(period.start_at),
        "end_date": stamp(period.end_at),
        "close_date": stamp(period.end_at),
        "weight": None,
        "is_closed": False,
        "is_last": False,
        "permissions": {"update": False, "create": False, "delete": False},
    }


def override_json(override: Override, assignment: Assignment) -> dict[str, Any]:
    """An override of a due date, for a section or for students."""
    made: dict[str, Any] = {
        "id": override.id,
        "assignment_id": assignment.id,
        "title": override.title,
        "due_at": stamp(override.due_at),
        "all_day": False,
        "all_day_date": None,
        "unassign_item": False,
    }
    if override.course_section_id is not None:
        made["course_section_id"] = override.course_section_id
    else:
        made["student_ids"] = list(override.student_ids)
    return made


def assignment_json(
    assignment: Assignment,
    *,
    include: Collection[str] = (),
    base_dates: bool = True,
    muted: bool | None = None,
) -> dict[str, Any]:
    """An assignment. With `base_dates=False` the date is the caller's own: for staff the latest one."""
    due = assignment.due_at
    if not base_dates and assignment.overrides:
        dates = [one.due_at for one in assignment.overrides]
        if not assignment.only_visible_to_overrides:
            dates.append(assignment.due_at)
        due = None if None in dates else max(date for date in dates if date is not None)
    made: dict[str, Any] = {
        "id": assignment.id,
        "description": None,
        "due_at": stamp(due),
        "unlock_at": None,
        "lock_at": None,
        "points_possible": assignment.points_possible,
        "grading_type": assignment.grading_type,
        "assignment_group_id": assignment.assignment_group_id,
        "grading_standard_id": None,
        "created_at": stamp(assignment.created_at),
        "updated_at": stamp(assignment.updated_at),
        "peer_reviews": False,
        "position": assignment.position,
        "grade_group_students_individually": False,
        "anonymous_peer_reviews": False,
        "group_category_id": None,
        "post_to_sis": assignment.post_to_sis,
        "moderated_grading": False,
        "omit_from_final_grade": assignment.omit_from_final_grade,
        "hide_in_gradebook": assignment.hide_in_gradebook,
        "anonymous_grading": False,
        "final_grader_id": None,
        "course_id": assignment.course_id,
        "name": assignment.name,
        "submission_types": list(assignment.submission_types),
        "has_submitted_submissions": False,
        "in_closed_grading_period": False,
        "post_manually": assignment.post_manually,
        "is_quiz_assignment": assignment.submission_types == ("online_quiz",),
        "muted": assignment.post_manually if muted is None else muted,
        "html_url": f"/courses/{assignment.course_id}/assignments/{assignment.id}",
        "has_overrides": bool(assignment.overrides),
        "sis_assignment_id": assignment.sis_assignment_id,
        "integration_id": assignment.integration_id,
        "integration_data": {},
        "published": assignment.workflow_state == "published",
        "workflow_state": assignment.workflow_state,
        "unpublishable": True,
        "only_visible_to_overrides": assignment.only_visible_to_overrides,
        "anonymize_students": False,
        "require_lockdown_browser": False,
        "restrict_quantitative_data": False,
    }
    if "overrides" in include:
        made["overrides"] = [override_json(one, assignment) for one in assignment.overrides]
    if "all_dates" in include:
        _all_dates(made, assignment)
    return made


def _all_dates(made: dict[str, Any], assignment: Assignment) -> None:
    # Canvas replaces the list by its length at 25 and more.
    if len(assignment.overrides) >= 25:
        made["all_dates_count"] = len(assignment.overrides)
        return
    dates: list[dict[str, Any]] = [
        {
            "id": one.id,
            "due_at": stamp(one.due_at),
            "unlock_at": None,
            "lock_at": None,
            "title": one.title,
            "set_type": "CourseSection" if one.course_section_id is not None else "ADHOC",
            "set_id": one.course_section_id,
        }
        for one in assignment.overrides
    ]
    if not assignment.only_visible_to_overrides:
        dates.append({"due_at": stamp(assignment.due_at), "unlock_at": None, "lock_at": None, "base": True})
    made["all_dates"] = dates


def submission_json(
    row: Submission, assignment: Assignment, due: datetime | None, period_id: int | None, moment: datetime
) -> dict[str, Any]:
    """A submission row; late, missing and seconds_late are computed as of `moment`."""
    entered = entered_score(row)
    late_by = seconds_late(row, due)
    return {
        "id": row.id,
        "user_id": row.user_id,
        "url": None,
        "score": row.score,
        "grade": row.grade,
        "excused": row.excused,
        "attempt": row.attempt,
        "submission_type": row.submission_type,
        "submitted_at": stamp(row.submitted_at),
        "body": None,
        "assignment_id": row.assignment_id,
        "graded_at": stamp(row.graded_at),
        "grade_matches_current_submission": row.grade_matches_current_submission,
        "grader_id": row.grader_id,
        "workflow_state": row.workflow_state,
        "late_policy_status": row.late_policy_status,
        "points_deducted": row.points_deducted,
        "grading_period_id": period_id,
        "cached_due_date": stamp(due),
        "extra_attempts": None,
        "posted_at": stamp(row.posted_at),
        "redo_request": row.redo_request,
        "sticker": None,
        "custom_grade_status_id": row.custom_grade_status_id,
        "late": is_late(row, due),
        "missing": is_missing(row, assignment, due, moment),
        "seconds_late": late_by,
        "entered_grade": row.grade if row.points_deducted is None else _entered_grade(assignment, entered),
        "entered_score": entered,
    }


def _entered_grade(assignment: Assignment, entered: float | None) -> str | None:
    return None if entered is None else grade_text(assignment, entered)


def seconds_late(row: Submission, due: datetime | None) -> int:
    """How long after its due date the work came; 0 when it came in time or never."""
    if due is None or row.submitted_at is None:
        return 0
    return max(0, int((row.submitted_at - due).total_seconds()))


def is_late(row: Submission, due: datetime | None) -> bool:
    """Late by the teacher's word, or by the clock; excused work never is."""
    if row.excused:
        return False
    return row.late_policy_status == "late" or (row.late_policy_status is None and seconds_late(row, due) > 0)


def is_missing(row: Submission, assignment: Assignment, due: datetime | None, moment: datetime) -> bool:
    """Missing by the teacher's word, or due and not handed in as of `moment`."""
    if row.excused or row.custom_grade_status_id is not None:
        return False
    if row.late_policy_status is not None:
        return row.late_policy_status == "missing"
    if row.submitted_at is not None or assignment.submission_types in (("on_paper",), ("none",)):
        return False
    graded_by_hand = row.score is not None and row.grader_id is not None
    return due is not None and due < moment and not graded_by_hand
