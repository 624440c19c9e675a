"""A large plan told by what it does: equal changes and equal stops of many accounts in one line each.

So no danger is lost where there is no room to tell every action. How much room there is, and what stands where, is
the document's business. Everything people wrote is escaped, see `clean`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from gradesync.domain.action import Action, FieldChange, Stop
from gradesync.domain.reasons import bold_meaning, grows_bold
from gradesync.reporting import plan_words, words
from gradesync.reporting.annotations import shortened
from gradesync.reporting.clean import code, markdown
from gradesync.reporting.dangers import HEADINGS, Danger, dangers_of, is_address
from gradesync.reporting.fitting import Section

STOPS_SINGLY = 5
"""So many stops of a kind are told one by one; more are one line."""

SINGLY = 5
"""So many actions of a danger, or so many that are alike, are told whole."""

_NAMED = 10
_ROWS = 20
_VALUES = 5
_EXAMPLES = 5
_NAME = 80
_TEXT = 240


def by_danger(actions: Iterable[Action]) -> dict[Danger, list[Action]]:
    """The actions by everything they do, gravest first: what does two things stands under both."""
    found: dict[Danger, list[Action]] = {}
    for action in actions:
        for danger in dangers_of(action):
            found.setdefault(danger, []).append(action)
    return {danger: found[danger] for danger in sorted(found)}


def danger_sections(actions: Sequence[Action], whole: Callable[[Action], str] | None = None) -> list[Section]:
    """A heading with its count for each danger, and few lines under it. `whole` tells an action that few share."""
    return [
        Section(
            f"\n#### {HEADINGS[danger]}: {len(mine):,}\n",
            [whole(action) for action in mine]
            if whole is not None and len(mine) <= SINGLY
            else [f"- {row}" for row in _rows(danger, mine)],
        )
        for danger, mine in by_danger(actions).items()
        if danger is not Danger.OTHER
    ]


def in_numbers(actions: Sequence[Action]) -> Section:
    """How many actions do what; it always is short."""
    rows = [f"- {HEADINGS[danger]}: {len(mine):,}" for danger, mine in by_danger(actions).items()]
    accounts = words.plural(len({action.account for action in actions}), "account")
    return Section(f"\n#### In numbers: {accounts}\n", rows)


def withheld_in_numbers(actions: Sequence[Action]) -> Section:
    """What a guard withholds, by danger: whoever consents to it consents to all of this."""
    blocks = []
    for danger, mine in by_danger(actions).items():
        rows = [f"  - {row}" for row in _rows(danger, mine)] if danger is not Danger.OTHER else []
        blocks.append("\n".join([f"- {HEADINGS[danger]}: {len(mine):,}", *rows]))
    return Section("\nWithheld are, by what they do:\n", blocks, "kinds of changes")


def _rows(danger: Danger, actions: Sequence[Action]) -> list[str]:
    if danger is Danger.NEW_HOST:
        return _by_field(actions, is_address)
    if danger is Danger.BOLD:
        return _by_field(actions, lambda field: grows_bold((field,)))
    return [f"{in_accounts(actions)}: {_names([action.subject for action in actions])}"]


def _by_field(actions: Sequence[Action], counts: Callable[[FieldChange], bool]) -> list[str]:
    """A line for each field and its new value; a field with very many new values has one more for all others."""
    found: dict[str, dict[str | None, list[tuple[Action, FieldChange]]]] = {}
    for action in actions:
        for field in filter(counts, action.fields):
            found.setdefault(field.path, {}).setdefault(field.after, []).append((action, field))
    rows: list[str] = []
    for values in found.values():
        # What only few do stands out among what all do, and a slip or an attack is mostly rare.
        ordered = sorted(values.values(), key=len)
        few = ordered if len(ordered) <= _VALUES else [one for one in ordered[-1:] if len(one) > 1]
        rows += [_one_value(changes) for changes in few]
        if others := [change for changes in ordered[: len(ordered) - len(few)] for change in changes]:
            number = len(ordered) - len(few)
            rows.append(_many_values(others, f"{number:,} {'other' if few else 'different'} values"))
    if len(rows) > _ROWS:
        rows = [*rows[:_ROWS], f"… and {len(rows) - _ROWS:,} more fields not shown here"]
    return rows


def _one_value(changes: Sequence[tuple[Action, FieldChange]]) -> str:
    actions, field = [action for action, _ in changes], changes[0][1]
    alike = {one.before for _, one in changes} == {field.before}
    before = f"{_side(field, field.before)} " if alike else ""
    means = f" ({markdown(bold_meaning(field))})" if bold_meaning(field) else ""
    told = f"{_field(field)}: {before}→ {_side(field, field.after)}{means}"
    return f"{in_accounts(actions)}: {told}: {_names([action.subject for action in actions])}"


def _many_values(changes: Sequence[tuple[Action, FieldChange]], values: str) -> str:
    actions, field = [action for action, _ in changes], changes[0][1]
    shown = [
        f"{markdown(shortened(action.subject, _NAME))} → {_side(one, one.after)}"
        for action, one in changes[:_NAMED]
    ]
    return f"{in_accounts(actions)}: {_field(field)}: {values}: {_listed(shown, len(changes))}"


def _field(field: FieldChange) -> str:
    return markdown(shortened(plan_words.field_name(field.path), _NAME))


def _side(field: FieldChange, value: str | None) -> str:
    return code(shortened(plan_words.side(field, value), _NAME))


def in_accounts(actions: Sequence[Action]) -> str:
    """`**12 changes in 3 accounts**`, or the accounts alone where nothing else changes."""
    accounts = words.plural(len({action.account for action in actions}), "account")
    if all(action.schedule is None for action in actions):
        return f"**{accounts}**"
    return f"**{words.plural(len(actions), 'change')} in {accounts}**"


def _names(names: Sequence[str]) -> str:
    return _listed([markdown(shortened(name, _NAME)) for name in names[:_NAMED]], len(names))


def _listed(shown: Sequence[str], number: int) -> str:
    more = f", … and {number - len(shown):,} more" if number > len(shown) else ""
    return f"{', '.join(shown)}{more}"


def stop_blocks(stops: Sequence[Stop], longest: int, singly: int = STOPS_SINGLY) -> list[str]:
    """Why something is withheld: more than `singly` stops of a kind are one line, and secrets that would go elsewhere
    come first. `longest` is for a sentence that stands alone."""
    kinds: dict[object, list[Stop]] = {}
    for place, stop in enumerate(stops):
        kinds.setdefault(_kind(stop) or place, []).append(stop)
    blocks: list[str] = []
    for mine in sorted(kinds.values(), key=lambda mine: not any(map(_moves_secrets, mine))):
        if len(mine) > singly:
            blocks.append(_group(mine))
        else:
            blocks += [_said(stop.sentence, stop.hint, longest) for stop in mine]
    return blocks


def _said(sentence: str, hint: str, longest: int) -> str:
    return f"- ⛔ {markdown(shortened(sentence, longest))}<br>hint: {markdown(shortened(hint, longest // 2))}"


_VARIES = re.compile(r"`[^`]*`|\S+'s\b")
"""What a hint quotes from the files."""


def _kind(stop: Stop) -> tuple[object, ...] | None:
    """What stops of one kind share: the way out. None for what is not about one account."""
    if not stop.account or not stop.sentence.startswith((f"{stop.account}: ", f"{stop.account} ")):
        return None
    return (stop.locked, _moves_secrets(stop), _VARIES.sub("…", stop.hint))


def _moves_secrets(stop: Stop) -> bool:
    return "would be sent to another host" in stop.sentence


def _group(stops: Sequence[Stop]) -> str:
    """One line for all; examples under it where they do not say the same."""
    told = [stop.sentence.removeprefix(str(stop.account)).removeprefix(":").strip() for stop in stops]
    accounts = dict.fromkeys(str(stop.account) for stop in stops)
    alike = len(set(told)) == 1
    common = told[0] if alike else _common(told)
    number = words.plural(len(accounts), "account")
    if len(accounts) != len(stops):
        number = f"{words.plural(len(stops), 'stop')} in {number}"
    what = f": {markdown(shortened(common, _TEXT))}" if common else ", for one reason"
    hints = dict.fromkeys(stop.hint for stop in stops)
    such = "" if len(hints) == 1 else "such as: "
    hint = f"<br>hint: {such}{markdown(shortened(stops[0].hint, _TEXT))}"
    first = f"- ⛔ **{number}**{what}: {_names(list(accounts))}{hint}"
    if alike:
        return first
    examples = [f"  - such as {markdown(shortened(s.sentence, _TEXT))}" for s in stops[:_EXAMPLES]]
    return "\n".join([first, *examples])


def _common(told: Sequence[str]) -> str:
    """The words that all begin with, up to where a clause ends; empty when there is no such clause."""
    # What lies between the first and the last in order begins with whatever both begin with.
    one, other = min(told), max(told)
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    start = one[:same]
    return start[: max(start.rfind("; "), start.rfind(" ("), 0)]


__all__ = [
    "SINGLY",
    "STOPS_SINGLY",
    "by_danger",
    "danger_sections",
    "in_accounts",
    "in_numbers",
    "stop_blocks",
    "withheld_in_numbers",
]
