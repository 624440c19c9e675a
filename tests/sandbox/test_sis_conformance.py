"""The sequence by which a large consumer of OneRoster certifies a SIS, step by step, in its own words.

Its bodies are sent as that consumer sends them: references with only an id, an empty comment, no status, a date-time
where a date is meant.
"""

from __future__ import annotations

from uuid import uuid4

import pytest

from gradesync.sandbox.server import Sandbox, SandboxSchool

from .sis_client import Client, ClientV1P2


@pytest.mark.parametrize("version", [Client, ClientV1P2], ids=["1.1", "1.2"])
def test_the_whole_sequence_passes_unchanged(
    sandbox: Sandbox, school: SandboxSchool, version: type[Client]
) -> None:
    scopes = "roster.readonly gradebook.readonly gradebook.createput gradebook.delete"
    sis = version(sandbox.sis_url("riverside"), "riverside", scopes)
    assert len(sis.get("teachers", limit=1).body["users"]) == 1
    address = next(p.email for p in school.district.people if p.role == "teacher")
    (teacher,) = sis.get("teachers", filter=f"email='{address}'", limit=10000).body["users"]
    assert teacher["email"] == address

    taught = sis.get("teachers", teacher["sourcedId"], "classes", limit=10000, filter="status='active'")
    found = taught.body["classes"][0]
    class_id, term_id = found["sourcedId"], found["terms"][0]["sourcedId"]
    school_id = found["school"]["sourcedId"]
    (again,) = sis.get("classes", filter=f"sourcedId='{class_id}'").body["classes"]
    assert again["terms"]
    students = sis.get("classes", class_id, "students").body["users"]
    assert all(s["email"] and s["sourcedId"] for s in students)
    where = ("categories",) if version is Client else ("classes", class_id, "categories")
    category = sis.get(*where).body["categories"][0]
    periods = sis.get("terms", term_id, "gradingPeriods").body["academicSessions"]
    assert periods
    for period in periods:
        assert period["type"] == "gradingPeriod"
        assert period["title"]
        assert period["startDate"] < period["endDate"]
        assert period["schoolYear"] == "2027"

    refs = {"class": {"sourcedId": class_id}, "school": {"sourcedId": school_id}}
    _write_and_delete(sis, refs, students[0]["sourcedId"], category["sourcedId"])


def _write_and_delete(
    sis: Client, refs: dict[str, dict[str, str]], student_id: str, category_id: str
) -> None:
    class_id = refs["class"]["sourcedId"]
    item_id, result_id = str(uuid4()), str(uuid4())
    item = {
        "sourcedId": item_id,
        "title": "Conformance",
        "description": "made by a test",
        "resultValueMin": 0,
        "resultValueMax": 100,
        "assignDate": "2026-11-20T00:00:00.000Z",
        "dueDate": "2026-11-25T23:59:59.000Z",
        "category": {"sourcedId": category_id},
        **refs,
    }
    assert sis.put("lineItems", item_id, body={"lineItem": item}).status == 201
    listed = sis.get("classes", class_id, "lineItems").body["lineItems"]
    assert [row["category"]["sourcedId"] for row in listed if row["sourcedId"] == item_id] == [category_id]

    item["title"] = "A title of more than eighty characters " * 3
    assert sis.put("lineItems", item_id, body={"lineItem": item}).status in (200, 201)
    stored = sis.get("lineItems", item_id).body["lineItem"]
    assert stored["title"] == item["title"]

    result = {
        "sourcedId": result_id,
        "score": 80,
        "comment": "",
        "scoreStatus": "fully graded",
        "scoreDate": "2026-11-23T10:00:00.000Z",
        "lineItem": {"sourcedId": item_id},
        "student": {"sourcedId": student_id},
    }
    assert sis.put("results", result_id, body={"result": result}).status == 201
    path = ("classes", class_id, "lineItems", item_id, "results")
    assert [row["score"] for row in sis.get(*path).body["results"]] == [80]
    assert sis.put("results", result_id, body={"result": result | {"score": 300}}).status in (200, 201)
    assert [row["score"] for row in sis.get(*path).body["results"]] == [300]
    exempt = result | {"scoreStatus": "exempt"}
    assert sis.put("results", result_id, body={"result": exempt}).status in (200, 201)
    assert [row["scoreStatus"] for row in sis.get(*path).body["results"]] == ["exempt"]
    assert sis.delete("results", result_id).status == 204
    assert sis.get(*path).body["results"] == []
    assert sis.delete("lineItems", item_id).status == 204
