"""The brake of the roster import: which reads are too empty, too small or too strange to be sent. Pure.

A stop is not an error: it is an answer with a code and numbers, and nothing was sent when it is given. Why it
exists: a file that lost half its rows makes Canvas drop the other half (`canvas.md` 2.6), and a school notices
when the courses are gone. No reading and no sending may live here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress

from gradesync.domain.account import ChangeLimit, RosterPolicy
from gradesync.domain.roster import Roster, RosterEnrollment, key_of_enrollment, shards
from gradesync.domain.roster_columns import seats_of
from gradesync.domain.roster_csv import CanvasFiles

TAKEOVER_SHARE = 0.95
"""The share of SIS ids that must match before a Canvas another tool filled is taken over (DESIGN.md 8)."""


_OBSERVERS, _TIES = "user_observers", "guardians' ties to students"

STRANGERS = "enrollments of strangers"
"""The word under which enrollments of people who were not read are remembered."""

_STRANGE_SHARE = 0.001
"""Of a large district's enrollments as many are always at odds for a night."""

NOTHING_SENT = "Nothing was sent."
"""Ends every stop's message."""


@dataclass(frozen=True, slots=True)
class RosterStop:
    """Why nothing may be sent: a code and sentences with numbers only, fit for logs and public pages.

    A `final` stop cannot be approved: what it stopped is no roster.
    """

    code: str
    message: str
    final: bool = False


def roster_counts(roster: Roster) -> dict[str, int]:
    """What a read holds: classes, users, enrollments, and students (people enrolled as student)."""
    return {
        "classes": len(roster.classes),
        "users": len(roster.users),
        "enrollments": len(roster.enrollments),
        "students": sum(map(_students, shards(roster.enrollments, key_of_enrollment))),
    }


def _students(part: Sequence[RosterEnrollment]) -> int:
    """People enrolled as student in a part; nobody is in two parts, so no set of a whole district is needed."""
    seats = seats_of(part)
    students = [role == "student" for role, *_ in seats.kinds]
    return len(set(compress(seats.user_ids, map(students.__getitem__, seats.kind_numbers))))


def file_counts(files: CanvasFiles) -> dict[str, int]:
    """What would arrive in Canvas: a record that is read but cannot be carried over is as good as gone there.

    So is a person who would be suspended: a SIS that marks everybody as disabled must not lock a district out.
    """
    counts = {
        "Canvas sections": files.counts["sections"],
        "Canvas users": files.counts["users"],
        "active Canvas users": files.open_users,
        "Canvas enrollments": files.kept_enrollments,
    }
    if _OBSERVERS in files.counts:
        counts[_TIES] = files.counts[_OBSERVERS]
    return counts


def roster_stop(
    roster: Roster, previous_counts: Mapping[str, int] | None, policy: RosterPolicy, today: date
) -> RosterStop | None:
    """GS-602 when a kind is missing altogether, GS-601 when one shrank too much since the last good read.

    `previous_counts` None means that there is no comparable read: the first run, a new school year, another scope.
    `today` is the local day, for the account's expected changes.
    """
    counts = roster_counts(roster)
    if missing := [kind for kind, number in counts.items() if not number]:
        return RosterStop(
            "GS-602", f"The SIS read holds no {' and no '.join(missing)} in scope. {NOTHING_SENT}", final=True
        )
    return shrink_stop(counts, previous_counts, policy, today)


def files_stop(
    files: CanvasFiles, previous_counts: Mapping[str, int] | None, policy: RosterPolicy, today: date
) -> RosterStop | None:
    """The same two questions about what would arrive in Canvas.

    Enrollments alone may be none: before the first day of school all of them lie in the future.
    """
    counts = file_counts(files)
    if missing := [kind for kind in ("Canvas sections", "active Canvas users") if not counts[kind]]:
        return RosterStop(
            "GS-602",
            f"No record of the SIS read can be carried over as {' or '.join(missing)} "
            f"({files.dropped} records are incomplete). {NOTHING_SENT}",
            final=True,
        )
    return shrink_stop(counts, previous_counts, policy, today)


def strangers_stop(
    files: CanvasFiles, previous_counts: Mapping[str, int] | None, policy: RosterPolicy, today: date
) -> RosterStop | None:
    """GS-602 when enrollments in force suddenly name people whom the read does not hold: a page of people is missing.

    Many a SIS always has some such enrollments, so only those beyond the last good read's count.
    """
    before = (previous_counts or {}).get(STRANGERS, 0)
    more = files.strangers - before
    least = max(policy.at_least, 1, files.counts["enrollments"] * _STRANGE_SHARE)
    if more < least or any(one.start <= today <= one.until for one in policy.expect):
        return None
    return RosterStop(
        "GS-602",
        f"{files.strangers:,} enrollments in force belong to people whom the SIS did not send ({before:,} in the last "
        f"good read), so a part of the people seems to be missing. {NOTHING_SENT}",
    )


def shrink_stop(
    counts: Mapping[str, int], previous_counts: Mapping[str, int] | None, policy: RosterPolicy, today: date
) -> RosterStop | None:
    """GS-602 when a kind is gone altogether; GS-601 when it lost more than its limit and at least `at_least`.

    The limit is a share of the last good read: 10 % means that exactly a tenth may go. Kinds the last good read
    did not count are not compared.
    """
    previous = previous_counts or {}
    limits = _limits(policy.limit_on(today))
    # The only guardian of a small account may well go.
    if gone := [
        kind for kind, number in counts.items() if not number and previous.get(kind) and kind != _TIES
    ]:
        return RosterStop("GS-602", f"All {gone[0]} are gone since the last good read. {NOTHING_SENT}")
    sentences = []
    for kind, number in counts.items():
        before = previous.get(kind, 0)
        lost = before - number
        if lost >= max(policy.at_least, 1) and lost > before * limits[kind]:
            sentences.append(
                f"{lost:,} of {before:,} {kind} are gone since the last good read; the limit is {limits[kind]:.0%}."
            )
    return RosterStop("GS-601", " ".join([*sentences, NOTHING_SENT])) if sentences else None


def _limits(limit: ChangeLimit) -> dict[str, float]:
    return {
        "classes": limit.sections,
        "Canvas sections": limit.sections,
        "users": limit.users,
        "students": limit.users,
        "Canvas users": limit.users,
        "active Canvas users": limit.users,
        "enrollments": limit.enrollments,
        "Canvas enrollments": limit.enrollments,
        _TIES: limit.users,
    }
