"""Inside a job of GitHub Actions: the step's summary, its outputs, and annotations where the reviewer looks first."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gradesync.cli.github_job import add_outputs, add_summary, changed_files, plan_outputs, this_job
from gradesync.domain.action import Plan
from gradesync.reporting.fitting import SUMMARY_LIMIT
from tests.cli.conftest import Tree
from tests.cli.test_guards import apply, edit
from tests.reporting import samples as s


def outputs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def files(tmp_path: Path) -> dict[str, str]:
    return {"GITHUB_OUTPUT": str(tmp_path / "outputs"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}


def test_plan_tells_later_steps_every_number(tree: Tree, tmp_path: Path) -> None:
    apply(tree)
    edit(tree, "riverside", "daily at 04:00", "hourly")
    (tree.root / "schedules" / "oak-hill.yaml").unlink()
    tree.run("plan", env=files(tmp_path), code=5)
    found = outputs(tmp_path / "outputs")
    digest = json.loads(tree.run("plan", "--format", "json", code=5).stdout)["digest"]
    assert found == {
        "changes": "true",
        "create": "0",
        "change": "1",
        "move": "0",
        "pause": "0",
        "resume": "0",
        "retire": "0",
        "withheld": "3",
        "unsafe": "true",
        "digest": digest,
        "problems": "0",
    }
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("### gradesync plan\n\n**Plan: 1 to change, 3 withheld")
    assert f"--allow {digest}" in summary


def test_validate_tells_the_number_of_problems_and_writes_a_table(tree: Tree, tmp_path: Path) -> None:
    edit(tree, "riverside", "interval:", "intervall:")
    tree.run("validate", "--format", "github", env=files(tmp_path), code=1)
    assert int(outputs(tmp_path / "outputs")["problems"]) >= 1
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("### gradesync validate\n\n**")
    assert "| `schedules/riverside.yaml:" in summary


def test_reconcile_writes_both_too(tree: Tree, tmp_path: Path) -> None:
    shown = tree.run("reconcile", "--no-syncs", "--format", "github", env=files(tmp_path)).stdout
    assert shown.splitlines()[0] == "::group::Pass"
    found = outputs(tmp_path / "outputs")
    assert (found["create"], found["applied"], found["runs"]) == ("4", "6", "0")
    assert (tmp_path / "summary").read_text().startswith("### gradesync reconcile\n\n**6 changes applied.**")


def test_markdown_is_put_somewhere_by_whoever_asks_for_it(tree: Tree, tmp_path: Path) -> None:
    for command in ("plan", "validate", "reconcile"):
        tree.run(command, "--format", "markdown", env=files(tmp_path))
    assert not (tmp_path / "summary").exists()


def test_a_summary_never_passes_githubs_limit_and_keeps_what_earlier_commands_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    path.write_text("x" * (SUMMARY_LIMIT - 10_000))
    rooms: list[int] = []

    def render(room: int) -> str:
        rooms.append(room)
        return "é" * (room // 2 - 1)

    add_summary(render)
    add_summary(render)
    assert rooms == [10_000]
    assert SUMMARY_LIMIT - 10 < path.stat().st_size <= SUMMARY_LIMIT
    path.write_text("")
    add_summary(lambda room: "é" * room)
    assert path.stat().st_size == 0, "too much would cost everything that stands there"


@pytest.mark.parametrize("value", ["a\nb=c", "a\rb", "<<EOF", "a b", "é", "$(x)"])
def test_an_output_cannot_begin_another_one(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    with pytest.raises(ValueError, match="plain word"):
        add_outputs({"digest": value})
    assert not (tmp_path / "outputs").exists()


def test_no_plan_is_all_zero() -> None:
    assert plan_outputs(None, ())["changes"] is False
    assert plan_outputs(Plan(()), s.PROBLEMS)["problems"] == 2


def event(folder: Path, payload: Any) -> dict[str, str]:
    file = folder / "event.json"
    file.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_PATH": str(file)}


def test_a_pull_requests_event_tells_number_head_base_and_fork(tmp_path: Path) -> None:
    pull = {
        "number": 7,
        "head": {"sha": "a" * 40, "repo": {"full_name": "x/r"}},
        "base": {"sha": "b" * 40},
    }
    job = this_job(event(tmp_path, {"pull_request": pull}))
    assert (job.number, job.head, job.base, job.from_fork) == (7, "a" * 40, "b" * 40, True)
    follower = {"workflow_run": {"id": 99, "head_sha": "c" * 40, "pull_requests": [{"number": 8}]}}
    job = this_job({**event(tmp_path, follower), "GITHUB_RUN_ID": "1"})
    assert (job.number, job.head, job.run) == (8, "c" * 40, 99)
    job = this_job({**event(tmp_path, {}), "GITHUB_REF": "refs/pull/12/merge"})
    assert job.number == 12


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "no json",
        "[]",
        "[" * 50_000,
        {"pull_request": []},
        {"pull_request": {"number": "7", "head": "x"}},
        {"workflow_run": {"pull_requests": [1]}},
        {"commits": [1, {"added": "x"}]},
        {"pull_request": {"number": 0, "head": {"sha": "a;b"}, "base": {"sha": "--output=x"}}},
    ],
)
def test_an_event_that_makes_no_sense_tells_nothing(tmp_path: Path, payload: Any) -> None:
    job = this_job(event(tmp_path, payload))
    assert (job.number, job.head, job.base, job.from_fork) == (None, None, None, False)
    assert changed_files(job, tmp_path) == frozenset()


def test_addresses_of_odd_shape_lead_nowhere(tmp_path: Path) -> None:
    for more in (
        {"GITHUB_SERVER_URL": "https://x.example/](javascript:"},
        {"GITHUB_SERVER_URL": "http://x.example"},
        {"GITHUB_REPOSITORY": "o/r/../../x"},
    ):
        links = this_job({**event(tmp_path, {}), "GITHUB_RUN_ID": "5", **more}).links(tmp_path, "a" * 40)
        assert (links.base, links.run) == ("", "")
    assert this_job({}).links(tmp_path, None).base == ""


def test_what_a_report_leaves_out_is_found_at_the_address_of_gitlabs_job(tmp_path: Path) -> None:
    address = "https://gitlab.example/north/sync/-/jobs/815"
    found = this_job({"GITLAB_CI": "true", "CI_JOB_URL": address}).links(tmp_path, "a" * 40)
    assert (found.log, found.base) == (f"[the run]({address})", "")
    for hostile in ("https://gitlab.example/a)[x](https://evil.example", "javascript:alert(1)", ""):
        assert this_job({"GITLAB_CI": "true", "CI_JOB_URL": hostile}).links(tmp_path, None).run == ""
    assert this_job({"CI_JOB_URL": address}).links(tmp_path, None).run == ""


def test_changed_files_come_from_a_list_from_the_push_or_from_git(tmp_path: Path) -> None:
    listed = tmp_path / "list"
    listed.write_text("schedules/a.yaml\nschedules/b.yaml\n")
    assert changed_files(this_job({}), tmp_path, listed) == {"schedules/a.yaml", "schedules/b.yaml"}
    push = {"commits": [{"added": ["x.yaml"], "modified": ["y.yaml"], "removed": []}]}
    assert changed_files(this_job(event(tmp_path, push)), tmp_path) == {"x.yaml", "y.yaml"}

    root = tmp_path / "repo"
    root.mkdir()

    def git(*arguments: str) -> str:
        named = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b.example", *arguments]
        return subprocess.run(named, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    (root / "a.yaml").write_text("1")
    git("add", ".")
    git("commit", "-q", "-m", "1")
    base = git("rev-parse", "HEAD")
    (root / "bü c.yaml").write_text("2")
    git("add", ".")
    git("commit", "-q", "-m", "2")
    pull = {"pull_request": {"number": 1, "head": {"sha": git("rev-parse", "HEAD")}, "base": {"sha": base}}}
    assert changed_files(this_job(event(tmp_path, pull)), root) == {"bü c.yaml"}


def test_files_of_the_pull_request_are_annotated_first(tree: Tree, tmp_path: Path) -> None:
    for key in ("riverside", "oak-hill"):
        edit(tree, key, "interval:", "intervall:")
    listed = tmp_path / "changed"
    for first in ("oak-hill", "riverside"):
        listed.write_text(f"schedules/{first}.yaml\n")
        shown = tree.run("validate", "--format", "github", "--changed-files", str(listed), code=1).stdout
        assert f"file=schedules/{first}.yaml" in shown.splitlines()[0]
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    tree.run("validate", "--format", "github", "--changed-files", str(tmp_path / "odd"), code=1)
