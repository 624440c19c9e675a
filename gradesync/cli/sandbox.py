"""`gradesync sandbox`: a made-up school over real HTTP, on this machine only."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradesync.cli.common import CONTEXT, Invocation, new_command, tell

PORT = 8765
"""The port that the account files of a fresh tree name."""


@click.group("sandbox", context_settings=CONTEXT)
def command() -> None:
    """A made-up school on this machine to try everything with."""


@new_command(
    "serve", "gradesync sandbox serve\ngradesync sandbox serve --students 1500 --latency 80 --fault throttle"
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one."
)
@click.option("--district", "districts", multiple=True, metavar="NAME", help="Default: three of them.")
@click.option(
    "--students", type=click.IntRange(1, 100_000), default=120, show_default=True, help="Per district."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same schools.")
@click.option(
    "--latency", type=click.FloatRange(0, 60_000), default=0, metavar="MS", help="Added to every answer."
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME",
    help="server-error, unauthorized, cut, throttle, slow.",
)
@click.option("--empty", is_flag=True, help="Canvas holds nothing yet.")
@click.option(
    "--secrets-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where credentials are written (default: .gradesync/sandbox in the tree).",
)
def serve(
    said: Invocation,
    port: int,
    districts: tuple[str, ...],
    students: int,
    seed: int,
    latency: float,
    faults: tuple[str, ...],
    empty: bool,
    secrets_dir: Path | None,
) -> None:
    """Serve made-up districts as Canvas and as OneRoster until Ctrl-C.

    Nothing is kept: a tree that has synced with an earlier sandbox needs a new store (remove .gradesync/store.db).
    """
    from gradesync.sandbox.server import DISTRICTS, serve_forever
    from gradesync.wiring import home_of

    serve_forever(
        districts or DISTRICTS,
        secrets_folder=secrets_dir or home_of(said.root) / "sandbox",
        announce=_announce,
        port=port,
        students=students,
        seed=seed,
        latency_ms=latency,
        faults=faults,
        populated=not empty,
    )


def _announce(text: str) -> None:
    """At once, because whoever started us may read through a pipe."""
    click.echo(text)
    sys.stdout.flush()


@new_command("teach", "gradesync sandbox teach\ngradesync sandbox teach --district riverside --rounds 3")
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="The sandbox's address.")
@click.option("--district", metavar="NAME", help="Default: all of them.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option("--seed", type=int, help="Default: another day's work each time.")
@click.option("--style", default="day", show_default=True, help="day, grade-all or regrade-all.")
def teach(
    _said: Invocation, url: str, district: str | None, rounds: int, seed: int | None, style: str
) -> None:
    """Let the teachers of a running sandbox grade."""
    from gradesync.sandbox.remote import teach_over_http

    for key, counts in teach_over_http(url, district, rounds, seed, style).items():
        told = ", ".join(f"{word.replace('_', ' ')} {count}" for word, count in counts.items() if count)
        click.echo(f"{key}: {told or 'nothing'}")
    tell("`gradesync run ACCOUNT/SCHEDULE`, or the next pass, carries it over")


for _command in (serve, teach):
    command.add_command(_command)
