"""`gradesync init`: the first files of a tree."""

from __future__ import annotations

from pathlib import Path

import click

from gradesync.cli import templates
from gradesync.cli.common import Invocation, new_command, opened, tell
from gradesync.errors import GradesyncError


@new_command("init", "gradesync init\ngradesync init ../district-schedules --store")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--store", is_flag=True, help="Make the store too.")
def command(said: Invocation, folder: Path | None, store: bool) -> None:
    """Write gradesync.yaml, an example account (paused) and the schemas for editors; nothing is overwritten.

    FOLDER is made when it is not there; left out, it is this folder, or the one -C names.
    """
    from gradesync.config.schema.export import schema_text

    texts = {
        "gradesync.yaml": templates.SETTINGS,
        "schedules/example.yaml": templates.ACCOUNT,
        templates.SCHEMA: schema_text("account"),
        templates.SETTINGS_SCHEMA: schema_text("settings"),
    }
    if folder is not None:
        said.root = said.root / folder
        said.root.mkdir(parents=True, exist_ok=True)
    _refuse_overwriting(said.root)
    for name, text in texts.items():
        path = said.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        tell(f"{name} written")
    if _ignore(said.root / ".gitignore"):
        tell(f"{templates.IGNORED} added to .gitignore")
    if store:
        from gradesync.wiring import OpenMode

        with opened(said, OpenMode.CREATE) as app:
            info = app.store.info()
            tell(f"{info.place} made; its lineage is {info.lineage}")
    tell("next: fill in schedules/example.yaml, then `gradesync validate` and `gradesync plan`")


def _refuse_overwriting(root: Path) -> None:
    found = [
        name
        for name in (
            "gradesync.yaml",
            "gradesync.yml",
            "schedules",
            templates.SCHEMA,
            templates.SETTINGS_SCHEMA,
        )
        if (root / name).exists()
    ]
    if found:
        raise GradesyncError(
            f"{root.resolve()} is a tree already: it holds {found[0]}",
            hint="name another one: `gradesync init FOLDER`",
        )


def _ignore(path: Path) -> bool:
    """Add our line unless it stands there; True when it was added."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if templates.IGNORED in text.splitlines():
        return False
    gap = "" if not text or text.endswith("\n") else "\n"
    path.write_text(f"{text}{gap}{templates.IGNORED}\n", encoding="utf-8")
    return True
