"""`adopt` over real HTTP: a switch from another tool's sync doubles nothing."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.cli.conftest import DISTRICTS, Tree, writes
from tests.cli.vendor import filled_by_another_tool


def adopted(tree: Tree, *more: str) -> dict[str, Any]:
    answer = json.loads(tree.run("adopt", "riverside/grades", "--format", "json", *more).stdout)
    assert isinstance(answer, dict)
    return answer


def rows(sandbox: Sandbox) -> tuple[dict[str, Any], dict[str, Any]]:
    world = sandbox.schools["riverside"].sis
    return dict(world.rows["lineItems"]), dict(world.rows["results"])


def test_a_switch_from_another_tool_doubles_nothing_and_changes_nothing(live: Tree, sandbox: Sandbox) -> None:
    filled_by_another_tool(live, sandbox)
    items, results = before = rows(sandbox)
    preview = adopted(live)
    assert (preview["written"], preview["run"]) == (False, None)
    # All but what stands behind two assignments of one name and day, which only their teacher can tell apart.
    for kind, held in (("results", results), ("line_items", items)):
        assert preview[kind]["same"] + preview[kind]["only in the SIS"] == len(held)
        assert preview[kind]["same"] > 0.9 * len(held)
    assert adopted(live, "--yes")["written"]
    assert writes(sandbox) == 0
    live.run("request", "riverside/grades", "--full")
    live.run("reconcile", code=None)
    assert sandbox.count(side="sis", method="PUT") == 0
    assert rows(sandbox) == before
    # From now on they are ours: equal, and written to when Canvas changes.
    found = json.loads(live.run("compare", "riverside/grades", "--format", "json").stdout)
    for kind in ("results", "line_items"):
        # A score that the SIS holds with fewer decimals than Canvas shows is settled all the same.
        alike = found["equal"][kind] + found["causes"][kind].get("rounding", 0)
        assert alike == preview[kind]["same"]


def test_scores_that_differ_are_nobody_s_to_overwrite(live: Tree, sandbox: Sandbox) -> None:
    filled_by_another_tool(live, sandbox)
    world = sandbox.schools["riverside"].sis
    world.edit_score("vendor-result-0", 1.25)
    assert adopted(live, "--yes")["results"]["differs"] == 1
    live.run("request", "riverside/grades", "--full")
    live.run("reconcile", code=None)
    assert world.rows["results"]["vendor-result-0"]["score"] == 1.25
    assert "GS-412" in live.run("compare", "riverside/grades", "--exit-code", code=3).stdout


def test_two_columns_of_one_name_and_day_are_told_and_left_alone(live: Tree, sandbox: Sandbox) -> None:
    filled_by_another_tool(live, sandbox)
    before = adopted(live)["to_settle"]
    taken = {one["class"] for one in before}
    world = sandbox.schools["riverside"].sis
    rows = world.rows["lineItems"].values()
    item = next(row for row in rows if row["class"]["sourcedId"] not in taken)
    world.put_row("lineItems", item | {"sourcedId": "twin"})
    shown = live.run("adopt", "riverside/grades").stdout
    assert "GS-404 Same name and date twice" in shown
    assert "With --yes it goes into the ledger" in shown
    (open_,) = [one for one in adopted(live)["to_settle"] if one not in before]
    assert (open_["class"], open_["code"]) == (item["class"]["sourcedId"], "GS-404")
    assert item["title"] not in shown


def test_the_history_says_who_adopted_how_much_and_nothing_of_anybody(live: Tree, sandbox: Sandbox) -> None:
    filled_by_another_tool(live, sandbox)
    printed = "".join(
        live.run("--as", "Ana Ortiz", "--verbose", "adopt", "riverside/grades", *more, code=None).output
        for more in ([], ["--yes"], ["--format", "json"])
    )
    told = live.run("history", "riverside").stdout
    assert "records adopted" in told
    assert "Ana Ortiz" in told
    assert "results adopted" in told
    assert "verifies" in live.run("history", "--verify").stdout
    people = {p.sourced_id for p in sandbox.schools["riverside"].district.people}
    assert not [word for word in people if word in printed]
    assert "vendor-" not in printed
    (run,) = [one["run"] for one in _history(live) if one["what"] == "records adopted"]
    assert run in live.run("show", run).stdout


def _history(tree: Tree) -> list[dict[str, Any]]:
    return list(json.loads(tree.run("history", "riverside", "--format", "json").stdout)["entries"])


def test_an_unknown_class_is_said(live: Tree) -> None:
    answer = live.run("adopt", "riverside/grades", "--class", "nobody-has-this", code=1)
    assert "no class nobody-has-this" in answer.stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_adoption_that_is_killed_or_stopped_leaves_no_run_that_a_pass_would_send_with(
    make_tree: Callable[[str], Tree], how: signal.Signals
) -> None:
    with running(DISTRICTS, students=24, latency_ms=100) as slow:
        tree = make_tree(slow.url)
        slow.write_secrets(tree.root / ".gradesync" / "sandbox")
        tree.run("reconcile", "--no-syncs")
        going = tree.start("adopt", "riverside/grades", "--yes")
        deadline = time.monotonic() + 20
        while slow.count(side="sis") < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        going.send_signal(how)
        going.communicate(timeout=20)
        assert going.returncode in (-how, 130)
        tree.run("reconcile", code=None)
        assert writes(slow) == 0
        told = [one["data"]["outcome"] for one in _history(tree) if "outcome" in one["data"]]
        assert told[0] == ("abandoned" if how is signal.SIGKILL else "stopped")
        assert adopted(tree, "--yes")["written"]
