"""`gradesync comment`: a plan as the one comment of a pull request, and labels for what it touches.

It never fails a job because of GitHub: a plan that cannot be shown is still a plan, and its job says so itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from gradesync.cli.common import Invocation, carry_out, format_option, new_command, tell
from gradesync.cli.github_job import Job, this_job
from gradesync.cli.plan_report import PlanReport, read_report
from gradesync.cli.render import json_out
from gradesync.domain.documents import in_docs

if TYPE_CHECKING:
    from gradesync.domain.sticky import Stamp
    from gradesync.errors import ConnectionProblem
    from gradesync.ports import PullRequest

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to stand on the pull request."""

    body: str
    stamp: Stamp
    quiet: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of it. `did` is `posted`, `edited`, `nothing`, `behind`, `older`, `failed` or `dry run`."""

    did: str
    url: str | None = None
    doubles: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    trouble: str | None = None


@new_command(
    "comment",
    "gradesync comment --plan plan.json   # in a job of a pull request\n"
    "gradesync comment --plan plan.json --number 212\n"
    "gradesync plan --format json | gradesync comment --plan - --dry-run",
)
@format_option()
@click.option(
    "--plan",
    "source",
    required=True,
    metavar="FILE",
    help="What `gradesync plan --out FILE` or `--format json` wrote; - for stdin.",
)
@click.option(
    "--number",
    type=click.IntRange(1, 10**9),
    metavar="N",
    help="The pull request (default: the one the job runs for).",
)
@click.option("--repo", metavar="OWNER/NAME", help="Its repository (default: the job's).")
@click.option(
    "--head",
    metavar="COMMIT",
    help="The commit of the pull request that the plan is for (default: the job's).",
)
@click.option(
    "--app",
    default="github-actions[bot]",
    show_default=True,
    metavar="LOGIN",
    help="Whose comments are ours, when the token is an app's.",
)
@click.option("--no-labels", is_flag=True, help="Leave the labels alone.")
@click.option("--dry-run", is_flag=True, help="Print the comment and ask GitHub nothing.")
@click.option("--strict", is_flag=True, help="Exit 1 when GitHub does not take it.")
def command(
    said: Invocation,
    form: str,
    source: str,
    number: int | None,
    repo: str | None,
    head: str | None,
    app: str,
    no_labels: bool,
    dry_run: bool,
    strict: bool,
) -> int:
    """Show a saved plan on its pull request: one comment that every push edits, and labels for what it touches.

    The most dangerous changes come first, and the comment always fits. The token is read from GITHUB_TOKEN; it needs
    `pull-requests: write`. What GitHub does not take is a warning, and the exit code stays 0.
    """
    del said  # a plan that was made before needs no tree
    job = this_job()
    if repo is not None:
        job = replace(job, repository=repo)
    if head is not None and not _COMMIT.fullmatch(head):
        raise click.UsageError("--head takes a whole commit id")
    letter = _letter(read_report(source), job, head)
    if no_labels:
        letter = replace(letter, labels=())
    if dry_run:
        return _tell(form, letter, Done("dry run"), dry=True)
    where = number or job.number
    if not job.repository or where is None:
        raise click.UsageError(
            "say which pull request: --repo OWNER/NAME and --number N, outside of its own job"
        )
    done = _written(letter, job, where, app=app, labels=not no_labels)
    code = _tell(form, letter, done)
    if done.trouble is not None:
        _warn(done.trouble, inside=job.inside)
        return 1 if strict else code
    return code


def _letter(report: PlanReport, job: Job, head: str | None) -> Letter:
    from datetime import UTC, datetime

    from gradesync.domain.plan_labels import labels_of
    from gradesync.domain.sticky import Stamp, key_of
    from gradesync.reporting.comment_body import comment_body, is_quiet

    key = key_of(job.repository, report.tree, report.accounts)
    # A plan of the future would stand there for ever, as the newest of all.
    at = min(report.at, datetime.now(UTC)).replace(microsecond=0)
    stamp = Stamp(key, head or job.head, job.run, job.attempt, at)
    links = job.links(None, report.plan.commit, report.tree)
    if head is not None:
        links = replace(links, ref=head)
    body = comment_body(
        report.plan,
        report.problems,
        report.at,
        stamp,
        links=links,
        accounts=report.accounts,
        remarks=report.remarks,
    )
    return Letter(
        body=body,
        stamp=stamp,
        quiet=is_quiet(report.plan, report.problems) and not report.remarks,
        labels=tuple(sorted(labels_of(report.plan, report.settings))),
    )


def _written(letter: Letter, job: Job, number: int, *, app: str, labels: bool) -> Done:
    from gradesync.errors import ConnectionProblem
    from gradesync.wiring.pull_request import has_token, open_pull_request

    if not has_token():
        return Done("failed", trouble=_without_token(job))

    async def write() -> Done:
        async with open_pull_request(job.repository, number, app=app) as pull:
            return await _keep(pull, letter, job, labels=labels)

    try:
        return carry_out(write())
    except ConnectionProblem as problem:
        return Done("failed", trouble=_explained(problem, job))


async def _keep(pull: PullRequest, letter: Letter, job: Job, *, labels: bool) -> Done:
    """The comment, and then the labels: those of a plan that is not the newest are nobody's."""
    from gradesync.domain.sticky import Verdict
    from gradesync.engine.commenting import keep_comment, keep_labels
    from gradesync.errors import ConnectionProblem

    found = await keep_comment(pull, letter.body, letter.stamp, quiet=letter.quiet)
    url = found.comment.url if found.comment is not None and found.comment.url else None
    done = Done(_DID[found.verdict.value], url, found.doubles)
    if not labels or found.verdict in (Verdict.BEHIND, Verdict.OLDER):
        return done
    try:
        changes = await keep_labels(pull, letter.labels)
    except ConnectionProblem as problem:
        return replace(done, trouble=f"the labels: {_explained(problem, job)}")
    return replace(done, added=changes.add, removed=changes.remove)


_DID = {"post": "posted", "edit": "edited", "nothing": "nothing", "behind": "behind", "older": "older"}
_SENTENCES = {
    "posted": "the comment is posted",
    "edited": "the comment is edited",
    "nothing": "nothing would change, and there is no comment that says otherwise; none is posted",
    "behind": "the pull request has moved on to another commit; that one's job comments",
    "older": "a newer plan stands in the comment already; it is left alone",
}


def _tell(form: str, letter: Letter, done: Done, *, dry: bool = False) -> int:
    if form == "json":
        from gradesync.reporting import structured

        json_out(
            structured.comment(
                did=done.did,
                url=done.url,
                doubles=done.doubles,
                labels=letter.labels,
                added=done.added,
                removed=done.removed,
                trouble=done.trouble,
                body=letter.body if dry else None,
            )
        )
        return 0
    if dry:
        click.echo(letter.body.rstrip("\n"))
        tell(f"labels: {', '.join(letter.labels) or 'none'}; nothing was sent")
    elif done.did in _SENTENCES:
        labels = [f"+ {label}" for label in done.added] + [f"- {label}" for label in done.removed]
        where = f": {done.url}" if done.url and done.url.startswith(("https://", "http://")) else ""
        click.echo(_plain(f"{_SENTENCES[done.did]}{where}"))
        if labels:
            click.echo(f"labels: {', '.join(labels)}")
    return 0


def _plain(text: str) -> str:
    from gradesync.reporting.clean import clean

    return clean(text)


def _warn(sentence: str, *, inside: bool) -> None:
    """Where people see it: as an annotation in a job, else on stderr."""
    if not inside:
        tell(f"warning: GS-712: {sentence}")
        return
    from gradesync.reporting.annotations import Note, commands

    for line in commands([Note("warning", "GS-712 No comment on the pull request", sentence)]):
        click.echo(line, err=True)


_FORK = (
    "a pull request from a fork is given no token that may write; that is GitHub's rule, and the plan stands in the "
    f"job's summary ({in_docs('comment')} tells how to comment all the same)"
)


def _without_token(job: Job) -> str:
    if job.from_fork:
        return _FORK
    return "GITHUB_TOKEN is not set: give the step `env: GITHUB_TOKEN: ${{ github.token }}`"


def _explained(problem: ConnectionProblem, job: Job) -> str:
    """What to do about GitHub's answer; its own words stay out."""
    said = str(problem)
    if problem.status == 401:
        return f"{said} The token is not valid (any more): GITHUB_TOKEN must be this job's own."
    if problem.status == 403 and problem.retryable:
        return f"{said} It asks for slower requests; the next push comments."
    if problem.status in (403, 404) and job.from_fork:
        return _FORK
    if problem.status == 403:
        return (
            f"{said} The token may not write here: give the job `permissions: pull-requests: write`. "
            "A locked conversation refuses comments too."
        )
    if problem.status == 404:
        return f"{said} There is no such pull request, or the token may not see it."
    if problem.status is None or problem.status >= 500 or problem.retryable:
        return f"{said} The next push, or a re-run of this job, comments."
    return said
