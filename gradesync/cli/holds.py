"""`gradesync holds`: the holds in force."""

from __future__ import annotations

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened
from gradesync.cli.render import show


@new_command("holds", "gradesync holds\ngradesync holds --past --format json")
@format_option()
@click.option("--past", is_flag=True, help="Also those that ended.")
def command(said: Invocation, form: str, past: bool) -> None:
    """Show what is held, by whom, why and until when."""
    with opened(said) as app:
        now = app.store.now()
        show(form, "holds", app.store.holds(now, include_past=past), now)
