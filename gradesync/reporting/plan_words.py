"""The sentences about plans that several formats share: whole accounts, refused parts of saved plans, older trees."""

from __future__ import annotations

from gradesync.domain.action import Action, ActionKind
from gradesync.domain.report import PassReport
from gradesync.domain.saved_plan import StaleAction
from gradesync.reporting.clean import clean


def whole_account(action: Action) -> str:
    """What an action on an account as a whole is about; empty where its heading says it."""
    if action.kind is ActionKind.RETIRE:
        return "the account itself"
    return clean(action.account) if action.kind is ActionKind.MOVE else ""


def stale_line(stale: StaleAction) -> str:
    """Why a part of a saved plan is refused: `riverside/grades (change): schedule paused by alex at ...`."""
    if stale.recorded:
        why = clean(stale.changed) or "it was changed since the plan was saved"
    else:
        why = "the files say otherwise now"
    return f"{clean(stale.subject)} ({clean(stale.kind)}): {why}"


STALE = "Of the saved plan this no longer fits, and was refused; make the plan anew"
"""Heads the parts of a saved plan that were not carried out."""


def behind_line(report: PassReport) -> str:
    """GS-704 in one sentence, with the reason and the way out."""
    why = f": {clean(report.stale_why)}" if report.stale_why else ""
    return (
        f"The tree does not follow commit {clean(report.stale_commit or '')[:12]}, which was applied before{why}. "
        "Nothing of it was applied; what was recorded goes on."
    )
