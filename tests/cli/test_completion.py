"""Tab completes what exists, in a real shell, quickly and without a word when something is wrong.

Zsh and fish need not be installed: what they ask and what they take is tried word by word instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.cli.table import MODULES
from tests.cli.conftest import Tree


class Shell:
    """A bash that has the script, in a tree, with `gradesync` on its path."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.tree = tree
        program = folder / "gradesync"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gradesync "$@"\n')
        program.chmod(0o755)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("_GRADESYNC")},
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            # A shell may write its history and its settings: not those of whoever runs the tests.
            "HOME": str(folder),
        }
        self.script = folder / "complete.bash"
        self.script.write_text(self.run("gradesync completion bash 2>/dev/null"))

    def run(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "--norc", "-c", script],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == "", done.stderr
        return done.stdout

    def tab(self, *words: str) -> list[str]:
        """What Tab offers for the last of the words."""
        line = " ".join(f"'{word}'" for word in ("gradesync", *words))
        return self.run(
            f"source {self.script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
            '_gradesync_completion gradesync; printf "%s\\n" "${COMPREPLY[@]}"'
        ).split()


@pytest.fixture
def shell(tree: Tree, tmp_path: Path) -> Shell:
    if shutil.which("bash") is None:
        pytest.skip("no bash on this machine")
    tree.run("reconcile", "--no-syncs")
    tree.account("not-recorded-yet")
    folder = tmp_path / "bin"
    folder.mkdir()
    return Shell(folder, tree.root)


def test_a_real_bash_completes_what_exists(shell: Shell) -> None:
    assert set(MODULES) <= set(shell.tab(""))
    assert shell.tab("rec") == ["reconcile"]
    assert "--dry-run" in shell.tab("run", "--d")
    assert shell.tab("show", "river") == ["riverside", "riverside/grades", "riverside/roster-nightly"]
    assert shell.tab("pause", "oak") == ["oak-hill", "oak-hill/grades", "oak-hill/roster-nightly"]
    assert shell.tab("run", "oak-hill/g") == ["oak-hill/grades"]
    assert shell.tab("list", "not-") == ["not-recorded-yet"]
    assert shell.tab("list", "--needs", "d") == ["district"]
    assert "GS-405" in shell.tab("explain", "GS-40")
    assert shell.tab("list", "--type", "gr") == ["grade-passback"]
    assert "migrate" in shell.tab("store", "")


def test_completing_never_says_a_word(shell: Shell) -> None:
    # `run` fails where anything stands on stderr.
    assert shell.tab("no-such-command", "x") == []
    (shell.tree / ".gradesync" / "store.db").write_bytes(b"no database at all")
    assert shell.tab("run", "river") == []
    assert shell.tab("-C", "/no/such/folder", "show", "x") == []


@pytest.mark.parametrize(("of", "mark"), [("zsh", "#compdef gradesync"), ("fish", "complete --no-files")])
def test_other_shells_get_their_script_and_where_it_goes(of: str, mark: str, tree: Tree) -> None:
    answer = tree.run("completion", of)
    assert mark in answer.stdout
    assert "put it into" in answer.stderr


def asked(shell: str, root: Path, *words: str) -> list[str]:
    """What is answered when a shell asks about the last of the words, as it would: the plain values."""
    line = f"gradesync -C {root} {' '.join(words)}"
    last = words[-1]
    count = {"fish": last}.get(shell, str(len(words) + 2))
    environment = {"_GRADESYNC_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": count}
    lines = CliRunner().invoke(group, [], env=environment).stdout.splitlines()
    if shell == "zsh":
        return lines[1::3]
    return [one.removeprefix("plain,").partition("\t")[0] for one in lines]


@pytest.mark.parametrize("of", ["zsh", "fish"])
def test_other_shells_are_answered_what_exists(of: str, tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    assert set(MODULES) <= set(asked(of, tree.root, ""))
    assert asked(of, tree.root, "rec") == ["reconcile"]
    assert "--dry-run" in asked(of, tree.root, "run", "--d")
    assert asked(of, tree.root, "show", "oak") == ["oak-hill", "oak-hill/grades", "oak-hill/roster-nightly"]
    assert asked(of, tree.root, "run", "oak-hill/g") == ["oak-hill/grades"]
    assert asked(of, tree.root, "list", "--needs", "d") == ["district"]


@pytest.mark.parametrize(
    ("of", "words", "offered"),
    [
        ("bash", ("list", "--needs", "=", "d"), "district"),
        ("zsh", ("list", "--needs=d"), "--needs=district"),
        ("fish", ("list", "--needs=d"), "--needs=district"),
        ("bash", ("reconcile", "--account", "=", "oak"), "oak-hill"),
        ("zsh", ("reconcile", "--account=oak"), "--account=oak-hill"),
        ("fish", ("reconcile", "--account=oak"), "--account=oak-hill"),
    ],
)
def test_a_value_behind_an_equals_sign_completes_as_the_shell_puts_it_into_the_line(
    of: str, words: tuple[str, ...], offered: str, tree: Tree
) -> None:
    assert asked(of, tree.root, *words) == [offered]


def test_fish_does_not_cut_a_description_at_its_first_comma(tree: Tree) -> None:
    assert 'string split --max 1 "," $completion' in tree.run("completion", "fish").stdout


def test_zsh_looks_for_files_behind_an_equals_sign_too(tree: Tree) -> None:
    lines = [line.strip() for line in tree.run("completion", "zsh").stdout.splitlines()]
    looking = [number for number, line in enumerate(lines) if line.startswith("_path_files")]
    assert len(looking) == 2
    assert {lines[number - 1] for number in looking} == {"compset -P '--*='"}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("plan --changed-files=gradesync.y", "--changed-files=gradesync.yaml"),
        ("plan --changed-files gradesync.y", "gradesync.yaml"),
        ("list --needs=d", "--needs=district"),
    ],
)
def test_a_real_fish_completes_files_with_and_without_an_equals_sign(
    shell: Shell, typed: str, offered: str
) -> None:
    if shutil.which("fish") is None:
        pytest.skip("no fish on this machine")
    shell.run("gradesync completion fish > $HOME/complete.fish 2>/dev/null")
    line = f"source $HOME/complete.fish; complete -C 'gradesync {typed}'"
    assert shell.run(f'fish --no-config -c "{line}"').split() == [offered]


def test_a_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys; from gradesync.__main__ import _run\n"
        "try: _run([])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m in ('sqlalchemy', 'yaml', 'gradesync.cli.run', 'gradesync.cli.page')],"
        " file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "_GRADESYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": "gradesync ",
            "COMP_CWORD": "1",
        },
    )
    assert answer.stderr.strip() == "[]"
    assert "plain,reconcile" in answer.stdout
