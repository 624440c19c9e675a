"""What the pages about comparing and adopting show is what a person gets: their commands run against a school."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.sandbox.server import Sandbox, running
from tests.cli.conftest import Tree
from tests.cli.vendor import filled_by_another_tool

DOCS = Path(__file__).parents[2] / "docs"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ACCOUNT = """\
account: riverside
name: Riverside
time_zone: America/New_York
canvas: {{url: {canvas}}}
sis: {{profile: genesis, url: {sis}}}
schedules:
  grades: {{type: grade passback, interval: daily at 04:00, first_run: 2026-09-01 04:00}}
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=24) as served:
        yield served


@pytest.fixture
def gradesync(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[int, str]]:
    """Runs a command line in a recorded tree; answers its exit code and what stood on stdout."""
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "schedules").mkdir()
    (tmp_path / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
    text = ACCOUNT.format(canvas=sandbox.canvas_url("riverside"), sis=sandbox.sis_url("riverside"))
    (tmp_path / "schedules" / "riverside.yaml").write_text(text)
    sandbox.write_secrets(tmp_path / ".gradesync" / "sandbox")

    def run(line: str) -> tuple[int, str]:
        words = shlex.split(line)
        assert words[0] == "gradesync"
        answer = CliRunner().invoke(group, ["-C", str(tmp_path), *words[1:]])
        return answer.exit_code, answer.stdout + answer.stderr

    assert run("gradesync reconcile")[0] == 0
    return run


def masked(line: str) -> str:
    """Numbers differ from school to school and from day to day; the words around them do not."""
    line = re.sub(r"[\d,]*\d", "0", " ".join(line.split()))
    for one, many in (("class", "classes"), ("record", "records"), ("result", "results"), ("item", "items")):
        line = re.sub(rf"\b0 (.*?)\b{many}\b", rf"0 \1{one}", line)
    return line


def show(page: str, gradesync: Callable[[str], tuple[int, str]]) -> int:
    """Run every command of a page's console blocks; each line shown under one must be printed. Answers how many."""
    ran, printed = 0, set[str]()
    for block in CONSOLE.findall((DOCS / page).read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                code, text = gradesync(line[2:])
                assert code in (0, 3), (line, code, text)
                printed = {masked(one) for one in text.splitlines()}
                ran += 1
            else:
                assert masked(line) in printed, (line, sorted(printed))
    return ran


def test_the_page_about_adopting(
    tmp_path: Path, sandbox: Sandbox, gradesync: Callable[[str], tuple[int, str]]
) -> None:
    filled_by_another_tool(Tree(tmp_path, sandbox.url), sandbox)
    assert show("adopt.md", gradesync) >= 4


def test_the_page_about_comparing(sandbox: Sandbox, gradesync: Callable[[str], tuple[int, str]]) -> None:
    gradesync("gradesync run riverside/grades --yes")
    world = sandbox.schools["riverside"].sis
    rows = list(world.rows["results"].values())
    world.edit_score(rows[0]["sourcedId"], 1.25)
    world.drop_row("results", rows[7]["sourcedId"])
    assert show("compare.md", gradesync) >= 4
