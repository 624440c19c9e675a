"""Reading the roster: tokens, scopes, envelopes, nesting, paging, filters."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gradesync.sandbox.server import Sandbox, SandboxSchool

from .sis_client import Client, call, token


def test_credentials_are_taken_by_header_and_by_form(sandbox: Sandbox) -> None:
    for basic in (True, False):
        root = sandbox.sis_url("oak-hill")
        answer = token(root, "sandbox-id-oak-hill", "sandbox-secret-oak-hill", basic=basic)
        assert answer.status == 200
        assert answer.body["token_type"] == "bearer"
        assert answer.body["expires_in"] == 3600
        assert "gradebook.createput" in answer.body["scope"]


@pytest.mark.parametrize(
    ("secret", "scopes", "status", "error"),
    [("wrong", "roster.readonly", 401, "invalid_client"), (None, "results.createput", 400, "invalid_scope")],
)
def test_wrong_credentials_and_unknown_scopes_get_no_token(
    sandbox: Sandbox, secret: str | None, scopes: str, status: int, error: str
) -> None:
    answer = token(
        sandbox.sis_url("riverside"), "sandbox-id-riverside", secret or "sandbox-secret-riverside", scopes
    )
    assert (answer.status, answer.body["error"]) == (status, error)


def test_a_district_does_not_take_another_districts_token(sandbox: Sandbox, sis: Client) -> None:
    other = sandbox.sis_url("oak-hill") + "/ims/oneroster/v1p1/orgs"
    assert call(other, headers=sis.headers).status == 401


def test_an_ended_token_is_refused(school: SandboxSchool, sis: Client) -> None:
    school.sis.desk.tokens.clear()
    answer = sis.get("orgs")
    assert answer.status == 401
    fields = answer.body["imsx_CodeMinor"]["imsx_codeMinorField"]
    assert [one["imsx_codeMinorFieldValue"] for one in fields] == ["unauthorisedrequest"]
    school.sis.desk.lifetime = timedelta(0)
    try:
        assert Client(sis.api.partition("/ims")[0], "riverside").get("orgs").status == 401
    finally:
        school.sis.desk.lifetime = timedelta(hours=1)


def test_every_call_needs_its_scope(sandbox: Sandbox, school: SandboxSchool) -> None:
    root, class_id = sandbox.sis_url("riverside"), school.district.classes[0].sourced_id
    core = Client(root, "riverside", "roster-core.readonly")
    assert core.get("classes").status == 200
    assert core.get("classes", class_id, "students").status == 403
    assert core.get("results").status == 403
    reader = Client(root, "riverside", "roster.readonly gradebook.readonly")
    assert reader.get("classes", class_id, "students").status == 200
    assert reader.put("lineItems", "x", body={}).status == 403
    assert reader.delete("lineItems", "x").status == 403
    assert reader.get("demographics").status == 403


@pytest.mark.parametrize(
    ("path", "key", "one"),
    [
        ("orgs", "orgs", "org"),
        ("schools", "orgs", "org"),
        ("academicSessions", "academicSessions", "academicSession"),
        ("terms", "academicSessions", "academicSession"),
        ("gradingPeriods", "academicSessions", "academicSession"),
        ("courses", "courses", "course"),
        ("classes", "classes", "class"),
        ("enrollments", "enrollments", "enrollment"),
        ("users", "users", "user"),
        ("students", "users", "user"),
        ("teachers", "users", "user"),
        ("categories", "categories", "category"),
    ],
)
def test_collections_are_named_by_type_and_each_row_can_be_read_alone(
    sis: Client, path: str, key: str, one: str
) -> None:
    answer = sis.get(path, limit=10000)
    assert list(answer.body) == [key]
    rows = answer.body[key]
    assert rows
    assert answer.headers["X-Total-Count"] == str(len(rows))
    for row in rows[:: max(1, len(rows) // 10)]:
        assert row["status"] in ("active", "tobedeleted")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["dateLastModified"])
        assert sis.get(path, row["sourcedId"]).body == {one: row}
    assert sis.get(path, "nobody").status == 404


def test_ids_with_slash_space_plus_and_zeros_are_found_when_encoded(sis: Client) -> None:
    ids = [row["sourcedId"] for row in sis.get("users", limit=10000).body["users"]]
    for mark in "/ +0":
        odd = next(one for one in ids if mark in one)
        assert sis.get("users", odd).body["user"]["sourcedId"] == odd


def test_nested_reads_agree_with_the_district(school: SandboxSchool, sis: Client) -> None:
    district = school.district
    one = district.schools[0].sourced_id
    made = next(c for c in district.classes if c.school_id == one and len(c.term_ids) == 2)
    mine = [e for e in district.enrollments if e.class_id == made.sourced_id]

    def ids(*path: str) -> set[str]:
        (rows,) = sis.get(*path, limit=10000).body.values()
        return {row["sourcedId"] for row in rows}

    assert ids("schools", one, "classes") == {c.sourced_id for c in district.classes if c.school_id == one}
    assert ids("schools", one, "courses") == {c.sourced_id for c in district.courses if c.school_id == one}
    assert ids("schools", one, "enrollments") == {
        e.sourced_id for e in district.enrollments if e.school_id == one
    }
    for role in ("student", "teacher"):
        wanted = {p.sourced_id for p in district.people if p.school_id == one and p.role == role}
        assert ids("schools", one, f"{role}s") == wanted
    assert ids("schools", one, "terms") == {s.sourced_id for s in district.sessions if s.kind == "semester"}
    assert ids("schools", one, "classes", made.sourced_id, "enrollments") == {e.sourced_id for e in mine}
    teachers = {e.person_id for e in mine if e.role == "teacher"}
    assert ids("classes", made.sourced_id, "teachers") == teachers
    assert ids("schools", one, "classes", made.sourced_id, "teachers") == teachers
    assert made.sourced_id in ids("teachers", teachers.pop(), "classes")
    assert made.sourced_id in ids("courses", made.course_id, "classes")
    assert made.sourced_id in ids("terms", made.term_ids[0], "classes")
    student = min(ids("classes", made.sourced_id, "students"))
    assert made.sourced_id in ids("students", student, "classes")
    assert ids("users", student, "classes") == ids("students", student, "classes")


def test_only_who_sits_in_the_class_today_is_its_student(school: SandboxSchool, sis: Client) -> None:
    district, today = school.district, school.district.today
    for row in district.enrollments:
        if row.role != "student":
            continue
        same = [e for e in district.enrollments if (e.person_id, e.class_id) == (row.person_id, row.class_id)]
        current = any(
            e.status == "active"
            and (e.begin is None or e.begin <= today)
            and (e.end is None or today < e.end)
            for e in same
        )
        assert school.sis.is_student_of(row.person_id, row.class_id) == current
    gone = next(e for e in district.enrollments if e.sourced_id in district.ended)
    students = sis.get("classes", gone.class_id, "students").body["users"]
    assert gone.person_id not in {row["sourcedId"] for row in students}


@pytest.mark.parametrize("clamp", [None, 7])
def test_following_the_links_reads_everything_once(
    school: SandboxSchool, sis: Client, clamp: int | None
) -> None:
    school.sis.behaviour.page_clamp = clamp
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 40, "filter": "role='student'"}
    for _ in range(50):
        answer = sis.get("users", **query)
        seen += [row["sourcedId"] for row in answer.body["users"]]
        links = {
            relation: url for url, relation in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])
        }
        assert links.keys() >= {"first", "last"}
        if "next" not in links:
            break
        assert links["next"].startswith(sis.api)
        query = {name: values[0] for name, values in parse_qs(urlsplit(links["next"]).query).items()}
    assert len(seen) == len(set(seen)) == 60


def test_pages_are_a_hundred_long_unless_asked_otherwise(school: SandboxSchool, sis: Client) -> None:
    assert len(sis.get("enrollments").body["enrollments"]) == 100
    assert len(sis.get("enrollments", limit=10000).body["enrollments"]) == len(school.district.enrollments)
    assert sis.get("enrollments", offset=99999).body["enrollments"] == []
    assert sis.get("enrollments", limit=0).status == 400
    school.sis.behaviour.total_header = school.sis.behaviour.link_header = False
    assert not {"Link", "X-Total-Count"} & sis.get("enrollments").headers.keys()


@pytest.mark.parametrize(
    ("begin", "end", "current"),
    [
        ("2026-11-23", "2026-11-24", True),
        ("2026-11-20", "2026-11-23", False),
        ("2026-11-24", "2027-07-01", False),
        (None, None, True),
    ],
)
def test_an_enrollments_end_is_exclusive_and_its_begin_is_not(
    school: SandboxSchool, begin: str | None, end: str | None, current: bool
) -> None:
    dates = {name: day for name, day in (("beginDate", begin), ("endDate", end)) if day is not None}
    assert school.sis.is_current({"status": "active"} | dates) is current


def test_the_last_full_page_has_no_next_link(sis: Client) -> None:
    links = [sis.get("students", limit=30, offset=offset).headers["Link"] for offset in (0, 30)]
    assert ['rel="next"' in link for link in links] == [True, False]
    assert ['rel="prev"' in link for link in links] == [False, True]


def test_a_row_of_another_collection_is_not_found_there(school: SandboxSchool, sis: Client) -> None:
    district = school.district
    teacher = next(p.sourced_id for p in district.people if p.role == "teacher")
    assert sis.get("teachers", teacher).status == 200
    wrong = [
        ("students", teacher),
        ("students", teacher, "classes"),
        ("schools", district.org_id),
        ("schools", district.org_id, "classes"),
        ("gradingPeriods", district.sessions[0].sourced_id),
        ("terms", district.sessions[3].sourced_id),
        ("classes", "nowhere", "students"),
        ("schools", district.schools[0].sourced_id, "classes", "nowhere", "students"),
    ]
    assert [sis.get(*path).status for path in wrong] == [404] * len(wrong)


def test_a_broken_export_reads_as_empty_and_a_proxy_may_bend_links(
    school: SandboxSchool, sis: Client
) -> None:
    school.sis.behaviour.empty_kinds = ("classes",)
    answer = sis.get("classes")
    assert (answer.body, answer.headers["X-Total-Count"]) == ({"classes": []}, "0")
    school.sis.behaviour.link_origin = "http://inside.example"
    assert (
        "<http://inside.example/riverside/genesis/ims/oneroster/v1p1/users?"
        in sis.get("users").headers["Link"]
    )


def test_filters_compare_join_and_reach_into_references(school: SandboxSchool, sis: Client) -> None:
    made = school.district.classes[0]

    def found(kind: str, expression: str) -> list[dict[str, str]]:
        (rows,) = sis.get(kind, filter=expression, limit=10000).body.values()
        return list(rows)

    mine = [e.sourced_id for e in school.district.enrollments if e.class_id == made.sourced_id]
    nested = found("enrollments", f"class.sourcedId='{made.sourced_id}'")
    # Nothing was said about the order, so none is promised.
    assert sorted(row["sourcedId"] for row in nested) == sorted(mine)
    both = found("enrollments", f"class.sourcedId='{made.sourced_id}' AND role='teacher'")
    assert 0 < len(both) < len(mine)
    assert len(found("enrollments", "status='active' OR status='tobedeleted'")) == len(
        school.district.enrollments
    )
    assert found("enrollments", "status!='active'")
    one = school.district.sessions[1].sourced_id
    elsewhere = {c.sourced_id for c in school.district.classes if one not in c.term_ids}
    assert {row["sourcedId"] for row in found("classes", f"terms.sourcedId!='{one}'")} == elsewhere
    assert elsewhere
    assert found("courses", "title~'BIO'")
    assert not found("courses", "title~'astrology'")
    assert len(found("gradingPeriods", "startDate>='2026-07-01' AND startDate<'2027-02-01'")) == 2
    assert found("classes", f"terms.sourcedId='{school.district.sessions[1].sourced_id}'")


def test_a_doubled_quote_stands_for_one(school: SandboxSchool, sis: Client) -> None:
    row = next(iter(school.sis.rows["users"].values()))
    before = row["familyName"]
    row["familyName"] = "O'Sandbox"
    try:
        (found,) = sis.get("users", filter="familyName='O''Sandbox'").body["users"]
        assert found["sourcedId"] == row["sourcedId"]
    finally:
        row["familyName"] = before


@pytest.mark.parametrize(
    "expression",
    [
        "colour='red'",
        "role=student",
        "role='a' AND",
        "role='a' and role='b'",
        "role='a' AND role='b' AND role='c'",
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused(sis: Client, expression: str) -> None:
    answer = sis.get("users", filter=expression)
    assert answer.status == 400
    assert "invalid_filter_field" in str(answer.body)


def test_sorting_and_field_selection(sis: Client) -> None:
    rows = sis.get("classes", sort="title", orderBy="desc", fields="sourcedId,title").body["classes"]
    assert [row["title"] for row in rows] == sorted((row["title"] for row in rows), reverse=True)
    assert all(row.keys() == {"sourcedId", "title"} for row in rows)
    refused = sis.get("classes", fields="sourcedId,colour")
    assert refused.status == 400
    assert "invalid_selection_field" in str(refused.body)


def test_students_carry_metadata_that_a_reader_must_drop(sis: Client) -> None:
    students = sis.get("students").body["users"]
    assert all("homeAddress" in row["metadata"] for row in students)
    assert all(row["enabledUser"] == "true" for row in students)


def test_what_the_standard_does_not_have_is_not_there(school: SandboxSchool, sis: Client) -> None:
    class_id = school.district.classes[0].sourced_id
    assert sis.get("classes", class_id, "categories").status == 404
    assert call(f"{sis.api}/lineItems", "POST", b"{}", sis.headers).status == 405
