"""The newest runs of every schedule as lines: the one read that brings tens of thousands of runs at once.

Written for that number: no statement of another kind, and nothing a line does not show is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, func, literal, select

from gradesync.domain.run_line import RunLine
from gradesync.domain.schedule import ScheduleId
from gradesync.store import tables as t
from gradesync.store.database import Tx
from gradesync.store.rows import MODES, OUTCOMES, SECONDS, STAGES, STATES, TRIGGERS, TYPES

_COLUMNS = (
    *("created_at", "id", "account", "schedule", "type", "trigger", "mode", "actor", "via", "state"),
    *("started_at", "ended_at", "attempt", "late_by", "class_filter", "reason", "outcome", "stage"),
    *("counts", "codes"),
)
"""In this order, so that rows sort as they are: by creation, then by id."""

Counts = Mapping[str, int]


def recent(tx: Tx, each: int, accounts: Iterable[str] | None) -> list[RunLine]:
    """The `each` newest runs of every schedule, newest first.

    Each schedule's oldest wanted instant is looked up in the index, so that years of runs cost no more than a week's.
    """
    s, r = t.schedule.c, t.run.c
    older = t.run.alias("older").c
    oldest = (
        select(older.created_at)
        .where(older.account == s.account, older.schedule == s.name)
        .order_by(older.created_at.desc())
        .limit(1)
        .offset(each - 1)
        .correlate(t.schedule)
        .scalar_subquery()
    )
    query = select(*(r[name] for name in _COLUMNS)).select_from(
        t.schedule.join(t.run, and_(r.account == s.account, r.schedule == s.name))
    )
    query = query.where(r.created_at >= func.coalesce(oldest, literal(t.EPOCH, t.Instant())))
    if accounts is not None:
        query = query.where(s.account.in_(list(accounts)))
    return _lines(sorted(tx.plain(query), reverse=True))


def _lines(rows: Sequence[tuple[Any, ...]]) -> list[RunLine]:
    counts = _all_of([_without_seconds(row[-2]) if row[-2] else "{}" for row in rows])
    codes = _all_of([row[-1] or "{}" for row in rows])
    return list(map(_line, rows, counts, codes))


def _all_of(texts: Sequence[str]) -> list[dict[str, int]]:
    """Every JSON text read. Read as one text: beginning anew for each costs more than reading it."""
    found: list[dict[str, int]] = json.loads(f"[{','.join(texts)}]")
    return found


_SECONDS = f'"{SECONDS}'


def _without_seconds(text: str) -> str:
    """A result's counts without its stages' times, which no list shows and which are most of the text.

    Keys are written in order (`rows.to_json`), so these stand together.
    """
    begin = text.find(_SECONDS)
    if begin < 0:
        return text
    after = text.find(",", text.rfind(_SECONDS))
    return f"{text[:begin]}{text[after + 1 :]}" if after > 0 else f"{text[:begin].rstrip(',')}}}"


def _line(row: tuple[Any, ...], counts: Counts, codes: Counts) -> RunLine:
    # Taken apart at once: a star among the names would cost as much as all of them.
    (
        created, id_, account, name, type_, trigger, mode, actor, via, state, began, ended,
        attempt, late_by, class_filter, reason, outcome, stage, _, met,
    ) = row  # fmt: skip
    return _made(
        (
            id_,
            _schedule(account, name),
            TYPES[type_],
            TRIGGERS[trigger],
            MODES[mode],
            actor,
            via,
            STATES[state],
            t.EPOCH + timedelta(0, 0, began or ended or created),
            None if ended is None else t.EPOCH + timedelta(0, 0, ended),
            attempt,
            late_by,
            class_filter,
            reason,
            None if outcome is None else OUTCOMES[outcome],
            None if stage is None else STAGES[stage],
            counts,
            # Only answers of the other side are written with a blank in their key, and few runs met any.
            {code: number for code, number in codes.items() if " " not in code}
            if met and " " in met
            else codes,
        )
    )


_made = RunLine._make
_schedule = lru_cache(maxsize=16_384)(ScheduleId)
"""A schedule has many runs."""
