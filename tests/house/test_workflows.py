"""The workflows and actions keep what the docs promise: pinned, and no rights or secrets where strangers' files are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
PINNED = re.compile(r"(actions/[a-z-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
OURS = re.compile(r"\./\.github/actions/([a-z]+)$")

SECRETS = {
    "gradesync": None,  # whatever the files refer to
    "gradesync-plan": {"GRADESYNC_STORE"},
    "gradesync-act": {"GRADESYNC_STORE"},
}
"""What each protected environment gives to a job; no other job is given anything."""

workflows = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
files = pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))


def read(path: Path) -> dict[str, Any]:
    """The file with every scalar as text, so that the key `on` stays the word it is."""
    tree = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert isinstance(tree, dict)
    return tree


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read(path).get("jobs", {}).items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    if path in ACTIONS:
        yield from read(path)["runs"]["steps"]
    for _, job in jobs(path):
        yield from job["steps"]


def uses(path: Path) -> list[str]:
    return [step["uses"] for step in steps(path) if "uses" in step]


def is_pass(job: dict[str, Any]) -> bool:
    return any(step.get("uses") == "./.github/actions/reconcile" for step in job["steps"])


def test_there_is_something_to_look_at() -> None:
    assert {path.name for path in WORKFLOWS} == {
        "act.yml",
        "ci.yml",
        "plan.yml",
        "reconcile-cron.yml",
        "reconcile.yml",
        "validate.yml",
    }
    assert {path.parent.name for path in ACTIONS} == {
        "act",
        "comment",
        "plan",
        "reconcile",
        "setup",
        "validate",
    }


@files
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path: Path) -> None:
    lines = [
        line.split("uses:")[1].strip()
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(- )?uses:", line)
    ]
    assert len(lines) == len(uses(path))
    assert [line for line in lines if not PINNED.match(line) and not OURS.match(line)] == []


def test_the_same_action_is_pinned_to_the_same_commit_everywhere() -> None:
    pins = {tuple(one.split("@")) for path in [*WORKFLOWS, *ACTIONS] for one in uses(path) if "@" in one}
    assert len({name for name, _ in pins}) == len(pins)


@workflows
def test_an_action_of_ours_is_given_only_what_it_takes(path: Path) -> None:
    for step in steps(path):
        match = OURS.match(step.get("uses", ""))
        if match is None:
            continue
        inputs = read(ROOT / ".github" / "actions" / match[1] / "action.yml").get("inputs") or {}
        given = set(step.get("with") or {})
        needed = {name for name, one in inputs.items() if one.get("required") == "true"}
        assert needed <= given <= set(inputs), step


@workflows
def test_an_output_that_is_asked_for_is_declared(path: Path) -> None:
    by_step = {step["id"]: step.get("uses", "") for step in steps(path) if "id" in step}
    for name, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", path.read_text(encoding="utf-8")):
        match = OURS.match(by_step[name])
        assert match
        assert output in read(ROOT / ".github" / "actions" / match[1] / "action.yml")["outputs"]


@files
def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


@files
def test_every_script_stops_at_its_first_failure(path: Path) -> None:
    for step in steps(path):
        if "\n" in step.get("run", ""):
            assert step["run"].startswith("set -euo pipefail\n"), step["name"]
        if path in ACTIONS and "run" in step:
            assert step["shell"] == "bash"


@workflows
def test_strangers_files_never_meet_our_rights(path: Path) -> None:
    triggers = read(path)["on"]
    assert "pull_request_target" not in triggers
    assert "workflow_run" not in triggers


@workflows
def test_every_job_names_its_rights_and_only_the_comment_may_write(path: Path) -> None:
    assert read(path)["permissions"] == {}
    for name, job in jobs(path):
        granted = job["permissions"] or {}
        wanted = {"contents": "read"}
        if (path.name, name) == ("plan.yml", "comment"):
            wanted["pull-requests"] = "write"
        assert granted.items() <= wanted.items(), name


@workflows
def test_every_job_ends_by_itself(path: Path) -> None:
    assert all(0 < int(job["timeout-minutes"]) <= 120 for _, job in jobs(path))


@workflows
def test_the_checkout_leaves_no_credential_behind(path: Path) -> None:
    checkouts = [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


@workflows
def test_secrets_are_given_only_to_single_steps_of_jobs_in_a_protected_environment(path: Path) -> None:
    for name, job in jobs(path):
        secrets = set(re.findall(r"secrets\.(\w+)", yaml.safe_dump(job)))
        if not secrets:
            continue
        allowed = SECRETS[job["environment"]]
        assert allowed is None or secrets <= allowed, name
        assert "secrets." not in yaml.safe_dump(job.get("env", {}))
        for step in job["steps"]:
            if "secrets." in yaml.safe_dump(step):
                assert OURS.match(step["uses"]), "a secret leaves our own actions"
    if "pull_request" in read(path)["on"]:
        assert {job["environment"] for _, job in jobs(path) if "environment" in job} <= {"gradesync-plan"}


def test_what_reads_the_store_for_a_pull_request_is_no_stranger_and_what_writes_to_it_sees_no_secret() -> (
    None
):
    both = dict(jobs(ROOT / ".github" / "workflows" / "plan.yml"))
    assert "head.repo.full_name == github.repository" in both["plan"]["if"]
    assert "head.repo.full_name != github.repository" in both["stranger"]["if"]
    assert "secrets." not in yaml.safe_dump(both["comment"])
    assert both["comment"]["needs"] == "plan"


@workflows
def test_a_pass_is_never_cancelled_by_a_newer_one(path: Path) -> None:
    for name, job in jobs(path):
        if is_pass(job):
            assert job["concurrency"] == {"group": "gradesync-pass", "cancel-in-progress": "false"}, name
            assert "concurrency" not in read(path)
            # It hands its runs back in order before GitHub ends the job.
            [step] = [step for step in job["steps"] if step.get("uses", "").endswith("/reconcile")]
            assert int(step["with"]["max-time"].removesuffix("m")) < int(job["timeout-minutes"]) - 5


@files
def test_whatever_is_installed_has_its_hash_checked(path: Path) -> None:
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            if "pip install" in line:
                assert "--require-hashes" in line or ("--no-deps" in line and "--no-build-isolation" in line)


def test_the_form_waits_for_no_queue_and_a_wish_is_followed_by_a_pass() -> None:
    path = ROOT / ".github" / "workflows" / "act.yml"
    both = dict(jobs(path))
    assert "concurrency" not in both["act"]
    assert "concurrency" not in read(path)
    assert both["pass"]["needs"] == "act"
    form = read(path)["on"]["workflow_dispatch"]["inputs"]
    assert form["action"]["options"] == [
        "request",
        "pause",
        "pause-all",
        "stop",
        "resume",
        "approve",
        "allow",
    ]
    assert form["reason"]["required"] == "true"


def test_the_clock_stands_in_a_file_of_its_own_and_is_off_the_hour() -> None:
    triggers = read(ROOT / ".github" / "workflows" / "reconcile-cron.yml")["on"]
    assert set(triggers) == {"schedule", "workflow_dispatch"}
    assert triggers["schedule"][0]["cron"].split()[0] not in {"0", "*"}


def test_the_merge_pass_reads_every_secret_that_the_other_passes_read() -> None:
    given = [
        set(re.findall(r"secrets\.(\w+)", yaml.safe_dump(job)))
        for path in WORKFLOWS
        for _, job in jobs(path)
        if is_pass(job)
    ]
    assert len(given) == 3
    assert given[0] == given[1] == given[2]
