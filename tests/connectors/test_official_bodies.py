"""Every body sent over OneRoster 1.2 is valid by the official OpenAPI files (`GRADESYNC_ONEROSTER_SPECS`).

Without the files these tests are skipped, and the skip's reason says that nothing was judged.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.oneroster.bodies import Bodies
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.profile import OMITTABLE, POST, PROFILES, PUT, SisProfile
from gradesync.sandbox.server import Sandbox
from tests import openapi
from tests.connectors.badly_served import Town
from tests.connectors.meddler import Ask

NEWER = [profile for profile in PROFILES.values() if profile.version == "1.2"]
ROOT = "https://sis.example/ims/oneroster"
IDS = st.text(min_size=1, max_size=30)
MOMENTS = st.integers(10**9, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
NUMBERS = st.decimals(min_value=-1000, max_value=100_000, places=4)

ITEMS = st.builds(
    LineItem,
    id=IDS,
    title=st.text(min_size=1, max_size=60),
    class_id=IDS,
    category_id=IDS,
    period_id=st.none() | IDS,
    assign_date=MOMENTS,
    due_date=MOMENTS,
    minimum=st.none() | NUMBERS,
    maximum=st.none() | NUMBERS,
    school_id=IDS,
)
RESULTS = st.builds(
    Result,
    id=IDS,
    line_item_id=IDS,
    student_id=IDS,
    score=st.none() | NUMBERS,
    status=st.sampled_from(["exempt", "fully graded", "not submitted", "partially graded", "submitted"]),
    score_date=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    class_id=st.none() | IDS,
    text=st.none() | st.text(min_size=1, max_size=5),
    late=st.booleans(),
    missing=st.booleans(),
)


def bodies(profile: SisProfile) -> Bodies:
    now = datetime(2026, 11, 23, 12, 30, 0, 5, tzinfo=UTC)
    return Bodies(f"{ROOT}/rostering/v1p2", f"{ROOT}/gradebook/v1p2", profile, lambda: now)


@pytest.mark.parametrize("profile", NEWER, ids=lambda one: one.name)
def test_every_line_item_is_valid(profile: SisProfile) -> None:
    spec = openapi.load("gradebook")

    @given(ITEMS)
    def judged(item: LineItem) -> None:
        put = json.loads(bodies(profile).line_item(item))
        assert spec.problems("PUT", "/lineItems/{sourcedId}", put) == []
        post = json.loads(bodies(profile).line_items(item))
        assert spec.problems("POST", "/classes/{classSourcedId}/lineItems", post) == []

    judged()


@pytest.mark.parametrize("profile", NEWER, ids=lambda one: one.name)
def test_every_result_is_valid(profile: SisProfile) -> None:
    spec = openapi.load("gradebook")

    @given(RESULTS)
    def judged(result: Result) -> None:
        put = json.loads(bodies(profile).result(result))
        assert spec.problems("PUT", "/results/{sourcedId}", put) == []
        post = json.loads(bodies(profile).results(result))
        assert spec.problems("POST", "/lineItems/{lineItemSourcedId}/results", post) == []

    judged()


def test_the_judge_is_awake() -> None:
    """A body of 1.1 and a bare boolean are what the official files refuse."""
    spec = openapi.load("gradebook")
    older = bodies(PROFILES["oneroster-1.1"])
    item = json.loads(older.line_item(SAMPLE_ITEM))
    assert any("school" in one for one in spec.problems("PUT", "/lineItems/{sourcedId}", item))
    result: dict[str, Any] = json.loads(bodies(PROFILES["oneroster-1.2"]).result(SAMPLE_RESULT))
    result["result"]["late"] = True
    assert spec.problems("PUT", "/results/{sourcedId}", result) != []


SAMPLE_ITEM = LineItem(
    "li", "Essay", "c", "cat", "mp", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC),
    Decimal(0), Decimal(10), "s",
)  # fmt: skip
SAMPLE_RESULT = Result("r", "li", "p", Decimal("9.5"), "fully graded", date(2026, 11, 2), "c", "A", late=True)


@pytest.mark.parametrize("mode", [PUT, POST])
def test_a_whole_passback_sends_nothing_invalid(sandbox: Sandbox, mode: str) -> None:
    spec = openapi.load("gradebook")
    town = Town(sandbox, replace(PROFILES["oneroster-1.2"], write_mode=mode))
    judged: list[str] = []

    async def before(ask: Ask) -> None:
        if ask.writes:
            path = ask.request.raw_path.partition("/gradebook/v1p2")[2]
            judged.extend([f"{ask.method} {path}", *spec.problems(ask.method, path, json.loads(ask.body))])

    town.meddler.before = before
    town.run()
    assert all(one.startswith(("PUT /", "POST /")) for one in judged), judged
    assert len(judged) == len(town.classes) * 8


# -- without the files ------------------------------------------------------------------------------------------------


def sent(profile: SisProfile, record: LineItem | Result) -> dict[str, Any]:
    made = bodies(profile)
    raw = made.line_item(record) if isinstance(record, LineItem) else made.result(record)
    (inner,) = json.loads(raw).values()
    assert isinstance(inner, dict)
    return inner


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda one: one.name)
def test_flags_are_words_and_go_only_where_they_are_known(profile: SisProfile) -> None:
    newer = profile.version == "1.2"
    body = sent(profile, SAMPLE_RESULT)
    assert (body.get("late"), body.get("missing")) == (("true", "false") if newer else (None, None))
    assert ("textScore" in body, "class" in body) == (newer, newer)
    assert ("school" in sent(profile, SAMPLE_ITEM)) is newer


@pytest.mark.parametrize("name", OMITTABLE)
def test_a_field_to_be_left_out_is_in_no_body(name: str) -> None:
    profile = replace(PROFILES["oneroster-1.2"], omit=(name,), school_required=False)
    item, result = sent(profile, SAMPLE_ITEM), sent(profile, SAMPLE_RESULT)
    assert name not in result
    assert (name in item) is (name == "class")


def test_a_vendors_own_1_1_may_have_flags_and_a_school() -> None:
    profile = replace(PROFILES["genesis"], sends_late=True, can_flag_missing=True, school_required=True)
    assert (sent(profile, SAMPLE_RESULT)["late"], sent(profile, SAMPLE_RESULT)["missing"]) == (
        "true",
        "false",
    )
    assert sent(profile, SAMPLE_ITEM)["school"]["sourcedId"] == "s"


def test_a_record_without_an_id_is_otherwise_whole() -> None:
    made = bodies(PROFILES["genesis"])
    with_id, without = (json.loads(made.result(SAMPLE_RESULT, named=n))["result"] for n in (True, False))
    assert {"sourcedId": "r", **without} == with_id
