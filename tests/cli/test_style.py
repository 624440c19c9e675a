"""Colours where they are wanted and can be shown; piped output is plain and whole."""

from __future__ import annotations

import re

import pytest

from gradesync.cli import render
from tests.cli.conftest import Tree


@pytest.mark.parametrize(
    ("environment", "terminal", "color"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_who_asked_for_colours_gets_them(
    environment: dict[str, str], terminal: bool, color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert render.style().color is color
    assert render.style().terminal is terminal


@pytest.mark.parametrize("command", [("show", "riverside/grades"), ("list",), ("history",)], ids=" ".join)
def test_colours_that_were_asked_for_reach_the_pipe_and_change_nothing_else(
    command: tuple[str, ...], tree: Tree
) -> None:
    tree.run("reconcile", "--no-syncs")
    coloured = tree.run(*command, env={"FORCE_COLOR": "1", "NO_COLOR": ""}).stdout
    plain = tree.run(*command).stdout
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]+m", "", coloured) == plain


@pytest.mark.parametrize("columns", ["nonsense", "0", "-5", "80"])
def test_a_width_that_is_none_is_no_crash(columns: str, tree: Tree) -> None:
    tree.run("store", "init")
    assert "No schedules." in tree.run("list", env={"COLUMNS": columns}).stdout


def test_piped_output_is_the_same_whatever_terminal_was_around(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    shown = {tree.run("list", env={"COLUMNS": width, "TERM": term}).stdout for width, term in WAYS}
    assert len(shown) == 1
    assert "POSTED BY" in shown.pop()


WAYS = [("40", "dumb"), ("80", "xterm"), ("300", "xterm-256color")]
