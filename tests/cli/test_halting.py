"""Ending in order: what counts as asked, when patience is over, and what becomes of the work."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import click
import pytest

from gradesync.cli.halting import Halt, carry_out_until, heeding_signals
from gradesync.cli.looping import SECONDS, keep_going
from gradesync.errors import GradesyncError, StoreUnavailable


@dataclass
class Clock:
    at: float = 0.0

    def __call__(self) -> float:
        return self.at


def test_time_that_is_up_asks_for_the_end_and_a_minute_later_patience_is_over() -> None:
    clock = Clock()
    halt = Halt(10, clock=clock)
    clock.at = 9.9
    assert not halt.asked()
    clock.at = 10
    assert halt.asked()
    assert not halt.told
    assert not halt.overdue()
    clock.at = 70
    assert halt.overdue()


def test_who_asks_early_is_not_kept_until_the_time_is_up() -> None:
    clock = Clock()
    halt = Halt(1000, clock=clock)
    halt.ask()
    clock.at = 60
    assert halt.asked()
    assert halt.overdue()


def test_nobody_asked_and_no_limit_never_ends() -> None:
    clock = Clock(1e9)
    halt = Halt(clock=clock)
    assert not halt.asked()
    assert not halt.overdue()


def test_a_first_signal_asks_and_a_second_one_ends_at_once() -> None:
    halt = Halt()
    with heeding_signals(halt):
        os.kill(os.getpid(), signal.SIGTERM)
        assert halt.wait(5)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


ASKED_AGAIN_AND_AGAIN = """
import signal, time
from gradesync.cli.halting import Halt, heeding_signals
for number in range(400):
    halt = Halt()
    with heeding_signals(halt):
        signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, 0.0002 + number * 1e-6)
        while not halt.wait(0.00001):
            pass
"""


def test_a_signal_between_any_two_steps_of_waiting_is_heeded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED_AGAIN_AND_AGAIN], timeout=30, stderr=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0


def test_work_that_ends_by_itself_gives_its_answer() -> None:
    async def work() -> int:
        return 7

    assert carry_out_until(work(), Halt(0)) == 7


def test_work_that_does_not_end_in_time_is_cut_off() -> None:
    met = []

    async def work() -> int:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            met.append("handed back")
            raise
        return 7

    assert carry_out_until(work(), Halt(0, grace=0)) is None
    assert met == ["handed back"]


def test_a_loop_ends_when_its_time_is_up() -> None:
    passes: list[Halt] = []

    def one_pass(halt: Halt) -> int:
        passes.append(halt)
        return 3

    assert keep_going(one_pass, every=0.01, max_time=1) == 0
    assert len(passes) > 1


def test_trouble_in_the_first_pass_ends_the_service_and_later_trouble_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    troubles: list[GradesyncError | None] = [StoreUnavailable("the store is away", hint="start it")]

    def one_pass(halt: Halt) -> int:
        trouble = troubles.pop(0) if troubles else None
        if not troubles:
            halt.ask()
        if trouble is not None:
            raise trouble
        return 0

    with pytest.raises(StoreUnavailable):
        keep_going(one_pass, every=0.01, max_time=None)
    troubles[:] = [None, *[StoreUnavailable("the store is away", hint="start it") for _ in range(3)], None]
    assert keep_going(one_pass, every=0.01, max_time=None) == 0
    assert capsys.readouterr().err.count("the store is away") == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("25m", 1500), ("1h30m", 5400), ("2h", 7200), ("1m5s", 65)]
)
def test_lengths_of_time_are_read(text: str, seconds: float) -> None:
    assert SECONDS.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0s", "10", "m", "5d", "1.5h", "-5m"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        SECONDS.convert(text, None, None)
