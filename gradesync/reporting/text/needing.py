"""What `list --needs` prints: what waits for people over all accounts, by cause, what is new first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.needs import Cause
from gradesync.domain.problem import CODES, Act
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import finished, folded

MOST = 20
"""Causes shown unless all are asked for: a page somebody reads each morning."""

_NAMED = 3


def causes(
    causes: Sequence[Cause],
    now: datetime,
    *,
    style: Style,
    needs: str,
    every: bool = False,
    asked: str = "",
) -> str:
    """Each cause in a few lines: how many accounts, since when, who must act and how, and the command that shows more.

    `asked` repeats what else was asked for (` --group north`), so that the commands named show the same accounts.
    """
    whose = "support" if needs == "support" else f"the {needs}"
    if not causes:
        return finished([f"Nothing waits for {whose} now."])
    shown = causes if every else causes[:MOST]
    lines = folded(_heading(causes, whose), style, "", "  ", "bold")
    for fresh, title in ((True, "New since yesterday"), (False, "From before")):
        some = [one for one in shown if one.fresh is fresh]
        if some:
            lines += ["", style.paint(title, "yellow" if fresh else "dim")]
        for one in some:
            lines += _one(one, now, style, f"gradesync list --needs {needs}{asked}")
    if len(shown) < len(causes):
        more = words.plural(len(causes) - len(shown), "cause")
        lines += ["", f"{more} more: gradesync list --needs {needs}{asked} --all"]
    return finished(lines)


def _heading(causes: Sequence[Cause], whose: str) -> str:
    accounts = {account for one in causes for account in one.accounts}
    fresh = sum(one.fresh for one in causes)
    new = f", {fresh} new since yesterday" if fresh else ", none new since yesterday"
    number = words.plural(len(causes), "cause")
    return f"Waiting for {whose}: {number} in {words.plural(len(accounts), 'account')}{new}"


def _one(cause: Cause, now: datetime, style: Style, command: str) -> list[str]:
    entry = CODES.get(cause.code)
    title = f"{cause.code} {entry.title}" if entry is not None else "The run failed without saying why"
    spread = [_spread(cause)]
    if cause.since is not None:
        spread.append(f"{words.how_long(cause.since, now)}{' or longer' if cause.capped else ''}")
    title = clean(title)
    broken = folded(f"{title}: {', '.join(spread)}", style, "  ", "    ")
    lines = _painted(broken, len(title), style, "red" if cause.failing else "bold")
    lines += folded(_where(cause), style, "    ")
    lines += folded(_next(cause), style, "    ")
    if len(cause.schedules) > 1 and cause.code:
        lines.append(style.paint(f"    {command} --code {cause.code}", "dim"))
    return lines


def _painted(lines: Sequence[str], length: int, style: Style, color: str) -> list[str]:
    """The lines with the title coloured, its first `length` characters, over however many lines it was broken."""
    shown = []
    for line in lines:
        start = len(line) - len(line.lstrip(" "))
        end = min(start + max(length, 0), len(line))
        shown.append(line[:start] + style.paint(line[start:end], color) + line[end:])
        # The blank at which the line was broken belongs to the title, and is in no line.
        length -= end - start + 1
    return shown


def _spread(cause: Cause) -> str:
    accounts = words.plural(len(cause.accounts), "account")
    many = f", {words.plural(cause.records, 'record')}" if cause.records > len(cause.schedules) else ""
    return f"{accounts}{many}{', runs fail' if cause.failing else ''}"


def _where(cause: Cause) -> str:
    """The one host, and the first few by name: a single schedule in full, so that it can be copied."""
    names = [str(cause.schedules[0])] if len(cause.schedules) == 1 else list(cause.accounts)
    shown = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    host = f"all on {clean(cause.host)}: " if cause.host else ""
    return f"{host}{clean(shown)}{more}"


def _next(cause: Cause) -> str:
    """Who must act, and how; where nobody is named, what to look at."""
    entry = CODES.get(cause.code)
    if entry is None:
        return f"Support: look at `gradesync show {cause.schedules[0]}`."
    if entry.act is Act.RETRY:
        return (
            f"Support: tried again by itself; see that it works again, or `gradesync explain {cause.code}`."
        )
    told = words.to_do(entry)
    if len(cause.schedules) > 1:
        return told
    # A command to copy, where it is clear of which schedule.
    one = cause.schedules[0]
    which = f" `gradesync show {one}` names RUN." if " RUN " in told else ""
    named = told.replace("run ID", f"run {one}").replace("explain ID", f"explain {one}")
    return f"{named}{which}"


__all__ = ["MOST", "causes"]
