"""The one place that knows Jinja2: templates compiled once for the process, and the files that go beside them.

Everything a template shows is escaped. No template has a filter or a macro in a row: a page has many rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

_HERE = "gradesync.reporting.page"
ASSETS = ("style.css", "page.js", "icon.svg")


def _source(name: str) -> str | None:
    found = files(_HERE) / "templates" / name
    return found.read_text(encoding="utf-8") if found.is_file() else None


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_source),
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
    return _environment().get_template(name)


@cache
def assets() -> Mapping[str, bytes]:
    """Style, script and icon: the same bytes beside every page that uses them."""
    return {name: (files(_HERE) / "assets" / name).read_bytes() for name in ASSETS}
