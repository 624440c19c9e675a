"""Shows how far long work is: on a terminal one live block, elsewhere the sentences worth keeping and a sign of life.

Always on stderr, never on stdout. Carries counts only; what is shown never names a person, a title or a score. How
fast work goes and when it may end is `pace`'s.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Protocol, TextIO

from gradesync.cli.pace import Work
from gradesync.domain.schedule import ScheduleId
from gradesync.reporting.clean import cell_width, clean, cut

FIRST_BEAT = 30.0
BEAT = 60.0
"""Seconds of quiet before the first sign of life in a log, and between two of them: a runner that hears nothing for
minutes ends a job, and people do sooner."""

MOST_LINES = 8
"""Lines of the live block at most; work beyond is counted."""

MOST_NAMED = 4
"""Pieces of work that a sign of life names."""

_DRAW = 0.1
_TICK = 1.0
_CODES_ALONE = re.compile(r"; GS-\d+ x\d+(, GS-\d+ x\d+)*$")


def _without_codes(sentence: str) -> str:
    """A run's last line less its list of codes: the report that follows explains each. Those of a failure stay."""
    return sentence if sentence.startswith("failed") else _CODES_ALONE.sub("", sentence)


class Counted(Protocol):
    """Is told how many units of some work are done, and of how many; None while that is unknown."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


class Watch:
    """`ports.Progress`, and the same for work that is no run's. Safe from any thread; a ticker runs while work does."""

    def __init__(
        self, out: TextIO, monotonic: Callable[[], float] = time.monotonic, *, ticking: bool = True
    ) -> None:
        self._out = out
        self._monotonic = monotonic
        self._works: dict[str, Work] = {}
        self._aside: dict[str, float] = {}
        self._runs: tuple[int, int] | None = None
        self._lock = threading.RLock()
        self._ticking = ticking
        self._stop: threading.Event | None = None

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """Where a run is."""
        self._at(str(schedule), stage, done, total)

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """A line that stays."""
        with self._lock:
            work = self._works.pop(str(schedule), None)
            if work is not None:
                # Not every sentence is the last one; what goes on has still begun when it began.
                self._aside[str(schedule)] = work.since
            where = {"account": schedule.account, "schedule": schedule.name}
            self.line(f"{clean(schedule)}: {_without_codes(sentence)}", "run.told", where)

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None:
        """A run is over; `done` of `total` runs of the pass are."""
        with self._lock:
            self._works.pop(str(schedule), None)
            self._aside.pop(str(schedule), None)
            self._runs = None if total is None or done >= total else (done, total)
            self._moved()

    def counted(self, name: str, unit: str) -> Counted:
        """For work that is no run's: what to call with how many units are done, and of how many (None: unknown)."""

        def told(done: int, total: int | None = None) -> None:
            self._at(name, unit, done, total, counted=True)

        return told

    def line(self, text: str, action: str = "note", where: Mapping[str, str] | None = None) -> None:
        """Write a line that stays, wherever the live block is; a record of that action where the log is JSON."""
        with self._lock:
            self._erase()
            self._write(_as_asked(text, action, where or {}) + "\n")

    def clear(self) -> None:
        """Work is over, or somebody is to be asked: take everything away and fall silent until work goes on."""
        with self._lock:
            self._erase()
            self._works.clear()
            self._aside.clear()
            self._runs = None
            if self._stop is not None:
                self._stop.set()
                self._stop = None
            if self in _current:
                _current.remove(self)

    def _at(self, name: str, stage: str, done: int, total: int | None, *, counted: bool = False) -> None:
        with self._lock:
            now = self._monotonic()
            work = self._works.get(name)
            if work is None:
                work = self._works[name] = Work(clean(name), self._aside.pop(name, now))
            work.counted = counted
            work.at(now, clean(stage), done, total)
            self._begun()
            self._moved()

    def _begun(self) -> None:
        if self not in _current:
            _current.append(self)
        if self._ticking and self._stop is None:
            self._stop = threading.Event()
            threading.Thread(target=self._keep_ticking, args=(self._stop,), daemon=True).start()

    def _keep_ticking(self, stop: threading.Event) -> None:
        # A closed stderr is no reason to end the work that it told of.
        with suppress(OSError, ValueError):
            while not stop.wait(_TICK):
                with self._lock:
                    if not stop.is_set():
                        self.tick()

    def tick(self) -> None:
        """Time has gone by."""

    def _moved(self) -> None:
        """Some work is elsewhere now."""

    def _erase(self) -> None:
        """Take away what does not stay."""

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _overall(self) -> str:
        return "" if self._runs is None else f"{self._runs[0]:,} of {self._runs[1]:,} runs ended"


class LiveProgress(Watch):
    """On a terminal: a block at its end, a line for each piece of work, written over and at last taken away."""

    def __init__(
        self,
        out: TextIO,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        ticking: bool = True,
        size: Callable[[], os.terminal_size] = shutil.get_terminal_size,
    ) -> None:
        super().__init__(out, monotonic, ticking=ticking)
        self._size = size
        self._drawn: list[str] = []
        self._drawn_at = float("-inf")

    def tick(self) -> None:
        """Time spent and time left are others by now."""
        self._draw()

    def _moved(self) -> None:
        if self._monotonic() - self._drawn_at >= _DRAW:
            self._draw()

    def _draw(self) -> None:
        now, (columns, rows) = self._monotonic(), self._size()
        works = sorted(self._works.values(), key=lambda work: work.since)
        most = max(1, min(MOST_LINES, rows - 2))
        overall = self._overall()
        shown = works if len(works) + bool(overall) <= most else works[: max(1, most - 1 - bool(overall))]
        lines = [overall] if overall else []
        lines += [work.told(now) for work in shown]
        if len(works) > len(shown):
            lines.append(f"and {len(works) - len(shown):,} more")
        # One column stays free: a full line would already be two on some terminals.
        fitting = [cut(line, max(1, columns - 1)) for line in lines]
        self._drawn_at = now
        if fitting == self._drawn:
            return
        self._write(self._away(columns) + "".join(f"{line}\n" for line in fitting))
        self._drawn = fitting

    def _erase(self) -> None:
        if self._drawn:
            self._write(self._away(self._size().columns))
            self._drawn = []
            self._drawn_at = float("-inf")

    def _away(self, columns: int) -> str:
        """What takes the block away. A terminal made narrower has broken its lines into more of them."""
        rows = sum(max(1, -(-cell_width(line) // max(1, columns))) for line in self._drawn)
        return f"\x1b[{rows}A\r\x1b[J" if rows else ""


class QuietProgress(Watch):
    """For logs: the sentences, and where none came for a while one line that says what goes on."""

    def __init__(
        self, out: TextIO, monotonic: Callable[[], float] = time.monotonic, *, ticking: bool = True
    ) -> None:
        super().__init__(out, monotonic, ticking=ticking)
        self._next: float | None = None

    def tick(self) -> None:
        """A sign of life, where it is time for one."""
        now = self._monotonic()
        if self._next is None or not self._works or now < self._next:
            return
        self._write(_as_asked(self._beat(now), "progress", {}) + "\n")
        self._next = now + BEAT

    def line(self, text: str, action: str = "note", where: Mapping[str, str] | None = None) -> None:
        """A sentence is a sign of life too."""
        super().line(text, action, where)
        self._next = self._monotonic() + BEAT

    def clear(self) -> None:
        """Nothing goes on."""
        super().clear()
        self._next = None

    def _moved(self) -> None:
        if self._next is None:
            self._next = self._monotonic() + FIRST_BEAT

    def _beat(self, now: float) -> str:
        works = sorted(self._works.values(), key=lambda work: work.since)
        parts = [self._overall()] if self._overall() else []
        parts += [work.told(now, since=_since(now - work.since)) for work in works[:MOST_NAMED]]
        if len(works) > MOST_NAMED:
            parts.append(f"and {len(works) - MOST_NAMED:,} more")
        return f"still working: {'; '.join(parts)}"


def _json() -> ModuleType | None:
    """The log's module, where every line is to be JSON."""
    logs = sys.modules.get("gradesync.cli.logs")
    return logs if logs is not None and logs.as_json() else None


def _as_asked(text: str, action: str, where: Mapping[str, str]) -> str:
    logs = _json()
    return text if logs is None else str(logs.record_line("info", action, text, **where))


def _since(seconds: float) -> str:
    began = datetime.now(UTC) - timedelta(seconds=seconds)
    return f"since {began:%H:%M} UTC"


_current: list[Watch] = []
"""Who draws at the moment, so that lines of others can keep out of its way."""


@contextmanager
def aside() -> Iterator[None]:
    """For whoever writes to stderr by another way: the live block gives way, and comes again by itself."""
    if not _current:
        yield
        return
    with _current[-1]._lock:  # noqa: SLF001 - this module's own
        _current[-1]._erase()  # noqa: SLF001 - this module's own
        yield


def live(out: TextIO) -> bool:
    """Whether a block may be drawn and taken away there: a terminal that can move its cursor, and no CI job's."""
    if not out.isatty() or os.environ.get("CI") or _json() is not None:
        return False
    return os.environ.get("TERM", "dumb" if os.name == "posix" else "") not in ("dumb", "unknown")


def watching() -> LiveProgress | QuietProgress:
    """The progress that fits stderr."""
    return LiveProgress(sys.stderr) if live(sys.stderr) else QuietProgress(sys.stderr)


__all__ = ["LiveProgress", "QuietProgress", "Watch", "aside", "live", "watching"]
