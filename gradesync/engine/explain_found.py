"""Which grade `explain` is asked about, what was found of it, and what is said when nothing was.

Values and sentences only; nothing is looked for here, and no sentence names a student.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gradesync.domain.explained import ClassStory
from gradesync.errors import NotFound


@dataclass(frozen=True, slots=True)
class GradeWish:
    """Which grade. `student` is Canvas's number or `sis:` and the SIS's id; `course_id` spares looking for it.

    `offline` asks neither side. `was` is a value somebody claims was sent. `values` keeps what a person at a terminal
    may see.
    """

    assignment_id: int
    student: str
    course_id: int | None = None
    offline: bool = False
    was: Decimal | None = None
    values: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the stories, the course, whether the student is in it, and whether Canvas lost the assignment.

    `stranger`: Canvas was asked for the student's number and has no such user.
    """

    stories: tuple[ClassStory, ...]
    course_id: int | None = None
    present: bool | None = None
    gone: bool = False
    unpublished: bool = False
    stranger: bool = False


def nothing_known(wish: GradeWish, found: Found) -> NotFound:
    """Which half of the question nobody knows; the student's own number or id is not repeated."""
    work, course = f"assignment {wish.assignment_id}", f"course {found.course_id}"
    if wish.offline:
        return NotFound(
            f"the store remembers nothing of {work} for this student",
            hint="without --offline Canvas and the SIS are asked too",
        )
    if found.stranger:
        where = f"{work} is in {course}" if found.course_id is not None and not found.gone else ""
        return NotFound(
            f"Canvas knows no user with this number{f'; {where}' if where else ''}",
            hint="the number is at the end of the address of the student's page, courses/N/users/N",
        )
    if found.gone and wish.course_id is not None:
        return NotFound(
            f"{course} in Canvas has no {work}, and the store remembers nothing of it for this student",
            hint="check the assignment's address; with its number alone every course is looked through",
        )
    if found.gone:
        return NotFound(
            f"Canvas does not know {work}, and the store remembers nothing of it for this student",
            hint="check the number: it is at the end of the assignment's address in Canvas",
        )
    if found.unpublished:
        return NotFound(
            f"{course} is not published in Canvas, so no grade of it can be read (GS-303), and the store remembers "
            "nothing of this one",
            hint="publish the course, or check the student",
        )
    return NotFound(
        f"{work} is in {course}, and this student is in no section of it; the store remembers nothing of them there",
        hint="check both: another section of the course would be found, and so would a student dropped from it",
    )


__all__ = ["Found", "GradeWish", "nothing_known"]
