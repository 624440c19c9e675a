"""How far a run has come, for whoever looks at the list: overheard from its progress, kept with each renewal.

Nothing is decided by it, and it costs no write of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gradesync.domain.run import Headway
from gradesync.domain.schedule import ScheduleId
from gradesync.events import tell
from gradesync.ports import Progress


class Overheard:
    """`ports.Progress` that passes everything on and remembers the latest; counts only, as all progress."""

    def __init__(self, further: Progress, monotonic: Callable[[], float]) -> None:
        self._further = further
        self._monotonic = monotonic
        self._seconds: dict[str, float] = {}
        self._began = monotonic()
        self.latest: Headway | None = None

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        """`done` of `total` units of this stage."""
        if self.latest is None or self.latest.stage != stage:
            self._spent()
            tell("run.stage", "at {stage}", stage=stage)
        self.latest = Headway(stage, done, total)
        self._further.stage(schedule, stage, done, total)

    def seconds(self) -> Mapping[str, float]:
        """How long each stage took, as far as the run said where it was; what was before the first is `begin`."""
        self._spent()
        return {stage: round(spent, 3) for stage, spent in self._seconds.items()}

    def _spent(self) -> None:
        now = self._monotonic()
        name = "begin" if self.latest is None else self.latest.stage
        self._seconds[name] = self._seconds.get(name, 0.0) + now - self._began
        self._began = now

    def say(self, schedule: ScheduleId, sentence: str) -> None:
        """Passed on alone: sentences are for the log of whoever runs it."""
        self._further.say(schedule, sentence)

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None:
        """Passed on alone."""
        self._further.ended(schedule, done, total)
