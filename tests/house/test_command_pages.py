"""docs/commands.md says what the commands say: nothing is missing, and nothing is left of what is gone."""

from __future__ import annotations

import re

import click
import pytest

from gradesync.cli.main import group
from gradesync.cli.table import MODULES
from tools import command_pages

TEXT = command_pages.PAGE.read_text(encoding="utf-8")
ENTRIES = dict(
    part.split("\n", 1)
    for part in re.split(r"^### gradesync |^## .*\n", TEXT, flags=re.MULTILINE)[1:]
    if part.strip()
)
COMMANDS = {name: (command, context) for _, name, command, context in command_pages.commands()}


def test_the_page_is_what_the_commands_say_today() -> None:
    assert command_pages.page() == TEXT, "a command changed: `python -m tools.command_pages`"


def test_every_command_has_its_entry_and_no_entry_outlives_its_command() -> None:
    written = set(re.findall(r"^### gradesync (.+)$", TEXT, re.MULTILINE))
    assert written == set(COMMANDS)
    assert {name.split()[0] for name in written} == set(MODULES)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_entry_has_every_option_what_it_does_and_an_example(name: str) -> None:
    command, context = COMMANDS[name]
    entry = ENTRIES[name]
    for param in command.get_params(context):
        if (
            isinstance(param, click.Option)
            and not param.hidden
            and not set(param.opts) & set(command_pages.SHARED)
        ):
            assert any(
                re.search(rf"^\| `[^`]*{re.escape(word)}\b", entry, re.MULTILINE) for word in param.opts
            )
            assert param.help or name in {
                "next",
                "sandbox teach",
                "sandbox sis-edit",
                "sandbox other-tool",
            }, param.name
    assert "\n```sh\ngradesync " in entry


@pytest.mark.parametrize("name", COMMANDS)
def test_an_entry_shows_no_option_the_command_lost(name: str) -> None:
    command, context = COMMANDS[name]
    known = {word for param in command.get_params(context) for word in (*param.opts, *param.secondary_opts)}
    shown = {
        word
        for row in re.findall(r"^\| `(-[^`]+)`", ENTRIES[name], re.MULTILINE)
        for word in re.findall(r"--[\w-]+", row)
    }
    assert shown <= known


def test_exit_codes_of_a_command_are_told_where_its_help_speaks_of_them() -> None:
    assert set(command_pages.BEYOND) <= set(COMMANDS)
    for name, (command, context) in COMMANDS.items():
        said = {
            int(code)
            for code in re.findall(
                r"\b(?:[Ee]xit(?: code)?s?|[Ee]nds? with|, with) (\d+)\b", command.get_help(context)
            )
        }
        told = set(command_pages.BEYOND.get(name, {})) | {0, 1, 64, 130}
        assert said <= told, name
    assert {code for ends in command_pages.BEYOND.values() for code in ends} <= set(command_pages.EXIT_CODES)


def test_the_command_line_knows_no_exit_code_the_page_does_not() -> None:
    from gradesync import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind.exit_code for kind in kinds if hasattr(kind, "exit_code")} <= set(command_pages.EXIT_CODES)
    assert isinstance(group, click.Group)
