"""`gradesync explain`: one code of the catalogue in plain words."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command
from gradesync.cli.options import nearest
from gradesync.cli.render import json_out
from gradesync.errors import NotFound

_ACTS = {
    "retry": "It is tried again by itself.",
    "person": "A person must act; a run that meets it ends as `warning`.",
    "hold": "The record waits until the other side opens again.",
    "info": "For your information; nothing is wrong.",
    "bug": "It should not happen; a run that meets it ends as `warning`.",
}


@new_command("explain", "gradesync explain GS-405\ngradesync explain 405")
@click.argument("code")
@format_option()
def command(_said: Invocation, code: str, form: str) -> None:
    """Say what a GS code means, what cures it and who must act."""
    from gradesync.domain.problem import CODES

    name = code.upper()
    name = f"GS-{name}" if name.isdigit() else name
    found = CODES.get(name)
    if found is None:
        if "/" in code:
            told = f"`gradesync show {code}` tells about a schedule; codes look like GS-405"
            raise NotFound(f"{code} is no code", hint=told)
        raise NotFound(f"there is no code {code}", hint=nearest(name, CODES.keys()))
    if form == "json":
        json_out(
            {
                "version": 1,
                "kind": "code",
                "code": found.code,
                "title": found.title,
                "remedy": found.remedy,
                "who": found.who,
                "act": found.act.value,
                "needs_person": found.needs_person,
            }
        )
        return
    click.echo(f"{found.code}  {found.title}\n  Remedy    {found.remedy}\n  Who acts  {found.who}")
    click.echo(f"  Effect    {_ACTS[found.act.value]}")
