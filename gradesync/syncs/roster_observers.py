"""Guardians who may no longer observe a student: taken out by an import of the observers' file alone.

The import of the roster passes over everything that says `deleted`, because what vanished from a read is never deleted
in Canvas. To observe is the exception: it is a right, nothing of the student's lies in it, and whoever lost it must not
keep it. So the file goes once more by itself, compared under a name of its own that outlives the school year, and what
is gone from it goes. What an account wants of guardians is the mapping's.
"""

from __future__ import annotations

import asyncio

from gradesync.syncs.marks import OBSERVERS
from gradesync.syncs.roster_deciding import Decided, data_set_id
from gradesync.syncs.roster_job import RosterJob
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_sending import SUCCEEDED, Order, expected_change, one_import

FILE = "user_observers.csv"


async def ties_ended(job: RosterJob, decided: Decided) -> bool:
    """Send the observers' file by itself if it changed; False when Canvas did not go through with it.

    Without such a file everything stays as it is. Raises ConnectionProblem and LeaseLost.
    """
    file = decided.files.files.get(FILE)
    digest, _, size = (job.records.watermark(OBSERVERS) or "").partition(" ")
    if file is None or file.digest == digest:
        return True
    order = Order(
        paths={FILE: file.path},
        rows=await asyncio.to_thread(_rows, decided),
        data_set=data_set_id(job.data_set, job.account.key, "observers"),
        expected_change=expected_change(file.size, size or None),
        # A run killed in here leaves all rows to its successor: of the roster's own import nothing is remembered yet.
        last=False,
        deletes=True,
    )
    status = await one_import(job, order)
    if status is None or status.state not in SUCCEEDED:
        job.tracker.codes["GS-606" if status is not None else "GS-607"] += 1
        return False
    if status.threshold_exceeded:
        # Compared with something else than what we sent: nobody was taken out, and the next run compares anew.
        job.tracker.codes["GS-619"] += 1
        return False
    job.records.set_watermarks({OBSERVERS: f"{file.digest} {file.size}"})
    return True


def _rows(decided: Decided) -> int:
    with rows_of(decided.files.paths[FILE]) as (_, rows):
        return sum(1 for _ in rows)
