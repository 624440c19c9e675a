"""Values the store tests share: a clock that stands until told, definitions, runs, holders."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gradesync.domain.action import Action, ActionKind
from gradesync.domain.approval import Approval
from gradesync.domain.definition import canonical, digest
from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold, HoldKind, HoldScope, Request
from gradesync.domain.run import (
    SCHEDULER,
    Actor,
    Claimed,
    Holder,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
)
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.ports import LedgerEntry, Store

T0 = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
ALEX = Actor("alex", "OS user")
ELSEWHERE = Holder("ci-7", "another-host", 7, "77", "another-boot")
DONE = RunResult(Outcome.COMPLETED, Stage.RECORD, {"sent": 3}, {"GS-703": 1}, {"GS-503": "vendor text"})
GRADES = ScheduleId("riverside", "grades")
_numbers = itertools.count(1)


@dataclass
class FakeClock:
    """Answers the instant it was set to."""

    at: datetime = T0

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def minutes(count: float) -> datetime:
    return T0 + timedelta(minutes=count)


def definition(type: SyncType = SyncType.GRADE_PASSBACK, **more: object) -> dict[str, object]:
    return {
        "type": type.value,
        "interval": "every 15 minutes",
        "time_zone": "America/New_York",
        "posted_by": "sis-admin",
        **more,
    }


def action(
    kind: ActionKind,
    account: str,
    schedule: str | None = None,
    values: dict[str, object] | None = None,
    next_run: datetime | None = None,
    moved_from: str | None = None,
) -> Action:
    if values is None and kind is not ActionKind.RETIRE:
        values = definition() if schedule else {"account": account, "group": "north"}
    return Action(
        kind=kind,
        account=account,
        schedule=schedule,
        why="a test asked for it",
        text=canonical(values) if values is not None else None,
        digest=digest(values) if values is not None else None,
        next_run_after=next_run,
        moved_from=moved_from,
    )


def fact(what: str = "schedule created", account: str | None = "riverside", **more: object) -> Fact:
    known = {name: more.pop(name, None) for name in ("schedule", "run_id", "detail")}
    return Fact(what, ALEX, account, data=more, **known)  # type: ignore[arg-type]  # the three are texts or None


def apply(store: Store, account: str, *actions: Action, expected: int | None = None, facts: tuple[Fact, ...] = ()) -> bool:  # fmt: skip  # noqa: E501 - one line per parameter would hide the tests
    return store.apply_account(
        account, expected_revision=expected, actions=actions, facts=facts, commit="c0ffee", now=T0
    )


def school(store: Store, account: str = "riverside", *schedules: str, next_run: datetime = T0) -> None:
    """Record an account with the named schedules (default: grades), due at `next_run`."""
    names = schedules or ("grades",)
    assert apply(
        store,
        account,
        action(ActionKind.CHANGE_ACCOUNT, account),
        *(action(ActionKind.CREATE, account, name, next_run=next_run) for name in names),
    )


def new_run(
    schedule: ScheduleId = GRADES, slot: str | None = None, created: datetime = T0, mode: Mode = Mode.DELTA
) -> Run:
    number = next(_numbers)
    return Run(
        id=f"{number:032x}",
        schedule=schedule,
        type=SyncType.GRADE_PASSBACK,
        slot_key=slot or f"manual:{number}",
        slot_at=created if slot else None,
        trigger=Trigger.SLOT if slot else Trigger.BY_HAND,
        mode=mode,
        actor=SCHEDULER if slot else ALEX,
        state=RunState.QUEUED,
        created_at=created,
        late_by=7,
        reason="looked odd",
    )


def queue(store: Store, schedule: ScheduleId = GRADES, mode: Mode = Mode.DELTA, at: datetime = T0) -> Run:
    run = new_run(schedule, mode=mode, created=at)
    assert store.add_run(run)
    return run


def claim(store: Store, run: Run, holder: Holder = ELSEWHERE, ttl: float = 60) -> Claimed:
    answer = store.claim(run.id, holder, ttl)
    assert isinstance(answer, Claimed), answer
    return answer


def hold(scope: HoldScope = HoldScope(), expires: datetime | None = None, created: datetime = T0) -> Hold:  # noqa: B008 - frozen
    return Hold(
        f"hold-{next(_numbers):06}", scope, ALEX, "roster looks wrong", created, expires, HoldKind.OPERATOR
    )


def approval(digest: str, created: float = 0, account: str = "riverside") -> Approval:
    return Approval(
        account, digest, f"run of {digest}", ALEX, "looked at it", minutes(created), minutes(created + 60)
    )


def request(schedule: ScheduleId = GRADES, created: datetime = T0) -> Request:
    return Request(f"request-{next(_numbers):06}", schedule, ALEX, Mode.FULL, created, "a teacher asked")


def entry(subject: str, class_id: str = "c1", kind: str = "result", **hashes: str | None) -> LedgerEntry:
    values: dict[str, str | None] = {"sent": None, "read_back": None, "intent": None, **hashes}
    return LedgerEntry(kind, subject, class_id, f"id-{subject}", **values)
