"""Where in Canvas something waits that belongs to no class of the SIS: a section, by course and number.

The address after Canvas's own host, made of numbers alone, so that it may be told anywhere. Pure.
"""

from __future__ import annotations

import re

_SECTION = re.compile(r"courses/\d+/sections/\d+\Z", re.ASCII)


def section_place(course_id: int, section_id: int) -> str:
    """The section's address in Canvas, without the host; what waits there is kept under it."""
    return f"courses/{course_id}/sections/{section_id}"


def is_section_place(class_id: str) -> bool:
    """Whether a waiting row's class is a section that no class of the SIS stands behind."""
    return _SECTION.match(class_id) is not None


__all__ = ["is_section_place", "section_place"]
