"""The SIS's nightly export: its roster as OneRoster CSV, 1.1 or 1.2, whole (bulk) or as changes since one (delta).

Written from the standard's CSV binding alone. A whole export leaves out rows marked to be deleted; changes say which
records are no longer there. No HTTP here.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_rows import stamp
from gradesync.sandbox.sis_world import SisWorld

Cells = tuple[str, ...]
Records = Mapping[str, Mapping[str, Cells]]
"""File name without its ending -> sourcedId -> the cells behind the three columns every file begins with."""

_FILES = (
    *("academicSessions", "categories", "classes", "classResources", "courses", "courseResources"),
    *("demographics", "enrollments", "lineItems", "orgs", "resources", "results", "users"),
)
"""Every file of 1.1: the manifest names those that are absent, too."""
_MORE_1P2 = (
    *("lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds"),
    *("resultScoreScales", "roles", "scoreScales", "userProfiles", "userResources"),
)


def _id(name: str) -> Callable[[Json], str]:
    return lambda row: str(row[name]["sourcedId"]) if name in row else ""


def _ids(name: str) -> Callable[[Json], str]:
    return lambda row: ",".join(str(one["sourcedId"]) for one in row.get(name, ()))


def _text(name: str) -> Callable[[Json], str]:
    return lambda row: str(row.get(name, ""))


def _texts(names: str) -> dict[str, Callable[[Json], str]]:
    return {name: _text(name) for name in names.split()}


def _list(name: str) -> Callable[[Json], str]:
    return lambda row: ",".join(str(one) for one in row.get(name, ()))


def _nothing(_row: Json) -> str:
    return ""


def _seat_1p1(row: Json) -> str:
    # The standard's enrollments know no aide: one stands there as a teacher, and the person says what they are.
    return "teacher" if row["role"] == "aide" else str(row["role"])


def _seat_1p2(row: Json) -> str:
    # Nor do those of 1.2, but there a SIS may have words of its own behind a prefix.
    return "ext:aide" if row["role"] == "aide" else str(row["role"])


_Columns = Mapping[str, Callable[[Json], str]]


def _columns(seat: Callable[[Json], str], users: _Columns) -> Mapping[str, _Columns]:
    """The files both versions have, with what differs between them."""
    return {
        "academicSessions": {
            **_texts("title type startDate endDate"),
            "parentSourcedId": _id("parent"),
            "schoolYear": _text("schoolYear"),
        },
        "orgs": {**_texts("name type identifier"), "parentSourcedId": _id("parent")},
        "courses": {
            "schoolYearSourcedId": _nothing,
            **_texts("title courseCode"),
            "grades": _list("grades"),
            "orgSourcedId": _id("org"),
            "subjects": _nothing,
            "subjectCodes": _nothing,
        },
        "classes": {
            "title": _text("title"),
            "grades": _list("grades"),
            "courseSourcedId": _id("course"),
            **_texts("classCode classType location"),
            "schoolSourcedId": _id("school"),
            "termSourcedIds": _ids("terms"),
            "subjects": _nothing,
            "subjectCodes": _nothing,
            "periods": _list("periods"),
        },
        "users": users,
        "enrollments": {
            "classSourcedId": _id("class"),
            "schoolSourcedId": _id("school"),
            "userSourcedId": _id("user"),
            "role": seat,
            "primary": lambda row: str(row.get("primary", "false")),
            **_texts("beginDate endDate"),
        },
    }


_LAYOUTS: Mapping[str, Mapping[str, _Columns]] = {
    "1.1": _columns(
        _seat_1p1,
        {
            "enabledUser": _text("enabledUser"),
            "orgSourcedIds": _ids("orgs"),
            **_texts("role username"),
            "userIds": _nothing,
            **_texts("givenName familyName middleName identifier email sms phone"),
            "agentSourcedIds": _ids("agents"),
            "grades": _list("grades"),
            "password": _nothing,
        },
    ),
    "1.2": _columns(
        _seat_1p2,
        {
            **_texts("enabledUser username"),
            "userIds": _nothing,
            **_texts("givenName familyName middleName identifier email sms phone"),
            "agentSourcedIds": _ids("agents"),
            "grades": _list("grades"),
            "password": _nothing,
            "userMasterIdentifier": _nothing,
            "preferredGivenName": _text("preferredFirstName"),
            "preferredMiddleName": _nothing,
            "preferredFamilyName": _text("preferredLastName"),
            "primaryOrgSourcedId": lambda row: str(row["orgs"][0]["sourcedId"]),
            "pronouns": _nothing,
        },
    ),
}
_ROLES = ("userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId", "userProfileSourcedId")


def export_records(world: SisWorld, version: str = "1.1") -> Records:
    """What a whole export of `version` holds now; given to `export_files` later, changes count from here."""
    made: dict[str, dict[str, Cells]] = {}
    for name, columns in _LAYOUTS[version].items():
        live = (row for row in world.rows[name].values() if row["status"] == "active")
        made[name] = {row["sourcedId"]: tuple(read(row) for read in columns.values()) for row in live}
    if version == "1.2":
        people = (row for row in world.rows["users"].values() if row["status"] == "active")
        made["roles"] = {one[0]: one[1:] for row in people for one in _roles(row)}
    return made


def _roles(row: Json) -> Iterable[Cells]:
    """A person of 1.2 has a role in each of the schools."""
    for number, org in enumerate(row["orgs"]):
        kind = "secondary" if number else "primary"
        yield (
            f"R{number} {row['sourcedId']}",
            row["sourcedId"],
            kind,
            row["role"],
            "",
            "",
            org["sourcedId"],
            "",
        )


def export_files(world: SisWorld, version: str = "1.1", *, since: Records | None = None) -> dict[str, bytes]:
    """The files of an export by name; with `since`, all changes from those records on."""
    now = export_records(world, version)
    files: dict[str, list[Sequence[str]]] = {}
    for name, records in now.items():
        if since is None:
            files[name] = [(one, "", "", *cells) for one, cells in records.items()]
        else:
            files[name] = list(_changes(since[name], records, stamp(world.now())))
    # Of changes, a file in which nothing changed may as well be left out.
    modes = {name: "bulk" if since is None else "delta" if rows else "absent" for name, rows in files.items()}
    names = (*_FILES, *(_MORE_1P2 if version == "1.2" else ()))
    manifest = [
        ("propertyName", "value"),
        ("manifest.version", "1.0"),
        ("oneroster.version", version),
        *((f"file.{name}", modes.get(name, "absent")) for name in names),
        ("source.systemName", "Genesis"),
    ]
    made = {"manifest.csv": written(manifest)}
    for name, mode in modes.items():
        if mode != "absent":
            columns = _ROLES if name == "roles" else _LAYOUTS[version][name]
            header = ("sourcedId", "status", "dateLastModified", *columns)
            made[f"{name}.csv"] = written([header, *files[name]])
    return made


def _changes(before: Mapping[str, Cells], now: Mapping[str, Cells], at: str) -> Iterable[Sequence[str]]:
    for one, cells in now.items():
        if before.get(one) != cells:
            yield (one, "active", at, *cells)
    for one, cells in before.items():
        if one not in now:
            yield (one, "tobedeleted", at, *cells)


def write_export(world: SisWorld, path: Path) -> Path:
    """Write a whole export of 1.1 as a zip."""
    return write_zip(export_files(world), path)


def write_zip(files: Mapping[str, bytes], path: Path) -> Path:
    """Write files as a zip; it appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f".{path.name}.part")
    with zipfile.ZipFile(growing, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return growing.replace(path)


def written(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows as the bytes of a CSV file, ended as RFC 4180 says."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
