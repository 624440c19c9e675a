"""Since when the runs of a schedule meet a code, asked of the database: no run is read for it, only instants.

Which runs count and what a streak is stands in `domain.needs`; here it is said in SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, text

from gradesync.domain.needs import JUDGING
from gradesync.domain.schedule import ScheduleId
from gradesync.store import tables as t
from gradesync.store.database import Tx

_JUDGING = ", ".join(f"'{outcome.value}'" for outcome in JUDGING)

_NEWEST = f"""
    SELECT r.created_at, r.codes, r.outcome FROM run r
    WHERE r.account = s.account AND r.schedule = s.name AND r.outcome IN ({_JUDGING})
    ORDER BY r.created_at DESC LIMIT :each
"""  # noqa: S608 - made of constants

_STREAKS = f"""
    SELECT q.account, q.name, q.before IS NULL AND q.oldest IS NOT NULL AS capped, (
        SELECT MIN(r.created_at) FROM run r
        WHERE r.account = q.account AND r.schedule = q.name AND r.outcome IN ({_JUDGING})
          AND r.created_at > COALESCE(q.before, q.oldest - 1, -1)
    ) AS began
    FROM (
        SELECT s.account, s.name,
            (SELECT x.created_at FROM ({_NEWEST}) x WHERE NOT ({{met}}) ORDER BY x.created_at DESC LIMIT 1) AS before,
            (SELECT CASE WHEN COUNT(*) >= :each THEN MIN(x.created_at) END FROM ({_NEWEST}) x) AS oldest
        FROM schedule s WHERE s.account IN :accounts
    ) q
"""  # noqa: S608 - made of constants; codes and accounts are parameters
_BY_CODE = text(_STREAKS.format(met="x.codes LIKE :code")).bindparams(bindparam("accounts", expanding=True))
_FAILED = text(_STREAKS.format(met="x.outcome = :code")).bindparams(bindparam("accounts", expanding=True))


def met_since(
    tx: Tx, met: Collection[tuple[ScheduleId, str]], each: int
) -> Mapping[tuple[ScheduleId, str], tuple[datetime, bool]]:
    """By schedule and code: the instant, and whether the streak may have begun earlier."""
    by_code: dict[str, set[ScheduleId]] = {}
    for schedule, code in met:
        by_code.setdefault(code, set()).add(schedule)
    found: dict[tuple[ScheduleId, str], tuple[datetime, bool]] = {}
    for code, schedules in by_code.items():
        accounts = sorted({one.account for one in schedules})
        statement, pattern = (_BY_CODE, f'%"{code}"%') if code else (_FAILED, "failed")
        rows = tx.execute(statement, {"each": each, "code": pattern, "accounts": accounts})
        for account, name, capped, began in rows:
            id = ScheduleId(account, name)
            if id in schedules and began is not None:
                found[id, code] = (t.instant_of(began), bool(capped))
    return found
