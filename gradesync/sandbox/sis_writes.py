"""What the gradebook of the SIS takes and refuses: line items, results and categories, written and deleted.

PUT replaces the whole object under the id the client minted (OneRoster 1.1 gradebook: 201 when it is new,
200 when not). Strict about what would corrupt a gradebook, lenient about what real clients send: references
with only an id, unknown fields, an empty comment, a date-time where a date is meant.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from gradesync.sandbox.sis_errors import Json, SisError, invalid, unknown
from gradesync.sandbox.sis_rows import stamp
from gradesync.sandbox.sis_world import SisWorld

_SINGULAR = {"categories": "category", "lineItems": "lineItem", "results": "result"}
_SCORE_STATUSES = frozenset(
    ("exempt", "fully graded", "not submitted", "partially graded", "submitted"),
)


def put(world: SisWorld, kind: str, sourced_id: str, body: Any) -> bool:
    """Create or replace one gradebook object; True when it is new. `body` is the decoded JSON.

    Raises `SisError`: 404 for an unknown object it refers to, 422 for content that cannot be stored.
    """
    sent = body.get(_SINGULAR[kind]) if isinstance(body, dict) else None
    if not isinstance(sent, dict):
        raise invalid(f"the body must hold one {_SINGULAR[kind]} object")
    if sent.get("sourcedId") != sourced_id:
        raise invalid("the sourcedId of the body is not that of the path")
    if sent.get("status", "active") not in ("active", "tobedeleted"):
        raise invalid("status is neither active nor tobedeleted")
    created = sourced_id not in world.rows[kind]
    if created and world.behaviour.update_only:
        raise unknown(_SINGULAR[kind])
    row: Json = {"sourcedId": sourced_id, "status": sent.get("status", "active"), "dateLastModified": ""}
    row |= {"categories": _category, "lineItems": _line_item, "results": _result}[kind](world, sent)
    if isinstance(sent.get("metadata"), dict):
        row["metadata"] = sent["metadata"]
    if not world.behaviour.forget_writes:
        world.put_row(kind, row)
    return created


def delete(world: SisWorld, kind: str, sourced_id: str) -> None:
    """Delete one gradebook object; a line item takes its results with it. 404 when there is none."""
    if sourced_id not in world.rows[kind]:
        raise unknown(_SINGULAR[kind])
    if kind == "categories" and any(
        item["category"]["sourcedId"] == sourced_id for item in world.rows["lineItems"].values()
    ):
        raise SisError(422, "deletefailure", "the category is in use")
    if kind == "lineItems":
        for result in list(world.found("results/lineItem", sourced_id)):
            world.drop_row("results", result["sourcedId"])
    world.drop_row(kind, sourced_id)


def _category(_world: SisWorld, sent: Json) -> Json:
    return {"title": _text(sent, "title")}


def _line_item(world: SisWorld, sent: Json) -> Json:
    behaviour = world.behaviour
    assign, due = _moment(sent, "assignDate"), _moment(sent, "dueDate")
    if assign > due:
        raise invalid("assignDate is after dueDate")
    low, high = _number(sent, "resultValueMin"), _number(sent, "resultValueMax")
    if low >= high:
        raise invalid("resultValueMin is not below resultValueMax")
    class_id = _referred(world, sent, "class", "classes")
    category_id = _referred(world, sent, "category", "categories")
    if behaviour.dates_at_midnight:
        assign, due = (moment.replace(hour=0, minute=0, second=0, microsecond=0) for moment in (assign, due))
    row: Json = {
        "title": _text(sent, "title")[: behaviour.title_limit],
        "description": sent["description"] if isinstance(sent.get("description"), str) else "",
        "assignDate": stamp(assign),
        "dueDate": stamp(due),
        "class": world.reference("class", class_id),
        "category": world.reference("category", category_id),
        "resultValueMin": low,
        "resultValueMax": high,
    }
    if sent.get("gradingPeriod") is not None:
        period_id = _grading_period(world, sent, class_id)
        row["gradingPeriod"] = world.reference("academicSession", period_id)
    return row


def _grading_period(world: SisWorld, sent: Json, class_id: str) -> str:
    """The id of the line item's grading period, which must be open and belong to one of the class's terms."""
    period_id = _referred(world, sent, "gradingPeriod", "academicSessions")
    period = world.rows["academicSessions"][period_id]
    if period["type"] != "gradingPeriod":
        raise unknown("gradingPeriod")
    terms = {term["sourcedId"] for term in world.rows["classes"][class_id]["terms"]}
    if period["parent"]["sourcedId"] not in terms:
        raise invalid("the grading period is not one of the class's terms")
    if period_id in world.behaviour.closed_periods:
        raise invalid("the grading period is closed")
    return period_id


def _result(world: SisWorld, sent: Json) -> Json:
    item_id = _referred(world, sent, "lineItem", "lineItems")
    student_id = _referred(world, sent, "student", "users")
    item = world.rows["lineItems"][item_id]
    if world.rows["users"][student_id]["role"] != "student":
        raise unknown("student")
    if not world.is_student_of(student_id, item["class"]["sourcedId"]):
        raise invalid("student does not belong to this class")
    if item.get("gradingPeriod", {}).get("sourcedId") in world.behaviour.closed_periods:
        raise invalid("the grading period is closed")
    if world.behaviour.refuse_duplicates:
        others = world.results_of_pair(item_id, student_id)
        if any(row["sourcedId"] != sent["sourcedId"] for row in others):
            raise SisError(409, "invaliddata", "the student already has a result for this line item")
    if sent.get("scoreStatus") not in _SCORE_STATUSES:
        raise invalid("scoreStatus is not one of the allowed values")
    score = _number(sent, "score")
    decimals = world.behaviour.score_decimals
    row: Json = {
        "lineItem": world.reference("lineItem", item_id),
        "student": world.reference("user", student_id),
        "score": score if decimals is None else round(score, decimals),
        "scoreStatus": sent["scoreStatus"],
        "scoreDate": _day(sent, "scoreDate"),
    }
    if isinstance(sent.get("comment"), str):
        row["comment"] = sent["comment"]
    return row


def _referred(world: SisWorld, sent: Json, name: str, kind: str) -> str:
    """The sourcedId a reference names; 422 without one, 404 when nothing of that kind has it."""
    reference = sent.get(name)
    sourced_id = reference.get("sourcedId") if isinstance(reference, dict) else None
    if not isinstance(sourced_id, str):
        raise invalid(f"{name} must be a reference")
    row = world.rows[kind].get(sourced_id)
    if row is None or row["status"] != "active":
        raise unknown(name)
    return sourced_id


def _text(sent: Json, name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} must be a text")
    return value


def _number(sent: Json, name: str) -> float:
    """A JSON number; a boolean or a number in quotes is none."""
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise invalid(f"{name} must be a number")
    return value


def _moment(sent: Json, name: str) -> datetime:
    """A date-time; without an offset it is taken as UTC, as servers that want Z do."""
    try:
        moment = datetime.fromisoformat(str(sent.get(name)))
    except ValueError:
        raise invalid(f"{name} must be a date-time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(sent: Json, name: str) -> str:
    """A date; of a date-time, which real clients send, the date part is kept."""
    text = str(sent.get(name))
    try:
        datetime.fromisoformat(text)
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise invalid(f"{name} must be a date") from None
