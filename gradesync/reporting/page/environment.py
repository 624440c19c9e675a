"""The one place that knows Jinja2: templates compiled once for the process, and the files that go beside them.

Everything a template shows is escaped: by the template, or before, where it says `autoescape false` or `safe`; only
values of type `Escaped`, and numbers, may stand there. No template has a filter or a macro in a row: a page has many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import NewType

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import escape

Escaped = NewType("Escaped", str)
"""A text that is HTML already, for templates that say `autoescape false` there. One that escapes would show it twice
escaped: wrong to look at, and never dangerous."""

_HERE = "gradesync.reporting.page"
ASSETS = ("style.css", "page.js", "icon.svg")


def source(name: str) -> str | None:
    """A template's text; None where there is none."""
    found = files(_HERE) / "templates" / name
    return found.read_text(encoding="utf-8") if found.is_file() else None


@cache
def environment() -> Environment:
    """How all templates are read; made once."""
    return Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )


@cache
def template(name: str) -> Template:
    """A template by its file's name, compiled."""
    return environment().get_template(name)


@cache
def piece(name: str) -> Callable[..., Escaped]:
    """A macro of `run_cells.html`: what it says of its arguments is escaped. Dear, so whoever asks keeps the answer."""
    macro = getattr(template("run_cells.html").module, name)
    return lambda *values: Escaped(str(macro(*values)))


def escaped(text: str) -> Escaped:
    """The text as HTML shows it, in an element or in a quoted attribute."""
    found = escape(text)
    # A plain text is shown as it is, any other copied first: of tens of thousands few have anything to escape.
    return Escaped(text if found == text else found)


@cache
def assets() -> Mapping[str, bytes]:
    """Style, script and icon: the same bytes beside every page that uses them."""
    return {name: (files(_HERE) / "assets" / name).read_bytes() for name in ASSETS}
