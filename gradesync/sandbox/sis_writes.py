"""Writing to the gradebook of the SIS: PUT, POST and DELETE of line items, results and categories.

PUT replaces the whole object under the id the client minted; POST (1.2 alone) takes several and gives each an id of
the server's own. Who may mint ids is the SIS's `write_mode`. What an object must be is in `sis_bodies.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradesync.sandbox.sis_bodies import check_open, stored_row
from gradesync.sandbox.sis_dialect import Dialect
from gradesync.sandbox.sis_errors import Json, SisError, invalid, unknown
from gradesync.sandbox.sis_world import SisWorld

SINGULAR = {"categories": "category", "lineItems": "lineItem", "results": "result"}


@dataclass(frozen=True, slots=True)
class Written:
    """What a PUT did: the row as it is kept, whether it is new, and whether the server chose its id."""

    row: Json
    created: bool
    renamed: bool


def put(world: SisWorld, dialect: Dialect, kind: str, sourced_id: str, body: Any) -> Written:
    """Create or replace one gradebook object. `body` is the decoded JSON.

    Raises `SisError`: 404 for an unknown object it refers to, and for an unknown one where only POST creates; 409
    for a locked line item; 422 for content that cannot be stored.
    """
    behaviour = world.behaviour
    sent = body.get(SINGULAR[kind]) if isinstance(body, dict) else None
    if not isinstance(sent, dict) or (dialect.strict and len(body) > 1):
        raise invalid(f"the body must hold one {SINGULAR[kind]} object")
    minting = behaviour.own_ids or behaviour.write_mode == "server-ids"
    # A server that mints every id has no use for the client's, and takes an object without one.
    if sent.get("sourcedId", sourced_id if minting else None) != sourced_id:
        raise invalid("the sourcedId of the body is not that of the path")
    created = sourced_id not in world.rows[kind]
    if created and (behaviour.update_only or behaviour.write_mode == "post"):
        raise unknown(SINGULAR[kind])
    if not created and kind != "categories":
        check_open(world, _item_of(world, kind, world.rows[kind][sourced_id]))
    renamed = created and minting
    row = stored_row(world, dialect, kind, sent | {"sourcedId": sourced_id})
    if renamed:
        row["sourcedId"] = world.mint(kind)
    _keep(world, kind, row)
    return Written(row, created, renamed)


def post(world: SisWorld, dialect: Dialect, kind: str, within: Mapping[str, str], body: Any) -> list[Json]:
    """Create several objects under ids of the server's own; gives the sourcedIdPairs.

    `within` is what the path says: class, school, line_item or session. All or nothing, unless the SIS leaves out
    the pairs of those it could not take (`partial_posts`). Posting twice makes duplicates, as it would outside.
    """
    sent = body.get(kind) if isinstance(body, dict) and len(body) == 1 else None
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise invalid(f"the body must hold a list of {kind}")
    supplied = [one.get("sourcedId") for one in sent]
    if not all(isinstance(one, str) and one for one in supplied) or len(set(supplied)) < len(supplied):
        raise invalid("every object needs a sourcedId that no other one has")
    _check_path(world, within)
    taken: list[tuple[str, Json]] = []
    for one in sent:
        try:
            _check_within(world, within, one)
            taken.append((one["sourcedId"], stored_row(world, dialect, kind, one)))
        except SisError:
            if not world.behaviour.partial_posts:
                raise
    pairs = []
    for name, row in taken:
        row["sourcedId"] = world.mint(kind)
        _keep(world, kind, row)
        pairs.append({"suppliedSourcedId": name, "allocatedSourcedId": row["sourcedId"]})
    return pairs


def delete(world: SisWorld, kind: str, sourced_id: str) -> None:
    """Delete one gradebook object; a line item takes its results with it. 404 when there is none."""
    row = world.rows[kind].get(sourced_id)
    if row is None or row["status"] != "active":
        raise unknown(SINGULAR[kind])
    if kind == "categories" and any(
        item["category"]["sourcedId"] == sourced_id for item in world.rows["lineItems"].values()
    ):
        raise SisError(422, "deletefailure", "the category is in use")
    if kind != "categories":
        check_open(world, _item_of(world, kind, row))
    if not world.behaviour.forget_writes:
        world.remove(kind, sourced_id)


def _keep(world: SisWorld, kind: str, row: Json) -> None:
    # A server was seen that answers well and stores nothing: only reading back finds it out.
    if not world.behaviour.forget_writes:
        world.put_row(kind, row)


def _item_of(world: SisWorld, kind: str, row: Json) -> Json:
    """The line item a stored row is, or belongs to."""
    return row if kind == "lineItems" else world.rows["lineItems"][row["lineItem"]["sourcedId"]]


def _check_path(world: SisWorld, within: Mapping[str, str]) -> None:
    """404 when the path names what does not exist."""
    kinds = {"class": "classes", "school": "orgs", "line_item": "lineItems", "session": "academicSessions"}
    for name, sourced_id in within.items():
        if sourced_id not in world.rows[kinds[name]]:
            raise unknown({"line_item": "lineItem", "session": "academicSession"}.get(name, name))


def _check_within(world: SisWorld, within: Mapping[str, str], sent: Json) -> None:
    """422 when an object belongs elsewhere than where it was posted."""
    item: Json = world.rows["lineItems"].get(_named(sent, "lineItem"), sent)
    if "line_item" in within and _named(sent, "lineItem") != within["line_item"]:
        raise invalid("the result is not one of the line item")
    class_id = _named(item, "class")
    if within.get("class", class_id) != class_id:
        raise invalid("the object is not one of the class")
    if "school" in within and world.school_of_class(class_id) != within["school"]:
        raise invalid("the class is not one of the school")
    sessions = {_named(item, "gradingPeriod"), _named(item, "academicSession")}
    if "session" in within and within["session"] not in sessions:
        raise invalid("the line item is not one of the academic session")


def _named(sent: Json, name: str) -> str:
    reference = sent.get(name)
    found = reference.get("sourcedId") if isinstance(reference, dict) else None
    return found if isinstance(found, str) else ""
