"""What a line item, a result and a category must be before the SIS keeps them.

Strict about what would corrupt a gradebook, lenient about what real clients send: references with only an id, an
empty comment, a date-time where a date is meant; under OneRoster 1.1 unknown fields, too. 1.2 has a closed world:
there a school is required, and a property it does not know is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from gradesync.sandbox.sis_closed_world import check_forms
from gradesync.sandbox.sis_dialect import Dialect
from gradesync.sandbox.sis_errors import Json, SisError, invalid, unknown
from gradesync.sandbox.sis_fields import day, flag, moment, number, referred, text
from gradesync.sandbox.sis_rows import stamp
from gradesync.sandbox.sis_world import SisWorld

_SCORE_STATUSES = frozenset(
    ("exempt", "fully graded", "not submitted", "partially graded", "submitted"),
)
_OWN_STATUS = re.compile(r"\Aext:[a-zA-Z0-9._-]+\Z")
_FLAGS = ("inProgress", "incomplete", "late", "missing")
# Known to 1.2, but this SIS keeps none of them: taking them would be a silent loss.
_NOT_KEPT = ("scoreScale", "learningObjectiveSet")


def stored_row(world: SisWorld, dialect: Dialect, kind: str, sent: Json) -> Json:
    """The row that a sent object becomes, its sourcedId included; `dateLastModified` is for the caller.

    Raises `SisError`: 404 for an unknown object it refers to, 409 for a locked line item, 422 for content that
    cannot be stored.
    """
    if dialect.strict:
        check_forms(sent, dialect.fields[kind])
    if sent.get("status", "active") not in ("active", "tobedeleted"):
        raise invalid("status is neither active nor tobedeleted")
    row: Json = {
        "sourcedId": sent["sourcedId"],
        "status": sent.get("status", "active"),
        "dateLastModified": "",
    }
    row |= _MAKERS[kind](world, dialect, sent)
    if isinstance(sent.get("metadata"), dict):
        row["metadata"] = sent["metadata"]
    return row


def check_open(world: SisWorld, item: Json) -> None:
    """Refuse a change of a line item or of its results while it is locked (409) or its period closed (422)."""
    if world.behaviour.is_locked(item["sourcedId"]):
        raise SisError(409, "invaliddata", "the assignment is locked")
    if closed := world.behaviour.closed_periods:
        named = [item[name]["sourcedId"] for name in ("gradingPeriod", "academicSession") if name in item]
        if not set(named or [_period_by_date(world, item)]).isdisjoint(closed):
            raise invalid("the grading window is closed for this grading period")


def _period_by_date(world: SisWorld, item: Json) -> str | None:
    """The grading period the due day lies in: most SISes derive it when nobody names one."""
    zone = ZoneInfo(world.district.time_zone)
    due = datetime.fromisoformat(item["dueDate"]).astimezone(zone).date().isoformat()
    terms = {term["sourcedId"] for term in world.rows["classes"][item["class"]["sourcedId"]]["terms"]}
    for session in world.rows["academicSessions"].values():
        inside = session["startDate"] <= due < session["endDate"]
        if session["type"] == "gradingPeriod" and inside and session["parent"]["sourcedId"] in terms:
            return str(session["sourcedId"])
    return None


def _category(_world: SisWorld, dialect: Dialect, sent: Json) -> Json:
    row: Json = {"title": text(sent, "title")}
    if dialect.strict and "weight" in sent:
        row["weight"] = number(sent, "weight")
    return row


def _line_item(world: SisWorld, dialect: Dialect, sent: Json) -> Json:
    behaviour = world.behaviour
    assign, due = moment(sent, "assignDate"), moment(sent, "dueDate")
    if assign > due:
        raise invalid("assignDate is after dueDate")
    class_id = referred(world, sent, "class", "classes")
    category_id = referred(world, sent, "category", "categories")
    if behaviour.dates_at_midnight:
        assign, due = (one.replace(hour=0, minute=0, second=0, microsecond=0) for one in (assign, due))
    row: Json = {
        "title": text(sent, "title")[: behaviour.title_limit],
        "description": sent["description"] if isinstance(sent.get("description"), str) else "",
        "assignDate": stamp(assign),
        "dueDate": stamp(due),
        "class": world.reference("class", class_id),
        "category": world.reference("category", category_id),
    }
    row |= _bounds(dialect, sent)
    if sent.get("gradingPeriod") is not None:
        period_id = _grading_period(world, sent, class_id)
        row["gradingPeriod"] = world.reference("academicSession", period_id)
    if dialect.strict:
        row |= _item_of_v1p2(world, sent, class_id)
    check_open(world, {"sourcedId": sent["sourcedId"]} | row)
    return row


def _bounds(dialect: Dialect, sent: Json) -> Json:
    """The least and the most a result may be; 1.2 lets a client leave them out."""
    names = ("resultValueMin", "resultValueMax")
    bounds = {name: number(sent, name) for name in names if not dialect.strict or name in sent}
    if len(bounds) == 2 and bounds["resultValueMin"] >= bounds["resultValueMax"]:
        raise invalid("resultValueMin is not below resultValueMax")
    return bounds


def _item_of_v1p2(world: SisWorld, sent: Json, class_id: str) -> Json:
    """What only a 1.2 line item holds: its school, and the session of a whole term."""
    _refuse_unkept(sent)
    school_id = referred(world, sent, "school", "orgs")
    if school_id != world.school_of_class(class_id):
        raise invalid("the class is not one of the school")
    row: Json = {"school": world.reference("org", school_id)}
    if "academicSession" in sent:
        session_id = referred(world, sent, "academicSession", "academicSessions")
        row["academicSession"] = world.reference("academicSession", session_id)
    return row


def _refuse_unkept(sent: Json) -> None:
    for name in _NOT_KEPT:
        if sent.get(name):
            raise invalid(f"{name} is not kept here")


def _grading_period(world: SisWorld, sent: Json, class_id: str) -> str:
    """The id of the line item's grading period, which must belong to one of the class's terms."""
    period_id = referred(world, sent, "gradingPeriod", "academicSessions")
    period = world.rows["academicSessions"][period_id]
    if period["type"] != "gradingPeriod":
        raise unknown("gradingPeriod")
    terms = {term["sourcedId"] for term in world.rows["classes"][class_id]["terms"]}
    if period["parent"]["sourcedId"] not in terms:
        raise invalid("the grading period is not one of the class's terms")
    return period_id


def _result(world: SisWorld, dialect: Dialect, sent: Json) -> Json:
    item_id = referred(world, sent, "lineItem", "lineItems")
    student_id = referred(world, sent, "student", "users")
    item = world.rows["lineItems"][item_id]
    if world.rows["users"][student_id]["role"] != "student":
        raise unknown("student")
    if not world.is_student_of(student_id, item["class"]["sourcedId"]):
        raise invalid("student does not belong to this class")
    check_open(world, item)
    if world.behaviour.refuse_duplicates:
        others = world.results_of_pair(item_id, student_id)
        if any(row["sourcedId"] != sent["sourcedId"] for row in others):
            raise SisError(409, "invaliddata", "the student already has a result for this line item")
    row: Json = {
        "lineItem": world.reference("lineItem", item_id),
        "student": world.reference("user", student_id),
    }
    if not dialect.strict or "score" in sent:
        score, decimals = number(sent, "score"), world.behaviour.score_decimals
        row["score"] = score if decimals is None else round(score, decimals)
    row["scoreStatus"] = _status(dialect, sent)
    row["scoreDate"] = day(sent, "scoreDate")
    if isinstance(sent.get("comment"), str):
        row["comment"] = sent["comment"]
    if dialect.strict:
        row |= _result_of_v1p2(world, sent, item)
    return row


def _status(dialect: Dialect, sent: Json) -> str:
    """A word of the vocabulary; 1.2 lets a client add its own behind a prefix."""
    word = sent.get("scoreStatus")
    if isinstance(word, str) and (word in _SCORE_STATUSES or (dialect.strict and _OWN_STATUS.match(word))):
        return word
    raise invalid("scoreStatus is not one of the allowed values")


def _result_of_v1p2(world: SisWorld, sent: Json, item: Json) -> Json:
    """What only a 1.2 result holds: a letter, and four flags that are texts."""
    _refuse_unkept(sent)
    if "class" in sent and referred(world, sent, "class", "classes") != item["class"]["sourcedId"]:
        raise invalid("the line item is not one of the class")
    row: Json = {name: flag(sent, name) for name in _FLAGS if name in sent}
    if "textScore" in sent:
        row["textScore"] = text(sent, "textScore")
    return row


_MAKERS: Mapping[str, Callable[[SisWorld, Dialect, Json], Json]] = {
    "categories": _category,
    "lineItems": _line_item,
    "results": _result,
}
