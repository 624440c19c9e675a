"""Reports as GitHub workflow commands: findings appear on the lines of the pull request.

GitHub shows ten annotations of a step and hides the rest without a word, so errors come first and the last line says
how many are not shown. Nothing people wrote can become a command of its own: see `clean`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gradesync.domain.action import Plan, Stop
from gradesync.domain.problem import CODES, Problem
from gradesync.reporting.clean import message, property_value
from gradesync.reporting.plan_words import allow_command, held_summary
from gradesync.reporting.style import PLAIN
from gradesync.reporting.text.layout import finished
from gradesync.reporting.text.plans import plan_lines
from gradesync.reporting.words import plural, problem_counts

AT_MOST = 10


def problems(problems: Sequence[Problem], sources: Callable[[str], str | None] | None = None) -> str:
    """At most ten annotations, errors first, and the number of findings. `sources` is not needed: GitHub shows the
    line itself.
    """
    del sources  # the same call as the other formats'
    return "\n".join([*_annotations(problems), problem_counts(problems)]) + "\n"


def _annotations(problems: Sequence[Problem]) -> list[str]:
    ordered = sorted(problems, key=lambda p: (p.warning, p.place, p.code))
    lines = [_annotation(problem) for problem in ordered[:AT_MOST]]
    if len(ordered) > AT_MOST:
        lines.append(f"and {len(ordered) - AT_MOST} more: run `gradesync validate` to see all of them")
    return lines


def _annotation(problem: Problem) -> str:
    entry = CODES.get(problem.code)
    title = f"{problem.code} {entry.title}" if entry else problem.code
    hint = f" (hint: {problem.hint})" if problem.hint else ""
    place = problem.place
    properties = ",".join(
        (
            f"file={property_value(place.file)}",
            f"line={place.line}",
            f"col={place.column}",
            f"title={property_value(title)}",
        )
    )
    return f"::{'warning' if problem.warning else 'error'} {properties}::{message(problem.message + hint)}"


def plan(plan: Plan, problems: Sequence[Problem] = (), now: datetime | None = None) -> str:
    """Findings, safety stops and holds as annotations, then the plan itself in a folded group of the log."""
    lines = _annotations(problems)
    lines += [
        f"::warning title={property_value('Withheld by a safety stop')}::"
        + message(f"{stop.sentence} (hint: {stop.hint}{_consent(plan, stop)})")
        for stop in plan.stops[:AT_MOST]
    ]
    if len(plan.stops) > AT_MOST:
        lines.append(f"and {plural(len(plan.stops) - AT_MOST, 'more stop')}: see the plan below")
    if held_summary(plan):
        lines.append(f"::notice title={property_value('Held')}::{message(held_summary(plan))}")
    *body, summary = plan_lines(plan, problems, now, PLAIN)
    if body:
        lines += ["::group::Plan", finished(body).rstrip("\n"), "::endgroup::"]
    return "\n".join([*lines, finished([summary])])


def _consent(plan: Plan, stop: Stop) -> str:
    """The way to consent; nothing where none is possible."""
    return "" if stop.locked or not plan.digest else f"; to consent: {allow_command(plan.digest)}"
