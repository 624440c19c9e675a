"""Two transactions of two processes that need the same rows wait for each other in turn, never crosswise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from gradesync.domain.action import ActionKind
from gradesync.domain.run import Claimed, Gone
from gradesync.domain.schedule import ScheduleId
from gradesync.ports import SlotClaim, Store
from tests.store.conftest import Place, _place
from tests.store.samples import ELSEWHERE, T0, action, apply, claim, fact, minutes, new_run, school

T = TypeVar("T")
FIRST, LAST = ScheduleId("riverside", "a-grades"), ScheduleId("riverside", "z-grades")
_LAST = f"schedule WHERE name = '{LAST.name}'"
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with _place("postgresql", request, tmp_path) as made:
        yield made


def crosswise(place: Place, held_row: str, *works: Callable[[Store], T]) -> list[T]:
    """Let each work come to a stop at the row in its turn, then give it free, and answer what came of them."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        stores = [stack.enter_context(closing(place.open(None))) for _ in works]
        watch = stack.enter_context(psycopg.connect(place.url, autocommit=True))
        held = stack.enter_context(psycopg.connect(place.url))
        assert held.execute(f"SELECT 1 FROM {held_row} FOR UPDATE".encode()).fetchone()
        begun: list[Future[T]] = []
        for number, (work, store) in enumerate(zip(works, stores, strict=True), 1):
            begun.append(pool.submit(work, store))
            while watch.execute(_WAITING).fetchone() != (number,):
                assert not begun[-1].done(), begun[-1].result()
                time.sleep(0.01)
        held.rollback()
        return [one.result(timeout=30) for one in begun]


def claim_both(store: Store) -> int:
    claims = [
        SlotClaim(one, T0, minutes(15), replace(new_run(one, slot="s"), id=f"slot-{one.name}"))
        for one in (FIRST, LAST)
    ]
    return len(store.claim_slots(claims))


def test_a_change_of_the_files_and_slots_that_are_claimed(place: Place) -> None:
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name, LAST.name)

    def change(store: Store) -> int:
        retire = action(ActionKind.RETIRE, "riverside", LAST.name)
        return apply(
            store, "riverside", retire, action(ActionKind.CHANGE, "riverside", FIRST.name), expected=1
        )

    assert crosswise(place, _LAST, change, claim_both) == [True, 0]


def test_runs_that_are_skipped_and_slots_that_are_claimed(place: Place) -> None:
    late, early = new_run(LAST), new_run(FIRST)
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name, LAST.name)
        for one in (late, early):
            assert store.add_run(one)

    def skip(store: Store) -> int:
        store.skip_runs([late.id, early.id], [])
        return len(store.queued_runs())

    [_, claimed] = crosswise(place, _LAST, skip, claim_both)
    assert claimed == 2


def test_a_run_that_is_claimed_after_a_lost_one_and_its_stop(place: Place) -> None:
    lost, wanted = new_run(LAST), new_run(FIRST)
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name, LAST.name)
        assert store.add_run(lost, [fact("run asked for", run_id=lost.id)])
        assert store.add_run(wanted)
        claim(store, lost, ttl=-60)

    def take(store: Store) -> str:
        return type(store.claim(wanted.id, ELSEWHERE, 60)).__name__

    def stop(store: Store) -> str:
        return str(store.stop_run(wanted.id, [fact("stop asked", run_id=wanted.id)]))

    assert crosswise(place, "history_head WHERE chain LIKE '%riverside%'", take, stop) == ["Claimed", "True"]


def test_a_run_that_is_claimed_after_one_that_was_given_up_and_slots_that_are_claimed(place: Place) -> None:
    lost, wanted = new_run(LAST), new_run(FIRST)
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name, LAST.name)
        assert store.add_run(lost)
        assert store.add_run(wanted)
        claim(store, lost, ttl=-60)
        assert store.stop_run(lost.id, [])

    def take(store: Store) -> int:
        return isinstance(store.claim(wanted.id, ELSEWHERE, 60), Claimed)

    assert crosswise(place, _LAST, take, claim_both) == [True, 2]


def test_a_run_of_an_account_that_is_renamed_meanwhile_is_not_claimed_under_its_old_name(
    place: Place,
) -> None:
    wanted = new_run(FIRST)
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name, LAST.name)
        assert store.add_run(wanted)

    def rename(store: Store) -> str:
        moved = action(ActionKind.MOVE, "lakeside", moved_from="riverside")
        return str(apply(store, "lakeside", moved, expected=1))

    def take(store: Store) -> str:
        return type(store.claim(wanted.id, ELSEWHERE, 60)).__name__

    assert crosswise(place, _LAST, rename, take) == ["True", "Gone"]
    with closing(place.open(None)) as store:
        [run] = store.queued_runs()
        assert run.schedule.account == "lakeside"
        claim(store, run)


def test_slots_that_are_claimed_while_their_account_is_renamed_bring_runs_of_its_new_name(
    place: Place,
) -> None:
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name, LAST.name)

    def rename(store: Store) -> int:
        return apply(
            store, "lakeside", action(ActionKind.MOVE, "lakeside", moved_from="riverside"), expected=1
        )

    # Both wait for the last schedule; the slots come first, and the rename has looked for runs by then.
    assert crosswise(place, _LAST, claim_both, rename) == [2, True]
    with closing(place.open(None)) as store:
        assert {run.schedule.account for run in store.queued_runs()} == {"lakeside"}


def test_a_run_queued_under_a_name_the_account_has_given_up_is_not_claimed(place: Place) -> None:
    with closing(place.open(None)) as store:
        school(store, "riverside", FIRST.name)
        moved = action(ActionKind.MOVE, "lakeside", moved_from="riverside")
        assert apply(store, "lakeside", moved, expected=1)
        late = new_run(FIRST)
        assert store.add_run(late)
        assert isinstance(store.claim(late.id, ELSEWHERE, 60), Gone)
        assert store.leases() == []
