"""The form: each act in the name of whoever pressed the button and within their rights; what is typed stays a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from tests.actions.conftest import git
from tests.actions.running import ROOT, Runner

Job = Callable[..., Runner]

HOSTILE = (
    "$(touch pwned) `touch pwned` \"; touch pwned; \" '; touch pwned; ' ${IFS}&& touch pwned #",
    "--everything",
    "~~~~\n::set-output name=pwned::1\n::error::pwned\n<script>alert(1)</script> @everyone ${{ github.token }}",
)


def ask(tree: Path, *words: str) -> Any:
    """What a command says as JSON to somebody who only looks."""
    nobody = dict.fromkeys(("CI", "GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
    done = CliRunner().invoke(group, ["-C", str(tree), *words, "--format", "json"], env=nobody)
    return json.loads(done.stdout)


def holds(tree: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(tree, "holds")["holds"]
    return found


def test_a_pause_is_recorded_under_the_name_of_whoever_pressed_the_button(job: Job, tree: Path) -> None:
    done = job().use("act", action="pause", target="riverside/grades", reason="SIS upgrade", **{"for": "4h"})
    assert done.code == 0, done.log
    assert done.outputs == {"exit-code": "0"}
    [hold] = holds(tree)
    assert (hold["actor"]["name"], hold["reason"]) == ("Ana Ortiz", "SIS upgrade")
    assert "actions/runs/17" in json.dumps(hold)
    assert "### pause" in done.summary
    assert "SIS upgrade" in done.summary


def test_a_right_that_the_person_lacks_is_refused_and_nothing_is_done(job: Job, tree: Path) -> None:
    done = job("blee").use("act", action="pause", target="oak-hill", reason="by mistake")
    assert done.code == 1
    assert "GS-710" in done.log
    assert "Ana Ortiz" in done.log  # whom to ask
    assert holds(tree) == []


def test_a_reason_that_nobody_would_read_is_refused_with_its_length(job: Job, tree: Path) -> None:
    done = job().use("act", action="pause", target="riverside/grades", reason="é" * 501)
    assert done.code == 64
    assert "at most 500 characters, and this one has 501" in " ".join(done.log.split())
    assert holds(tree) == []
    assert "at most 500 characters" in (ROOT / ".github" / "workflows" / "act.yml").read_text()


def test_a_login_nobody_knows_may_do_nothing(job: Job, tree: Path) -> None:
    done = job("mallory").use("act", action="pause-all", target="everything", reason="fun")
    assert done.code == 1
    assert "GS-710" in done.log
    assert holds(tree) == []


def test_a_repeated_job_is_refused_because_rights_may_have_changed(job: Job, tree: Path) -> None:
    again = job(GITHUB_RUN_ATTEMPT="2")  # by somebody whom its files still allow it
    done = again.use("act", action="pause", target="oak-hill", reason="once more")
    assert (done.code, done.outputs["exit-code"]) == (64, "64")
    assert "Use the form again" in done.log
    assert holds(tree) == []


def test_whoever_pressed_the_button_acts_and_not_whom_the_job_is_for(job: Job, tree: Path) -> None:
    done = job(GITHUB_TRIGGERING_ACTOR="mallory").use("act", action="pause", target="oak-hill", reason="fun")
    assert done.code == 1
    assert "GS-710" in done.log
    assert holds(tree) == []


def test_pausing_and_resuming_reach_groups_types_and_everything(job: Job, tree: Path) -> None:
    runner = job()
    scopes = ("everything", "type:grade-passback")
    for number, target in enumerate(scopes, 1):
        assert runner.use("act", action="pause-all", target=target, reason="outage").code == 0
        assert len(holds(tree)) == number
    for left, target in zip((1, 0), scopes, strict=True):
        assert runner.use("act", action="resume", target=target, reason="over").code == 0
        assert len(holds(tree)) == left
    assert history(tree)[0]["data"]["released because"] == "over"


def history(tree: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(tree, "history")["entries"]
    return found


def test_a_wish_waits_for_the_next_pass(job: Job, tree: Path) -> None:
    done = job("blee").use("act", action="request", target="riverside/grades", reason="a parent asked")
    assert done.code == 0, done.log
    [wish] = [entry for entry in history(tree) if entry["what"] == "run requested"]
    assert (wish["actor"]["name"], wish["actor"]["how"]) == ("Ben Lee", "CI dispatch")
    assert wish["data"]["reason"] == "a parent asked"


def test_consent_is_bound_to_the_digest_and_to_the_right(job: Job, tree: Path) -> None:
    for path in (tree / "schedules").glob("*.yaml"):
        path.write_text(path.read_text().partition("schedules:")[0] + "schedules: {}\n")
    git(tree, "commit", "-q", "-a", "-m", "two pilots ended")
    digest = ask(tree, "plan")["digest"]
    what = {"action": "allow", "reason": "two pilots ended"}
    assert "GS-710" in job("blee").use("act", target=digest, **what).log
    ana = job()
    wrong = ana.use("act", target="0123456789ab", **what)
    assert (wrong.code, ask(tree, "plan")["digest"]) == (5, digest)
    # No side answers and no key is there: the files are applied, and nothing is run.
    right = ana.use("act", target=digest, **what)
    assert right.code == 0, right.log
    assert not ask(tree, "plan")["withheld"]
    assert "plan allowed" in {entry["what"] for entry in history(tree)}


def test_a_run_and_a_roster_that_nobody_knows_are_said_to_be_unknown(job: Job) -> None:
    runner = job()
    for action in ("stop", "approve"):
        done = runner.use("act", action=action, target="0" * 32, reason="to see")
        assert done.code != 0
        assert "error:" in done.log


@pytest.mark.parametrize("missing", ["reason", "target"])
def test_without_a_reason_or_a_target_nothing_is_begun(missing: str, job: Job, tree: Path) -> None:
    words = {"reason": "outage", "target": "everything", missing: " "}
    done = job().use("act", action="pause-all", **words)
    assert (done.code, done.outputs["exit-code"]) == (64, "64")
    assert holds(tree) == []


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_reason_is_a_reason_and_nothing_else(
    hostile: str, job: Job, tree: Path, tmp_path: Path
) -> None:
    done = job().use("act", action="pause", target="riverside", reason=hostile)
    assert done.code == 0, done.log
    assert not list(tmp_path.rglob("pwned"))
    assert [line.split("::")[1] for line in done.commands] == ["stop-commands"]
    assert len(holds(tree)) == 1
    fenced = done.summary.split("~~~~")
    assert len(fenced) == 3
    assert "script" not in fenced[0] + fenced[2]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_target_names_nothing_and_changes_nothing(
    hostile: str, job: Job, tree: Path, tmp_path: Path
) -> None:
    runner = job()
    done = runner.use("act", action="pause", target=hostile, reason="outage", until=hostile)
    assert done.code != 0
    assert not list(tmp_path.rglob("pwned"))
    assert [line.split("::")[1] for line in done.commands] == ["stop-commands"]
    assert holds(tree) == []


def test_an_action_that_is_none_of_the_seven_is_refused(job: Job, tmp_path: Path) -> None:
    done = job().use("act", action="store purge; touch pwned", target="riverside", reason="x")
    assert done.code == 64
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("action", ["pause", "pause-all", "resume", "request", "stop", "approve"])
def test_a_target_that_looks_like_an_option_is_none(action: str, job: Job, tree: Path) -> None:
    runner = job()
    assert runner.use("act", action="pause", target="riverside", reason="outage").code == 0
    done = runner.use("act", action=action, target="--everything", reason="fun")
    assert done.code != 0, done.log
    # Neither one more nor one less.
    assert len(holds(tree)) == 1
