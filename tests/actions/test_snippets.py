"""What the pages about pull requests and CI show can be taken over as it stands: it is parsed, linted and compared."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from collections import ChainMap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gradesync.config.loader import load
from gradesync.domain.plan_labels import LABELS
from tests.actions.running import NAMES, ROOT, read_action

CI = ROOT / "docs" / "running-in-ci.md"
PULLS = ROOT / "docs" / "pull-requests.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


def documents(page: Path) -> list[tuple[str, dict[str, Any]]]:
    """Each block with its keys; a header before `---` stands beside the rest."""
    return [(text, dict(ChainMap(*yaml.safe_load_all(text)))) for text in blocks(page, "yaml")]


def the_one(page: Path, key: str) -> tuple[str, dict[str, Any]]:
    [found] = [(text, tree) for text, tree in documents(page) if key in tree]
    return found


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its own head."""
    text = page.read_text(encoding="utf-8").split(f" {heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert lines
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in lines[0].splitlines()[2:]]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_table_of_actions_says_exactly_what_they_take_and_give() -> None:
    told = {next(iter(names(row[0]))): (names(row[1]), names(row[2])) for row in rows(CI, "Actions")}
    real = {}
    for name in NAMES:
        action = read_action(name)
        inputs = set(action.get("inputs") or {}) - {"tree"}
        real[name] = (inputs, set(action.get("outputs") or {}))
    assert told == real


def test_the_table_of_workflows_names_every_one() -> None:
    told = {
        next(iter(names(line.split("|")[1])))
        for line in CI.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `[a-z-]+` \|.*\| read files", line)
    }
    assert {path.stem for path in (ROOT / ".github" / "workflows").glob("*.yml")} == told


def test_the_gitlab_file_never_runs_two_passes_at_once_and_gives_a_merge_request_no_key() -> None:
    _, tree = the_one(CI, "stages")
    jobs = {name: job for name, job in tree.items() if isinstance(job, dict) and "script" in job}
    assert set(jobs) == {"validate", "plan", "act", "reconcile"}
    assert {job["stage"] for job in jobs.values()} == set(tree["stages"])
    assert jobs["reconcile"]["resource_group"] == "gradesync-pass"
    assert tree["default"]["interruptible"] is False
    environments = {"plan": "gradesync-plan", "act": "gradesync-act", "reconcile": "gradesync"}
    assert {name: jobs[name]["environment"]["name"] for name in environments} == environments
    assert "resource_group" not in jobs["act"]  # a pause must not wait
    for job in jobs.values():
        assert all(isinstance(line, str) for line in job["script"])
        for line in (*tree["default"]["before_script"], *job["script"]):
            assert subprocess.run(["bash", "-n", "-c", line], check=False).returncode == 0, line


def test_the_kubernetes_job_never_overlaps_and_has_no_rights_of_its_own() -> None:
    _, tree = the_one(CI, "apiVersion")
    spec = tree["spec"]
    assert (tree["kind"], spec["concurrencyPolicy"]) == ("CronJob", "Forbid")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"name": "GRADESYNC_STARTED_BY", "value": "cron"} in container["env"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def units() -> dict[str, str]:
    return {text.splitlines()[0].rsplit("/", 1)[1]: text for text in blocks(CI, "ini")}


def test_the_units_are_complete_and_belong_together() -> None:
    found = units()
    assert set(found) == {"gradesync.service", "gradesync.timer"}
    for name, text in found.items():
        parsed = configparser.RawConfigParser(strict=False, interpolation=None)
        parsed.optionxform = str  # type: ignore[assignment,method-assign]  # the keys of units have capitals
        parsed.read_string(text)
        assert parsed.has_option("Unit", "Description"), name
    assert "reconcile --due" in found["gradesync.service"]


def test_a_clock_that_reads_no_files_stands_beside_one_that_applies_merges() -> None:
    for page in ("running-in-ci.md", "production.md"):
        for text in blocks(ROOT / "docs" / page, "text") + blocks(ROOT / "docs" / page, "ini"):
            if "*/10" in text and "reconcile --due" in text:
                assert "git pull -q --ff-only" in text, page
                assert "gradesync reconcile --no-syncs" in text, page
                break
        else:
            pytest.fail(f"{page} shows no crontab that applies merges")


def test_systemd_takes_the_units_and_finds_the_service_well_closed(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze looks at units, and this machine has none")
    for name, text in units().items():
        # The program is not installed where tests run; everything else is judged as it stands.
        (tmp_path / name).write_text(text.replace("/srv/gradesync/.venv/bin/gradesync", "/bin/true"))
    files = [str(tmp_path / name) for name in units()]
    done = subprocess.run(
        [program, "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "gradesync" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
    command = [program, "security", "--offline=yes", "--threshold=25", str(tmp_path / "gradesync.service")]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def test_the_account_that_the_guide_shows_has_no_problem(tmp_path: Path) -> None:
    text, _ = the_one(PULLS, "account")
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "riverside.yaml").write_text(text)
    (tmp_path / "gradesync.yaml").write_text(
        'secrets: env\nhosts: ["*.instructure.com", genesis.riverside.example]\n'
    )
    assert load(tmp_path, now=datetime.now(UTC)).problems == ()


def test_the_guide_explains_every_label_and_every_choice_of_the_form() -> None:
    assert {next(iter(names(row[0]))) for row in rows(PULLS, "What you see")} == set(LABELS)
    form = yaml.load((ROOT / ".github" / "workflows" / "act.yml").read_text(), Loader=yaml.BaseLoader)
    choices = form["on"]["workflow_dispatch"]["inputs"]["action"]["options"]
    told = [next(iter(names(row[0]))) for row in rows(PULLS, "Without a pull request: the form")]
    assert told == choices


def test_the_pages_pin_what_the_workflows_pin() -> None:
    pin = re.compile(r"uses: (actions/[a-z-]+)@([0-9a-f]{40})")
    real = dict(pin.findall("".join(path.read_text() for path in (ROOT / ".github").rglob("*.yml"))))
    shown = dict(pin.findall(CI.read_text(encoding="utf-8")))
    assert shown
    assert {name: real[name] for name in shown} == shown
