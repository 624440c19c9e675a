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
    help="What goes wrong, again and again: server-error, throttle, sis-rounds, ...; an unknown one lists them.",
)
@click.option(
    "--sis-write",
    type=click.Choice(["put", "post", "server-ids"]),
    default="put",
    show_default=True,
    help="Who may mint ids in the SIS.",
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
    sis_write: str,
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
        sis_write=sis_write,
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
@click.option("--style", default="day", show_default=True, help="day, hard-day, grade-all or regrade-all.")
@click.option(
    "--act",
    "acts",
    multiple=True,
    metavar="NAME",
    help="Only this, once a round: unexcused, unpublished, ...; an unknown one lists them.",
)
def teach(
    _said: Invocation,
    url: str,
    district: str | None,
    rounds: int,
    seed: int | None,
    style: str,
    acts: tuple[str, ...],
) -> None:
    """Let the teachers of a running sandbox grade."""
    from gradesync.sandbox.remote import teach_over_http

    _told(teach_over_http(url, district, rounds, seed, style, acts))
    tell("`gradesync run ACCOUNT/SCHEDULE`, or the next pass, carries it over")


def _told(done: dict[str, dict[str, int]]) -> None:
    """Counts alone: whoever watches a sandbox learns no title and no score."""
    for key, counts in done.items():
        words = (f"{word.replace('_', ' ')} {count}" for word, count in counts.items() if count)
        click.echo(f"{key}: {', '.join(words) or 'nothing'}")


@new_command(
    "sis-edit",
    "gradesync sandbox sis-edit --times 5\n"
    "gradesync sandbox sis-edit --district riverside --act close-period\n"
    "gradesync sandbox sis-edit --act change-score --value 55",
)
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="The sandbox's address.")
@click.option("--district", metavar="NAME", help="Default: all of them.")
@click.option(
    "--act",
    "acts",
    multiple=True,
    metavar="NAME",
    help="change-score, delete-result, close-period, ...; an unknown one lists them. Default: drawn.",
)
@click.option("--times", type=click.IntRange(1, 10_000), default=1, show_default=True)
@click.option("--seed", type=int, help="Default: another hand each time.")
@click.option("--target", metavar="ID", help="The sourcedId of the record to change. Default: drawn.")
@click.option("--value", metavar="TEXT", help="What it becomes. Default: drawn.")
def sis_edit(
    _said: Invocation,
    url: str,
    district: str | None,
    acts: tuple[str, ...],
    times: int,
    seed: int | None,
    target: str | None,
    value: str | None,
) -> None:
    """Let people change the SIS of a running sandbox by hand: scores, columns, periods, rosters."""
    from gradesync.sandbox.remote import sis_edit_over_http

    _told(sis_edit_over_http(url, district, acts, times, seed, target, value))


@new_command("other-tool", "gradesync sandbox other-tool --district riverside --share 0.5")
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="The sandbox's address.")
@click.option("--district", metavar="NAME", help="Default: all of them.")
@click.option("--seed", type=int, help="The same seed carries the same share.")
@click.option(
    "--share", type=click.FloatRange(0.01, 1), default=1.0, show_default=True, help="How much of the work."
)
def other_tool(_said: Invocation, url: str, district: str | None, seed: int | None, share: float) -> None:
    """Let another tool's sync carry grades into the SIS, so that there is something to adopt."""
    from gradesync.sandbox.remote import other_tool_over_http

    _told(other_tool_over_http(url, district, seed, share))


for _command in (serve, teach, sis_edit, other_tool):
    command.add_command(_command)
