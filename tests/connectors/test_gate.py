"""The gate: places are never lost, whoever gives up waiting."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.gate import Gate


def test_answers_of_requests_sent_before_a_halving_do_not_halve_again() -> None:
    async def run() -> None:
        gate = Gate(8)
        for _ in range(8):
            await gate.enter()
        gate.narrow()
        for _ in range(7):
            gate.narrow()
            gate.leave()
        assert gate.width == 4

    asyncio.run(run())


def test_one_place_is_always_left() -> None:
    gate = Gate(0)
    for _ in range(9):
        gate.narrow()
    assert gate.width == 1


@given(
    limit=st.integers(1, 4),
    deeds=st.lists(st.sampled_from(["enter", "leave", "give up", "narrow", "widen"]), max_size=60),
)
def test_no_place_is_lost_or_doubled_whatever_happens(limit: int, deeds: list[str]) -> None:
    async def run() -> None:
        gate = Gate(limit)
        tasks: list[asyncio.Task[None]] = []
        for deed in deeds:
            inside = [one for one in tasks if one.done() and not one.cancelled()]
            waiting = [one for one in tasks if not one.done()]
            if deed == "enter":
                tasks.append(asyncio.create_task(gate.enter()))
            elif deed == "leave" and inside:
                tasks.remove(inside[0])
                gate.leave()
            elif deed == "give up" and waiting:
                waiting[-1].cancel()
            elif deed == "narrow":
                gate.narrow()
            elif deed == "widen":
                gate.widen()
            if deed != "leave":
                # Left out after a leave, so that a cancel can meet a place in the act of being given.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert gate.inside <= limit
        await asyncio.sleep(0)
        while living := [one for one in tasks if not one.cancelled()]:
            for one in living:
                if one.done():
                    tasks.remove(one)
                    gate.leave()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            tasks = [one for one in tasks if not one.cancelled()]
        assert gate.inside == 0

    asyncio.run(run())


def test_a_place_given_back_while_many_are_cancelled_troubles_nobody() -> None:
    """Ctrl-C cancels everybody at once, and those inside leave before those who wait have been told."""

    async def body() -> None:
        gate = Gate(1)
        await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        gate.leave()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 3
        assert gate.inside == 0
        await asyncio.wait_for(gate.enter(), 5)

    asyncio.run(body())
