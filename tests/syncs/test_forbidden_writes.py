"""A class that forbids writing is that class's affair; a key that may write nothing ends the run."""

from __future__ import annotations

import pytest

from gradesync.errors import ConnectionProblem
from gradesync.syncs.class_writer import FORBIDDEN_LIMIT, WritesForbidden
from tests.syncs.passback_school import School


def forbidden() -> ConnectionProblem:
    return ConnectionProblem("the SIS refuses for want of a right", code="GS-203", status=403)


def columns_and_cells(school: School) -> list[str]:
    return [*school.sis.line_items, *school.sis.results]


def test_a_record_nobody_may_write_stops_no_other() -> None:
    probe = School()
    probe.run()
    cell = next(iter(probe.sis.results))
    school = School()
    school.sis.refuse[cell] = forbidden()
    tracker = school.run()
    assert (tracker.counts["sent"], tracker.codes["GS-203"]) == (5, 1)


def test_a_key_that_may_write_nothing_ends_the_run_after_a_few_refusals() -> None:
    probe = School()
    probe.run()
    school = School()
    school.sis.refuse = dict.fromkeys(columns_and_cells(probe), forbidden())
    tracker = school.run()
    # Too few columns here to reach the limit: everything is told, nothing is sent, nothing ends.
    assert len(probe.sis.line_items) < FORBIDDEN_LIMIT
    assert tracker.counts["sent"] == 0

    writer_limit = pytest.MonkeyPatch()
    with writer_limit.context() as patch:
        patch.setattr("gradesync.syncs.class_writer.FORBIDDEN_LIMIT", 1)
        again = School()
        again.sis.refuse = dict.fromkeys(columns_and_cells(probe), forbidden())
        with pytest.raises(WritesForbidden):
            again.run()
