"""OneRoster 1.2 over the same world as 1.1: valid by the official files, strict, and with creating by POST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradesync.sandbox.server import Sandbox, SandboxSchool
from gradesync.sandbox.sis_dialect import V1P2
from gradesync.sandbox.sis_errors import SisError
from gradesync.sandbox.sis_world import SisWorld
from gradesync.sandbox.sis_writes import put
from tests import openapi

from .gradebook_bodies import Place, empty_gradebook, place_of, reference
from .sis_client import GRADEBOOK_V1P2, ROSTERING_V1P2, Answer, Client, ClientV1P2, call

Body = dict[str, Any]


@pytest.fixture
def place(school: SandboxSchool) -> Iterator[Place]:
    empty_gradebook(school)
    yield place_of(school)
    empty_gradebook(school)


@pytest.fixture
def new(sandbox: Sandbox) -> ClientV1P2:
    """A 1.2 client with every scope."""
    return ClientV1P2(sandbox.sis_url("riverside"), "riverside")


@pytest.fixture
def world(school: SandboxSchool) -> SisWorld:
    """The SIS alone: a school's whole text would drown the example that failed."""
    return school.sis


def put_item(sis: Client, body: Body) -> Answer:
    return sis.put("lineItems", str(body["sourcedId"]), body={"lineItem": body})


def put_result(sis: Client, body: Body) -> Answer:
    return sis.put("results", str(body["sourcedId"]), body={"result": body})


def minor(answer: Answer) -> tuple[int, str]:
    (found,) = answer.body["imsx_CodeMinor"]["imsx_codeMinorField"]
    return answer.status, found["imsx_codeMinorFieldValue"]


def path_values(school: SandboxSchool, place: Place) -> dict[str, str]:
    """An id for every name the official paths use."""
    teacher = school.sis.people_of_class(place.class_id, "teacher")[0]["sourcedId"]
    made = school.sis.rows["classes"][place.class_id]
    return {
        "classSourcedId": place.class_id,
        "schoolSourcedId": place.school_id,
        "courseSourcedId": made["course"]["sourcedId"],
        "termSourcedId": made["terms"][0]["sourcedId"],
        "studentSourcedId": place.students[0],
        "teacherSourcedId": teacher,
        "userSourcedId": teacher,
        "lineItemSourcedId": "li-1",
        "classes": place.class_id,
        "schools": place.school_id,
        "orgs": place.school_id,
        "courses": made["course"]["sourcedId"],
        "terms": made["terms"][0]["sourcedId"],
        "academicSessions": place.period_id,
        "gradingPeriods": place.period_id,
        "enrollments": next(iter(school.sis.rows["enrollments"])),
        "users": teacher,
        "teachers": teacher,
        "students": place.students[0],
        "categories": place.category_id,
        "lineItems": "li-1",
        "results": "r-1",
    }


@pytest.mark.parametrize(
    ("service", "base", "expected"),
    [("rostering", ROSTERING_V1P2, 39), ("gradebook", GRADEBOOK_V1P2, 14)],
)
def test_every_read_of_the_official_file_answers_what_it_describes(
    school: SandboxSchool, place: Place, new: ClientV1P2, service: str, base: str, expected: int
) -> None:
    spec = openapi.load(service)
    put_item(new, place.item())
    put_result(new, place.result(late="true", missing="false", textScore="A"))
    values = path_values(school, place)
    answered = 0
    for method, path in spec.operations():
        collection = path.split("/")[1]
        if method != "GET" or collection.startswith(("assessment", "demographics")):
            continue
        words = [
            values.get(word.strip("{}") if word != "{sourcedId}" else collection, "none")
            if word.startswith("{")
            else word
            for word in path.strip("/").split("/")
        ]
        answer = call(
            "/".join([new.root + base, *(w.replace("/", "%2F").replace(" ", "%20") for w in words)])
            + ("" if path.endswith("{sourcedId}") else "?limit=5000"),
            headers=new.headers,
        )
        assert spec.problems("GET", path, answer.body, "response", answer.status) == [], path
        # The one thing this SIS has none of is a score scale.
        assert answer.status == (404 if path == "/scoreScales/{sourcedId}" else 200), path
        answered += answer.status == 200
    assert answered == expected


def test_writes_and_their_answers_are_what_the_official_file_describes(place: Place, new: ClientV1P2) -> None:
    spec = openapi.load("gradebook")
    item, result = {"lineItem": place.item()}, {"result": place.result(late="false")}
    for path, body in (("/lineItems/li-1", item), ("/results/r-1", result)):
        assert spec.problems("PUT", path, body) == []
        for _ in range(2):
            answer = new.put(*path.strip("/").split("/"), body=body)
            assert spec.problems("PUT", path, answer.body or None, "response", answer.status) == []
    assert spec.problems("POST", "/lineItems/li-1/results", {"results": [place.result("new")]}) == []
    posted = new.post("lineItems", "li-1", "results", body={"results": [place.result("new")]})
    assert spec.problems("POST", "/lineItems/li-1/results", posted.body, "response", posted.status) == []
    gone = new.delete("results", "r-1")
    assert (gone.status, gone.body) == (204, "")


def test_every_refusal_is_the_official_error_object(sandbox: Sandbox, place: Place, new: ClientV1P2) -> None:
    spec = openapi.load("gradebook")
    old = Client(sandbox.sis_url("riverside"), "riverside")
    bad = Client(sandbox.sis_url("riverside"), "riverside")
    bad.headers["Authorization"] = "Bearer none"
    address = f"{new.root}{GRADEBOOK_V1P2}/results"
    refusals = {
        ("GET", "/results", 400): new.get("results", filter="colour='red'"),
        ("GET", "/results/{x}", 404): new.get("results", "none"),
        ("GET", "/results", 401): call(address, headers=bad.headers),
        ("GET", "/results", 403): call(address, headers=old.headers),
        ("PUT", "/results/{x}", 404): put_result(new, place.result()),
        ("PUT", "/results/{x}", 422): put_result(new, {"sourcedId": "r-1", "colour": "red"}),
        ("DELETE", "/results/{x}", 404): new.delete("results", "none"),
        ("GET", "/results", 405): new.post("results", body={"results": []}),
    }
    for (method, path, status), answer in refusals.items():
        assert answer.status == status
        assert spec.problems(method, path, answer.body, "response", status) == []


def test_there_is_no_discovery(new: ClientV1P2) -> None:
    for name in (
        "onerosterv1p2gradebookservice_openapi3_v1p0.json",
        "imsorv1p2_gradebook_openapi3_v1p0.json",
    ):
        answer = call(f"{new.root}{GRADEBOOK_V1P2}/discovery/{name}", headers=new.headers)
        assert minor(answer) == (404, "unknownobject")


def test_both_versions_show_one_world(sis: Client, new: ClientV1P2, place: Place) -> None:
    old_user = sis.get("users", place.students[0]).body["user"]
    new_user = new.get("users", place.students[0]).body["user"]
    assert new_user["roles"] == [{"roleType": "primary", "role": "student", "org": new_user["primaryOrg"]}]
    assert old_user["role"] == "student"
    assert new_user["enabledUser"] == "true"
    assert not new_user.keys() & {"role", "orgs", "password"}
    found = new.get("users", filter="roles.role='student'", limit=10000)
    assert (
        found.headers["X-Total-Count"] == sis.get("users", filter="role='student'").headers["X-Total-Count"]
    )
    assert new.get("users", filter="role='student'").status == 400
    put_item(sis, place.item())
    (seen,) = new.get("classes", place.class_id, "lineItems").body["lineItems"]
    assert seen["school"]["sourcedId"] == place.school_id
    assert ROSTERING_V1P2 in seen["school"]["href"]
    assert GRADEBOOK_V1P2 in seen["category"]["href"]
    assert "school" not in sis.get("lineItems", "li-1").body["lineItem"]


def test_a_result_needs_no_score_and_keeps_its_flags(sis: Client, new: ClientV1P2, place: Place) -> None:
    put_item(new, place.item())
    body = place.result(scoreStatus="not submitted", missing="true", late="false")
    del body["score"]
    assert put_result(new, body).status == 201
    kept = new.get("results", "r-1").body["result"]
    assert (kept["missing"], kept["late"], kept["scoreStatus"]) == ("true", "false", "not submitted")
    assert "score" not in kept
    # 1.1 has no word for it: a number is required there.
    shown = sis.get("classes", place.class_id, "results").body["results"][0]
    assert shown["score"] == 0
    assert not shown.keys() & {"missing", "late"}


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"late": True},
        {"missing": "yes"},
        {"inProgress": 1},
        {"scoreStatus": "fully_graded"},
        {"score": "17"},
        {"textScore": ""},
        {"learningObjectiveSet": [{"source": "case", "learningObjectiveIds": ["x"]}]},
        {"class": reference("class", "HR-001")},
    ],
)
def test_a_result_outside_the_closed_world_of_v1p2_is_refused(
    school: SandboxSchool, new: ClientV1P2, place: Place, change: Body
) -> None:
    put_item(new, place.item())
    assert put_result(new, place.result(**change)).status in (404, 422)
    assert school.sis.rows["results"] == {}


def test_a_word_of_its_own_may_be_a_score_status_in_v1p2_alone(
    sis: Client, new: ClientV1P2, place: Place
) -> None:
    put_item(new, place.item())
    body = place.result(scoreStatus="ext:late-work")
    assert put_result(new, body).status == 201
    assert put_result(sis, body).status == 422


def test_a_line_item_needs_the_school_of_its_class(
    school: SandboxSchool, new: ClientV1P2, place: Place
) -> None:
    without = place.item()
    del without["school"]
    assert minor(put_item(new, without)) == (422, "invaliddata")
    other = reference("org", school.district.org_id)
    assert minor(put_item(new, place.item(school=other))) == (422, "invaliddata")
    assert minor(put_item(new, place.item(school=reference("org", "none")))) == (404, "unknownobject")
    assert minor(put_item(new, place.item(colour="red"))) == (422, "invaliddata")
    bare = place.item()
    for name in ("resultValueMin", "resultValueMax", "gradingPeriod"):
        del bare[name]
    assert put_item(new, bare).status == 201


def test_the_scopes_of_one_version_do_not_open_the_other(sandbox: Sandbox, place: Place) -> None:
    url = sandbox.sis_url("riverside")
    old, new = Client(url, "riverside"), ClientV1P2(url, "riverside")
    swapped = old.headers, new.headers
    new.headers, old.headers = swapped
    assert {old.get("orgs").status, new.get("orgs").status, new.get("lineItems").status} == {403}
    core = ClientV1P2(url, "riverside", "gradebook-core.readonly roster-core.readonly")
    assert core.get("lineItems").status == core.get("classes").status == 200
    assert core.get("classes", place.class_id, "lineItems").status == 403
    assert core.get("classes", place.class_id, "students").status == 403
    putter = ClientV1P2(url, "riverside", "gradebook.createput")
    assert putter.post("classes", place.class_id, "lineItems", body={"lineItems": []}).status == 403


def test_posting_creates_under_ids_of_the_servers_own_every_time(
    school: SandboxSchool, new: ClientV1P2, place: Place
) -> None:
    body = {"lineItems": [place.item("tmp-1"), place.item("tmp-2", title="Quiz")]}
    pairs = new.post("classes", place.class_id, "lineItems", body=body).body["sourcedIdPairs"]
    assert [pair["suppliedSourcedId"] for pair in pairs] == ["tmp-1", "tmp-2"]
    allocated = {pair["allocatedSourcedId"] for pair in pairs}
    assert set(school.sis.rows["lineItems"]) == allocated
    assert new.post("schools", place.school_id, "lineItems", body=body).status == 201
    assert len(school.sis.rows["lineItems"]) == 4
    (first, *_) = allocated
    results = {"results": [place.result("tmp", first)]}
    for path in (
        ("lineItems", first, "results"),
        ("classes", place.class_id, "academicSessions", place.period_id, "results"),
    ):
        assert new.post(*path, body=results).status == 201
    # The same student twice: posting is not idempotent, and this server does not mind.
    assert len(school.sis.results_of_pair(first, place.students[0])) == 2


def test_what_is_posted_to_the_wrong_place_is_refused_as_a_whole(
    school: SandboxSchool, new: ClientV1P2, place: Place
) -> None:
    other = school.district.classes[1].sourced_id
    body = {"lineItems": [place.item("a"), place.item("b", colour="red")]}
    assert new.post("classes", place.class_id, "lineItems", body=body).status == 422
    fine = {"lineItems": [place.item("a")]}
    assert new.post("classes", other, "lineItems", body=fine).status == 422
    assert new.post("classes", "none", "lineItems", body=fine).status == 404
    twins = {"lineItems": [place.item("a"), place.item("a")]}
    assert new.post("classes", place.class_id, "lineItems", body=twins).status == 422
    assert school.sis.rows["lineItems"] == {}
    put_item(new, place.item())
    put_item(new, place.item("li-2"))
    stray = {"results": [place.result("r", "li-2")]}
    assert new.post("lineItems", "li-1", "results", body=stray).status == 422
    term = school.sis.rows["classes"][place.class_id]["terms"][0]["sourcedId"]
    assert new.post("classes", place.class_id, "academicSessions", term, "results", body=stray).status == 422


def test_a_server_may_leave_out_the_pairs_it_could_not_take(
    school: SandboxSchool, new: ClientV1P2, place: Place
) -> None:
    school.sis.behaviour.partial_posts = True
    put_item(new, place.item())
    body = {"results": [place.result("good"), place.result("bad", score="x")]}
    pairs = new.post("lineItems", "li-1", "results", body=body).body["sourcedIdPairs"]
    assert [pair["suppliedSourcedId"] for pair in pairs] == ["good"]
    assert len(school.sis.rows["results"]) == 1


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 400),
    st.floats(0, 200, allow_nan=False),
    st.sampled_from(("", "true", "exempt", "ext:", "ext:own", "active", "2026-11-20", "20261120", "soon")),
    st.sampled_from(("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.000Z", "2026-11-20T12:00:00+01:00")),
    st.sampled_from(({}, [], {"sourcedId": "x"}, {"sourcedId": "001", "type": "org", "more": 1}, ["x"])),
)


_NAMES = st.sampled_from(sorted({*V1P2.fields["lineItems"], *V1P2.fields["results"], "colour"}))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(("lineItems", "results")), drawn=st.lists(st.tuples(_NAMES, _VALUES), max_size=2))
def test_what_the_official_file_calls_invalid_is_refused(
    world: SisWorld, place: Place, kind: str, drawn: list[tuple[str, Any]]
) -> None:
    spec = openapi.load("gradebook")
    for left in ("lineItems", "results"):
        for sourced_id in list(world.rows[left]):
            world.drop_row(left, sourced_id)
    put(world, V1P2, "lineItems", "li-1", {"lineItem": place.item()})
    word, schema = ("lineItem", "LineItemDType") if kind == "lineItems" else ("result", "ResultDType")
    whole = place.item("new") if kind == "lineItems" else place.result("new", late="true", textScore="A")
    changes = dict(drawn)
    body = whole | {"sourcedId": "new"} | {key: value for key, value in changes.items() if key != "sourcedId"}
    invalid = spec.judge(schema, body)
    # What real clients send and this server takes all the same.
    if isinstance(body.get("scoreDate"), str):
        invalid = [
            one for one in invalid if ".scoreDate: is no date" not in one or "T" not in body["scoreDate"]
        ]
    invalid = [one for one in invalid if not one.endswith((".href: missing", ".type: missing"))]
    try:
        put(world, V1P2, kind, "new", {word: body})
    except SisError:
        assert "new" not in world.rows[kind]
        return
    assert invalid == []
    stored = V1P2.show(kind, world.rows[kind]["new"], world.root, world.school_of_class)
    assert spec.judge(schema, stored) == []


def test_categories_of_a_class_are_the_shared_ones_and_its_own(
    school: SandboxSchool, new: ClientV1P2, place: Place
) -> None:
    shared = len(school.district.categories)
    other = school.district.classes[1].sourced_id
    try:
        for name, class_id in (("own", place.class_id), ("foreign", other)):
            row = {"sourcedId": name, "status": "active", "title": name, "metadata": {"classId": class_id}}
            school.sis.put_row("categories", row)
        found = new.get("classes", place.class_id, "categories").body["categories"]
        assert len(found) == shared + 1
        assert "own" in {row["sourcedId"] for row in found}
        assert new.get("classes", place.class_id, "scoreScales").body == {"scoreScales": []}
    finally:
        for name in ("own", "foreign"):
            school.sis.drop_row("categories", name)
