"""What the README and the docs show is true: their files are valid, their commands run and print what stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.config.loader import load
from tests.house.conftest import JOB

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
YAML = re.compile(r"^```yaml\n# (\S+\.ya?ml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE = {name: value for name, value in os.environ.items() if name not in JOB}
ENVIRONMENT = {**_HERE, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
HOSTS = 'hosts: ["*.instructure.com", genesis.riverside.example, 127.0.0.1]\nsecrets: env\n'


def shown_files(page: Path) -> dict[str, str]:
    """Path in the tree to text, for every YAML block that begins with a path."""
    return {path: f"# {path}\n{text}" for path, text in YAML.findall(page.read_text(encoding="utf-8"))}


def plant(files: dict[str, str], root: Path) -> Path:
    """A tree with these files; what a page leaves to another page is filled in from the README."""
    whole = {"gradesync.yaml": HOSTS, **files}
    if not any(path.startswith("schedules/") for path in whole):
        whole.update(
            {path: text for path, text in shown_files(README).items() if path.startswith("schedules/")}
        )
    for path, text in whole.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "page", [page for page in PAGES if shown_files(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_file_a_page_shows_is_valid(page: Path, tmp_path: Path) -> None:
    loaded = load(plant(shown_files(page), tmp_path), now=datetime(2026, 11, 23, tzinfo=UTC))
    assert [str(problem) for problem in loaded.problems if not problem.warning] == []
    assert loaded.desired.accounts


def test_the_tree_in_the_repository_has_no_problems() -> None:
    loaded = load(ROOT, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert [str(problem) for problem in loaded.problems if not problem.warning] == []


def test_a_slip_in_a_shown_file_would_be_found(tmp_path: Path) -> None:
    files = {path: text.replace("interval:", "intervall:") for path, text in shown_files(README).items()}
    assert any(p.code == "GS-102" for p in load(plant(files, tmp_path), now=datetime.now(UTC)).problems)


def gradesync(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A real process, as a newcomer would start it."""
    return subprocess.run(
        [sys.executable, "-m", "gradesync", *words],
        cwd=tree,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Each command of a console block with the lines of output the page shows under it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def test_the_readme_s_commands_run_in_its_own_tree_and_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process; that the command starts as one is tried below, in the tests of commands and by `make demo`."""
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    tree = plant(shown_files(README), tmp_path)
    monkeypatch.chdir(tree)
    ran = 0
    for block in CONSOLE.findall(README.read_text(encoding="utf-8")):
        for command, shown in commands(block):
            words = shlex.split(command)
            assert words[0] == "gradesync", command
            answer = CliRunner().invoke(group, words[1:], env=ENVIRONMENT)
            assert answer.exit_code == 0, (command, answer.stderr)
            printed = answer.stdout.splitlines()
            assert [line for line in shown if line not in printed] == [], (command, printed)
            ran += 1
    assert ran >= 5


def test_the_readme_shows_a_slip_the_way_it_is_printed(tmp_path: Path) -> None:
    shown = re.search(
        r"^```text\n(schedules/.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert shown
    tree = plant(shown_files(README), tmp_path)
    file = tree / "schedules" / "riverside.yaml"
    before, _, after = file.read_text(encoding="utf-8").partition("posted_by")
    file.write_text(f"{before}postd_by{after}", encoding="utf-8")
    answer = gradesync(tree, "validate")
    assert answer.returncode == 1
    assert shown[1].strip() in answer.stdout
