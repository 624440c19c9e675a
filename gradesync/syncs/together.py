"""Work done side by side, without a trace of it in the task that waits.

Knows nothing of grades. Here because both the sync as a whole and the writing of one class need it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines side by side; their answers in the same order.

    The first error cancels the rest and is raised bare: whoever reads of it needs the cause, not its wrapping. A cancel
    of the caller reaches all of them.
    """

    async def group() -> list[T]:
        async with asyncio.TaskGroup() as running:
            tasks = [running.create_task(one) for one in work]
        return [task.result() for task in tasks]

    try:
        # A task of its own: until Python 3.13 a group whose member fails while it waits for the others cancels the
        # task it lives in and leaves that cancel counted. The run's own task would look as if this process were told
        # to end: nothing more of the account would be taken up, and a lost lease would be told as Ctrl-C.
        return await asyncio.create_task(group())
    except BaseExceptionGroup as several:
        raise _first(several) from None


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


__all__ = ["together"]
