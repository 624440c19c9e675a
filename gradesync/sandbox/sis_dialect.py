"""The two versions of OneRoster this SIS speaks over one world: where each is served, its scopes, its shapes.

The world keeps one set of rows that can say what either version can; here a row is shown in the words of one of
them. What a path means is in `sis_reads.py`, what may be written in `sis_bodies.py`. No HTTP here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradesync.sandbox.sis_auth import V1P1_SCOPES, V1P2_SCOPES
from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_query import FIELDS_V1P1, FIELDS_V1P2, Fields
from gradesync.sandbox.sis_rows import API, reference

ROSTERING_V1P2 = "/ims/oneroster/rostering/v1p2"
GRADEBOOK_V1P2 = "/ims/oneroster/gradebook/v1p2"
GRADEBOOK_KINDS = frozenset(("categories", "lineItems", "results", "scoreScales"))

_GRADEBOOK_TYPES = frozenset(("category", "lineItem"))
_ONLY_V1P2_ITEM = frozenset(("school", "academicSession"))
_ONLY_V1P2_RESULT = frozenset(("textScore", "inProgress", "incomplete", "late", "missing"))
# Roles of enrollments: 1.2 has no word for an aide, and lets a server add its own behind a prefix.
_ENROLLMENT_ROLES = frozenset(("administrator", "proctor", "student", "teacher"))


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version: paths below the SIS's root, prefix of its scopes, fields one may name, how a row is shown.

    `strict` is 1.2's closed world: a property it does not know makes a body invalid.
    """

    version: str
    rostering: str
    gradebook: str
    scopes: str
    fields: Fields
    show: Callable[[str, Json, str, Callable[[str], str | None]], Json]
    strict: bool

    def api_of(self, kind: str) -> str:
        """The base path of the service that serves rows of a kind."""
        return self.gradebook if kind in GRADEBOOK_KINDS else self.rostering


def _show_v1p1(kind: str, row: Json, _root: str, _school_of: Callable[[str], str | None]) -> Json:
    """A row in the words of 1.1, which wants a number in every result and knows no flags."""
    if kind == "results" and ("score" not in row or row.keys() & _ONLY_V1P2_RESULT):
        return {name: value for name, value in row.items() if name not in _ONLY_V1P2_RESULT} | {
            "score": row.get("score", 0)
        }
    if kind == "lineItems" and row.keys() & _ONLY_V1P2_ITEM:
        return {name: value for name, value in row.items() if name not in _ONLY_V1P2_ITEM}
    return row


def _show_v1p2(kind: str, row: Json, root: str, school_of: Callable[[str], str | None]) -> Json:
    """A row in the words of 1.2: references point into its services, users have roles, line items a school."""
    shown = {name: _rebased(value, root) if name != "metadata" else value for name, value in row.items()}
    if kind == "users":
        return _user(shown)
    if kind == "lineItems" and "school" not in shown:
        school = school_of(row["class"]["sourcedId"])
        if school is not None:
            shown["school"] = reference("org", school, root + ROSTERING_V1P2)
    elif kind == "enrollments" and shown["role"] not in _ENROLLMENT_ROLES:
        shown["role"] = f"ext:{shown['role']}"
    return shown


def _user(shown: Json) -> Json:
    role, orgs = shown.pop("role"), shown.pop("orgs")
    # A password never has a place in a roster, and 1.2 lets a server leave it out.
    shown.pop("password", None)
    shown["roles"] = [
        {"roleType": "secondary" if number else "primary", "role": role, "org": org}
        for number, org in enumerate(orgs)
    ]
    shown["primaryOrg"] = orgs[0]
    return shown


def _rebased(value: Any, root: str) -> Any:
    """A reference, or each of a list, with an address inside the 1.2 services; anything else as it is."""
    if isinstance(value, dict) and "href" in value:
        base = GRADEBOOK_V1P2 if value["type"] in _GRADEBOOK_TYPES else ROSTERING_V1P2
        return reference(value["type"], value["sourcedId"], root + base)
    if isinstance(value, list):
        return [_rebased(item, root) for item in value]
    return value


V1P1 = Dialect("1.1", API, API, V1P1_SCOPES, FIELDS_V1P1, _show_v1p1, strict=False)
V1P2 = Dialect("1.2", ROSTERING_V1P2, GRADEBOOK_V1P2, V1P2_SCOPES, FIELDS_V1P2, _show_v1p2, strict=True)
DIALECTS: Mapping[str, Dialect] = {one.version: one for one in (V1P1, V1P2)}
