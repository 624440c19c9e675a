"""`gradesync plan`: what a pass would change, and nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradesync.cli.checkouts import checkout_options
from gradesync.cli.common import Invocation, format_option, load_tree, new_command, opened, tell
from gradesync.cli.github_job import (
    add_outputs,
    add_summary,
    changed_files,
    changed_settings,
    plan_outputs,
    this_job,
)
from gradesync.cli.options import accounts_of, changed_option, safety_of
from gradesync.cli.render import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from gradesync.domain.action import Plan
    from gradesync.domain.problem import Problem
    from gradesync.domain.saved_plan import SavedAction
    from gradesync.engine.apply import Wish
    from gradesync.reporting.links import Links
    from gradesync.wiring import App
    from gradesync.wiring.commits import Checkout


@new_command(
    "plan",
    "gradesync plan\n"
    "gradesync plan --account riverside\n"
    "gradesync plan --detailed-exitcode   # 2: changes wait\n"
    "gradesync plan --out plan.json       # then: reconcile --plan plan.json\n"
    "gradesync plan --format github --out plan.json   # annotations, for a CI job",
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
    help="Save the plan, for `gradesync reconcile --plan FILE` and `gradesync comment --plan FILE`.",
)
@changed_option
@checkout_options
def command(
    said: Invocation,
    form: str,
    accounts: tuple[str, ...],
    detailed_exitcode: bool,
    out: Path | None,
    changed: Path | None,
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
    job = this_job()
    loaded = load_tree(said, checkout=checkout)
    # A saved plan is bound to its store, so there must be one.
    mode = OpenMode.EXISTING if out is not None else OpenMode.EMPTY_IF_MISSING
    # Where gradesync.yaml leaves open which store is meant, opening by it tells so and ends.
    with opened(said, mode, settings=loaded.settings if loaded.known else None) as app:
        remarks = list(_remarks(app, checkout))
        for remark in remarks:
            tell(remark)
        wish = Wish(
            desired=loaded.desired,
            only=accounts_of(loaded, accounts),
            safety=safety_of(loaded.settings),
        )
        plan, actions = plan_to_save(app.tools(), wish)
        now, links = app.store.now(), job.links(said.root, checkout.commit)
        about: dict[str, Any] = {"limited_to": wish.only, "tree": links.under, "remarks": remarks}
        if form == "json" or out is not None:
            about["settings"] = changed_settings(job, said.root)
        named: Mapping[str, Any] = {
            "json": about,
            "markdown": {"links": links, "remarks": remarks},
        }.get(form, {})
        if form == "github":
            files = changed_files(job, said.root, changed)
            named = {"links": links, "changed": files, "remarks": remarks}
        show(form, "plan", plan, loaded.problems, now, **named)
        if out is not None:
            from gradesync.reporting import structured

            _save(app, wish, actions, out, structured.plan(plan, loaded.problems, now, **about))
    _summarize(form, plan, loaded.problems, now, links, remarks)
    add_outputs(plan_outputs(plan, loaded.problems))
    if plan.withheld:
        return 5
    if any(not problem.warning for problem in loaded.problems):
        return 1
    return 2 if detailed_exitcode and plan.changes else 0


def _save(
    app: App, wish: Wish, actions: tuple[SavedAction, ...], out: Path, report: Mapping[str, Any]
) -> None:
    from gradesync.cli.plan_file import write_plan

    saved = write_plan(
        out,
        actions,
        lineage=app.store.info().lineage,
        commit=wish.desired.commit,
        only=wish.only,
        made_at=app.store.now(),
        report=_without_definitions(report),
    )
    tell(f"plan {saved} is saved in {out}; to carry out exactly this: gradesync reconcile --plan {out}")


def _without_definitions(report: Mapping[str, Any]) -> dict[str, Any]:
    """A saved plan carries no definition, and its recorded revisions concern nobody who reads it."""
    rows = {
        key: [{**action, "definition": None} for action in report[key]] for key in ("actions", "withheld")
    }
    return {**report, **rows, "revisions": {}}


def _remarks(app: App, checkout: Checkout) -> Iterator[str]:
    """What must be known beside the plan."""
    if app.missing_store:
        yield f"{app.missing_store}, so everything is new; `gradesync reconcile` makes one"
    applied = app.store.recorded([]).commit
    behind = checkout.behind(applied)
    if behind is not None:
        yield (
            f"this tree does not follow commit {str(applied)[:12]}, which was applied before (GS-704): {behind}; "
            "reconcile would apply nothing"
        )


def _summarize(
    form: str,
    plan: Plan,
    problems: Sequence[Problem],
    now: datetime,
    links: Links,
    remarks: Sequence[str],
) -> None:
    def render(room: int) -> str:
        from gradesync.reporting import markdown

        told = markdown.plan(plan, problems, now, links=links, room=room - 100, remarks=remarks, fill=True)
        return f"### gradesync plan\n\n{told}"

    add_summary(render, form)
