"""Findings in files, each with its place, its line, a caret and the way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gradesync.domain.problem import Problem
from gradesync.reporting.clean import clean
from gradesync.reporting.snippet import snippet
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import finished, folded
from gradesync.reporting.words import plural, problem_counts

PER_FILE = 50
"""One slip in an indent can make hundreds of findings; nobody reads the second page of them."""


def problems(problems: Sequence[Problem], sources: Callable[[str], str | None], *, style: Style) -> str:
    """All findings by file and line, at most `PER_FILE` of a file, and a closing count.

    `sources` answers a file's text, or None when it cannot be shown.
    """
    by_file: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda p: (p.place, p.warning, p.code)):
        by_file.setdefault(problem.place.file, []).append(problem)
    lines: list[str] = []
    for file, found in by_file.items():
        secret = frozenset(p.place.line for p in found if p.code == "GS-107")
        # Warnings give way to what stops a file, should both not fit.
        shown = sorted(sorted(found, key=lambda p: p.warning)[:PER_FILE], key=lambda p: (p.place, p.warning))
        source = sources(file)
        for problem in shown:
            lines += [*_one(problem, source, secret, style), ""]
        if len(found) > PER_FILE:
            lines += [f"{clean(file)}: {plural(len(found) - PER_FILE, 'more finding')} not shown", ""]
    return finished([*lines, style.paint(problem_counts(problems), _tone(problems))])


def _tone(problems: Sequence[Problem]) -> str:
    if any(not problem.warning for problem in problems):
        return "red"
    return "yellow" if problems else "green"


def _one(problem: Problem, source: str | None, secret: frozenset[int], style: Style) -> list[str]:
    color = "yellow" if problem.warning else "red"
    mark = "warning: " if problem.warning else ""
    place = f"{clean(problem.place.file)}:{problem.place.line}:{problem.place.column}:"
    head = f"{mark}{clean(problem.code)}"
    first, *rest = folded(f"{place} {head} {clean(problem.message)}", style, "", "  ")
    if first.startswith(f"{place} {head}"):
        told = first[len(place) + 1 + len(head) :]
        first = f"{style.paint(place, 'bold')} {style.paint(head, color)}{told}"
    lines = [first, *rest]
    excerpt = snippet(problem, source, secret, style.width if style.terminal else 160)
    if excerpt:
        lines.append(excerpt[0])
        lines.extend(style.paint(line, color) for line in excerpt[1:])
    if problem.hint:
        lines += folded(f"hint: {clean(problem.hint)}", style, "  ", "        ")
    return lines
