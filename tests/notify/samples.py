"""Values the alarm tests share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gradesync.domain.alarm import AlarmKind, Cause, Letter, Message, News
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.domain.run import SCHEDULER, Mode, Outcome, Run, RunResult, RunState, Stage, Trigger
from gradesync.domain.schedule import ScheduleId, SyncType

T0 = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def hours(count: float) -> datetime:
    return T0 + timedelta(hours=count)


def rule(name: str = "ops", channel: str = "webhook", **more: object) -> AlarmRule:
    return AlarmRule(name, channel, "env:HOOK", **more)  # type: ignore[arg-type]  # fields by name


def key_cause(account: str = "riverside", code: str = "GS-201", **more: object) -> Cause:
    return Cause(AlarmKind.KEY, account, code, T0, "Canvas admin", code, **more)  # type: ignore[arg-type]  # by name


def failed(account: str = "riverside", schedule: str = "grades", **more: object) -> Cause:
    values: dict[str, object] = {"code": "GS-508", "count": 1, **more}
    return Cause(AlarmKind.FAILED, account, schedule, T0, "SIS admin", **values)  # type: ignore[arg-type]  # by name


def message(*letters: Letter, **more: object) -> Message:
    return Message(T0, letters, **more)  # type: ignore[arg-type]  # by name


def raised(cause: Cause) -> Letter:
    return Letter(News.RAISED, cause)


def ended_run(
    schedule: ScheduleId,
    outcome: Outcome,
    at: datetime,
    *,
    codes: dict[str, int] | None = None,
    type: SyncType = SyncType.GRADE_PASSBACK,
) -> Run:
    return Run(
        id=f"{schedule.account}-{schedule.name}-{at:%d%H%M}",
        schedule=schedule,
        type=type,
        slot_key=at.isoformat(),
        slot_at=at,
        trigger=Trigger.SLOT,
        mode=Mode.DELTA,
        actor=SCHEDULER,
        state=RunState.ENDED,
        created_at=at,
        started_at=at,
        ended_at=at,
        result=RunResult(outcome, Stage.FETCH, {}, codes or {}),
    )
