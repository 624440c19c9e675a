"""What happens while work goes on, as records of the standard library's logging: a sentence and a stable key.

People read the sentence, programs the key and the numbers. A ground room: whatever is told here carries accounts,
schedules, run ids, codes, hosts and numbers, and never a name, a person's id, a title, a score or a query. How records
are shown is the command line's business; nothing is shown unless somebody asked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

LOG = logging.getLogger("gradesync.events")

ACTIONS: Mapping[str, str] = {
    "account.applied": "What the files say of an account was recorded",
    "accounts.frozen": "The files of so many accounts have problems, so nothing of them changes",
    "alarm.failed": "An alarm could not be delivered",
    "alarm.sent": "An alarm was delivered",
    "answer.unknown": "The other side gave an answer that no code stands for",
    "breaker.opened": "An account or a schedule failed so often that it rests",
    "hold.expired": "A hold's time was over",
    "hold.released": "A hold ended because its definition changed",
    "lease.lost": "A run's right to work in its account has ended",
    "pass.begun": "A pass began",
    "pass.ended": "A pass was over",
    "queue.redelivered": "Runs whose job or worker was lost were put on the queue again",
    "request.retried": "A request that failed is tried again after a wait",
    "request.throttled": "The other side asked to slow down",
    "run.broken": "A run broke off by a fault of gradesync",
    "run.claimed": "A run took its account and began",
    "run.ended": "A run was over and its end is recorded",
    "run.handed-back": "A run was left for the next pass",
    "run.stage": "A run came to another stage",
    "worker.task": "A background task of a worker ended",
}
"""Every key, with what it means; keys are appended and never change their meaning."""

_WHERE: ContextVar[Mapping[str, str]] = ContextVar("gradesync_where", default={})  # noqa: B039 - never changed


@contextmanager
def within(*, account: str, schedule: str | None = None, run: str | None = None) -> Iterator[None]:
    """What is told inside, also in tasks begun inside, is told of this account, schedule and run."""
    found = {"account": account, "schedule": schedule, "run": run}
    token = _WHERE.set({key: value for key, value in found.items() if value is not None})
    try:
        yield
    finally:
        _WHERE.reset(token)


def tell(
    action: str,
    sentence: str,
    *,
    level: int = logging.INFO,
    account: str | None = None,
    schedule: str | None = None,
    **facts: str | float | None,
) -> None:
    """Record that something happened. `sentence` names its numbers in braces; `facts` are those numbers, codes, hosts.

    Costs next to nothing while nobody listens.
    """
    if not LOG.isEnabledFor(level):
        return
    where = dict(_WHERE.get())
    if account is not None:
        where = {"account": account} if schedule is None else {"account": account, "schedule": schedule}
    LOG.log(
        level,
        sentence.format_map({key: value for key, value in facts.items() if value is not None}),
        extra={"action": action, "where": where, "facts": facts},
    )


__all__ = ["ACTIONS", "LOG", "tell", "within"]
