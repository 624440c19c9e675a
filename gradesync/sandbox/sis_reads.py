"""Which rows each OneRoster read path means: one table of every collection and every single object.

Rostering and gradebook of OneRoster 1.1 and what 1.2 adds. Paging and filters are applied by the caller; no HTTP here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gradesync.sandbox.sis_auth import GRADEBOOK_CORE, GRADEBOOK_READ, ROSTER, ROSTER_CORE
from gradesync.sandbox.sis_dialect import Dialect
from gradesync.sandbox.sis_errors import Json, SisError, unknown
from gradesync.sandbox.sis_world import SisWorld

Ids = Mapping[str, str]

_FLAT = (ROSTER_CORE, ROSTER)
_NESTED = (ROSTER,)
_GRADEBOOK = (GRADEBOOK_READ,)
# Only 1.2 has a scope for the core of a gradebook; nobody can hold it in 1.1.
_GRADEBOOK_FLAT = (GRADEBOOK_READ, GRADEBOOK_CORE)
SINGULAR = {
    "orgs": "org",
    "academicSessions": "academicSession",
    "courses": "course",
    "classes": "class",
    "users": "user",
    "enrollments": "enrollment",
    "categories": "category",
    "lineItems": "lineItem",
    "results": "result",
    "scoreScales": "scoreScale",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A collection: its path, the kind (and envelope) of its rows, the scopes that open it, its rows.

    `since` is the version of OneRoster that brought it.
    """

    path: str
    kind: str
    scopes: tuple[str, ...]
    rows: Callable[[SisWorld, Ids], Iterable[Json]]
    since: str = "1.1"


def _all(kind: str, **wanted: tuple[str, ...]) -> Callable[[SisWorld, Ids], Iterable[Json]]:
    """All rows of a kind, or those whose field has one of the wanted values."""

    def rows(world: SisWorld, _ids: Ids) -> Iterable[Json]:
        items = world.rows[kind].values()
        if not wanted:
            return items
        return [row for row in items if all(row[name] in values for name, values in wanted.items())]

    return rows


def _known(world: SisWorld, kind: str, sourced_id: str) -> None:
    if sourced_id not in world.rows[kind]:
        raise unknown(SINGULAR[kind])


def _school(world: SisWorld, ids: Ids) -> str:
    _known(world, "orgs", ids["school"])
    if world.rows["orgs"][ids["school"]]["type"] != "school":
        raise unknown("school")
    return ids["school"]


def _of_school(kind: str, field: str) -> Callable[[SisWorld, Ids], Iterable[Json]]:
    def rows(world: SisWorld, ids: Ids) -> Iterable[Json]:
        school = _school(world, ids)
        return [row for row in world.rows[kind].values() if row[field]["sourcedId"] == school]

    return rows


def _people_of_school(role: str) -> Callable[[SisWorld, Ids], Iterable[Json]]:
    def rows(world: SisWorld, ids: Ids) -> Iterable[Json]:
        school = _school(world, ids)
        users = world.rows["users"].values()
        return [u for u in users if u["role"] == role and any(o["sourcedId"] == school for o in u["orgs"])]

    return rows


def _terms_of_school(world: SisWorld, ids: Ids) -> Iterable[Json]:
    _school(world, ids)
    return TERMS(world, ids)


def _class(world: SisWorld, ids: Ids) -> str:
    _known(world, "classes", ids["class"])
    if "school" in ids and world.rows["classes"][ids["class"]]["school"]["sourcedId"] != _school(world, ids):
        raise unknown("class")
    return ids["class"]


def _people_of_class(role: str) -> Callable[[SisWorld, Ids], Iterable[Json]]:
    return lambda world, ids: world.people_of_class(_class(world, ids), role)


def _enrollments_of_class(world: SisWorld, ids: Ids) -> Iterable[Json]:
    return world.found("enrollments/class", _class(world, ids))


def _classes_of_term(world: SisWorld, ids: Ids) -> Iterable[Json]:
    _known(world, "academicSessions", ids["term"])
    classes = world.rows["classes"].values()
    return [c for c in classes if any(term["sourcedId"] == ids["term"] for term in c["terms"])]


def _periods_of_term(world: SisWorld, ids: Ids) -> Iterable[Json]:
    _known(world, "academicSessions", ids["term"])
    sessions = world.rows["academicSessions"].values()
    return [s for s in sessions if s["type"] == "gradingPeriod" and s["parent"]["sourcedId"] == ids["term"]]


def _classes_of_course(world: SisWorld, ids: Ids) -> Iterable[Json]:
    _known(world, "courses", ids["course"])
    return [c for c in world.rows["classes"].values() if c["course"]["sourcedId"] == ids["course"]]


def _classes_of(role: str | None) -> Callable[[SisWorld, Ids], Iterable[Json]]:
    def rows(world: SisWorld, ids: Ids) -> Iterable[Json]:
        _known(world, "users", ids["user"])
        if role not in (None, world.rows["users"][ids["user"]]["role"]):
            raise unknown(role or "user")
        return world.classes_of_user(ids["user"])

    return rows


def _line_items_of_class(world: SisWorld, ids: Ids) -> Iterable[Json]:
    return world.line_items_of_class(_class(world, ids))


def _results_of_class(world: SisWorld, ids: Ids) -> Iterable[Json]:
    return world.results_of_class(_class(world, ids))


def _results_of_line_item(world: SisWorld, ids: Ids) -> Iterable[Json]:
    item = world.rows["lineItems"].get(ids["line_item"])
    if item is None or item["class"]["sourcedId"] != _class(world, ids):
        raise unknown("lineItem")
    return world.found("results/lineItem", ids["line_item"])


def _results_of_student(world: SisWorld, ids: Ids) -> Iterable[Json]:
    results = world.results_of_class(_class(world, ids))
    _known(world, "users", ids["user"])
    return [row for row in results if row["student"]["sourcedId"] == ids["user"]]


def _categories_of_class(world: SisWorld, ids: Ids) -> Iterable[Json]:
    """The categories all classes share and those that name this class."""
    wanted = (None, _class(world, ids))
    rows = world.rows["categories"].values()
    return [row for row in rows if row.get("metadata", {}).get("classId") in wanted]


def _no_scales(world: SisWorld, ids: Ids) -> Iterable[Json]:
    """This SIS keeps no score scales; a class or a school of the path must exist all the same."""
    if "class" in ids:
        _class(world, ids)
    if "school" in ids:
        _school(world, ids)
    return ()


TERMS = _all("academicSessions", type=("term", "semester"))

# The flat collections; each also answers for one object under its path and an id.
FLAT: tuple[Read, ...] = (
    Read("orgs", "orgs", _FLAT, _all("orgs")),
    Read("schools", "orgs", _FLAT, _all("orgs", type=("school",))),
    Read("academicSessions", "academicSessions", _FLAT, _all("academicSessions")),
    Read("terms", "academicSessions", _FLAT, TERMS),
    Read("gradingPeriods", "academicSessions", _FLAT, _all("academicSessions", type=("gradingPeriod",))),
    Read("courses", "courses", _FLAT, _all("courses")),
    Read("classes", "classes", _FLAT, _all("classes")),
    Read("enrollments", "enrollments", _FLAT, _all("enrollments")),
    Read("users", "users", _FLAT, _all("users")),
    Read("students", "users", _FLAT, _all("users", role=("student",))),
    Read("teachers", "users", _FLAT, _all("users", role=("teacher",))),
    Read("categories", "categories", _GRADEBOOK_FLAT, _all("categories")),
    Read("lineItems", "lineItems", _GRADEBOOK_FLAT, _all("lineItems")),
    Read("results", "results", _GRADEBOOK_FLAT, _all("results")),
    Read("scoreScales", "scoreScales", _GRADEBOOK_FLAT, _no_scales, "1.2"),
)

NESTED: tuple[Read, ...] = (
    Read("schools/{school}/courses", "courses", _NESTED, _of_school("courses", "org")),
    Read("schools/{school}/classes", "classes", _NESTED, _of_school("classes", "school")),
    Read("schools/{school}/enrollments", "enrollments", _NESTED, _of_school("enrollments", "school")),
    Read("schools/{school}/students", "users", _NESTED, _people_of_school("student")),
    Read("schools/{school}/teachers", "users", _NESTED, _people_of_school("teacher")),
    Read("schools/{school}/terms", "academicSessions", _NESTED, _terms_of_school),
    Read("schools/{school}/classes/{class}/enrollments", "enrollments", _NESTED, _enrollments_of_class),
    Read("schools/{school}/classes/{class}/students", "users", _NESTED, _people_of_class("student")),
    Read("schools/{school}/classes/{class}/teachers", "users", _NESTED, _people_of_class("teacher")),
    Read("terms/{term}/classes", "classes", _NESTED, _classes_of_term),
    Read("terms/{term}/gradingPeriods", "academicSessions", _NESTED, _periods_of_term),
    Read("courses/{course}/classes", "classes", _NESTED, _classes_of_course),
    Read("classes/{class}/students", "users", _NESTED, _people_of_class("student")),
    Read("classes/{class}/teachers", "users", _NESTED, _people_of_class("teacher")),
    Read("students/{user}/classes", "classes", _NESTED, _classes_of("student")),
    Read("teachers/{user}/classes", "classes", _NESTED, _classes_of("teacher")),
    Read("users/{user}/classes", "classes", _NESTED, _classes_of(None)),
    Read("classes/{class}/lineItems", "lineItems", _GRADEBOOK, _line_items_of_class),
    Read("classes/{class}/results", "results", _GRADEBOOK, _results_of_class),
    Read("classes/{class}/lineItems/{line_item}/results", "results", _GRADEBOOK, _results_of_line_item),
    Read("classes/{class}/students/{user}/results", "results", _GRADEBOOK, _results_of_student),
    Read("classes/{class}/categories", "categories", _GRADEBOOK, _categories_of_class, "1.2"),
    Read("classes/{class}/scoreScales", "scoreScales", _GRADEBOOK, _no_scales, "1.2"),
    Read("schools/{school}/scoreScales", "scoreScales", _GRADEBOOK, _no_scales, "1.2"),
)


def reads_of(dialect: Dialect) -> tuple[tuple[Read, ...], tuple[Read, ...]]:
    """The flat and the nested collections one version has."""
    flat, nested = (
        tuple(read for read in table if dialect.version >= read.since) for table in (FLAT, NESTED)
    )
    return flat, nested


def single(read: Read, world: SisWorld, sourced_id: str) -> Json:
    """One object of a flat collection; 404 when it is not one of that (a teacher is no student)."""
    row = world.rows.get(read.kind, {}).get(sourced_id)
    if row is None or not _belongs(read.path, row):
        raise SisError(404, "unknownobject", f"unknown {SINGULAR[read.kind]}")
    return row


def _belongs(path: str, row: Json) -> bool:
    if path in ("students", "teachers"):
        return bool(row["role"] == path[:-1])
    if path == "schools":
        return bool(row["type"] == "school")
    if path == "gradingPeriods":
        return bool(row["type"] == "gradingPeriod")
    return path != "terms" or row["type"] in ("term", "semester")
