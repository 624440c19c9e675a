"""`gradesync plan`: what a pass would change, and nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gradesync.cli.common import Invocation, format_option, load_tree, new_command, opened, tell
from gradesync.cli.options import accounts_of, safety_of
from gradesync.cli.render import show
from gradesync.domain.action import Plan


@new_command(
    "plan",
    "gradesync plan\ngradesync plan --account riverside\ngradesync plan --detailed-exitcode   # 2: changes wait",
)
@format_option("markdown", "github")
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="Only this account; may be repeated."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes wait.")
def command(said: Invocation, form: str, accounts: tuple[str, ...], detailed_exitcode: bool) -> int:
    """Show what `reconcile` would change, most dangerous first, and what each change means.

    Reads the files and the store and writes neither. Without a store everything is new.
    """
    from gradesync.engine.reconcile import PassOptions, plan_only
    from gradesync.wiring import OpenMode

    loaded = load_tree(said, commit=True)
    with opened(said, OpenMode.EMPTY_IF_MISSING, settings=loaded.settings) as app:
        if app.missing_store:
            tell(f"{app.missing_store}, so everything is new; `gradesync reconcile` makes one")
        if app.overtaken_by(loaded.desired.commit):
            tell(
                "this checkout does not follow the commit applied before (GS-704): reconcile would apply nothing"
            )
        options = PassOptions(
            desired=loaded.desired,
            problems=loaded.problems,
            only=accounts_of(loaded, accounts),
            safety=safety_of(loaded.settings),
        )
        plan = plan_only(app.tools(), options)
        show(form, "plan", plan, loaded.problems, app.store.now())
    _tell_workflow(plan)
    if plan.withheld:
        return 5
    if any(not problem.warning for problem in loaded.problems):
        return 1
    return 2 if detailed_exitcode and plan.changes else 0


def _tell_workflow(plan: Plan) -> None:
    """In GitHub Actions: what later steps want to know, as the step's outputs."""
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"changes={str(plan.changes).lower()}\ndigest={plan.digest}\n")
