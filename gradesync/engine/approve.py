"""Letting one braked roster import through: the change its run was stopped for, and no other.

The consent names a digest over the files and the last good read they are measured against. When either moves, the
next run is another change and stops again; so an approval can neither be stretched nor used twice.
"""

from __future__ import annotations

from gradesync.domain.approval import APPROVAL_LIFE, Approval, Approved
from gradesync.domain.history import Fact
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_generation import GenerationHead
from gradesync.domain.run import Run, RunState
from gradesync.domain.schedule import SyncType
from gradesync.engine.tools import Tools
from gradesync.errors import GradesyncError, NotFound
from gradesync.ports import RunQuery


def approve(tools: Tools, run_id: str, reason: str) -> Approved:
    """Allow the change that the run was stopped for, in the person's name.

    Raises NotFound for an unknown run; GradesyncError without a reason, and for a run that was not stopped by the
    brake, was only a look, was stopped for good (an empty read), or is out of date.
    """
    if not reason.strip():
        raise GradesyncError("an approval needs a reason", hint="add --reason '...'")
    run = _run(tools, run_id)
    change = _stopped(run)
    assert change.digest is not None
    _refuse_outdated(tools, run, change)
    now = tools.store.now()
    approval = Approval(
        account=run.schedule.account,
        digest=change.digest,
        run_id=run.id,
        actor=tools.actor,
        reason=reason.strip(),
        created_at=now,
        expires_at=now + APPROVAL_LIFE,
    )
    tools.store.add_approval(approval, [_fact(run, change, approval)])
    return Approved(run, change, approval)


def _fact(run: Run, change: RosterChange, approval: Approval) -> Fact:
    data = {
        "digest": approval.digest,
        "codes": list(change.codes),
        "until": approval.expires_at.isoformat(),
        "reason": approval.reason,
    }
    return Fact(
        "roster approved", approval.actor, run.schedule.account, run.schedule.name, run_id=run.id, data=data
    )


def _run(tools: Tools, run_id: str) -> Run:
    found = tools.store.runs(RunQuery(run_id=run_id, limit=1))
    if not found:
        raise NotFound(
            f"no run {run_id} is recorded",
            hint="`gradesync history` shows runs; a dry run is not recorded and needs no approval",
        )
    return found[0]


def _stopped(run: Run) -> RosterChange:
    """What the brake held; raises GradesyncError when there is nothing to approve."""
    if run.type is not SyncType.ROSTER_IMPORT:
        raise GradesyncError(
            f"run {run.id} is a grade passback; only roster imports are stopped by the brake"
        )
    change = run.result.roster if run.state is RunState.ENDED and run.result is not None else None
    if change is None or not change.stopped:
        raise GradesyncError(
            f"run {run.id} was not stopped by the brake, so there is nothing to approve",
            hint=f"see `gradesync show {run.id}`",
        )
    if change.dry:
        raise GradesyncError(
            f"run {run.id} was only a look and would have sent nothing",
            hint="approve the run that is stopped once the schedule's state is `active`",
        )
    if change.digest is None and "GS-624" in change.codes:
        raise GradesyncError(
            f"run {run.id} was approved already: {' '.join(change.sentences)}",
            hint=f"change the SIS ids in Canvas to the new ones, then run again: `gradesync run {run.schedule}`",
        )
    if change.digest is None:
        raise GradesyncError(
            f"run {run.id} read no roster that could be sent: {' '.join(change.sentences)}",
            hint="nobody can approve an empty read; check the SIS export, then run again",
        )
    return change


def _refuse_outdated(tools: Tools, run: Run, change: RosterChange) -> None:
    """A roster that went through since has another base: the old change can never come again."""
    head = tools.store.read_records(run.schedule.account).generation()
    base = GenerationHead.from_text(head).digest if head is not None else ""
    if change.base and change.base != base:
        raise GradesyncError(
            f"since run {run.id} another roster import has gone through, so its change no longer exists",
            hint=f"if the next one is stopped too, approve that: `gradesync run {run.schedule}`",
        )


__all__ = ["approve"]
