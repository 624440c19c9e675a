"""SIS imports of the made-up Canvas: states, row warnings, file failures, upserts, and diffing with its traps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.sandbox.canvas_csv import Table, diff_tables, kind_of
from gradesync.sandbox.canvas_records import Enrollment
from gradesync.sandbox.canvas_world import CanvasWorld

from .canvas_client import Canvas, talk, world

TERMS = "term_id,name,status,start_date,end_date,integration_id\nT1,Fall,active,2026-09-01,2027-01-31,\n"
ACCOUNTS = "account_id,parent_account_id,name,status\nSCH1,,North School,active\n"
COURSES = (
    "course_id,short_name,long_name,status,account_id,term_id,integration_id\n"
    "C1,BIO,Biology,active,SCH1,T1,int-c1\nC2,ALG,Algebra,published,SCH1,T1,\n"
)
SECTIONS = "section_id,course_id,name,status,integration_id\nS1,C1,Biology 1,active,int-s1\nS2,C2,Algebra 1,active,\n"
USERS = (
    "user_id,login_id,full_name,email,status\n"
    "U1,ann,Ann One,ann@example.edu,active\nU2,bob,Bob Two,bob@example.edu,active\nP1,pam,Pam Teach,,active\n"
)
ENROLLMENTS = (
    "course_id,section_id,user_id,role,status\n"
    "C1,S1,U1,student,active\nC1,S1,U2,student,active\nC1,S1,P1,teacher,active\nC2,S2,U1,student,active\n"
)


def roster(**changed: str) -> dict[str, str]:
    """A small complete roster, files in an order Canvas must not follow."""
    files = {
        "enrollments": ENROLLMENTS,
        "users": USERS,
        "sections": SECTIONS,
        "courses": COURSES,
        "terms": TERMS,
        "accounts": ACCOUNTS,
    }
    return {f"{name}.csv": text for name, text in (files | changed).items()}


def _enrollment(made: CanvasWorld, section: str, login: str) -> Enrollment:
    section_id = made.id_of("section", section)
    assert section_id is not None
    user = made.login_by_sis(login)
    assert user is not None
    return next(one for one in made.enrollments_by_section[section_id] if one.user_id == user.user_id)


def test_a_roster_is_built_whatever_the_order_of_the_files() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        done = await canvas.run_import(roster())
        assert done["workflow_state"] == "imported"
        assert done["progress"] == 100
        assert done["data"]["counts"]["enrollments"] == 4
        assert done["data"]["statistics"]["Enrollment"]["created"] == 4
        assert done["data"]["supplied_batches"] == [
            "account",
            "term",
            "course",
            "section",
            "user",
            "enrollment",
        ]
        course = (await canvas.get("/courses/sis_course_id:C1")).body
        assert (course["name"], course["course_code"], course["workflow_state"]) == (
            "Biology",
            "BIO",
            "unpublished",
        )
        assert course["integration_id"] == "int-c1"
        assert (await canvas.get("/courses/sis_course_id:C2")).body["workflow_state"] == "available"
        rows = await canvas.every("/sections/sis_section_id:S1/enrollments")
        assert {one["type"] for one in rows} == {"StudentEnrollment", "TeacherEnrollment"}
        assert {one["sis_import_id"] for one in rows} == {done["id"]}
        terms = (await canvas.get("/accounts/self/terms")).body["enrollment_terms"]
        assert [one["sis_term_id"] for one in terms] == [None, "T1"]

    talk(made, story)


def test_a_new_student_gets_rows_in_what_is_already_published() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        course_id = made.id_of("course", "C2")
        assert course_id is not None
        made.publish_course(course_id)
        made.add_assignment(course_id, made.groups_by_course[course_id][0], "First")
        more = ENROLLMENTS + "C2,S2,U2,student,active\n"
        await canvas.run_import({"enrollments.csv": more})
        rows = await canvas.every(f"/courses/{course_id}/students/submissions?student_ids[]=all")
        assert len(rows) == 2

    talk(made, story)


def test_states_are_seen_while_polling_and_imports_run_one_at_a_time() -> None:
    made = world(populated=False)
    made.settings.import_delay = 0.05

    async def story(canvas: Canvas) -> None:
        first = (await canvas.post_import(roster())).body
        second = (await canvas.post_import(roster())).body
        assert (first["workflow_state"], second["workflow_state"]) == ("created", "created")
        seen = set()
        while (now := (await canvas.get(f"/accounts/self/sis_imports/{first['id']}")).body)[
            "ended_at"
        ] is None:
            seen.add(now["workflow_state"])
            running = (await canvas.get("/accounts/self/sis_imports/importing")).body["sis_imports"]
            assert second["id"] not in [one["id"] for one in running]
        assert seen == {"created", "importing"}
        await canvas.ended(second["id"])
        listed = (await canvas.get("/accounts/self/sis_imports")).body["sis_imports"]
        assert [one["id"] for one in listed] == [second["id"], first["id"]]

    talk(made, story)


def test_unknown_references_are_warnings_by_row_and_the_rest_is_applied() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        text = (
            ENROLLMENTS
            + "C1,S1,NOBODY,student,active\nC1,NOWHERE,U1,student,active\nC1,S2,U1,student,active\n"
        )
        done = await canvas.run_import(roster(enrollments=text))
        assert done["workflow_state"] == "imported_with_messages"
        assert len(done["processing_warnings"]) == 3
        assert "processing_errors" not in done
        errors = (await canvas.get(f"/accounts/self/sis_imports/{done['id']}/errors")).body[
            "sis_import_errors"
        ]
        assert [one["row"] for one in errors] == [6, 7, 8]
        assert {one["file"] for one in errors} == {"enrollments.csv"}
        assert done["data"]["counts"]["enrollments"] == 4

    talk(made, story)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('user_id,login_id,status\nU9,"zed,active\n', "Malformed CSV"),
        ("who,what\n1,2\n", "Couldn't find Canvas CSV import headers"),
    ],
)
def test_a_bad_file_fails_the_import_but_the_others_are_applied(text: str, message: str) -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        done = await canvas.run_import(roster(bad=text))
        assert done["workflow_state"] == "failed_with_messages"
        assert done["processing_errors"] == [["bad.csv", message]]
        assert done["progress"] < 100
        assert (await canvas.get("/users/sis_user_id:U1")).status == 200

    talk(made, story)


def test_a_raw_body_that_is_not_utf_8_fails() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        headers = {"Authorization": f"Bearer {made.token}", "Content-Type": "text/csv"}
        body = "user_id,login_id,full_name,status\nU1,ann,Zoë,active\n".encode("latin-1")
        url = f"{canvas.base}/accounts/self/sis_imports?extension=csv"
        async with canvas.session.post(url, data=body, headers=headers) as answer:
            posted = await answer.json()
        done = await canvas.ended(posted["id"])
        assert done["processing_errors"] == [["sis_upload.csv", "Invalid UTF-8"]]

    talk(made, story)


def test_more_messages_than_fit_are_counted() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        rows = "".join(f"C1,S1,X{number},student,active\n" for number in range(30))
        done = await canvas.run_import(roster(enrollments=ENROLLMENTS + rows))
        assert len(done["processing_warnings"]) == 25
        assert done["processing_warnings"][-1][1] == "and 6 more"
        assert done["data"]["counts"]["warning_count"] == 30

    talk(made, story)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"diffing_drop_status": "gone"}, 400),
        ({"batch_mode": "true", "batch_mode_term_id": "sis_term_id:NONE"}, 400),
        ({"batch_mode_enrollment_drop_status": "gone"}, 400),
        ({"change_threshold": "0"}, 400),
        ({"diffing_data_set_identifier": "x" * 129}, 400),
        ({"import_type": "other"}, 500),
    ],
)
def test_bad_parameters_are_refused(fields: dict[str, str], status: int) -> None:
    async def story(canvas: Canvas) -> None:
        assert (await canvas.post_import(roster(), **fields)).status == status
        assert (await canvas.get("/accounts/self/sis_imports")).body == {"sis_imports": []}

    talk(world(populated=False), story)


def test_a_form_without_a_file_and_a_sub_account_are_refused() -> None:
    made = world()

    async def story(canvas: Canvas) -> None:
        headers = {"Authorization": f"Bearer {made.token}", "Content-Type": "multipart/form-data; boundary=x"}
        url = f"{canvas.base}/accounts/self/sis_imports"
        async with canvas.session.post(url, data=b"--x--\r\n", headers=headers) as answer:
            assert answer.status == 400
            assert await answer.json() == {"error": True, "error_message": "Missing attachment"}
        below = next(one.id for one in made.accounts.values() if one.parent_account_id)
        answer_text = await canvas.get(f"/accounts/{below}/sis_imports")
        assert answer_text.body == {"errors": ["SIS imports can only be executed on root accounts"]}

    talk(made, story)


def test_a_missing_integration_column_wipes_ids_and_blank_dates_clear() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        courses = "course_id,short_name,long_name,status\nC1,BIO,Biology,active\n"
        terms = "term_id,name,status\nT1,Fall,active\n"
        await canvas.run_import({"courses.csv": courses, "terms.csv": terms})
        course = (await canvas.get("/courses/sis_course_id:C1")).body
        assert course["integration_id"] is None
        assert course["enrollment_term_id"] != made.default_term.id
        term = (await canvas.get("/accounts/self/terms")).body["enrollment_terms"][1]
        assert (term["start_at"], term["end_at"]) == (None, None)

    talk(made, story)


def test_a_teachers_rename_survives_an_import_until_it_is_overridden() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        course_id = made.id_of("course", "C1")
        assert course_id is not None
        made.rename_course(course_id, "Life Science")
        await canvas.run_import(roster())
        assert made.courses[course_id].name == "Life Science"
        await canvas.run_import(roster(), override_sis_stickiness="true")
        assert made.courses[course_id].name == "Biology"

    talk(made, story)


def test_enrollment_statuses_are_applied_and_counted() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        head = "course_id,section_id,user_id,role,status\n"
        done = await canvas.run_import(
            {
                "e.csv": f"{head}C1,S1,U1,student,deleted\nC1,S1,U2,student,inactive\nC2,S2,U1,student,completed\n"
            }
        )
        counted = done["data"]["statistics"]["Enrollment"]
        assert (counted["deleted"], counted["deactivated"], counted["concluded"]) == (1, 1, 1)
        assert done["data"]["statistics"]["total_state_changes"] == 3
        back = await canvas.run_import({"e.csv": f"{head}C1,S1,U1,student,active\n"})
        assert back["data"]["statistics"]["Enrollment"]["restored"] == 1
        assert _enrollment(made, "S1", "U1").workflow_state == "active"

    talk(made, story)


def test_losing_the_last_login_loses_the_enrollments_and_a_taken_login_is_refused() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        head = "user_id,login_id,full_name,status\n"
        taken = await canvas.run_import({"users.csv": f"{head}U3,ann,Ann Other,active\n"})
        assert taken["workflow_state"] == "imported_with_messages"
        assert made.login_by_sis("U3") is None
        await canvas.run_import({"users.csv": f"{head}U1,ann,Ann One,deleted\n"})
        assert {
            one.workflow_state for one in (_enrollment(made, "S1", "U1"), _enrollment(made, "S2", "U1"))
        } == {"deleted"}
        assert (await canvas.get("/users/sis_user_id:U1")).status == 404

    talk(made, story)


def test_cross_listing_moves_a_section_and_its_people() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        await canvas.run_import({"x.csv": "xlist_course_id,section_id,status\nC2,S1,active\n"})
        section = (await canvas.get("/sections/sis_section_id:S1")).body
        assert section["sis_course_id"] == "C2"
        assert section["nonxlist_course_id"] == made.id_of("course", "C1")
        # The old course with the moved section is still accepted, and the sections file leaves it there.
        done = await canvas.run_import(roster())
        assert done["workflow_state"] == "imported"
        assert (await canvas.get("/sections/sis_section_id:S1")).body["sis_course_id"] == "C2"
        await canvas.run_import({"x.csv": "xlist_course_id,section_id,status\nC2,S1,deleted\n"})
        assert (await canvas.get("/sections/sis_section_id:S1")).body["sis_course_id"] == "C1"

    talk(made, story)


DIFF = {"diffing_data_set_identifier": "year", "diffing_drop_status": "inactive"}


def test_a_diff_applies_changes_and_drops_what_is_gone() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        first = await canvas.run_import(roster(), **DIFF)
        assert "diffed_against_sis_batch_id" not in first["data"]
        fewer = ENROLLMENTS.replace("C1,S1,U2,student,active\n", "")
        second = await canvas.run_import(roster(enrollments=fewer), **DIFF)
        assert second["data"]["diffed_against_sis_batch_id"] == first["id"]
        assert second["diffed_against_import_id"] is None
        assert second["diffing_threshold_exceeded"] is False
        assert second["data"]["counts"]["enrollments"] == 1
        assert second["data"]["counts"]["users"] == 0
        assert _enrollment(made, "S1", "U2").workflow_state == "inactive"

    talk(made, story)


def test_an_unchanged_file_ends_at_once_and_a_missing_file_drops_nothing() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **DIFF)
        same = await canvas.run_import(roster(), **DIFF)
        assert same["workflow_state"] == "imported"
        assert same["data"] == {
            "import_type": "instructure_csv",
            "counts": {"error_count": 0, "warning_count": 0},
        }
        await canvas.run_import({"users.csv": USERS}, **DIFF)
        assert _enrollment(made, "S1", "U1").workflow_state == "active"

    talk(made, story)


def test_a_file_with_only_its_header_drops_everything() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **DIFF)
        await canvas.run_import(roster(enrollments=ENROLLMENTS.splitlines()[0] + "\n"), **DIFF)
        assert {one.workflow_state for one in made.enrollments.values()} == {"inactive"}

    talk(made, story)


def test_over_the_threshold_the_whole_file_is_applied_without_drops_and_is_no_baseline() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        first = await canvas.run_import(roster(), **DIFF)
        small = {"enrollments.csv": ENROLLMENTS.splitlines()[0] + "\n"}
        over = await canvas.run_import(small, **DIFF, change_threshold="10")
        assert over["diffing_threshold_exceeded"] is True
        assert _enrollment(made, "S1", "U1").workflow_state == "active"
        after = await canvas.run_import(roster(enrollments=ENROLLMENTS + "C2,S2,U2,student,active\n"), **DIFF)
        assert after["data"]["diffed_against_sis_batch_id"] == first["id"]

    talk(made, story)


def test_a_row_that_failed_is_not_retried_until_a_remaster() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        text = ENROLLMENTS + "C2,S2,U3,student,active\n"
        await canvas.run_import(roster(enrollments=text), **DIFF)
        users = USERS + "U3,cat,Cat Three,,active\n"
        second = await canvas.run_import(roster(enrollments=text, users=users), **DIFF)
        assert second["data"]["counts"]["enrollments"] == 0
        third = await canvas.run_import(
            roster(enrollments=text, users=users), **DIFF, diffing_remaster_data_set="1"
        )
        assert third["workflow_state"] == "imported"
        assert _enrollment(made, "S2", "U3").workflow_state == "active"

    talk(made, story)


def test_a_waiting_import_can_be_aborted_and_an_ended_one_cannot() -> None:
    made = world(populated=False)
    made.settings.import_delay = 0.05

    async def story(canvas: Canvas) -> None:
        job = (await canvas.post_import(roster())).body
        headers = {"Authorization": f"Bearer {made.token}"}
        url = f"{canvas.base}/accounts/self/sis_imports/{job['id']}/abort"
        async with canvas.session.put(url, headers=headers) as answer:
            assert (await answer.json())["workflow_state"] == "aborted"
        async with canvas.session.put(url, headers=headers) as answer:
            assert answer.status == 404
        assert made.courses == {}

    talk(made, story)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("user_id,login_id,status", "user"),
        ("section_id,user_id,role,status", "enrollment"),
        # The trap of the recognition by headers: a name column makes sections of enrollments.
        ("section_id,user_id,role,status,name", "section"),
        ("course_id,short_name,long_name", "course"),
        ("xlist_course_id,section_id,status", "xlist"),
        ("existing_user_id,user_id,login_id", "login"),
        ("colour", None),
    ],
)
def test_files_are_recognised_by_their_headers(header: str, kind: str | None) -> None:
    assert kind_of(frozenset(header.split(","))) == kind


_ROWS = st.dictionaries(st.text("abc", min_size=1, max_size=2), st.sampled_from(["x", "y", None]), max_size=6)


@settings(max_examples=200, deadline=None)
@given(before=_ROWS, now=_ROWS)
def test_applying_a_diff_gives_the_new_file(
    before: dict[str, str | None], now: dict[str, str | None]
) -> None:
    def table(rows: dict[str, str | None]) -> Table:
        made = Table("user", "users.csv", ("user_id", "name", "status"))
        made.rows = [(at, (key, name, "active")) for at, (key, name) in enumerate(rows.items(), 2)]
        return made

    def found(tables: list[Table]) -> list[dict[str, str | None]]:
        return [one.row(fields) for one in tables for _, fields in one.rows]

    state = dict(before)
    made = diff_tables([table(before)], [table(now)], drop_status="deleted", user_remove_status="deleted")
    for row in found(made):
        key = row["user_id"] or ""
        if row["status"] == "deleted":
            del state[key]
        else:
            state[key] = row["name"]
    assert state == now
    untouched = {key for key in before if key in now and before[key] == now[key]}
    assert not untouched & {row["user_id"] for row in found(made)}
