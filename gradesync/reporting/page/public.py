"""Rows of the public pages: states, rough numbers, plain sentences.

A room of its own so that nothing of the staff pages can slip in: no name of a person, no reason, no command, no code,
no name of a schedule, no number that could be a few students.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradesync.domain.page_overview import PageAccount, PageSchedule
from gradesync.domain.page_standing import WORST_FIRST, Word, bucket, tally_of
from gradesync.domain.schedule import SyncType
from gradesync.reporting.clean import clean
from gradesync.reporting.page.wording import SLUGS, Stamps, public_sentence

_TYPES = {
    SyncType.ROSTER_IMPORT: "Who is in which class (from the school's records to Canvas)",
    SyncType.GRADE_PASSBACK: "Grades (from Canvas to the school's records)",
}


def account_row(account: PageAccount, stamps: Stamps) -> tuple[Any, ...]:
    """One line of the public overview."""
    s = account.standing
    return (
        SLUGS[s.word],
        s.word.value,
        WORST_FIRST[s.word],
        account.key,
        clean(account.name),
        *stamps(s.last_good_at, account.time_zone),
        public_sentence(account),
    )


def account_page(account: PageAccount, stamps: Stamps) -> Mapping[str, Any]:
    """The public page of one account."""
    s = account.standing
    good_iso, good = stamps(s.last_good_at, account.time_zone)
    next_iso, soon = stamps(s.next_at, account.time_zone)
    kinds = [
        _kind(type, [one for one in account.schedules if one.row.schedule.type is type], account, stamps)
        for type in SyncType
    ]
    return {
        "name": clean(account.name),
        "slug": SLUGS[s.word],
        "word": s.word.value,
        "sentence": public_sentence(account),
        "good_iso": good_iso,
        "good": good,
        "next_iso": next_iso,
        "next": soon,
        "kinds": [kind for kind in kinds if kind is not None],
    }


def _kind(
    type: SyncType, schedules: Sequence[PageSchedule], account: PageAccount, stamps: Stamps
) -> tuple[Any, ...] | None:
    if not schedules:
        return None
    active = [one.word for one in schedules if one.word is not Word.PAUSED]
    word = min(active, key=WORST_FIRST.__getitem__) if active else Word.PAUSED
    ends = [one.row.last for one in schedules if one.row.last is not None and one.row.last.result is not None]
    tally = tally_of(run.result for run in ends if run.result is not None)
    waiting = max((sum(one.row.waiting.values()) for one in schedules), default=0)
    last = max((run.ended_at or run.created_at for run in ends), default=None)
    return (
        _TYPES[type],
        word.value,
        SLUGS[word],
        *stamps(last, account.time_zone),
        bucket(tally.ok),
        bucket(tally.unchanged),
        bucket(max(tally.withheld, waiting) + tally.refused),
    )
