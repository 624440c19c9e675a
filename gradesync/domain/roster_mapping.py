"""A roster as rows of Canvas's SIS files: which record becomes which row. Pure.

Nothing is guessed: a record that lacks what Canvas needs is dropped and counted. The two halves are `roster_courses`
and `roster_people`; the files' columns and text are `roster_csv`'s; scope, guards and sending live elsewhere.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import Roster
from gradesync.domain.roster_courses import write_courses
from gradesync.domain.roster_csv import CanvasFiles, RowFiles, headers
from gradesync.domain.roster_people import write_people


def canvas_files(
    roster: Roster, out: RowFiles, mapping: RosterMapping, *, time_zone: str, today: date
) -> CanvasFiles:
    """Write the Canvas files of a roster that is already cut to its scope (`roster_scope.in_scope`) to `out`.

    `out` was made with `headers(mapping)`. `time_zone` (IANA) is the one in which the district's dates are meant;
    `today` the local date there. The same records in any order give the same files. Raises IntervalError for a zone
    that does not exist.
    """
    kinds = headers(mapping)
    for kind in kinds:
        # All files are there every night, even when nothing is in them: Canvas compares them by name.
        out.add(kind, ())
    problems: Counter[str] = Counter()
    placed = write_courses(roster, mapping, out, time_zone, problems)
    people = write_people(roster, mapping, placed.ends, out, today)
    problems += people.problems
    counts = placed.counts + people.counts
    return CanvasFiles(
        files=out.finished(),
        counts={kind: counts[kind] for kind in kinds},
        section_ids=placed.ends.keys(),
        kept_enrollments=people.kept,
        open_users=people.open_users,
        future=people.future,
        strangers=people.strangers,
        problems={code: number for code, number in problems.items() if number},
    )
