"""The SIS's nightly export: its roster as OneRoster 1.1 CSV, all files whole (bulk), in one zip.

Written from the standard's CSV binding alone. Rows marked to be deleted are not in a whole export. No HTTP here.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_world import SisWorld

_FILES = (
    *("academicSessions", "categories", "classes", "classResources", "courses", "courseResources"),
    *("demographics", "enrollments", "lineItems", "orgs", "resources", "results", "users"),
)
"""Every file of the version: the manifest names those that are absent, too."""


def _id(name: str) -> Callable[[Json], str]:
    return lambda row: str(row[name]["sourcedId"]) if name in row else ""


def _ids(name: str) -> Callable[[Json], str]:
    return lambda row: ",".join(str(one["sourcedId"]) for one in row.get(name, ()))


def _text(name: str) -> Callable[[Json], str]:
    return lambda row: str(row.get(name, ""))


def _list(name: str) -> Callable[[Json], str]:
    return lambda row: ",".join(str(one) for one in row.get(name, ()))


def _nothing(_row: Json) -> str:
    return ""


def _seat(row: Json) -> str:
    # The standard's enrollments know no aide: one stands there as a teacher, and the person says what they are.
    return "teacher" if row["role"] == "aide" else str(row["role"])


_COLUMNS: Mapping[str, Mapping[str, Callable[[Json], str]]] = {
    "academicSessions": {
        **{name: _text(name) for name in ("title", "type", "startDate", "endDate")},
        "parentSourcedId": _id("parent"),
        "schoolYear": _text("schoolYear"),
    },
    "orgs": {
        **{name: _text(name) for name in ("name", "type", "identifier")},
        "parentSourcedId": _id("parent"),
    },
    "courses": {
        "schoolYearSourcedId": _nothing,
        "title": _text("title"),
        "courseCode": _text("courseCode"),
        "grades": _list("grades"),
        "orgSourcedId": _id("org"),
        "subjects": _nothing,
        "subjectCodes": _nothing,
    },
    "classes": {
        "title": _text("title"),
        "grades": _list("grades"),
        "courseSourcedId": _id("course"),
        "classCode": _text("classCode"),
        "classType": _text("classType"),
        "location": _text("location"),
        "schoolSourcedId": _id("school"),
        "termSourcedIds": _ids("terms"),
        "subjects": _nothing,
        "subjectCodes": _nothing,
        "periods": _list("periods"),
    },
    "users": {
        "enabledUser": _text("enabledUser"),
        "orgSourcedIds": _ids("orgs"),
        **{name: _text(name) for name in ("role", "username")},
        "userIds": _nothing,
        **{name: _text(name) for name in ("givenName", "familyName", "middleName", "identifier", "email")},
        **{name: _text(name) for name in ("sms", "phone")},
        "agentSourcedIds": _ids("agents"),
        "grades": _list("grades"),
        "password": _nothing,
    },
    "enrollments": {
        "classSourcedId": _id("class"),
        "schoolSourcedId": _id("school"),
        "userSourcedId": _id("user"),
        "role": _seat,
        "primary": lambda row: str(row.get("primary", "false")),
        "beginDate": _text("beginDate"),
        "endDate": _text("endDate"),
    },
}


def export_files(world: SisWorld) -> dict[str, bytes]:
    """The files of an export by name."""
    manifest = [
        ["propertyName", "value"],
        ["manifest.version", "1.0"],
        ["oneroster.version", "1.1"],
        *([f"file.{name}", "bulk" if name in _COLUMNS else "absent"] for name in _FILES),
        ["source.systemName", "Genesis"],
    ]
    made = {"manifest.csv": _written(manifest)}
    for name, columns in _COLUMNS.items():
        live = (row for row in world.rows[name].values() if row["status"] == "active")
        rows = ([row["sourcedId"], "", "", *(read(row) for read in columns.values())] for row in live)
        header = ["sourcedId", "status", "dateLastModified", *columns]
        made[f"{name}.csv"] = _written([header, *rows])
    return made


def write_export(world: SisWorld, path: Path) -> Path:
    """Write the export as a zip; it appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f".{path.name}.part")
    with zipfile.ZipFile(growing, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in export_files(world).items():
            archive.writestr(name, content)
    return growing.replace(path)


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
