"""OneRoster CSV exports made by hand, sound until a test breaks them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

FILES_11 = (
    *("academicSessions", "classes", "classResources", "categories", "courses", "courseResources"),
    *("demographics", "enrollments", "lineItems", "orgs", "resources", "results", "users"),
)
FILES_12 = (
    *FILES_11,
    *("roles", "userProfiles", "userResources", "scoreScales", "lineItemScoreScales", "resultScoreScales"),
    *("lineItemLearningObjectiveIds", "resultLearningObjectiveIds"),
)

ORGS = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId"
SESSIONS = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear"
COURSES = (
    "sourcedId,status,dateLastModified,"
    "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes"
)
CLASSES = (
    "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,"
    "termSourcedIds,subjects,subjectCodes,periods"
)
USERS_11 = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
    "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password"
)
USERS_12 = (
    "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,"
    "sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns"
)
ROLES = (
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
    "userProfileSourcedId"
)
ENROLLMENTS = (
    "sourcedId,status,dateLastModified,"
    "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate"
)

Rows = list[list[str]]


def split(header: str) -> list[str]:
    return header.split(",")


@dataclass
class Export:
    """An export before it is written: per file its header and rows; `manifest` is made of `version` and `modes`."""

    version: str
    files: dict[str, Rows]
    modes: dict[str, str] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)
    manifest: Rows | None = None

    def cell(self, file: str, row: int, column: str, value: str) -> None:
        """Set one cell; rows are counted as in messages, from 1 with the header."""
        rows = self.files[file]
        rows[row - 1][rows[0].index(column)] = value

    def texts(self) -> dict[str, bytes]:
        """The files as bytes, manifest and all."""
        names = FILES_11 if self.version == "1.1" else FILES_12
        modes = {name: "bulk" if name in self.files else "absent" for name in names} | self.modes
        manifest = self.manifest or [
            ["propertyName", "value"],
            ["manifest.version", "1.0"],
            ["oneroster.version", self.version],
            *([f"file.{name}", mode] for name, mode in modes.items()),
            ["source.systemName", "a made-up SIS"],
        ]
        made = {f"{name}.csv": written(rows) for name, rows in self.files.items()}
        return {"manifest.csv": written(manifest), **made, **self.raw}

    def zip(self, path: Path, *, compression: int = zipfile.ZIP_DEFLATED, prefix: str = "") -> Path:
        """Written as a zip."""
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in self.texts().items():
                archive.writestr(prefix + name, content)
        return path

    def folder(self, path: Path) -> Path:
        """Written as a folder."""
        path.mkdir(parents=True, exist_ok=True)
        for name, content in self.texts().items():
            (path / name).write_bytes(content)
        return path


def written(rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def export_11() -> Export:
    """A district with one school, one class, a teacher, a student, an aide and a guardian."""
    return Export(
        "1.1",
        {
            "orgs": [
                split(ORGS),
                ["d1", "", "", "Riverside", "district", "", ""],
                ["s1", "", "", "Oak Hill", "school", "007", "d1"],
            ],
            "academicSessions": _sessions(),
            "courses": _courses(),
            "classes": _classes(),
            "users": [
                split(USERS_11),
                _user_11("u1", "teacher", "tess", "Tess", "Ochoa"),
                _user_11("u2", "student", "stu", "Stu, Jr.", 'Ng "Ace"', number="0042", agents="u4"),
                _user_11("u3", "aide", "aid", "Aída", "Žižka", enabled="false"),
                _user_11("u4", "guardian", "gus", "Gus", "Ng"),
            ],
            "enrollments": _enrollments(),
        },
    )


def export_12() -> Export:
    """The same district in the newer version."""
    one = export_11()
    one.version = "1.2"
    one.files["users"] = [
        split(USERS_12),
        _user_12("u1", "tess", "Tess", "Ochoa"),
        _user_12("u2", "stu", "Stu, Jr.", 'Ng "Ace"', number="0042", agents="u4", called="Stubby"),
        _user_12("u3", "aid", "Aída", "Žižka", enabled="false"),
        _user_12("u4", "gus", "Gus", "Ng"),
    ]
    one.files["roles"] = [
        split(ROLES),
        ["r1", "", "", "u1", "secondary", "teacher", "", "", "s1", ""],
        ["r2", "", "", "u1", "primary", "principal", "2026-08-01", "", "s1", ""],
        ["r3", "", "", "u2", "primary", "student", "", "", "s1", ""],
        ["r4", "", "", "u3", "primary", "aide", "", "", "s1", ""],
        ["r5", "", "", "u4", "primary", "guardian", "", "", "s1", ""],
    ]
    return one


def _sessions() -> Rows:
    return [
        split(SESSIONS),
        ["y27", "", "", "2026-2027", "schoolYear", "2026-08-20", "2027-06-20", "", "2027"],
        ["t1", "", "", "Fall", "semester", "2026-08-20", "2027-01-20", "y27", "2027"],
    ]


def _courses() -> Rows:
    return [split(COURSES), ["c1", "", "", "y27", "Algebra I", "ALG1", "09", "s1", "", ""]]


def _classes() -> Rows:
    return [
        split(CLASSES),
        ["k1", "", "", "Algebra I - 3", "09", "c1", "ALG1-3", "scheduled", "", "s1", "t1,y27", "", "", "3"],
    ]


def _enrollments() -> Rows:
    return [
        split(ENROLLMENTS),
        ["e1", "", "", "k1", "s1", "u1", "teacher", "true", "", ""],
        ["e2", "", "", "k1", "s1", "u2", "student", "false", "2026-08-20", "2027-01-20"],
        ["e3", "", "", "k1", "s1", "u3", "proctor", "", "2026-09-03", ""],
    ]


def _user_11(
    id: str,
    role: str,
    login: str,
    given: str,
    family: str,
    *,
    number: str = "",
    agents: str = "",
    enabled: str = "true",
) -> list[str]:
    mail = f"{login}@riverside.example"
    return [
        *(id, "", "", enabled, "s1", role, login, "{Fed:1}", given, family),
        *("", number, mail, "", "555", agents, "09", "secret"),
    ]


def _user_12(
    id: str,
    login: str,
    given: str,
    family: str,
    *,
    number: str = "",
    agents: str = "",
    enabled: str = "true",
    called: str = "",
) -> list[str]:
    mail = f"{login}@riverside.example"
    return [
        *(id, "", "", enabled, login, "", given, family, "", number, mail, "", "", agents, "09", "secret"),
        *("", called, "", "", "s1", ""),
    ]


Break = Callable[[Export], None]
