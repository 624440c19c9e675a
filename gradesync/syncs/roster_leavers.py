"""Seats that have ended and that Canvas still holds: taken out one by one, by rows compared with nothing.

That happens when Canvas met its change limit and applied rows without removing any (`canvas.md` 2.2). Only seats that
we sent ourselves are touched; who they are is found by `roster_after`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gradesync.domain.account import Account
from gradesync.domain.roster_csv import CanvasFiles, Row
from gradesync.ports import RosterSpool
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_sending import SUCCEEDED, Order, one_import

_BY_SIS_ID = ("section_id", "user_id", "role", "status")


def seat_rows(
    files: CanvasFiles, seats: Iterable[tuple[str, str, str]], account: Account
) -> tuple[Row, list[Row]]:
    """Rows that end seats, (class, person, role), and their header. People are named by their SIS id."""
    with rows_of(files.paths["enrollments.csv"]) as (header, _):
        if "user_id" not in header:
            header = _BY_SIS_ID
    ended = account.roster.mapping.ended
    rows = []
    for class_id, person, role in seats:
        row = {"section_id": class_id, "user_id": person, "role": role, "status": ended}
        rows.append(tuple(row.get(name, "") for name in header))
    return header, rows


async def taken_out(
    job: RosterJob, decided: Decided, spool: RosterSpool, stayed: Sequence[tuple[str, str, str]]
) -> bool:
    """End these seats, (class, person, role); False when Canvas did not go through with it.

    Raises ConnectionProblem.
    """
    header, rows = seat_rows(decided.files, stayed, job.account)
    place = spool.files({"enrollments": header})
    place.add("enrollments", rows)
    paths = {name: one.path for name, one in place.finished().items()}
    status = await one_import(job, Order(paths, len(stayed)))
    if status is None or status.state not in SUCCEEDED:
        return False
    job.tracker.counts["taken out"] += len(stayed)
    return True
