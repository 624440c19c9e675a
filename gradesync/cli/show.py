"""`gradesync show`: one schedule, account or run in full."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gradesync.cli import render
from gradesync.cli.common import Invocation, format_option, load_tree, new_command, opened, tell
from gradesync.cli.run_ids import may_be_run, run_or_account
from gradesync.domain.schedule import ScheduleId

if TYPE_CHECKING:
    from gradesync.wiring import App


@new_command(
    "show",
    "gradesync show riverside/grades\n"
    "gradesync show riverside --effective   # every value with its file and line\n"
    "gradesync show 0f3a...c1 --vendor-text   # of a run: the other side's words",
)
@click.argument("target", metavar="ACCOUNT|ACCOUNT/SCHEDULE|RUN")
@format_option()
@click.option(
    "--effective", is_flag=True, help="Of an account: every value in force, and where it is written."
)
@click.option(
    "--vendor-text",
    is_flag=True,
    help="Of a run: the other side's own words, which may name students; only on a terminal.",
)
def command(said: Invocation, target: str, form: str, effective: bool, vendor_text: bool) -> None:
    """Show everything known about an account, a schedule or a run, with every reason that blocks it.

    A run is named by its id; the first 8 characters of it are enough.
    """
    if vendor_text:
        _check_vendor_text(target, form, effective=effective)
    if effective:
        if "/" in target:
            raise click.UsageError("--effective is asked of an account")
        from gradesync.config.effective import effective as values_of

        render.show(form, "effective", values_of(said.root, target))
        return
    with opened(said) as app:
        run = run_or_account(app, target)
        told = _show(app, target, form) if run is None else _show_run(app, run, form, vendor_text=vendor_text)
    if form == "text" and not told and run is None:
        _tell_frozen(said, target.partition("/")[0])


def _tell_frozen(said: Invocation, account: str) -> None:
    """What is recorded is not what the file says, while the file has problems: else nobody would see why.

    Asked only where no pass has met the file so: what the store knows was told with since when.
    """
    from gradesync.errors import ConfigInvalid

    try:
        frozen = account in load_tree(said).desired.frozen
    except ConfigInvalid:
        return  # This folder is no tree: what the store says is all there is.
    if frozen:
        tell(
            f"{account} is frozen: its file has problems, so this is its last good definition; "
            "`gradesync validate` names them"
        )


def _check_vendor_text(target: str, form: str, *, effective: bool) -> None:
    if effective or not may_be_run(target):
        raise click.UsageError(
            "--vendor-text is asked of a run, by its id (its first 8 characters are enough)"
        )
    if form != "text" or not sys.stdout.isatty():
        raise click.UsageError(
            "--vendor-text is for a terminal: it may name students, who must not end up in a file or a log"
        )


def _show_run(app: App, run_id: str, form: str, *, vendor_text: bool) -> bool:
    """False: no account was told of, so no frozen one either."""
    from gradesync.ports import RunQuery

    [run] = app.store.runs(RunQuery(run_id=run_id, limit=1))
    if not vendor_text:
        render.show(form, "run", run)
        return False
    from gradesync.domain.history import Fact

    fact = Fact("vendor text shown", app.actor, run.schedule.account, run.schedule.name, run_id=run.id)
    app.store.append([fact])
    render.show(form, "run", run, vendor_text=True)
    return False


def _show(app: App, target: str, form: str) -> bool:
    """Answers whether it told of a frozen account."""
    from gradesync.engine.queries import account_view, schedule_row

    now = app.store.now()
    if "/" in target:
        try:
            id = ScheduleId.parse(target)
        except ValueError as problem:
            raise click.UsageError(str(problem)) from None
        row = schedule_row(app.store, id)
        render.show(form, "schedule", row, now)
        return row.frozen_since is not None
    view = account_view(app.store, target)
    render.show(form, "account", view, now)
    return any(row.frozen_since is not None for row in view.rows)
