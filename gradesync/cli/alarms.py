"""What a pass does about alarms at its end. Its exit code is not theirs to change: trouble is only said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradesync.cli.common import tell
from gradesync.errors import NotSent, StoreUnavailable

if TYPE_CHECKING:
    from gradesync.domain.alarm import Told
    from gradesync.domain.report import PassReport
    from gradesync.engine.reconcile import PassOptions
    from gradesync.ports import Notifier
    from gradesync.wiring import App

GOOD = frozenset({0, 3})
"""Exit codes of passes that did their work: runs that need a person have alarms of their own."""


def after(app: App, report: PassReport, options: PassOptions, code: int, *, shard: bool) -> None:
    """Tell who has to know of the pass, and ping whoever waits for it."""
    try:
        if not (app.settings.notify or app.settings.ping or app.settings.ping_fail):
            # Most of what follows would only be loaded to find that out.
            if options.only is None or shard:
                app.store.note_pass(app.store.now())
            return
        _after(app, report, options, code, shard=shard)
    except StoreUnavailable as away:
        tell(f"alarms were left to the next pass: {away}")


def _after(app: App, report: PassReport, options: PassOptions, code: int, *, shard: bool) -> None:
    from gradesync.engine.alarm_facts import news_of
    from gradesync.engine.alarms import after_pass
    from gradesync.wiring.notifying import alarm_settings, notifier

    news = news_of(report, from_files=options.desired is not None, only=options.only, shard=shard)
    sender = notifier(app)
    try:
        say(after_pass(app.store, sender, alarm_settings(app.settings), news))
    finally:
        # The pass itself has done its work.
        if news.whole:
            _ping(sender, good=code in GOOD)


def _ping(sender: Notifier, *, good: bool) -> None:
    try:
        sender.ping(good=good)
    except NotSent as problem:
        tell(f"the ping was not taken: {problem}; {problem.hint}")


def say(told: Told) -> None:
    """What came of it, on stderr."""
    if told.letters:
        tell(
            f"alarms: {told.letters} told in {told.messages} {'message' if told.messages == 1 else 'messages'}"
        )
    for name, trouble in told.failed.items():
        tell(f"alarms: rule {name}: {trouble}; it is tried again")
    if told.given_up:
        tell(
            f"alarms: {told.given_up} given up after many tries; try the channel with `gradesync notify test`"
        )
    if told.nobody:
        tell(f"alarms: {told.nobody} for whom `contacts` names no mail address; see `gradesync notify list`")
