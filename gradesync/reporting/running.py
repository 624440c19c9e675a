"""How a run at work is told of in one line, wherever it is met: who, since when, how far, and when last heard of."""

from __future__ import annotations

from datetime import datetime

from gradesync.domain.run import Lease
from gradesync.reporting import words
from gradesync.reporting.clean import clean


def running_line(lease: Lease, now: datetime) -> str:
    """`riverside/grades: sam on ci-7 (process 12) since 2026-11-25 20:00 UTC, classes 12/40, heard of 4 s ago`."""
    what = f"{lease.account}/{lease.schedule}" if lease.schedule else lease.account
    parts = [f"{clean(what)}: {clean(lease.holder)} since {words.utc(lease.since)}"]
    if lease.headway is not None:
        of = "" if lease.headway.total is None else f"/{lease.headway.total:,}"
        number = f" {lease.headway.done:,}{of}" if lease.headway.done or of else ""
        parts.append(f"{clean(lease.headway.stage)}{number}")
    if lease.heard_at is not None:
        silent = max(0, round((now - lease.heard_at).total_seconds()))
        parts.append(f"heard of {silent:,} s ago")
    return ", ".join(parts)
