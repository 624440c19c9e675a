"""The comment on a pull request: always below the limit, gravest first, and nothing in it acts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan, Stop
from gradesync.domain.problem import Place, Problem
from gradesync.domain.sticky import Stamp, stamp_of
from gradesync.reporting import github, markdown, plan_words, text
from gradesync.reporting.comment_body import COMMENT_LIMIT, comment_body, is_quiet
from gradesync.reporting.fitting import SUMMARY_LIMIT, Section, fitted, size
from gradesync.reporting.links import Links
from gradesync.reporting.plan_document import Danger, danger_of
from tests.reporting import samples as s
from tests.reporting.test_escaping import ANY, assert_inert, outside_code

STAMP = Stamp("0" * 16, "a" * 40, 17, 1, datetime(2026, 11, 23, 20, tzinfo=UTC))
LINKS = Links("https://github.com/o/r", "a" * 40, "", "https://github.com/o/r/actions/runs/17")
OURS = re.compile(
    r"\[((?:\\.|[^\[\]\\])*)\]"
    r"\(https://github\.com/o/r/(?:blob/[0-9a-f]{40}/[A-Za-z0-9%._/-]+#L\d+|actions/runs/17)\)"
)
CONSENT = re.compile(
    r"^```sh\ngradesync reconcile --allow [0-9a-f]{12} --reason '\.\.\.'\n```$", re.MULTILINE
)


def body(plan: Plan, problems: tuple[Problem, ...] = (), *remarks: str) -> str:
    return comment_body(plan, problems, s.NOW, STAMP, links=LINKS, accounts=remarks or None, remarks=remarks)


def many(
    number: int, accounts: int, kind: ActionKind = ActionKind.CHANGE, long: str = "x"
) -> tuple[Action, ...]:
    base = replace(s.CHANGE, kind=kind, held=False, fields=(FieldChange("reason", f'"{long}"', '"y"'),))
    return tuple(
        replace(base, account=f"account-{n % accounts:04}", schedule=f"schedule-{n}") for n in range(number)
    )


def unlike(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The same, each with a value of its own."""
    return tuple(
        replace(one, fields=(replace(one.fields[0], after=f'"{n}"'),)) for n, one in enumerate(actions)
    )


def test_the_marker_comes_first_and_the_run_last() -> None:
    shown = body(s.PLAN, s.PROBLEMS)
    assert stamp_of(shown) == STAMP
    assert shown.rstrip().endswith(
        "by [this run](https://github.com/o/r/actions/runs/17); its summary and artifacts hold the whole plan. "
        "A later push edits this comment.</sub>"
    )


@pytest.mark.parametrize(
    ("accounts", "kind"),
    [(1, ActionKind.CHANGE), (600, ActionKind.RETIRE), (5000, ActionKind.RESUME)],
)
def test_five_thousand_changes_fit(accounts: int, kind: ActionKind) -> None:
    plan = Plan(many(5000, accounts, kind, "é" * 20), (s.RETIRE,), (s.STOP,))
    shown = body(plan)
    assert len(shown.encode()) <= COMMENT_LIMIT < 65_536
    assert plan.digest in shown
    assert s.STOP.sentence in shown
    assert "This is a short form" in shown
    assert "[the run](https://github.com/o/r/actions/runs/17)" in shown
    assert shown.count("<details>") == shown.count("</details>")


def test_a_summary_is_never_told_shorter_but_counts_what_does_not_fit() -> None:
    plan = Plan(many(5000, 600, long="é" * 60), (s.RETIRE,), (s.STOP,))
    summary = markdown.plan(plan, (), s.NOW, links=LINKS, room=SUMMARY_LIMIT, fill=True)
    assert 0.99 * SUMMARY_LIMIT < len(summary.encode()) <= SUMMARY_LIMIT
    kept = summary.count("- `~ change`")
    assert 2000 < kept < 5000
    assert f"… and {5000 - kept:,} more changes not shown here" in summary
    assert summary.rstrip().endswith("</details>")
    assert "more changes not shown here; see [the run](https://github.com/o/r/actions/runs/17)." in summary
    nowhere = markdown.plan(plan, (), s.NOW, room=20_000, fill=True)
    assert "more changes not shown here; see the job's log." in nowhere
    small = Plan(unlike(many(500, 60)))
    assert markdown.plan(small, (), s.NOW, room=SUMMARY_LIMIT, fill=True).count("- `~ change`") == 500


def test_a_long_plan_keeps_the_grave_part_whole_and_tells_the_rest_by_account() -> None:
    retired = unlike(many(20, 20, ActionKind.RETIRE))
    shown = body(Plan((*many(3000, 300), *retired)))
    assert all(f"**{action.account}/{action.schedule}**" in shown for action in retired)
    assert shown.count(": 10 to change\n") == 300


def test_what_is_too_long_even_so_is_told_by_account_and_then_by_numbers() -> None:
    shown = body(Plan(many(3000, 300, ActionKind.RETIRE)))
    assert "#### By account" in shown
    assert shown.count(": 10 to retire\n") == 300
    shown = body(Plan(many(5000, 5000, ActionKind.RETIRE)))
    assert "- Will be retired: 5,000" in shown


def test_many_harmless_changes_are_folded_away_and_grave_ones_are_not() -> None:
    shown = body(Plan((*unlike(many(40, 4)), *unlike(many(20, 4, ActionKind.RETIRE)))))
    assert shown.index("#### Will be retired") < shown.index("<details><summary>40 changes</summary>")


def test_changes_that_are_alike_are_told_once_and_every_one_is_named_with_its_line() -> None:
    alike = many(12, 4)
    (other,) = unlike(many(1, 1))
    other = replace(other, account="account-0001", schedule="the-odd-one")
    withheld = many(7, 7, ActionKind.RETIRE)
    shown = body(Plan((*alike, other), withheld, (s.STOP,)))
    assert "#### Other changes: 13\n" in shown
    (line,) = [line for line in shown.split("\n") if "all alike" in line and "~ change" in line]
    assert line.startswith("- `~ change` **12 changes in 4 accounts**, all alike")
    assert all(f"{one.account}/{one.schedule}" in line for one in alike)
    assert "the-odd-one" not in line
    assert shown.count("reason: `x` → `y`") == 2, "once for what is applied, once for what is withheld"
    assert "Withheld: 7 changes\n" in shown
    places = replace(alike[0].place or Place(""), file="schedules/elsewhere.yaml")
    shown = body(Plan((replace(alike[0], place=places), *alike[1:])))
    assert shown.count("elsewhere.yaml:") == shown.count("elsewhere.yaml#L") == 1
    few = body(Plan(many(5, 5)))
    assert few.count("- `~ change` **account-") == 5


@given(st.integers(1, 320), st.integers(1, 40), st.booleans())
def test_however_changes_are_grouped_each_is_named_exactly_once(
    number: int, accounts: int, fill: bool
) -> None:
    plan = Plan(many(number, accounts))
    shown = markdown.plan(plan, (), s.NOW, links=LINKS, room=SUMMARY_LIMIT, fill=fill)
    assert f"#### Other changes: {number}\n" in shown
    assert all(len(re.findall(rf"/schedule-{n}\b", shown)) == 1 for n in range(number))


def test_a_plan_has_something_to_say_when_it_changes_withholds_or_freezes() -> None:
    assert is_quiet(s.NOTHING, ())
    assert is_quiet(s.NOTHING, (s.PROBLEMS[2],)), "a warning stops nothing"
    assert not is_quiet(s.NOTHING, s.PROBLEMS)
    assert not is_quiet(replace(s.NOTHING, frozen=("elm",)), ())
    assert not is_quiet(replace(s.NOTHING, withheld=(s.RETIRE,)), ())


@pytest.mark.parametrize(
    ("path", "danger"),
    [
        ("canvas.url", Danger.NEW_HOST),
        ("sis.token_url", Danger.NEW_HOST),
        ("sis.roster.sftp.host", Danger.NEW_HOST),
        ("sis.profile", Danger.OTHER),
        ("passback.curl", Danger.OTHER),
        ("url", Danger.OTHER),
    ],
)
def test_a_changed_address_is_grave(path: str, danger: Danger) -> None:
    change = replace(s.CHANGE, held=False, fields=(FieldChange(path, '"a"', '"b"'),))
    assert danger_of(change) is danger


def test_what_begins_to_send_stands_apart_from_harmless_changes() -> None:
    live = replace(s.CHANGE, held=False, fields=(FieldChange("state", '"observe"', '"active"'),))
    assert danger_of(live) is Danger.BEGINS
    assert danger_of(replace(live, fields=(FieldChange("state", '"active"', '"observe"'),))) is Danger.OTHER
    assert "#### Will begin to send" in body(Plan((live,)))


def test_a_file_that_is_gone_is_named_and_not_linked() -> None:
    gone = replace(s.RETIRE, place=Place("schedules/riverside.yaml", 1))
    assert "`schedules/riverside.yaml:1`" in body(Plan((gone,)))
    assert "schedules/riverside.yaml#L1)" not in body(Plan((gone,)))
    assert "schedules/riverside.yaml#L9)" in body(
        Plan((replace(s.CHANGE, place=Place("schedules/riverside.yaml", 9)),))
    )


def test_a_new_schedule_that_sends_begins_to_send_and_one_that_observes_does_not() -> None:
    new = replace(s.CHANGE, kind=ActionKind.CREATE, held=False, fields=(), text='{"state":"active"}')
    assert danger_of(new) is Danger.BEGINS
    assert "1 schedule begins to send" in plan_words.begins_summary(Plan((new,)))
    quiet = replace(new, text='{"state":"observe","reason":"it says \\"state\\":\\"active\\""}')
    assert danger_of(quiet) is Danger.OTHER
    assert plan_words.begins_summary(Plan((quiet,))) == ""


def test_a_policy_that_sends_more_stands_apart_and_values_say_what_they_mean() -> None:
    zero = FieldChange("passback.missing", '"withhold"', '"zero"')
    policy = replace(
        s.CHANGE, kind=ActionKind.CHANGE_ACCOUNT, schedule=None, held=False, fields=(zero,), text=None
    )
    assert danger_of(policy) is Danger.BOLD
    back = FieldChange("passback.missing", '"zero"', '"withhold"')
    safe = replace(policy, fields=(back, FieldChange("state", '"observe"', None)))
    assert danger_of(safe) is Danger.OTHER
    told = body(Plan((safe,)))
    assert "work marked missing without a score is not sent" in told
    assert "`observe` → `active`" in told


def texts(plan: Plan, problems: tuple[Problem, ...], said: str) -> dict[str, str]:
    """The plan in every format people or programs of CI read; `said` stands beside it too."""
    report = replace(s.REPORT, plan=plan, problems=problems, blocked={}, busy=())
    return {
        "comment": body(plan, problems, said),
        "markdown": markdown.plan(plan, problems, s.NOW, links=LINKS),
        "findings": markdown.problems(problems, links=LINKS),
        "pass": markdown.pass_report(report, links=LINKS),
        "github": github.plan(plan, problems, s.NOW, links=LINKS, remarks=[said], changed={said}),
        "github pass": github.pass_report(report, links=LINKS),
        "github findings": github.problems(problems, links=LINKS),
        "text": text.plan(plan, problems, s.NOW, style=s.PLAIN),
    }


def hostile(said: str) -> tuple[Plan, tuple[Problem, ...]]:
    """A plan in which everything that people write says the same."""
    field = FieldChange(said, f'"{said}"', said)
    place = Place(f"schedules/{said}.yaml", 3, 5)
    change = replace(
        s.CHANGE,
        account=said,
        schedule=said,
        why=said,
        fields=(field,),
        place=place,
        held_by=said,
        time_zone=said,
    )
    move = replace(change, kind=ActionKind.MOVE, moved_from=said)
    stop = Stop(said, said, said)
    plan = Plan((change, move), (replace(s.RETIRE, why=said),), (stop,), frozen=(said,), commit=said)
    return plan, (
        Problem("GS-102", said, place, said),
        Problem(said, said, Place(said, 0, 0), said, warning=True),
    )


@settings(max_examples=60)
@given(ANY)
def test_whatever_people_write_it_is_shown_and_does_nothing(said: str) -> None:
    for name, shown in texts(*hostile(said), said).items():
        for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", shown):
            command = line.lstrip().startswith("::")
            assert not command or name.startswith("github"), line
            if command:
                assert re.match(r"::(error|warning|notice|group|endgroup)\b", line), line
        if name in ("comment", "markdown", "findings", "pass"):
            assert_markdown_inert(shown)


def assert_markdown_inert(shown: str) -> None:
    """No mention, markup, image, reference or foreign link outside of code."""
    shown = shown.replace(STAMP.marker, "")
    for line in CONSENT.sub("", shown).split("\n"):
        prose = OURS.sub(r"\1", outside_code(line))
        for ours in ("<br>", "<sub>", "</sub>", "**"):
            prose = prose.replace(ours, "")
        prose = re.sub(r"^\s*(- |####? |\|)", "", prose)
        assert_inert(prose if not line.startswith("|") else prose.replace("|", ""))


@pytest.mark.parametrize(
    "said",
    [
        *(
            "@everyone",
            "@org/team",
            "<script>alert(1)</script>",
            "<img src=x onerror=1>",
            "![x](https://x.example/y.png)",
        ),
        *(
            "[click](javascript:alert(1))",
            "#123",
            "o/r#1",
            "GH-12",
            "https://x.example",
            "www.x.example",
            "a@b.example",
        ),
        *(
            "::error::x",
            "\n::set-output name=x::y",
            "##[error]x",
            "`x`",
            "```\n@x\n```",
            "| a | b |",
            "\u202etxt.exe",
        ),
        *(
            "--> <!-- gradesync plan",
            "</details>",
            "</sub>",
            "$x^2$",
            "&lt;script&gt;",
            "# heading",
            "> quote",
            "- x",
        ),
        *(
            "\x1b]8;;https://x.example\x07link",
            "1. x",
            "=cmd|' /C calc'!A0",
            "${{ secrets.X }}",
            "a" * 20_000,
        ),
    ],
)
def test_titles_and_reasons_that_are_out_to_act_come_out_as_words(said: str) -> None:
    shown = texts(*hostile(said), said)
    for name in ("comment", "markdown", "findings", "pass"):
        assert_markdown_inert(shown[name])
        words = shown[name].replace(STAMP.marker, "")
        assert not re.search(r"(?<!\w)@\w", words), "not even in code"
        assert not re.search(r"<(?!br>|/?sub>|/?details>|/?summary>)[a-z/!]", words, re.IGNORECASE)
    assert not [line for line in shown["comment"].split("\n") if line.lstrip().startswith(("::", "##["))]
    assert size(shown["comment"]) <= COMMENT_LIMIT


@given(
    st.lists(st.text(max_size=400), max_size=40),
    st.lists(st.text(max_size=200), max_size=40),
    st.integers(400, 6000),
)
def test_what_does_not_fit_is_counted_and_nothing_is_cut_within(
    first: list[str], second: list[str], room: int
) -> None:
    blocks = [[f"- {n}.{i} {one!a}" for i, one in enumerate(some)] for n, some in enumerate((first, second))]
    sections = [
        Section(f"\n#### {n}\n", some, "rows", "<details>", "</details>") for n, some in enumerate(blocks)
    ]
    shown = fitted(["head"], sections, ["foot"], room)
    assert size(shown) <= room
    assert shown.startswith("head\n")
    assert shown.endswith("foot\n")
    assert shown.count("<details>") == shown.count("</details>")
    lines = shown.split("\n")
    kept = [line for line in lines if line.startswith("- ")]
    assert set(kept) <= {*blocks[0], *blocks[1]}
    for n, some in enumerate(blocks):
        hidden = len(some) - sum(line.startswith(f"- {n}.") for line in kept)
        if f"#### {n}" in lines and hidden:
            assert any(line.startswith(f"… and {hidden:,} more rows") for line in lines)
