"""From a collection that is refused or cut to the narrower views of the same rows: the order of asking, and its end.

Knows no kind of row. A view that some schools or classes show and others do not is no view at all: what is left out
would look as if it had gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gradesync.connectors.oneroster.stream import Incomplete, PerhapsCut
from gradesync.connectors.tasks import together
from gradesync.errors import ConnectionProblem

Ids = tuple[str, ...]
Plan = Callable[[], Awaitable[None]]
"""One way to read everything of a kind."""
Places = Callable[[], Awaitable[Sequence[Ids]]]
"""The schools or classes to ask one by one, as the ids in the path."""

_NOT_OFFERED = (400, 403, 404, 405, 413, 422, 500, 501, 504)
"""Refusals of a collection after which a narrower view of the same rows is asked for."""

_PROBES = 3
"""Schools or classes asked before a view counts as not offered: a single one may be refused for its own sake."""

_AT_ONCE = 8
"""Schools or classes read at the same time; how many requests are in flight is the client's limit."""


class _NothingToAsk(ConnectionProblem):
    """A view that is not asked for at all."""


def not_offered(what: str) -> ConnectionProblem:
    """The problem of a plan that cannot be tried: `what` is a plural, or a view's path."""
    return _NothingToAsk(f"The SIS has nothing to ask {what} for.", code="GS-510", status=404)


def narrows(problem: ConnectionProblem) -> bool:
    """Whether a narrower view may show what this one did not."""
    return isinstance(problem, Incomplete) or problem.status in _NOT_OFFERED


async def widest(kind: str, plans: Sequence[Plan]) -> None:
    """The first plan the server bears; `kind` is a plural for people. Raises the problem that says most if none is."""
    problems: list[ConnectionProblem] = []
    for plan in plans:
        try:
            return await plan()
        except ConnectionProblem as problem:
            if not narrows(problem):
                raise
            problems.append(problem)
    if isinstance(problems[0], PerhapsCut) and not any(isinstance(one, Incomplete) for one in problems[1:]):
        # Nothing narrower is there to ask, so the end was most likely the end.
        return None
    raise _neither(kind, problems)


def _breaks(problem: ConnectionProblem) -> bool:
    return problem.status in (500, 504)


def _neither(kind: str, problems: Sequence[ConnectionProblem]) -> ConnectionProblem:
    for problem in problems:
        # Rows that are missing, or a server that breaks, say more than views it never had.
        if isinstance(problem, Incomplete) or _breaks(problem):
            return problem
    forbidden = all(problem.status == 403 for problem in problems if not isinstance(problem, _NothingToAsk))
    return ConnectionProblem(
        f"The SIS shows its {kind} neither as a whole nor by school or class.",
        code="GS-203" if forbidden else "GS-510",
        hint="Ask the SIS vendor to open one of these views to the key.",
        status=problems[0].status,
        vendor_text=problems[0].vendor_text,
    )


def each(
    what: str,
    places: Places,
    read: Callable[[Ids], Awaitable[None]],
    gone: Callable[[Ids], Awaitable[bool]] | None = None,
) -> Plan:
    """The plan that reads place by place. `what` is the view's path template.

    A refusal by the first places means that there is no such view; one by some of them means that rows are missing,
    unless the place has `gone` since it was listed.
    """

    async def plan() -> None:
        found = await places()
        rest = iter(found)
        refused: list[tuple[Ids, ConnectionProblem]] = []
        for place in rest:
            if await _read(place, read, refused):
                break
            problem = refused[0][1]
            if len(refused) >= _PROBES or isinstance(problem, Incomplete) or _breaks(problem):
                raise problem
        else:
            raise refused[0][1] if refused else not_offered(what)

        async def work() -> None:
            for one in rest:
                await _read(one, read, refused)

        await together([work() for _ in range(_AT_ONCE)])
        missing = [one for place, one in refused if gone is None or not await gone(place)]
        if missing:
            raise Incomplete(
                f"The SIS does not show {what} for {len(missing):,} of {len(found):,}.",
                code="GS-602",
                status=missing[0].status,
                hint="Nothing was sent. Ask the SIS vendor why they are refused.",
                vendor_text=missing[0].vendor_text,
            )

    return plan


async def _read(
    place: Ids, read: Callable[[Ids], Awaitable[None]], refused: list[tuple[Ids, ConnectionProblem]]
) -> bool:
    try:
        await read(place)
    except ConnectionProblem as problem:
        if not narrows(problem):
            raise
        refused.append((place, problem))
        return False
    return True
