"""Reports for pull request comments and step summaries.

The same lines as the text, most dangerous first, because a comment is cut from its end: whatever does not fit into
`LIMIT` characters is named by number. Everything people wrote is escaped, see `clean`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gradesync.domain.action import Action, ActionKind, Plan
from gradesync.domain.problem import Problem
from gradesync.domain.report import PassReport, RunEnd
from gradesync.reporting import plan_words, words
from gradesync.reporting.clean import code, code_in_table, markdown
from gradesync.reporting.text.passes import closing
from gradesync.reporting.upcoming_markdown import upcoming

LIMIT = 60_000
"""GitHub refuses a comment of more than 65,536 characters; some room is left for who posts it."""

_DANGER = {kind: place for place, kind in enumerate(ActionKind)}


def _fitted(head: Sequence[str], blocks: Iterable[str], foot: Sequence[str], what: str) -> str:
    """Head and foot whole, and as many blocks between them as fit."""
    room = LIMIT - sum(len(line) + 1 for line in (*head, *foot)) - 200
    kept, hidden, last_heading = [], 0, ""
    for block in blocks:
        heading, _, body = block.partition("\0")
        text = f"{heading}\n{body}" if body and heading != last_heading else body or heading
        if len(text) + 1 > room:
            hidden += 1
            continue
        last_heading = heading if body else last_heading
        room -= len(text) + 1
        kept.append(text)
    if hidden:
        kept.append(f"\n… and {hidden} more {what} not shown here; see the job's log.")
    return "\n".join([*head, *kept, *foot]).rstrip("\n") + "\n"


def problems(problems: Sequence[Problem], sources: Callable[[str], str | None] | None = None) -> str:
    """A table of findings, errors first. No line of a file is repeated."""
    del sources  # the same call as the other formats'
    head = [f"**{words.problem_counts(problems)}**"]
    if problems:
        head += ["", "| Place | Code | Finding |", "|---|---|---|"]
    ordered = sorted(problems, key=lambda p: (p.warning, p.place, p.code))
    return _fitted(head, (_problem_row(problem) for problem in ordered), [], "findings")


def _problem_row(problem: Problem) -> str:
    mark = "warning: " if problem.warning else ""
    hint = f"<br>hint: {markdown(problem.hint)}" if problem.hint else ""
    place = code_in_table(f"{problem.place.file}:{problem.place.line}:{problem.place.column}")
    return f"| {place} | {markdown(problem.code)} | {mark}{markdown(problem.message)}{hint} |"


def plan(plan: Plan, problems: Sequence[Problem] = (), now: datetime | None = None) -> str:
    """The plan: what is withheld first, then by account, the most dangerous account and action first."""
    head = [f"**{markdown(plan_words.plan_summary(plan))}**"]
    if plan_words.held_summary(plan):
        head += ["", markdown(plan_words.held_summary(plan))]
    if any(not problem.warning for problem in problems):
        head += ["", markdown(words.problem_counts(problems))]
    blocks: list[str] = []
    if plan.withheld:
        if plan.digest:
            head += [
                "",
                f"Withheld, to consent to exactly these: {code(plan_words.allow_command(plan.digest))}",
            ]
        blocks += _stops(plan)
        blocks += _blocks(plan.withheld, now, withheld=True)
    blocks += [f"\n#### Frozen\n\0- {markdown(plan_words.frozen_line(account))}" for account in plan.frozen]
    blocks += _blocks(plan.actions, now, withheld=False)
    return _fitted(head, blocks, [], "changes")


def _stops(plan: Plan) -> list[str]:
    heading = "\n#### Stopped\n"
    return [f"{heading}\0- ⛔ {markdown(s.sentence)}<br>hint: {markdown(s.hint)}" for s in plan.stops]


def _blocks(actions: Sequence[Action], now: datetime | None, *, withheld: bool) -> list[str]:
    by_account = plan_words.group(actions)
    order = sorted(by_account, key=lambda key: (min(_DANGER[a.kind] for a in by_account[key]), key))
    mark = " (withheld)" if withheld else ""
    blocks = []
    for key in order:
        heading = f"\n#### {markdown(key)}{mark}\n"
        ordered = sorted(by_account[key], key=lambda a: (_DANGER[a.kind], a.schedule or ""))
        blocks += [f"{heading}\0{_action(action, now, withheld=withheld)}" for action in ordered]
    return blocks


def _action(action: Action, now: datetime | None, *, withheld: bool) -> str:
    sign = plan_words.WITHHELD_SIGN if withheld else plan_words.SIGNS[action.kind]
    name = action.schedule or plan_words.whole_account(action)
    subject = f" **{markdown(name)}**" if name else ""
    if action.moved_from and action.kind is ActionKind.MOVE:
        subject = f" **{markdown(action.moved_from)} → {markdown(name)}**"
    place = f" ({code(f'{action.place.file}:{action.place.line}')})" if action.place else ""
    why = f": {markdown(plan_words.why(action))}" if plan_words.why(action) else ""
    lines = [f"- `{sign} {action.kind.value}`{subject}{place}{why}"]
    for field in action.fields:
        before, after = code(plan_words.value(field.before)), code(plan_words.value(field.after))
        lines.append(f"  - {markdown(plan_words.field_name(field.path))}: {before} → {after}")
    moved = plan_words.next_run_line(action, now)
    if moved:
        lines.append(f"  - {markdown(moved)}")
    if action.held:
        lines.append(f"  - {markdown(plan_words.held_line(action))}")
    return "\n".join(lines)


def pass_report(report: PassReport) -> str:
    """One pass for a step summary: the closing sentence first, then runs, then what was left alone."""
    head = [f"**{markdown(closing(report))}**", ""]
    if report.new_store:
        head.append("- A new store was made: nothing was recorded before, and nothing is caught up.")
    if report.stale_commit:
        head.append(f"- GS-704: {markdown(plan_words.behind_line(report))}")
    if report.stale:
        head.append(f"- {markdown(plan_words.STALE)}:")
        head += [f"  - {markdown(plan_words.stale_line(one))}" for one in report.stale]
    blocks = [
        f"- {markdown(account)}: not applied: it changed meanwhile, a run works in it, or another tree was applied."
        for account in report.raced
    ]
    if report.plan is not None and report.plan.withheld:
        if report.plan.digest:
            head.append(f"- Withheld, to consent: {code(plan_words.allow_command(report.plan.digest))}")
        blocks += [f"- ⛔ {markdown(s.sentence)}<br>hint: {markdown(s.hint)}" for s in report.plan.stops]
    blocks += [_end(end) for end in sorted(report.ends, key=lambda end: not end.needs_person)]
    blocks += [_busy(report), *_blocked(report)]
    if report.plan is not None:
        blocks += _blocks(report.plan.actions, report.at, withheld=False)
    foot = ["", f"history checkpoint {code(report.checkpoint)}"] if report.checkpoint else []
    return _fitted(head, (block for block in blocks if block), foot, "lines")


def _end(end: RunEnd) -> str:
    subject = f"- **{markdown(end.run.schedule)}** {markdown(end.run.type.value)}"
    if end.result is None:
        return f"{subject}: handed on, {markdown(end.problem or 'the lease was lost')}"
    counts = words.counts_line(end.result.counts) or "nothing counted"
    lines = [f"{subject}: {end.result.outcome.value}, {markdown(counts)}"]
    for gs, count in sorted(end.result.codes.items()):
        if count:
            lines.append(f"  - {markdown(words.code_line(gs, count))}")
    if end.problem:
        lines.append(f"  - {markdown(end.problem)}")
    if end.hint:
        lines.append(f"  - hint: {markdown(end.hint)}")
    return "\n".join(lines)


def _busy(report: PassReport) -> str:
    return "\n".join(
        f"- busy: {markdown(lease.account)}, {markdown(lease.holder)} since {words.utc(lease.since)}"
        for lease in report.busy
    )


def _blocked(report: PassReport) -> list[str]:
    lines = [
        f"- blocked: {markdown(id)}: {markdown('; '.join(block.sentence for block in blocks))}"
        for id, blocks in sorted(report.blocked.items())
    ]
    return lines + [
        f"- missed: {markdown(id)}: {words.plural(count, 'late slot')} joined the latest one"
        for id, count in sorted(report.missed.items())
    ]


__all__ = ["LIMIT", "pass_report", "plan", "problems", "upcoming"]
