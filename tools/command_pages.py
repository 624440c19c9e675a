"""`python -m tools.command_pages` writes docs/commands.md from the commands: help, options, examples, exit codes.

Nothing of the page is written by hand but the meaning of the exit codes, which no command says in full. The tests tell
when the page and the commands differ.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from gradesync.cli.main import group
from gradesync.cli.table import SECTIONS

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
MADE = "<!-- Made by `python -m tools.command_pages` from the commands; do not edit. -->"
EXIT_CODES = {
    0: "fine",
    1: "problems in the files, an action that failed, nothing of that name, or a store that cannot be used",
    2: "changes wait: only from `plan --detailed-exitcode`",
    3: "it worked, and a person is needed: a run failed or withheld something, or a part could not be read",
    4: "the one account asked for is busy, or a run has not ended yet",
    5: "safety stop: a guard withheld something",
    6: "the saved plan no longer fits",
    64: "the command line cannot be understood",
    130: "interrupted",
}
BEYOND: dict[str, dict[int, str]] = {
    "plan": {2: "with `--detailed-exitcode`: changes wait", 5: "a guard withholds something"},
    "reconcile": {
        3: "a run needs a person, by `--fail-on`",
        4: "with one `--account`: it is busy",
        5: "a guard withheld something",
        6: "with `--plan`: it no longer fits",
    },
    "run": {3: "the run failed or needs a person", 4: "somebody works in the account already"},
    "adopt": {3: "a part could not be read", 4: "somebody works in the account already"},
    "compare": {3: "with `--exit-code`: a person must look"},
    "pause": {4: "with `--now`: a run has not ended yet"},
    "pause-all": {4: "with `--now`: a run has not ended yet"},
    "stop": {4: "a run has not ended yet"},
    "doctor": {1: "a check failed", 3: "a person should look at something"},
    "init": {3: "lines of a pasted table are left to be finished by hand"},
    "comment": {1: "with `--strict`: GitHub did not take it"},
    "notify list": {1: "passes stay away"},
    "notify send": {1: "a channel did not take its message"},
    "notify test": {1: "a channel did not take its message"},
    "holds": {1: "with `--exit-code`: a hold is shown"},
    "resume": {1: "nothing was released, or a schedule of the scope is paused in its file"},
}
"""Exit codes a command has beyond 0, 1, 64 and 130, or means in its own way."""
SHARED = ("-C", "--as", "--verbose", "--log-format", "--help")
_EXTRA = re.compile(r"\s*\[[^\]]*(?:default|required|<=|>=|x<)[^\]]*\]$")


def commands() -> Iterator[tuple[str, str, click.Command, click.Context]]:
    """Section, full name without `gradesync`, the command and a context for it; a group's commands stand for it."""
    context = _context(group, "gradesync")
    for title, rows in SECTIONS:
        for name, _, _ in rows:
            command = group.get_command(context, name)
            assert command is not None
            below = _context(command, name, context)
            if not isinstance(command, click.Group):
                yield title, name, command, below
                continue
            for one in command.list_commands(below):
                sub = command.get_command(below, one)
                assert sub is not None
                yield title, f"{name} {one}", sub, _context(sub, one, below)


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """As click makes it for a real call: what is asked of it decides how help options are spelled."""
    return click.Context(command, parent=parent, info_name=name, **command.context_settings)


def options(command: click.Command, context: click.Context) -> list[tuple[str, str, str]]:
    """Of each option of its own: how it is written, what it does, and its default."""
    rows = []
    for param in command.get_params(context):
        if not isinstance(param, click.Option) or param.hidden or set(param.opts) & set(SHARED):
            continue
        record = param.get_help_record(context)
        assert record is not None
        extra = param.get_help_extra(context)
        left = extra.get("default") or ("needed" if param.required else "")
        if "range" in extra:
            left = f"{left} ({_range(extra['range'])})".strip()
        rows.append((record[0], _EXTRA.sub("", record[1]), left))
    return rows


def page() -> str:
    """The text of docs/commands.md."""
    parts = ["# Commands", MADE, _INTRODUCTION, "## Exit codes", _exit_codes(), "## Everywhere", _shared()]
    section = ""
    for title, name, command, context in commands():
        if title != section:
            parts.append(f"## {title}")
            section = title
        parts += _command(name, command, context)
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
Every command with its options. `gradesync --help` lists them in a terminal, and `--help` behind one says what stands
here. Data goes to stdout, everything else to stderr; `--format json` has [a documented shape](json-output.md)."""


def _command(name: str, command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join(["gradesync", name, *command.collect_usage_pieces(context)])
    parts = [f"### gradesync {name}", _prose(command.help or ""), f"```text\n{usage}\n```"]
    rows = [
        f"| `{_cell(how)}` | {_cell(what)} | {_cell(left)} |" for how, what, left in options(command, context)
    ]
    if rows:
        parts.append("\n".join(["| option | what it does | when left out |", "| --- | --- | --- |", *rows]))
    ends = BEYOND.get(name, {})
    if ends:
        parts.append(
            "Exit codes of its own: " + "; ".join(f"**{code}** {what}" for code, what in ends.items()) + "."
        )
    lines = _examples(command)
    if lines:
        parts.append("```sh\n" + "\n".join(lines) + "\n```")
    return parts


def _examples(command: click.Command) -> list[str]:
    _, _, text = (command.epilog or "").partition("Examples:\n")
    return [line.removeprefix("  ") for line in text.splitlines() if line.strip()]


def _exit_codes() -> str:
    rows = [f"| {code} | {what} |" for code, what in EXIT_CODES.items()]
    after = "Of several, the first of 130, 64, 6, 5, 1, 4, 3, 2. A command whose entry names none has 0, 1, 64 and 130."
    return "\n".join(["| code | meaning |", "| --- | --- |", *rows, "", after])


def _shared() -> str:
    context = _context(group, "gradesync")
    rows = []
    for param in group.get_params(context):
        if isinstance(param, click.Option) and not param.hidden:
            record = param.get_help_record(context)
            assert record is not None
            rows.append(f"| `{_cell(record[0])}` | {_cell(record[1])} |")
    head = "These stand before the command's name, and all but `--version` after it, too."
    return "\n".join([head, "", "| option | what it does |", "| --- | --- |", *rows])


def _prose(text: str) -> str:
    """Paragraphs as they were written; what was set out line by line becomes a block."""
    parts = []
    for paragraph in inspect.cleandoc(text).replace("\f", "").split("\n\n"):
        if paragraph.startswith("\b"):
            parts.append("```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            parts.append(" ".join(paragraph.split()).replace("<", "\\<").replace("*", "\\*"))
    return "\n\n".join(parts)


def _range(text: str) -> str:
    """`1<=x<=1440` as people write it."""
    found = re.fullmatch(r"(\d+)<=x<=(\d+)", text)
    return f"{found[1]} to {found[2]}" if found else text.replace("x>=", "at least ")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
