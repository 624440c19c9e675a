"""Small values for whole-screen tests: one account, its schedules, runs, holds, plans and a pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan, Stop
from gradesync.domain.due import Block
from gradesync.domain.history import GENESIS_HASH, Fact, HistoryEntry, seal
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.problem import Place, Problem
from gradesync.domain.report import AccountView, ClassCounts, PassReport, RunEnd, ScheduleRow
from gradesync.domain.run import (
    SCHEDULER,
    Actor,
    Lease,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
)
from gradesync.domain.schedule import Schedule, ScheduleId, State, SyncType
from gradesync.reporting.style import Style

NOW = datetime(2026, 11, 25, 19, 5, tzinfo=UTC)
ZONE = "America/New_York"
FILE = "schedules/riverside.yaml"
GRADES = ScheduleId("riverside", "grades")
ROSTER = ScheduleId("riverside", "roster-nightly")
OLD = ScheduleId("riverside", "grades-old")
DANA = Actor("dana", "OS user")

PLAIN = Style(color=False, width=80, terminal=False)


def terminal(width: int, *, color: bool = False) -> Style:
    return Style(color=color, width=width, terminal=True)


def at(hour: int, minute: int = 0, day: int = 25) -> datetime:
    """An instant of November 2026 by New York's clock (UTC-5)."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour + 5, minutes=minute)


def definition(**extra: object) -> str:
    return json.dumps({"type": "grade passback", "interval": "hourly", "time_zone": ZONE, **extra})


CHANGE = Action(
    kind=ActionKind.CHANGE,
    account="riverside",
    schedule="grades",
    why=f"changed in {FILE}",
    place=Place(FILE, 31, 5),
    fields=(FieldChange("canonical_interval", '"every 15 minutes"', '"hourly"'),),
    text=definition(),
    digest="d1",
    next_run_before=at(14, 15),
    next_run_after=at(15),
    held=True,
    held_by="held by dana until 2026-11-27 13:00 UTC: SIS upgrade",
    hold_ids=("h123456789",),
)
CREATE = Action(
    kind=ActionKind.CREATE,
    account="oakhill",
    schedule="roster",
    why="new in schedules/oakhill.yaml",
    place=Place("schedules/oakhill.yaml", 20, 3),
    text=definition(),
    digest="d2",
    next_run_after=at(2, 0, 26),
)
PAUSE = Action(
    kind=ActionKind.PAUSE,
    account="oakhill",
    schedule="grades",
    why="paused in schedules/oakhill.yaml: SIS upgrade",
    place=Place("schedules/oakhill.yaml", 27, 5),
    fields=(FieldChange("state", None, '"paused"'),),
    text=definition(state="paused"),
    digest="d3",
    next_run_before=at(15),
)
RETIRE = Action(
    kind=ActionKind.RETIRE,
    account="riverside",
    schedule="grades-old",
    why=f"no longer in {FILE}",
    place=Place(FILE, 12, 1),
    next_run_before=at(15),
)
STOP = Stop(
    "riverside",
    "riverside: 2 of 4 schedules would be retired, over the limit of 30%",
    "check the change, then allow exactly this plan by its digest",
)
PLAN = Plan(
    actions=(PAUSE, CREATE, CHANGE),
    withheld=(RETIRE,),
    stops=(STOP,),
    unchanged=34,
    frozen=("elm",),
    commit="4f2c1ab9900112233445566778899aabbccddeef",
    accounts=2,
    schedules=38,
)
NOTHING = Plan(actions=(), unchanged=38, accounts=2, schedules=38)

RESULT = RunResult(
    outcome=Outcome.WARNING,
    stage=Stage.RECORD,
    counts={"sent": 12, "unchanged": 1040, "withheld": 3, "refused": 0},
    codes={"GS-401": 2, "GS-411": 1},
    vendor={"GS-401": "Jane Roe has no due date"},
)


def run(schedule: ScheduleId = GRADES, result: RunResult | None = RESULT, **extra: object) -> Run:
    values: dict[str, object] = {
        "id": "r1",
        "schedule": schedule,
        "type": SyncType.ROSTER_IMPORT if schedule == ROSTER else SyncType.GRADE_PASSBACK,
        "slot_key": at(14).isoformat(),
        "slot_at": at(14),
        "trigger": Trigger.SLOT,
        "mode": Mode.DELTA,
        "actor": SCHEDULER,
        "state": RunState.ENDED,
        "created_at": at(14),
        "attempt": 1,
        "epoch": 7,
        "started_at": at(14, 1),
        "ended_at": at(14, 2),
        "late_by": 61,
        "result": result,
        **extra,
    }
    return Run(**values)  # type: ignore[arg-type]  # a table of overrides; the dataclass names them


def schedule(id: ScheduleId, **extra: object) -> Schedule:
    values: dict[str, object] = {
        "id": id,
        "type": SyncType.ROSTER_IMPORT if id == ROSTER else SyncType.GRADE_PASSBACK,
        "interval": "daily at 02:00" if id == ROSTER else "every 15 minutes",
        "time_zone": ZONE,
        "first_run": "2026-09-01 02:00",
        "posted_by": "sis-admin",
        **extra,
    }
    return Schedule(**values)  # type: ignore[arg-type]  # a table of overrides; the dataclass names them


HELD = Block("hold", "held by dana until 2026-11-27 13:00 UTC: SIS upgrade", "GS-707")
PAUSED = Block("paused", "paused in its YAML file (summer)", "GS-707")

GRADES_ROW = ScheduleRow(
    schedule(GRADES),
    at(14, 15),
    at(7, 0, 2),
    (),
    run(),
    None,
    waiting={"GS-411": 1, "GS-401": 12},
    waiting_since={"GS-401": at(14, 5, 22), "GS-411": at(11, 30)},
)
ROSTER_ROW = ScheduleRow(schedule(ROSTER), at(2, 0, 26), None, (HELD,), None, None)
OLD_ROW = ScheduleRow(
    schedule(OLD, state=State.PAUSED, reason="summer", first_run=None, posted_by=None),
    None,
    None,
    (PAUSED, HELD),
    run(OLD, RunResult(Outcome.COMPLETED, Stage.RECORD)),
    None,
)
ROWS = (GRADES_ROW, ROSTER_ROW, OLD_ROW)

LEASE = Lease("oakhill", 4, "r9", "ci on runner-7", at(14, 3), at(14, 8))
HOLD = Hold(
    "h123456789", HoldScope("riverside", "grades"), DANA, "SIS upgrade", at(9), at(9) + timedelta(hours=72)
)
BREAKER = Hold(
    "b123456789",
    HoldScope("oakhill"),
    Actor("gradesync", "breaker"),
    "3 failures in a row",
    at(8),
    None,
    HoldKind.BREAKER,
)
VIEW = AccountView(
    key="riverside",
    name="Riverside Public Schools",
    time_zone=ZONE,
    canvas_url="https://riverside.instructure.com",
    sis_url="https://genesis.riverside.example",
    sis_profile="genesis",
    revision=12,
    rows=ROWS,
    holds=(HOLD,),
    waiting={"GS-401": 2},
    waiting_since={"GS-401": at(14, 5, 22)},
    lease=None,
)

FAILED = RunEnd(
    run(ROSTER, RunResult(Outcome.FAILED, Stage.FETCH, {}, {"GS-202": 1}), id="r2"),
    RunResult(Outcome.FAILED, Stage.FETCH, {}, {"GS-202": 1}),
    problem="the SIS refuses the key",
    hint="renew the client id and secret in the SIS",
)
REPORT = PassReport(
    at=NOW,
    plan=NOTHING,
    problems=(),
    applied=3,
    raced=("elm",),
    ends=(RunEnd(run(), RESULT), FAILED),
    busy=(LEASE,),
    blocked={OLD: (PAUSED, HELD)},
    missed={GRADES: 3},
    checkpoint="ab" * 32,
)
QUIET = PassReport(NOW, NOTHING, (), 0, (), (), (), {}, {}, None)
DRY = RunEnd(
    run(result=None, state=RunState.QUEUED, attempt=0, epoch=None, started_at=None, ended_at=None),
    RESULT,
    classes=(
        ClassCounts("class-101", {"sent": 12, "unchanged": 40, "line items sent": 1}, {}),
        ClassCounts("class-102", {"unchanged": 1000, "withheld": 3}, {"GS-401": 2, "GS-411": 1}),
    ),
)


def entries() -> tuple[HistoryEntry, ...]:
    data = {
        "type": "grade passback",
        "trigger": "slot",
        "mode": "delta",
        "outcome": "warning",
        "stage": "record",
        "counts": {"sent": 12, "withheld": 3},
        "codes": {"GS-401": 2, "GS-411": 1},
    }
    ended = Fact("run ended", SCHEDULER, "riverside", "grades", "r1", data)
    placed = Fact(
        "hold placed",
        DANA,
        "riverside",
        "grades",
        data={"scope": "riverside/grades", "reason": "SIS upgrade", "until": None},
        detail="Jane Roe",
    )
    first = seal("riverside", 1, at(14, 2), ended, GENESIS_HASH)
    return first, seal("riverside", 2, at(14, 3), placed, first.hash)


SOURCE = """account: riverside
time_zone: America/New_York
canvas:
  token: 1234~abcdefghijklmnop
schedules:
  grades:
    intervall: hourly
    state: of
"""
PROBLEMS = (
    Problem("GS-102", "unknown setting `intervall`", Place(FILE, 7, 5), "did you mean `interval`?", width=9),
    Problem("GS-107", "this looks like a key or token", Place(FILE, 4, 10), "rotate the key now", width=21),
    Problem("GS-115", "runs on no day of February", Place(FILE, 8, 12), warning=True, width=2),
)


def source(file: str) -> str | None:
    return SOURCE if file == FILE else None
