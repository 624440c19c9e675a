"""`gradesync reconcile`: one pass. Problems of files are printed, and everything that is sound goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from gradesync.cli import alarms
from gradesync.cli.checkouts import checkout_options
from gradesync.cli.common import Invocation, carry_out, format_option, load_tree, new_command, opened, tell
from gradesync.cli.github_job import add_outputs, add_summary, plan_outputs, this_job
from gradesync.cli.halting import Halt, carry_out_until
from gradesync.cli.looping import EVERY, SECONDS, ShardParam, keep_going
from gradesync.cli.options import REASON, accounts_of, safety_of
from gradesync.cli.plan_file import bound_to, read_plan
from gradesync.cli.progress import watching
from gradesync.cli.render import show
from gradesync.cli.rights import require
from gradesync.cli.validate import sources
from gradesync.domain.rights import Right
from gradesync.domain.shard import Shard

if TYPE_CHECKING:
    from gradesync.config.loader import Loaded
    from gradesync.domain.report import PassReport
    from gradesync.engine.reconcile import PassOptions
    from gradesync.reporting.links import Links
    from gradesync.wiring import App


@new_command(
    "reconcile",
    "gradesync reconcile\n"
    "gradesync reconcile --due                # from cron: only what is due\n"
    'gradesync reconcile --allow 3f2a9c --reason "two schools left the district"\n'
    "gradesync reconcile --plan plan.json     # exactly what `plan --out` saved\n"
    "gradesync reconcile --loop --every 60s   # a service of one process\n"
    "gradesync reconcile --enqueue            # for `gradesync worker`\n"
    "gradesync reconcile --due --shard 2/4 --max-time 25m",
)
@format_option("markdown", "github")
@click.option("--due", is_flag=True, help="Work from the recorded definitions alone; the files are not read.")
@click.option(
    "--account", "accounts", multiple=True, metavar="ACCOUNT", help="Only this account; may be repeated."
)
@click.option("--allow", metavar="DIGEST", help="Consent to the withheld actions of exactly this plan.")
@click.option("--reason", type=REASON, help="Why; kept in the history. Needed with --allow and --any-commit.")
@click.option(
    "--any-commit", is_flag=True, help="Apply a checkout that does not follow the one applied before."
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Apply what the saved plan names and nothing else; what no longer fits is refused and named (exit 6).",
)
@checkout_options
@click.option("--no-syncs", is_flag=True, help="Apply the files, run nothing.")
@click.option("--enqueue", is_flag=True, help="Put what is due on the queue, for workers; run nothing here.")
@click.option("--loop", is_flag=True, help="Pass after pass, until SIGTERM or Ctrl-C.")
@click.option(
    "--every",
    type=SECONDS,
    metavar="TIME",
    help=f"With --loop: from one pass's beginning to the next one's (default {EVERY:.0f}s).",
)
@click.option(
    "--max-time",
    type=SECONDS,
    metavar="TIME",
    help="Begin no more runs after this time, and hand those at work back at a class boundary.",
)
@click.option(
    "--shard",
    type=ShardParam(),
    metavar="I/N",
    help="Only the I-th of N parts of all accounts: N jobs beside each other cover them all.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["new", "any", "none"]),
    default="new",
    show_default=True,
    help="Which runs that need a person make the exit code 3.",
)
@click.option(
    "--no-notify", is_flag=True, help="Tell nobody, and do not ping; the next pass tells what stands."
)
def command(
    said: Invocation,
    form: str,
    due: bool,
    accounts: tuple[str, ...],
    allow: str | None,
    reason: str | None,
    any_commit: bool,
    plan_file: Path | None,
    commit: str | None,
    ancestors: Path | None,
    no_syncs: bool,
    enqueue: bool,
    loop: bool,
    every: float | None,
    max_time: float | None,
    shard: Shard | None,
    fail_on: str,
    no_notify: bool,
) -> int:
    """Make the recorded schedules what the files say, then run what is due or asked for.

    A file with problems freezes its own account only, whose last good definition goes on. Each pass does all that
    is owed, so start it as often as your shortest interval. Or let one process go on with --loop, which ends with 0
    when it is asked to.
    """
    _check(due, allow, reason, any_commit=any_commit)
    _check_plan(plan_file, due=due, limited=bool(accounts) or shard is not None, loop=loop)
    _check_service(
        loop=loop, every=every, enqueue=enqueue, no_syncs=no_syncs, overrides=bool(allow) or any_commit
    )

    told: set[object] | None = set() if loop and form == "text" else None

    def one_pass(halt: Halt | None) -> int:
        return _pass(
            said,
            form,
            halt,
            due=due,
            accounts=accounts,
            shard=shard,
            allow=allow,
            reason=reason,
            any_commit=any_commit,
            plan_file=plan_file,
            commit=commit,
            ancestors=ancestors,
            no_syncs=no_syncs,
            enqueue=enqueue,
            fail_on=fail_on,
            no_notify=no_notify,
            told=told,
        )

    if loop:
        return keep_going(one_pass, EVERY if every is None else every, max_time)
    return one_pass(None if max_time is None else Halt(max_time))


def _pass(
    said: Invocation,
    form: str,
    halt: Halt | None,
    *,
    due: bool,
    accounts: tuple[str, ...],
    shard: Shard | None,
    allow: str | None,
    reason: str | None,
    any_commit: bool,
    plan_file: Path | None,
    commit: str | None,
    ancestors: Path | None,
    no_syncs: bool,
    enqueue: bool,
    fail_on: str,
    no_notify: bool,
    told: set[object] | None,
) -> int:
    """One pass, shown; the answer is its exit code. Of many passes (`told`) only those that bring news are shown."""
    from gradesync.domain.report import exit_code_of
    from gradesync.engine.reconcile import PassOptions
    from gradesync.wiring import OpenMode
    from gradesync.wiring.commits import checkout_of

    saved = read_plan(plan_file) if plan_file is not None else None
    checkout = None if due else checkout_of(said.root, commit, ancestors)
    loaded = None if due else load_tree(said, checkout=checkout)
    news = told is None or _news(told, "files", loaded and loaded.problems)
    if loaded is not None and loaded.problems and form == "text" and news:
        show("text", "problems", loaded.problems, sources(said.root))
    watch = watching()
    mode = OpenMode.EXISTING if due else OpenMode.CREATE_BY_THE_WAY
    # Where gradesync.yaml leaves open which store is meant, opening by it tells so and ends.
    settings = loaded.settings if loaded is not None and loaded.known else None
    limited = bool(accounts) or (saved is not None and saved.only is not None)
    telling = alarms.Telling(whole=not limited, shard=None if limited else shard, quiet=no_notify or no_syncs)
    began = monotonic()
    with (
        alarms.without_store(said.root, settings, telling),
        opened(said, mode, watch, settings=settings, to_run=True) as app,
    ):
        _may(app, accounts, due=due, overrides=allow is not None or any_commit)
        if app.new_store:
            info = app.store.info()
            tell(f"a new store was made at {info.place} (lineage {info.lineage})")
        if saved is not None and plan_file is not None and checkout is not None:
            bound_to(saved, plan_file, lineage=app.store.info().lineage, commit=checkout.commit)
        if checkout is not None and checkout.dirty and checkout.commit is not None and news:
            tell(
                f"the files hold changes that commit {checkout.commit[:12]} does not; the history will say so"
            )
        # Workers have the key themselves, and files are applied without one.
        no_key = None if no_syncs or enqueue else _no_key(app, told)
        options = PassOptions(
            desired=loaded.desired if loaded else None,
            problems=loaded.problems if loaded else (),
            only=saved.only if saved is not None else _only(app, loaded, accounts, shard),
            allow=allow,
            reason=reason,
            safety=safety_of(app.settings),
            run_syncs=not no_syncs,
            enqueue=enqueue,
            new_store=app.new_store,
            saved=saved,
            behind=checkout.behind if checkout is not None else None,
            any_commit=any_commit,
            credit=app.authors(checkout) if checkout is not None else None,
            no_key=no_key,
        )
        try:
            with alarms.with_store(app, telling):
                report = _carried_out(app, options, halt)
        finally:
            watch.clear()
        if report is None:
            tell(
                "time was up before every run had reached a class boundary; they were cut off and handed back"
            )
            if halt is not None and not halt.told:
                alarms.cut_off(app, options, telling, began)
            return 0
        code = exit_code_of(report, fail_on, accounts[0] if len(accounts) == 1 else None)
        with alarms.shown(lambda: alarms.after(app, report, options, code, telling)):
            if told is None or report.eventful or _news(told, "plan", report.plan and report.plan.withheld):
                links = this_job().links(said.root, checkout.commit if checkout is not None else None)
                more = {"links": links} if form in ("markdown", "github") else {}
                show(form, "pass_report", report, **more)
                _tell_workflow(form, report, links)
            if allow and report.plan is not None and not report.plan.allowed:
                tell(f"--allow {allow} fits nothing that is withheld now; it allowed nothing")
        return code


def _no_key(app: App, told: set[object] | None) -> str | None:
    """Why no run could have the ledger's key, said at once: a pass with nothing due would never come to it."""
    problem = app.key_trouble()
    if (told is None or _news(told, "key", problem and str(problem))) and problem is not None:
        tell(f"{problem.code}: no run can do its work: {problem}")
        tell(f"hint: {problem.hint}")
    return None if problem is None else str(problem)


def _tell_workflow(form: str, report: PassReport, links: Links) -> None:
    """In GitHub Actions: the step's summary, and its outputs for later steps."""

    def summary(room: int) -> str:
        from gradesync.reporting import markdown

        return "### gradesync reconcile\n\n" + markdown.pass_report(report, links=links, room=room - 100)

    add_summary(summary, form)
    needing = sum(end.needs_person for end in report.ends)
    more = {"applied": report.applied, "runs": len(report.ends), "needing": needing}
    add_outputs({**plan_outputs(report.plan, report.problems), **more})


def _news(told: set[object], what: str, found: object) -> bool:
    """Whether something stands differently than when it was last told of; nothing at all is no news."""
    now = (what, repr(found))
    if now in told:
        return False
    told -= {one for one in told if isinstance(one, tuple) and one[0] == what}
    told.add(now)
    return bool(found)


def _carried_out(app: App, options: PassOptions, halt: Halt | None) -> PassReport | None:
    """The pass; None when it was cut off at its time."""
    from gradesync.engine.reconcile import reconcile

    if halt is None:
        return carry_out(reconcile(app.tools(), options), runs=True)
    return carry_out_until(reconcile(replace(app.tools(), halted=halt.asked), options), halt)


def _only(
    app: App, loaded: Loaded | None, accounts: tuple[str, ...], shard: Shard | None
) -> frozenset[str] | None:
    """The accounts this pass is limited to, None for all."""
    only = accounts_of(loaded, accounts)
    if shard is None:
        return only
    if only is None:
        known = app.store.recorded().accounts.keys()
        described = loaded.desired.accounts.keys() | loaded.desired.frozen if loaded else frozenset[str]()
        only = frozenset(known | described)
    return frozenset(key for key in only if shard.holds(key))


def _may(app: App, accounts: tuple[str, ...], *, due: bool, overrides: bool) -> None:
    """Raises NotAllowed. What is due by the recorded definitions is owed whoever asks; only files take a right."""
    for account in accounts or (None,):
        if not due:
            require(app, Right.RECONCILE, account)
        if overrides:
            require(app, Right.ALLOW, account)


def _check_plan(plan_file: Path | None, *, due: bool, limited: bool, loop: bool) -> None:
    """Raises a usage error: a saved plan says itself which accounts it is for, and it is for one pass."""
    if plan_file is not None and (due or limited or loop):
        raise click.UsageError("--plan goes without --due, --account, --shard and --loop")


def _check_service(
    *, loop: bool, every: float | None, enqueue: bool, no_syncs: bool, overrides: bool
) -> None:
    """Raises a usage error for options of a service that do not go together."""
    if every is not None and not loop:
        raise click.UsageError("--every belongs to --loop")
    if loop and overrides:
        raise click.UsageError("consent is for one pass; give --allow and --any-commit without --loop")
    if enqueue and no_syncs:
        raise click.UsageError("--enqueue and --no-syncs exclude each other")


def _check(due: bool, allow: str | None, reason: str | None, *, any_commit: bool) -> None:
    """Raises a usage error for options that do not go together."""
    if due and (allow or any_commit):
        raise click.UsageError("--allow and --any-commit concern the files, and --due does not read them")
    if (allow or any_commit) and not (reason and reason.strip()):
        raise click.UsageError("consent needs --reason: it is kept in the history")
