"""Writes values to stdout in the format asked for; the words and shapes are `reporting`'s.

Every format module of `reporting` offers functions of the same names, so that one call serves all formats and only
the module that is needed is imported.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gradesync.reporting.style import Style

_MODULES = {"text": "text", "json": "structured", "github": "github", "markdown": "markdown"}


def show(form: str, what: str, *values: Any, **named: Any) -> None:
    """Render `what` (a function of the format's module) and print it."""
    function = getattr(import_module(f"gradesync.reporting.{_MODULES[form]}"), what)
    if form == "json":
        json_out(function(*values, **named))
        return
    if form == "text":
        named["style"] = style()
    text = function(*values, **named)
    if text:
        # Whoever asks for colours gets them in a pipe too, which click would take out again.
        click.echo(text.rstrip("\n"), color=named["style"].color if form == "text" else None)


def json_out(value: Any) -> None:
    """One JSON document on stdout; nothing but ASCII, so that no control or direction mark reaches a terminal.

    Nor a CI runner a command: one kind is looked for anywhere in a line, so its beginning is written as an escape.
    """
    import json

    # `##[` is where old commands of CI runners begin, wherever it stands in a line.
    click.echo(json.dumps(value, indent=2, ensure_ascii=True).replace("##[", "##\\u005b"))


def style() -> Style:
    """What stdout can show: NO_COLOR wins over FORCE_COLOR, which wins over what stdout is."""
    from gradesync.reporting.style import Style

    terminal, forced = sys.stdout.isatty(), os.environ.get("FORCE_COLOR")
    wanted = forced not in ("0", "false") if forced else terminal and os.environ.get("TERM") != "dumb"
    color = wanted and not os.environ.get("NO_COLOR")
    if not terminal:
        said = os.environ.get("COLUMNS", "")
        return Style(color=color, width=int(said) if said.isdigit() and int(said) else 120, terminal=False)
    import shutil

    return Style(color=color, width=shutil.get_terminal_size().columns, terminal=True)
