"""Writing the gradebook: what is stored, what is refused and with which code, and how real servers deviate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gradesync.sandbox.server import SandboxSchool

from .sis_client import Answer, Client, call

Body = dict[str, Any]


@pytest.fixture
def class_id(school: SandboxSchool) -> Iterator[str]:
    """A year-long class; its gradebook is empty before and after."""
    yield school.district.classes[0].sourced_id
    for kind in ("results", "lineItems"):
        for sourced_id in list(school.sis.rows[kind]):
            school.sis.drop_row(kind, sourced_id)


@pytest.fixture
def student_id(school: SandboxSchool, class_id: str) -> str:
    return str(school.sis.people_of_class(class_id, "student")[0]["sourcedId"])


@pytest.fixture
def item(school: SandboxSchool, class_id: str) -> Body:
    """A complete line item as a careful client sends it."""
    period = next(s.sourced_id for s in school.district.sessions if s.title == "Marking Period 2")
    return {
        "sourcedId": "li-1",
        "status": "active",
        "title": "Essay",
        "assignDate": "2026-11-20T05:00:00.000Z",
        "dueDate": "2026-11-26T04:59:59.000Z",
        "class": {"sourcedId": class_id, "type": "class", "href": "x"},
        "category": {"sourcedId": school.district.categories[0].sourced_id},
        "gradingPeriod": {"sourcedId": period},
        "resultValueMin": 0,
        "resultValueMax": 20,
    }


@pytest.fixture
def result(student_id: str) -> Body:
    """A result for that line item."""
    return {
        "sourcedId": "r-1",
        "lineItem": {"sourcedId": "li-1"},
        "student": {"sourcedId": student_id},
        "score": 17.5,
        "scoreStatus": "fully graded",
        "scoreDate": "2026-11-22",
    }


def put_item(sis: Client, item: Body) -> Answer:
    return sis.put("lineItems", item["sourcedId"], body={"lineItem": item})


def put_result(sis: Client, result: Body) -> Answer:
    return sis.put("results", result["sourcedId"], body={"result": result})


def refusal(answer: Answer) -> tuple[int, str]:
    assert answer.body["imsx_codeMajor"] == "failure"
    assert answer.body["imsx_description"].startswith("Genesis: ")
    (minor,) = answer.body["imsx_CodeMinor"]["imsx_codeMinorField"]
    return answer.status, minor["imsx_codeMinorFieldValue"]


def test_a_line_item_is_created_replaced_whole_and_read_back(sis: Client, item: Body, class_id: str) -> None:
    assert put_item(sis, item | {"description": "two pages", "colour": "red"}).status == 201
    stored = sis.get("lineItems", "li-1").body["lineItem"]
    assert stored["description"] == "two pages"
    assert "colour" not in stored
    assert stored["class"]["href"].startswith("http://127.0.0.1:")
    assert put_item(sis, item | {"title": "Essay 1"}).status == 200
    (listed,) = sis.get("classes", class_id, "lineItems").body["lineItems"]
    assert (listed["title"], listed["description"]) == ("Essay 1", "")
    assert listed["dueDate"] == item["dueDate"]
    assert listed["gradingPeriod"]["sourcedId"] == item["gradingPeriod"]["sourcedId"]


def test_a_line_item_that_moves_to_another_class_leaves_the_old_one(
    sis: Client, school: SandboxSchool, item: Body, class_id: str
) -> None:
    put_item(sis, item)
    other = next(c for c in school.district.classes[1:] if len(c.term_ids) == 2).sourced_id
    assert put_item(sis, item | {"class": {"sourcedId": other}}).status == 200
    assert sis.get("classes", class_id, "lineItems").body["lineItems"] == []
    assert len(sis.get("classes", other, "lineItems").body["lineItems"]) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"class": {"sourcedId": "nowhere"}}, (404, "unknownobject")),
        ({"category": {"sourcedId": "nothing"}}, (404, "unknownobject")),
        ({"gradingPeriod": {"sourcedId": "never"}}, (404, "unknownobject")),
        ({"gradingPeriod": {"sourcedId": "2026-2027"}}, (404, "unknownobject")),
        ({"category": None}, (422, "invaliddata")),
        ({"title": " "}, (422, "invaliddata")),
        ({"assignDate": "2026-11-27T00:00:00.000Z"}, (422, "invaliddata")),
        ({"dueDate": "soon"}, (422, "invaliddata")),
        ({"resultValueMax": 0}, (422, "invaliddata")),
        ({"resultValueMax": "20"}, (422, "invaliddata")),
        ({"sourcedId": "li-2"}, (422, "invaliddata")),
    ],
)
def test_a_line_item_that_cannot_be_is_refused(
    sis: Client, school: SandboxSchool, item: Body, change: Body, expected: tuple[int, str]
) -> None:
    answer = sis.put("lineItems", "li-1", body={"lineItem": item | change})
    assert refusal(answer) == expected
    assert school.sis.rows["lineItems"] == {}


def test_a_grading_period_outside_the_classes_terms_is_refused(
    sis: Client, school: SandboxSchool, item: Body
) -> None:
    other = next(
        c for c in school.district.classes if c.term_ids == (school.district.sessions[2].sourced_id,)
    )
    assert refusal(put_item(sis, item | {"class": {"sourcedId": other.sourced_id}})) == (422, "invaliddata")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"lineItem": 1}', b'{"lineItem": {"score": NaN}}'])
def test_a_body_that_is_no_line_item_is_refused(sis: Client, body: bytes) -> None:
    answer = call(f"{sis.api}/lineItems/li-1", "PUT", body, sis.headers)
    assert answer.status in (400, 422)
    assert refusal(answer)[1] == "invaliddata"


def test_a_result_is_found_in_every_read_that_should_hold_it(
    sis: Client, item: Body, result: Body, class_id: str, student_id: str
) -> None:
    put_item(sis, item)
    assert put_result(sis, result).status == 201
    (row,) = sis.get("results").body["results"]
    assert sis.get("results", "r-1").body == {"result": row}
    assert (row["score"], row["scoreStatus"], row["scoreDate"]) == (17.5, "fully graded", "2026-11-22")
    assert "comment" not in row
    for path in (
        ("classes", class_id, "results"),
        ("classes", class_id, "lineItems", "li-1", "results"),
        ("classes", class_id, "students", student_id, "results"),
    ):
        assert sis.get(*path).body == {"results": [row]}
    assert sis.get("results", filter="score>'17' AND lineItem.sourcedId='li-1'").body["results"] == [row]
    assert put_result(sis, result | {"score": 3}).status == 200
    assert sis.get("classes", class_id, "results").body["results"][0]["score"] == 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lineItem": {"sourcedId": "li-9"}}, (404, "unknownobject")),
        ({"student": {"sourcedId": "nobody"}}, (404, "unknownobject")),
        ({"score": "17"}, (422, "invaliddata")),
        ({"score": None}, (422, "invaliddata")),
        ({"score": True}, (422, "invaliddata")),
        ({"scoreStatus": "graded"}, (422, "invaliddata")),
        ({"scoreStatus": "fully_graded"}, (422, "invaliddata")),
        ({"scoreDate": "22.11.2026"}, (422, "invaliddata")),
        ({"scoreDate": "2026-02-30"}, (422, "invaliddata")),
    ],
)
def test_a_result_that_cannot_be_is_refused(
    sis: Client, school: SandboxSchool, item: Body, result: Body, change: Body, expected: tuple[int, str]
) -> None:
    put_item(sis, item)
    assert refusal(put_result(sis, result | change)) == expected
    assert school.sis.rows["results"] == {}


def test_only_students_of_the_class_get_results(
    sis: Client, school: SandboxSchool, item: Body, result: Body, class_id: str
) -> None:
    put_item(sis, item)
    inside = {e.person_id for e in school.district.enrollments if e.class_id == class_id}
    other = next(p for p in school.district.people if p.role == "student" and p.sourced_id not in inside)
    teacher = next(p for p in school.district.people if p.role == "teacher")
    stranger = result | {"student": {"sourcedId": other.sourced_id}}
    assert refusal(put_result(sis, stranger)) == (422, "invaliddata")
    staff = result | {"student": {"sourcedId": teacher.sourced_id}}
    assert refusal(put_result(sis, staff)) == (404, "unknownobject")


def test_deleting_a_line_item_takes_its_results_along(
    sis: Client, school: SandboxSchool, item: Body, result: Body
) -> None:
    put_item(sis, item)
    put_result(sis, result)
    assert sis.delete("lineItems", "li-1").status == 204
    assert sis.delete("lineItems", "li-1").status == 404
    assert sis.get("results", "r-1").status == 404
    assert school.sis.results_of_pair("li-1", result["student"]["sourcedId"]) == []


def test_a_category_in_use_cannot_be_deleted(sis: Client, item: Body) -> None:
    assert (
        sis.put("categories", "c/1", body={"category": {"sourcedId": "c/1", "title": "Labs"}}).status == 201
    )
    put_item(sis, item | {"category": {"sourcedId": "c/1"}})
    assert refusal(sis.delete("categories", "c/1")) == (422, "deletefailure")
    sis.delete("lineItems", "li-1")
    assert sis.delete("categories", "c/1").status == 204


def test_two_results_for_one_student_are_kept_unless_the_server_refuses(
    sis: Client, school: SandboxSchool, item: Body, result: Body, student_id: str
) -> None:
    put_item(sis, item)
    put_result(sis, result)
    assert put_result(sis, result | {"sourcedId": "r-2"}).status == 201
    assert len(school.sis.results_of_pair("li-1", student_id)) == 2
    school.sis.behaviour.refuse_duplicates = True
    assert put_result(sis, result | {"sourcedId": "r-3"}).status == 409


def test_servers_deviate_as_they_are_told(
    sis: Client, school: SandboxSchool, item: Body, result: Body
) -> None:
    behaviour = school.sis.behaviour
    behaviour.title_limit, behaviour.dates_at_midnight, behaviour.score_decimals = 3, True, 0
    put_item(sis, item)
    put_result(sis, result)
    stored = sis.get("lineItems", "li-1").body["lineItem"]
    assert (stored["title"], stored["dueDate"]) == ("Ess", "2026-11-26T00:00:00.000Z")
    assert sis.get("results", "r-1").body["result"]["score"] == 18
    behaviour.forget_writes = True
    assert put_result(sis, result | {"score": 1}).status == 200
    assert school.sis.rows["results"]["r-1"]["score"] == 18
    behaviour.forget_writes, behaviour.update_only = False, True
    assert refusal(put_item(sis, item | {"sourcedId": "li-2"})) == (404, "unknownobject")
    behaviour.closed_periods = (item["gradingPeriod"]["sourcedId"],)
    assert refusal(put_item(sis, item)) == (422, "invaliddata")
    assert refusal(put_result(sis, result)) == (422, "invaliddata")


def test_an_inactive_gradebook_refuses_every_call_but_the_roster_stays_readable(
    sis: Client, school: SandboxSchool, item: Body, class_id: str
) -> None:
    school.sis.behaviour.gradebook_inactive = True
    answers = [
        sis.get("categories"),
        sis.get("classes", class_id, "results"),
        put_item(sis, item),
        sis.delete("results", "r-1"),
    ]
    assert [refusal(answer) for answer in answers] == [(403, "forbidden")] * 4
    assert sis.get("classes", class_id, "students").status == 200


def test_an_edit_by_hand_is_seen_by_the_next_read(
    sis: Client, school: SandboxSchool, item: Body, result: Body
) -> None:
    put_item(sis, item)
    put_result(sis, result)
    before = sis.get("results", "r-1").body["result"]["dateLastModified"]
    school.sis.edit_score("r-1", 11)
    after = sis.get("results", "r-1").body["result"]
    assert after["score"] == 11
    assert after["dateLastModified"] >= before
