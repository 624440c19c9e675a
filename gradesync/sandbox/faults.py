"""Which request a fault hits: a seeded share of all, or the next N that fit an order.

Only the choice; what a fault does to a request is `front.py`'s. How a SIS behaves all the time is not chosen here but
in `sis_behaviour.py`, whose manners are asked for by name just the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from gradesync.errors import UsageProblem
from gradesync.sandbox.canvas_state import MANNERS as CANVAS_MANNERS
from gradesync.sandbox.sis_behaviour import MANNERS

FAULTS = (
    "server-error",
    "unauthorized",
    "cut",
    "throttle",
    "slow",
    "truncated-json",
    "huge-answer",
    "slow-loris",
    "sis-403-throttle",
)
SIDES = ("canvas", "sis")


@dataclass(slots=True)
class FaultOrder:
    """A fault for the next `times` requests that fit `side`, `method` and `path` (a part of it), where given.

    `when` says whether a server-error or a cut comes before or after the request took effect; None lets the
    seed choose.
    """

    name: str
    times: int
    side: str | None = None
    method: str | None = None
    path: str | None = None
    when: str | None = None

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            known = ", ".join((*FAULTS, *MANNERS, *CANVAS_MANNERS))
            raise UsageProblem(f"unknown fault {self.name!r}", hint=f"known faults: {known}")
        if self.side not in (None, *SIDES) or self.when not in (None, "before", "after") or self.times < 1:
            raise UsageProblem(
                "a fault's side is canvas or sis, its when before or after, its times at least 1"
            )
        if self.name.startswith("sis-"):
            if self.side == "canvas":
                raise UsageProblem(f"{self.name} is no fault of Canvas")
            self.side = "sis"

    def fits(self, side: str, method: str, path: str) -> bool:
        """Whether this order is meant for such a request."""
        return (
            self.side in (None, side)
            and self.method in (None, method)
            and (self.path is None or self.path in path)
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that hits one request now."""

    name: str
    after_effect: bool


@dataclass(slots=True)
class FaultPlan:
    """Standing faults hit a share of requests; orders hit the next ones and come first."""

    standing: tuple[str, ...] = ()
    share: float = 0.05
    seed: int = 1
    orders: list[FaultOrder] = field(default_factory=list)
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.stand(self.standing)
        self._rng = random.Random(self.seed)  # noqa: S311 -- a reproducible choice, not a secret

    def stand(self, names: Iterable[str]) -> None:
        """Replace the standing faults; an unknown name is refused."""
        names = tuple(names)
        for name in names:
            FaultOrder(name, 1)
        self.standing = names

    def clear(self) -> None:
        """No faults from here on."""
        self.standing = ()
        self.orders.clear()

    def choose(self, side: str, method: str, path: str) -> Fault | None:
        """The fault that hits this request, or None."""
        for order in self.orders:
            if order.fits(side, method, path):
                order.times -= 1
                if order.times == 0:
                    self.orders.remove(order)
                after = self._rng.random() < 0.5 if order.when is None else order.when == "after"
                return Fault(order.name, after)
        if not self.standing or self._rng.random() >= self.share:
            return None
        name = self._rng.choice(self.standing)
        if name.startswith("sis-") and side != "sis":
            return None
        if name == "unauthorized" and side == "canvas":
            # A Canvas token cannot be renewed: hit at random, every run would end. An order still can.
            return None
        return Fault(name, self._rng.random() < 0.5)
