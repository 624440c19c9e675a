"""How long to wait: for an answer, before trying again, and as long as the other side asks.

Pure. Whether a request is tried again is `http`'s to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `write` bounds one try of a write and must stay below what the lease guard promises;
    `whole` bounds a request with all its retries."""

    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    upload: float = 600.0
    whole: float = 300.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter: a wait is a random share of `base` * 2^n, at most `longest`; a Retry-After is a lower bound."""

    base: float = 0.5
    longest: float = 30.0
    tries: int = 5
    tries_throttled: int = 8
    tries_broken: int = 3


def retry_after(value: str | None) -> float | None:
    """Seconds asked for, from either form of the header (RFC 9110 10.2.3)."""
    if not value:
        return None
    text = value.strip()
    if text.isdecimal():
        return float(text[:9])
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())


def http_date(value: str | None) -> datetime | None:
    """An HTTP date as aware UTC; None for anything else."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
