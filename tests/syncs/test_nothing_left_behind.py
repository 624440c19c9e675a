"""A run that ends early leaves nothing reading on behind its closed connections."""

from __future__ import annotations

import asyncio

import pytest

from gradesync.domain.run import Mode
from gradesync.errors import ConnectionProblem
from gradesync.syncs.grade_passback import pass_back
from tests.syncs.passback_school import School


def test_when_one_side_cannot_be_met_the_other_is_not_asked_on() -> None:
    school = School()

    async def refused() -> str:
        raise ConnectionProblem("refused", code="GS-201")

    async def never() -> str:
        await asyncio.sleep(3600)
        return ""

    school.canvas.identity = refused  # type: ignore[method-assign]  # a refused key
    school.sis.identity = never  # type: ignore[method-assign]  # and a SIS that takes its time

    async def run() -> set[asyncio.Task[object]]:
        records = school.store.records(school.claim())
        with pytest.raises(ConnectionProblem, match="refused"):
            await pass_back(school.job(Mode.FULL), school.sis, records)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(run()) == set()


def test_a_run_that_breaks_off_while_the_catalogue_is_read_ends_that_reading_too() -> None:
    school = School()
    asked = asyncio.Event()

    async def never() -> object:
        asked.set()
        await asyncio.sleep(3600)
        return None

    school.sis.catalogue = never  # type: ignore[method-assign,assignment]  # a SIS that takes its time

    async def run() -> set[asyncio.Task[object]]:
        records = school.store.records(school.claim())
        task = asyncio.create_task(pass_back(school.job(Mode.FULL), school.sis, records))
        await asked.wait()
        task.cancel()
        await asyncio.wait([task])
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(run()) == set()
