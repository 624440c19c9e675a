"""JSON, GitHub annotations and comments: stable shapes, the right order, and within their limits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from gradesync.domain.action import ActionKind, FieldChange, Plan
from gradesync.domain.interval import parse_interval
from gradesync.domain.problem import Place, Problem
from gradesync.ports import StoreInfo
from gradesync.reporting import github, markdown, structured, text
from gradesync.reporting.shapes import instant
from tests.reporting import samples as s

INTERVAL = parse_interval("daily at 02:00", s.ZONE)
SHAPES = {
    "problems": structured.problems(s.PROBLEMS, s.source),
    "plan": structured.plan(s.PLAN, s.PROBLEMS, s.NOW),
    "pass": structured.pass_report(s.REPORT),
    "schedules": structured.rows(s.ROWS, s.NOW),
    "schedule": structured.schedule(s.OLD_ROW, s.NOW),
    "account": structured.account(s.VIEW, s.NOW),
    "run": structured.run(s.run(), s.DRY.classes),
    "run_end": structured.run_end(s.DRY),
    "history": structured.history(s.entries()),
    "holds": structured.holds((s.HOLD, s.BREAKER), s.NOW),
    "next_runs": structured.next_runs(INTERVAL, [s.at(2, 0, 26)]),
    "effective": structured.effective([("roster.expect", [{"a": s.NOW}], Place("a.yaml", 3))]),
    "store": structured.store_info(StoreInfo("sqlite", "x", "l", "1", {"runs": 2})),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_every_report_is_json_and_names_its_kind_and_version(kind: str) -> None:
    shape = json.loads(json.dumps(SHAPES[kind]))
    assert (shape["version"], shape["kind"]) == (1, kind)


@pytest.mark.parametrize("kind", SHAPES)
def test_neither_the_vendors_words_nor_erasable_details_reach_json(kind: str) -> None:
    assert "Jane" not in json.dumps(SHAPES[kind])


@pytest.mark.parametrize("kind", SHAPES)
def test_instants_are_utc_with_z(kind: str) -> None:
    found = re.findall(r'"(20\d\d-\d\d-\d\dT[^"]*)"', json.dumps(SHAPES[kind]))
    assert all(re.fullmatch(r"[0-9T:.-]+Z", one) for one in found)


def test_an_instant_of_another_offset_becomes_utc() -> None:
    local = datetime(2026, 11, 25, 15, tzinfo=timezone(timedelta(hours=-5)))
    assert instant(local) == "2026-11-25T20:00:00Z"


def test_the_documented_keys_are_the_ones_that_are_there() -> None:
    documented = {
        "plan": "version kind at commit uncommitted changes digest accounts schedules unchanged counts actions "
        "withheld stops frozen unrecorded revisions problems limited_to tree settings remarks",
        "pass": "version kind at plan problems applied raced runs busy blocked missed checkpoint new_store "
        "stale_commit stale_why stale interrupted enqueued redelivered left resting no_key",
        "schedules": "version kind at need_someone holds_in_force causes schedules",
        "history": "version kind entries",
        "problems": "version kind errors warnings problems",
    }
    assert {kind: set(SHAPES[kind]) for kind in documented} == {
        kind: set(keys.split()) for kind, keys in documented.items()
    }


def test_the_json_plan_carries_values_not_texts_of_json() -> None:
    change = SHAPES["plan"]["actions"][2]
    assert change["fields"] == [
        {"path": "canonical_interval", "before": "every 15 minutes", "after": "hourly"}
    ]
    assert change["definition"]["time_zone"] == s.ZONE
    assert change["next_run_after"] == "2026-11-25T20:00:00Z"
    assert SHAPES["plan"]["digest"] == s.PLAN.digest


def test_a_blocked_schedule_has_no_next_run_in_json() -> None:
    row = replace(s.ROSTER_ROW, next_run_at=s.at(2, 0, 26))
    shape = structured.rows([row], s.NOW)["schedules"][0]
    assert shape["next_run_at"] is None
    assert shape["state"] == ["held"]
    assert shape["first_run_declared"] == "2026-09-01T06:00:00Z"


def test_a_plan_in_ci_annotates_stops_and_folds_the_plan() -> None:
    lines = github.plan(s.PLAN, (), s.NOW).splitlines()
    assert lines[0].startswith("::warning title=Withheld by a safety stop::riverside: 2 of 4 schedules")
    assert s.PLAN.digest in lines[0]
    assert lines[1].startswith("::notice title=Held::1 hold touches this plan: 1 change will be stored")
    assert lines[2] == "::group::Plan"
    assert lines[-2:] == [
        "::endgroup::",
        "Plan: 1 to create, 1 to change, 1 to pause, 1 withheld. 34 unchanged. 1 account frozen by problems.",
    ]


def test_a_plan_without_changes_is_one_line_in_ci_and_in_a_comment() -> None:
    assert github.plan(s.NOTHING, (), s.NOW) == text.plan(s.NOTHING, (), s.NOW, style=s.PLAIN)
    assert markdown.plan(s.NOTHING, (), s.NOW) == (
        "**Nothing to do: 2 accounts as the files say, 38 unchanged.**\n"
    )


def test_a_plan_in_markdown_begins_with_what_is_withheld_and_goes_on_with_the_gravest() -> None:
    resume = replace(s.PAUSE, kind=ActionKind.RESUME, schedule="paused")
    host = FieldChange("sis.url", '"https://a.example"', '"https://b.example"')
    moved = replace(s.CHANGE, kind=ActionKind.CHANGE_ACCOUNT, schedule=None, fields=(host,), held=False)
    retire = replace(s.RETIRE, schedule="grades-older")
    actions = (s.CREATE, s.PAUSE, s.CHANGE, resume, moved, retire)
    shown = markdown.plan(replace(s.PLAN, actions=actions), s.PROBLEMS, s.NOW)
    parts = ["--allow", "⛔ riverside: 2 of 4", "`! retire` **riverside/grades-old**", "#### Will be retired"]
    parts += ["**riverside/grades-older**", "secrets go there", "**riverside**", "#### Will run again"]
    parts += [
        "**oakhill/paused**",
        "#### Under a hold",
        "**riverside/grades**",
        "GS-107",
        "#### Other changes",
    ]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    assert "  - interval: `every 15 minutes` → `hourly`" in shown


def test_a_plan_in_markdown_that_would_be_too_long_keeps_the_grave_part_and_tells_the_rest_by_account() -> (
    None
):
    creates = tuple(replace(s.CREATE, account=f"a{n % 300:04}", schedule=f"s{n}") for n in range(3000))
    retire = replace(s.RETIRE, schedule="grades-older")
    shown = markdown.plan(Plan((*creates, retire), (s.RETIRE,), (s.STOP,), unchanged=1), (), s.NOW)
    assert len(shown.encode()) <= markdown.LIMIT
    assert "**riverside/grades-old**" in shown
    assert "**riverside/grades-older**" in shown
    assert shown.count(": 10 to create\n") == 300


def test_markdown_stays_within_the_limit_however_much_stops_say() -> None:
    stops = tuple(replace(s.STOP, sentence=f"{n} " + "é" * 700) for n in range(200))
    plan = Plan((), (s.RETIRE,), stops, frozen=tuple(f"f{n}" * 50 for n in range(100)))
    shown = markdown.plan(plan, (), s.NOW)
    assert len(shown.encode()) <= markdown.LIMIT
    assert plan.digest in shown
    kept = shown.count("- ⛔")
    assert 0 < kept < 200
    assert f"… and {200 - kept} more stops not shown here" in shown
    many = [Problem("GS-102", "m" * 500, Place("a.yaml", n)) for n in range(500)]
    assert len(markdown.problems(many).encode()) <= markdown.LIMIT


def test_a_summary_begins_with_its_sentence_and_then_who_needs_someone() -> None:
    shown = markdown.pass_report(s.REPORT)
    assert shown.startswith("**3 changes applied, 2 runs (1 failed, 1 warning)")
    assert "  - GS-401 No due date (2 records). Teacher: add a due date." in shown
    assert "  - RUN is `r2`, for `gradesync show`, `approve` and the form" in shown
    assert shown.endswith(f"history checkpoint `{'ab' * 32}`\n")


def test_piped_output_does_not_load_rich() -> None:
    program = (
        "import sys\n"
        "from tests.reporting import samples as s\n"
        "from gradesync.reporting import github, markdown, structured, text\n"
        "text.rows(s.ROWS, s.NOW, style=s.PLAIN); text.plan(s.PLAN, (), s.NOW, style=s.PLAIN)\n"
        "text.history(s.entries(), style=s.PLAIN); text.pass_report(s.REPORT, style=s.PLAIN)\n"
        "text.account(s.VIEW, s.NOW, style=s.PLAIN); text.run_end(s.DRY, style=s.PLAIN)\n"
        "github.plan(s.PLAN, (), s.NOW); markdown.plan(s.PLAN, (), s.NOW); structured.rows(s.ROWS, s.NOW)\n"
        "piped = 'rich' in sys.modules\n"
        "text.rows(s.ROWS, s.NOW, style=s.terminal(120))\n"
        "print(piped, 'rich' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
