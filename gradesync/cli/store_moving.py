"""`gradesync store` for whoever runs the database: migrating it, granting its roles, moving it as a file."""

from __future__ import annotations

from pathlib import Path

import click

from gradesync.cli.common import Invocation, format_option, new_command, opened, tell
from gradesync.cli.progress import watching
from gradesync.cli.render import json_out, show
from gradesync.cli.rights import require_before_opening
from gradesync.domain.rights import Right


@new_command("migrate", "gradesync store migrate\ngradesync store migrate --backed-up")
@click.option("--backed-up", is_flag=True, help="PostgreSQL: there is a backup from just now.")
@format_option()
def migrate(said: Invocation, form: str, *, backed_up: bool) -> None:
    """Bring the store's schema up to this version; there is no way back but the backup.

    An SQLite file is copied first (to STORE.schema-NNNN beside it), and every command does this by itself. On
    PostgreSQL only this command does, run by the owner of the tables with --backed-up.
    """
    from gradesync.wiring import OpenMode

    require_before_opening(said, Right.STORE)
    with opened(said, OpenMode.MIGRATE if backed_up else None) as app:
        info = app.store.info()
        queue = backed_up and app.prepare_queue()
        show(form, "store_info", info)
    if queue:
        tell("the queue for workers is prepared")
    elif info.kind == "postgresql" and not backed_up:
        tell("a queue for workers is looked after only with --backed-up")
    if info.migrated_from is None:
        tell(f"the schema is {info.schema} already; nothing was changed")
        return
    tell(f"schema {info.migrated_from} became {info.schema}")
    if info.backup is not None:
        tell(f"the file as it was: {info.backup}")
    else:
        tell("new tables need rights: run what `gradesync store grants` writes once more")


@new_command(
    "grants",
    "gradesync store grants --read gradesync_read --run gradesync_run \\\n  | psql service=gradesync",
)
@click.option(
    "--read", "reader", required=True, metavar="ROLE", help="May only read: plan, list, show, history."
)
@click.option(
    "--run", "runner", required=True, metavar="ROLE", help="May run passes; no DDL, history only grows."
)
@click.option("--schema", default="public", show_default=True, metavar="NAME", help="Where the tables are.")
def grants(_said: Invocation, reader: str, runner: str, schema: str) -> None:
    """Write the SQL that gives two roles of PostgreSQL their rights.

    Nothing is connected to: look at it, then let the owner of the tables run it, again after every migration.
    """
    from gradesync.store.roles import grants as written

    try:
        click.echo(written(read=reader, run=runner, schema=schema), nl=False)
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None


@new_command("export", "gradesync store export before-the-move.jsonl.gz")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--despite-runs", is_flag=True, help="Copy even while a run is at work (not for moving).")
@format_option()
def export_(said: Invocation, file: Path, form: str, *, despite_runs: bool) -> None:
    """Write the whole store to a file, to import it elsewhere or to keep it.

    Packed when FILE ends in .gz. The key of the hashes is not in it; without that key the ledger in it is useless, so
    move it along by another way. Do not let passes go on here after a move.
    """
    from gradesync.wiring.moving import export_store

    watch = watching()
    try:
        moved = export_store(
            said.root, file, despite_runs=despite_runs, told=watch.counted("store export", "rows")
        )
    finally:
        watch.clear()
    _tell_moved(form, moved.lineage, moved.rows, moved.digest)
    tell(f"{file} written; `gradesync store import` in the new place shows the same digest")


@new_command("import", "gradesync store import before-the-move.jsonl.gz")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option()
def import_(said: Invocation, file: Path, form: str) -> None:
    """Fill the store that gradesync.yaml names from an exported file.

    Only an empty one: all of it stands afterwards, or nothing. What was written is read again and compared with the
    file, and the history must verify.
    """
    from gradesync.wiring.moving import import_store

    require_before_opening(said, Right.STORE)
    watch = watching()
    try:
        moved = import_store(
            said.root,
            file,
            said.claims,
            lambda what, done, total: watch.counted("store import", what)(done, total),
        )
    finally:
        watch.clear()
    _tell_moved(form, moved.lineage, moved.rows, moved.digest)
    tell("everything arrived and the history verifies; let only one of the two stores be at work")


def _tell_moved(form: str, lineage: str, rows: int, digest: str) -> None:
    if form == "json":
        json_out({"version": 1, "kind": "store transfer", "lineage": lineage, "rows": rows, "digest": digest})
        return
    click.echo(f"{rows:,} rows of lineage {lineage}, digest {digest}")
