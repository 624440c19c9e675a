"""`compare` over real HTTP: what it says, how it ends, and what it keeps to itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gradesync.sandbox.server import Sandbox
from gradesync.sandbox.sis_edit import edit_sis
from gradesync.sandbox.teach import teach
from tests.cli.conftest import Tree, writes


@pytest.fixture
def carried(live: Tree, sandbox: Sandbox) -> Tree:
    """Riverside's grades carried once."""
    live.run("request", "riverside/grades", "--full")
    live.run("reconcile", code=None)
    sandbox.forget_requests()
    return live


def compared(tree: Tree, *more: str, code: int = 0) -> dict[str, Any]:
    answer = json.loads(tree.run("compare", "riverside/grades", "--format", "json", *more, code=code).stdout)
    assert isinstance(answer, dict)
    return answer


def edited(sandbox: Sandbox) -> dict[str, Any]:
    """A score of the SIS changed by hand."""
    world = sandbox.schools["riverside"].sis
    row = next(iter(world.rows["results"].values()))
    world.edit_score(row["sourcedId"], 1.25)
    return dict(world.rows["results"][row["sourcedId"]])


def test_after_a_run_everything_is_equal_or_withheld_and_the_exit_code_says_so(
    carried: Tree, sandbox: Sandbox
) -> None:
    # Records wait for teachers here, so there is something to do.
    found = compared(carried, "--exit-code", code=3)
    causes = found["causes"]["results"]
    held = len(sandbox.schools["riverside"].sis.rows["results"])
    assert found["equal"]["results"] + causes["rounding"] == held
    assert causes["withheld"] > 0
    assert not any(number for cause, number in causes.items() if cause not in ("withheld", "rounding"))
    assert found["would_write"] == {"results": 0, "line_items": 0}
    assert writes(sandbox) == 0


def test_it_counts_what_needs_a_person_as_the_run_before_it_did(live: Tree) -> None:
    ran = json.loads(live.run("run", "riverside/grades", "--format", "json", code=3).stdout)
    codes = ran["runs"][0]["result"]["codes"] if "runs" in ran else ran["result"]["codes"]
    asked = sum(one["count"] for one in codes if one["act"] in ("person", "bug"))
    assert asked > 0
    assert compared(live)["records_that_need_a_person"] == asked


def test_records_kept_back_are_counted_as_the_run_counted_them(live: Tree) -> None:
    def told(text: str) -> set[str]:
        return set(re.findall(r"GS-4\d\d .*? \(\d+ records?", text))

    ran = told(live.run("run", "riverside/grades", code=3).stdout)
    assert ran
    assert told(live.run("compare", "riverside/grades").stdout) == ran


def test_a_hand_edit_ends_with_3_only_when_the_exit_code_was_asked_for(
    carried: Tree, sandbox: Sandbox
) -> None:
    before = compared(carried)["records_that_need_a_person"]
    row = edited(sandbox)
    assert compared(carried)["needs_person"]
    found = compared(carried, "--exit-code", code=3)
    assert found["records_that_need_a_person"] == before + 1
    (record,) = [r for one in found["classes"] for r in one["records"] if r["cause"] == "hand edit"]
    assert record["code"] == "GS-412"
    text = carried.run("compare", "riverside/grades", "--exit-code", code=3).stdout
    assert f"{before + 1:,} records need somebody." in text
    assert row["student"]["sourcedId"] not in text
    assert "1.25" not in text


def test_one_class_is_compared_and_an_unknown_one_is_said(carried: Tree, sandbox: Sandbox) -> None:
    row = edited(sandbox)
    item = sandbox.schools["riverside"].sis.rows["lineItems"][row["lineItem"]["sourcedId"]]
    found = compared(carried, "--class", item["class"]["sourcedId"], "--exit-code", code=3)
    assert [one["class"] for one in found["classes"]] == [item["class"]["sourcedId"]]
    answer = carried.run("compare", "riverside/grades", "--class", "nobody-has-this", code=1)
    assert "no class nobody-has-this" in answer.stderr


def test_values_are_shown_on_a_terminal_only(carried: Tree) -> None:
    for more in ([], ["--format", "json"]):
        answer = carried.run("compare", "riverside/grades", "--show-values", *more, code=64)
        assert "for a terminal" in answer.stderr
    assert "values compared" not in carried.run("history", "--format", "json").stdout


def test_a_person_at_a_terminal_who_asks_sees_both_scores_and_that_is_on_record(
    carried: Tree, sandbox: Sandbox
) -> None:
    row = edited(sandbox)
    code, shown = carried.at_a_terminal("compare", "riverside/grades", "--show-values", "--exit-code")
    assert code == 3
    assert "1.25" in shown
    assert row["student"]["sourcedId"] not in shown
    assert "values compared" in carried.run("history", "riverside/grades").stdout


def test_an_account_that_is_not_there_is_said_so_for_both_kinds(live: Tree) -> None:
    assert "no schedule" in live.run("compare", "riverside/nothing", code=1).stderr


def test_comparing_leaves_no_trace_of_people(carried: Tree, sandbox: Sandbox) -> None:
    edited(sandbox)
    printed = "".join(
        carried.run("--verbose", "compare", "riverside/grades", *more, code=None).output
        for more in (["--records"], ["--format", "json"])
    )
    district = sandbox.schools["riverside"].district
    people = {word for p in district.people for word in (p.sourced_id, p.username) if len(word) > 3}
    assert not [word for word in people if word in printed]
    titles = {row["title"] for row in sandbox.schools["riverside"].sis.rows["lineItems"].values()}
    assert not [title for title in titles if title in printed]


def test_an_observed_schedule_runs_dry_at_its_slots_and_everything_tells_what_would_be_written(
    live: Tree, sandbox: Sandbox
) -> None:
    text = live.text("riverside").replace("first_run: 2026-09-01 04:00\n", "state: observe\n")
    live.account("riverside", text)
    live.run("request", "riverside/grades")
    live.run("reconcile", code=None)
    assert sandbox.count(side="sis", method="PUT") == 0
    entries = json.loads(live.run("history", "riverside/grades", "--format", "json").stdout)["entries"]
    (ended,) = [entry for entry in entries if entry["what"] == "run ended"]
    would = ended["data"]["counts"]
    assert would["would send"] > 0
    assert f"{would['would send']:,} would send" in live.run("history", "riverside/grades").stdout
    found = compared(live)
    assert found["observes"]
    assert found["would_write"] == {
        "results": would["would send"],
        "line_items": would["would send line items"],
    }
    # What it was said to write is what it writes once it may.
    live.account("riverside", text.replace("    state: observe\n", ""))
    live.run("reconcile", "--no-syncs")
    live.run("run", "riverside/grades", "--yes", code=None)
    written = sandbox.count(side="sis", method="PUT")
    assert written == would["would send"] + would["would send line items"]


POLICIES = (
    "{excused: exempt}",
    "{excused: exempt, conflict: canvas_wins, deletions: delete, deletion_limit: 500, gone_in_sis: recreate}",
)
BY_HAND = ("change-score", "change-title", "change-date", "delete-result", "delete-line-item")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_day_it_promises_exactly_what_the_next_full_run_writes(
    live: Tree, sandbox: Sandbox, seed: int, policy: str
) -> None:
    live.account("riverside", live.text("riverside").replace("{excused: exempt}", policy))
    live.run("reconcile", "--no-syncs")
    live.run("run", "riverside/grades", "--yes", code=None)
    school = sandbox.schools["riverside"]
    teach(school.canvas, seed=seed, rounds=2, style="hard-day")
    edit_sis(school.sis, seed=seed, acts=BY_HAND, times=2)
    promised = compared(live)["would_write"]
    assert sum(promised.values()) > 0
    sandbox.forget_requests()
    live.run("run", "riverside/grades", "--full", "--yes", code=None)
    written = writes(sandbox)
    # What the SIS took is told as equal now; what is left to write, it refused.
    after = compared(live)
    left = [r for one in after["classes"] for r in one["records"] if r["next_run"] == "writes"]
    assert {r["cause"] for r in left} <= {"refused", "lost"}
    # The scores of a column that was refused are not even tried.
    assert written == sum(promised.values()) if not left else written <= sum(promised.values())
