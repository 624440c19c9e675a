"""How an account stands, in one word: what support looks at first, and what a page sorts by.

Pure decisions over the rows of the list and the recorded runs. Words for people are `reporting`'s; no store, no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gradesync.domain.needs import FROZEN, GROUPS
from gradesync.domain.problem import CODES, Act
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Outcome, RunResult
from gradesync.domain.run_line import RunLine, line_of

LATE_AFTER = timedelta(minutes=30)
"""A slot that no pass has taken up after this time makes its schedule late: passes of a CI job come every 5 to 15
minutes, and such services start jobs late themselves."""

TOP = 3
"""So many causes are named for an account; more would hide the first."""


class Word(StrEnum):
    """State in one word, worst first."""

    FAILING = "Failing"
    LATE = "Late"
    WAITING = "Waiting for someone"
    HELD = "On hold"
    PAUSED = "Paused"
    NEW = "Not run yet"
    OK = "OK"


WORST_FIRST: Mapping[Word, int] = {word: place for place, word in enumerate(Word)}

_FAILED = (Outcome.FAILED, Outcome.ABANDONED)
_WORKED = (Outcome.COMPLETED, Outcome.WARNING)
_SILENT = (None, Outcome.STOPPED, Outcome.SKIPPED)
"""Runs that have not ended, were stopped or looked at nothing say nothing either way."""

_CARRIED = ("sent", "line items sent", "blanked", "deleted", "line items deleted")
"""Counts of records that reached the other side. A roster import counts its rows twice: as sent, and as `imported`."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the last run of every schedule did, record by record: carried over, needed nothing, not sent by rule, not
    taken by the other side. `waiting` is what waits in the store now, whichever run left it there."""

    ok: int = 0
    unchanged: int = 0
    withheld: int = 0
    refused: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands.

    `since` is None where it is not known or does not matter. `last_good_at` is when a run last worked to its end.
    `causes` are at most `TOP` codes with how many records they concern, those that need a person first, and at least
    one of each who must act. `who` are `support`, `district` and `teacher`. `next_at` is the next slot, None while
    nothing will start by itself.
    """

    word: Word
    since: datetime | None = None
    last_good_at: datetime | None = None
    tally: Tally = Tally()
    causes: tuple[tuple[str, int], ...] = ()
    who: tuple[str, ...] = ()
    next_at: datetime | None = None


def word_of(row: ScheduleRow, now: datetime) -> Word:
    """The word of one schedule. A stop that a person placed comes before what happened until then."""
    kinds = {block.kind for block in row.blocks}
    if "hold" in kinds:
        return Word.HELD
    if "paused" in kinds:
        return Word.PAUSED
    result = row.last.result if row.last is not None else None
    if "breaker" in kinds or (result is not None and result.outcome in _FAILED):
        return Word.FAILING
    if "blackout" in kinds:
        return Word.HELD
    # While a run is at work the account's other slots wait for it: that is not what "late" is for.
    if row.running is None and row.next_run_at is not None and row.next_run_at + LATE_AFTER < now:
        return Word.LATE
    if row.frozen_since is not None:
        return Word.WAITING
    if (result is not None and result.outcome is Outcome.WARNING) or _waits_for_person(row.waiting):
        return Word.WAITING
    # One that only runs by hand owes nobody a first run.
    return Word.NEW if row.last is None and row.next_run_at is not None else Word.OK


def _waits_for_person(waiting: Mapping[str, int]) -> bool:
    return any(count and CODES[code].needs_person for code, count in waiting.items() if code in CODES)


def standing_of(
    rows: Sequence[ScheduleRow],
    runs: Sequence[RunLine],
    needs: Iterable[str],
    now: datetime,
    *,
    held_since: datetime | None = None,
) -> Standing:
    """The account's word is its worst schedule's; `Paused` only when all of them are. `runs` are newest first.

    `held_since` is when the oldest hold over any of them was placed.
    """
    words = [word_of(row, now) for row in rows]
    active = [word for word in words if word is not Word.PAUSED]
    word = min(active, key=WORST_FIRST.__getitem__) if active else Word.PAUSED
    if word is Word.NEW and any(row.last is not None for row in rows):
        # One more schedule is no reason to doubt an account that works.
        word = Word.OK
    worst = [row for row, its in zip(rows, words, strict=True) if its is word]
    slots = [row.next_run_at for row in rows if row.next_run_at is not None and not row.blocks]
    return Standing(
        word=word,
        since=held_since if word is Word.HELD else _since(word, worst, runs),
        last_good_at=_last_good(rows, runs),
        tally=replace(
            tally_of(row.last.result for row in rows if row.last is not None and row.last.result),
            # All passbacks of an account share its waiting records.
            waiting=max((sum(row.waiting.values()) for row in rows), default=0),
        ),
        causes=_causes(rows),
        who=tuple(sorted(needs)),
        next_at=min(slots, default=None),
    )


def tally_of(results: Iterable[RunResult]) -> Tally:
    """The counts of several runs, in the four words of an overview."""
    total: Counter[str] = Counter()
    carried = 0
    for result in results:
        total.update(result.counts)
        carried += carried_by(result.counts)
    return Tally(
        ok=carried,
        unchanged=total["unchanged"],
        withheld=total["withheld"],
        refused=total["refused"],
    )


def carried_by(counts: Mapping[str, int]) -> int:
    """How many records one run brought to the other side."""
    return counts.get("imported") or sum([counts[word] for word in _CARRIED if word in counts])


def _causes(rows: Sequence[ScheduleRow]) -> tuple[tuple[str, int], ...]:
    """What the last runs met, and what still waits: the larger number of each code, as both count the same records."""
    met: Counter[str] = Counter()
    for row in rows:
        if row.last is not None and row.last.result is not None:
            met.update({code: n for code, n in row.last.result.codes.items() if n})
    waiting: Counter[str] = Counter()
    for row in rows:
        # All passbacks of an account share its waiting records.
        waiting |= Counter(row.waiting)
    found = met | waiting
    if any(row.frozen_since is not None for row in rows):
        found[FROZEN] = 1

    def place(item: tuple[str, int]) -> tuple[bool, bool, bool, int, str]:
        code = CODES.get(item[0])
        person = code is None or code.needs_person
        return (item[0] != FROZEN, not person, code is not None and code.act is Act.INFO, -item[1], item[0])

    ordered = sorted(found.items(), key=place)
    # Whoever is named as having to act finds something to do, however many records others have.
    firsts = {_group(code): (code, n) for code, n in reversed(ordered) if _group(code)}
    kept = sorted([*firsts.values()], key=place)[:TOP]
    kept += [one for one in ordered if one not in kept][: TOP - len(kept)]
    return tuple(sorted(kept, key=place))


def _group(code: str) -> str | None:
    """Whose list a code that needs a person is on; None for any other."""
    entry = CODES.get(code)
    return GROUPS.get(entry.who, "district") if entry is not None and entry.needs_person else None


def _since(word: Word, worst: Sequence[ScheduleRow], runs: Sequence[RunLine]) -> datetime | None:
    """Since when it stands so; the earliest of its worst schedules."""
    if word is Word.LATE:
        return min((row.next_run_at for row in worst if row.next_run_at is not None), default=None)
    if word is Word.WAITING:
        began = [row.frozen_since for row in worst if row.frozen_since is not None]
        began += [
            at
            for row in worst
            for code, at in row.waiting_since.items()
            if code in CODES and CODES[code].needs_person
        ]
        return min(began, default=None) or _streak(worst, runs, (Outcome.WARNING,))
    if word is Word.FAILING:
        return _streak(worst, runs, _FAILED)
    return None


def _streak(
    worst: Sequence[ScheduleRow], runs: Sequence[RunLine], outcomes: tuple[Outcome, ...]
) -> datetime | None:
    """When the unbroken row of such ends began, as far back as runs are at hand."""
    began: list[datetime] = []
    for row in worst:
        first = None
        for run in runs:
            if run.schedule.name != row.schedule.id.name or run.outcome in _SILENT:
                continue
            if run.outcome not in outcomes:
                break
            first = _when(run)
        if first is None and row.last is not None:
            first = _when(line_of(row.last))
        if first is not None:
            began.append(first)
    return min(began, default=None)


def _last_good(rows: Sequence[ScheduleRow], runs: Sequence[RunLine]) -> datetime | None:
    lines = [*[line_of(row.last) for row in rows if row.last is not None], *runs]
    return max([_when(run) for run in lines if run.outcome in _WORKED], default=None)


def _when(run: RunLine) -> datetime:
    return run.ended_at or run.at


def bucket(number: int) -> str:
    """`0`, `1-9`, `10-99`, `100+`: a public page must not let anybody count the students behind a number."""
    if number <= 0:
        return "0"
    if number < 10:
        return "1-9"
    return "10-99" if number < 100 else "100+"


__all__ = [
    "LATE_AFTER",
    "TOP",
    "WORST_FIRST",
    "Standing",
    "Tally",
    "Word",
    "bucket",
    "carried_by",
    "standing_of",
    "tally_of",
    "word_of",
]
