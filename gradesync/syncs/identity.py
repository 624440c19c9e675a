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
    return check_canvas(records, canvas) | check_sis(records, sis)


def check_canvas(records: ReadRecords, actual: str) -> dict[str, str]:
    """The same for Canvas alone."""
    return _check(records, CANVAS_IDENTITY, "Canvas", actual)


def check_sis(records: ReadRecords, actual: str) -> dict[str, str]:
    """The same for the SIS alone."""
    return _check(records, SIS_IDENTITY, "the SIS", actual)


def _check(records: ReadRecords, name: str, side: str, actual: str) -> dict[str, str]:
    if not actual:
        # Files of Canvas's own format name no institution: there is nothing to compare and nothing to remember.
        return {}
    known = records.watermark(name)
    if known is None:
        return {name: actual}
    if known != actual:
        raise ConnectionProblem(
            f"{side} at this address is not the institution recorded for the account",
            code="GS-208",
            hint="check the address; if the institution really moved, have the identity recorded anew",
        )
    return {}


def record_identity(records: RunRecords, fresh: dict[str, str]) -> None:
    """Remember identities met for the first time."""
    if fresh:
        records.set_watermarks(fresh)
