"""A plan in Markdown, gravest first: what is withheld, what is retired, whose secrets move, what policy sends more,
what begins to send, what runs again, what is held, and then the rest.

Where there is too little room, the harmless part is told by account, then the grave part in groups, then all of it by
numbers and in groups. What is withheld, why, how to consent, and every danger with its count stand there in every case.
Everything people wrote is escaped, see `clean`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum

from gradesync.domain.action import Action, ActionKind, Plan
from gradesync.domain.problem import Problem
from gradesync.domain.reasons import meaning
from gradesync.reporting import plan_words, words
from gradesync.reporting.annotations import shortened
from gradesync.reporting.clean import clean, code, markdown
from gradesync.reporting.dangers import HEADINGS, Danger, danger_of
from gradesync.reporting.fitting import LIMIT, Section, fitted, joined, size
from gradesync.reporting.links import NOWHERE, Links, placed
from gradesync.reporting.plan_groups import (
    SINGLY,
    STOPS_SINGLY,
    danger_sections,
    in_accounts,
    in_numbers,
    stop_blocks,
    withheld_in_numbers,
)

PROBLEMS_SHOWN = 20
"""Findings listed beside a plan; `validate` shows them all."""

_LONG = 300
_REMARKS = 5
_NAMED = 100
"""So many names stand in one line; more of the same are told in a second one."""

_LEAST = 24
"""Bytes that the shortest action takes."""

_FOLDED_FROM = 15
"""So many harmless changes are folded away, because somebody has to find the others."""


class Detail(IntEnum):
    """How much is told, most first."""

    FULL = 0
    GRAVE = 1
    ACCOUNTS = 2
    COUNTS = 3


def plan_document(
    plan: Plan,
    problems: Sequence[Problem] = (),
    now: datetime | None = None,
    *,
    links: Links = NOWHERE,
    room: int = LIMIT,
    head: Sequence[str] = (),
    foot: Sequence[str] = (),
    remarks: Sequence[str] = (),
    fill: bool = False,
) -> str:
    """The plan in at most `room` bytes, in the most detail that fits. `head` and `foot` always stand around it;
    `remarks` are what must be known beside it. With `fill` it is never told shorter: what does not fit is counted.
    """
    for detail in (Detail.FULL,) if fill else Detail:
        if _hopeless(plan, detail, room):
            continue
        first = [*head, *_remarks(remarks), *_head(plan, problems, detail)]
        last = [*_shorter(detail, links), *foot]
        if size(joined(first, _sections(plan, problems, now, links, detail), last)) <= room:
            # Only what could be told one by one: a list of very many names is nothing that somebody reads.
            return joined(first, _sections(plan, problems, now, links, detail, alike=True), last)
    detail = Detail.FULL if fill else Detail.COUNTS
    first = [*head, *_remarks(remarks), *_head(plan, problems, detail)]
    sections = _sections(plan, problems, now, links, detail, cut=True)
    return fitted(first, sections, [*_shorter(detail, links), *foot], room, links.log)


def _hopeless(plan: Plan, detail: Detail, room: int) -> bool:
    """Whether so many actions cannot fit one by one, so that nobody need write them all out to see it."""
    if detail > Detail.GRAVE:
        return False
    told = [
        action for action in plan.actions if detail is Detail.FULL or danger_of(action) is not Danger.OTHER
    ]
    return (len(told) + len(plan.withheld)) * _LEAST > room


def _remarks(remarks: Sequence[str]) -> list[str]:
    return [line for one in remarks[:_REMARKS] for line in (f"⚠️ {markdown(shortened(one, 2 * _LONG))}", "")]


def _head(plan: Plan, problems: Sequence[Problem], detail: Detail) -> list[str]:
    lines = [f"**{markdown(plan_words.plan_summary(plan))}**"]
    if told := plan_words.read_line(plan):
        lines += ["", markdown(told.replace("Plan", "Made of the files", 1))]
    if told := plan_words.held_summary(plan):
        lines += ["", f"✋ {markdown(told)}"]
        lines += [f"- {markdown(shortened(by, _LONG))}" for by in plan_words.holds_in_force(plan)]
    if detail > Detail.ACCOUNTS or not problems:
        wrong = any(not problem.warning for problem in problems)
        lines += (
            ["", f"{markdown(words.problem_counts(problems))} See `gradesync validate`."] if wrong else []
        )
    return lines


def _shorter(detail: Detail, links: Links) -> list[str]:
    if detail is Detail.FULL:
        return []
    return ["", f"This is a short form, because the whole is too long; {links.log} has all of it."]


def _sections(
    plan: Plan,
    problems: Sequence[Problem],
    now: datetime | None,
    links: Links,
    detail: Detail,
    *,
    alike: bool = False,
    cut: bool = False,
) -> list[Section]:
    """What is told, in order. Of what will be `cut` from its end, every danger is told before any single action."""
    found = _stops(plan, links, detail)
    grouped = detail >= Detail.ACCOUNTS
    if plan.withheld and (grouped or cut):
        found.append(withheld_in_numbers(plan.withheld))
    if plan.actions and (cut or detail is Detail.COUNTS):
        found.append(in_numbers(plan.actions))
    if grouped or cut:
        few = None if cut else lambda action: action_block(action, now, links)
        found += danger_sections(plan.actions, few)
    rest: list[Section] = []
    if not grouped:
        grave, rest = _by_danger(plan, now, links, detail, alike=alike)
        found += [*_each_withheld(plan, now, links, alike=alike), *grave]
    elif detail is Detail.ACCOUNTS:
        rest = [_by_account(plan.withheld, withheld=True)] if plan.withheld else []
        rest += [_by_account(plan.actions)] if plan.actions else []
    if detail is not Detail.COUNTS:
        found += _problems(plan, problems, links)
    return [*found, *_frozen(plan, detail), *rest]


def _stops(plan: Plan, links: Links, detail: Detail) -> list[Section]:
    if not plan.withheld:
        return []
    blocks = stop_blocks(plan.stops, 2 * _LONG, 1 if detail is Detail.COUNTS else STOPS_SINGLY)
    heading = "\n#### ⛔ Withheld: nothing of this is applied until somebody consents\n"
    return [Section(heading, blocks, "stops", opening=_consent(plan, links))]


def _each_withheld(plan: Plan, now: datetime | None, links: Links, *, alike: bool) -> list[Section]:
    rows = _blocks(sorted(plan.withheld, key=_order), now, links, alike=alike, withheld=True)
    heading = f"\nWithheld: {words.plural(len(plan.withheld), 'change')}\n"
    return [Section(heading, rows)] if rows else []


def _consent(plan: Plan, links: Links) -> str:
    """How to consent, before the reasons: a report is cut from its end."""
    if not plan.digest:
        return "No consent lets this through; the hints say what does.\n"
    some = len(plan.consentable) < len(plan.withheld)
    but = " What is protected stays, whoever consents." if some else ""
    form = f"under Actions, act, Run workflow (action `allow`, target `{plan.digest}`)"
    button = f" {form}, or by" if links.base else ""
    return (
        "After the merge, whoever has the right `allow` can consent to exactly this, with a reason that the history "
        f"keeps:{button} the command below.{but}\n\n```sh\n{plan_words.allow_command(plan.digest)}\n```\n"
    )


def _problems(plan: Plan, problems: Sequence[Problem], links: Links) -> list[Section]:
    """What stops a file, and warnings of the files the plan touches: those of all others were there before."""
    touched = {action.place.file for action in (*plan.actions, *plan.withheld) if action.place}
    told = [problem for problem in problems if not problem.warning or problem.place.file in touched]
    if not told:
        return []
    told.sort(key=lambda p: (p.warning, p.place, p.code))
    blocks = [problem_line(problem, links) for problem in told[:PROBLEMS_SHOWN]]
    if len(problems) > len(blocks):
        blocks.append(
            f"- … and {words.plural(len(problems) - len(blocks), 'more finding')}: see `gradesync validate`"
        )
    return [Section(f"\n#### {markdown(words.problem_counts(problems))}\n", blocks, "findings")]


def problem_line(problem: Problem, links: Links = NOWHERE) -> str:
    """A finding as an item of a list."""
    mark = "warning: " if problem.warning else ""
    hint = f"<br>hint: {markdown(shortened(problem.hint, _LONG))}" if problem.hint else ""
    told = markdown(shortened(problem.message, _LONG))
    return f"- {placed(problem.place, links)} {markdown(problem.code)}: {mark}{told}{hint}"


def _frozen(plan: Plan, detail: Detail) -> list[Section]:
    if not plan.frozen:
        return []
    if detail is Detail.FULL:
        rows = [f"- {markdown(plan_words.frozen_line(plan, account))}" for account in plan.frozen]
    else:
        rows = [f"- {line}" for line in plan_words.frozen_counts(plan)]
    return [Section("\n#### Frozen\n", rows, "accounts")]


def _order(action: Action) -> tuple[int, str, int, str]:
    return (danger_of(action), action.account, _KINDS[action.kind], action.schedule or "")


_KINDS = {kind: place for place, kind in enumerate(ActionKind)}


def _by_danger(
    plan: Plan, now: datetime | None, links: Links, detail: Detail, *, alike: bool
) -> tuple[list[Section], list[Section]]:
    """The sections of grave changes, each with its count, and the section of all others."""
    ordered = sorted(plan.actions, key=_order)
    found: dict[Danger, list[Action]] = {}
    for action in ordered:
        found.setdefault(danger_of(action), []).append(action)
    others = found.pop(Danger.OTHER, [])
    grave = [
        Section(f"\n#### {HEADINGS[danger]}: {len(mine):,}\n", _blocks(mine, now, links, alike=alike))
        for danger, mine in found.items()
    ]
    if not others:
        return grave, []
    if detail is Detail.GRAVE:
        return grave, [_by_account(others)]
    rows = _blocks(others, now, links, alike=alike)
    heading = f"\n#### {HEADINGS[Danger.OTHER]}: {len(others):,}\n"
    if len(rows) < _FOLDED_FROM:
        return grave, [Section(heading, rows)]
    opening = f"<details><summary>{words.plural(len(others), 'change')}</summary>\n"
    return grave, [Section(heading, rows, opening=opening, closing="\n</details>")]


def _by_account(actions: Sequence[Action], *, withheld: bool = False) -> Section:
    """One line per account, the gravest first."""
    groups = plan_words.group(actions)
    order = sorted(groups, key=lambda key: (min(danger_of(a) for a in groups[key]), key))
    rows = [f"- **{markdown(shortened(key, _LONG))}**: {plan_words.numbers(groups[key])}" for key in order]
    return Section(f"\n#### By account{' (withheld)' if withheld else ''}\n", rows, "accounts")


def _blocks(
    actions: Sequence[Action], now: datetime | None, links: Links, *, alike: bool, withheld: bool = False
) -> list[str]:
    """A block for each action; with `alike`, many that differ in their names alone are one, where the first stands."""
    told = [(action, _told(action, now, withheld=withheld)) for action in actions]
    groups: dict[_Told, list[Action]] = {}
    for action, same in told:
        groups.setdefault(same, []).append(action)
    blocks: list[str] = []
    for action, same in told:
        mine = groups[same]
        if not alike or len(mine) <= SINGLY:
            blocks.append(_block(action, same, links))
        elif mine[0] is action:
            parts = (mine[start : start + _NAMED] for start in range(0, len(mine), _NAMED))
            blocks += [_alike_block(some, same, links) for some in parts]
    return blocks


_Told = tuple[str, str, tuple[str, ...]]
"""Of an action all but its name and place: the mark, why, and the lines under it."""


def action_block(
    action: Action, now: datetime | None, links: Links = NOWHERE, *, withheld: bool = False
) -> str:
    """One action with its place, its reason, its fields and what it means in time."""
    return _block(action, _told(action, now, withheld=withheld), links)


def _block(action: Action, told: _Told, links: Links) -> str:
    mark, why, lines = told
    first = f"- {mark} **{markdown(_subject(action))}**{_place(action, links)}{why}"
    return "\n".join([first, *lines])


def _alike_block(actions: Sequence[Action], told: _Told, links: Links) -> str:
    """Actions that say the same, every one named; their place is told once where it is one."""
    mark, why, lines = told
    places = [_place(action, links) for action in actions]
    one = places[0] if len(set(places)) == 1 else ""
    names = [
        f"{markdown(_subject(action))}{'' if one else place}"
        for action, place in zip(actions, places, strict=True)
    ]
    first = f"- {mark} {in_accounts(actions)}, all alike{one}{why}: {', '.join(names)}"
    return "\n".join([first, *lines])


def _place(action: Action, links: Links) -> str:
    # What is retired without a line of its own is mostly gone with its file: a link would lead nowhere.
    gone = action.kind is ActionKind.RETIRE and action.place is not None and action.place.line <= 1
    return f" ({placed(action.place, NOWHERE if gone else links)})" if action.place else ""


def _told(action: Action, now: datetime | None, *, withheld: bool) -> _Told:
    sign = "+" if plan_words.is_new_account(action) else plan_words.SIGNS[action.kind]
    sign = plan_words.WITHHELD_SIGN if withheld else sign
    why = f": {markdown(shortened(plan_words.why(action), _LONG))}" if plan_words.why(action) else ""
    lines = []
    for field in action.fields:
        before, after = (
            code(shortened(plan_words.side(field, v), _LONG)) for v in (field.before, field.after)
        )
        means = f" ({markdown(meaning(field))})" if meaning(field) else ""
        name = markdown(shortened(plan_words.field_name(field.path), _LONG))
        lines.append(f"  - {name}: {before} → {after}{means}")
    if moved := plan_words.next_run_line(action, now):
        lines.append(f"  - {markdown(moved)}")
    if action.held:
        lines.append(f"  - {markdown(shortened(plan_words.held_line(action), _LONG))}")
    return f"`{sign} {_verb(action)}`", why, tuple(lines)


def _verb(action: Action) -> str:
    return "new account" if plan_words.is_new_account(action) else action.kind.value


def _subject(action: Action) -> str:
    """`riverside/grades`, `riverside/old → new`, or the account."""
    if action.moved_from and action.kind is ActionKind.MOVE:
        if action.schedule is None:
            return f"{clean(action.moved_from)} → {clean(action.account)}"
        return f"{clean(action.account)}/{clean(action.moved_from)} → {clean(action.schedule)}"
    return shortened(action.subject, _LONG)


__all__ = ["Danger", "Detail", "action_block", "danger_of", "plan_document", "problem_line"]
