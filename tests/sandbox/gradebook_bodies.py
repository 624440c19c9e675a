"""Complete OneRoster 1.2 bodies for one class of the small sandbox; no test here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradesync.sandbox.server import SandboxSchool

Body = dict[str, Any]
_HREF = "https://client.example/ims/oneroster/"


@dataclass(frozen=True, slots=True)
class Place:
    """A year-long class with its school, its grading period, a category and two students."""

    class_id: str
    school_id: str
    period_id: str
    category_id: str
    students: tuple[str, str]

    def item(self, sourced_id: str = "li-1", **more: Any) -> Body:
        """A line item that the official 1.2 file calls valid."""
        return {
            "sourcedId": sourced_id,
            "status": "active",
            "dateLastModified": "2026-11-23T10:00:00.000Z",
            "title": "Essay",
            "assignDate": "2026-11-20T05:00:00.000Z",
            "dueDate": "2026-11-26T04:59:59.000Z",
            "class": reference("class", self.class_id),
            "school": reference("org", self.school_id),
            "category": reference("category", self.category_id),
            "gradingPeriod": reference("academicSession", self.period_id),
            "resultValueMin": 0,
            "resultValueMax": 20,
            **more,
        }

    def result(self, sourced_id: str = "r-1", line_item: str = "li-1", **more: Any) -> Body:
        """A result that the official 1.2 file calls valid."""
        return {
            "sourcedId": sourced_id,
            "status": "active",
            "dateLastModified": "2026-11-23T10:00:00.000Z",
            "lineItem": reference("lineItem", line_item),
            "student": reference("user", self.students[0]),
            "score": 17.5,
            "scoreStatus": "fully graded",
            "scoreDate": "2026-11-22",
            **more,
        }


def reference(kind: str, sourced_id: str) -> Body:
    """A whole reference."""
    return {"href": f"{_HREF}{kind}", "sourcedId": sourced_id, "type": kind}


def place_of(school: SandboxSchool) -> Place:
    """Where the tests write."""
    made = school.district.classes[0]
    period = next(one.sourced_id for one in school.district.sessions if one.title == "Marking Period 2")
    first, second = (row["sourcedId"] for row in school.sis.people_of_class(made.sourced_id, "student")[:2])
    category = school.district.categories[1].sourced_id
    return Place(made.sourced_id, made.school_id, period, category, (first, second))


def empty_gradebook(school: SandboxSchool) -> None:
    """Take every line item and every result out."""
    for kind in ("results", "lineItems"):
        for sourced_id in list(school.sis.rows[kind]):
            school.sis.drop_row(kind, sourced_id)
