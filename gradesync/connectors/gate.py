"""How many requests one client may have in flight: never more than configured, fewer when asked to slow down.

Canvas gives every token a leaky bucket (canvas.md 1.3); half the pace at once and a slow way back keeps a run from
being refused at all. No HTTP here.
"""

from __future__ import annotations

import asyncio
from collections import deque

_STEPS = 20


class Gate:
    """Lets at most `limit` callers in; `narrow` halves what is let in, `widen` gives a little back."""

    def __init__(self, limit: int) -> None:
        self._configured = max(1, limit)
        # Counted in whole steps: twenty make one place.
        self._full = self._configured * _STEPS
        self._steps = self._full
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._calm = 0

    @property
    def width(self) -> int:
        """How many callers may be inside now."""
        return self._steps // _STEPS

    @property
    def inside(self) -> int:
        """How many callers are inside."""
        return self._inside

    async def enter(self) -> None:
        """Wait for a place and take it. Every `enter` needs its `leave`."""
        if self._inside < self.width and not self._waiting:
            self._inside += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                # The place was given in the same moment as the cancel; somebody else must get it.
                self.leave()
            elif place in self._waiting:
                # Otherwise somebody who left in the same moment has met the cancelled place and taken it out.
                self._waiting.remove(place)
            raise

    def leave(self) -> None:
        """Give the place back and let the next one in."""
        self._inside -= 1
        self._admit()

    def narrow(self) -> None:
        """Halve the width, at most once per answer of those already inside."""
        if self._calm > 0:
            return
        self._steps = max(_STEPS, self._steps // 2)
        # Answers of requests sent before the halving say nothing about the new pace.
        self._calm = self._inside

    def widen(self) -> None:
        """One untroubled answer: a full step back takes twenty of them."""
        if self._calm > 0:
            self._calm -= 1
        elif self._steps < self._full:
            self._steps += 1
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._inside < self.width:
            place = self._waiting.popleft()
            if not place.done():
                self._inside += 1
                place.set_result(None)
