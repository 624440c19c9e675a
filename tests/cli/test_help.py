"""Help is instant, complete and honest; wrong usage is 64 and never looks like "changes wait"."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.cli.table import MODULES

HEAVY = [
    "pydantic",
    "sqlalchemy",
    "aiohttp",
    "deepdiff",
    "rich",
    "yaml",
    "importlib.metadata",
    "asyncio",
    "croniter",
    "click",
    "alembic",
]


def test_a_reader_that_has_seen_enough_of_the_help_is_no_crash() -> None:
    begun = subprocess.Popen(
        [sys.executable, "-m", "gradesync", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert begun.stdout is not None
    begun.stdout.close()
    _, said = begun.communicate()
    assert begun.returncode == 141
    assert said == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_and_version_import_no_library(arguments: list[str]) -> None:
    code = (
        "import sys; from gradesync.__main__ import _run; "
        f"assert _run({arguments!r}) == 0; print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr.strip() == "[]"
    assert "gradesync" in answer.stdout


@pytest.mark.parametrize("name", ["list", "history", "holds"])
def test_a_commands_own_help_imports_no_store_and_no_reader(name: str) -> None:
    code = (
        "import sys; from gradesync.cli.main import run; "
        f"assert run([{name!r}, '--help']) == 0; "
        f"print([m for m in {HEAVY!r} if m in sys.modules and m != 'click'], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr.strip() == "[]"


def _commands() -> list[list[str]]:
    found: list[list[str]] = []
    context = click.Context(group)
    for name in MODULES:
        command = group.get_command(context, name)
        assert command is not None
        found += [[name, sub] for sub in command.commands] if isinstance(command, click.Group) else [[name]]
    return found


@pytest.mark.parametrize("path", _commands(), ids=" ".join)
def test_every_commands_help_says_what_it_does_and_shows_an_example(path: list[str]) -> None:
    result = CliRunner().invoke(group, [*path, "--help"])
    assert result.exit_code == 0
    assert f"gradesync {' '.join(path)}" in result.output.partition("Examples:")[2]


def _examples() -> list[str]:
    found = []
    context = click.Context(group)
    for path in _commands():
        command: click.Command | None = group
        for name in path:
            assert isinstance(command, click.Group)
            command = command.get_command(context, name)
        assert command is not None
        lines = (command.epilog or "").replace("\\\n", " ").splitlines()[2:]
        found += [line.strip() for line in lines if line.strip()]
    return found


@pytest.mark.parametrize("line", _examples())
def test_every_example_is_one_that_can_be_typed(line: str, tmp_path: Path) -> None:
    """Each part between pipes that is ours is parsed by its own command: its options exist and take such values."""
    for part in re.split(r"\s[|>]\s|\s&&\s", re.sub(r"\s+#\s.*", "", line)):
        words = shlex.split(part)
        if not words or words[0] != "gradesync":
            continue
        command: click.Command = group
        context = click.Context(group, info_name="gradesync")
        rest = words[1:]
        while isinstance(command, click.Group):
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None, part
            command, context = found, click.Context(found, parent=context, info_name=name)
        try:
            command.make_context(context.info_name, rest, parent=context.parent)
        except click.BadParameter as problem:
            # A file or a folder that the example's reader has and this test has not.
            if "does not exist" not in problem.message:
                raise


def test_help_fits_eighty_columns_and_one_page() -> None:
    lines = CliRunner().invoke(group, ["--help"]).output.splitlines()
    assert len(lines) <= 66
    assert max(map(len, lines)) <= 80


def _with_families() -> list[list[str]]:
    """Every command, and every name that only holds commands."""
    return [[name] for name in MODULES] + [path for path in _commands() if len(path) > 1]


@pytest.mark.parametrize("path", _with_families(), ids=" ".join)
def test_every_commands_help_fits_a_terminal_of_eighty_columns(path: list[str]) -> None:
    result = CliRunner().invoke(group, [*path, "--help"], terminal_width=80)
    assert result.exit_code == 0
    # A text that cannot be broken (an example, a file's name) is written shorter or over two lines, with a backslash.
    assert [line for line in result.output.splitlines() if len(line) > 80] == []


def test_a_commands_own_options_stand_before_those_of_every_command() -> None:
    text = CliRunner().invoke(group, ["list", "--help"]).output
    own, _, rest = text.partition("Examples:")
    assert "--needs" in own
    assert "--verbose" not in own
    assert "As with every command:" in rest
    assert "--verbose" in rest


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(group, ["--help"]).output
    assert all(f"\n  {name} " in text for name in MODULES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["lst"],
        ["list", "--needs", "nobody"],
        ["plan", "--no-such-option"],
        ["run", "riverside"],
        ["pause-all", "--reason", "why"],
        ["resume"],
        ["store", "nonsense"],
        ["reconcile", "--allow", "abc"],
        ["-C", "/no/such/folder", "list"],
    ],
)
def test_wrong_usage_is_64_and_says_where_to_look(arguments: list[str]) -> None:
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 64
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "--help" in result.stderr


def test_a_family_of_commands_alone_shows_its_members() -> None:
    result = CliRunner().invoke(group, ["store"])
    assert result.exit_code == 64
    assert result.stdout == ""
    assert "error" not in result.stderr
    assert "unlock" in result.stderr


def test_a_misspelt_command_is_guessed() -> None:
    assert "did you mean list?" in CliRunner().invoke(group, ["lst"]).stderr


def test_explain_names_remedy_and_who_acts() -> None:
    result = CliRunner().invoke(group, ["explain", "405"])
    assert result.exit_code == 0
    assert "GS-405  Group matches no category" in result.output
    assert "teacher" in result.output
    assert CliRunner().invoke(group, ["explain", "GS-999"]).exit_code == 1


def test_next_shows_slots_and_refuses_what_is_no_interval() -> None:
    arguments = ["next", "daily at 06:30", "--time-zone", "America/New_York", "--after", "2026-10-31 12:00"]
    result = CliRunner().invoke(group, [*arguments, "--count", "2"])
    assert result.exit_code == 0
    assert "2026-11-01" in result.output
    refused = CliRunner().invoke(group, ["next", "now and then", "--time-zone", "America/New_York"])
    assert refused.exit_code == 1
    assert "Traceback" not in refused.stderr


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    serving = subprocess.Popen(
        [sys.executable, "-m", "gradesync", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert serving.stdout is not None
    assert serving.stderr is not None
    serving.stdout.read(10)
    serving.stdout.close()
    assert serving.stderr.read() == b""
    serving.stderr.close()
    serving.wait()
