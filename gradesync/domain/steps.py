"""The questions on a grade's way from Canvas to the SIS, each with its answer.

Pure. Whatever keeps a grade back shows as a step that is answered no, with its code: a list in which every step says
yes beside a grade that is not sent explains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gradesync.domain.explained import Check
from gradesync.domain.gradebook import (
    Assignment,
    CourseGradebook,
    SectionStudent,
    SisCatalogue,
    Submission,
)
from gradesync.domain.interval import to_local
from gradesync.domain.line_item import Audience, audience_of, category_for, due_for, period_on, periods_of
from gradesync.domain.passback_decisions import GONE_STATES, ClassInput, LineItemDecision
from gradesync.domain.problem import CODES
from gradesync.domain.wish import Rules

_STEPS: Mapping[str, str] = {
    "GS-401": "has a due date",
    "GS-402": "in one marking period",
    "GS-405": "in one category",
    "GS-411": "posted to the student",
    "GS-413": "has points",
    "GS-414": "section tied to a SIS class",
    "GS-417": "student has a SIS id",
    "GS-420": "counts toward the final grade",
    "GS-503": "student in the class in the SIS",
    "GS-512": "class known to the SIS",
}
"""Codes that a step always asked says no for."""

_OWN_STEPS: Mapping[str, str] = {
    "GS-403": "title that the SIS takes",
    "GS-404": "name and due date of its own",
    "GS-407": "given to the whole section",
    "GS-408": "score is a number",
    "GS-409": "grade is on the SIS's scale",
    "GS-410": "no more than the points possible",
    "GS-412": "unchanged by hand in the SIS",
    "GS-415": "excused work is sent by this account",
    "GS-416": "graded to the end",
    "GS-418": "still graded",
    "GS-419": "still marked for the SIS",
    "GS-426": "still shown in Canvas as it was sent",
    "GS-427": "title that the SIS takes",
    "GS-505": "still there in the SIS",
}
"""Codes with a step of their own, asked only where the answer is no."""


def with_reason(checks: tuple[Check, ...], code: str | None) -> tuple[Check, ...]:
    """The steps, the one that `code` stands for answered no with it; a step of its own where none does."""
    if code is None:
        return checks
    named = _STEPS.get(code)
    if any(one.question == named and one.answer is False for one in checks):
        return tuple(replace(one, code=code) if one.question == named else one for one in checks)
    own = _OWN_STEPS.get(code)
    if own is None and code.startswith("GS-5"):
        own = "taken by the SIS"
    if own is None:
        entry = CODES.get(code)
        own = f"nothing stops it: {entry.title}" if entry is not None else "nothing stops it"
    return (*checks, Check(own, answer=False, code=code))


def canvas_checks(
    assignment: Assignment | None, work: Submission | None, student: SectionStudent, book: CourseGradebook
) -> tuple[Check, ...]:
    """What Canvas alone answers."""
    if assignment is None:
        return (Check("assignment in Canvas", answer=False),)
    graded = work is not None and (work.score is not None or work.excused)
    return (
        Check("course published", book.course.state in ("available", "completed")),
        Check("assignment published", assignment.published),
        Check("marked for the SIS", assignment.flagged and not assignment.hidden),
        Check("counts toward the final grade", assignment.counts),
        Check("has points", bool(assignment.points)),
        Check("student in the section", student.state not in GONE_STATES, str(student.section_id)),
        Check("student has a SIS id", student.sis_user_id is not None),
        Check("graded", graded),
        Check("posted to the student", work is not None and work.posted_at is not None),
        Check("section tied to a SIS class", student.section_sis_id is not None, student.section_sis_id),
    )


def sis_checks(
    given: ClassInput,
    catalogue: SisCatalogue,
    rules: Rules,
    assignment: Assignment | None,
    student: SectionStudent,
    column: LineItemDecision | None,
) -> tuple[Check, ...]:
    """What the SIS and the account's settings answer."""
    checks = [
        Check("class known to the SIS", answer=True, id=given.class_id),
        Check("student in the class in the SIS", student.sis_user_id in given.sis.students),
    ]
    if assignment is None:
        return tuple(checks)
    checks.append(
        Check("assigned to this class", audience_of(assignment, given.section_ids) is not Audience.OTHERS)
    )
    due_at = due_for(assignment, given.section_ids)
    category = category_for(assignment.group, given.class_id, catalogue.categories, rules.policy)
    found = None if isinstance(category, str) else category
    checks.append(Check("has a due date", due_at is not None))
    if column is not None and column.item is not None:
        # Decided already, undated work included.
        checks.append(
            Check("in one marking period", column.item.period_id is not None, column.item.period_id)
        )
    elif due_at is not None:
        periods = periods_of(catalogue.classes[given.class_id].term_ids, catalogue)
        period = period_on(to_local(due_at, rules.time_zone).date(), periods)
        checks.append(
            Check("in one marking period", period is not None, period.id if period is not None else None)
        )
    return (*checks, Check("in one category", found is not None, found.id if found is not None else None))


__all__ = ["canvas_checks", "sis_checks", "with_reason"]
