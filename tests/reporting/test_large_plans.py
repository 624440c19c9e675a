"""A plan of any size: what is dangerous stands in the comment with its count, and so does every reason to withhold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan, Stop
from gradesync.domain.reasons import account_why
from gradesync.reporting import markdown
from gradesync.reporting.comment_body import COMMENT_LIMIT, comment_body
from gradesync.reporting.dangers import HEADINGS, Danger, dangers_of
from gradesync.reporting.fitting import size
from gradesync.reporting.links import Links
from tests.reporting import samples as s
from tests.reporting.test_github_comment import STAMP

LINKS = Links("https://github.com/o/r", "a" * 40, "", "https://github.com/o/r/actions/runs/17")
BOLD = (
    FieldChange("passback.conflict", '"sis_wins"', '"canvas_wins"'),
    FieldChange("passback.deletions", '"report"', '"delete"'),
)
ACCOUNT = replace(s.CHANGE, kind=ActionKind.CHANGE_ACCOUNT, schedule=None, held=False, text="{}", place=None)
SCHEDULE = replace(s.CHANGE, held=False, fields=(), place=None)
SAMPLES = {
    Danger.RETIRED: replace(SCHEDULE, kind=ActionKind.RETIRE, text=None),
    Danger.NEW_HOST: ACCOUNT,
    Danger.BOLD: replace(ACCOUNT, fields=BOLD, why=account_why(BOLD, None)),
    Danger.BEGINS: replace(SCHEDULE, fields=(FieldChange("state", '"observe"', '"active"'),)),
    Danger.RESUMED: replace(SCHEDULE, kind=ActionKind.RESUME),
    Danger.HELD: replace(SCHEDULE, held=True),
    Danger.OTHER: replace(SCHEDULE, fields=(FieldChange("interval", '"hourly"', '"daily"'),)),
}


def body(plan: Plan) -> str:
    return comment_body(plan, (), s.NOW, STAMP, links=LINKS)


def actions(danger: Danger, number: int, name: str = "account") -> tuple[Action, ...]:
    """Each in an account of its own; addresses all differ."""
    found = [replace(SAMPLES[danger], account=f"{name}-{danger.value}-{n:04}") for n in range(number)]
    if danger is Danger.NEW_HOST:
        found = [
            replace(one, fields=(FieldChange("canvas.url", '"https://a.example"', f'"https://{n}.example"'),))
            for n, one in enumerate(found)
        ]
    return tuple(found)


def gone(account: str) -> Stop:
    told = "its file is gone from the tree; 1 schedule would be retired"
    return Stop(account, f"{account}: {told}", "bring the file back, or write `state: leaving` in it")


def moved(account: str) -> Stop:
    told = f"its secrets would be sent to another host (canvas {account}.example -> elsewhere.example)"
    return Stop(account, f"{account}: {told}", "have the owner of the secrets confirm the host")


@pytest.mark.parametrize("number", [1, 60, 550, 5000])
def test_a_bold_policy_of_all_accounts_is_told_first_and_says_what_it_means(number: int) -> None:
    plan = Plan((*actions(Danger.OTHER, number), *actions(Danger.BOLD, number), *actions(Danger.RETIRED, 1)))
    shown = body(plan)
    assert size(shown) <= COMMENT_LIMIT
    for part in (HEADINGS[Danger.BOLD], "`canvas_wins`", "is overwritten", "`delete`", "are deleted"):
        assert part in shown
    assert "account-0-0000/" in shown, "what is retired is named"
    first = shown.index(HEADINGS[Danger.RETIRED]), shown.index(HEADINGS[Danger.BOLD])
    assert first == tuple(sorted(first))
    assert first[1] < shown.find("#### By account") or "#### By account" not in shown


def test_equal_changes_of_550_accounts_are_one_line_that_names_the_first() -> None:
    shown = body(Plan(actions(Danger.BOLD, 550)))
    assert "#### Policies change: more is sent, overwritten or taken away: 550\n" in shown
    (line,) = [line for line in shown.split("\n") if "canvas_wins" in line]
    assert line.startswith(
        "- **550 accounts**: passback.conflict: `sis_wins` → `canvas_wins` (what was edited"
    )
    assert "account-2-0000, account-2-0001, " in line
    assert line.endswith("… and 540 more")


def test_of_many_different_addresses_the_rare_ones_are_named_and_all_are_counted() -> None:
    same = FieldChange("canvas.url", '"https://a.example"', '"https://b.example"')
    usual = [replace(ACCOUNT, account=f"usual-{n}", fields=(same,)) for n in range(900)]
    shown = body(Plan((*usual, *actions(Danger.NEW_HOST, 8))))
    assert "**900 accounts**: canvas.url: `https://a.example` → `https://b.example`" in shown
    assert "**8 accounts**: canvas.url: 8 other values: " in shown
    assert all(f"account-1-{n:04} → `https://{n}.example`" in shown for n in range(8))


def test_an_account_that_does_two_dangerous_things_is_told_under_both() -> None:
    both = [replace(one, fields=(*one.fields, *BOLD)) for one in actions(Danger.NEW_HOST, 700)]
    shown = body(Plan(tuple(both)))
    assert f"#### {HEADINGS[Danger.NEW_HOST]}: 700" in shown
    assert f"#### {HEADINGS[Danger.BOLD]}: 700" in shown


@pytest.mark.parametrize("number", [10, 300, 3000])
def test_equal_stops_are_one_line_and_secrets_come_first(number: int) -> None:
    names = [f"account-{n:04}" for n in range(number)]
    withheld = (*actions(Danger.RETIRED, number), *actions(Danger.NEW_HOST, number))
    plan = Plan((), withheld, (*map(gone, names), *map(moved, names), s.STOP))
    shown = body(plan)
    assert size(shown) <= COMMENT_LIMIT
    assert plan.digest in shown
    assert "more stops not shown" not in shown
    secrets, files = re.findall(r"^- ⛔ \*\*.*$", shown, re.MULTILINE)
    assert secrets.startswith(
        f"- ⛔ **{number:,} accounts**: its secrets would be sent to another host: account-0000,"
    )
    assert files.startswith(
        f"- ⛔ **{number:,} accounts**: its file is gone from the tree; 1 schedule would be"
    )
    assert "(canvas account-0000.example" in shown
    assert s.STOP.sentence in shown


def test_few_stops_are_told_one_by_one() -> None:
    names = [f"account-{n}" for n in range(4)]
    shown = body(Plan((), actions(Danger.RETIRED, 4), tuple(map(gone, names))))
    assert all(f"- ⛔ {name}: its file is gone" in shown for name in names)


def test_a_bold_policy_within_what_is_withheld_is_told_too() -> None:
    withheld = [replace(one, fields=(*one.fields, *BOLD)) for one in actions(Danger.NEW_HOST, 800)]
    shown = body(Plan((), tuple(withheld), tuple(moved(one.account) for one in withheld)))
    assert "canvas_wins" in shown
    assert f"- {HEADINGS[Danger.BOLD]}: 800" in shown


COUNTS = st.dictionaries(st.sampled_from(Danger), st.sampled_from([1, 6, 70, 800]), min_size=1)


@settings(max_examples=25, deadline=None)
@given(COUNTS, COUNTS | st.just({}), st.sampled_from([COMMENT_LIMIT, 20_000]), st.booleans())
def test_every_danger_of_any_plan_stands_there_and_it_fits(
    applied: dict[Danger, int], held_back: dict[Danger, int], room: int, fill: bool
) -> None:
    withheld = [one for danger, number in held_back.items() for one in actions(danger, number, "kept")]
    stops = [stop for one in withheld for stop in ((moved if one.schedule is None else gone)(one.account),)]
    told = [one for danger, number in applied.items() for one in actions(danger, number)]
    plan = Plan(tuple(told), tuple(withheld), tuple(stops))
    shown = markdown.plan(plan, (), s.NOW, links=LINKS, room=room, fill=fill)
    assert size(shown) <= room
    assert plan.digest in shown
    dangers = {danger for one in told for danger in dangers_of(one)} - {Danger.OTHER}
    assert all(f"#### {HEADINGS[danger]}" in shown for danger in dangers)
    for stop in stops:
        assert stop.sentence.split(": ")[1].split(" (")[0].split("; ")[0] in shown
