"""`gradesync explain`: one code of the catalogue in plain words."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command
from gradesync.cli.options import nearest
from gradesync.cli.render import show
from gradesync.errors import NotFound


@new_command("explain", "gradesync explain GS-405\ngradesync explain 405")
@click.argument("code")
@format_option()
def command(_said: Invocation, code: str, form: str) -> None:
    """Say what a GS code means, what cures it, who must act, and what happens meanwhile."""
    from gradesync.domain.problem import CODES

    name = code.upper()
    name = f"GS-{name}" if name.isdigit() else name
    found = CODES.get(name)
    if found is None:
        if "/" in code:
            told = f"`gradesync show {code}` tells about a schedule; codes look like GS-405"
            raise NotFound(f"{code} is no code", hint=told)
        raise NotFound(f"there is no code {code}", hint=nearest(name, CODES.keys()))
    show(form, "code", found)
