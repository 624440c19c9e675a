"""How both sides in RAM say no: with the codes of the real ones."""

from __future__ import annotations

from gradesync.errors import ConnectionProblem


def refused(message: str, code: str, status: int) -> ConnectionProblem:
    """The problem a real side would raise for an answer of this status."""
    return ConnectionProblem(message, code=code, status=status, vendor_text=message)
