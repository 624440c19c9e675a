"""`gradesync plan`: what a pass would change, and nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradesync.cli.checkouts import checkout_options
from gradesync.cli.common import Invocation, format_option, load_tree, new_command, opened, tell
from gradesync.cli.options import accounts_of, safety_of
from gradesync.cli.render import show

if TYPE_CHECKING:
    from gradesync.domain.action import Plan
    from gradesync.domain.saved_plan import SavedAction
    from gradesync.engine.apply import Wish
    from gradesync.wiring import App


@new_command(
    "plan",
    "gradesync plan\n"
    "gradesync plan --account riverside\n"
    "gradesync plan --detailed-exitcode             # 2: changes wait\n"
    "gradesync plan --out plan.json                 # then: gradesync reconcile --plan plan.json",
)
@format_option("markdown", "github")
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="Only this account; may be repeated."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes wait.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan, for `gradesync reconcile --plan FILE`.",
)
@checkout_options
def command(
    said: Invocation,
    form: str,
    accounts: tuple[str, ...],
    detailed_exitcode: bool,
    out: Path | None,
    commit: str | None,
    ancestors: Path | None,
) -> int:
    """Show what `reconcile` would change, most dangerous first, and what each change means.

    Reads the files and the store and writes neither. Without a store everything is new.
    """
    from gradesync.engine.apply import Wish, plan_to_save
    from gradesync.wiring import OpenMode
    from gradesync.wiring.commits import checkout_of

    checkout = checkout_of(said.root, commit, ancestors)
    loaded = load_tree(said, checkout=checkout)
    # A saved plan is bound to its store, so there must be one.
    mode = OpenMode.EXISTING if out is not None else OpenMode.EMPTY_IF_MISSING
    # Where gradesync.yaml leaves open which store is meant, opening by it tells so and ends.
    with opened(said, mode, settings=loaded.settings if loaded.known else None) as app:
        if app.missing_store:
            tell(f"{app.missing_store}, so everything is new; `gradesync reconcile` makes one")
        applied = app.store.recorded([]).commit
        behind = checkout.behind(applied)
        if behind is not None:
            tell(
                f"this tree does not follow commit {str(applied)[:12]}, which was applied before (GS-704): {behind}; "
                "reconcile would apply nothing"
            )
        wish = Wish(
            desired=loaded.desired,
            only=accounts_of(loaded, accounts),
            safety=safety_of(loaded.settings),
        )
        plan, actions = plan_to_save(app.tools(), wish)
        show(form, "plan", plan, loaded.problems, app.store.now())
        if out is not None:
            _save(app, wish, actions, out)
    _tell_workflow(plan)
    if plan.withheld:
        return 5
    if any(not problem.warning for problem in loaded.problems):
        return 1
    return 2 if detailed_exitcode and plan.changes else 0


def _save(app: App, wish: Wish, actions: tuple[SavedAction, ...], out: Path) -> None:
    from gradesync.cli.plan_file import write_plan

    saved = write_plan(
        out,
        actions,
        lineage=app.store.info().lineage,
        commit=wish.desired.commit,
        only=wish.only,
        made_at=app.store.now(),
    )
    tell(f"plan {saved} is saved in {out}; to carry out exactly this: gradesync reconcile --plan {out}")


def _tell_workflow(plan: Plan) -> None:
    """In GitHub Actions: what later steps want to know, as the step's outputs."""
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"changes={str(plan.changes).lower()}\ndigest={plan.digest}\n")
