"""The coming days for a comment or a job's summary: the same lines as the text, and as bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.week import AccountWeek
from gradesync.reporting.clean import code_in_table, markdown
from gradesync.reporting.upcoming_words import NARROW, DayLines, Line, told

_LONGEST = 300
"""Characters of what is told in one row; a hold's reason may be much longer, and `holds` has it whole."""


def upcoming(weeks: Sequence[AccountWeek], days: int, now: datetime) -> str:
    """One table a day; over many accounts one line a day."""
    del now  # the same call as the text's
    if not weeks:
        return "No schedules.\n"
    said = told(weeks, days)
    lines = [f"**{markdown(said.title)}**", "", markdown(said.closing), ""]
    if said.cut:
        lines += [f"- {markdown(day.title)}: {markdown(day.counts)}" for day in said.days]
    else:
        lines += [line for day in said.days for line in _day(day)]
    for title, listed in (
        ("Stopped by", said.stops),
        ("Not running in these days", said.never),
        ("No slot in these days", said.idle),
    ):
        if listed:
            lines += ["", f"#### {title}", "", *(f"- {markdown(_short(one))}" for one in listed)]
    return "\n".join([*lines, *(["", markdown(NARROW)] if said.cut else [])]) + "\n"


def _day(day: DayLines) -> list[str]:
    head = ["", f"#### {markdown(day.title)}", ""]
    if not day.lines:
        return [*head, "Nothing."]
    return [*head, "| When | Schedule | What |", "|---|---|---|", *map(_row, day.lines)]


def _row(line: Line) -> str:
    mark = "" if line.runs else "⛔ "
    return f"| {markdown(line.when)} | {code_in_table(line.subject)} | {mark}{markdown(_short(line.what))} |"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


__all__ = ["upcoming"]
