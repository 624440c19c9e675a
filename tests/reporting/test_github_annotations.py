"""Annotations keep to what GitHub shows: errors and the pull request's own files first, and never silently fewer."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.action import ActionKind
from gradesync.domain.problem import Place, Problem
from gradesync.domain.report import PassReport
from gradesync.reporting import github
from gradesync.reporting.annotations import BUDGET, LONGEST, Note, commands
from gradesync.reporting.links import Links
from tests.reporting import samples as s

COMMAND = re.compile(r"::(error|warning|notice) [^:]*::.+")


def problem(n: int, file: str = "schedules/a.yaml", *, warning: bool = False) -> Problem:
    return Problem("GS-102", f"unknown {n}", Place(file, n, 5), "fix it", warning=warning)


def test_errors_come_first_and_the_last_one_says_how_many_more_there_are() -> None:
    found = [problem(n, warning=True) for n in range(1, 10)] + [problem(n) for n in range(1, 15)]
    *lines, summary = github.problems(found).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 9
    assert lines[9] == "::error title=More than GitHub shows::and 5 more, see the summary of this step"
    assert lines[0] == (
        "::error file=schedules/a.yaml,line=1,col=5,title=GS-102 Unknown or misspelt setting"
        "::unknown 1 (hint: fix it)"
    )
    assert summary == "14 problems in 1 file, 9 warnings."


def test_exactly_as_many_as_fit_are_all_shown() -> None:
    lines = github.problems([problem(n) for n in range(1, 11)]).splitlines()
    assert len(lines) == 11
    assert not [line for line in lines if "more, see" in line]


def test_files_of_the_pull_request_come_before_all_others() -> None:
    found = [problem(n, f"schedules/{n:02}.yaml") for n in range(1, 30)]
    for changed in ({"schedules/28.yaml"}, {"north/schedules/28.yaml"}):
        first = github.problems(found, changed=changed, links=Links(under="north")).splitlines()[0]
        assert first.startswith("::error file=north/schedules/28.yaml,line=28")


def test_a_safety_stop_is_never_crowded_out_by_warnings_of_files() -> None:
    found = [problem(n, warning=True) for n in range(1, 50)]
    shown = github.plan(s.PLAN, found, s.NOW, changed={"schedules/a.yaml"})
    assert shown.splitlines()[0].startswith("::warning title=Withheld by a safety stop::")


def test_a_safety_stop_stands_on_the_line_of_what_it_withholds() -> None:
    withheld = replace(s.CHANGE, kind=ActionKind.CHANGE_ACCOUNT, schedule=None)
    shown = github.plan(replace(s.PLAN, withheld=(withheld,)), (), s.NOW)
    assert shown.startswith(
        "::warning file=schedules/riverside.yaml,line=31,col=5,title=Withheld by a safety stop::"
    )


def test_what_must_be_known_beside_a_plan_comes_first() -> None:
    found = [problem(n, warning=True) for n in range(1, 50)]
    lines = github.plan(s.NOTHING, found, s.NOW, remarks=["the tree is older"]).splitlines()
    assert lines[0] == "::warning title=About this plan::the tree is older"


def test_what_is_no_line_of_a_file_names_none() -> None:
    notes = [Note("error", "t", "x", Place("profile genesis", 0, 0)), Note("error", "t", "y")]
    assert commands(notes) == ["::error title=t::y", "::error file=profile genesis,title=t::x"]


@given(
    st.lists(
        st.builds(
            Note,
            kind=st.sampled_from(["error", "warning", "notice"]),
            title=st.text(max_size=9),
            text=st.text(max_size=900),
        ),
        max_size=60,
    )
)
def test_there_are_never_more_than_the_budget_and_each_is_one_short_line(notes: list[Note]) -> None:
    lines = commands(notes)
    kinds = [line.split(" ")[0].removeprefix("::") for line in lines]
    assert all(kinds.count(kind) <= room for kind, room in BUDGET.items())
    assert sum(BUDGET.values()) <= 25, "two steps of one job share fifty"
    for kind, room in BUDGET.items():
        mine = sum(note.kind == kind for note in notes)
        assert kinds.count(kind) == min(mine, room)
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert all(len(line) < 3 * LONGEST + 100 for line in lines)


def test_a_pass_annotates_what_needs_someone_and_folds_the_rest_away() -> None:
    lines = github.pass_report(s.REPORT).splitlines()
    assert lines[0].startswith("::error title=riverside/roster-nightly%3A failed::the SIS refuses the key")
    assert "GS-202" in lines[0]
    assert lines[1].startswith("::warning title=riverside/grades%3A warning::GS-401 No due date (2 records)")
    assert lines[2] == "::group::Pass"
    assert lines[-2] == "::endgroup::"
    assert lines[-1].startswith("3 changes applied, 2 runs (1 failed, 1 warning)")
    assert "Jane" not in "\n".join(lines)


def test_a_pass_whose_runs_could_have_no_key_is_an_error() -> None:
    lines = github.pass_report(replace(s.QUIET, no_key="the key is gone")).splitlines()
    assert lines[0] == "::error title=GS-207 No run can do its work::the key is gone"


def test_a_pass_with_an_older_tree_is_an_error() -> None:
    old = PassReport(s.NOW, None, (), 0, (), (), (), {}, {}, None, stale_commit="f" * 40, stale_why="older")
    assert github.pass_report(old).startswith("::error title=GS-704 Older tree::")


def test_a_quiet_pass_annotates_nothing() -> None:
    lines = github.pass_report(s.QUIET).splitlines()
    assert [line for line in lines if COMMAND.match(line)] == []
    assert lines[-1] == "Nothing to do."


def test_a_pass_annotates_a_warning_when_its_file_is_applied_and_not_at_every_tick() -> None:
    tick = replace(s.QUIET, problems=s.PROBLEMS)
    assert "GS-115" not in github.pass_report(tick)
    assert "GS-102" in github.pass_report(tick), "what stops a file is told until it is mended"
    merge = replace(tick, plan=replace(s.NOTHING, actions=(s.CHANGE,)))
    assert "GS-115" in github.pass_report(merge)
