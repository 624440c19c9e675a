"""SIS imports of the made-up Canvas beyond the daily upload: batch mode, sticky fields, ties, ids, odd archives."""

from __future__ import annotations

import asyncio
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.sandbox.canvas_import import run_import
from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_world import CanvasWorld

from .canvas_client import Canvas, talk, world, zipped
from .test_canvas_imports import ACCOUNTS, COURSES, ENROLLMENTS, SECTIONS, USERS, _enrollment, roster

TERM = {"batch_mode": "true", "batch_mode_term_id": "sis_term_id:T1"}
HEAD = "course_id,section_id,user_id,role,status\n"


def state_of(made: CanvasWorld, kind: str, sis_id: str) -> str:
    found = made.id_of(kind, sis_id)
    assert found is not None
    kept = made.courses[found] if kind == "course" else made.sections[found]
    return kept.workflow_state


# -- batch mode ------------------------------------------------------------------------------------


def test_batch_mode_removes_within_its_term_what_the_upload_lacks_and_only_its_types() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        other = COURSES + "C3,OLD,Old course,active,SCH1,,\n"
        await canvas.run_import(roster(courses=other))
        fewer = {"courses.csv": COURSES.replace("C1,BIO,Biology,active,SCH1,T1,int-c1\n", "")}
        done = await canvas.run_import(fewer, **TERM)
        assert done["workflow_state"] == "imported"
        assert done["data"]["counts"]["batch_courses_deleted"] == 1
        assert "batch_sections_deleted" not in done["data"]["counts"]
        assert state_of(made, "course", "C1") == "deleted"
        assert state_of(made, "course", "C3") != "deleted"
        # A course takes its enrollments along, and their grades.
        assert _enrollment(made, "S1", "U1").workflow_state == "deleted"
        assert _enrollment(made, "S2", "U1").workflow_state == "active"

    talk(made, story)


def test_batch_mode_spares_what_no_import_has_handled() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        section = made.sections[made.id_of("section", "S1") or 0]
        teacher = made.enroll(made.admin_id, section, "TeacherEnrollment")
        await canvas.run_import({"e.csv": f"{HEAD}C1,S1,U1,student,active\n"}, **TERM)
        assert teacher.workflow_state == "active"
        assert _enrollment(made, "S1", "U2").workflow_state == "deleted"

    talk(made, story)


@pytest.mark.parametrize("status", ["completed", "inactive"])
def test_batch_mode_can_keep_the_grades_of_those_who_left(status: str) -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        await canvas.run_import(
            {"e.csv": f"{HEAD}C1,S1,U1,student,active\n"}, **TERM, batch_mode_enrollment_drop_status=status
        )
        assert _enrollment(made, "S1", "U2").workflow_state == status

    talk(made, story)


def test_over_the_threshold_batch_mode_deletes_nothing_and_says_how_many_it_would_have() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        done = await canvas.run_import(
            {"e.csv": HEAD + "C1,S1,U1,student,active\n"}, **TERM, change_threshold="50"
        )
        assert done["workflow_state"] == "aborted"
        assert (
            done["processing_errors"][0][1]
            == "3 enrollments would be deleted and exceeds the set threshold of 50%"
        )
        assert _enrollment(made, "S1", "U2").workflow_state == "active"

    talk(made, story)


def test_batch_mode_of_many_terms_goes_by_the_uploaded_terms() -> None:
    made = world(populated=False)
    many = {"multi_term_batch_mode": "true", "change_threshold": "90"}

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        none = await canvas.run_import({"e.csv": ENROLLMENTS}, **many)
        assert none["workflow_state"] == "aborted"
        files = {
            "t.csv": "term_id,name,status\nT1,Fall,active\n",
            "e.csv": ENROLLMENTS.replace("C1,S1,U2", "C2,S2,U2"),
        }
        done = await canvas.run_import(files, **many)
        assert done["data"]["counts"]["batch_enrollments_deleted"] == 1
        assert _enrollment(made, "S1", "U2").workflow_state == "deleted"

    talk(made, story)


def test_batch_mode_of_many_terms_without_a_threshold_leaves_a_dead_import_that_blocks_nobody() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        answer = await canvas.post_import(roster(), multi_term_batch_mode="1")
        assert answer.status == 400
        listed = (await canvas.get("/accounts/self/sis_imports")).body["sis_imports"]
        assert [one["workflow_state"] for one in listed] == ["initializing"]
        assert (await canvas.run_import(roster()))["workflow_state"] == "imported"

    talk(made, story)


def test_batch_mode_wins_over_a_data_set_without_a_word() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), diffing_data_set_identifier="year")
        done = await canvas.run_import(roster(), diffing_data_set_identifier="year", **TERM)
        assert "diffed_against_sis_batch_id" not in done["data"]
        assert done["data"]["counts"]["enrollments"] == 4

    talk(made, story)


# -- sticky fields, and what is passed over ----------------------------------------------------------


def test_an_import_can_make_fields_sticky_and_clear_them_and_clearing_wins() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), add_sis_stickiness="1")
        course = made.courses[made.id_of("course", "C1") or 0]
        assert course.sticky == set()
        await canvas.run_import(roster(), add_sis_stickiness="1", override_sis_stickiness="1")
        assert "name" in course.sticky
        renamed = {"courses.csv": COURSES.replace("Biology", "Life")}
        await canvas.run_import(renamed)
        assert course.name == "Biology"
        await canvas.run_import(
            renamed, override_sis_stickiness="1", add_sis_stickiness="1", clear_sis_stickiness="1"
        )
        assert (course.name, course.sticky) == ("Life", set())

    talk(made, story)


def test_a_section_cross_listed_by_hand_is_left_where_it_is() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        section = made.sections[made.id_of("section", "S1") or 0]
        section.sticky.add("course_id")
        done = await canvas.run_import({"x.csv": "xlist_course_id,section_id,status\nC2,S1,active\n"})
        assert done["workflow_state"] == "imported"
        assert section.course_id == made.id_of("course", "C1")

    talk(made, story)


def test_skip_deletes_passes_over_rows_and_diffs_that_delete_and_lets_drops_through() -> None:
    made = world(populated=False)
    diff = {"diffing_data_set_identifier": "y", "diffing_drop_status": "inactive", "skip_deletes": "true"}

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **diff)
        fewer = roster(
            users=USERS.replace("U2,bob,Bob Two,bob@example.edu,active\n", ""),
            enrollments=ENROLLMENTS.replace("C1,S1,U2,student,active\n", ""),
        )
        await canvas.run_import(fewer, **diff)
        login = made.login_by_sis("U2")
        assert login is not None
        assert login.workflow_state == "active"
        assert _enrollment(made, "S1", "U2").workflow_state == "inactive"

    talk(made, story)


def test_people_gone_from_a_diff_can_be_suspended() -> None:
    made = world(populated=False)
    diff = {"diffing_data_set_identifier": "y", "diffing_user_remove_status": "suspended"}

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **diff)
        fewer = USERS.replace("U2,bob,Bob Two,bob@example.edu,active\n", "")
        await canvas.run_import(roster(users=fewer), **diff)
        login = made.login_by_sis("U2")
        assert login is not None
        assert login.workflow_state == "suspended"
        assert _enrollment(made, "S1", "U2").workflow_state == "active"

    talk(made, story)


def test_over_the_row_limit_of_a_diff_the_whole_file_is_applied() -> None:
    made = world(populated=False)
    diff = {"diffing_data_set_identifier": "y", "diff_row_count_threshold": "1"}

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster(), **diff)
        two = ENROLLMENTS.replace("C1,S1,U2,student,active\n", "") + "C2,S2,U2,student,active\n"
        done = await canvas.run_import(roster(enrollments=two), **diff)
        assert done["diffing_threshold_exceeded"] is True
        assert _enrollment(made, "S1", "U2").workflow_state == "active"
        assert _enrollment(made, "S2", "U2").workflow_state == "active"

    talk(made, story)


# -- people, ties and ids ----------------------------------------------------------------------------


def test_an_observer_follows_every_class_of_the_student() -> None:
    made = world(populated=False)
    ties = "observer_id,student_id,status\nO1,U1,{}\n"

    async def story(canvas: Canvas) -> None:
        users = USERS + "O1,olga,Olga Parent,,active\n"
        await canvas.run_import(roster(users=users, ties=ties.format("active")))
        seen = [one for one in made.enrollments.values() if one.type == "ObserverEnrollment"]
        assert len(seen) == 2
        await canvas.run_import({"e.csv": HEAD + "C1,S1,U1,student,inactive\n"})
        assert _enrollment(made, "S1", "O1").workflow_state == "inactive"
        await canvas.run_import({"t.csv": ties.format("deleted")})
        assert {one.workflow_state for one in seen} == {"deleted"}

    talk(made, story)


def test_an_observer_is_enrolled_for_one_student_and_for_another() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        users = USERS + "O1,olga,Olga Parent,,active\n"
        await canvas.run_import(roster(users=users))
        head = "section_id,user_id,role,status,associated_user_id\n"
        await canvas.run_import({"e.csv": head + "S1,O1,observer,active,U1\nS1,O1,observer,active,U2\n"})
        assert sum(one.type == "ObserverEnrollment" for one in made.enrollments.values()) == 2

    talk(made, story)


def test_a_second_login_is_added_and_roles_go_by_number_too() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        logins = "user_id,login_id,existing_user_id\nU1b,ann2,U1\nU9,x,NOBODY\n"
        done = await canvas.run_import(
            {"l.csv": logins, "e.csv": "section_id,user_id,role_id,status\nS2,U2,5,active\n"}
        )
        assert done["data"]["counts"]["logins"] == 1
        first, second = made.login_by_sis("U1"), made.login_by_sis("U1b")
        assert first is not None
        assert second is not None
        assert first.user_id == second.user_id
        assert _enrollment(made, "S2", "U2").type == "TaEnrollment"

    talk(made, story)


def test_an_unknown_way_to_sign_in_skips_the_person() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        head = "user_id,login_id,full_name,status,authentication_provider_id\n"
        done = await canvas.run_import(
            {"u.csv": head + "U1,ann,Ann One,active,saml\nU2,bob,Bob Two,active,canvas\n"}
        )
        assert done["workflow_state"] == "imported_with_messages"
        assert made.login_by_sis("U1") is None
        assert made.login_by_sis("U2") is not None

    talk(made, story)


def test_admins_are_kept_and_taken_away_by_a_diff() -> None:
    made = world(populated=False)
    head = "user_id,account_id,role,status\n"
    diff = {"diffing_data_set_identifier": "y"}

    async def story(canvas: Canvas) -> None:
        both = {"a.csv": f"{head}P1,,AccountAdmin,active\nP1,SCH1,AccountAdmin,active\n"}
        await canvas.run_import(roster() | both, **diff)
        assert len(made.account_admins) == 2
        await canvas.run_import(roster() | {"a.csv": f"{head}P1,SCH1,AccountAdmin,active\n"}, **diff)
        assert len(made.account_admins) == 1

    talk(made, story)


def test_changed_ids_are_known_to_the_other_files_of_the_same_upload() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        before = made.id_of("section", "S1")
        changes = "old_id,new_id,type\nS1,S1x,section\nU1,U1x,user\nNONE,N2,course\nC1,C2,course\nG,H,group\n"
        done = await canvas.run_import(
            {"c.csv": changes, "e.csv": "section_id,user_id,role,status\nS1x,U1x,student,inactive\n"}
        )
        assert made.id_of("section", "S1x") == before
        assert made.id_of("section", "S1") is None
        assert _enrollment(made, "S1x", "U1x").workflow_state == "inactive"
        assert done["data"]["counts"]["warning_count"] == 3

    talk(made, story)


def test_an_account_in_use_cannot_be_deleted() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        await canvas.run_import(roster())
        done = await canvas.run_import({"a.csv": ACCOUNTS.replace("active", "deleted")})
        assert done["workflow_state"] == "imported_with_messages"
        assert made.accounts[made.id_of("account", "SCH1") or 0].workflow_state == "active"

    talk(made, story)


# -- messages, archives, and the way through ---------------------------------------------------------


def test_rows_refused_for_their_form_are_told_before_those_that_name_nobody() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        text = ENROLLMENTS + "C1,S1,NOBODY,student,active\nC1,S1,U1,king,active\n"
        done = await canvas.run_import(roster(enrollments=text))
        path = f"/accounts/self/sis_imports/{done['id']}/errors"
        rows = (await canvas.get(path)).body["sis_import_errors"]
        assert [one["row"] for one in rows] == [7, 6]
        assert rows[1]["row_info"] == "C1,S1,NOBODY,student,active"
        only = (await canvas.get(f"{path}?failure=true")).body["sis_import_errors"]
        assert only == []

    talk(made, story)


def test_an_archive_that_unpacks_to_a_hundred_times_its_size_is_refused() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("users.csv", USERS + ("\n" * 2_000_000))
        headers = {"Authorization": f"Bearer {made.token}", "Content-Type": "application/zip"}
        async with canvas.session.post(
            f"{canvas.base}/accounts/self/sis_imports?extension=zip", data=bomb.getvalue(), headers=headers
        ) as answer:
            posted = await answer.json()
        done = await canvas.ended(posted["id"])
        assert done["workflow_state"] == "failed_with_messages"
        assert made.login_by_sis("U1") is None

    talk(made, story)


def test_an_import_aborted_on_its_way_keeps_what_it_had_applied() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        users = USERS + "".join(f"X{n},x{n},Some Body,,active\n" for n in range(30_000))
        job = (await canvas.post_import(roster(users=users))).body
        while not made.logins or made.login_by_sis("X0") is None:
            assert (await canvas.get(f"/accounts/self/sis_imports/{job['id']}")).status == 200
        headers = {"Authorization": f"Bearer {made.token}"}
        async with canvas.session.put(
            f"{canvas.base}/accounts/self/sis_imports/{job['id']}/abort", headers=headers
        ) as answer:
            assert (await answer.json())["workflow_state"] == "aborted"
        done = await canvas.ended(job["id"])
        assert done["progress"] < 100
        assert made.login_by_sis("X29999") is None
        assert made.enrollments == {}

    talk(made, story)


def test_where_imports_are_switched_off_none_is_taken() -> None:
    made = world(populated=False)
    made.settings.sis_imports = False

    async def story(canvas: Canvas) -> None:
        answer = await canvas.post_import(roster())
        assert (answer.status, answer.body) == (
            403,
            {"errors": ["SIS imports are not enabled for this account"]},
        )

    talk(made, story)


def test_only_rows_that_a_next_upload_may_be_compared_with_are_kept() -> None:
    made = world(populated=False)

    async def story(canvas: Canvas) -> None:
        for number in range(3):
            text = ENROLLMENTS if number != 1 else ENROLLMENTS.replace("C1,S1,U2,student,active\n", "")
            await canvas.run_import(roster(enrollments=text), diffing_data_set_identifier="y")
        await canvas.run_import({"s.csv": SECTIONS})
        assert [one.tables is not None for one in made.imports.values()] == [False, True, True, False]

    talk(made, story)


_SEATS = st.frozensets(
    st.tuples(st.sampled_from(["S1", "S2"]), st.sampled_from(["U1", "U2", "P1"])), min_size=1
)


@settings(max_examples=25, deadline=None)
@given(nights=st.lists(_SEATS, min_size=2, max_size=4), remaster=st.integers(0, 3))
def test_after_every_diffed_night_exactly_the_seats_of_the_file_are_active(
    nights: list[frozenset[tuple[str, str]]], remaster: int
) -> None:
    made = world(populated=False, students=5)

    async def story() -> None:
        for number, seats in enumerate(nights):
            rows = "".join(f"{section},{user},student,active\n" for section, user in sorted(seats))
            files = roster(enrollments="section_id,user_id,role,status\n" + rows)
            for whole in (False, True) if number == remaster else (False,):
                job = SisImport(
                    made.new_id("import"), made.now(), made.admin_id, zipped(files), "zip", "r.zip"
                )
                job.diffing_data_set_identifier, job.diffing_drop_status = "year", "inactive"
                job.diffing_remaster = whole
                made.imports[job.id] = job
                await run_import(made, job)
                assert job.workflow_state == "imported"
            active = {
                (
                    made.sections[one.course_section_id].sis_section_id,
                    made.logins_by_user[one.user_id][0].sis_user_id,
                )
                for one in made.enrollments.values()
                if one.workflow_state == "active"
            }
            assert active == seats

    asyncio.run(story())
