"""Who is in a Canvas course, by name: for worklists that a person asked for, and for nothing else.

These values carry names. They pass through a command into files of its user; no store, log or report may see them.
"""

from __future__ import annotations

from dataclasses import dataclass

STUDENT = "student"
TEACHER = "teacher"


@dataclass(frozen=True, slots=True)
class Member:
    """One enrollment. `role` is STUDENT or TEACHER; `class_id` is the SIS class of the section, None when untied."""

    user_id: int
    name: str
    role: str
    sis_user_id: str | None
    section_id: int
    class_id: str | None


@dataclass(frozen=True, slots=True)
class CoursePeople:
    """A course's name and its members."""

    course_id: int
    course_name: str
    members: tuple[Member, ...]

    def teachers_of(self, class_id: str) -> tuple[Member, ...]:
        """Who teaches the class: those of its section, else all of the course; each person once, by name."""
        teachers = [one for one in self.members if one.role == TEACHER]
        own = [one for one in teachers if one.class_id == class_id]
        chosen = {one.user_id: one for one in own or teachers}
        return tuple(sorted(chosen.values(), key=lambda one: (one.name, one.user_id)))
