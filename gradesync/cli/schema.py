"""`gradesync schema`: the file format as JSON Schema, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from gradesync.cli.common import Invocation, new_command, tell


@new_command("schema", "gradesync schema --output gradesync.schema.json")
@click.option(
    "--kind",
    type=click.Choice(["account", "defaults", "settings"]),
    default="account",
    show_default=True,
    help="Account files, _defaults.yaml, or gradesync.yaml.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of stdout.")
def command(said: Invocation, kind: Literal["account", "defaults", "settings"], output: Path | None) -> None:
    """Print the JSON schema that editors use for completion and red lines."""
    from gradesync.config.schema.export import schema_text

    text = schema_text(kind)
    if output is None:
        click.echo(text.rstrip("\n"))
        return
    path = said.root / output
    path.write_text(text, encoding="utf-8")
    tell(f"{path} written")
