"""A storm in a glass: the tool and judge of `python -m tools.crash_storm` with few blows, and proof that it judges.

A frozen process that wakes up when another has gone on is also made on purpose: with its guard it sends nothing more,
and without it the judge speaks.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from tools.crash_storm.judge import figures, judge, late_writes
from tools.crash_storm.scene import Scene, Write, scene
from tools.crash_storm.storm import Storm, calm


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    # The sandbox would tell of every connection that a killed process left behind.
    monkeypatch.setattr(logging.getLogger("aiohttp.server"), "disabled", True)


def test_a_late_write_is_one_of_an_older_epoch_after_a_newer_one_wrote() -> None:
    def wrote(*epochs: int, district: str = "a") -> list[Write]:
        return [Write(district, "run", epoch, "PUT /x") for epoch in epochs]

    assert late_writes(wrote(1, 1, 2, 2, 5)) == []
    assert late_writes([*wrote(3), *wrote(1, district="b"), *wrote(3)]) == []
    assert [write.epoch for write in late_writes(wrote(1, 2, 1, 2, 1, 3))] == [1, 1]


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_after_a_small_storm_everything_holds(store: str, tmp_path: Path) -> None:
    with scene(tmp_path, store, accounts=2, guard=True) as stage:
        blows = Storm(stage, seed=7, blows=6, restart_every=3).rage()
        assert calm(stage), stage.spoken()
        assert judge(stage, blows) == []
        assert figures(stage, blows)["attempts lost"] > 0


def frozen_until_another_has_written(stage: Scene) -> None:
    """One process frozen in the middle of its writes, thawed when another has carried its run on."""
    stage.tree.all_due("district0")
    first: list[int] = []
    frozen: list[Write] = []

    def freeze(write: Write) -> None:
        if not frozen and len(stage.writes.seen) >= 15:
            frozen.append(write)
            os.kill(first[0], signal.SIGSTOP)

    stage.writes.told = freeze
    first.append(stage.begin("reconcile", "--due"))
    ends_at = time.monotonic() + 40
    while not any(frozen and write.epoch > frozen[0].epoch for write in stage.writes.seen):
        assert time.monotonic() < ends_at, stage.spoken()
        if frozen and len(stage.living()) < 2:
            stage.begin("reconcile", "--due")
        time.sleep(0.1)
    stage.signal(first[0], signal.SIGCONT)
    assert calm(stage)


def test_a_process_that_wakes_up_too_late_sends_nothing_more(tmp_path: Path) -> None:
    with scene(tmp_path, "sqlite", accounts=1, guard=True) as stage:
        frozen_until_another_has_written(stage)
        assert late_writes(stage.writes.seen) == []


def test_without_its_guard_it_does_and_the_judge_says_so(tmp_path: Path) -> None:
    late: list[object] = []
    # Where the machine is busy, the process may notice its lost lease before it gets to the next write.
    for attempt in range(3):
        (tmp_path / str(attempt)).mkdir()
        with scene(tmp_path / str(attempt), "sqlite", accounts=1, guard=False) as stage:
            frozen_until_another_has_written(stage)
            late += late_writes(stage.writes.seen)
        if late:
            break
    assert late != []
