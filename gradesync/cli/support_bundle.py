"""`gradesync support-bundle`: what a developer needs of a run, without names, scores and ids, in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from gradesync.cli.common import Invocation, new_command, opened, tell
from gradesync.cli.run_ids import may_be_run, run_named


@new_command(
    "support-bundle",
    "gradesync support-bundle riverside/grades --show   # look first\n"
    "gradesync support-bundle riverside/grades\n"
    "gradesync support-bundle 0f3a4b5c6d7e8f900f3a4b5c6d7e8f90 -o for-support.zip",
)
@click.argument("target", metavar="RUN|ACCOUNT/SCHEDULE")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it (default: .gradesync/support-RUN.zip in the tree, which Git leaves alone).",
)
@click.option("--show", is_flag=True, help="Print exactly what would be in it, and write nothing.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(said: Invocation, target: str, out: Path | None, show: bool, force: bool) -> None:
    """Pack what is needed to find out why a run ended as it did: versions, times, counts, codes, fingerprints.

    No names, no scores, no ids of people or classes, no addresses beyond the host. Reads the store alone. Nothing is
    sent anywhere: look at it with --show, then give the file to whoever asked for it.
    """
    from gradesync.engine.bundle import gather
    from gradesync.reporting.bundle import files, packed

    if "/" not in target and not may_be_run(target):
        raise click.UsageError(
            "name a run by its id (its first 8 characters are enough), or a schedule like riverside/grades for its "
            "last run"
        )
    with opened(said) as app:
        support = gather(app.store, _named(target) if "/" in target else run_named(app, target), _versions())
    found = files(support)
    if show:
        for name, text in found.items():
            click.echo(f"----- {name}\n{text}", nl=False)
        return
    place = out if out is not None else _default_place(said, support.run.id)
    _write(place, packed(found), force=force)
    tell("nothing was sent; `--show` instead prints what is in it")
    click.echo(str(place))


def _named(target: str) -> str:
    """The schedule, or a usage error for what is none."""
    from gradesync.domain.schedule import ScheduleId

    try:
        return str(ScheduleId.parse(target))
    except ValueError as problem:
        raise click.UsageError(str(problem)) from None


def _default_place(said: Invocation, run: str) -> Path:
    """Beside the store: in the tree itself `git add` would take it along."""
    from gradesync.wiring import home_of

    home = home_of(said.root)
    try:
        home.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{home} cannot be made ({error.strerror}); name a file with -o") from None
    return home / f"support-{run[:12]}.zip"


def _write(place: Path, content: bytes, *, force: bool) -> None:
    """A new file of mode 0600. Raises a usage error where one is there already."""
    if force:
        place.unlink(missing_ok=True)
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{place} is there already; name another with -o, or give --force") from None
    except OSError as error:
        raise click.UsageError(
            f"{place} cannot be written ({error.strerror}); name another with -o"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _versions() -> Mapping[str, str]:
    """Of this program, of what it stands on, and of the system; nothing that names the machine or its people."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from gradesync import __version__

    found = {
        "gradesync": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
    }
    for name in ("aiohttp", "sqlalchemy", "psycopg", "pydantic", "croniter", "tzdata", "procrastinate"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
