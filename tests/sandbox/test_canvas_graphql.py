"""The made-up Canvas's GraphQL and SIS assignments API: defaults, filters, limits, refusals."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from gradesync.sandbox.canvas_records import Assignment, Course
from gradesync.sandbox.canvas_state import MANNERS, CanvasSettings
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.server import running

from .canvas_client import Answer, Canvas, Clock, _read, talk, world


async def post(canvas: Canvas, query: str, **variables: Any) -> Answer:
    url = canvas.base.replace("/api/v1", "/api/graphql")
    body = {"query": query, "variables": variables}
    headers = {"Authorization": f"Bearer {canvas.world.token}"}
    async with canvas.session.post(url, json=body, headers=headers) as answer:
        return await _read(answer)


def ask(made: CanvasWorld, query: str, **variables: Any) -> dict[str, Any]:
    """The whole answer; GraphQL says everything with status 200."""

    async def story(canvas: Canvas) -> dict[str, Any]:
        answer = await post(canvas, query, **variables)
        assert answer.status == 200
        body: dict[str, Any] = answer.body
        return body

    return talk(made, story)


def course_of(made: CanvasWorld) -> Course:
    return next(
        one
        for one in made.courses.values()
        if one.published and len(made.students_of_course(one.id)) > 4 and made.groups_by_course[one.id]
    )


def fresh(made: CanvasWorld, **fields: Any) -> tuple[Course, Assignment, list[int]]:
    """A course with a new assignment, and the students who have a row of it."""
    course = course_of(made)
    group = made.groups_by_course[course.id][0]
    one = made.add_assignment(course.id, group, "Fresh", points_possible=10.0, **fields)
    people = sorted(
        row.user_id for row in made.submissions_by_course[course.id] if row.assignment_id == one.id
    )
    return course, one, people


ROWS = """query($course: ID!, $filter: SubmissionSearchFilterInput, $first: Int, $after: String) {
  course(id: $course) { submissionsConnection(filter: $filter, first: $first, after: $after,
      orderBy: [{field: _id, direction: ascending}]) {
    pageInfo { hasNextPage endCursor } nodes { _id assignment { _id } user { _id } state } } } }"""


def rows(made: CanvasWorld, course: Course, **filters: Any) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    after = None
    while True:
        answer = ask(made, ROWS, course=str(course.id), filter=filters, first=100, after=after)
        page = answer["data"]["course"]["submissionsConnection"]
        found += [(int(n["assignment"]["_id"]), int(n["user"]["_id"]), n["state"]) for n in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def test_unsubmitted_rows_are_left_out_unless_asked_for() -> None:
    made = world()
    course, one, people = fresh(made)
    made.grade(one.id, people[0], 5)
    usual = {row for row in rows(made, course) if row[0] == one.id}
    assert usual == {(one.id, people[0], "graded")}
    both = {row for row in rows(made, course, states=["unsubmitted", "graded"]) if row[0] == one.id}
    assert len(both) == len(people)
    assert rows(made, course, states=["deleted"]) == []


def test_updated_since_sees_what_graded_since_does_not_and_both_are_strict() -> None:
    clock = Clock()
    made = world(clock=clock)
    course, one, people = fresh(made)
    clock.forward(minutes=1)
    made.grade(one.id, people[0], 5)
    clock.forward(minutes=1)
    before = (clock() - timedelta(seconds=30)).isoformat()
    made.clear(one.id, people[0])
    assert rows(made, course, updatedSince=before) == [(one.id, people[0], "graded")]
    assert rows(made, course, gradedSince=before) == []
    assert rows(made, course, updatedSince=clock().isoformat()) == []


def test_rows_of_students_who_left_and_of_unpublished_work_are_not_listed_and_come_back_touched() -> None:
    clock = Clock()
    made = world(clock=clock)
    course, one, people = fresh(made)
    enrollment = made.students_of_course(course.id)[people[0]][0]
    clock.forward(minutes=1)
    since = clock().isoformat()
    clock.forward(minutes=1)
    states = ["unsubmitted", "submitted", "graded"]
    made.set_enrollment_state(enrollment, "deleted")
    if people[0] not in made.students_of_course(course.id):
        assert people[0] not in {row[1] for row in rows(made, course, states=states)}
    made.set_enrollment_state(enrollment, "active")
    assert (one.id, people[0], "unsubmitted") in rows(made, course, states=states, updatedSince=since)
    made.unpublish(one.id)
    assert one.id not in {row[0] for row in rows(made, course, states=states)}


def test_section_ids_are_taken_and_not_applied() -> None:
    made = world()
    course = course_of(made)
    assert rows(made, course, sectionIds=["1"]) == rows(made, course) != []


WORK = "query($course: ID!) { course(id: $course) { assignmentsConnection(first: 100%s) { nodes { _id name } } } }"


def test_without_a_filter_only_work_of_the_current_grading_period_is_listed() -> None:
    made = world()
    course, one, _ = fresh(made)
    periods = made.periods_of(course)
    made.move_due(one.id, periods[0].start_at + timedelta(days=1))

    def listed(filter: str) -> set[str]:
        data = ask(made, WORK % filter, course=str(course.id))["data"]
        return {node["_id"] for node in data["course"]["assignmentsConnection"]["nodes"]}

    assert str(one.id) not in listed("")
    assert str(one.id) in listed(", filter: {gradingPeriodId: null}")
    assert str(one.id) in listed(f', filter: {{gradingPeriodId: "{periods[0].id}"}}')
    assert len(listed(", filter: {gradingPeriodId: null}")) == len(made.live_assignments(course.id))


def test_a_term_lists_its_courses_in_every_state_and_pages_by_offsets() -> None:
    made = world()
    term = made.courses[next(iter(made.courses))].enrollment_term_id
    wanted = [str(one.id) for one in made.courses.values() if one.enrollment_term_id == term]
    query = """query($term: ID!, $after: String) { term(id: $term) { coursesConnection(first: 3, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { _id state } } } }"""
    found: list[str] = []
    states: set[str] = set()
    after = None
    while True:
        page = ask(made, query, term=str(term), after=after)["data"]["term"]["coursesConnection"]
        found += [node["_id"] for node in page["nodes"]]
        states |= {node["state"] for node in page["nodes"]}
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        assert base64.urlsafe_b64decode(after + "==").decode() == str(len(found))
    assert found == wanted
    assert "claimed" in states


def test_pages_are_twenty_by_default_and_a_hundred_at_most() -> None:
    made = world()
    course = max(made.courses.values(), key=lambda one: len(made.submissions_by_course[one.id]))
    group = made.groups_by_course[course.id][0]
    for number in range(30):
        made.add_assignment(course.id, group, f"Extra {number}")
    states = {"states": ["graded", "unsubmitted", "submitted", "pending_review"]}
    for first, expected in ((None, 20), (7, 7), (500, 100)):
        answer = ask(made, ROWS, course=str(course.id), filter=states, first=first)
        assert len(answer["data"]["course"]["submissionsConnection"]["nodes"]) == expected


def test_places_are_found_by_sis_id_and_unknown_ones_are_null() -> None:
    made = world()
    course = course_of(made)
    answer = ask(made, f'{{ course(sisId: "{course.sis_course_id}") {{ _id }} }}')
    assert answer["data"]["course"] == {"_id": str(course.id)}
    assert ask(made, '{ course(id: "999999") { _id } account(id: "1") { name } }')["data"] == {
        "course": None,
        "account": {"name": made.accounts[1].name},
    }


DEEP = "{ course(id: 101) %s }"


def _nested(levels: int) -> str:
    inner = "{ _id }"
    for _ in range(levels):
        inner = f"{{ term {{ coursesConnection(first: 1) {{ nodes {inner} }} }} }}"
    return DEEP % inner


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (_nested(6), "max depth of 15"),
        (
            "{ term(id: 1) { coursesConnection(first: 100) { nodes { "
            "submissionsConnection(first: 100) { nodes { "
            + " ".join(["_id score grade state"] * 10)
            + " } } } } } }",
            "max complexity of 375000",
        ),
        ("{ " + " ".join(f"a{n}: course(id: {n}) {{ _id }}" for n in range(21)) + " }", "max aliases of 20"),
        ("{ " + "course(id: 1) { _id } " * 900 + "}", "tokens"),
        ("{ course(id: 1) { nonsense } }", "nonsense"),
        ("{ course(id: 1) ", "Syntax"),
    ],
)
def test_what_is_too_much_or_wrong_is_refused_with_status_200(query: str, words: str) -> None:
    answer = ask(world(), query)
    assert "data" not in answer
    assert words in answer["errors"][0]["message"]


def test_a_connection_left_out_by_a_variable_costs_nothing() -> None:
    made = world()
    made.settings.max_complexity = 500
    query = """query($all: Boolean!) { term(id: 1) { coursesConnection(first: 20) { nodes { _id
        submissionsConnection(first: 100) @include(if: $all) { nodes { _id } } } } } }"""
    assert "errors" not in ask(made, query, all=False)
    assert "complexity" in ask(made, query, all=True)["errors"][0]["message"]


def test_a_scoped_key_sees_the_root_and_a_site_without_graphql_nothing() -> None:
    made = world()
    made.settings.scoped_key = True
    answer = ask(made, "{ __typename account(id: 1) { name } term(id: 1) { name } }")
    assert answer == {"data": {"__typename": "Query", "account": None, "term": None}}
    made.settings.graphql = False

    async def story(canvas: Canvas) -> int:
        return (await post(canvas, "{ __typename }")).status

    assert talk(made, story) == 404


def test_graphql_drinks_from_the_same_bucket() -> None:
    made = world()
    made.settings.high_water_mark, made.settings.up_front = 40.0, 50.0

    async def story(canvas: Canvas) -> tuple[int, str]:
        answer = await post(canvas, "{ __typename }")
        return answer.status, answer.text

    status, text = talk(made, story)
    assert status == 403
    assert "Rate Limit Exceeded" in text


@pytest.mark.parametrize("name", MANNERS)
def test_a_manner_of_canvas_stands_for_its_district_until_it_is_taken_back(name: str) -> None:
    with running(("riverside", "oak-hill"), students=8, faults=(name,)) as sandbox:
        one, other = (school.canvas for school in sandbox.schools.values())
        assert one.settings == other.settings != CanvasSettings()
        sandbox.front.calm(name)
        assert one.settings == other.settings == CanvasSettings()
        sandbox.front.stand(name, "oak-hill")
        assert one.settings == CanvasSettings() != other.settings


# -- the SIS assignments API ---------------------------------------------------------------------------


def _sis(made: CanvasWorld, path: str) -> Answer:
    async def story(canvas: Canvas) -> Answer:
        return await canvas.get(canvas.base.replace("/api/v1", "/api/sis") + path)

    return talk(made, story)


def test_flagged_work_of_the_account_comes_with_its_sections_and_their_homes() -> None:
    made = world()
    course, one, _ = fresh(made, post_to_sis=True)
    section = next(iter(made.sections_by_course[course.id].values()))
    made.override_section(one.id, section, made.now())
    hidden = made.add_assignment(
        course.id, made.groups_by_course[course.id][0], "Not flagged", post_to_sis=False
    )
    answer = _sis(made, f"/courses/{course.id}/assignments?per_page=100")
    by_id = {row["id"]: row for row in answer.body}
    assert hidden.id not in by_id
    row = by_id[one.id]
    assert row["sections"][0]["origin_course"]["id"] == (section.nonxlist_course_id or course.id)
    assert row["sections"][0]["override"]["override_title"] == section.name
    assert not {"grading_type", "workflow_state", "updated_at"} & set(row)

    async def story(canvas: Canvas) -> list[Any]:
        start = canvas.base.replace("/api/v1", "/api/sis") + "/accounts/self/assignments?per_page=50"
        return await canvas.every(start)

    everything = talk(made, story)
    wanted = [
        work.id
        for place in made.courses.values()
        if place.published
        for work in made.live_assignments(place.id)
        if work.post_to_sis and work.workflow_state == "published"
    ]
    assert [row["id"] for row in everything] == wanted


def test_work_for_single_students_has_no_section_and_names_them_when_asked() -> None:
    made = world()
    course, one, people = fresh(made, post_to_sis=True)
    one.only_visible_to_overrides = True
    made.override_students(one.id, people[:1], made.now())
    path = f"/courses/{course.id}/assignments?per_page=100"
    plain = next(row for row in _sis(made, path).body if row["id"] == one.id)
    assert plain["sections"] == []
    assert "user_overrides" not in plain
    told = _sis(made, path + "&include[]=student_overrides").body
    named = next(row for row in told if row["id"] == one.id)["user_overrides"]
    assert [who["user_id"] for who in named[0]["students"]] == people[:1]


def test_where_it_is_not_enabled_or_the_course_not_published_it_says_so() -> None:
    made = world()
    unpublished = next(one for one in made.courses.values() if not one.published)
    answer = _sis(made, f"/courses/{unpublished.id}/assignments")
    assert (answer.status, answer.body["code"]) == (400, "unpublished_course")
    made.settings.post_grades = False
    answer = _sis(made, "/accounts/self/assignments")
    assert (answer.status, answer.body["code"]) == (400, "not_enabled")
