"""Work side by side must leave no trace of its end in the task that waited: a run takes such a trace for a shutdown."""

from __future__ import annotations

import asyncio

import pytest

from gradesync.errors import ConnectionProblem
from gradesync.syncs.together import together


async def _refused(after: int) -> str:
    for _ in range(after):
        await asyncio.sleep(0)
    raise ConnectionProblem("Canvas answered 401", code="GS-201")


async def _answer(text: str) -> str:
    await asyncio.sleep(0)
    return text


async def _for_ever(seen: list[str]) -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise
    return "never"


def test_answers_come_in_the_order_of_the_questions() -> None:
    async def body() -> list[str]:
        return await together(_answer(text) for text in ("one", "two"))

    assert asyncio.run(body()) == ["one", "two"]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_error_cancels_the_rest_and_does_not_look_like_a_cancel_from_outside(after: int) -> None:
    seen: list[str] = []

    async def body() -> int:
        with pytest.raises(ConnectionProblem):
            await together(one for one in (_for_ever(seen), _refused(after)))
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(body()) == 0
    assert seen in (["cancelled"], [])  # one that had not begun has nothing to tell


def test_a_cancel_from_outside_reaches_all_and_stays_in_force() -> None:
    seen: list[str] = []

    async def body() -> None:
        work = together(_for_ever(seen) for _ in range(2))
        task = asyncio.create_task(work)
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelling() == 1

    asyncio.run(body())
    assert seen == ["cancelled", "cancelled"]
