"""Rosters from files, from the account's keys to Canvas: what the files say is what Canvas holds, or nothing is sent.

The exports are made of the sandbox's raw rows by code of these tests alone.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gradesync.domain.account import Account
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.run import Mode, RunResult
from gradesync.errors import ConnectionProblem
from gradesync.sandbox import canvas_apply_people
from gradesync.sandbox.server import Sandbox, running
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.roster_import import RosterJob, import_roster
from gradesync.wiring.connections import HttpConnections
from tests.connectors.exports import (
    CLASSES,
    COURSES,
    ENROLLMENTS,
    ORGS,
    SESSIONS,
    USERS_11,
    Export,
    split,
    written,
)
from tests.syncs.roster_players import Lease, Records, Watcher
from tests.syncs.test_roster_import import SCHEDULE
from tests.syncs.test_roster_sandbox import held, wanted

TOKENS = {"TOKEN": "sandbox-canvas-riverside"}
Row = dict[str, Any]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as one:
        yield one


class Given:
    def value(self, reference: str, account: str, name: str) -> str:
        return TOKENS[reference.removeprefix("env:")]


def run(
    sandbox: Sandbox, files: Path, records: Records, *, form: str = "oneroster csv", **roster: Any
) -> RunResult:
    """One run over the connections an account with roster files gets."""
    definition = {
        "account": "riverside",
        "time_zone": "America/New_York",
        "canvas": {"url": f"{sandbox.url}/riverside/canvas", "token": "env:TOKEN"},
        "sis": {"profile": "genesis", "roster": {"format": form, "path": str(files)}},
        "roster": roster,
    }
    account = Account.from_definitions("riverside", definition, {})

    async def go() -> RunResult:
        async with HttpConnections(Given()).roster(account, Lease()) as (source, sink):
            job = RosterJob(
                account=account,
                schedule=SCHEDULE,
                mode=Mode.DELTA,
                today=sandbox.schools["riverside"].district.today,
                source=source,
                records=records,
                guard=Lease(),
                progress=Watcher(),
                sink=sink,
                spool=HttpConnections(Given()).spool,
                brake=Brake(KeyedHash(b"0" * 32, "riverside")),
            )
            return await import_roster(job)

    return asyncio.run(go())


def rested(path: Path) -> Path:
    """As if it had arrived an hour ago."""
    for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
        at = one.stat().st_mtime - 3600
        os.utime(one, (at, at))
    return path


def ref(row: Row, key: str) -> str:
    return row[key]["sourcedId"] if row.get(key) else ""


def refs(row: Row, key: str) -> str:
    return ",".join(one["sourcedId"] for one in row.get(key) or ())


def export_of(sandbox: Sandbox) -> Export:
    """The sandbox's SIS as a OneRoster 1.1 export."""
    rows = {kind: list(of_kind.values()) for kind, of_kind in sandbox.schools["riverside"].sis.rows.items()}

    def made(header: str, kind: str, cells: Callable[[Row], list[str]]) -> list[list[str]]:
        found = [[row["sourcedId"], "", "", *cells(row)] for row in rows[kind] if row["status"] == "active"]
        return [split(header), *found]

    return Export(
        "1.1",
        {
            "orgs": made(ORGS, "orgs", lambda r: [r["name"], r["type"], r["identifier"], ref(r, "parent")]),
            "academicSessions": made(
                SESSIONS,
                "academicSessions",
                lambda r: [
                    *(r[k] for k in ("title", "type", "startDate", "endDate")),
                    ref(r, "parent"),
                    r["schoolYear"],
                ],
            ),
            "courses": made(
                COURSES,
                "courses",
                lambda r: [
                    ref(r, "schoolYear"),
                    r["title"],
                    r["courseCode"],
                    ",".join(r["grades"]),
                    ref(r, "org"),
                    "",
                    "",
                ],
            ),
            "classes": made(
                CLASSES,
                "classes",
                lambda r: [
                    *(
                        r["title"],
                        "",
                        ref(r, "course"),
                        r["classCode"],
                        r["classType"],
                        r.get("location", ""),
                    ),
                    *(ref(r, "school"), refs(r, "terms"), "", "", ",".join(r["periods"])),
                ],
            ),
            "users": made(
                USERS_11,
                "users",
                lambda r: [
                    *(
                        r["enabledUser"],
                        refs(r, "orgs"),
                        r["role"],
                        r["username"],
                        "",
                        r["givenName"],
                        r["familyName"],
                    ),
                    *("", r["identifier"], r["email"], "", "", refs(r, "agents"), "", ""),
                ],
            ),
            "enrollments": made(
                ENROLLMENTS,
                "enrollments",
                lambda r: [
                    *(ref(r, "class"), ref(r, "school"), ref(r, "user"), r["role"], r.get("primary", "")),
                    *(r.get("beginDate", ""), r.get("endDate", "")),
                ],
            ),
        },
    )


def canvas_of(sandbox: Sandbox, folder: Path) -> Path:
    """The same SIS as an export in Canvas's own format: a course for every class, under ids of its own."""
    sis = sandbox.schools["riverside"].sis
    rows = {kind: list(of_kind.values()) for kind, of_kind in sis.rows.items()}
    files = {
        "accounts": [["account_id", "parent_account_id", "name", "status"]]
        + [[r["sourcedId"], "", r["name"], "active"] for r in rows["orgs"] if r["type"] == "school"],
        "terms": [
            ["term_id", "name", "status", "start_date", "end_date"],
            ["Y", "2026-2027", "active", "2026-08-20", "2027-06-20"],
        ],
        "courses": [["course_id", "short_name", "long_name", "account_id", "term_id", "status"]]
        + [
            ["C" + r["sourcedId"], r["classCode"], r["title"], ref(r, "school"), "Y", "active"]
            for r in rows["classes"]
        ],
        "sections": [["section_id", "course_id", "name", "status"]]
        + [[r["sourcedId"], "C" + r["sourcedId"], r["title"], "active"] for r in rows["classes"]],
        "users": [["user_id", "login_id", "first_name", "last_name", "email", "status"]]
        + [
            [r["sourcedId"], r["username"], r["givenName"], r["familyName"], r["email"], "active"]
            for r in rows["users"]
        ],
        "enrollments": [["section_id", "user_id", "role", "status"]]
        + [
            [
                ref(r, "class"),
                ref(r, "user"),
                r["role"].replace("aide", "ta"),
                "active" if sis.is_current(r) else "deleted",
            ]
            for r in rows["enrollments"]
        ],
    }
    folder.mkdir()
    for kind, content in files.items():
        (folder / f"{kind}.csv").write_bytes(written(content))
    return rested(folder)


def imports(sandbox: Sandbox) -> int:
    return sandbox.count(side="canvas", method="POST")


def test_a_oneroster_export_fills_canvas_and_the_next_night_sends_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = rested(export_of(sandbox).zip(tmp_path / "x.zip"))
    records = Records()
    result = run(sandbox, path, records)
    assert not result.codes
    assert held(sandbox) == wanted(sandbox)
    before = imports(sandbox)
    assert run(sandbox, path, records).counts["sent"] == 0
    assert imports(sandbox) == before


def test_a_canvas_export_fills_canvas_under_its_own_ids_and_the_next_night_sends_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = canvas_of(sandbox, tmp_path / "x")
    records = Records()
    result = run(sandbox, path, records, form="canvas csv")
    assert not result.codes
    assert held(sandbox) == wanted(sandbox)
    courses = sandbox.schools["riverside"].canvas.courses.values()
    assert {str(course.sis_course_id)[0] for course in courses} == {"C"}
    before = imports(sandbox)
    assert run(sandbox, path, records, form="canvas csv").counts["sent"] == 0
    assert imports(sandbox) == before


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoiled(file: str, act: Callable[[list[list[str]]], list[list[str]]]) -> Callable[[Export], None]:
    def spoil(export: Export) -> None:
        export.files[file] = act(export.files[file])

    return spoil


def new_ids(export: Export) -> None:
    for row in export.files["users"][1:]:
        row[0] = f"n{row[0]}"
    for row in export.files["enrollments"][1:]:
        row[5] = f"n{row[5]}"


ACCIDENTS: dict[str, tuple[Callable[[Export], None], set[str]]] = {
    "half of the enrollments": (spoiled("enrollments", lambda rows: rows[: len(rows) // 2]), {"GS-601"}),
    "a file with a header alone": (spoiled("enrollments", lambda rows: rows[:1]), {"GS-610"}),
    "a column shifted": (
        spoiled("enrollments", lambda rows: [rows[0], *([*r[1:], r[0]] for r in rows[1:])]),
        {"GS-610"},
    ),
    "another encoding": (
        lambda export: export.raw.update(
            {"users.csv": written(export.files["users"]).decode().encode("utf-16")}
        ),
        {"GS-610"},
    ),
    "all ids of people changed": (
        new_ids,
        {"GS-601", "GS-603"},
    ),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident_of_the_export_sends_nothing_and_the_mended_one_goes_on(
    sandbox: Sandbox, tmp_path: Path, accident: str
) -> None:
    records = Records()
    path = tmp_path / "x.zip"
    run(sandbox, rested(export_of(sandbox).zip(path)), records)
    before, seats = imports(sandbox), held(sandbox)
    act, codes = ACCIDENTS[accident]
    export = export_of(sandbox)
    act(export)
    rested(export.zip(path))
    try:
        found = set(run(sandbox, path, records).codes)
    except ConnectionProblem as problem:
        found = {problem.code}
    assert found & codes
    assert (imports(sandbox), held(sandbox)) == (before, seats)
    result = run(sandbox, rested(export_of(sandbox).zip(path)), records)
    assert not result.codes
    assert held(sandbox) == wanted(sandbox)


def test_a_zip_that_arrived_by_half_sends_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    records = Records()
    path = export_of(sandbox).zip(tmp_path / "x.zip")
    cut(path)
    with pytest.raises(ConnectionProblem) as caught:
        run(sandbox, rested(path), records)
    assert caught.value.code == "GS-610"
    assert imports(sandbox) == 0
    assert json.dumps(records.marks) == "{}"


def test_half_of_a_canvas_export_trips_the_brake_like_any_other(sandbox: Sandbox, tmp_path: Path) -> None:
    records = Records()
    path = canvas_of(sandbox, tmp_path / "x")
    run(sandbox, path, records, form="canvas csv")
    before = imports(sandbox)
    file = path / "enrollments.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) // 2]))
    result = run(sandbox, rested(path), records, form="canvas csv")
    assert "GS-601" in result.codes
    assert imports(sandbox) == before


def test_a_role_of_the_districts_own_is_carried_and_not_missed_when_read_back(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(canvas_apply_people._ROLES, "hall monitor", "TaEnrollment")
    path = canvas_of(sandbox, tmp_path / "x")
    file = path / "enrollments.csv"
    file.write_bytes(file.read_bytes().replace(b",teacher,", b",Hall monitor,"))
    records = Records()
    result = run(sandbox, rested(path), records, form="canvas csv", verify="full")
    assert not result.codes
    assert result.counts["read back"] > 0
    assert {role for _, _, role in held(sandbox)} == {"StudentEnrollment"}
    assert not run(sandbox, path, records, form="canvas csv", verify="full").codes
