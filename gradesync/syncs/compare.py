"""Reading both gradebooks whole and comparing them class by class; nothing here can write.

The reading is grade passback's own and so is the deciding, or a comparison could disagree with the next run. What a
difference means is `domain.comparing`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.comparing import ClassComparison, compare_class
from gradesync.domain.passback import ClassDecision, ClassInput
from gradesync.domain.record import WaitingRow
from gradesync.ports import GradebookReader, ReadRecords
from gradesync.syncs.grade_passback import Decided, PassbackJob, look

NOT_READ = ("courses not read", "classes not read")
"""Words under which a run counts what it could not read."""


async def compare_gradebooks(
    job: PassbackJob, reader: GradebookReader, records: ReadRecords, *, values: bool = False
) -> tuple[ClassComparison, ...]:
    """Every class in scope, by its id; `job.mode` must be full. What could not be read is in `job.tracker`.

    `values` keeps both values beside each difference. Raises ConnectionProblem when nothing can be read any more.
    """
    found: list[ClassComparison] = []

    def see(seen: Decided) -> None:
        given: ClassInput = seen.given
        decision: ClassDecision = seen.decision
        waiting: Mapping[str, WaitingRow] = records.waiting(given.class_id)
        found.append(compare_class(given, decision, seen.rules, waiting, values=values))

    await look(job, reader, records, see)
    return tuple(sorted(found, key=lambda one: one.class_id))
