"""A roster import that meets another tool's is not put off to tomorrow: the next pass tries again, for half a day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradesync.domain.run import Outcome, Trigger
from tests.engine.test_approve import ROSTER, TOWN, Town
from tests.syncs.roster_players import Sis


async def at_once(_seconds: float) -> None:
    """Waiting takes no time here."""


@pytest.fixture
def place() -> Town:
    """A district whose roster import has met another tool's."""
    made = Town()
    made.tools = replace(made.tools, sleep=at_once)
    blocked(made)
    return made


def blocked(place: Town) -> None:
    """A run to which Canvas says, as often as it asks, that somebody else is importing."""
    place.sides.canvas.foreign = [True] * 1000
    end = place.run()
    place.sides.canvas.foreign = []
    assert end.result is not None
    assert dict(end.result.codes) == {"GS-607": 1}


def roster_runs(place: Town) -> list[Trigger]:
    return [run.trigger for run in place.runs() if run.schedule == ROSTER]


def test_the_next_pass_tries_again_and_the_history_says_who_asked(place: Town) -> None:
    place.later(5)
    place.reconcile()
    assert roster_runs(place) == [Trigger.REQUEST, Trigger.BY_HAND]
    assert len(place.sides.canvas.uploads) == 1
    [asked] = place.history("run requested")
    assert (asked.fact.actor.name, asked.fact.data["reason"]) == (
        "scheduler",
        "something was in the way (GS-607)",
    )


def test_once_it_went_through_nothing_is_asked_for_any_more(place: Town) -> None:
    place.later(5)
    place.reconcile()
    place.later(5)
    place.reconcile()
    assert roster_runs(place).count(Trigger.REQUEST) == 1


def test_what_is_in_the_way_for_half_a_day_is_left_to_the_next_slot(place: Town) -> None:
    place.sides.canvas.foreign = [True] * 10_000
    for _ in range(20):
        place.later(60)
        place.reconcile()
    assert 11 <= roster_runs(place).count(Trigger.REQUEST) <= 14
    assert not place.store.requests(place.store.now())


def test_a_dry_run_asks_for_nothing(place: Town) -> None:
    place.later(5)
    place.reconcile()
    place.sides.canvas.foreign = [True] * 10
    place.run(dry=True)
    assert not place.store.requests(place.store.now())


def test_a_sis_that_was_down_is_asked_again_as_soon_as_it_is_back() -> None:
    place = Town()
    place.tools = replace(place.tools, sleep=at_once)
    up, place.sides.sis = place.sides.sis, Sis(TOWN, down=True)  # type: ignore[assignment]  # another fake
    end = place.run()
    assert end.result is not None
    assert (end.result.outcome, dict(end.result.codes)) == (Outcome.FAILED, {"GS-508": 1})
    place.sides.sis = up
    place.later(5)
    place.reconcile()
    assert len(place.sides.canvas.uploads) == 1
