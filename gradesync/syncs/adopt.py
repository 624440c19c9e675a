"""Finding what another tool's sync left in the SIS, class by class, and writing it into the ledger.

The SIS is only read. Reading and deciding are grade passback's own, or the next run could find something else.
"""

from __future__ import annotations

from collections.abc import Callable

from gradesync.domain.adoption import ClassAdoption, adopt_class
from gradesync.ports import GradebookReader, ReadRecords, RunRecords
from gradesync.syncs.grade_passback import Decided, PassbackJob, look
from gradesync.syncs.identity import check_identity, record_identity


async def find_adoptable(
    job: PassbackJob,
    reader: GradebookReader,
    records: ReadRecords,
    found: Callable[[ClassAdoption], None],
) -> None:
    """Tell `found` of every class in scope; `job.mode` must be full.

    What could not be read is in `job.tracker`. Raises ConnectionProblem when nothing can be read any more.
    """

    def see(seen: Decided) -> None:
        found(adopt_class(seen.given, seen.catalogue, seen.rules))

    await look(job, reader, records, see)


async def take_over(
    job: PassbackJob,
    reader: GradebookReader,
    records: RunRecords,
    found: Callable[[ClassAdoption], None],
) -> None:
    """The same, and each class's finds go into the ledger before `found` is told. Raises LeaseLost as a run does."""

    def keep(one: ClassAdoption) -> None:
        if entries := one.entries():
            records.checkpoint(one.class_id, ledger=entries, waiting=(), complete=False, events=one.events())
        found(one)

    fresh = check_identity(records, await job.source.identity(), await reader.identity())
    record_identity(records, fresh)
    await find_adoptable(job, reader, records, keep)
