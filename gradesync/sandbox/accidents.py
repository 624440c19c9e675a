"""Exports that go wrong: what a SIS answers after a mishap, and how it is repaired.

Each accident changes the rows a SIS holds, as the real ones do: half of a table lost, a school left out, another year
chosen, every id made anew. Guards of a roster import are tried with these. No HTTP, no Canvas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradesync.errors import UsageProblem
from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_world import SisWorld

_KINDS = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")


class Accident:
    """A SIS whose export is broken, until `repair`."""

    def __init__(self, world: SisWorld, name: str) -> None:
        if name not in _ACCIDENTS:
            raise UsageProblem(f"no export breaks like {name!r}", hint=f"accidents: {', '.join(ACCIDENTS)}")
        self._world = world
        self._before = {kind: dict(world.rows[kind]) for kind in _KINDS}
        _ACCIDENTS[name](world)

    def repair(self) -> None:
        """Everything as it was before the accident; later changes to the SIS are lost, as from a backup."""
        for kind, rows in self._before.items():
            _replace(self._world, kind, rows)


def _replace(world: SisWorld, kind: str, rows: Mapping[str, Json]) -> None:
    """Other rows in the place of all rows of a kind."""
    for sourced_id in list(world.rows[kind]):
        world.drop_row(kind, sourced_id)
    for row in rows.values():
        world.put_row(kind, dict(row))


def _half_the_rows(world: SisWorld) -> None:
    """The job behind the export died half-way: each table is cut in the middle, and nothing says so."""
    for kind in ("classes", "users", "enrollments"):
        rows = list(world.rows[kind])
        for sourced_id in rows[len(rows) // 2 :]:
            world.drop_row(kind, sourced_id)


def _no_enrollments(world: SisWorld) -> None:
    """The enrollments were not exported at all."""
    _replace(world, "enrollments", {})


def _nothing(world: SisWorld) -> None:
    """An export of nothing: only the organisations are left."""
    for kind in ("academicSessions", "courses", "classes", "users", "enrollments"):
        _replace(world, kind, {})


def _school_missing(world: SisWorld) -> None:
    """One school was left out of the export: its classes, people and enrollments."""
    school_id = min(one for one, row in world.rows["orgs"].items() if row["type"] == "school")
    for sourced_id, row in list(world.rows["enrollments"].items()):
        if row["school"]["sourcedId"] == school_id:
            world.drop_row("enrollments", sourced_id)
    for sourced_id, row in list(world.rows["classes"].items()):
        if row["school"]["sourcedId"] == school_id:
            world.drop_row("classes", sourced_id)
    for sourced_id, row in list(world.rows["users"].items()):
        if all(org["sourcedId"] == school_id for org in row["orgs"]):
            world.drop_row("users", sourced_id)


def _year_moved(years: int) -> Callable[[SisWorld], None]:
    """Somebody chose another school year for the export: sessions, classes and enrollments are those of that year."""

    def act(world: SisWorld) -> None:
        def other(text: Any) -> str:
            return f"{int(str(text)[:4]) + years}{str(text)[4:]}"

        for kind in ("academicSessions", "classes", "enrollments"):
            made: dict[str, Json] = {}
            for row in world.rows[kind].values():
                new = dict(row)
                for name in ("startDate", "endDate", "beginDate", "schoolYear"):
                    if name in new:
                        new[name] = other(new[name])
                new["sourcedId"] = f"Y{years:+d} {row['sourcedId']}"
                for name in ("parent", "class"):
                    if name in new:
                        new[name] = _pointing(world, new[name], f"Y{years:+d} {new[name]['sourcedId']}")
                for name in ("terms", "children"):
                    if name in new:
                        new[name] = [
                            _pointing(world, one, f"Y{years:+d} {one['sourcedId']}") for one in new[name]
                        ]
                made[new["sourcedId"]] = new
            _replace(world, kind, made)

    return act


def _new_ids(kind: str, field: str) -> Callable[[SisWorld], None]:
    """The SIS was moved to another database: everything of a kind has another id, and all that points there follows."""

    def act(world: SisWorld) -> None:
        number = {one: f"{700_000 + at}" for at, one in enumerate(sorted(world.rows[kind]))}
        _replace(
            world,
            kind,
            {number[one]: row | {"sourcedId": number[one]} for one, row in world.rows[kind].items()},
        )
        pointing = {
            one: row | {field: _pointing(world, row[field], number[row[field]["sourcedId"]])}
            for one, row in world.rows["enrollments"].items()
            if row[field]["sourcedId"] in number
        }
        _replace(world, "enrollments", pointing)

    return act


def _pointing(world: SisWorld, old: Json, sourced_id: str) -> Json:
    return world.reference(str(old["type"]), sourced_id)


def _all_disabled(world: SisWorld) -> None:
    """A flag was misread: nobody is enabled any more."""
    _replace(
        world, "users", {one: row | {"enabledUser": "false"} for one, row in world.rows["users"].items()}
    )


def _all_ended(world: SisWorld) -> None:
    """The year was closed too early: every enrollment has ended yesterday."""
    day = world.today.isoformat()
    rows = world.rows["enrollments"]
    _replace(
        world,
        "enrollments",
        {one: row | {"endDate": day} for one, row in rows.items() if row.get("beginDate", "") < day},
    )


_ACCIDENTS: Mapping[str, Callable[[SisWorld], None]] = {
    "nothing": _nothing,
    "no-enrollments": _no_enrollments,
    "half-the-rows": _half_the_rows,
    "school-missing": _school_missing,
    "last-year": _year_moved(-1),
    "next-year": _year_moved(1),
    "new-person-ids": _new_ids("users", "user"),
    "new-class-ids": _new_ids("classes", "class"),
    "all-disabled": _all_disabled,
    "all-ended": _all_ended,
}
ACCIDENTS = tuple(_ACCIDENTS)
