"""The plan, as people review it: by account, with file and line, and with what each change means in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.action import Action, ActionKind, Plan
from gradesync.domain.problem import Problem
from gradesync.domain.reasons import meaning
from gradesync.reporting import plan_words, words
from gradesync.reporting.clean import cell_width, clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import finished, folded

COLORS = {
    ActionKind.CREATE: "green",
    ActionKind.CHANGE: "yellow",
    ActionKind.CHANGE_ACCOUNT: "yellow",
    ActionKind.MOVE: "cyan",
    ActionKind.PAUSE: "blue",
    ActionKind.RESUME: "magenta",
    ActionKind.RETIRE: "red",
}
_INDENT = " " * 6


def plan(plan: Plan, problems: Sequence[Problem] = (), now: datetime | None = None, *, style: Style) -> str:
    """The whole plan; one line when there is nothing to do and nothing is frozen.

    `now` only decides whether a date needs its year. `problems` are counted, not repeated.
    """
    return finished(plan_lines(plan, problems, now, style))


def plan_lines(plan: Plan, problems: Sequence[Problem], now: datetime | None, style: Style) -> list[str]:
    """The plan's lines, for reports that hold more than a plan."""
    lines: list[str] = []
    if plan.changes:
        lines += folded(plan_words.read_line(plan), style)
        if held := plan_words.held_summary(plan):
            lines += folded(f"! {held}", style, color="yellow")
            for by in plan_words.holds_in_force(plan):
                lines += folded(by, style, "  ", "    ", color="yellow")
        if begins := plan_words.begins_summary(plan):
            lines += folded(begins, style, color="yellow")
        lines.append("")
    for account in plan.frozen:
        lines += folded(plan_words.frozen_line(plan, account) + ".", style, color="yellow")
    if plan.frozen:
        lines.append("")
    for account, actions in plan_words.group(plan.actions).items():
        lines.append(style.paint(clean(account), "bold"))
        for action in actions:
            lines += _action(action, now, style, withheld=False)
        lines.append("")
    lines += _withheld(plan, now, style)
    if problems:
        lines += folded(words.problem_counts(problems) + " See `gradesync validate`.", style)
    lines += folded(plan_words.plan_summary(plan), style, color="bold" if plan.changes else "green")
    return lines


def _withheld(plan: Plan, now: datetime | None, style: Style) -> list[str]:
    if not plan.withheld:
        return []
    lines = [style.paint("Withheld: nothing below is applied until somebody consents", "alarm")]
    for stop in plan.stops:
        lines += folded(f"! {clean(stop.sentence)}", style, "  ", "    ")
        lines += folded(f"hint: {clean(stop.hint)}", style, "    ", "          ")
    lines.append("")
    for account, actions in plan_words.group(plan.withheld).items():
        lines.append(style.paint(clean(account), "bold"))
        for action in actions:
            lines += _action(action, now, style, withheld=True)
    if plan.digest:
        lines.append(f"  to consent to exactly these: {plan_words.allow_command(plan.digest)}")
        lines += folded(f"or {plan_words.allow_form(plan.digest)}", style, "  ", "     ")
    if plan.digest and len(plan.consentable) < len(plan.withheld):
        lines.append("  (not to what is protected: that stays)")
    return [*lines, ""]


def _action(action: Action, now: datetime | None, style: Style, *, withheld: bool) -> list[str]:
    sign = plan_words.WITHHELD_SIGN if withheld else plan_words.SIGNS[action.kind]
    color = "alarm" if withheld else COLORS[action.kind]
    place = f"  {clean(action.place.file)}:{action.place.line}" if action.place else ""
    subject = clean(action.schedule) if action.schedule else plan_words.whole_account(action)
    if action.moved_from and action.kind is ActionKind.MOVE:
        subject = f"{clean(action.moved_from)} -> {subject}"
    head = f"{action.kind.value:<8}  {subject:<20}".rstrip()
    if plan_words.is_new_account(action):
        return [f"  {style.paint('+ new account', 'green')}{style.paint(place, 'dim')}"]
    lines = [f"  {style.paint(f'{sign} {head}', color)}{style.paint(place, 'dim')}"]
    if style.terminal and place and cell_width(f"  {sign} {head}{place}") > style.width:
        lines = [f"  {style.paint(f'{sign} {head}', color)}", _INDENT + style.paint(place.strip(), "dim")]
    why = plan_words.why(action)
    lines += folded(why, style, _INDENT) if why else []
    width = max((cell_width(clean(plan_words.field_name(field.path))) for field in action.fields), default=0)
    for field in action.fields:
        path = clean(plan_words.field_name(field.path))
        padded = path + " " * (width - cell_width(path))
        before, after = (plan_words.side(field, one) for one in (field.before, field.after))
        change = f"{padded}  {before} -> {after}{f' ({meaning(field)})' if meaning(field) else ''}"
        lines += folded(change, style, _INDENT, _INDENT + " " * (width + 2))
    moved = plan_words.next_run_line(action, now)
    if moved:
        lines += folded(moved, style, _INDENT, _INDENT + " " * len("next run  "))
    if action.held:
        lines += folded(plan_words.held_line(action), style, _INDENT, color="yellow")
    return lines
