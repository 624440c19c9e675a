"""The names an SQLite store holds, read in an instant and without the store's own machinery: for completion alone.

Nothing is decided by them, so nothing is checked; a store that is not there, busy or of another schema has no names.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_NAMES = {
    "account": "SELECT key FROM account WHERE NOT retired ORDER BY key",
    "schedule": "SELECT account || '/' || name FROM schedule WHERE NOT retired ORDER BY account, name",
    "run": "SELECT id FROM run ORDER BY created_at DESC LIMIT 200",
    "group": "SELECT DISTINCT group_name FROM account WHERE group_name IS NOT NULL ORDER BY group_name",
}


def names(place: Path, kind: str) -> list[str]:
    """The names of a kind: `account`, `schedule`, `run` (the newest 200) or `group`; none where they cannot be read."""
    if not place.is_file():
        return []
    try:
        with closing(
            sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True, timeout=0.3)
        ) as database:
            return [str(row[0]) for row in database.execute(_NAMES[kind])]
    except sqlite3.Error:
        return []


__all__ = ["names"]
