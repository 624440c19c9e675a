"""Long work shows where it is: one block on a terminal that goes away, and a sign of life in a log that stays quiet."""

from __future__ import annotations

import io
import os
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.cli import progress
from gradesync.cli.common import tell
from gradesync.cli.pace import Work, about, length
from gradesync.cli.progress import BEAT, FIRST_BEAT, LiveProgress, QuietProgress, live
from gradesync.domain.schedule import ScheduleId
from gradesync.reporting.clean import cell_width, cut

RIVERSIDE, OAK_HILL = ScheduleId("riverside", "grades"), ScheduleId("oak-hill", "grades")


class Clock:
    """Time that goes by when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def screen(written: str, columns: int = 80) -> list[str]:
    """What a terminal of that width shows in the end: line ends, moves upwards, and erasing to the end."""
    lines, at = [""], 0
    for part in re.findall(r"\x1b\[\d*[AJ]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\n":
            at += 1
            lines += [""] * (at + 1 - len(lines))
        elif part == "\r":
            pass
        elif part.endswith("A"):
            at = max(0, at - int(part[2:-1]))
        elif part.endswith("J"):
            del lines[at:]
            lines.append("")
        else:
            assert cell_width(part) < columns, "a line as wide as the terminal breaks"
            lines[at] = part
    return [line for line in lines if line]


class Terminal:
    """A live progress, its clock, and what is to be seen."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.out, self.clock = io.StringIO(), Clock()
        self.columns, self.rows = columns, rows
        self.watch = LiveProgress(
            self.out,
            self.clock,
            ticking=False,
            size=lambda: os.terminal_size((self.columns, self.rows)),
        )

    def seen(self) -> list[str]:
        return screen(self.out.getvalue(), self.columns)


@pytest.fixture(autouse=True)
def nobody_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_current", [])


def test_each_account_at_work_has_a_line_that_is_written_over() -> None:
    terminal = Terminal()
    terminal.watch.stage(RIVERSIDE, "fetch", 3, 1200)
    terminal.clock.now += 1
    terminal.watch.stage(OAK_HILL, "write")
    assert terminal.seen() == ["riverside/grades: fetch 3 of 1,200, 1 s", "oak-hill/grades: write"]
    terminal.clock.now += 60
    terminal.watch.stage(RIVERSIDE, "fetch", 4, 1200)
    assert terminal.seen()[0] == "riverside/grades: fetch 4 of 1,200, 1 min"


def test_sentences_stay_above_the_block_and_the_block_goes_at_the_end() -> None:
    terminal = Terminal()
    terminal.watch.stage(RIVERSIDE, "fetch", 3, 12)
    terminal.watch.stage(OAK_HILL, "write")
    terminal.watch.say(RIVERSIDE, "completed; 3 sent")
    terminal.clock.now += 1
    terminal.watch.tick()
    assert terminal.seen() == ["riverside/grades: completed; 3 sent", "oak-hill/grades: write, 1 s"]
    terminal.watch.clear()
    assert terminal.seen() == ["riverside/grades: completed; 3 sent"]


def test_many_accounts_are_counted_and_the_pass_says_how_far_it_is() -> None:
    terminal = Terminal(rows=8)
    for number in range(20):
        terminal.watch.stage(ScheduleId(f"a{number}", "grades"), "fetch")
    terminal.watch.ended(ScheduleId("a0", "grades"), 1, 120)
    terminal.clock.now += 1
    terminal.watch.tick()
    seen = terminal.seen()
    assert len(seen) == 6
    assert seen[0] == "1 of 120 runs ended"
    assert seen[-1] == "and 15 more"


def test_a_terminal_made_narrower_in_between_is_left_clean() -> None:
    terminal = Terminal(columns=120)
    terminal.watch.stage(ScheduleId("a" * 40, "b" * 30), "fetch", 3, 12)
    before = len(terminal.out.getvalue())
    terminal.columns = 40
    terminal.watch.clear()
    # The one line of 85 columns stands on three of 40 now.
    assert terminal.out.getvalue()[before:] == "\x1b[3A\r\x1b[J"


@given(st.text(), st.integers(min_value=4, max_value=60))
def test_nothing_is_wider_than_it_may_be(text: str, width: int) -> None:
    assert cell_width(cut(text, width)) <= width


def test_wide_letters_are_cut_whole() -> None:
    assert cut("学校の名前は長い", 9) == "学校の..."
    assert cut("short", 9) == "short"


def test_what_is_told_beside_the_block_does_not_stand_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal.out)
    terminal.watch.stage(RIVERSIDE, "fetch", 3, 12)
    tell("stopping")
    terminal.clock.now += 1
    terminal.watch.tick()
    assert terminal.seen() == ["stopping", "riverside/grades: fetch 3 of 12, 1 s"]


def test_a_quiet_job_gives_a_sign_of_life() -> None:
    out, clock = io.StringIO(), Clock()
    watch = QuietProgress(out, clock, ticking=False)
    watch.stage(RIVERSIDE, "classes", 100, 1178)
    watch.tick()
    assert out.getvalue() == ""
    clock.now += FIRST_BEAT
    watch.stage(RIVERSIDE, "classes", 112, 1178)
    watch.tick()
    first = out.getvalue()
    assert re.fullmatch(
        r"still working: riverside/grades: classes 112 of 1,178, since \d\d:\d\d UTC\n",
        first,
    )
    clock.now += BEAT - 1
    watch.tick()
    assert out.getvalue() == first
    clock.now += 1
    watch.tick()
    assert out.getvalue().count("still working") == 2
    watch.ended(RIVERSIDE, 1, 1)
    clock.now += 10 * BEAT
    watch.tick()
    assert out.getvalue().count("still working") == 2, "nothing is at work, so nothing is said"


def test_a_sign_of_life_of_many_accounts_stays_one_line() -> None:
    out, clock = io.StringIO(), Clock()
    watch = QuietProgress(out, clock, ticking=False)
    for number in range(30):
        watch.stage(ScheduleId(f"a{number}", "grades"), "fetch")
    watch.ended(ScheduleId("a0", "grades"), 1, 120)
    clock.now += FIRST_BEAT
    watch.tick()
    assert out.getvalue().count("\n") == 1
    assert "1 of 120 runs ended; " in out.getvalue()
    assert out.getvalue().endswith("and 25 more\n")


def test_a_log_in_which_something_happens_needs_no_sign_of_life() -> None:
    out, clock = io.StringIO(), Clock()
    watch = QuietProgress(out, clock, ticking=False)
    watch.stage(RIVERSIDE, "fetch")
    clock.now += FIRST_BEAT - 1
    watch.say(OAK_HILL, "completed")
    clock.now += 2
    watch.tick()
    assert out.getvalue() == "oak-hill/grades: completed\n"


def test_work_that_is_no_run_is_watched_alike() -> None:
    terminal = Terminal()
    told = terminal.watch.counted("page", "accounts")
    told(3, 600)
    assert terminal.seen() == ["page: 3 of 600 accounts"]


def test_a_unit_never_stands_without_its_number() -> None:
    work = Work("store import", 0.0, counted=True)
    work.at(0.0, "MB checked", 0, 1)
    assert work.told(0.0) == "store import: 0 of 1 MB checked"
    work.at(0.0, "rows", 0, None)
    assert work.told(40.0) == "store import: 0 rows, 40 s"
    work.at(0.0, "rows", 1200, None)
    assert work.told(40.0) == "store import: 1,200 rows, 40 s"


def test_a_real_ticker_ends_with_its_work() -> None:
    watch = QuietProgress(io.StringIO())
    watch.stage(RIVERSIDE, "fetch")
    stop = watch._stop
    assert stop is not None
    watch.clear()
    assert stop.is_set()


@pytest.mark.parametrize(
    ("term", "ci", "drawn"),
    [("xterm-256color", "", True), ("dumb", "", False), ("xterm", "true", False), (None, "", False)],
)
def test_a_block_is_drawn_only_where_a_cursor_moves(
    term: str | None, ci: str, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("TERM", term) if term else monkeypatch.delenv("TERM", raising=False)

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert live(Screen()) is drawn
    assert not live(io.StringIO())


# -- time left -------------------------------------------------------------------------------------------------------


def test_time_left_is_said_once_the_pace_says_anything() -> None:
    work = Work("x", 0.0)
    work.at(0.0, "classes", 0, 1000)
    for second in range(1, 31):
        work.at(float(second), "classes", second * 2, 1000)
        if second < 10:
            assert work.left(float(second)) is None
    assert work.left(30.0) == pytest.approx(470)
    assert work.told(30.0) == "x: classes 60 of 1,000, 30 s, about 8 min left"


def test_nothing_is_said_of_work_without_an_end_or_that_stands_still() -> None:
    work = Work("x", 0.0)
    for second in range(60):
        work.at(float(second), "fetch", second * 100, None)
    assert work.left(60.0) is None
    still = Work("x", 0.0)
    for second in range(31):
        still.at(float(second), "classes", second, 100)
    assert still.left(30.0) is not None
    assert still.left(200.0) is None


def test_a_pace_that_changed_is_not_carried_on() -> None:
    work = Work("x", 0.0)
    for second in range(300):
        work.at(float(second), "classes", second * 30, 100_000)
    assert work.left(299.0) is not None
    for second in range(300, 390):
        work.at(float(second), "classes", 8970 + (second - 299), 100_000)
    assert work.left(390.0) is None


def test_another_stage_is_measured_anew() -> None:
    work = Work("x", 0.0)
    for second in range(20):
        work.at(float(second), "fetch", second * 10, 200)
    work.at(20.0, "verify", 0, 50)
    assert work.left(20.0) is None


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 200)), max_size=30))
def test_time_left_is_never_negative_nor_breaks(steps: list[tuple[float, int]]) -> None:
    work, now, done = Work("x", 0.0), 0.0, 0
    for wait, more in steps:
        now, done = now + wait, done + more
        work.at(now, "classes", done, 3000)
        left = work.left(now)
        assert left is None or left >= 0
        assert work.told(now)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(20, "under a minute"), (130, "about 2 min"), (1330, "about 20 min"), (9000, "about 2.5 h")],
)
def test_an_estimate_is_rounded_as_much_as_it_is_unsure(seconds: float, told: str) -> None:
    assert about(seconds) == told


def test_lengths_in_words() -> None:
    assert [length(s) for s in (0.2, 40, 185, 7500, 7200)] == ["", "40 s", "3 min", "2 h 5 min", "2 h"]
