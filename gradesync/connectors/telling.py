"""What the one client tells of requests that had to wait, and of answers nobody has a code for.

Host, method, status and path template; never an address, a query, a header or a body.
"""

from __future__ import annotations

import logging

from gradesync.connectors import errors
from gradesync.connectors.calls import Call, Lost
from gradesync.connectors.errors import Side
from gradesync.connectors.reply import Reply
from gradesync.errors import ConnectionProblem
from gradesync.events import tell


def tell_wait(side: Side, call: Call, outcome: Reply | Lost, problem: ConnectionProblem, wait: float) -> None:
    """A request is tried again after `wait` seconds."""
    status = None if isinstance(outcome, Lost) else outcome.status
    throttled = not isinstance(outcome, Lost) and errors.is_throttled(outcome.status, outcome.body)
    why = "asked to slow down" if throttled else "did not answer" if status is None else f"answered {status}"
    tell(
        "request.throttled" if throttled else "request.retried",
        "waiting {seconds:.1f} s, {side} {why} ({method} on {host}, try {tries})",
        seconds=round(wait, 3),
        side=errors.NAMES[side],
        why=why,
        method=call.method,
        host=call.url.host,
        status=status,
        code=problem.code,
        tries=call.tries,
    )


def tell_unknown(side: Side, call: Call, status: int, problem: ConnectionProblem) -> None:
    """An answer in words of its own; its fingerprint is the same for equal ones, and says nothing of whom it named."""
    tell(
        "answer.unknown",
        "{side} answered {status} to {method} {path} in its own words: {code}, fingerprint {fingerprint}",
        level=logging.WARNING if problem.code == errors.UNKNOWN[side] else logging.INFO,
        side=errors.NAMES[side],
        status=status,
        method=call.method,
        path=call.template,
        code=problem.code,
        fingerprint=problem.fingerprint,
    )


__all__ = ["tell_unknown", "tell_wait"]
