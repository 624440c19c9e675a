"""Shows where runs are: on a terminal one live line, elsewhere only the sentences worth keeping. Always stderr.

Carries counts only; what is shown never names a person, a title or a score.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from gradesync.domain.schedule import ScheduleId

_EVERY = 0.1
_CODES_ALONE = re.compile(r"; GS-\d+ x\d+(, GS-\d+ x\d+)*$")


def _without_codes(sentence: str) -> str:
    """A run's last line less its list of codes: the report that follows explains each. Those of a failure stay."""
    return sentence if sentence.startswith("failed") else _CODES_ALONE.sub("", sentence)


class LiveProgress:
    """`ports.Progress` on a terminal: all accounts in work share one line that is written over."""

    def __init__(self, out: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._monotonic = monotonic
        self._now: dict[str, str] = {}
        self._drawn_at = 0.0
        self._width = 0

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """Redraw the line, at most ten times a second."""
        count = f" {done}/{total}" if total else ""
        self._now[schedule.account] = f"{schedule} {stage}{count}"
        if self._monotonic() - self._drawn_at >= _EVERY:
            self._draw()

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """A line that stays."""
        self.clear()
        self._now.pop(schedule.account, None)
        self._out.write(f"{schedule}: {_without_codes(sentence)}\n")
        self._out.flush()

    def clear(self) -> None:
        """Take the live line away."""
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._out.flush()
            self._width = 0

    def _draw(self) -> None:
        line = "  |  ".join(self._now.values())[: shutil.get_terminal_size().columns - 1]
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)
        self._drawn_at = self._monotonic()


class QuietProgress:
    """`ports.Progress` for logs: the sentences alone."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """Nothing: a log is not a place for motion."""

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """One line."""
        self._out.write(f"{schedule}: {_without_codes(sentence)}\n")
        self._out.flush()

    def clear(self) -> None:
        """Nothing to take away."""


def watching() -> LiveProgress | QuietProgress:
    """The progress that fits stderr."""
    return LiveProgress(sys.stderr) if sys.stderr.isatty() else QuietProgress(sys.stderr)
