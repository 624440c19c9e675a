"""The words of a schedule: its type, its state, its identity. No decisions and no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SyncType(StrEnum):
    """Which way a schedule carries data."""

    ROSTER_IMPORT = "roster import"
    GRADE_PASSBACK = "grade passback"


class State(StrEnum):
    """What YAML declares. `observe` runs at its slots as a full dry run."""

    ACTIVE = "active"
    PAUSED = "paused"
    OBSERVE = "observe"


def account_state(definition: Mapping[str, object]) -> State:
    """What an account's canonical definition declares for all its schedules: the stricter of this and their own counts.

    An account that is leaving stops nothing by that: its schedules are retired.
    """
    said = definition.get("state")
    return State(str(said)) if said in (State.PAUSED, State.OBSERVE) else State.ACTIVE


@dataclass(frozen=True, slots=True, order=True)
class ScheduleId:
    """`account/name`, the identity of a schedule everywhere."""

    account: str
    name: str

    def __str__(self) -> str:
        return f"{self.account}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> ScheduleId:
        """Read `account/name`; raises ValueError when it is not of that form."""
        account, slash, name = text.partition("/")
        if not (account and slash and name) or "/" in name:
            raise ValueError(f"`{text}` is not of the form account/schedule")
        return cls(account, name)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One effective schedule.

    `interval` is the text as written, `canonical_interval` what is compared; `first_run` is local wall time
    `YYYY-MM-DD HH:MM` without offset; `spread` is in minutes.
    """

    id: ScheduleId
    type: SyncType
    interval: str
    time_zone: str
    first_run: str | None = None
    posted_by: str | None = None
    state: State = State.ACTIVE
    reason: str | None = None
    start_within: int | None = None
    spread: int = 0
    canonical_interval: str = ""

    @classmethod
    def from_definition(cls, id: ScheduleId, definition: Mapping[str, object]) -> Schedule:
        """Build from the canonical mapping the store and the loader share (`definition.schedule_fields`)."""
        d = definition

        def text(key: str) -> str | None:
            value = d.get(key)
            return None if value is None else str(value)

        start_within = d.get("start_within")
        return cls(
            id=id,
            type=SyncType(str(d["type"])),
            interval=str(d["interval"]),
            time_zone=str(d["time_zone"]),
            first_run=text("first_run"),
            posted_by=text("posted_by"),
            state=State(str(d.get("state", "active"))),
            reason=text("reason"),
            start_within=int(str(start_within)) if start_within is not None else None,
            spread=int(str(d.get("spread", 0))),
            canonical_interval=str(d.get("canonical_interval", "")),
        )
