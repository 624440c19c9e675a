"""What another tool's grade sync left in the SIS before anybody took over: line items and results under its own ids.

It carries grades the way the widespread tools do: by section, under the assignment's own name and due date, numbers
alone. It writes past the rules for API clients and shares no code with what it lets one test: taking over without
doubling anything. The one module beside `school.py` that knows both sides. No HTTP here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gradesync.sandbox.canvas_json import sis_user_id
from gradesync.sandbox.canvas_records import Assignment, Section
from gradesync.sandbox.school import SandboxSchool
from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_rows import stamp


def sync_with_other_tool(school: SandboxSchool, *, seed: int = 1, share: float = 1.0) -> dict[str, int]:
    """Let another tool carry a share of the flagged work and its posted scores over; gives counts.

    Work without a due date, points or a category of the same name stays behind, as it would outside. What stands in
    the SIS already, by title and due day in the class, is left as it is. Deterministic by seed.
    """
    rng = random.Random(f"other-tool {seed}")  # noqa: S311 -- a reproducible choice, not a secret
    done: Counter[str] = Counter()
    for section, assignment in _work(school):
        if rng.random() >= share:
            continue
        item = _item(school, section, assignment)
        if item is None:
            continue
        school.sis.put_row("lineItems", item)
        done["line_items"] += 1
        for row in _results(school, section, assignment, item["sourcedId"]):
            school.sis.put_row("results", row)
            done["results"] += 1
    return dict(done)


def _work(school: SandboxSchool) -> Iterator[tuple[Section, Assignment]]:
    """Every flagged, published assignment of every section the SIS has a class for."""
    canvas, classes = school.canvas, school.sis.rows["classes"]
    for section in canvas.sections.values():
        course = canvas.courses[section.course_id]
        if section.workflow_state != "active" or not course.published:
            continue
        if section.sis_section_id in classes:
            for assignment in canvas.live_assignments(course.id):
                if assignment.post_to_sis and assignment.workflow_state == "published":
                    yield section, assignment


def _item(school: SandboxSchool, section: Section, assignment: Assignment) -> Json | None:
    """The line item of one class, or None for what the tool cannot carry or finds there already."""
    sis, class_id = school.sis, str(section.sis_section_id)
    due = _due(section, assignment)
    group = school.canvas.groups[assignment.assignment_group_id].name.strip().casefold()
    category = next(
        (row["sourcedId"] for row in sis.rows["categories"].values() if row["title"].casefold() == group),
        None,
    )
    period = None if due is None else _period(school, class_id, due)
    if due is None or category is None or period is None or not assignment.points_possible:
        return None
    title = assignment.name[: sis.behaviour.title_limit]
    for other in sis.line_items_of_class(class_id):
        if other["title"] == title and other["dueDate"][:10] == stamp(due)[:10]:
            return None
    return {
        "sourcedId": sis.mint("lineItems"),
        "status": "active",
        "dateLastModified": "",
        "title": title,
        "description": "",
        "assignDate": stamp(min(assignment.created_at, due)),
        "dueDate": stamp(due),
        "class": sis.reference("class", class_id),
        "category": sis.reference("category", category),
        "resultValueMin": 0,
        "resultValueMax": assignment.points_possible,
        "gradingPeriod": sis.reference("academicSession", period),
    }


def _due(section: Section, assignment: Assignment) -> datetime | None:
    """The section's own due date, or everybody's."""
    own = (one.due_at for one in assignment.overrides if one.course_section_id == section.id)
    return next(own, assignment.due_at)


def _period(school: SandboxSchool, class_id: str, due: datetime) -> str | None:
    """The grading period of the class's terms that the due day lies in."""
    day = due.astimezone(ZoneInfo(school.district.time_zone)).date().isoformat()
    terms = {term["sourcedId"] for term in school.sis.rows["classes"][class_id]["terms"]}
    for row in school.sis.rows["academicSessions"].values():
        inside = row["startDate"] <= day < row["endDate"]
        if inside and row["type"] == "gradingPeriod" and row["parent"]["sourcedId"] in terms:
            return str(row["sourcedId"])
    return None


def _results(school: SandboxSchool, section: Section, assignment: Assignment, item_id: str) -> Iterator[Json]:
    """The posted scores of the section's students whom the SIS has in the class."""
    canvas, sis = school.canvas, school.sis
    for user_id, enrollments in canvas.students_of_section(section.id).items():
        active = [one for one in enrollments if one.workflow_state == "active"]
        student = sis_user_id(canvas, active[0]) if active else None
        row = canvas.submission_of.get((assignment.id, user_id))
        if row is None or row.score is None or row.posted_at is None or student is None:
            continue
        if sis.is_student_of(student, str(section.sis_section_id)):
            graded = row.graded_at or row.updated_at
            yield {
                "sourcedId": sis.mint("results"),
                "status": "active",
                "dateLastModified": "",
                "lineItem": sis.reference("lineItem", item_id),
                "student": sis.reference("user", student),
                "score": row.score,
                "scoreStatus": "fully graded",
                "scoreDate": graded.astimezone(ZoneInfo(school.district.time_zone)).date().isoformat(),
            }
