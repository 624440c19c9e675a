"""Rows Canvas would not take: its messages read row by row, kept by keyed hashes, and sent again by themselves.

Canvas counts a refused row as known and forgets it (`canvas.md` 2.6). An import without a data set is compared with
nothing, so sending such rows again that way applies them and leaves what Canvas compares uploads with untouched.
"""

from __future__ import annotations

import asyncio

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_csv import CanvasFile, Row
from gradesync.domain.roster_rows import (
    MOST_REMEMBERED,
    Refused,
    Remembered,
    RowMessage,
    keys_at,
    refused,
    rows_with,
)
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterSpool
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_sending import SUCCEEDED, Order, one_import

_MOST_READ = 20_000
_UNREAD = RowMessage(kind="", row=None, code="GS-604")


async def messages_of(job: RosterJob, status: ImportStatus) -> Refused:
    """What Canvas said of an import's rows. Messages of a success that cannot be read are counted all the same."""
    said = status.warnings + status.errors
    if status.state.endswith("_with_messages"):
        said = max(1, said)
    if not said:
        return Refused()
    found: list[RowMessage] = []
    try:
        async for one in job.sink.import_messages(status.id):
            found.append(one)
            if len(found) >= _MOST_READ:
                break
    except ConnectionProblem as problem:
        # The import went through; what it had to say is known by number, and the next run applies all rows.
        job.tracker.answered(problem)
    unread = said - len(found) if status.state in SUCCEEDED else 0
    return refused([*found, *[_UNREAD] * unread])


def told(job: RosterJob, messages: Refused) -> None:
    """Into the run's counts: by code, and by kind of row."""
    job.tracker.codes.update(messages.codes)
    for kind, number in messages.kinds.items():
        job.tracker.counts[f"refused {kind}"] += number


async def remembered(job: RosterJob, messages: Refused, files: dict[str, CanvasFile]) -> Remembered | None:
    """The refused rows of these files, which Canvas applied as they are; None when they are too many, or unkeyed."""
    wanted = sum(len(rows) for rows in messages.rows.values())
    if not wanted:
        return Remembered(unplaced=messages.unplaced > 0)
    if job.keyed is None or wanted > MOST_REMEMBERED:
        return None
    return await asyncio.to_thread(_remembered, job, messages, files)


def _remembered(job: RosterJob, messages: Refused, files: dict[str, CanvasFile]) -> Remembered:
    assert job.keyed is not None  # asked before
    keys: dict[str, frozenset[str]] = {}
    unplaced = messages.unplaced
    for kind, numbers in messages.rows.items():
        file = files.get(f"{kind}.csv")
        if file is None:
            unplaced += len(numbers)
            continue
        with rows_of(file.path) as (header, rows):
            keys[kind] = keys_at(job.keyed, kind, header, rows, numbers)
    return Remembered(keys, unplaced=unplaced > 0)


async def sent_again(
    job: RosterJob, decided: Decided, spool: RosterSpool, before: Remembered
) -> tuple[Remembered, ImportStatus | None]:
    """Send the rows that Canvas would not take before, as they stand now; answers which it still does not take."""
    files, rows = await asyncio.to_thread(_again, job, decided, spool, before)
    if not rows:
        # What was refused is no longer in the roster.
        return Remembered(), None
    order = Order({name: one.path for name, one in files.items()}, rows)
    status = await one_import(job, order)
    if status is None or status.state not in SUCCEEDED:
        # Nothing is known of them now; they stay remembered for the next run.
        return before, status
    messages = await messages_of(job, status)
    told(job, messages)
    left = await remembered(job, messages, files)
    return (before if left is None or left.unplaced else left), status


def _again(
    job: RosterJob, decided: Decided, spool: RosterSpool, before: Remembered
) -> tuple[dict[str, CanvasFile], int]:
    """Files of the remembered rows only, and how many rows they hold."""
    if job.keyed is None:
        return {}, 0
    chosen: dict[str, list[Row]] = {}
    headers: dict[str, Row] = {}
    for kind, keys in before.keys.items():
        file = decided.files.files.get(f"{kind}.csv")
        if file is not None:
            with rows_of(file.path) as (header, rows):
                headers[kind], chosen[kind] = header, list(rows_with(job.keyed, kind, header, rows, keys))
    place = spool.files(headers)
    total = sum(place.add(kind, rows) for kind, rows in chosen.items() if rows)
    return dict(place.finished()), total
