"""A side that is down or refuses the key: a failed run with its code, in the history, and never an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox, running
from tests.cli.conftest import Tree

TROUBLES = {
    "keys are refused": {"GS-201", "GS-202"},
    "Canvas is down": {"GS-302"},
}
SCHEDULES = ("roster-nightly", "grades")


@pytest.fixture(scope="module")
def schools() -> Iterator[Sandbox]:
    """A district for each trouble."""
    with running([f"school{number}" for number in range(len(TROUBLES))], students=12) as served:
        yield served


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_dead_side_is_told_by_its_code_in_a_pass_and_by_hand(
    trouble: str, schools: Sandbox, make_tree: Callable[[str], Tree]
) -> None:
    school = f"school{list(TROUBLES).index(trouble)}"
    tree = make_tree(schools.url)
    for file in (tree.root / "schedules").iterdir():
        file.unlink()
    tree.account(school)
    secrets = tree.root / ".gradesync" / "sandbox"
    schools.write_secrets(secrets)
    tree.run("reconcile", "--no-syncs")
    schools.front.faults.clear()
    if "refused" in trouble:
        for file in (secrets / school).iterdir():
            file.write_text("no-longer-valid")
    else:
        schools.front.faults.orders.append(FaultOrder("server-error", 100_000, "canvas", when="before"))
    tree.run("request", *(f"{school}/{name}" for name in SCHEDULES))
    told = tree.run("reconcile", "--format", "json", code=3)
    report = json.loads(told.stdout)
    ended = {end["run"]["schedule"].partition("/")[2]: end["result"] for end in report["runs"]}
    blocked = json.dumps(report["blocked"])
    for name in SCHEDULES:
        # The run after a failed one is carried out as well, or the pass says what keeps it from that.
        assert name in ended or name in blocked, told.output
    for result in ended.values():
        assert result["outcome"] == "failed"
    assert "handed back" not in told.stderr
    for name in SCHEDULES:
        said = tree.run(
            "run",
            f"{school}/{name}",
            "--despite",
            "breaker",
            "--reason",
            "to see",
            "--format",
            "json",
            code=3,
        )
        result = json.loads(said.stdout)["result"]
        assert result["outcome"] == "failed"
        assert {one["code"] for one in result["codes"]} <= TROUBLES[trouble]
        assert result["codes"]
        assert "handed back" not in said.stderr
        entry = json.loads(tree.run("history", f"{school}/{name}", "--format", "json").stdout)["entries"][0]
        assert (entry["what"], entry["data"]["outcome"]) == ("run ended", "failed")
    assert not tree.run("store", "unlock", school, "--reason", "x", code=1).stdout
