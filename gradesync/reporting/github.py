"""Reports as GitHub workflow commands: findings appear on the lines of the pull request, the rest in the job's log.

How many annotations there are, and in what order, is `annotations`' business. Nothing people wrote can become a
command of its own: see `clean`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from gradesync.domain.action import Plan, Stop
from gradesync.domain.problem import Place, Problem
from gradesync.domain.report import PassReport, RunEnd
from gradesync.domain.run import Outcome
from gradesync.reporting import words
from gradesync.reporting.annotations import Note, commands, note_of
from gradesync.reporting.links import NOWHERE, Links
from gradesync.reporting.plan_words import STALE, allow_command, behind_line, held_summary, stale_line
from gradesync.reporting.style import PLAIN
from gradesync.reporting.text.layout import finished
from gradesync.reporting.text.passes import closing
from gradesync.reporting.text.passes import pass_report as pass_text
from gradesync.reporting.text.plans import plan_lines


def problems(
    problems: Sequence[Problem],
    sources: Callable[[str], str | None] | None = None,
    *,
    changed: Collection[str] = (),
    links: Links = NOWHERE,
) -> str:
    """Annotations, errors and files of the pull request (`changed`) first, and the number of findings. `sources` is
    not needed: GitHub shows the line itself.
    """
    del sources  # the same call as the other formats'
    lines = commands(map(note_of, problems), changed=changed, links=links)
    return "\n".join([*lines, words.problem_counts(problems)]) + "\n"


def plan(
    plan: Plan,
    problems: Sequence[Problem] = (),
    now: datetime | None = None,
    *,
    changed: Collection[str] = (),
    links: Links = NOWHERE,
    remarks: Sequence[str] = (),
) -> str:
    """Safety stops, `remarks` beside the plan, findings and holds as annotations, then the plan itself in a folded
    group of the log.
    """
    notes = [Note("warning", "About this plan", remark, urgent=True) for remark in remarks]
    notes += [*_stop_notes(plan), *map(note_of, problems)]
    if told := held_summary(plan):
        notes.append(Note("notice", "Held", told))
    *body, summary = plan_lines(plan, problems, now, PLAIN)
    lines = commands(notes, changed=changed, links=links)
    return "\n".join([*lines, *_group("Plan", finished(body) if body else ""), finished([summary])])


def pass_report(report: PassReport, *, changed: Collection[str] = (), links: Links = NOWHERE) -> str:
    """What a person must look at as annotations, the whole pass in a folded group, and the closing sentence."""
    notes: list[Note] = []
    if report.stale_commit:
        notes.append(Note("error", "GS-704 Older tree", behind_line(report)))
    if report.stale:
        told = "; ".join(stale_line(one) for one in report.stale)
        notes.append(Note("error", "Saved plan", f"{STALE}: {told}"))
    if report.no_key is not None:
        notes.append(Note("error", "GS-207 No run can do its work", report.no_key))
    if report.plan is not None:
        notes += _stop_notes(report.plan)
    notes += [_run_note(end) for end in report.ends if end.needs_person]
    # A clock passes every few minutes: a warning is told where its file is applied, and stands in each summary.
    plan = report.plan
    applied = {action.place.file for action in plan.actions if action.place} if plan is not None else set()
    notes += [note_of(one) for one in report.problems if not one.warning or one.place.file in applied]
    lines = commands(notes, changed=changed, links=links)
    return "\n".join([*lines, *_group("Pass", pass_text(report, style=PLAIN)), finished([closing(report)])])


def _group(title: str, body: str) -> list[str]:
    return [f"::group::{title}", body.rstrip("\n"), "::endgroup::"] if body.strip() else []


def _stop_notes(plan: Plan) -> list[Note]:
    return [
        Note(
            "warning",
            "Withheld by a safety stop",
            f"{stop.sentence} (hint: {stop.hint}{_consent(plan, stop)})",
            _stands(plan, stop),
            urgent=True,
        )
        for stop in plan.stops
    ]


def _stands(plan: Plan, stop: Stop) -> Place | None:
    """The line of the first change that the stop withholds; a file that is gone has none."""
    places = (a.place for a in plan.withheld if a.account == stop.account and a.fields)
    return next((place for place in places if place is not None), None)


def _consent(plan: Plan, stop: Stop) -> str:
    """The way to consent; nothing where none is possible."""
    return "" if stop.locked or not plan.digest else f"; to consent: {allow_command(plan.digest)}"


def _run_note(end: RunEnd) -> Note:
    """A run that needs someone; an error only where it failed and nobody has been told yet."""
    assert end.result is not None  # an end without a result needs nobody
    failed = end.result.outcome in (Outcome.FAILED, Outcome.ABANDONED) and end.new_or_worse
    codes = [words.code_line(code, count) for code, count in sorted(end.result.codes.items()) if count]
    told = " ".join([*_some(end.problem), *codes, *_some(end.hint and f"(hint: {end.hint})")])
    title = f"{end.run.schedule}: {end.result.outcome.value}"
    return Note("error" if failed else "warning", title, told or "a person must look at this run")


def _some(text: str | None) -> list[str]:
    return [text] if text else []
