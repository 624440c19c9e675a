"""`gradesync page`: the vendor's admin page, and more, as a folder of files that any web server can show."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, format_option, load_tree, new_command, opened, tell
from gradesync.errors import ConfigInvalid

if TYPE_CHECKING:
    from gradesync.config.loader import Loaded
    from gradesync.domain.definition import Desired
    from gradesync.domain.page_overview import Audience, Overview, Written
    from gradesync.domain.schedule import ScheduleId
    from gradesync.domain.unrecorded import Unrecorded
    from gradesync.reporting.page import Options
    from gradesync.wiring import App

_MANY = 50
"""From so many accounts on, progress is told."""


@new_command(
    "page",
    "gradesync page -o site\n"
    "gradesync page -o site --source https://github.com/OWNER/REPO/blob/main\n"
    "gradesync page -o public --audience public\n"
    "gradesync page -o riverside-page --account riverside\n"
    "gradesync page --serve   # nothing is written: look at it here, always fresh",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder: a new one, an empty one, or a page made before, which is replaced as a whole.",
)
@format_option()
@click.option(
    "--audience",
    type=click.Choice(["staff", "public"]),
    default="staff",
    show_default=True,
    help="`public`: states, rough numbers and plain sentences; no names, no commands, no codes.",
)
@click.option("--account", metavar="ACCOUNT", help="Only this account, at the top of the folder.")
@click.option(
    "--runs",
    type=click.IntRange(1, 400),
    default=25,
    show_default=True,
    help="How many of each schedule's newest runs.",
)
@click.option(
    "--source",
    metavar="URL",
    help="Where the tree's files can be seen, for links to their lines; else as gradesync.yaml says under "
    "`page`. A GitHub job knows its own.",
)
@click.option(
    "--title", default="gradesync", show_default=True, metavar="TEXT", help="The heading at the top."
)
@click.option(
    "--stale-after",
    type=click.IntRange(1, 10_080),
    default=90,
    show_default=True,
    metavar="MINUTES",
    help="The page warns its readers when it is older.",
)
@click.option("--serve", is_flag=True, help="Show it on this machine instead, rebuilt as things change.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8731,
    show_default=True,
    help="With --serve: where; 0 takes a free one.",
)
def command(
    said: Invocation,
    target: Path | None,
    form: str,
    audience: str,
    account: str | None,
    runs: int,
    source: str | None,
    title: str,
    stale_after: int,
    serve: bool,
    port: int,
) -> None:
    """Write the schedules, the history and how everything stands as a static site.

    It needs no server and loads nothing from elsewhere. Each account has a folder of its own under accounts/, complete
    in itself, so that a web server can show a district that one and nothing else.
    """
    from gradesync.cli.page_files import check_place, put
    from gradesync.domain.page_overview import Audience
    from gradesync.reporting.page import build

    if source is not None and not source.startswith("https://"):
        raise click.UsageError("--source is an address that begins with https://")
    if serve == (target is not None):
        raise click.UsageError("say where with -o DIR, or look at it with --serve")
    shown_to = Audience(audience)
    if target is None:
        from gradesync.cli import page_serve

        with opened(said) as app:
            chosen = _options(app, title, source, stale_after, account)
            page_serve.serve(
                lambda: build(
                    _gathered(said, app, account, runs, shown_to), audience=shown_to, options=chosen
                ),
                port,
                lambda address: tell(
                    f"{address} shows the page, on this machine only, to whoever has this address; Ctrl-C ends it"
                ),
            )
        return
    check_place(target)
    with _collector_resting():
        with opened(said) as app:
            chosen = _options(app, title, source, stale_after, account)
            whole = _gathered(said, app, account, runs, shown_to)
        files = build(whole, audience=shown_to, options=chosen)
        done = put(target, _told(files, len(whole.accounts)))
    _report(form, target, audience, len(whole.accounts), done.files, done.bytes, done.largest)


def _options(app: App, title: str, source: str | None, stale_after: int, account: str | None) -> Options:
    """What was typed comes first, then what gradesync.yaml says, then what the job knows of itself."""
    from gradesync.reporting.page import Options

    shown_at = source or app.settings.page.get("source") or _known_source()
    return Options(title, shown_at, stale_after, alone=account is not None)


@contextmanager
def _collector_resting() -> Iterator[None]:
    """A page is many small values that live until it is written: looking for cycles among them again and again would
    cost a third of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _gathered(said: Invocation, app: App, account: str | None, runs: int, audience: Audience) -> Overview:
    """What the page is made of; with the places of the schedules in the files where these can be read."""
    from dataclasses import replace

    from gradesync.engine.overview import overview

    whole = overview(app.store, account, runs_each=runs)
    if audience.value == "public":
        return whole
    try:
        loaded = load_tree(said)
    except ConfigInvalid:
        return whole  # The store is the page's source; without the files it does without.
    written = _written(said, app, whole, loaded.desired)
    if account is not None:
        return replace(whole, written=written)
    return replace(whole, written=written, unrecorded=_unrecorded(whole, loaded))


def _written(said: Invocation, app: App, whole: Overview, desired: Desired) -> Mapping[ScheduleId, Written]:
    """File and line of every schedule shown."""
    from gradesync.cli.page_places import places

    return places(said.root, desired, app.store.recorded([one.key for one in whole.accounts]))


def _unrecorded(whole: Overview, loaded: Loaded) -> tuple[Unrecorded, ...]:
    """Files of which nothing can be taken, as they are now; since when, the store knows."""
    from dataclasses import replace

    from gradesync.domain.unrecorded import unrecorded_files

    since = {one.file: one.since for one in whole.unrecorded}
    new = loaded.desired.frozen - {one.key for one in whole.accounts}
    return tuple(replace(one, since=since.get(one.file)) for one in unrecorded_files(loaded.problems, new))


def _known_source() -> str | None:
    """In a job of GitHub's: the tree at the commit that is checked out."""
    server, repository, commit = (
        os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "SHA")
    )
    known = server.startswith("https://") and repository and commit
    return f"{server}/{repository}/blob/{commit}" if known else None


def _told(files: Iterator[tuple[str, bytes]], accounts: int) -> Iterator[tuple[str, bytes]]:
    """The same files; where they are many, whoever waits is told how far it is."""
    if accounts < _MANY:
        yield from files
        return
    from gradesync.cli.progress import watching

    watch, seen, last = watching(), 0, ""
    told = watch.counted("page", "accounts")
    try:
        for name, content in files:
            yield name, content
            parts = name.split("/")
            if len(parts) == 3 and parts[1] != last:
                last, seen = parts[1], seen + 1
                told(seen, accounts)
    finally:
        watch.clear()


def _report(
    form: str, target: Path, audience: str, accounts: int, files: int, size: int, largest: int
) -> None:
    if form == "json":
        from gradesync.cli.render import json_out

        json_out(
            {
                "version": 1,
                "kind": "page",
                "folder": str(target),
                "audience": audience,
                "accounts": accounts,
                "files": files,
                "bytes": size,
                "largest_file_bytes": largest,
            }
        )
        return
    from gradesync.reporting.words import plural

    click.echo(
        f"{plural(accounts, 'account')}, {plural(files, 'file')}, {size:,} bytes: open {target / 'index.html'}"
    )
