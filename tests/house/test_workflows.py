"""The workflows keep what the docs promise: pinned actions, no secrets where strangers' files are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
PINNED = re.compile(r"(actions/[a-z-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

pytestmark = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def read(path: Path) -> dict[str, Any]:
    """The workflow with every scalar as text, so that the key `on` stays the word it is."""
    tree = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert isinstance(tree, dict)
    return tree


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read(path)["jobs"].items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for _, job in jobs(path):
        yield from job["steps"]


def is_pass(job: dict[str, Any]) -> bool:
    return any("gradesync reconcile" in step.get("run", "") for step in job["steps"])


def test_every_action_is_pinned_to_a_commit_and_says_its_version(path: Path) -> None:
    lines = [
        line.split("uses:")[1].strip()
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert len(lines) == sum("uses" in step for step in steps(path))
    assert [line for line in lines if not PINNED.match(line)] == []


def test_the_same_action_is_pinned_to_the_same_commit_everywhere(path: Path) -> None:
    elsewhere = {name: pin for other in WORKFLOWS for name, pin in pins(other)}
    assert all(elsewhere[name] == pin for name, pin in pins(path))


def pins(path: Path) -> list[tuple[str, str]]:
    return [tuple(step["uses"].split("@")) for step in steps(path) if "uses" in step]


def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


def test_strangers_files_never_meet_our_rights(path: Path) -> None:
    triggers = read(path)["on"]
    assert "pull_request_target" not in triggers
    assert "workflow_run" not in triggers


def test_rights_are_named_and_only_read(path: Path) -> None:
    tree = read(path)
    granted = [tree["permissions"], *(job["permissions"] for _, job in jobs(path) if "permissions" in job)]
    assert all(set(one.values()) <= {"read"} for one in granted if one)
    assert all(set(one) <= {"contents"} for one in granted if one)


def test_every_job_ends_by_itself(path: Path) -> None:
    assert all(0 < int(job["timeout-minutes"]) <= 120 for _, job in jobs(path))


def test_the_checkout_leaves_no_credential_behind(path: Path) -> None:
    checkouts = [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


def test_secrets_are_given_only_to_jobs_of_the_protected_environment(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "pull_request" in read(path)["on"]:
        assert "secrets." not in text
    for _, job in jobs(path):
        if "secrets." in yaml.safe_dump(job):
            assert job["environment"] == "gradesync"


def test_a_pass_is_never_cancelled_by_a_newer_one(path: Path) -> None:
    for name, job in jobs(path):
        if is_pass(job):
            assert job["concurrency"] == {"group": "gradesync-pass", "cancel-in-progress": "false"}, name
            assert "concurrency" not in read(path)


def test_whatever_is_installed_has_its_hash_checked(path: Path) -> None:
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            if "pip install" in line:
                assert "--require-hashes" in line or ("--no-deps" in line and "--no-build-isolation" in line)


def test_the_button_writes_the_wish_down_before_it_waits_for_a_pass(path: Path) -> None:
    if path.name != "reconcile-cron.yml":
        return
    both = dict(jobs(path))
    assert "concurrency" not in both["request"]
    assert both["pass"]["needs"] == "request"
    assert read(path)["on"]["schedule"][0]["cron"].split()[0] not in {"0", "*"}
