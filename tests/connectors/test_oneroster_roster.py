"""A roster over real HTTP, from servers that show it in every way but the usual one: whole, or not at all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gradesync.connectors.auth import ClientCredentials
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import OneRosterReader
from gradesync.connectors.spool import DiskSpool, ListIntake
from gradesync.domain.account import RosterMapping
from gradesync.domain.profile import PROFILES, SisProfile
from gradesync.domain.roster import Roster
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterIntake
from gradesync.sandbox.server import Sandbox
from gradesync.sandbox.sis_behaviour import SisBehaviour, take_manner
from gradesync.sandbox.sis_world import SisWorld
from tests.connectors.conftest import KEY, PROFILE
from tests.connectors.hostile import Answer, Hostile, Sleeps, client_of, hostile

VERSIONS = [PROFILES["genesis"], PROFILES["oneroster-1.2"]]
KINDS = ("orgs", "sessions", "courses", "classes", "users", "enrollments")


def quiet(_done: int, _total: int | None) -> None:
    """Nobody watches."""


def world_of(sandbox: Sandbox) -> SisWorld:
    return sandbox.schools[KEY].sis


async def read_into(
    sandbox: Sandbox, profile: SisProfile, intake: RosterIntake, mapping: RosterMapping | None = None
) -> frozenset[str]:
    """Read the roster; answers what its views could not show."""
    root, desk = sandbox.sis_url(KEY), world_of(sandbox).desk
    auth = ClientCredentials(f"{root}/token", desk.client_id, desk.client_secret, profile.read_scopes)
    url = root + profile.rostering_path
    async with HttpClient(url, side="sis", auth=auth, sleep=Sleeps()) as client:
        reader = OneRosterReader(client, profile, mapping=mapping)
        await reader.read_roster(quiet, intake)
        return reader.hidden()


def read(sandbox: Sandbox, profile: SisProfile = PROFILE) -> Roster:
    intake = ListIntake()
    asyncio.run(read_into(sandbox, profile, intake))
    return intake.roster()


def same(one: Roster, other: Roster) -> bool:
    """Equal row by row. Views differ in the order in which they show rows, and who has no class may be in none."""
    return all(sorted(_rows(one, kind), key=repr) == sorted(_rows(other, kind), key=repr) for kind in KINDS)


def _rows(roster: Roster, kind: str) -> list[Any]:
    if kind != "users":
        return list(getattr(roster, kind))
    seated = {one.user_id for one in roster.enrollments}
    return [one for one in roster.users if one.role != "aide" or one.id in seated]


def manner(sandbox: Sandbox, *names: str) -> SisBehaviour:
    behaviour = world_of(sandbox).behaviour
    for name in names:
        take_manner(behaviour, name)
    return behaviour


def asked(sandbox: Sandbox) -> list[str]:
    """The paths the SIS was asked for below its API, ids left out."""
    paths = [one.path for one in sandbox.requests if one.side == "sis"]
    return [path.partition("/v1p1")[2] or path.partition("/v1p2")[2] for path in paths]


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
@pytest.mark.parametrize(
    "names",
    [
        ("sis-clamps",),
        ("sis-clamps", "sis-refuses-sorting"),
        ("sis-duplicates", "sis-clamps"),
        ("sis-foreign-links", "sis-half-pages"),
        ("sis-relative-links",),
        ("sis-wrong-envelope",),
        ("sis-schools-only",),
        ("sis-schools-only", "sis-clamps"),
        ("sis-caps",),
        ("sis-ignores-filters",),
        ("sis-ignores-fields",),
        ("sis-refuses-fields",),
        ("sis-refuses-fields", "sis-refuses-sorting"),
        ("sis-counts-pages",),
        ("sis-half-pages",),
        ("sis-hides-deleted",),
    ],
    ids=lambda names: "+".join(names),
)
def test_the_roster_is_the_same_however_it_is_shown(
    sandbox: Sandbox, profile: SisProfile, names: tuple[str, ...]
) -> None:
    usual = read(sandbox, profile)
    assert len(usual.enrollments) > 200
    manner(sandbox, *names)
    found = read(sandbox, profile)
    assert same(found, usual)
    assert len({one.id for one in found.enrollments}) == len(found.enrollments)
    assert len({one.id for one in found.users}) == len(found.users)


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
def test_class_by_class_all_enrollments_come_and_everybody_who_sits_in_a_class(
    sandbox: Sandbox, profile: SisProfile
) -> None:
    world, usual = world_of(sandbox), read(sandbox, profile)
    manner(sandbox, "sis-classes-only")
    found = read(sandbox, profile)
    assert sorted(found.enrollments) == sorted(usual.enrollments)
    assert sorted(found.classes, key=repr) == sorted(usual.classes, key=repr)
    sitting = {
        row["user"]["sourcedId"] for row in world.rows["enrollments"].values() if world.is_current(row)
    }
    assert sitting <= {one.id for one in found.users}
    assert set(found.users) <= set(usual.users)


def test_staff_in_no_view_of_people_are_asked_for_by_name_and_nobody_else_is() -> None:
    seat = {"class": reference("c1"), "status": "active"}
    enrollments = [
        {"sourcedId": "e1", "role": "teacher", "user": reference("principal"), **seat},
        {"sourcedId": "e2", "role": "teacher", "user": reference("left"), **seat},
        {"sourcedId": "e3", "role": "student", "user": reference("leaver"), **seat},
        {"sourcedId": "e4", "role": "aide", "user": reference("aide"), **seat},
        {"sourcedId": "e5", "role": "student", "user": reference("p"), **seat},
    ]
    people = {
        f"/users/{name}": {"user": {**PUPIL, "sourcedId": name, "role": role, "metadata": MARK}}
        for name, role in (("principal", "administrator"), ("aide", "aide"))
    }
    found, server = roster_of({**USUAL, "/enrollments": enrollments, "/users": 403, **people})
    assert {(one.id, one.role) for one in found.users} == {
        ("p", "student"), ("principal", "administrator"), ("aide", "aide"),
    }  # fmt: skip
    asked = [one for one in server.seen if one.path.startswith("/users/")]
    assert {one.path for one in asked} == {"/users/principal", "/users/left", "/users/aide"}
    assert all("metadata" not in one.query["fields"] for one in asked)


def test_small_pages_read_at_the_same_time_do_not_mix(sandbox: Sandbox) -> None:
    usual = read(sandbox)
    behaviour = manner(sandbox, "sis-schools-only")
    behaviour.page_clamp, behaviour.total_header, behaviour.link_header = 7, False, False
    assert same(read(sandbox), usual)


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
def test_a_server_that_shows_members_alone_gives_who_sits_in_each_class_today(
    sandbox: Sandbox, profile: SisProfile
) -> None:
    world = world_of(sandbox)
    manner(sandbox, "sis-members-only")
    found = read(sandbox, profile)
    wanted = {
        (class_id, role, user["sourcedId"])
        for class_id in world.rows["classes"]
        for role in ("student", "teacher")
        for user in world.people_of_class(class_id, role)
    }
    assert {(one.class_id, one.role, one.user_id) for one in found.enrollments} == wanted
    assert len({one.id for one in found.enrollments}) == len(wanted)
    # The same ids the next night, or every enrollment would look new.
    assert same(read(sandbox, profile), found)


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
@pytest.mark.parametrize(
    ("manners", "hidden"),
    [
        ([], set()),
        (["sis-schools-only"], {"aides by role"}),
        (["sis-members-only"], {"enrollments", "aides", "aides by role"}),
    ],
)
def test_what_the_views_cannot_show_is_told(
    sandbox: Sandbox, profile: SisProfile, manners: list[str], hidden: set[str]
) -> None:
    manner(sandbox, *manners)
    assert asyncio.run(read_into(sandbox, profile, ListIntake())) == hidden


def test_totals_that_count_more_than_is_shown_stop_the_read(sandbox: Sandbox) -> None:
    manner(sandbox, "sis-counts-more")
    with pytest.raises(ConnectionProblem) as caught:
        read(sandbox)
    assert caught.value.code == "GS-602"
    assert "records and shows" in str(caught.value)


def test_a_server_that_repeats_its_first_page_is_not_believed(sandbox: Sandbox) -> None:
    manner(sandbox, "sis-repeats-page")
    with pytest.raises(ConnectionProblem) as caught:
        read(sandbox)
    assert caught.value.code == "GS-599"


def test_rows_removed_while_the_pages_are_read_take_no_other_row_along(sandbox: Sandbox) -> None:
    world = world_of(sandbox)
    before = dict(world.rows["enrollments"])
    manner(sandbox, "sis-removes-rows")
    try:
        found = {one.id for one in read(sandbox).enrollments}
        left = {name for name, row in world.rows["enrollments"].items() if row["status"] == "active"}
        assert 0 < len(before) - len(world.rows["enrollments"]) < 5
        assert left <= found <= set(before)
    finally:
        for row in before.values():
            world.put_row("enrollments", row)


def test_a_view_that_is_refused_is_not_asked_for_again_and_again(sandbox: Sandbox) -> None:
    manner(sandbox, "sis-classes-only")
    sandbox.forget_requests()
    read(sandbox)
    paths = asked(sandbox)
    assert paths.count("/enrollments") == 1
    schools = len([row for row in world_of(sandbox).rows["orgs"].values() if row["type"] == "school"])
    assert len([path for path in paths if re.fullmatch(r"/schools/[^/]+/enrollments", path)]) <= min(
        schools, 3
    )


def test_a_well_behaved_server_is_asked_each_question_once(sandbox: Sandbox) -> None:
    """Besides, whether there is more behind a large page that is said to be all."""
    sandbox.forget_requests()
    read(sandbox)
    assert sorted(asked(sandbox)) == [
        "",
        "/academicSessions",
        "/classes",
        "/courses",
        "/enrollments",
        "/enrollments",
        "/orgs",
        "/students",
        "/teachers",
        "/users",
    ]


# -- privacy -----------------------------------------------------------------------------------------------------------

MARK = "must-not-be-kept"
NEEDED = {
    "orgs": {"sourcedId", "status", "name", "type", "parent"},
    "academicSessions": {
        "sourcedId", "status", "title", "type", "startDate", "endDate", "parent", "schoolYear",
    },
    "courses": {"sourcedId", "status", "title", "courseCode", "org"},
    "classes": {"sourcedId", "status", "title", "classCode", "course", "school", "terms"},
    "users": {
        "sourcedId", "status", "username", "enabledUser", "givenName", "familyName", "role", "roles", "email", "orgs",
    },
    "enrollments": {
        "sourcedId", "status", "role", "user", "class", "school", "primary", "beginDate", "endDate",
    },
}  # fmt: skip
EXTRA = {
    "password": MARK,
    "sms": MARK,
    "phone": MARK,
    "photo": MARK,
    "birthDate": MARK,
    "sex": MARK,
    "demographics": {"race": MARK},
    "userIds": [{"type": "state", "identifier": MARK}],
    "metadata": {"religion": MARK, "medicalConditions": MARK, "studentPhoto": MARK, "homeAddress": MARK},
}


@contextmanager
def laced(world: SisWorld) -> Iterator[None]:
    """Every row of the SIS says something that is nobody's business, in every field that is not needed."""
    before = {kind: dict(world.rows[kind]) for kind in NEEDED}
    for kind, needed in NEEDED.items():
        for name, row in before[kind].items():
            told = {field: MARK for field in row if field not in needed}
            references = {
                field: {**value, "metadata": MARK} for field, value in row.items() if isinstance(value, dict)
            }
            world.rows[kind][name] = {**row, **references, **told, **EXTRA}
    try:
        yield
    finally:
        for kind, rows in before.items():
            world.rows[kind].clear()
            world.rows[kind].update(rows)


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
@pytest.mark.parametrize("names", [("sis-ignores-fields",), ("sis-ignores-fields", "sis-classes-only")])
def test_nothing_but_what_is_needed_reaches_the_spool(
    sandbox: Sandbox, profile: SisProfile, names: tuple[str, ...], tmp_path: Path
) -> None:
    world = world_of(sandbox)
    usual = read(sandbox, profile)
    manner(sandbox, *names)
    with laced(world), (tmp_path / "spool").open("w+b") as file:
        spool = DiskSpool(tmp_path, file)
        asyncio.run(read_into(sandbox, profile, spool))
        found = spool.roster()
        assert MARK not in repr([list(getattr(found, kind)) for kind in KINDS])
        file.flush()
        kept = (tmp_path / "spool").read_bytes()
    assert MARK.encode() not in kept
    assert b"http" not in kept
    assert len(found.enrollments) == len(usual.enrollments)


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
def test_no_field_beyond_the_needed_ones_is_asked_for(sandbox: Sandbox, profile: SisProfile) -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    async def forwarded(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, dict(request.query)))
        kind = request.path.rpartition("/")[2]
        rows: list[dict[str, Any]] = (
            [{"sourcedId": "s", "type": "school", "name": "S"}] if kind == "orgs" else []
        )
        return web.json_response({"x": rows}, headers={"X-Total-Count": str(len(rows))})

    async def run() -> None:
        async with hostile(forwarded) as server, client_of(server) as client:
            await OneRosterReader(client, profile).read_roster(quiet, ListIntake())

    asyncio.run(run())
    kinds = {"students": "users", "teachers": "users", "gradingPeriods": "academicSessions"}
    assert {path for path, _ in seen} >= {"/orgs", "/classes", "/users", "/enrollments"}
    for path, query in seen:
        kind = path.rpartition("/")[2]
        assert set(query["fields"].split(",")) <= NEEDED[kinds.get(kind, kind)]
        assert "demographics" not in path


@pytest.mark.parametrize("profile", VERSIONS, ids=["1.1", "1.2"])
def test_an_account_that_needs_more_of_people_asks_for_that_much_more(
    sandbox: Sandbox, profile: SisProfile
) -> None:
    world = world_of(sandbox)
    student = next(one for one in world.rows["users"].values() if one["role"] == "student")
    before = dict(world.rows["users"])
    adult = {
        **before[student["sourcedId"]],
        "sourcedId": "g-1",
        "role": "guardian",
        "agents": [world.reference("user", student["sourcedId"])],
    }
    more = {"preferredFirstName": "Preferred", "preferredLastName": "Name", "identifier": "4711"}
    world.rows["users"] |= {"g-1": adult, student["sourcedId"]: {**before[student["sourcedId"]], **more}}
    try:
        wanting = RosterMapping(names="preferred", logins="identifier", guardians="observers")
        for mapping in (wanting, RosterMapping()):
            intake = ListIntake()
            asyncio.run(read_into(sandbox, profile, intake, mapping))
            people = {one.id: one for one in intake.roster().users}
            found = people[student["sourcedId"]]
            told = (found.identifier, found.preferred_given_name, found.preferred_family_name)
            if mapping is wanting:
                # 1.1 has no field for preferred names, and this server keeps to the fields it is asked for.
                names = ("Preferred", "Name") if profile.version == "1.2" else ("", "")
                assert told == ("4711", *names)
                assert (people["g-1"].role, people["g-1"].agents) == ("guardian", (student["sourcedId"],))
            else:
                assert told == ("", "", "")
                assert "g-1" not in people
    finally:
        world.rows["users"].clear()
        world.rows["users"].update(before)


def test_guardians_that_are_wanted_and_not_shown_stop_the_read() -> None:
    mapping = RosterMapping(guardians="observers")
    with pytest.raises(ConnectionProblem) as caught:
        roster_of({**USUAL, "/users": 403}, mapping=mapping)
    assert (caught.value.code, "guardians" in str(caught.value)) == ("GS-203", True)


def test_of_the_metadata_of_a_server_that_cannot_leave_it_out_two_names_are_taken() -> None:
    metadata = {"preferredForename": "Pip", "preferredSurname": "Q", "religion": MARK, "studentPhoto": MARK}
    answers = {**USUAL, "/students": [{**PUPIL, "metadata": metadata}]}
    found, server = roster_of(answers, mapping=RosterMapping(names="preferred"))
    assert [(one.preferred_given_name, one.preferred_family_name) for one in found.users] == [("Pip", "Q")]
    assert MARK not in repr(found)
    assert not any("metadata" in one.query.get("fields", "") for one in server.seen)


# -- what is not offered -----------------------------------------------------------------------------------------------


def reference(name: str) -> dict[str, str]:
    return {"sourcedId": name}


SCHOOLS = [{"sourcedId": name, "type": "school", "name": name} for name in ("s1", "s2", "s3", "s4", "s5")]
PUPIL = {"sourcedId": "p", "givenName": "P", "familyName": "Q", "role": "student", "username": "p"}


def a_class(name: str, school: str) -> dict[str, Any]:
    return {
        "sourcedId": name, "title": name, "classCode": name, "course": reference("k"), "school": reference(school),
        "terms": [reference("t")],
    }  # fmt: skip


def table(answers: dict[str, Any], otherwise: int = 404) -> Answer:
    """Answers by whole path: a list is rows, a number a status; a path that is not named is `otherwise`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        found = answers.get(request.path, otherwise)
        if isinstance(found, int):
            return web.json_response({"imsx_description": "no"}, status=found)
        if isinstance(found, dict):
            return web.json_response(found)
        return web.json_response({"rows": found}, headers={"X-Total-Count": str(len(found))})

    return answer


USUAL: dict[str, Any] = {
    "/orgs": SCHOOLS,
    "/academicSessions": [],
    "/gradingPeriods": [],
    "/courses": [],
    "/classes": [a_class("c1", "s1"), a_class("c2", "s2"), a_class("c3", "s3")],
    "/students": [PUPIL],
    "/teachers": [],
    "/users": [],
    "/enrollments": [],
}


def roster_of(
    answers: dict[str, Any], otherwise: int = 404, mapping: RosterMapping | None = None
) -> tuple[Roster, Hostile]:
    async def run() -> tuple[Roster, Hostile]:
        intake = ListIntake()
        async with hostile(table(answers, otherwise)) as server, client_of(server) as client:
            await OneRosterReader(client, PROFILE, mapping=mapping).read_roster(quiet, intake)
        return intake.roster(), server

    return asyncio.run(run())


def refused(answers: dict[str, Any], otherwise: int = 404) -> ConnectionProblem:
    with pytest.raises(ConnectionProblem) as caught:
        roster_of(answers, otherwise)
    return caught.value


@pytest.mark.parametrize(
    ("status", "code"), [(404, "GS-510"), (403, "GS-203"), (405, "GS-510"), (501, "GS-510")]
)
@pytest.mark.parametrize("kind", ["classes", "courses", "students", "enrollments"])
def test_a_kind_that_is_shown_in_no_view_is_named(status: int, code: str, kind: str) -> None:
    problem = refused({**USUAL, f"/{kind}": status}, otherwise=status)
    assert problem.code == code
    assert kind in str(problem)
    assert "neither as a whole nor by school or class" in str(problem)


def test_a_server_that_breaks_says_so_rather_than_that_it_offers_nothing() -> None:
    assert refused({**USUAL, "/enrollments": 500}, otherwise=500).code == "GS-508"


def test_a_school_that_does_not_show_what_its_sisters_show_stops_the_read() -> None:
    shown: dict[str, Any] = {f"/schools/{name}/enrollments": [] for name in ("s1", "s2", "s3", "s5")}
    problem = refused({**USUAL, "/enrollments": 403, **shown})
    assert problem.code == "GS-602"
    assert "for 1 of 5" in str(problem)
    assert "s4" not in str(problem)


def test_a_school_that_shows_half_of_its_rows_is_noticed_though_others_are_read_at_the_same_time() -> None:
    def seats(school: int, count: int) -> list[dict[str, Any]]:
        return [
            {
                "sourcedId": f"{school}-{number}",
                "role": "student",
                "user": reference("p"),
                "class": reference("c1"),
            }
            for number in range(count)
        ]

    shown = {f"/schools/s{school}/enrollments": seats(school, 40) for school in (2, 3, 4, 5)}
    honest = table({**USUAL, "/enrollments": 403, "/schools/s1/enrollments": [], **shown})

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path != "/schools/s4/enrollments":
            return await honest(request)
        rows = seats(4, 40)[:20] if request.query["offset"] == "0" else []
        return web.json_response({"rows": rows}, headers={"X-Total-Count": "40"})

    async def run() -> None:
        async with hostile(answer) as server, client_of(server) as client:
            with pytest.raises(ConnectionProblem) as caught:
                await OneRosterReader(client, PROFILE).read_roster(quiet, ListIntake())
            assert caught.value.code == "GS-602"

    asyncio.run(run())


def test_a_key_without_rights_is_told_so_in_a_district_without_schools() -> None:
    district = {"sourcedId": "d", "type": "district", "name": "D"}
    assert refused({**USUAL, "/orgs": [district], "/courses": 403}).code == "GS-203"


def test_a_class_deleted_meanwhile_has_no_members_but_one_that_hides_them_stops_the_read() -> None:
    answers = {
        **USUAL,
        "/students": 403,
        "/classes/c1/students": [PUPIL],
        "/classes/c2/students": 404,
        "/classes/c3/students": [],
    }
    found, _ = roster_of({**answers, "/classes/c2": 404})
    assert [one.id for one in found.users] == ["p"]
    found, _ = roster_of(
        {**answers, "/classes/c2": {"class": {**a_class("c2", "s2"), "status": "tobedeleted"}}}
    )
    assert [one.id for one in found.users] == ["p"]
    assert refused({**answers, "/classes/c2": {"class": a_class("c2", "s2")}}).code == "GS-602"


def test_a_district_is_its_schools_where_no_other_organisations_are_shown() -> None:
    found, _ = roster_of({**USUAL, "/orgs": 403, "/schools": SCHOOLS})
    assert [one.id for one in found.orgs] == [one["sourcedId"] for one in SCHOOLS]


def test_half_of_the_organisations_are_no_district() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        total = "9" if request.path == "/orgs" else "5"
        shown = SCHOOLS if request.query["offset"] == "0" else []
        return web.json_response({"orgs": shown}, headers={"X-Total-Count": total})

    async def run() -> None:
        async with hostile(answer) as server, client_of(server) as client:
            with pytest.raises(ConnectionProblem) as caught:
                await OneRosterReader(client, PROFILE).identity()
            assert caught.value.code == "GS-602"

    asyncio.run(run())


def test_terms_are_found_where_they_are() -> None:
    dates = {"title": "T", "startDate": "2026-09-01", "endDate": "2027-07-01"}
    term = {"sourcedId": "t", "type": "term", **dates}
    period = {"sourcedId": "g", "type": "gradingPeriod", "parent": reference("t"), **dates}
    by_school = {f"/schools/{one['sourcedId']}/terms": [term] for one in SCHOOLS}
    for answers in (
        {"/terms": [term], "/gradingPeriods": [period]},
        {**by_school, "/gradingPeriods": [period]},
        {**by_school, "/gradingPeriods": 404, "/terms/t/gradingPeriods": [period]},
    ):
        found, _ = roster_of({**USUAL, "/academicSessions": 403, **answers})
        assert sorted(one.id for one in found.sessions) == ["g", "t"]
    found, _ = roster_of({**USUAL, "/academicSessions": [term]})
    assert [one.id for one in found.sessions] == ["t"]


def test_rows_two_schools_show_are_one_row() -> None:
    shown: dict[str, Any] = {f"/schools/{one['sourcedId']}/students": [PUPIL] for one in SCHOOLS}
    found, server = roster_of({**USUAL, "/students": 403, **shown})
    assert [one.id for one in found.users] == ["p"]
    assert len([one for one in server.seen if one.path.endswith("/students")]) == 6


def test_a_collection_that_ends_at_a_round_number_is_looked_for_school_by_school() -> None:
    def seat(number: int) -> dict[str, Any]:
        return {
            "sourcedId": f"e{number}", "role": "student", "user": reference(f"p{number}"), "class": reference("c1"),
        }  # fmt: skip

    whole = [seat(number) for number in range(1100)]
    shown: dict[str, Any] = {f"/schools/{one['sourcedId']}/enrollments": [] for one in SCHOOLS}
    cut = {**USUAL, "/enrollments": whole[:1000]}
    found, _ = roster_of({**cut, **shown, "/schools/s2/enrollments": whole})
    assert sorted(one.id for one in found.enrollments) == sorted(one["sourcedId"] for one in whole)
    # Where nothing narrower is shown, a round number is believed; who sits in a class is no enrollment then.
    members = {
        f"/classes/c{number}/{role}": [PUPIL] for number in (1, 2, 3) for role in ("students", "teachers")
    }
    for more in ({}, members):
        found, _ = roster_of({**cut, **more})
        assert len(found.enrollments) == 1000
    # An end like any other is believed at once.
    _, server = roster_of({**USUAL, "/enrollments": whole, **shown})
    assert not any(one.path.startswith("/schools") for one in server.seen)
