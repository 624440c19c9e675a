"""Whether an endpoint answers: the shape both probes use. No endpoint stands here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gradesync.connectors.http import HttpClient, Query
from gradesync.connectors.reply import Reply
from gradesync.errors import ConnectionProblem

LABELLED = tuple[str, ConnectionProblem | None]


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """One GET: the path people know it by, the template with its ids, and its query."""

    label: str
    template: str
    ids: tuple[str | int, ...] = ()
    query: tuple[tuple[str, str], ...] = ()


async def answers(client: HttpClient, questions: Sequence[Question]) -> list[LABELLED]:
    """Ask one after the other; what each was refused with, None for an answer."""
    found: list[LABELLED] = []
    for one in questions:
        try:
            await client.get(one.template, *one.ids, query=one.query)
        except ConnectionProblem as problem:
            found.append((one.label, problem))
        else:
            found.append((one.label, None))
    return found


async def timed(
    client: HttpClient, template: str, query: Query = (), now: Callable[[], datetime] = utc_now
) -> tuple[Reply, datetime]:
    """The answer, and our clock in the middle of the request: half of its time is each way's."""
    before = now()
    reply = await client.get(template, query=query)
    return reply, before + (now() - before) / 2
