"""A notifier in a hurry: for a process that is about to end, and must not be kept by a channel that hangs.

What is to be sent and whether it arrived is not judged here; that stays with the notifier inside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from gradesync.domain.alarm import Message
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.errors import NotSent
from gradesync.ports import Notifier


class Hurried:
    """`ports.Notifier` with `seconds` for all it is asked together; what does not end in them was not sent."""

    def __init__(
        self, inner: Notifier, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._ends_at = clock() + seconds

    def send(self, rule: AlarmRule, message: Message) -> None:
        """As the notifier inside. Raises NotSent."""
        self._within(lambda: self._inner.send(rule, message))

    def ping(self, *, good: bool) -> None:
        """As the notifier inside. Raises NotSent."""
        self._within(lambda: self._inner.ping(good=good))

    def _within(self, call: Callable[[], None]) -> None:
        ended: list[NotSent | None] = []

        def body() -> None:
            try:
                call()
                ended.append(None)
            except NotSent as problem:
                ended.append(problem)
            except Exception:
                # A thread's end would print it, and a library's error may hold the address.
                ended.append(NotSent("sending broke in a way it should not", hint="gradesync notify test"))

        # A thread cannot be ended from outside, so one that hangs is left behind: it ends with the process.
        thread = threading.Thread(target=body, daemon=True, name="alarm in a hurry")
        thread.start()
        thread.join(max(0.0, self._ends_at - self._clock()))
        if not ended:
            raise NotSent("there was no time left for it", hint="the next pass tells what stands")
        if ended[0] is not None:
            raise ended[0]


__all__ = ["Hurried"]
