"""Carries out the runs that a queue brings, on any number of hosts, until it is asked to end.

The queue only delivers: whether a run may start, and who may write, is decided by the store's lease as everywhere else.
So a job that is lost, doubled or late does no harm, and a run goes on under its lease whatever becomes of its job or of
the connection the job came over. No rule of a run stands here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import procrastinate
from procrastinate.exceptions import ProcrastinateException

from gradesync.engine.runs import deliver
from gradesync.engine.tools import Tools
from gradesync.errors import StoreUnavailable
from gradesync.events import tell
from gradesync.store.queue import QUEUE, STALLED, TASK
from gradesync.wiring import App


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker does what, in seconds.

    `upkeep`: runs without a job are looked for; `polling`: jobs, also those of an account that was busy until now, of
    which no notice comes; `reconnect`: how long
    the database is left alone after trouble; `errand`: how long jobs may take to end when a worker stops listening.
    """

    heartbeat: float = 10.0
    polling: float = 1.0
    upkeep: float = 15.0
    reconnect: float = 5.0
    errand: float = 2.0


_PACE = Pace()
_LOOK = 0.2
"""Seconds between two looks whether the process was asked to end."""


async def serve(
    app: App,
    tools: Tools,
    *,
    concurrency: int,
    overdue: Callable[[], bool],
    say: Callable[[str], None],
    pace: Pace = _PACE,
) -> None:
    """Take runs until `tools.halted`; those at work then end at a class boundary, and are cut off when `overdue`.

    A database that is away is waited for. Raises StoreUnavailable only when the queue cannot be used to begin with.
    """
    _quieten()
    works = _Works(tools, say, asyncio.Semaphore(concurrency))
    queue = await asyncio.to_thread(app.deliveries)
    upkeep = asyncio.create_task(_upkeep(tools, pace))
    say(f"taking runs, {concurrency} accounts at once, as {tools.holder.name}")
    try:
        while not tools.halted():
            trouble = await _listen(queue, works, concurrency, pace)
            if trouble is None:
                continue
            say(f"the queue cannot be reached ({trouble}); runs at work go on, and it is tried again")
            await _rest(tools, pace.reconnect)
            with suppress(StoreUnavailable):
                queue = await asyncio.to_thread(app.deliveries)
    finally:
        upkeep.cancel()
        await works.end(overdue)


@dataclass
class _Works:
    """The runs at work, apart from the jobs that brought them: a job may be lost while its run goes on."""

    tools: Tools
    say: Callable[[str], None]
    places: asyncio.Semaphore
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def carry(self, run: str) -> None:
        """Carry out one run; whoever waits for it may go away."""
        task = self.running.get(run)
        if task is None:
            task = self.running[run] = asyncio.create_task(self._carry(run))
            task.add_done_callback(lambda _: self.running.pop(run, None))
        await asyncio.shield(task)

    async def _carry(self, run: str) -> None:
        async with self.places:
            try:
                await deliver(self.tools, run)
            except StoreUnavailable as away:
                # The run stays as it is in the store: taken up again when its lease is over, or still queued.
                self.say(f"run {run} is left to the next delivery: {away}")

    async def end(self, overdue: Callable[[], bool]) -> None:
        """Wait for what is at work; what has no end in time is cut off, and handed back by that."""
        cut = False
        while self.running:
            await asyncio.wait(list(self.running.values()), timeout=_LOOK)
            if overdue() and not cut:
                cut = True
                for task in self.running.values():
                    task.cancel()


async def _listen(queue: procrastinate.App, works: _Works, concurrency: int, pace: Pace) -> str | None:
    """Take jobs until the process is asked to end (None) or the queue breaks off (why, in a word)."""
    queue.tasks.pop(TASK, None)
    queue.task(name=TASK, queue=QUEUE)(works.carry)
    try:
        async with queue.open_async():
            worker = asyncio.create_task(
                queue.run_worker_async(
                    queues=[QUEUE],
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    update_heartbeat_interval=pace.heartbeat,
                    stalled_worker_timeout=STALLED,
                    fetch_job_polling_interval=pace.polling,
                    shutdown_graceful_timeout=pace.errand,
                )
            )
            while not worker.done() and not works.tools.halted():
                await asyncio.wait({worker}, timeout=_LOOK)
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
    except (ProcrastinateException, OSError, TimeoutError) as trouble:
        return None if works.tools.halted() else type(trouble).__name__
    return None if works.tools.halted() else "its connection broke off"


async def _upkeep(tools: Tools, pace: Pace) -> None:
    """Send runs again whose job or worker got lost, for as long as this worker lives; one of all workers at a time."""
    while True:
        try:
            found = await asyncio.to_thread(tools.store.redeliver)
            if found:
                tell("queue.redelivered", "{runs} runs delivered again", runs=found)
        except StoreUnavailable:
            tell("queue.redelivered", "runs could not be looked for, the store is away", runs=0)
        # Not all workers at the same moment.
        await asyncio.sleep(pace.upkeep * random.uniform(0.7, 1.0))  # noqa: S311 - nothing secret


async def _rest(tools: Tools, seconds: float) -> None:
    """Wait, but no longer than until the process is asked to end."""
    for _ in range(max(1, round(seconds / _LOOK))):
        if tools.halted():
            return
        await asyncio.sleep(_LOOK)


def _quieten() -> None:
    """Keep the library's own records off stderr: they carry stacks, and what matters of them is said here."""
    for name in ("procrastinate", "psycopg.pool"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False

    def unheard(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        tell(
            "worker.task", "a background task ended by {error}", error=type(context.get("exception")).__name__
        )

    asyncio.get_running_loop().set_exception_handler(unheard)


__all__ = ["Pace", "serve"]
