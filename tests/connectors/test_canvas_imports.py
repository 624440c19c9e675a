"""What Canvas says of imports, read over HTTP: messages as codes, recent imports, who sits in a class."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gradesync.connectors.canvas import CanvasConnector
from gradesync.connectors.canvas.import_words import code_of, import_message
from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_rows import RowMessage
from gradesync.sandbox.server import Sandbox
from tests.connectors.conftest import KEY, canvas_client, on_disk

USERS = "user_id,login_id,first_name,last_name,email,status\r\n"
SEATS = "section_id,user_id,role,status,start_date,end_date\r\n"


async def imported(
    sink: CanvasConnector, folder: Path, texts: dict[str, str], data_set: str | None = None, change: int = 0
) -> ImportStatus:
    """One import, followed to its end."""
    files = on_disk(folder, texts)
    status = await sink.start_import(files, data_set=data_set, remaster=False, expected_change=change)
    while not status.finished:
        await asyncio.sleep(0.01)
        status = await sink.import_status(status.id)
    return status


def test_messages_come_with_their_rows_and_codes_over_all_pages_and_without_their_words(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.schools[KEY].canvas.settings.max_per_page = 3
    texts = {
        "users.csv": USERS + "x1,,A,B,,active\r\n",
        "enrollments.csv": SEATS + "".join(f"nowhere,x{n},student,active,,\r\n" for n in range(7)),
    }

    async def run() -> tuple[ImportStatus, list[RowMessage]]:
        async with canvas_client(sandbox) as client:
            sink = CanvasConnector(client)
            status = await imported(sink, tmp_path, texts)
            return status, [one async for one in sink.import_messages(status.id)]

    status, messages = asyncio.run(run())
    assert (status.state, status.warnings) == ("imported_with_messages", 8)
    assert messages == [
        RowMessage("users", 2, "GS-617"),
        *(RowMessage("enrollments", row, "GS-616") for row in range(2, 9)),
    ]


def test_the_last_imports_are_known_by_name_newest_first(sandbox: Sandbox, tmp_path: Path) -> None:
    async def run() -> list[ImportStatus]:
        async with canvas_client(sandbox) as client:
            sink = CanvasConnector(client)
            for name in ("gradesync:one", None, "gradesync:two"):
                await imported(sink, tmp_path, {"users.csv": USERS}, name)
            return list(await sink.recent_imports())[:3]

    found = asyncio.run(run())
    assert [one.data_set for one in found] == ["gradesync:two", "", "gradesync:one"]
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)
    job = sandbox.schools[KEY].canvas.imports[found[1].id]
    assert (job.diffing_data_set_identifier, job.diffing_drop_status, job.change_threshold) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("change", "limit"), [(0, 10), (4, 10), (30, 35), (95, 100), (96, None), (400, None)]
)
def test_canvas_is_told_of_a_change_that_is_known(
    sandbox: Sandbox, tmp_path: Path, change: int, limit: int | None
) -> None:
    async def run() -> int:
        async with canvas_client(sandbox) as client:
            sink = CanvasConnector(client)
            return (await imported(sink, tmp_path, {"users.csv": USERS}, "gradesync:t", change)).id

    assert sandbox.schools[KEY].canvas.imports[asyncio.run(run())].change_threshold == limit


def test_who_sits_in_a_class_is_told_by_sis_ids_and_an_unknown_class_is_none(sandbox: Sandbox) -> None:
    world = sandbox.schools[KEY].canvas
    section = next(one for one in world.sections.values() if one.sis_section_id)
    wanted = {
        (login.sis_user_id, one.type.removesuffix("Enrollment").lower())
        for one in world.enrollments_by_section[section.id]
        for login in world.logins_by_user[one.user_id]
        if one.workflow_state == "active" and login.sis_user_id and one.login_id in (None, login.id)
    }

    async def run() -> tuple[object, object]:
        async with canvas_client(sandbox) as client:
            sink = CanvasConnector(client)
            return await sink.class_seats(str(section.sis_section_id)), await sink.class_seats(
                "no/such.class"
            )

    held, unknown = asyncio.run(run())
    assert held == wanted
    assert unknown is None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("user 7 has already claimed 9's requested login information, skipping", "GS-615"),
        ("User not found for enrollment (User ID: 9, Section ID: 8)", "GS-616"),
        ("An enrollment referenced a non-existent section 8", "GS-616"),
        ("Parent account didn't exist for 4", "GS-616"),
        ('Improper status "x" for user 9', "GS-617"),
        ("No login_id given for user 9", "GS-617"),
        ("The email address associated with user '9' is invalid (email: 'no')", "GS-617"),
        ("Malformed CSV", "GS-618"),
        ("Couldn't find Canvas CSV import headers", "GS-618"),
        ("Utilisateur introuvable", "GS-604"),
    ],
)
def test_messages_are_told_apart_by_their_words(message: str, code: str) -> None:
    assert code_of(message) == code


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"file": "roster/Users.CSV", "row": 3, "message": "m"}, RowMessage("users", 3, "GS-604")),
        ({"file": "xlists.csv", "row": 2, "message": "m"}, RowMessage("xlists", 2, "GS-604")),
        ({"file": "mine.csv", "row": 3, "message": "m"}, RowMessage("", 3, "GS-604")),
        ({"file": "users.csv", "row": None, "message": "m"}, RowMessage("users", None, "GS-604")),
        ({"file": None, "row": "3", "message": None}, RowMessage("", None, "GS-604")),
        ({}, RowMessage("", None, "GS-604")),
    ],
)
def test_a_message_of_any_shape_is_a_message(row: dict[str, object], told: RowMessage) -> None:
    assert import_message(row) == told


COURSES = "course_id,short_name,long_name,status,account_id,term_id\r\n"
SECTIONS = "section_id,course_id,name,status\r\n"


@pytest.mark.parametrize("deletes", [False, True])
def test_what_is_gone_from_the_files_stays_in_canvas_unless_deletions_are_asked_for(
    sandbox: Sandbox, tmp_path: Path, deletes: bool
) -> None:
    full = {
        "courses.csv": COURSES + "c-one,C1,One,active,,\r\nc-two,C2,Two,active,,\r\n",
        "sections.csv": SECTIONS + "s-one,c-one,One,active\r\ns-two,c-two,Two,active\r\n",
        "users.csv": USERS + "u-one,u1,A,B,,active\r\nu-two,u2,A,B,,active\r\n",
    }
    less = {name: "".join(text.splitlines(keepends=True)[:2]) for name, text in full.items()}

    async def run() -> None:
        async with canvas_client(sandbox) as client:
            sink = CanvasConnector(client, change_threshold=100)
            await imported(sink, tmp_path, full, "gradesync:x")
            files = on_disk(tmp_path, less)
            status = await sink.start_import(
                files, data_set="gradesync:x", remaster=False, expected_change=100, deletes=deletes
            )
            while not status.finished:
                await asyncio.sleep(0.01)
                status = await sink.import_status(status.id)
            assert not status.threshold_exceeded

    asyncio.run(run())
    world = sandbox.schools[KEY].canvas
    course = next(one for one in world.courses.values() if one.sis_course_id == "c-two")
    section = next(one for one in world.sections.values() if one.sis_section_id == "s-two")
    assert (course.workflow_state == "deleted", section.workflow_state == "deleted") == (deletes, deletes)
