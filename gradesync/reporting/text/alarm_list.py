"""What `notify list` and `notify test` print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.alarm import AlarmLine
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.reporting import words
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, finished, table

_COLORS = {"told": "dim", "due": "yellow", "waits": "", "nobody to tell": "red", "given up": "red"}


def alarms(
    lines: Sequence[AlarmLine],
    rules: Sequence[str],
    last_pass: datetime | None,
    no_pass_since: datetime | None,
    *,
    style: Style,
) -> str:
    """Everything that stands, by rule; then whether passes come."""
    said = ["No alarms." if rules else "gradesync.yaml has no rule under `notify`, so nobody is notified."]
    if lines:
        columns = ("RULE", "ABOUT", "SINCE", "WHO", "STATE", "TOLD", "WHAT")
        said = [
            *table(columns, [_cells(one) for one in lines], style),
            "",
            f"{words.plural(len(lines), 'alarm')}.",
        ]
    if no_pass_since is not None:
        said += ["", f"No pass since {words.utc(no_pass_since)}: nothing is synced."]
    elif last_pass is not None:
        said += ["", f"Last pass {words.utc(last_pass)}."]
    return finished(said)


def _cells(one: AlarmLine) -> tuple[Cell, ...]:
    tried = f" (tried {words.plural(one.attempts, 'time')})" if one.attempts and one.state != "told" else ""
    state = f"{one.state}{tried}"
    return (
        Cell(one.rule, "bold"),
        Cell(f"{one.cause.kind} (over)" if one.over else one.cause.kind.value),
        Cell(words.utc(one.cause.since)),
        Cell(one.cause.who),
        Cell(state, _COLORS.get(one.state, "")),
        Cell("-" if one.told_at is None else words.utc(one.told_at)),
        Cell(one.sentence),
    )


def channels(answers: Sequence[tuple[AlarmRule, str | None, str | None]], *, style: Style) -> str:
    """Each channel: whether it took the test, and what to do if not."""
    rows = [
        (
            Cell(rule.name, "bold"),
            Cell(rule.channel),
            Cell(rule.url),
            Cell("sent" if problem is None else "FAILED", "green" if problem is None else "red"),
            Cell("" if problem is None else f"{problem}; {hint}" if hint else problem),
        )
        for rule, problem, hint in answers
    ]
    return finished([*table(("RULE", "CHANNEL", "KEPT AT", "TEST", "WHAT TO DO"), rows, style)])
