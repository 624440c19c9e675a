"""What one grade passback is given to work with, and which problems end it. No reading and no deciding here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from gradesync.domain.account import Account
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.problem import ENDS_RUN
from gradesync.domain.run import Mode
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import ConnectionProblem
from gradesync.ports import GradebookSource, Progress
from gradesync.syncs.class_writer import WritesForbidden
from gradesync.syncs.stage import StageTracker
from gradesync.syncs.waiting import Waiting


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PassbackJob:
    """One passback. `policy` is the digest of the account's definition: when it changes, everything is decided anew.

    `workers` is how many courses are in work at once; `class_filter` limits the run to one SIS class.
    `waiting` is what a delta goes through again when its cause can have gone; None: nothing. `halted` is asked before
    each course: whether to end here.
    """

    account: Account
    schedule: ScheduleId
    mode: Mode
    policy: str
    today: date
    source: GradebookSource
    keyed: KeyedHash
    progress: Progress
    tracker: StageTracker
    workers: int = 8
    class_filter: str | None = None
    waiting: Waiting | None = None
    halted: Callable[[], bool] = _never


def ends_run(problem: ConnectionProblem) -> bool:
    """Whether nothing further can work after this problem."""
    return problem.code in ENDS_RUN or isinstance(problem, WritesForbidden)
