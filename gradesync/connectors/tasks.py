"""Several reads at once, ended together. asyncio only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def together(reads: Sequence[Awaitable[T]]) -> list[T]:
    """All answers in order; the first failure cancels the others, so that nothing reads on behind a dead run."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
