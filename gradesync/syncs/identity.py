"""First contact: each side's identity is recorded once, and a run that meets another one stops before reading.

Copy and paste must never send one district's grades to another. Knows only ports and domain.
"""

from __future__ import annotations

from gradesync.errors import ConnectionProblem
from gradesync.ports import ReadRecords, RunRecords

CANVAS_IDENTITY = "identity:canvas"
SIS_IDENTITY = "identity:sis"


def check_identity(records: ReadRecords, canvas: str, sis: str) -> dict[str, str]:
    """Compare with what was recorded; answers the identities still to be recorded (first contact).

    Raises ConnectionProblem GS-208 when a side is not the institution recorded.
    """
    fresh: dict[str, str] = {}
    for name, side, actual in ((CANVAS_IDENTITY, "Canvas", canvas), (SIS_IDENTITY, "the SIS", sis)):
        known = records.watermark(name)
        if known is None:
            fresh[name] = actual
        elif known != actual:
            raise ConnectionProblem(
                f"{side} at this address is not the institution recorded for the account",
                code="GS-208",
                hint="check the address; if the institution really moved, have the identity recorded anew",
            )
    return fresh


def record_identity(records: RunRecords, fresh: dict[str, str]) -> None:
    """Remember identities met for the first time."""
    if fresh:
        records.set_watermarks(fresh)
