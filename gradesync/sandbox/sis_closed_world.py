"""OneRoster 1.2's closed world: the form every property of a body must have before its meaning is looked at.

Three things that real clients send are let through although the official file does not know them: a reference with
only an id, no status or dateLastModified, and a date-time for a score's date. 1.1 has no such rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gradesync.sandbox.sis_errors import Json, invalid

_REFERENCES: Mapping[str, str] = {
    "class": "class",
    "school": "org",
    "category": "category",
    "gradingPeriod": "academicSession",
    "academicSession": "academicSession",
    "lineItem": "lineItem",
    "student": "user",
    "scoreScale": "scoreScale",
}
_TEXTS = frozenset(("sourcedId", "title", "description", "comment", "textScore", "scoreStatus", "status"))
_MOMENTS = frozenset(("assignDate", "dueDate", "dateLastModified"))
_MOMENT = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
_DAY = re.compile(r"\A\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?\Z")


def check_forms(sent: Json, known: frozenset[str]) -> None:
    """Raise 422 for a property that is not known, and for a value that has not the form of its property."""
    if sent.keys() - known:
        raise invalid("the object has a property that is not known")
    for name, value in sent.items():
        if not _has_form(name, value):
            raise invalid(f"{name} has not the form it should have")


def _has_form(name: str, value: Any) -> bool:
    if name in _REFERENCES:
        return _is_reference(value, _REFERENCES[name])
    if name == "metadata":
        return isinstance(value, dict)
    if name == "learningObjectiveSet":
        return isinstance(value, list)
    if name in _MOMENTS:
        return isinstance(value, str) and bool(_MOMENT.match(value))
    if name == "scoreDate":
        return isinstance(value, str) and bool(_DAY.match(value))
    return isinstance(value, str) if name in _TEXTS else value is not None


def _is_reference(value: Any, kind: str) -> bool:
    return (
        isinstance(value, dict)
        and {"sourcedId"} <= value.keys() <= {"href", "sourcedId", "type"}
        and value.get("type", kind) == kind
        and all(isinstance(part, str) for part in value.values())
    )
