"""`gradesync notify`: try the channels, see what was told, and send what is due when no pass does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gradesync.cli.common import CONTEXT, Invocation, format_option, new_command, opened, tell
from gradesync.cli.render import show

if TYPE_CHECKING:
    from gradesync.domain.alarm_rule import AlarmRule
    from gradesync.wiring import App


@click.group("notify", context_settings=CONTEXT)
def command() -> None:
    """Alarms: try the channels of gradesync.yaml, see what stands, send without a pass."""


@new_command("test", "gradesync notify test\ngradesync notify test --to ops --format json")
@format_option()
@click.option("--to", "name", metavar="NAME", help="Only this rule of `notify`.")
def test(said: Invocation, form: str, name: str | None) -> int:
    """Send a test message over every channel, and say which took it.

    A mail rule that writes to contacts sends its test to the addresses of the rule, or to its own sender: never to a
    school. Exit 1 when a channel did not take it.
    """
    from gradesync.domain.alarm import Message
    from gradesync.errors import NotSent
    from gradesync.wiring import OpenMode
    from gradesync.wiring.notifying import notifier

    # A first channel is tried before there is a first pass, and the store has no part in it.
    with opened(said, OpenMode.EMPTY_IF_MISSING, to_stop=False) as app:
        rules = _rules(app, name)
        now, sender = app.store.now(), notifier(app)
        answers: list[tuple[AlarmRule, str | None, str | None]] = []
        for rule in rules:
            message = Message(now, (), tuple(to for to in rule.to if "@" in to), rule.time_zone, test=True)
            try:
                sender.send(rule, message)
                answers.append((rule, None, None))
            except NotSent as problem:
                answers.append((rule, str(problem), problem.hint))
        show(form, "channels", answers)
    return 1 if any(problem is not None for _, problem, _ in answers) else 0


@new_command("list", "gradesync notify list\ngradesync notify list --format json")
@format_option()
def list_(said: Invocation, form: str) -> int:
    """Show every alarm that stands, for which rule, and whether it was told; exit 1 when passes no longer come."""
    from gradesync.domain.alarm import AlarmLine
    from gradesync.engine.alarms import standing
    from gradesync.notify.words import sentence_of
    from gradesync.wiring.notifying import alarm_settings

    with opened(said, to_stop=False) as app:
        settings = alarm_settings(app.settings)
        found = standing(app.store, settings)
        lines = [
            AlarmLine(
                rule=row.key.rule,
                state=state,
                cause=row.cause,
                sentence=sentence_of(row.cause),
                told_at=row.told_at,
                attempts=row.attempts,
                over=row.ended_at is not None,
            )
            for row, state in found.rows
        ]
        show(
            form,
            "alarms",
            lines,
            [rule.name for rule in settings.rules],
            found.last_pass,
            found.no_pass_since,
        )
    return 1 if found.no_pass_since is not None else 0


@new_command(
    "send",
    "gradesync notify send\n*/10 * * * * gradesync -C /srv/tree notify send   # notices missing passes",
)
def send(said: Invocation) -> int:
    """Look at what is recorded and send what is due, without a pass.

    Every `gradesync reconcile` does this at its end. A timer of its own, best on another machine, notices when passes
    no longer come. Exit 1 when a channel did not take its message; it is tried again.
    """
    from gradesync.cli.alarms import say
    from gradesync.engine.alarms import after_pass
    from gradesync.wiring.notifying import alarm_settings, notifier

    with opened(said, to_run=True) as app:
        told = after_pass(app.store, notifier(app), alarm_settings(app.settings), None)
    say(told)
    if not told.failed and not told.letters:
        tell("nothing is due")
    return 1 if told.failed else 0


def _rules(app: App, name: str | None) -> tuple[AlarmRule, ...]:
    """The rules to try. Raises NotFound."""
    from gradesync.domain.documents import in_docs
    from gradesync.errors import NotFound
    from gradesync.wiring.notifying import alarm_settings

    rules = alarm_settings(app.settings).rules
    if not rules:
        raise NotFound(
            "gradesync.yaml has no rule under `notify`", hint=f"{in_docs('alarms')} begins with one"
        )
    chosen = tuple(rule for rule in rules if name in (None, rule.name))
    if not chosen:
        known = ", ".join(rule.name for rule in rules)
        raise NotFound(f"`notify` has no rule `{name}`", hint=f"there is {known}")
    return chosen


for _each in (test, list_, send):
    command.add_command(_each)
