"""Workflows, actions and what `init --repo` writes, under a workflow linter, a security linter and a shell linter."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.actions.linters import as_workflow, lint_workflows, shellcheck, zizmor
from tests.actions.running import NAMES, ROOT, read_action

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

BAD = """\
on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    timeout: 5
    steps:
      - uses: actions/checkout@v5
      - run: echo ${{ github.head_ref }}
  second:
    needs: third
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ steps.nobody.outputs.answer }}
"""


def test_the_workflow_linter_finds_nothing_in_workflows_and_actions(tmp_path: Path) -> None:
    files = list(WORKFLOWS)
    for name in NAMES:
        files.append(tmp_path / f"{name}.yml")
        files[-1].write_text(as_workflow(read_action(name)))
    found = lint_workflows(files)
    assert len(found) == len(WORKFLOWS) + len(NAMES)
    assert {file: problems for file, problems in found.items() if problems} == {}


def test_the_workflow_linter_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(BAD)
    words = "\n".join(lint_workflows([bad])[str(bad)])
    assert 'unexpected key "timeout"' in words
    assert "potentially untrusted" in words
    assert '"third"' in words
    assert '"nobody"' in words


def test_the_security_linter_finds_nothing_under_its_sharpest_persona() -> None:
    code, words = zizmor(ROOT / ".github")
    assert code == 0, words


def test_the_security_linter_would_find_something(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "bad.yml").write_text(BAD)
    code, words = zizmor(folder.parent)
    assert code != 0
    for finding in ("template-injection", "unpinned-uses", "excessive-permissions", "artipacked"):
        assert finding in words


def scripts() -> dict[str, str]:
    """Every script of actions and workflows, by a name that says where it stands."""
    found = {}
    for name in NAMES:
        for number, step in enumerate(read_action(name)["runs"]["steps"]):
            if "run" in step:
                found[f"action-{name}-{number}"] = step["run"]
    for path in WORKFLOWS:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        for job, described in tree["jobs"].items():
            for number, step in enumerate(described["steps"]):
                if "run" in step:
                    found[f"{path.stem}-{job}-{number}"] = step["run"]
    return found


def test_the_shell_linter_finds_nothing_in_any_script(tmp_path: Path) -> None:
    for name, text in scripts().items():
        (tmp_path / f"{name}.sh").write_text(text)
    command = [shellcheck(), "--shell=bash", "--severity=style", "--format=gcc"]
    files = sorted(map(str, tmp_path.glob("*.sh")))
    assert len(files) >= 8
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.stdout.replace(f"{tmp_path}/", "") == ""


def test_the_shell_linter_would_find_something() -> None:
    script = 'for one in $(ls); do rm -rf "$one"/; done; echo $1'
    done = subprocess.run(
        [shellcheck(), "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_action_says_what_it_is_and_what_each_input_and_output_means(name: str) -> None:
    action = read_action(name)
    assert action["runs"]["using"] == "composite"
    assert action["name"]
    assert action["description"]
    for one in (*(action.get("inputs") or {}).values(), *(action.get("outputs") or {}).values()):
        assert one["description"].endswith(".")
    for one in (action.get("inputs") or {}).values():
        assert (one["required"] == "true") != ("default" in one)
