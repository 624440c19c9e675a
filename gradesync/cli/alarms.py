"""What a pass does about alarms at its end, and where it does not come to one. Its exit code and its own error are not
theirs to change: trouble is only said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from gradesync.cli.common import tell
from gradesync.errors import GradesyncError, NotSent, StoreUnavailable

if TYPE_CHECKING:
    from gradesync.config.settings import Settings
    from gradesync.domain.alarm import Told
    from gradesync.domain.report import PassReport
    from gradesync.domain.shard import Shard
    from gradesync.engine.alarm_facts import PassNews
    from gradesync.engine.reconcile import PassOptions
    from gradesync.ports import Notifier
    from gradesync.wiring import App

GOOD = frozenset({0, 3})
"""Exit codes of passes that did their work: runs that need a person have alarms of their own."""

PING_SECONDS, ALARM_SECONDS = 5.0, 15.0
"""What telling may take after a pass that did not come to its end: a CI job may be killed soon after."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom a pass tells. `whole`: it is one over all accounts, or over its `shard` of them, and so pings."""

    whole: bool
    shard: Shard | None = None
    quiet: bool = False


def after(app: App, report: PassReport, options: PassOptions, code: int, telling: Telling) -> None:
    """Tell who has to know of the pass, and ping whoever waits for it."""
    if telling.quiet:
        return
    try:
        if not _anybody(app.settings):
            # Most of what follows would only be loaded to find that out.
            if telling.whole:
                app.store.note_pass(app.store.now())
            return
        _after(app, report, options, code, telling)
    except StoreUnavailable as away:
        tell(f"alarms were left to the next pass: {away}")


def _anybody(settings: Settings) -> bool:
    return bool(settings.notify or settings.ping or settings.ping_fail)


def _after(app: App, report: PassReport, options: PassOptions, code: int, telling: Telling) -> None:
    from gradesync.engine.alarm_facts import news_of
    from gradesync.engine.alarms import after_pass
    from gradesync.wiring.notifying import alarm_settings, notifier

    from_files = options.desired is not None
    news = news_of(report, from_files=from_files, only=options.only, shard=telling.shard is not None)
    sender = notifier(app, telling.shard)
    try:
        say(after_pass(app.store, sender, alarm_settings(app.settings), news))
    finally:
        # The pass itself has done its work.
        if news.whole:
            _ping(sender, good=code in GOOD)


@contextmanager
def shown(done: Callable[[], None]) -> Iterator[None]:
    """`done` tells after the report was shown, and all the same when showing it failed: the pass has done its work."""
    try:
        yield
    except Exception:
        _never_hiding(done)
        raise
    done()


@contextmanager
def with_store(app: App, telling: Telling) -> Iterator[None]:
    """An error that ends a pass in the middle is told of: what the store holds by then, and the watcher outside.

    A store that is away is left to `without_store`, and Ctrl-C to whoever pressed it.
    """
    try:
        yield
    except StoreUnavailable:
        raise
    except Exception:
        _unfinished(app, telling)
        raise


@contextmanager
def without_store(root: Path, settings: Settings | None, telling: Telling) -> Iterator[None]:
    """A store that cannot be opened, or is lost midway, is told to the watcher outside, which needs no store.

    No message is sent: without the store nobody knows what was told before, and every pass would tell it again.
    """
    try:
        yield
    except StoreUnavailable:
        _never_hiding(lambda: _fail(root, settings, telling))
        raise


def cut_off(app: App, options: PassOptions, telling: Telling, began: float) -> None:
    """The time of a pass was up, and the time to reach a class boundary too. `began` by the monotonic clock."""

    def told() -> None:
        if telling.whole and not telling.quiet and not _anybody(app.settings):
            app.store.note_pass(app.store.now())
            return
        from gradesync.engine.alarm_facts import news_of_cut

        start = app.store.now() - timedelta(seconds=monotonic() - began)
        _hurry(app, telling, news_of_cut(start, only=options.only, shard=telling.shard is not None))

    _never_hiding(told)


def _unfinished(app: App, telling: Telling) -> None:
    # As `notify send` looks: a pass that died is none that came.
    _never_hiding(lambda: _hurry(app, telling, None))


def _hurry(app: App, telling: Telling, news: PassNews | None) -> None:
    """The watcher first, who needs no store; then what is recorded."""
    if telling.quiet or not _anybody(app.settings):
        return
    from gradesync.engine.alarms import after_pass
    from gradesync.notify.hurried import Hurried
    from gradesync.wiring.notifying import alarm_settings, notifier

    _fail(app.root, app.settings, telling)
    sender = Hurried(notifier(app, telling.shard), ALARM_SECONDS)
    limit = timedelta(seconds=ALARM_SECONDS)
    say(after_pass(app.store, sender, alarm_settings(app.settings), news, within=limit))


def _fail(root: Path, settings: Settings | None, telling: Telling) -> None:
    if telling.quiet or not telling.whole:
        return
    if settings is None:
        from gradesync.config.settings import read_settings

        settings = read_settings(root, to_run=True)
    if settings.ping_fail is None:
        return
    from gradesync.notify.hurried import Hurried
    from gradesync.wiring.notifying import notifier_of

    _ping(Hurried(notifier_of(root, settings, telling.shard), PING_SECONDS), good=False)


def _never_hiding(telling: Callable[[], None]) -> None:
    """Tell, whatever becomes of it: the error that is on its way, and the exit code, say what happened to the pass."""
    try:
        telling()
    except GradesyncError as problem:
        tell(f"alarms were left to the next pass: {problem}")
    except (Exception, KeyboardInterrupt) as trouble:
        # What a library's error says may hold an address.
        tell(f"alarms were left to the next pass ({type(trouble).__name__})")


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
        tell(
            f"alarms: rule {name}: {trouble}; it is tried again (what to do: `gradesync notify test --to {name}`)"
        )
    if told.given_up:
        tell(
            f"alarms: {told.given_up} given up after many tries; try the channel with `gradesync notify test`"
        )
    if told.nobody:
        tell(f"alarms: {told.nobody} for whom `contacts` names no mail address; see `gradesync notify list`")
