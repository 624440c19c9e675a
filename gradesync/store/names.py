"""The names an SQLite store holds, read in an instant and without the store's own machinery: for completion alone.

Nothing is decided by them, so nothing is checked; a store that is not there, busy or of another schema has no names.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

_NAMES = {
    "account": "SELECT key FROM account WHERE NOT retired ORDER BY key",
    "schedule": "SELECT account || '/' || name FROM schedule WHERE NOT retired ORDER BY account, name",
    "run": "SELECT id FROM run ORDER BY created_at DESC LIMIT 200",
    "group": "SELECT DISTINCT group_name FROM account WHERE group_name IS NOT NULL ORDER BY group_name",
}
_STOPPED = """
SELECT run.id, run.account || '/' || run.schedule, run.roster, roster_generation.head,
       (SELECT group_concat(digest) FROM approval WHERE approval.account = run.account AND expires_at > :now)
FROM schedule JOIN run ON run.id = schedule.last_run_id
LEFT JOIN roster_generation ON roster_generation.account = run.account
WHERE schedule.type = 'roster import' AND NOT schedule.retired
  AND run.state = 'ended' AND run.roster IS NOT NULL
ORDER BY run.created_at DESC
"""


def names(place: Path, kind: str) -> list[str]:
    """The names of a kind: `account`, `schedule`, `run` (the newest 200) or `group`; none where they cannot be read."""
    return [str(row[0]) for row in _rows(place, _NAMES[kind])]


def to_approve(place: Path) -> list[tuple[str, str]]:
    """Runs that wait for an approval, newest first, each with its schedule; none where they cannot be read.

    Of a schedule only its last run is looked at, as everywhere people are told to approve. Left out is what `approve`
    would refuse (a look, an empty read, one that another import has overtaken) and what is approved already.
    """
    rows = _rows(place, _STOPPED, now=time.time_ns() // 1000)
    try:
        return [(str(run), str(schedule)) for run, schedule, *more in rows if _waits(*more)]
    except (ValueError, LookupError, TypeError):
        return []


def _waits(roster: str, head: str | None, approved: str | None) -> bool:
    change = json.loads(roster)
    digest = change["digest"]
    base = json.loads(head)["digest"] if head else ""
    return (
        bool(change["codes"] and digest)
        and not (change["approved"] or change["dry"])
        and change["base"] in ("", base)
        and digest not in (approved or "").split(",")
    )


def _rows(place: Path, query: str, **values: object) -> list[tuple[Any, ...]]:
    if not place.is_file():
        return []
    try:
        with closing(
            sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True, timeout=0.3)
        ) as database:
            return database.execute(query, values).fetchall()
    except sqlite3.Error:
        return []


__all__ = ["names", "to_approve"]
