"""The daily view of who must act: each cause once, what is new first, bounded, readable at 80 columns."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.needs import Cause, causes, needs, streaks
from gradesync.domain.problem import CODES as ALL_CODES
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Outcome, Run, RunResult, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.reporting import structured, text
from gradesync.reporting.clean import cell_width
from tests.reporting import samples as s

HOUR = timedelta(hours=1)


def row(
    account: str,
    *codes: str,
    outcome: Outcome = Outcome.WARNING,
    waiting: dict[str, int] | None = None,
    since: timedelta | None = None,
    name: str = "grades",
) -> ScheduleRow:
    """A schedule whose last run met `codes`; `waiting` since so long ago."""
    id = ScheduleId(account, name)
    result = RunResult(outcome, Stage.FETCH, codes=dict.fromkeys(codes, 1))
    waits = waiting or {}
    last = s.ROWS[0].last
    assert last is not None
    return replace(
        s.ROWS[0],
        schedule=replace(s.ROWS[0].schedule, id=id),
        last=replace(last, schedule=id, result=result),
        waiting=waits,
        waiting_since=dict.fromkeys(waits, s.NOW - (since or HOUR)),
    )


def runs(of: ScheduleRow, *met: str, each: timedelta = HOUR) -> list[Run]:
    """Earlier runs, newest first, each an hour before the next; `""` is one that worked."""
    assert of.last is not None
    return [
        replace(
            of.last,
            id=str(back),
            created_at=s.NOW - each * back,
            started_at=s.NOW - each * back,
            result=RunResult(
                Outcome.FAILED if code else Outcome.COMPLETED, Stage.FETCH, codes={code: 1} if code else {}
            ),
        )
        for back, code in enumerate(met)
    ]


def shown(found: tuple[Cause, ...], width: int = 80, *, every: bool = False) -> str:
    return text.causes(found, s.NOW, style=s.terminal(width), needs="district", every=every)


def test_the_same_cause_over_many_accounts_of_one_host_is_one_line() -> None:
    rows = [row(f"a{n:02}", "GS-202", outcome=Outcome.FAILED) for n in range(30)]
    rows += [row("elsewhere", "GS-202", outcome=Outcome.FAILED)]
    hosts = {f"a{n:02}": ("canvas.example", "genesis.example") for n in range(30)} | {
        "elsewhere": ("canvas.example", "own.example")
    }
    found = causes(rows, s.NOW, group="district", hosts=hosts)
    assert [(one.code, one.host, len(one.accounts)) for one in found] == [
        ("GS-202", "genesis.example", 30),
        ("GS-202", "", 1),
    ]
    assert "all on genesis.example: a00, a01, a02 and 27 more" in shown(found)


def test_what_is_new_since_yesterday_comes_first_even_if_it_is_small() -> None:
    rows = [
        row("old-1", waiting={"GS-504": 90}, since=timedelta(days=9)),
        row("old-2", waiting={"GS-504": 40}, since=timedelta(days=3)),
        row("new", waiting={"GS-414": 1}, since=5 * HOUR),
    ]
    found = causes(rows, s.NOW, group="district")
    assert [(one.code, one.fresh, one.records) for one in found] == [
        ("GS-414", True, 1),
        ("GS-504", False, 130),
    ]
    lines = shown(found).splitlines()
    assert lines[0] == "Waiting for the district: 2 causes in 3 accounts, 1 new since yesterday"
    assert lines.index("New since yesterday") < lines.index("From before")
    assert "for 9 days" in shown(found)


def test_the_command_of_a_single_schedule_can_be_copied() -> None:
    both = [row("a", "GS-626", name="roster"), row("b", "GS-626", name="roster")]
    (one,) = causes(both[:1], s.NOW, group="support")
    told = " ".join(shown((one,)).split())
    assert "`gradesync run a/roster --dry-run --csv-to DIR`" in told
    assert "`gradesync approve RUN --reason ...`" in told
    assert "`gradesync show a/roster` names RUN." in told
    (two,) = causes(both, s.NOW, group="support")
    assert "`gradesync run ID --dry-run --csv-to DIR`" in " ".join(shown((two,)).split())
    (section,) = causes([row("a", waiting={"GS-414": 1})], s.NOW, group="district")
    assert "`gradesync explain a/grades --worklist` names the section." in " ".join(shown((section,)).split())


def test_an_accounts_records_count_once_however_many_schedules_it_has() -> None:
    rows = [row("a", waiting={"GS-504": 90}, name=name) for name in ("grades", "grades-late")]
    (found,) = causes(rows, s.NOW, group="district")
    assert (found.records, len(found.schedules), len(found.accounts)) == (90, 2, 1)


def test_runs_tell_since_when_they_fail() -> None:
    one = row("a", "GS-202", outcome=Outcome.FAILED)
    key = (one.schedule.id, "GS-202")
    broken = streaks(runs(one, "GS-202", "GS-202", "GS-202", "", "GS-202"), [key], 50)
    (found,) = causes([one], s.NOW, group="district", began=broken)
    assert (found.since, found.capped, found.fresh) == (s.NOW - 2 * HOUR, False, True)
    whole = streaks(runs(one, *["GS-202"] * 9), [key], 9)
    (long,) = causes([one], s.NOW, group="district", began=whole)
    assert (long.since, long.capped, long.fresh) == (s.NOW - 8 * HOUR, True, False)
    assert "or longer" in shown((long,))
    (young,) = causes([one], s.NOW, group="district", began=streaks(runs(one, *["GS-202"] * 9), [key], 10))
    assert (young.since, young.capped, young.fresh) == (s.NOW - 8 * HOUR, False, True)


def test_a_run_that_failed_by_what_nobody_mends_is_supports() -> None:
    rows = [row("a", "GS-508", outcome=Outcome.FAILED), row("b", outcome=Outcome.FAILED)]
    found = causes(rows, s.NOW, group="support")
    assert {one.code for one in found} == {"GS-508", ""}
    told = text.causes(found, s.NOW, style=s.PLAIN, needs="support")
    assert "tried again by itself" in told
    assert "The run failed without saying why" in told
    assert "gradesync show b/grades" in told


def test_the_view_is_bounded_and_says_how_to_see_the_rest() -> None:
    cause = causes([row("a", waiting={"GS-504": 3})], s.NOW)[0]
    many = tuple(
        replace(cause, accounts=(f"a{n}",), schedules=(ScheduleId(f"a{n}", "x"),)) for n in range(55)
    )
    told = text.causes(many, s.NOW, style=s.terminal(80), needs="district", asked=" --group north")
    assert len(told.splitlines()) < 80
    assert "35 causes more: gradesync list --needs district --group north --all" in told
    assert "more:" not in text.causes(many, s.NOW, style=s.PLAIN, needs="district", every=True)


def test_nothing_to_do_is_said() -> None:
    assert shown(()) == "Nothing waits for the district now.\n"


def test_each_cause_names_who_must_act_and_the_next_command() -> None:
    rows = [row(f"a{n}", "GS-202", outcome=Outcome.FAILED) for n in range(3)]
    told = shown(causes(rows, s.NOW, group="district"))
    assert "    SIS admin: " in told
    assert "    gradesync list --needs district --code GS-202\n" in told


def test_programs_get_the_causes_too() -> None:
    found = causes([row("a", waiting={"GS-504": 3}, since=5 * HOUR)], s.NOW)
    shape = structured.rows([], s.NOW, causes=found)["causes"][0]
    assert shape["code"] == "GS-504"
    assert shape["accounts"] == ["a"]
    assert shape["new_since_yesterday"] is True
    assert shape["since"] == "2026-11-25T14:05:00Z"
    assert structured.rows([], s.NOW)["causes"] is None


@given(st.sampled_from(sorted(ALL_CODES)), st.integers(40, 100), st.booleans())
def test_on_a_narrow_terminal_a_title_is_told_once_and_coloured_to_its_end(
    code: str, width: int, failing: bool
) -> None:
    cause = causes([row("a", waiting={"GS-504": 3})], s.NOW)[0]
    one = replace(cause, code=code, failing=failing)
    told = text.causes((one,), s.NOW, style=s.terminal(width, color=True), needs="support")
    plain = re.sub(r"\x1b\[[0-9;]+m", "", told)
    begun = next(line for line in plain.splitlines() if line.startswith(f"  {code}"))
    assert cell_width(begun) <= width
    assert all(cell_width(line) <= width for line in plain.split("\n\n")[0].splitlines())
    title = f"{code} {ALL_CODES[code].title}"
    assert " ".join(plain.split()).count(title) == 1
    coloured = " ".join(re.findall(rf"\x1b\[{31 if failing else 1}m(.*?)\x1b\[0m", told))
    assert coloured.endswith(title)


CODES = ("GS-201", "GS-202", "GS-401", "GS-405", "GS-501", "GS-504", "GS-508", "GS-599", "GS-709")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c" * 60]),
            st.lists(st.sampled_from(CODES), max_size=3),
            st.sampled_from(list(Outcome)),
            st.dictionaries(st.sampled_from(CODES), st.integers(1, 9000), max_size=2),
            st.integers(0, 200),
        ),
        max_size=8,
    ),
    st.sampled_from([80, 100, 200]),
)
def test_every_need_of_every_row_is_in_some_cause_and_no_word_is_cut(
    made: list[tuple[str, list[str], Outcome, dict[str, int], int]], width: int
) -> None:
    rows = [row(a, *c, outcome=o, waiting=w, since=HOUR * h) for a, c, o, w, h in made]
    found = causes(rows, s.NOW)
    for one in rows:
        for need in needs(one):
            assert any(need.code == cause.code and one.schedule.id in cause.schedules for cause in found)
    told = shown(found, width, every=True)
    assert all(cell_width(line) <= width or " " not in line.strip() for line in told.splitlines())


def test_new_is_what_began_within_a_day() -> None:
    def fresh(ago: timedelta) -> bool:
        return causes([row("a", waiting={"GS-504": 1}, since=ago)], s.NOW)[0].fresh

    assert fresh(23 * HOUR)
    assert not fresh(25 * HOUR)
