"""How far a run has come, for whoever looks at the list: overheard from its progress, kept with each renewal.

Nothing is decided by it, and it costs no write of its own.
"""

from __future__ import annotations

from gradesync.domain.run import Headway
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import Progress


class Overheard:
    """`ports.Progress` that passes everything on and remembers the latest; counts only, as all progress."""

    def __init__(self, further: Progress) -> None:
        self._further = further
        self.latest: Headway | None = None

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """`done` of `total` units of this stage."""
        self.latest = Headway(stage, done, total)
        self._further.stage(schedule, stage, done, total)

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """Passed on alone: sentences are for the log of whoever runs it."""
        self._further.say(schedule, sentence)

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None:
        """Passed on alone."""
        self._further.ended(schedule, done, total)
