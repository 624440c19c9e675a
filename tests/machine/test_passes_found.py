"""What the machine of whole passes has found, as short as it gets."""

from __future__ import annotations

from gradesync.domain.run import Mode, Outcome, RunState, Trigger
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.requests import request_run
from gradesync.store.memory import MemoryStore
from gradesync.store.verify import verify_history
from tests.machine.passes_world import ACCOUNTS, World


def test_a_requested_run_whose_process_died_ends_although_its_schedule_was_paused_since() -> None:
    world = World(MemoryStore)
    for key in ACCOUNTS:
        world.write(key, "x", 60, "active")
    world.passes(world.tree(), [None])
    world.later(1)
    request_run(world.tools(world.process()), ScheduleId("elm", "x"), Mode.DELTA, None)
    life = next(n for n in range(200) if _killed_while_it_runs(world, n))
    assert life > 0
    world.write("elm", "x", 60, "paused")
    for _ in range(2):
        world.later(3)
        world.passes(world.tree(), [None])
    [run] = [run for run in world.runs() if run.trigger is Trigger.REQUEST]
    assert run.state is RunState.ENDED
    assert run.result is not None
    assert run.result.outcome is Outcome.ABANDONED
    assert verify_history(world.store) == []


def _killed_while_it_runs(world: World, life: int) -> bool:
    """Whether a pass with so short a life leaves the run behind as running."""
    world.passes(world.tree(), [life])
    return any(run.state is RunState.RUNNING for run in world.runs())
