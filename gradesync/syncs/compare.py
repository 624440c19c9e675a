"""Reading both gradebooks whole and comparing them class by class; nothing here can write.

The reading is grade passback's own and so is the deciding, or a comparison could disagree with the next run. What a
difference means is `domain.comparing`'s business.
"""

from __future__ import annotations

from gradesync.domain.comparing import ClassComparison, compare_class
from gradesync.domain.passback_removals import within_limit
from gradesync.ports import GradebookReader, ReadRecords
from gradesync.syncs.grade_passback import Decided, PassbackJob, look

NOT_READ = ("courses not read", "classes not read")
"""Words under which a run counts what it could not read."""


async def compare_gradebooks(
    job: PassbackJob, reader: GradebookReader, records: ReadRecords, *, values: bool = False
) -> tuple[tuple[ClassComparison, ...], tuple[str, ...]]:
    """Every class in scope, by its id, and the places of sections that are tied to none.

    `job.mode` must be full. What could not be read is in `job.tracker`.
    `values` keeps both values beside each difference. Raises ConnectionProblem when nothing can be read any more.
    """
    found: list[ClassComparison] = []
    removed = 0

    def see(seen: Decided) -> None:
        nonlocal removed
        # A run removes no more than its limit in all its classes; more would be promised than it does.
        decision, used = within_limit(seen.decision, seen.decision.removal_limit - removed)
        removed += used
        waiting = records.waiting(seen.given.class_id)
        found.append(compare_class(seen.given, decision, seen.rules, waiting, values=values))

    untied = await look(job, reader, records, see)
    return tuple(sorted(found, key=lambda one: one.class_id)), untied
