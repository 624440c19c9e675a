"""What another tool left in the SIS: real work under its own ids, once, and nothing a SIS would not hold."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from gradesync.errors import NotFound
from gradesync.sandbox.other_tool import sync_with_other_tool
from gradesync.sandbox.remote import other_tool_over_http
from gradesync.sandbox.school import SandboxSchool, open_school
from gradesync.sandbox.server import Sandbox
from gradesync.sandbox.sis_dialect import V1P1
from gradesync.sandbox.sis_rows import API
from gradesync.sandbox.sis_writes import put

from .gradebook_bodies import empty_gradebook


def fresh() -> SandboxSchool:
    base = f"http://127.0.0.1{API}"
    day = date(2026, 11, 23)
    return open_school("riverside", students=60, seed=1, populated=True, today=day, sis_base=base)


def test_flagged_work_and_its_posted_scores_are_there_once() -> None:
    school = fresh()
    counts = sync_with_other_tool(school)
    items, results = school.sis.rows["lineItems"], school.sis.rows["results"]
    assert counts == {"line_items": len(items), "results": len(results)}
    assert counts["line_items"] > 10
    assert counts["results"] > 100
    pairs = Counter((row["lineItem"]["sourcedId"], row["student"]["sourcedId"]) for row in results.values())
    assert set(pairs.values()) == {1}
    names = {one.name for one in school.canvas.assignments.values() if one.post_to_sis}
    assert {row["title"] for row in items.values()} <= names
    assert sync_with_other_tool(school) == {}


def test_everything_it_left_could_have_come_through_the_api() -> None:
    school = fresh()
    sync_with_other_tool(school)
    for kind, word in (("lineItems", "lineItem"), ("results", "result")):
        for sourced_id, row in list(school.sis.rows[kind].items()):
            written = put(school.sis, V1P1, kind, sourced_id, {word: row})
            assert not written.created


def test_a_share_is_the_same_for_the_same_seed() -> None:
    first, second, third = fresh(), fresh(), fresh()
    assert sync_with_other_tool(first, seed=1, share=0.5) == sync_with_other_tool(second, seed=1, share=0.5)
    assert first.sis.rows["lineItems"].keys() == second.sis.rows["lineItems"].keys()
    sync_with_other_tool(third)
    assert len(first.sis.rows["lineItems"]) < len(third.sis.rows["lineItems"])


def test_a_running_sandbox_can_be_filled_from_outside(sandbox: Sandbox) -> None:
    try:
        counts = other_tool_over_http(sandbox.url, "riverside")
        assert counts["riverside"]["line_items"] == len(sandbox.schools["riverside"].sis.rows["lineItems"])
        with pytest.raises(NotFound):
            other_tool_over_http(sandbox.url, "atlantis")
    finally:
        empty_gradebook(sandbox.schools["riverside"])
