"""Who may mint ids in the SIS, and the bad manners one can ask for by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gradesync.errors import UsageProblem
from gradesync.sandbox.faults import FAULTS
from gradesync.sandbox.server import Sandbox, SandboxSchool, running
from gradesync.sandbox.sis_behaviour import MANNERS, SisBehaviour

from .gradebook_bodies import Place, empty_gradebook, place_of
from .sis_client import Answer, Client, ClientV1P2, call, token


@pytest.fixture
def place(school: SandboxSchool) -> Iterator[Place]:
    empty_gradebook(school)
    yield place_of(school)
    empty_gradebook(school)


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> Answer:
    return call(f"{sandbox.url}/_sandbox/{path}", method, json.dumps(body or {}).encode())


def stand(sandbox: Sandbox, name: str) -> None:
    assert control(sandbox, "POST", "faults", {"name": name}).status == 200


def put_item(sis: Client, place: Place, sourced_id: str = "li-1", **more: Any) -> Answer:
    return sis.put("lineItems", sourced_id, body={"lineItem": place.item(sourced_id, **more)})


def put_result(sis: Client, place: Place, sourced_id: str = "r-1", **more: Any) -> Answer:
    return sis.put("results", sourced_id, body={"result": place.result(sourced_id, **more)})


def test_where_only_post_creates_a_put_changes_what_is_there(
    sandbox: Sandbox, school: SandboxSchool, place: Place
) -> None:
    control(sandbox, "POST", "behaviour/riverside", {"write_mode": "post"})
    new = ClientV1P2(sandbox.sis_url("riverside"), "riverside")
    assert put_item(new, place).status == 404
    body = {"lineItems": [place.item("tmp")]}
    pairs = new.post("classes", place.class_id, "lineItems", body=body).body["sourcedIdPairs"]
    made = pairs[0]["allocatedSourcedId"]
    assert put_item(new, place, made, title="Renamed").status == 201
    assert [row["title"] for row in school.sis.rows["lineItems"].values()] == ["Renamed"]


@pytest.mark.parametrize("version", [Client, ClientV1P2], ids=["1.1", "1.2"])
def test_a_server_that_mints_ids_answers_the_object_under_its_own(
    sandbox: Sandbox, school: SandboxSchool, place: Place, version: type[Client]
) -> None:
    control(sandbox, "POST", "behaviour/riverside", {"write_mode": "server-ids"})
    sis = version(sandbox.sis_url("riverside"), "riverside")
    answer = put_item(sis, place)
    made = answer.body["lineItem"]["sourcedId"]
    assert answer.status == 201
    assert made != "li-1"
    assert sis.get("lineItems", "li-1").status == 404
    again = put_item(sis, place, made, title="Renamed")
    assert (
        again.body["lineItem"]["title"] == sis.get("lineItems", made).body["lineItem"]["title"] == "Renamed"
    )
    result = put_result(sis, place, lineItem={"sourcedId": made})
    assert list(school.sis.rows["results"]) == [result.body["result"]["sourcedId"]]
    without = {name: value for name, value in place.item().items() if name != "sourcedId"}
    assert sis.put("lineItems", "other", body={"lineItem": without}).status == 201


def test_unknown_modes_and_settings_are_refused(sandbox: Sandbox) -> None:
    for body in ({"write_mode": "patch"}, {"error_form": "pdf"}, {"colour": 1}):
        assert control(sandbox, "POST", "behaviour/riverside", body).status == 400
    with pytest.raises(UsageProblem, match="unknown write mode"):
        Sandbox(sis_write="patch")


def test_a_sandbox_can_start_with_manners_and_a_write_mode() -> None:
    with running(
        ("riverside",), students=8, faults=("sis-rounds", "sis-cuts-titles", "slow"), sis_write="post"
    ) as sandbox:
        behaviour = sandbox.schools["riverside"].sis.behaviour
        assert (behaviour.score_decimals, behaviour.title_limit, behaviour.write_mode) == (0, 30, "post")
        assert sandbox.front.faults.standing == ("slow",)


@pytest.mark.parametrize("name", MANNERS)
def test_every_manner_changes_something_and_can_be_taken_back(
    sandbox: Sandbox, school: SandboxSchool, name: str
) -> None:
    stand(sandbox, name)
    assert school.sis.behaviour != SisBehaviour()
    other = next(one for one in MANNERS if one != name)
    control(sandbox, "DELETE", f"faults?name={other}")
    assert school.sis.behaviour != SisBehaviour()
    control(sandbox, "DELETE", f"faults?name={name}")
    assert school.sis.behaviour == SisBehaviour()


def test_a_manner_can_be_that_of_one_district_and_never_that_of_one_request(sandbox: Sandbox) -> None:
    control(sandbox, "POST", "faults", {"name": "sis-rounds", "district": "oak-hill"})
    decimals = [school.sis.behaviour.score_decimals for school in sandbox.schools.values()]
    assert decimals == [None, 0]
    assert control(sandbox, "POST", "faults", {"name": "sis-rounds", "times": 1}).status == 400


def test_stored_nothing_and_said_200(
    sandbox: Sandbox, school: SandboxSchool, sis: Client, place: Place
) -> None:
    stand(sandbox, "sis-stores-nothing")
    assert put_item(sis, place).status == 200
    assert school.sis.rows["lineItems"] == {}
    control(sandbox, "DELETE", "faults")
    put_item(sis, place)
    stand(sandbox, "sis-stores-nothing")
    assert sis.delete("lineItems", "li-1").status == 204
    assert sis.get("lineItems", "li-1").status == 200


def test_stored_under_another_id_and_said_201(sandbox: Sandbox, sis: Client, place: Place) -> None:
    stand(sandbox, "sis-other-id")
    answer = put_item(sis, place)
    assert (answer.status, sis.get("lineItems", "li-1").status) == (201, 404)
    assert sis.get("lineItems", answer.body["lineItem"]["sourcedId"]).status == 200


def test_accepted_rounded_and_cut(sandbox: Sandbox, school: SandboxSchool, sis: Client, place: Place) -> None:
    for name in ("sis-accepts-202", "sis-rounds", "sis-cuts-titles"):
        stand(sandbox, name)
    assert put_item(sis, place, title="A title that is longer than thirty letters").status == 202
    assert put_result(sis, place, score=16.7).status == 202
    assert school.sis.rows["lineItems"]["li-1"]["title"] == "A title that is longer than th"
    assert school.sis.rows["results"]["r-1"]["score"] == 17


@pytest.mark.parametrize("named", [True, False], ids=["named", "derived from the due date"])
def test_a_closed_period_takes_nothing_until_it_is_open_again(
    sandbox: Sandbox, school: SandboxSchool, sis: Client, place: Place, named: bool
) -> None:
    more: dict[str, Any] = {} if named else {"gradingPeriod": None}
    put_item(sis, place, **more)
    stand(sandbox, "sis-closed-period")
    answers = [
        put_item(sis, place, **more),
        put_item(sis, place, "li-2", **more),
        put_result(sis, place),
        sis.delete("lineItems", "li-1"),
    ]
    assert [answer.status for answer in answers] == [422] * 4
    assert all("grading window is closed" in answer.body["imsx_description"] for answer in answers)
    spring: dict[str, Any] = {
        "assignDate": "2027-03-01T12:00:00Z",
        "dueDate": "2027-03-02T12:00:00Z",
        "gradingPeriod": None,
    }
    assert put_item(sis, place, "li-3", **spring).status == 201
    control(sandbox, "DELETE", "faults?name=sis-closed-period")
    assert put_result(sis, place).status == 201


def test_a_locked_line_item_answers_409(
    sandbox: Sandbox, school: SandboxSchool, sis: Client, place: Place
) -> None:
    put_item(sis, place)
    put_result(sis, place)
    control(sandbox, "POST", "behaviour/riverside", {"locked_items": ["li-1"]})
    for answer in (
        put_item(sis, place, title="Other"),
        put_result(sis, place),
        sis.delete("results", "r-1"),
    ):
        assert answer.status == 409
    assert put_item(sis, place, "li-2").status == 201
    control(sandbox, "POST", "behaviour/riverside", {"locked_items": []})
    stand(sandbox, "sis-locked")
    # Some of them, always the same ones.
    first = [put_item(sis, place, f"n-{number}").status for number in range(20)]
    assert set(first) == {201, 409}
    assert [put_item(sis, place, f"n-{number}").status == 409 for number in range(20)] == [
        status == 409 for status in first
    ]


@pytest.mark.parametrize(
    ("name", "kind", "seen"),
    [
        ("sis-html-errors", "text/html", "<html>"),
        ("sis-wrapped-errors", "application/json", "imsx_StatusInfo"),
        ("sis-flat-errors", "application/json", "error"),
        ("sis-empty-errors", "text/plain", ""),
    ],
)
def test_errors_come_in_other_forms(sandbox: Sandbox, sis: Client, name: str, kind: str, seen: str) -> None:
    stand(sandbox, name)
    answer = sis.get("orgs", "none")
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith(kind)
    assert seen in answer.body


def test_a_clamped_server_says_nothing_about_more(sandbox: Sandbox, sis: Client) -> None:
    stand(sandbox, "sis-clamps")
    answer = sis.get("users", limit=5000)
    assert len(answer.body["users"]) == 50
    assert not answer.headers.keys() & {"X-Total-Count", "Link"}


def test_rows_that_shift_while_paging_come_twice_and_none_is_lost(sandbox: Sandbox, sis: Client) -> None:
    stand(sandbox, "sis-duplicates")
    seen: list[str] = []
    while True:
        answer = sis.get("users", limit=20, offset=len(seen))
        seen += [row["sourcedId"] for row in answer.body["users"]]
        if len(seen) >= int(answer.headers["X-Total-Count"]):
            break
    control(sandbox, "DELETE", "faults")
    everyone = {row["sourcedId"] for row in sis.get("users", limit=5000).body["users"]}
    assert set(seen) == everyone
    assert len(seen) > len(everyone)


def test_links_lead_elsewhere_or_nowhere_and_envelopes_have_other_names(
    sandbox: Sandbox, sis: Client
) -> None:
    stand(sandbox, "sis-foreign-links")
    assert "<http://foreign.example/" in sis.get("users").headers["Link"]
    control(sandbox, "DELETE", "faults")
    stand(sandbox, "sis-relative-links")
    assert sis.get("users").headers["Link"].startswith("</riverside/genesis/")
    stand(sandbox, "sis-wrong-envelope")
    assert list(sis.get("teachers").body) == ["teachersList"]


def test_tokens_die_of_work(sandbox: Sandbox, sis: Client) -> None:
    stand(sandbox, "sis-token-dies")
    statuses = [sis.get("orgs", limit=1).status for _ in range(45)]
    assert statuses == [200] * 40 + [401] * 5
    assert Client(sandbox.sis_url("riverside"), "riverside").get("orgs").status == 200


def test_throttling_can_look_like_a_missing_right(sandbox: Sandbox, sis: Client) -> None:
    control(sandbox, "POST", "faults", {"name": "sis-403-throttle", "times": 1})
    answer = sis.get("orgs")
    assert (answer.status, answer.body) == (403, "403 Forbidden Rate Limit\n")
    assert sis.get("orgs").status == 200
    assert "sis-403-throttle" in FAULTS
    wrong = {"name": "sis-403-throttle", "times": 1, "side": "canvas"}
    assert control(sandbox, "POST", "faults", wrong).status == 400


def test_answers_can_be_cut_swollen_or_dripping(
    sandbox: Sandbox, sis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    control(sandbox, "POST", "faults", {"name": "truncated-json", "side": "sis", "times": 1})
    with pytest.raises(ValueError, match="line 1"):
        sis.get("orgs")
    monkeypatch.setattr("gradesync.sandbox.odd_answers._HUGE_BYTES", 300_000)
    control(sandbox, "POST", "faults", {"name": "huge-answer", "side": "sis", "times": 1})
    swollen = sis.get("orgs")
    assert int(swollen.headers.get("Content-Length", 0)) == 0
    assert swollen.body["orgs"]
    monkeypatch.setattr("gradesync.sandbox.odd_answers._LORIS_SECONDS", 0)
    control(sandbox, "POST", "faults", {"name": "slow-loris", "side": "sis", "times": 1})
    assert sis.get("orgs").body == swollen.body


def test_what_is_deleted_softly_stays_listed_as_to_be_deleted(
    sandbox: Sandbox, sis: Client, place: Place
) -> None:
    put_item(sis, place)
    put_result(sis, place)
    stand(sandbox, "sis-soft-deletes")
    assert [sis.delete("lineItems", "li-1").status for _ in range(2)] == [204, 404]
    rows = sis.get("lineItems").body["lineItems"] + sis.get("results").body["results"]
    assert [row["status"] for row in rows] == ["tobedeleted"] * 2
    assert put_result(sis, place).status == 404
    assert put_item(sis, place).status == 200
    assert sis.get("lineItems", "li-1").body["lineItem"]["status"] == "active"


def test_a_server_may_want_credentials_in_one_place_and_a_vendors_header(
    sandbox: Sandbox, school: SandboxSchool, sis: Client
) -> None:
    url, who = sandbox.sis_url("riverside"), (school.sis.client_id, school.sis.client_secret)
    for way, basic in (("basic", True), ("form", False)):
        control(sandbox, "POST", "behaviour/riverside", {"credentials_in": way})
        assert token(url, *who, basic=basic).status == 200
        assert token(url, *who, basic=not basic).status == 401
    control(sandbox, "POST", "behaviour/riverside", {"needs_header": ["X-Vendor-Authorization", "key:word"]})
    assert sis.get("orgs").status == 403
    sis.headers["X-Vendor-Authorization"] = "key:word"
    assert sis.get("orgs").status == 200


def test_what_breaks_by_chance_is_worded_as_the_rest(sandbox: Sandbox, sis: Client) -> None:
    stand(sandbox, "sis-html-errors")
    for name, status in (("server-error", 500), ("throttle", 429)):
        order = {"name": name, "side": "sis", "times": 1, "when": "before"}
        assert control(sandbox, "POST", "faults", order).status == 200
        answer = sis.get("orgs")
        assert (answer.status, answer.headers["Content-Type"][:9]) == (status, "text/html")


@pytest.mark.parametrize(
    ("name", "refused", "shown"),
    [
        ("sis-schools-only", ("enrollments", "students", "classes"), ("schools/{s}/enrollments", "orgs")),
        ("sis-classes-only", ("enrollments", "schools/{s}/students"), ("classes", "classes/{c}/students")),
        ("sis-members-only", ("schools/{s}/classes/{c}/enrollments",), ("classes/{c}/teachers",)),
    ],
)
def test_some_servers_show_a_roster_in_narrow_views_alone(
    sandbox: Sandbox,
    school: SandboxSchool,
    sis: Client,
    name: str,
    refused: tuple[str, ...],
    shown: tuple[str, ...],
) -> None:
    stand(sandbox, name)
    made = school.district.classes[0]
    ids = {"s": made.school_id, "c": made.sourced_id}

    def status(path: str) -> int:
        return sis.get(*(part.format(**ids) for part in path.split("/"))).status

    assert {status(path) for path in refused} == {403}
    assert {status(path) for path in shown} == {200}


def test_pages_end_early_skip_or_repeat_and_totals_lie(sandbox: Sandbox, sis: Client) -> None:
    def ids(offset: int) -> list[str]:
        answer = sis.get("enrollments", limit=50, offset=offset, sort="sourcedId")
        assert answer.status == 200
        return [row["sourcedId"] for row in answer.body["enrollments"]]

    usual = [ids(offset) for offset in (0, 50, 100, 150)]
    total = int(sis.get("enrollments").headers["X-Total-Count"])
    stand(sandbox, "sis-caps")
    assert ids(50) == usual[1]
    assert sis.get("enrollments", offset=100).status == 400
    control(sandbox, "DELETE", "faults")
    stand(sandbox, "sis-half-pages")
    assert [ids(0), ids(50)] == [usual[0], usual[2]]
    assert int(sis.get("enrollments").headers["X-Total-Count"]) == total
    control(sandbox, "DELETE", "faults")
    stand(sandbox, "sis-repeats-page")
    assert ids(100) == usual[0]
    control(sandbox, "DELETE", "faults")
    stand(sandbox, "sis-counts-pages")
    assert sis.get("enrollments").headers["X-Total-Count"] == "50"
    stand(sandbox, "sis-counts-more")
    assert sis.get("enrollments").headers["X-Total-Count"] == str(total + 7)


def test_filters_fields_and_order_can_be_ignored_or_refused(sandbox: Sandbox, sis: Client) -> None:
    everybody = int(sis.get("users").headers["X-Total-Count"])
    asked = {"filter": "role='aide'", "fields": "sourcedId,role"}
    few = sis.get("users", **asked)
    assert 0 < int(few.headers["X-Total-Count"]) < everybody
    assert {len(row) for row in few.body["users"]} == {2}
    stand(sandbox, "sis-ignores-filters")
    stand(sandbox, "sis-ignores-fields")
    deaf = sis.get("users", **asked)
    assert int(deaf.headers["X-Total-Count"]) == everybody
    assert all("metadata" in row or row["role"] != "student" for row in deaf.body["users"])
    stand(sandbox, "sis-refuses-fields")
    assert sis.get("users", fields="sourcedId").status == 400
    stand(sandbox, "sis-refuses-sorting")
    assert sis.get("users", sort="sourcedId").status == 400


def test_deleted_rows_can_be_hidden_and_rows_go_while_pages_are_read(
    sandbox: Sandbox, school: SandboxSchool, sis: Client
) -> None:
    stand(sandbox, "sis-hides-deleted")
    rows = sis.get("enrollments", limit=5000).body["enrollments"]
    assert {row["status"] for row in rows} == {"active"}
    assert len(rows) < len(school.sis.rows["enrollments"])
    before = dict(school.sis.rows["enrollments"])
    stand(sandbox, "sis-removes-rows")
    sis.get("enrollments")
    sis.get("enrollments", offset=50)
    gone = before.keys() - school.sis.rows["enrollments"].keys()
    assert len(gone) == 1
    school.sis.put_row("enrollments", before[gone.pop()])
