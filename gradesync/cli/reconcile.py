"""`gradesync reconcile`: one pass. Problems of files are printed, and everything that is sound goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, carry_out, format_option, load_tree, new_command, opened, tell
from gradesync.cli.options import accounts_of, safety_of
from gradesync.cli.progress import watching
from gradesync.cli.render import show
from gradesync.cli.rights import require
from gradesync.cli.validate import sources
from gradesync.domain.rights import Right

if TYPE_CHECKING:
    from gradesync.wiring import App


@new_command(
    "reconcile",
    "gradesync reconcile\n"
    "gradesync reconcile --due                    # from cron: no files, only what is due\n"
    'gradesync reconcile --allow 3f2a9c --reason "two schools left the district"',
)
@format_option("markdown")
@click.option("--due", is_flag=True, help="Work from the recorded definitions alone; the files are not read.")
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="Only this account; may be repeated."
)
@click.option("--allow", metavar="DIGEST", help="Consent to the withheld actions of exactly this plan.")
@click.option("--reason", help="Why; kept in the history. Needed with --allow and --any-commit.")
@click.option(
    "--any-commit", is_flag=True, help="Apply a checkout that does not follow the one applied before."
)
@click.option("--no-syncs", is_flag=True, help="Apply the files, run nothing.")
@click.option(
    "--fail-on",
    type=click.Choice(["new", "any", "none"]),
    default="new",
    show_default=True,
    help="Which runs that need a person make the exit code 3.",
)
def command(
    said: Invocation,
    form: str,
    due: bool,
    accounts: tuple[str, ...],
    allow: str | None,
    reason: str | None,
    any_commit: bool,
    no_syncs: bool,
    fail_on: str,
) -> int:
    """Make the recorded schedules what the files say, then run what is due or asked for.

    A file with problems freezes its own account only, whose last good definition goes on. Each pass does all that
    is owed, so start it as often as your shortest interval.
    """
    from gradesync.domain.history import Fact
    from gradesync.domain.report import exit_code_of
    from gradesync.engine.reconcile import PassOptions, reconcile
    from gradesync.wiring import OpenMode

    _check(due, allow, reason, any_commit=any_commit)
    loaded = None if due else load_tree(said, commit=True)
    if loaded is not None and loaded.problems and form == "text":
        show("text", "problems", loaded.problems, sources(said.root))
    watch = watching()
    mode = OpenMode.EXISTING if due else OpenMode.CREATE
    with opened(said, mode, watch, settings=loaded.settings if loaded else None) as app:
        _may(app, accounts, due=due, overrides=allow is not None or any_commit)
        if app.new_store:
            info = app.store.info()
            tell(f"a new store was made at {info.place} (lineage {info.lineage})")
        stale = app.overtaken_by(loaded.desired.commit) if loaded else None
        if stale is not None and any_commit:
            app.store.append(
                [Fact("older tree allowed", app.actor, data={"instead of": stale, "reason": reason})]
            )
            stale = None
        options = PassOptions(
            # An overtaken tree applies nothing, but what is due runs from the recorded definitions.
            desired=loaded.desired if loaded and stale is None else None,
            problems=loaded.problems if loaded else (),
            only=accounts_of(loaded, accounts),
            allow=allow,
            reason=reason,
            safety=safety_of(app.settings),
            run_syncs=not no_syncs,
            new_store=app.new_store,
        )
        try:
            report = replace(carry_out(reconcile(app.tools(), options)), stale_commit=stale)
        finally:
            watch.clear()
        show(form, "pass_report", report)
        if allow and report.plan is not None and not report.plan.allowed:
            tell(f"--allow {allow} fits nothing that is withheld now; it allowed nothing")
        return exit_code_of(report, fail_on)


def _may(app: App, accounts: tuple[str, ...], *, due: bool, overrides: bool) -> None:
    """Raises NotAllowed. What is due by the recorded definitions is owed whoever asks; only files take a right."""
    for account in accounts or (None,):
        if not due:
            require(app, Right.RECONCILE, account)
        if overrides:
            require(app, Right.ALLOW, account)


def _check(due: bool, allow: str | None, reason: str | None, *, any_commit: bool) -> None:
    """Raises a usage error for options that do not go together."""
    if due and (allow or any_commit):
        raise click.UsageError("--allow and --any-commit concern the files, and --due does not read them")
    if (allow or any_commit) and not (reason and reason.strip()):
        raise click.UsageError("consent needs --reason: it is kept in the history")
