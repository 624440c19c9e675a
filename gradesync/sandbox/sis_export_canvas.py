"""The SIS's other export: its roster as Canvas's own SIS files, as Genesis and others write them for a district.

Such an export has its own idea of what is a course and a section, and of what becomes of somebody who left: whoever
was disabled is `deleted` in it, and so is an enrollment that ended of late; older ones are left out. It knows the
running school year alone. No HTTP here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_export import written
from gradesync.sandbox.sis_world import SisWorld

_TOLD = timedelta(days=10)
"""For how long an enrollment that ended is named as deleted, before it is left out."""

_ROLES = {"student": "student", "teacher": "teacher", "aide": "ta"}
_BEST = ("active", "completed", "deleted")

_HEADERS: Mapping[str, str] = {
    "accounts": "account_id,parent_account_id,name,status",
    "terms": "term_id,name,status,start_date,end_date",
    "courses": "course_id,short_name,long_name,account_id,term_id,status",
    "sections": "section_id,course_id,name,status",
    "users": "user_id,login_id,password,first_name,last_name,email,status",
    "enrollments": "course_id,user_id,role,section_id,status",
    "guardians": "observer_id,student_id,status",
}


def canvas_export_files(world: SisWorld) -> dict[str, bytes]:
    """The files of an export by name."""
    classes = _classes(world)
    rows: dict[str, Iterable[tuple[str, ...]]] = {
        "accounts": [(one["sourcedId"], "", one["name"], "active") for one in _schools(world)],
        "terms": _terms(world),
        "courses": _courses(world, classes),
        "sections": [(f"SEC {one}", _course_id(row), row["title"], "active") for one, row in classes.items()],
        "users": _users(world),
        "enrollments": _enrollments(world, classes),
        "guardians": _guardians(world),
    }
    return {f"genesis_{name}.csv": written([_HEADERS[name].split(","), *rows[name]]) for name in rows}


def _live(world: SisWorld, kind: str) -> Iterable[Json]:
    return (row for row in world.rows[kind].values() if row["status"] == "active")


def _schools(world: SisWorld) -> Iterable[Json]:
    return (row for row in _live(world, "orgs") if row["type"] == "school")


def _year(world: SisWorld) -> str:
    """The school year that runs today; years follow each other without a gap."""
    today = world.today.isoformat()
    return next(
        str(row["schoolYear"])
        for row in _live(world, "academicSessions")
        if row["type"] == "schoolYear" and row["startDate"] <= today < row["endDate"]
    )


def _terms(world: SisWorld) -> Iterable[tuple[str, ...]]:
    """Years and terms; grading periods are no terms. The last day counts as one of the term."""
    year = _year(world)
    for row in _live(world, "academicSessions"):
        if row["schoolYear"] == year and row["type"] != "gradingPeriod":
            last = date.fromisoformat(row["endDate"]) - timedelta(days=1)
            yield row["sourcedId"], row["title"], "active", row["startDate"], last.isoformat()


def _classes(world: SisWorld) -> dict[str, Json]:
    """The running year's classes."""
    sessions, year = world.rows["academicSessions"], _year(world)
    return {
        row["sourcedId"]: row
        for row in _live(world, "classes")
        if sessions[row["terms"][0]["sourcedId"]]["schoolYear"] == year
    }


def _term_id(world: SisWorld, row: Json) -> str:
    """A class of one term lies in it; one of several in the year."""
    if len(row["terms"]) == 1:
        return str(row["terms"][0]["sourcedId"])
    return str(world.rows["academicSessions"][row["terms"][0]["sourcedId"]]["parent"]["sourcedId"])


def _course_id(row: Json) -> str:
    """Classes of the same course and terms share a Canvas course."""
    return f"{row['course']['sourcedId']}@{'+'.join(one['sourcedId'] for one in row['terms'])}"


def _courses(world: SisWorld, classes: Mapping[str, Json]) -> Iterable[tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in classes.values():
        course, one = world.rows["courses"][row["course"]["sourcedId"]], _course_id(row)
        school_id, term_id = row["school"]["sourcedId"], _term_id(world, row)
        found[one] = (one, course["courseCode"], course["title"], school_id, term_id, "active")
    return found.values()


def _users(world: SisWorld) -> Iterable[tuple[str, ...]]:
    for row in _live(world, "users"):
        status = "active" if row["enabledUser"] == "true" else "deleted"
        name = row["givenName"], row["familyName"]
        yield row["sourcedId"], row["username"], "Never-Carried-1", *name, row["email"], status


def _enrollments(world: SisWorld, classes: Mapping[str, Json]) -> Iterable[tuple[str, ...]]:
    """One row for each class, person and role: of somebody who left and came back, the better one."""
    found: dict[tuple[str, str, str], str] = {}
    for row in _live(world, "enrollments"):
        class_row, person = (
            classes.get(row["class"]["sourcedId"]),
            world.rows["users"].get(row["user"]["sourcedId"]),
        )
        if class_row is None or person is None or row.get("beginDate", "") > world.today.isoformat():
            continue
        status = _status(world, row, class_row)
        if status is not None:
            key = str(class_row["sourcedId"]), str(person["sourcedId"]), _ROLES[row["role"]]
            found[key] = min(status, found.get(key, status), key=_BEST.index)
    for (class_id, user_id, role), status in found.items():
        yield _course_id(classes[class_id]), user_id, role, f"SEC {class_id}", status


def _status(world: SisWorld, row: Json, class_row: Json) -> str | None:
    if "endDate" not in row or row["endDate"] > world.today.isoformat():
        return "active"
    end = date.fromisoformat(row["endDate"])
    last = max(str(world.rows["academicSessions"][one["sourcedId"]]["endDate"]) for one in class_row["terms"])
    if row["endDate"] == last:
        return "completed"
    return "deleted" if world.today - end <= _TOLD else None


def _guardians(world: SisWorld) -> Iterable[tuple[str, ...]]:
    people = world.rows["users"]
    for row in _live(world, "users"):
        if row["role"] == "guardian":
            for one in row["agents"]:
                if one["sourcedId"] in people:
                    yield row["sourcedId"], one["sourcedId"], "active"
