"""One piece of long work as it stands: how far it is, since when, and how long it may still take.

Values and words alone: no clock is read here, nothing is drawn and no thread is started.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

LOOKED_AT = 10.0
"""Seconds of a stage before anything is said of its end."""

MOVED = 5
SHARE = 0.04
"""Units, and the part of all of them, that must be done before their pace says anything."""

WINDOW = 90.0
"""Seconds over which the present pace is measured."""

APART = 0.5
"""Seconds between two marks of the pace: thousands of steps a second need no thousand marks."""

STEADY = 2.5
"""How far the present pace may be from the whole stage's before neither is worth a number."""

STILL = 5
"""After this many usual steps' time without one, work stands still."""


@dataclass
class Work:
    """Something that takes long, by the name people know it by; `since` and all other times in monotonic seconds.

    `counted`: the stage is the name of a unit, and stands behind its number.
    """

    name: str
    since: float
    stage: str = ""
    done: int = 0
    total: int | None = None
    counted: bool = False
    _stage_since: float = 0.0
    _moved_at: float = 0.0
    _first: int = 0
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def at(self, now: float, stage: str, done: int, total: int | None) -> None:
        """Where it is now. A new stage, another total or a step back begins the measuring anew."""
        if (stage, total) != (self.stage, self.total) or done < self.done:
            self._stage_since, self._first, self._moved_at = now, done, now
            self._marks.clear()
        if done != self.done:
            self._moved_at = now
        self.stage, self.done, self.total = stage, done, total
        if not self._marks or now - self._marks[-1][0] >= APART:
            self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[1][0] > WINDOW:
            self._marks.popleft()

    def left(self, now: float) -> float | None:
        """Seconds until the stage's end, or None where any number would be a guess.

        A stage that has hardly begun, that stands still, or whose pace has just changed has no honest number.
        """
        moved, spent = self.done - self._first, now - self._stage_since
        if self.total is None or spent < LOOKED_AT or moved < max(MOVED, SHARE * (self.total - self._first)):
            return None
        whole = moved / spent
        if now - self._moved_at > max(LOOKED_AT, STILL / whole):
            return None
        began, first = self._marks[0]
        # Measured until now, not until the last step: work that stands still becomes slower with every look.
        present = (self.done - first) / (now - began) if now > began and self.done > first else 0.0
        if not present or not 1 / STEADY <= present / whole <= STEADY:
            return None
        return max(0, self.total - self.done) / min(whole, present)

    def told(self, now: float, *, since: str = "") -> str:
        """`riverside/grades: classes 112 of 1,178, 3 min, about 6 min left`; `since` instead of the time spent.

        What is counted: `store import: 12 of 90 MB checked, 40 s`.
        """
        count = ""
        if self.total:
            count = f"{self.done:,} of {self.total:,}"
        elif self.done or self.counted:
            count = f"{self.done:,}"
        words = (count, self.stage) if self.counted else (self.stage, count)
        parts = [" ".join(word for word in words if word), since or length(now - self.since)]
        left = self.left(now)
        parts.append("" if left is None else f"{about(left)} left")
        return f"{self.name}: {', '.join(part for part in parts if part)}"


def length(seconds: float) -> str:
    """`40 s`, `3 min`, `2 h 5 min`; empty for what has just begun."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else ""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def about(seconds: float) -> str:
    """An estimate in no more detail than it deserves."""
    if seconds < 60:
        return "under a minute"
    minutes = round(seconds / 60)
    if minutes <= 10:
        return f"about {minutes} min"
    if minutes < 90:
        return f"about {round(minutes / 5) * 5} min"
    return f"about {round(minutes / 30) / 2:g} h"


__all__ = ["Work", "about", "length"]
