"""Reports for step summaries and comments, in Markdown, most dangerous first, because a text is cut from its end.

Each function takes how much `room` there is, in bytes: parts are shown whole or not at all, and the rest is named by
number. Everything people wrote is escaped, see `clean`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gradesync.domain.action import Plan
from gradesync.domain.problem import Problem
from gradesync.domain.report import PassReport, RunEnd
from gradesync.reporting import plan_words, words
from gradesync.reporting.annotations import shortened
from gradesync.reporting.clean import code, markdown
from gradesync.reporting.fitting import LIMIT, Section, fitted
from gradesync.reporting.links import NOWHERE, Links, placed
from gradesync.reporting.plan_document import action_block, danger_of, plan_document, problem_line
from gradesync.reporting.plan_groups import stop_blocks
from gradesync.reporting.text.passes import closing
from gradesync.reporting.upcoming_markdown import upcoming

_LONG = 400


def problems(
    problems: Sequence[Problem],
    sources: Callable[[str], str | None] | None = None,
    *,
    links: Links = NOWHERE,
    room: int = LIMIT,
) -> str:
    """A table of findings, errors first. No line of a file is repeated."""
    del sources  # the same call as the other formats'
    head = [f"**{words.problem_counts(problems)}**"]
    ordered = sorted(problems, key=lambda p: (p.warning, p.place, p.code))
    rows = [_problem_row(problem, links) for problem in ordered]
    table = [Section("\n| Place | Code | Finding |\n|---|---|---|", rows, "findings")] if rows else []
    return fitted(head, table, _run_line(links), room, links.log)


def _run_line(links: Links) -> list[str]:
    return ["", f"[The run]({links.run})"] if links.run else []


def _problem_row(problem: Problem, links: Links) -> str:
    mark = "warning: " if problem.warning else ""
    hint = f"<br>hint: {markdown(shortened(problem.hint, _LONG))}" if problem.hint else ""
    told = markdown(shortened(problem.message, _LONG))
    return (
        f"| {placed(problem.place, links, in_table=True)} | {markdown(problem.code)} | {mark}{told}{hint} |"
    )


def plan(
    plan: Plan,
    problems: Sequence[Problem] = (),
    now: datetime | None = None,
    *,
    links: Links = NOWHERE,
    room: int = LIMIT,
    remarks: Sequence[str] = (),
    fill: bool = False,
) -> str:
    """The plan: what is withheld first, then the gravest changes; see `plan_document`."""
    return plan_document(plan, problems, now, links=links, room=room, remarks=remarks, fill=fill)


def pass_report(report: PassReport, *, links: Links = NOWHERE, room: int = LIMIT) -> str:
    """One pass: the closing sentence first, what was stopped, runs that need someone, and then the rest."""
    head = [f"**{markdown(closing(report))}**", ""]
    if report.new_store:
        head.append("- A new store was made: nothing was recorded before, and nothing is caught up.")
    if report.stale_commit:
        head.append(f"- ⛔ GS-704: {markdown(plan_words.behind_line(report))}")
    sections = [
        *_stale(report),
        *_withheld(report, links),
        *_problems(report.problems, links),
        *_runs(report.ends),
        *_left_alone(report),
        *_applied(report, links),
    ]
    foot = ["", f"history checkpoint {code(report.checkpoint)}"] if report.checkpoint else []
    return fitted(head, sections, foot, room, links.log)


def _stale(report: PassReport) -> list[Section]:
    if not report.stale:
        return []
    rows = [f"- {markdown(shortened(plan_words.stale_line(one), _LONG))}" for one in report.stale]
    return [Section(f"\n{markdown(plan_words.STALE)}:\n", rows, "parts")]


def _withheld(report: PassReport, links: Links) -> list[Section]:
    plan = report.plan
    if plan is None or not plan.withheld:
        return []
    form = (
        f"under Actions, act, Run workflow (action `allow`, target {code(plan.digest)}), or by "
        if links.base
        else ""
    )
    consent = f"To consent: {form}{code(plan_words.allow_command(plan.digest))}\n" if plan.digest else ""
    stops = stop_blocks(plan.stops, _LONG)
    rows = [action_block(action, report.at, links, withheld=True) for action in plan.withheld]
    return [
        Section("\n#### ⛔ Withheld\n", stops, "stops", opening=consent),
        Section(f"\nWithheld: {words.plural(len(rows), 'change')}\n", rows),
    ]


def _problems(problems: Sequence[Problem], links: Links) -> list[Section]:
    if not problems:
        return []
    ordered = sorted(problems, key=lambda p: (p.warning, p.place, p.code))
    rows = [problem_line(problem, links) for problem in ordered]
    return [Section(f"\n#### {markdown(words.problem_counts(problems))}\n", rows, "findings")]


def _runs(ends: Sequence[RunEnd]) -> list[Section]:
    if not ends:
        return []
    rows = [_end(end) for end in sorted(ends, key=lambda e: (not e.needs_person, str(e.run.schedule)))]
    return [Section("\n#### Runs\n", rows, "runs")]


def _end(end: RunEnd) -> str:
    mark = "⚠️ " if end.needs_person else ""
    subject = f"- {mark}**{markdown(end.run.schedule)}** {markdown(end.run.type.value)}"
    if end.result is None:
        return f"{subject}: handed on, {markdown(end.problem or 'the lease was lost')}"
    counts = words.counts_line(end.result.counts) or "nothing counted"
    lines = [f"{subject}: {end.result.outcome.value}, {markdown(counts)}"]
    for gs, count in sorted(end.result.codes.items()):
        if count:
            lines.append(f"  - {markdown(words.code_line(gs, count))}")
    if end.problem:
        lines.append(f"  - {markdown(shortened(end.problem, _LONG))}")
    if end.hint:
        lines.append(f"  - hint: {markdown(shortened(end.hint, _LONG))}")
    if end.needs_person:
        # What `RUN` in a remedy stands for; whoever reads a summary in a browser has no terminal to look it up.
        lines.append(f"  - RUN is {code(end.run.id)}, for `gradesync show`, `approve` and the form")
    return "\n".join(lines)


def _left_alone(report: PassReport) -> list[Section]:
    rows = [
        f"- {markdown(account)}: not applied: it changed meanwhile, a run works in it, or another tree was applied."
        for account in report.raced
    ]
    if report.plan is not None:
        rows += [
            f"- frozen: {markdown(plan_words.frozen_line(report.plan, account))}"
            for account in report.plan.frozen
        ]
    rows += [
        f"- busy: {markdown(lease.account)}, {markdown(lease.holder)} since {words.utc(lease.since)}"
        for lease in report.busy
    ]
    rows += [
        f"- blocked: {markdown(id)}: {markdown(shortened('; '.join(block.sentence for block in blocks), _LONG))}"
        for id, blocks in sorted(report.blocked.items())
    ]
    rows += [
        f"- missed: {markdown(id)}: {words.plural(count, 'late slot')} joined the latest one"
        for id, count in sorted(report.missed.items())
    ]
    return [Section("\n#### Left alone\n", rows, "lines")] if rows else []


def _applied(report: PassReport, links: Links) -> list[Section]:
    if report.plan is None or not report.plan.actions:
        return []
    ordered = sorted(report.plan.actions, key=lambda a: (danger_of(a), a.account, a.schedule or ""))
    rows = [action_block(action, report.at, links) for action in ordered]
    return [Section("\n#### Changes\n", rows)]


__all__ = ["LIMIT", "pass_report", "plan", "problems", "upcoming"]
