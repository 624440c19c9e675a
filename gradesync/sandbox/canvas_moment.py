"""A clock for filling a Canvas: acts are stamped with the past. No other time is told here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Moment:
    """A clock that stands still until it is set: stamps the past while a world is being filled."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at
