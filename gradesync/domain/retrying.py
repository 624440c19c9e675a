"""When a record that waits is worth another look: as soon as its cause can have gone, and not before.

Pure. A closed marking period answers the same every fifteen minutes; asking it again and again hides the one change
that matters and wears out the SIS. Each branch says what may have changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gradesync.domain.passback_decisions import ClassDecision, LineItemDecision
from gradesync.domain.problem import CODES, Act
from gradesync.domain.record import WaitingRow
from gradesync.domain.wish import Verdict

DAY = timedelta(days=1)
_ROSTER = frozenset({"GS-414", "GS-417", "GS-503"})
_CATALOGUE = frozenset({"GS-402", "GS-405", "GS-406", "GS-501", "GS-502", "GS-512"})
_CANVAS = frozenset(
    {
        "GS-401",
        "GS-403",
        "GS-404",
        "GS-407",
        "GS-408",
        "GS-409",
        "GS-410",
        "GS-411",
        "GS-413",
        "GS-415",
        "GS-416",
        "GS-420",
        "GS-421",
        "GS-427",
    }
)
"""Causes that lie in Canvas or in the account's policy: the delta sees the one change, a new policy the other."""


def worth_retrying(
    row: WaitingRow,
    now: datetime,
    *,
    catalogue_changed: bool,
    roster_changed: bool,
    complete: bool,
    looked: datetime | None = None,
) -> bool:
    """Whether the record's class is to be looked at although Canvas shows no change (aware UTC instants).

    `looked` is when waiting records were last gone through, None for never. `complete` is a run that reads all.
    """
    code = row.record.code
    if complete:
        # Everything is decided anew, whatever it waits for.
        return True
    if code in CODES and CODES[code].act is Act.RETRY and code not in _ROSTER:
        # Transport trouble: it may be over the next minute.
        return True
    if code in _ROSTER:
        # The student may have been added or tied since.
        return roster_changed or _day_passed(row.since, now, looked)
    if code in _CATALOGUE:
        # The registrar may have reopened the period, or added the category or the class.
        return catalogue_changed or _day_passed(row.since, now, looked)
    if code in _CANVAS:
        # A teacher or the account must act, and their change is seen by itself.
        return False
    # A hand edit, a refusal, an answer nobody knows: somebody may have mended it in the SIS, once a day is enough.
    return _day_passed(row.since, now, looked)


def _day_passed(since: datetime, now: datetime, looked: datetime | None) -> bool:
    """Whether a further whole day of waiting is over since the last look, so that each day counts once."""
    before = (max(looked, since) - since) // DAY if looked is not None else 0
    return (now - since) // DAY > before


def let_rest(decision: ClassDecision, standing: Mapping[str, WaitingRow]) -> ClassDecision:
    """The decision of a delta without columns that the SIS has closed and that nobody's score needs now.

    A delta decides every column of a class in which one score changed. One that waits for a period to open
    (`standing`, by subject) is not sent along each time; a changed score in it still asks the SIS.
    """
    if not standing:
        return decision
    needed = {d.assignment_id for d in decision.results if d.verdict is Verdict.SEND}

    def rested(item: LineItemDecision) -> LineItemDecision:
        row = standing.get(item.subject)
        if row is None or item.verdict is not Verdict.SEND or item.assignment_id in needed:
            return item
        known = CODES.get(row.record.code)
        if known is None or known.act is not Act.HOLD:
            return item
        return replace(item, verdict=Verdict.WITHHELD, code=row.record.code)

    return replace(decision, line_items=tuple(rested(item) for item in decision.line_items))
