"""Reading one field of a body a client sent: the right type, or a 422 in the server's words.

What the fields mean for a gradebook is in `sis_bodies.py`.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

from gradesync.sandbox.sis_errors import Json, invalid, unknown
from gradesync.sandbox.sis_world import SisWorld


def referred(world: SisWorld, sent: Json, name: str, kind: str) -> str:
    """The sourcedId a reference names; 422 without one, 404 when nothing of that kind has it."""
    reference = sent.get(name)
    sourced_id = reference.get("sourcedId") if isinstance(reference, dict) else None
    if not isinstance(sourced_id, str):
        raise invalid(f"{name} must be a reference")
    row = world.rows[kind].get(sourced_id)
    if row is None or row["status"] != "active":
        raise unknown(name)
    return sourced_id


def text(sent: Json, name: str) -> str:
    """A text that says something."""
    value = sent.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} must be a text")
    return value


def number(sent: Json, name: str) -> float:
    """A JSON number; a boolean or a number in quotes is none."""
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise invalid(f"{name} must be a number")
    return value


def flag(sent: Json, name: str) -> str:
    """A boolean of the 1.2 binding, which is the text "true" or "false"."""
    value = sent.get(name)
    if value not in ("true", "false") or not isinstance(value, str):
        raise invalid(f'{name} must be "true" or "false"')
    return value


def moment(sent: Json, name: str) -> datetime:
    """A date-time; without an offset it is taken as UTC, as servers that want Z do."""
    try:
        found = datetime.fromisoformat(str(sent.get(name)))
    except ValueError:
        raise invalid(f"{name} must be a date-time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(sent: Json, name: str) -> str:
    """A date; of a date-time, which real clients send, the date part is kept."""
    value = str(sent.get(name))
    try:
        datetime.fromisoformat(value)
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        raise invalid(f"{name} must be a date") from None
