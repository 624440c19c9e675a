"""The JSON Canvas serves for each record: exact keys, in Canvas's order, SIS fields included (the token has
read_sis).

Reads the world, changes nothing, knows no request.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gradesync.sandbox.canvas_http import stamp
from gradesync.sandbox.canvas_records import (
    Account,
    Course,
    Enrollment,
    Section,
    Term,
    User,
)
from gradesync.sandbox.canvas_world import CanvasWorld

_ROLE_IDS = {
    "StudentEnrollment": 3,
    "StudentViewEnrollment": 3,
    "TeacherEnrollment": 4,
    "TaEnrollment": 5,
    "DesignerEnrollment": 6,
    "ObserverEnrollment": 7,
}


def account_json(world: CanvasWorld, account: Account) -> dict[str, Any]:
    """An account; the root one shows its uuid to admins."""
    root = account.parent_account_id is None
    return {
        "id": account.id,
        "name": account.name,
        "workflow_state": account.workflow_state,
        "parent_account_id": account.parent_account_id,
        "root_account_id": None if root else world.root_account_id,
        "uuid": world.uuid if root else f"{world.uuid[:-4]}{account.id:04d}",
        "default_storage_quota_mb": 500,
        "default_user_storage_quota_mb": 50,
        "default_group_storage_quota_mb": 50,
        "default_time_zone": "America/New_York",
        "sis_account_id": account.sis_account_id,
        "sis_import_id": account.sis_import_id,
        "integration_id": account.integration_id,
    }


def term_json(term: Term) -> dict[str, Any]:
    """An enrollment term."""
    return {
        "id": term.id,
        "name": term.name,
        "start_at": stamp(term.start_at),
        "end_at": stamp(term.end_at),
        "created_at": stamp(term.start_at),
        "workflow_state": term.workflow_state,
        "grading_period_group_id": None,
        "sis_term_id": term.sis_term_id,
        "sis_import_id": term.sis_import_id,
    }


def course_json(world: CanvasWorld, course: Course, include: Collection[str] = ()) -> dict[str, Any]:
    """A course; created and claimed ones are shown as unpublished."""
    state = "unpublished" if course.workflow_state in ("created", "claimed") else course.workflow_state
    made = {
        "id": course.id,
        "name": course.name,
        "account_id": course.account_id,
        "uuid": f"course-{course.id}",
        "start_at": stamp(course.start_at),
        "end_at": stamp(course.end_at),
        "grading_standard_id": None,
        "is_public": False,
        "created_at": stamp(course.created_at),
        "course_code": course.course_code,
        "default_view": "modules",
        "root_account_id": world.root_account_id,
        "enrollment_term_id": course.enrollment_term_id,
        "license": "private",
        "grade_passback_setting": course.grade_passback_setting,
        "public_syllabus": False,
        "storage_quota_mb": 500,
        "homeroom_course": False,
        "friendly_name": None,
        "apply_assignment_group_weights": course.apply_assignment_group_weights,
        "time_zone": course.time_zone,
        "blueprint": False,
        "template": False,
        "sis_course_id": course.sis_course_id,
        "sis_import_id": course.sis_import_id,
        "integration_id": course.integration_id,
        "hide_final_grades": False,
        "workflow_state": state,
        "restrict_enrollments_to_course_dates": False,
    }
    if "term" in include:
        made["term"] = term_json(world.terms[course.enrollment_term_id])
    if "sections" in include:
        made["sections"] = [
            {"id": one.id, "name": one.name, "start_at": stamp(one.start_at), "end_at": stamp(one.end_at)}
            | {"enrollment_role": None}
            for one in world.sections_by_course[course.id].values()
            if one.workflow_state != "deleted"
        ]
    if "concluded" in include:
        ended = course.end_at is not None and course.end_at < world.now()
        made["concluded"] = ended or course.workflow_state == "completed"
    if "total_students" in include:
        made["total_students"] = len(world.students_of_course(course.id))
    if "account" in include:
        made["account"] = account_json(world, world.accounts[course.account_id])
    return made


def section_json(world: CanvasWorld, section: Section, include: Collection[str] = ()) -> dict[str, Any]:
    """A section; `sis_course_id` is that of the course it lives in now."""
    made = {
        "id": section.id,
        "course_id": section.course_id,
        "name": section.name,
        "start_at": stamp(section.start_at),
        "end_at": stamp(section.end_at),
        "created_at": stamp(section.created_at),
        "restrict_enrollments_to_section_dates": None,
        "nonxlist_course_id": section.nonxlist_course_id,
        "sis_section_id": section.sis_section_id,
        "sis_course_id": world.courses[section.course_id].sis_course_id,
        "integration_id": section.integration_id,
        "sis_import_id": section.sis_import_id,
    }
    if "total_students" in include:
        made["total_students"] = len(world.students_of_section(section.id))
    return made


def user_json(world: CanvasWorld, user: User) -> dict[str, Any]:
    """A person with the SIS id and name of the first living login."""
    logins = [one for one in world.logins_by_user[user.id] if one.workflow_state != "deleted"]
    login = next((one for one in logins if one.sis_user_id is not None), logins[0] if logins else None)
    return {
        "id": user.id,
        "name": user.name,
        "created_at": stamp(user.created_at),
        "sortable_name": user.sortable_name,
        "short_name": user.short_name,
        "sis_user_id": login.sis_user_id if login else None,
        "integration_id": login.integration_id if login else None,
        "sis_import_id": login.sis_import_id if login else None,
        "login_id": login.unique_id if login else None,
    }


def sis_user_id(world: CanvasWorld, enrollment: Enrollment) -> str | None:
    """The SIS id of the login the enrollment came from, which may differ from the person's first one."""
    if enrollment.login_id is not None:
        return world.logins[enrollment.login_id].sis_user_id
    living = (one for one in world.logins_by_user[enrollment.user_id] if one.workflow_state != "deleted")
    return next((one.sis_user_id for one in living if one.sis_user_id is not None), None)


def enrollment_json(world: CanvasWorld, enrollment: Enrollment, include: Collection[str]) -> dict[str, Any]:
    """An enrollment with its person; students carry course totals."""
    section = world.sections[enrollment.course_section_id]
    course = world.courses[section.course_id]
    made: dict[str, Any] = {
        "id": enrollment.id,
        "root_account_id": world.root_account_id,
        "user_id": enrollment.user_id,
        "course_id": course.id,
        "course_section_id": section.id,
        "associated_user_id": None,
        "limit_privileges_to_course_section": False,
        "updated_at": stamp(enrollment.updated_at),
        "created_at": stamp(enrollment.created_at),
        "start_at": stamp(enrollment.start_at),
        "end_at": stamp(enrollment.end_at),
        "type": enrollment.type,
        "enrollment_state": world.state_of(enrollment),
        "role": "StudentEnrollment" if enrollment.type == "StudentViewEnrollment" else enrollment.type,
        "role_id": _ROLE_IDS.get(enrollment.type, 0),
        "last_activity_at": None,
        "last_attended_at": None,
        "total_activity_time": 0,
        "sis_import_id": enrollment.sis_import_id,
    }
    if enrollment.type in ("StudentEnrollment", "StudentViewEnrollment"):
        totals = course_totals(world, course.id, enrollment.user_id)
        made["grades"] = {"html_url": f"/courses/{course.id}/grades/{enrollment.user_id}"} | {
            name.removeprefix("computed_"): value for name, value in totals.items()
        }
    made |= {
        "sis_account_id": world.accounts[course.account_id].sis_account_id,
        "sis_course_id": course.sis_course_id,
        "course_integration_id": course.integration_id,
        "sis_section_id": section.sis_section_id,
        "section_integration_id": section.integration_id,
        "sis_user_id": sis_user_id(world, enrollment),
        "html_url": f"/courses/{course.id}/users/{enrollment.user_id}",
        "user": user_json(world, world.users[enrollment.user_id]),
    }
    if "uuid" in include:
        made["user"]["uuid"] = f"user-{enrollment.user_id}"
    return made


def course_totals(world: CanvasWorld, course_id: int, user_id: int) -> dict[str, float | None]:
    """Percentages over posted work (current: graded only, final: ungraded as 0) and over all work."""
    posted = [0.0, 0.0, 0.0]
    anything = [0.0, 0.0, 0.0]
    for assignment in world.assignments_by_course[course_id]:
        row = world.submission_of.get((assignment.id, user_id))
        if row is None or row.excused or assignment.workflow_state != "published":
            continue
        if assignment.omit_from_final_grade:
            continue
        points = assignment.points_possible or 0.0
        for sums, counts in ((posted, row.posted_at is not None), (anything, True)):
            sums[2] += points
            if counts and row.score is not None and row.workflow_state != "pending_review":
                sums[0] += row.score
                sums[1] += points
    return {
        "computed_current_score": _percent(posted[0], posted[1]),
        "computed_final_score": _percent(posted[0], posted[2]),
        "unposted_current_score": _percent(anything[0], anything[1]),
        "unposted_final_score": _percent(anything[0], anything[2]),
    }


def _percent(score: float, points: float) -> float | None:
    return round(score / points * 100, 2) if points else None
