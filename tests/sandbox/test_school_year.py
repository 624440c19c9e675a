"""A school year in the sandbox's SIS: reproducible, consistent after every act, and repairable after an accident."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from gradesync.errors import UsageProblem
from gradesync.sandbox.accidents import ACCIDENTS, Accident
from gradesync.sandbox.generate import generate
from gradesync.sandbox.school_year import YEAR_ACTS, SchoolYear
from gradesync.sandbox.server import running
from gradesync.sandbox.sis_world import SisWorld

FIRST = date(2026, 8, 26)


@pytest.fixture
def world() -> SisWorld:
    return SisWorld(generate("riverside", students=60, seed=1, today=FIRST))


def sound(world: SisWorld) -> None:
    """All that points somewhere points at something that is there, and the indexes agree with the rows."""
    rows = world.rows
    for seat in rows["enrollments"].values():
        if seat["status"] == "active":
            assert seat["user"]["sourcedId"] in rows["users"], seat
            assert seat["class"]["sourcedId"] in rows["classes"], seat
            assert seat.get("beginDate", "") < seat.get("endDate", "9999"), seat
    for row in rows["classes"].values():
        assert row["course"]["sourcedId"] in rows["courses"]
        assert {term["sourcedId"] for term in row["terms"]} <= rows["academicSessions"].keys()
    found = [one for user_id in rows["users"] for one in world.found("enrollments/user", user_id)]
    assert len(found) == len(rows["enrollments"])


@pytest.mark.parametrize("act", YEAR_ACTS)
def test_every_act_leaves_a_sound_school(act: str, world: SisWorld) -> None:
    year = SchoolYear(world)
    year.act("withdraw-student")
    year.act("drop-class", 3)
    year.act("add-guardian")
    sound(world)
    before = facts(world)
    year.act(act)
    sound(world)
    if act not in ("roll-over", "archive"):
        assert facts(world) != before


def test_a_year_runs_through_every_kind_of_change_and_stays_sound(world: SisWorld) -> None:
    year = SchoolYear(world)
    done = Counter(year.advance(date(2027, 6, 30)))
    sound(world)
    done.update(year.advance(date(2027, 9, 3)))
    sound(world)
    assert {*YEAR_ACTS} - {"archive"} <= done.keys()
    assert year.day == date(2027, 9, 3)
    assert {row["schoolYear"] for row in world.rows["academicSessions"].values()} == {"2028"}


def test_a_year_does_not_run_backwards_and_knows_its_acts(world: SisWorld) -> None:
    with pytest.raises(UsageProblem, match="backwards"):
        SchoolYear(world).advance(date(2026, 8, 1))
    with pytest.raises(UsageProblem, match="no registrar"):
        SchoolYear(world).act("juggle")
    with pytest.raises(UsageProblem, match="no export"):
        Accident(world, "juggle")


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_changes_what_the_sis_says_and_a_repair_brings_it_all_back(
    name: str, world: SisWorld
) -> None:
    before = facts(world)
    accident = Accident(world, name)
    assert facts(world) != before
    accident.repair()
    assert facts(world) == before
    sound(world)


def test_days_and_accidents_are_ordered_over_http_and_wrong_orders_are_refused() -> None:
    with running(("riverside",), students=24, today=FIRST) as sandbox:

        def ask(method: str, path: str, **body: Any) -> tuple[int, Any]:
            request = Request(f"{sandbox.url}/_sandbox/{path}", json.dumps(body).encode(), method=method)
            try:
                with urlopen(request) as answer:
                    return answer.status, json.load(answer)
            except HTTPError as refused:
                return refused.code, json.load(refused)

        status, answer = ask("POST", "year/riverside", until="2026-09-04", seed=4)
        assert (status, answer["day"]) == (200, "2026-09-04")
        assert sum(answer["done"].values()) > 5
        world = sandbox.schools["riverside"].sis
        before = facts(world)
        assert ask("POST", "accident/riverside", name="school-missing")[0] == 200
        assert ask("POST", "accident/riverside", name="no-enrollments")[0] == 200
        assert facts(world) != before
        assert ask("DELETE", "accident/riverside")[0] == 200
        assert facts(world) == before
        for path in ("year/atlantis", "accident/atlantis"):
            assert ask("POST", path, name="nothing", act="marry")[0] == 404
        for wrong in ({"until": "2026-01-01"}, {"until": "soon"}, {"act": "juggle"}, {}):
            assert ask("POST", "year/riverside", **wrong)[0] == 400
        assert ask("POST", "accident/riverside", name="juggle")[0] == 400


def test_every_act_and_every_accident_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert [name for name in (*YEAR_ACTS, *ACCIDENTS) if f"`{name}`" not in page] == []


def facts(world: SisWorld) -> dict[str, Any]:
    """All rows without the stamps of their last change."""
    return {
        kind: {one: json.dumps({**row, "dateLastModified": ""}, sort_keys=True) for one, row in rows.items()}
        for kind, rows in world.rows.items()
    }
