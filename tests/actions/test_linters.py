"""Workflows, actions and what `init --repo` writes, under a workflow linter, a security linter and a shell linter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from gradesync.cli.init_repo import Actions, write_repo
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


WRITTEN = ("act", "plan", "reconcile", "reconcile-cron", "validate")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init --repo` writes for a district."""
    root = tmp_path_factory.mktemp("repository")
    write_repo(root, owners=("@district/sync-owners",), actions=Actions("district-it/gradesync", "0" * 40))
    return root


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflows that the documents show, as a repository of its own."""
    pages = ("running-in-ci.md", "more-workflows.md")
    text = "\n".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    folder = tmp_path_factory.mktemp("shown") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for workflow in (one for one in blocks if "\njobs:\n" in one):
        (folder / f"shown {yaml.safe_load(workflow)['name']}.yml").write_text(workflow)
    return folder.parent


@pytest.fixture(scope="module")
def linted(repository: Path, shown: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the workflow linter finds, by name; it is started once for all of them."""
    folder = tmp_path_factory.mktemp("linted")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in WORKFLOWS}
    texts |= {f"action {name}": as_workflow(read_action(name)) for name in NAMES}
    for path in (repository / ".github" / "workflows").glob("*.yml"):
        texts[f"written {path.stem}"] = path.read_text(encoding="utf-8")
    for path in (shown / "workflows").iterdir():
        texts[path.stem] = path.read_text(encoding="utf-8")
    texts["bad"] = BAD
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text)
    found = lint_workflows(folder / f"{name}.yml" for name in texts)
    return {Path(file).stem: problems for file, problems in found.items()}


def test_the_workflow_linter_finds_nothing_in_workflows_actions_and_what_we_write_for_others(
    linted: dict[str, list[str]],
) -> None:
    looked_at = {path.stem for path in WORKFLOWS} | {f"action {name}" for name in NAMES}
    looked_at |= {"shown plan-of-the-north", "shown doctor", "shown page"}
    assert looked_at | {f"written {name}" for name in WRITTEN} == set(linted) - {"bad"}
    assert {name: problems for name, problems in linted.items() if problems and name != "bad"} == {}


def test_the_workflow_linter_would_find_something(linted: dict[str, list[str]]) -> None:
    words = "\n".join(linted["bad"])
    assert 'unexpected key "timeout"' in words
    assert "potentially untrusted" in words
    assert '"third"' in words
    assert '"nobody"' in words


def test_the_security_linter_finds_nothing_under_its_sharpest_persona(repository: Path) -> None:
    for folder in (ROOT / ".github", repository / ".github"):
        code, words = zizmor(folder)
        assert code == 0, words


def test_the_security_linter_finds_nothing_in_what_the_documents_show(shown: Path) -> None:
    code, words = zizmor(shown, "regular")
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
