"""What the page on actors, rights and retention says is what happens: its example is loaded, its commands are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gradesync.config.settings import settings_with_problems
from gradesync.domain.acting import Identity
from gradesync.domain.rights import Right, Target, refusal
from tests.cli.conftest import Tree

PAGE = (Path(__file__).parents[2] / "docs" / "actors.md").read_text(encoding="utf-8")
[EXAMPLE] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
[COMMANDS] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def test_every_right_has_a_line_and_no_line_is_made_up() -> None:
    table = PAGE.split("| right | is needed for |")[1].split("\n\n")[0]
    named = {
        word
        for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for word in re.findall(r"`(\w+)`", row)
    }
    assert named == {right.value for right in Right}


def test_the_example_gives_the_rights_it_says(tmp_path: Path) -> None:
    (tmp_path / "gradesync.yaml").write_text(EXAMPLE, encoding="utf-8")
    read = settings_with_problems(tmp_path)
    assert read.problems == ()
    people, ben = read.settings.people, Identity("blee", "github", "CI dispatch")
    assert refusal(people, Identity("aortiz", "os", "OS user"), Right.ALLOW, Target()) is None
    assert refusal(people, ben, Right.PAUSE, Target()) is None
    assert refusal(people, ben, Right.RUN, Target("oak-hill", "south")) is None
    assert refusal(people, ben, Right.RUN, Target("elm", "south")) is not None
    assert refusal(people, ben, Right.RESUME, Target("elm", "north")) is None


@pytest.mark.parametrize("line", COMMANDS.strip().splitlines())
def test_the_commands_of_the_page_work(tree: Tree, line: str) -> None:
    tree.run("reconcile", "--no-syncs")
    shown = tree.run(*shlex.split(line)[1:]).output
    assert ("Erased" in shown) == ("--yes" in line)
