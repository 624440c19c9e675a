"""SIS imports of the made-up Canvas: where messages of a difference point, claimed logins, and imports taken back."""

from __future__ import annotations

import json

from gradesync.sandbox.canvas_world import CanvasWorld

from .canvas_client import Answer, Canvas, _read, talk, world
from .test_canvas_import_modes import TERM, state_of
from .test_canvas_imports import DIFF, ENROLLMENTS, SECTIONS, USERS, _enrollment, roster

HEAD = "course_id,section_id,user_id,role,status\n"


async def restored(canvas: Canvas, import_id: int, **what: str) -> Answer:
    """Take an import back and wait until it is."""
    headers = {"Authorization": f"Bearer {canvas.world.token}"}
    url = f"{canvas.base}/accounts/self/sis_imports/{import_id}/restore_states"
    async with canvas.session.put(url, data=what, headers=headers) as answer:
        told = await _read(answer)
    while (await canvas.ended(import_id))["workflow_state"] == "restoring":
        pass
    return told


def seats(made: CanvasWorld) -> dict[str, str]:
    return {f"{s}/{u}": _enrollment(made, s, u).workflow_state for s, u in (("S1", "U1"), ("S1", "U2"))}


def test_messages_of_a_difference_name_the_lines_of_canvas_s_own_file() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **DIFF)
        # The fifth line of the upload, and the first that changed.
        unknown = ENROLLMENTS.replace("C1,S1,P1,teacher", "C1,S1,NOBODY,teacher")
        second = await canvas.run_import(roster(enrollments=unknown), **DIFF)
        answer = await canvas.get(f"/accounts/self/sis_imports/{second['id']}/errors")
        assert [one["row"] for one in answer.body["sis_import_errors"]] == [2]

    talk(made, story)


def test_rows_that_are_gone_come_behind_those_that_changed() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        odd = ENROLLMENTS + "C1,S1,NOBODY,student,active\n"
        await canvas.run_import(roster(enrollments=odd), **DIFF)
        now = ENROLLMENTS + "C2,S2,U2,student,active\n"
        second = await canvas.run_import(roster(enrollments=now), **DIFF)
        answer = await canvas.get(f"/accounts/self/sis_imports/{second['id']}/errors")
        assert [one["row"] for one in answer.body["sis_import_errors"]] == [3]

    talk(made, story)


def test_a_claimed_login_goes_over_to_the_new_sis_id_when_that_is_asked_for() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        other = {"users.csv": "user_id,login_id,full_name,status\nU9,ann,Ann One,active\n"}
        assert (await canvas.run_import(other))["workflow_state"] == "imported_with_messages"
        done = await canvas.run_import(other, update_sis_id_if_login_claimed="true")
        assert done["workflow_state"] == "imported"
        login = made.login_by_sis("U9")
        assert login is not None
        assert (login.unique_id, made.login_by_sis("U1")) == ("ann", None)

    talk(made, story)


def test_whoever_has_another_active_enrollment_of_the_course_is_deleted_and_the_last_one_completed() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        sections = SECTIONS + "S3,C1,Biology 3,active,\n"
        await canvas.run_import(
            roster(sections=sections, enrollments=ENROLLMENTS + "C1,S3,U1,student,active\n")
        )
        rows = "C1,S1,U1,student,deleted_last_completed\nC1,S1,U2,student,deleted_last_completed\n"
        await canvas.run_import({"enrollments.csv": HEAD + rows})
        assert seats(made) == {"S1/U1": "deleted", "S1/U2": "completed"}

    talk(made, story)


def test_an_import_taken_back_leaves_states_as_they_were_and_deletes_what_it_made() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **DIFF)
        fewer = ENROLLMENTS.replace("C1,S1,U2,student,active", "C2,S2,U2,student,active")
        renamed = USERS.replace("Bob Two", "Rob Two").replace("bob@example.edu,active", "b@e.edu,suspended")
        second = await canvas.run_import(roster(enrollments=fewer, users=renamed), **DIFF)
        told = await restored(canvas, second["id"])
        assert (told.status, told.body["tag"]) == (200, "sis_batch_state_restore")
        assert (await canvas.ended(second["id"]))["workflow_state"] == "restored"
        assert seats(made) == {"S1/U1": "active", "S1/U2": "active"}
        assert _enrollment(made, "S2", "U2").workflow_state == "deleted"
        login = made.login_by_sis("U2")
        assert login is not None
        assert login.workflow_state == "active"
        # Only states come back.
        assert made.users[login.user_id].name == "Rob Two"

    talk(made, story)


def test_what_was_taken_back_is_no_longer_what_the_next_upload_is_compared_with() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        first = await canvas.run_import(roster(), **DIFF)
        fewer = roster(enrollments=ENROLLMENTS.replace("C1,S1,U2,student,active\n", ""))
        second = await canvas.run_import(fewer, **DIFF)
        await restored(canvas, second["id"])
        third = await canvas.run_import(fewer, **DIFF)
        assert third["data"]["diffed_against_sis_batch_id"] == first["id"]
        assert seats(made)["S1/U2"] == "inactive"

    talk(made, story)


def test_parts_of_an_import_can_be_taken_back() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        rows = "C1,S1,U1,student,deleted\nC1,S1,U2,student,completed\n"
        done = await canvas.run_import({"enrollments.csv": HEAD + rows})
        await restored(canvas, done["id"], undelete_only="true")
        assert seats(made) == {"S1/U1": "active", "S1/U2": "completed"}
        await restored(canvas, done["id"], unconclude_only="true")
        assert seats(made) == {"S1/U1": "active", "S1/U2": "active"}
        assert (await canvas.ended(done["id"]))["workflow_state"] == "partially_restored"
        both = await restored(canvas, done["id"], undelete_only="true", unconclude_only="true")
        assert (both.status, "both" in json.dumps(both.body)) == (400, True)

    talk(made, story)


def test_the_clean_up_of_batch_mode_alone_can_be_taken_back() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        rows = "C1,S1,U1,student,inactive\nC1,S1,P1,teacher,active\nC2,S2,U1,student,active\n"
        done = await canvas.run_import({"enrollments.csv": HEAD + rows}, **TERM)
        while done["workflow_state"] == "cleanup_batch":
            done = await canvas.ended(done["id"])
        assert seats(made) == {"S1/U1": "inactive", "S1/U2": "deleted"}
        await restored(canvas, done["id"], batch_mode="true")
        assert seats(made) == {"S1/U1": "inactive", "S1/U2": "active"}
        assert state_of(made, "section", "S1") == "active"

    talk(made, story)
