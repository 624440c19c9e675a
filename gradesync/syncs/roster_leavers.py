"""Seats that have ended and that Canvas still holds: taken out one by one, by rows compared with nothing.

That happens when Canvas met its change limit and applied rows without removing any (`canvas.md` 2.2). Only seats that
we sent ourselves are touched; who they are is found by `roster_after`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradesync.ports import RosterSpool
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_sending import SUCCEEDED, Order, one_import


async def taken_out(
    job: RosterJob, decided: Decided, spool: RosterSpool, stayed: Sequence[tuple[str, str, str]]
) -> bool:
    """End these seats, (class, person, role); False when Canvas did not go through with it.

    Raises ConnectionProblem.
    """
    with rows_of(decided.files.paths["enrollments.csv"]) as (header, _):
        place = spool.files({"enrollments": header})
        for class_id, person, role in stayed:
            row = {"section_id": class_id, "user_id": person, "role": role}
            row["status"] = job.account.roster.mapping.ended
            place.add("enrollments", [tuple(row.get(name, "") for name in header)])
    paths = {name: one.path for name, one in place.finished().items()}
    status = await one_import(job, Order(paths, len(stayed)))
    if status is None or status.state not in SUCCEEDED:
        return False
    job.tracker.counts["taken out"] = len(stayed)
    return True
