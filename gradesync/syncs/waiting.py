"""Which classes a delta reads again although Canvas shows no change, because what waits there may go through now.

Whether one record is worth another look is `domain.retrying`'s to say; here is found out what it asks: did a roster
arrive, did the SIS's categories, periods and classes change, is a day over. Nothing is decided or written here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gradesync.domain.gradebook import SisCatalogue
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.record import WaitingRecord, WaitingRow
from gradesync.domain.retrying import worth_retrying
from gradesync.ports import ReadRecords
from gradesync.syncs.marks import ROSTER_SENT

LOOKED = "waiting:looked"
"""Watermark: when waiting records were last gone through, and what the roster and the catalogue were then."""

CATALOGUE_EVERY = timedelta(hours=1)
"""How often the SIS is asked for its catalogue only because records wait for it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the account: `since` is by code when the oldest began to; `rows` reads
    those that wait for some codes (None: for any).

    `now` is by the clock that `since` was written with.
    """

    now: datetime
    since: Mapping[str, datetime]
    rows: Callable[[Collection[str] | None], Sequence[WaitingRow]]


@dataclass(frozen=True, slots=True)
class Again:
    """The classes to read whole. `marks` are watermarks to store when the run went through, and not before."""

    classes: frozenset[str] = frozenset()
    marks: Mapping[str, str] = field(default_factory=dict)


async def classes_to_retry(
    waiting: Waiting,
    records: ReadRecords,
    keyed: KeyedHash,
    catalogue: Callable[[], Awaitable[SisCatalogue]],
) -> Again:
    """For a delta. The SIS's catalogue is asked for only while records wait for it, at most once an hour.

    Raises ConnectionProblem when the SIS does not answer.
    """
    codes = [code for code in waiting.since if _ever(code, waiting.now)]
    if not codes:
        return Again()
    before, roster = _stored(records), records.watermark(ROSTER_SENT)
    after = {**before, "at": waiting.now.isoformat(), "roster": roster}
    if any(_by_catalogue(code, waiting.now) for code in codes) and _hour_passed(before, waiting.now):
        after |= _of_catalogue(await catalogue(), keyed, waiting.now)
    looked = before.get("at")
    classes = frozenset(
        row.record.class_id
        for row in waiting.rows(codes)
        if worth_retrying(
            row,
            waiting.now,
            catalogue_changed=before.get("catalogue") not in (None, after.get("catalogue")),
            roster_changed=bool(before) and before.get("roster") != roster,
            complete=False,
            looked=datetime.fromisoformat(looked) if looked else None,
        )
    )
    # A quiet delta writes nothing: what it did not look at stays as far from its next look as it was.
    told = classes or {**after, "at": looked} != before
    return Again(classes, {LOOKED: json.dumps(after, sort_keys=True)} if told else {})


def after_full(
    waiting: Waiting, records: ReadRecords, keyed: KeyedHash, catalogue: SisCatalogue | None
) -> Mapping[str, str]:
    """Watermarks of a full run that went through: everything was looked at, by this catalogue (None: not needed)."""
    after = {**_stored(records), "at": waiting.now.isoformat(), "roster": records.watermark(ROSTER_SENT)}
    if catalogue is not None:
        after |= _of_catalogue(catalogue, keyed, waiting.now)
    return {LOOKED: json.dumps(after, sort_keys=True)}


def _stored(records: ReadRecords) -> dict[str, str | None]:
    text = records.watermark(LOOKED)
    return dict(json.loads(text)) if text else {}


def _of_catalogue(catalogue: SisCatalogue, keyed: KeyedHash, now: datetime) -> dict[str, str | None]:
    """Keyed, for it is made of titles; the order in which a SIS lists things is no change."""
    parts = (
        sorted(map(repr, catalogue.classes.values())),
        sorted(map(repr, catalogue.categories)),
        sorted(map(repr, catalogue.periods)),
        sorted(map(repr, catalogue.session_parents.items())),
        sorted(map(repr, catalogue.sessions.items())),
    )
    return {"catalogue": keyed("catalogue", repr(parts)), "catalogue_at": now.isoformat()}


def _hour_passed(before: Mapping[str, str | None], now: datetime) -> bool:
    at = before.get("catalogue_at")
    return at is None or now - datetime.fromisoformat(at) >= CATALOGUE_EVERY


# What a code waits for is asked of the rule itself, with a made-up row, so that it stands in one place only.


def _ever(code: str, now: datetime) -> bool:
    """Whether a record with this code is ever looked at again by itself."""
    return _worth(code, now, age=timedelta(days=2), changed=True)


def _by_catalogue(code: str, now: datetime) -> bool:
    return _worth(code, now, age=timedelta(), changed=True) and not _worth(
        code, now, age=timedelta(), changed=False
    )


def _worth(code: str, now: datetime, *, age: timedelta, changed: bool) -> bool:
    row = WaitingRow(WaitingRecord("", "", code), now - age)
    return worth_retrying(
        row, now, catalogue_changed=changed, roster_changed=False, complete=False, looked=None
    )


__all__ = ["CATALOGUE_EVERY", "LOOKED", "Again", "Waiting", "after_full", "classes_to_retry"]
