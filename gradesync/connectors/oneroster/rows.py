"""OneRoster's JSON rows into the domain's values, and the domain's gradebook values into PUT bodies. Pure.

Parsers keep the fields the domain has and drop the rest at once: metadata and demographics of SISes hold religion,
health and addresses (oneroster.md 5.4). Fields and vocabularies: oneroster.md 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gradesync.connectors.links import segment
from gradesync.connectors.wire import Malformed, day, instant, json_body, number, plain, stamp, text_of
from gradesync.domain.gradebook import Category, LineItem, Result
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)

Row = Mapping[str, Any]


def ref(row: Row, key: str) -> str | None:
    """The sourcedId a reference names; href and type are not needed."""
    value = row.get(key)
    if value is None:
        return None
    found = value["sourcedId"]
    if type(found) is not str:
        raise Malformed(f"{key} is not a reference")
    return found or None


def refs(row: Row, key: str) -> tuple[str, ...]:
    """The sourcedIds of a list of references; a single one outside a list is taken too."""
    value = row.get(key) or ()
    entries = (value,) if isinstance(value, dict) else value
    return tuple(str(entry["sourcedId"]) for entry in entries)


_YES, _NO = frozenset({"true", "1", "yes", "y"}), frozenset({"false", "0", "no", "n"})


def yes(value: Any, otherwise: bool = False) -> bool:
    """A boolean in any spelling: OneRoster wants the strings "true" and "false". What is neither is `otherwise`."""
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else otherwise


def org(sourced_id: str, row: Row) -> Org:
    """A row of /orgs."""
    return Org(sourced_id, text_of(row.get("name")), text_of(row.get("type")), ref(row, "parent"))


def session(sourced_id: str, row: Row) -> AcademicSession:
    """A row of /academicSessions; one without dates cannot be placed in time."""
    start, end = day(row.get("startDate")), day(row.get("endDate"))
    if start is None or end is None:
        raise Malformed("a session without dates")
    return AcademicSession(
        id=sourced_id,
        title=text_of(row.get("title")),
        kind=text_of(row.get("type")),
        start=start,
        end=end,
        parent_id=ref(row, "parent"),
        school_year=str(row.get("schoolYear") or ""),
    )


def course(sourced_id: str, row: Row) -> RosterCourse:
    """A row of /courses."""
    code = text_of(row.get("courseCode"))
    return RosterCourse(sourced_id, text_of(row.get("title")), code, ref(row, "org"))


def school_class(sourced_id: str, row: Row) -> RosterClass:
    """A row of /classes."""
    return RosterClass(
        id=sourced_id,
        title=text_of(row.get("title")),
        code=text_of(row.get("classCode")),
        course_id=ref(row, "course") or "",
        school_id=ref(row, "school") or "",
        term_ids=refs(row, "terms"),
    )


def user(sourced_id: str, row: Row) -> RosterUser:
    """A row of /users, /students or /teachers."""
    return RosterUser(
        id=sourced_id,
        username=text_of(row.get("username")),
        given_name=text_of(row.get("givenName")),
        family_name=text_of(row.get("familyName")),
        email=text_of(row.get("email")),
        role=text_of(row.get("role")),
        enabled=yes(row.get("enabledUser"), otherwise=True),
    )


def aide(sourced_id: str, row: Row) -> RosterUser | None:
    """A row of /users when it is an aide's; anybody else is let go at once, filter or not."""
    return user(sourced_id, row) if row.get("role") == "aide" else None


def enrollment(sourced_id: str, row: Row) -> RosterEnrollment:
    """A row of /enrollments; ended ones stay."""
    return RosterEnrollment(
        sourced_id,
        ref(row, "user") or "",
        ref(row, "class") or "",
        text_of(row.get("role")),
        day(row.get("beginDate")),
        day(row.get("endDate")),
        yes(row.get("primary")),
    )


def category(sourced_id: str, row: Row) -> Category:
    """A row of /categories; 1.1 has no field for the class, vendors put it into metadata."""
    metadata = row.get("metadata")
    class_id = metadata.get("classId") if isinstance(metadata, dict) else None
    return Category(sourced_id, text_of(row.get("title")), class_id if isinstance(class_id, str) else None)


def line_item_of(class_id: str) -> Callable[[str, Row], LineItem | None]:
    """A parser of lineItems of one class; items a server mixes in from other classes are left out."""

    def parse(sourced_id: str, row: Row) -> LineItem | None:
        found = ref(row, "class") or class_id
        if found != class_id:
            return None
        return LineItem(
            id=sourced_id,
            title=text_of(row.get("title")),
            class_id=found,
            category_id=ref(row, "category"),
            period_id=ref(row, "gradingPeriod"),
            assign_date=instant(row.get("assignDate")),
            due_date=instant(row.get("dueDate")),
            minimum=number(row.get("resultValueMin")),
            maximum=number(row.get("resultValueMax")),
            school_id=ref(row, "school"),
        )

    return parse


def result_of(class_id: str) -> Callable[[str, Row], Result]:
    """A parser of results of one class; runs once per grade of a district."""

    def parse(sourced_id: str, row: Row) -> Result:
        line_item_id = row["lineItem"]["sourcedId"]
        student_id = row["student"]["sourcedId"]
        if type(line_item_id) is not str or type(student_id) is not str:
            raise Malformed("a result without references")
        get = row.get
        text = get("textScore")
        return Result(
            sourced_id,
            line_item_id,
            student_id,
            number(get("score")),
            text_of(get("scoreStatus")),
            day(get("scoreDate")),
            class_id,
            text if type(text) is str and text else None,
        )

    return parse


class Bodies:
    """PUT bodies of one service: complete objects, for strict servers refuse partial ones (oneroster.md 5.1).

    `rostering` and `gradebook` are the services' base addresses, for the references' hrefs. `now` is aware.
    """

    def __init__(self, rostering: str, gradebook: str, version: str, now: Callable[[], datetime]) -> None:
        self._roots = {"lineItem": gradebook, "category": gradebook}
        self._rostering = rostering
        self._newer = version != "1.1"
        self._now = now

    def line_item(self, item: LineItem) -> bytes:
        """`{"lineItem": {...}}` with everything we own."""
        fields: dict[str, object] = self._head(item.id)
        fields["title"] = item.title
        if item.assign_date is not None:
            fields["assignDate"] = stamp(item.assign_date)
        if item.due_date is not None:
            fields["dueDate"] = stamp(item.due_date)
        fields["class"] = self._ref("class", "classes", item.class_id)
        if item.category_id is not None:
            fields["category"] = self._ref("category", "categories", item.category_id)
        if item.period_id is not None:
            fields["gradingPeriod"] = self._ref("academicSession", "academicSessions", item.period_id)
        if self._newer and item.school_id is not None:
            # 1.1 has no such field, and a strict 1.1 server refuses fields it does not know.
            fields["school"] = self._ref("org", "orgs", item.school_id)
        ends = {"resultValueMin": item.minimum, "resultValueMax": item.maximum}
        return json_body("lineItem", fields, {k: plain(v) for k, v in ends.items() if v is not None})

    def result(self, result: Result, *, with_text: bool) -> bytes:
        """`{"result": {...}}`; never a comment, since an empty one is refused and ours would overwrite theirs."""
        fields: dict[str, object] = self._head(result.id)
        fields["lineItem"] = self._ref("lineItem", "lineItems", result.line_item_id)
        fields["student"] = self._ref("user", "users", result.student_id)
        if self._newer and result.class_id is not None:
            fields["class"] = self._ref("class", "classes", result.class_id)
        fields["scoreStatus"] = result.status
        if result.score_date is not None:
            fields["scoreDate"] = result.score_date.isoformat()
        if with_text and result.text is not None:
            fields["textScore"] = result.text
        numbers = {} if result.score is None else {"score": plain(result.score)}
        return json_body("result", fields, numbers)

    def _head(self, sourced_id: str) -> dict[str, object]:
        return {"sourcedId": sourced_id, "status": "active", "dateLastModified": stamp(self._now())}

    def _ref(self, kind: str, path: str, sourced_id: str) -> dict[str, str]:
        root = self._roots.get(kind, self._rostering)
        return {"href": f"{root}/{path}/{segment(sourced_id)}", "sourcedId": sourced_id, "type": kind}
