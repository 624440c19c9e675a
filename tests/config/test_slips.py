"""Slips of people who paste and indent by hand: the line and the column to change, and what to do there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.config.loader import load
from gradesync.config.marks import load_tree
from gradesync.domain.problem import Problem
from tests.config.trees import errors, loaded, tree

MAPLE = """\
account: maple
name: Maple
time_zone: America/New_York
canvas: {url: https://maple.instructure.com, token: env:MAPLE_CANVAS_TOKEN}
sis:
  profile: genesis
  url: https://genesis.maple.example/genesis
  client_id: env:MAPLE_SIS_ID
  client_secret: env:MAPLE_SIS_SECRET
schedules:
  roster:
    type: roster import
    interval: daily at 03:15
    posted_by: jsmith
  grades:
    type: grade passback
    interval: every 15 minutes
    first_run: 2026-09-01 07:00
"""
NBSP = "\u00a0"


def changed(old: str, new: str) -> str:
    assert old in MAPLE
    return MAPLE.replace(old, new)


def told(text: str, folder: Path) -> list[Problem]:
    return errors(loaded(tree(folder, {"maple.yaml": text})))


# name: (text, line, column, parts of message and hint)
ONE = {
    "a no-break space behind a colon": (
        changed("posted_by: js", f"posted_by:{NBSP}js"), 14, 15, ("no-break space (U+00A0)", "plain space"),
    ),
    "no-break spaces for an indent": (
        changed("    interval: daily", f"{NBSP * 4}interval: daily"), 13, 1, ("no-break space", "plain space"),
    ),
    "no-break spaces for the last indent": (
        changed("    first_run", f"{NBSP * 4}first_run"), 18, 1, ("no-break space", "plain space"),
    ),
    "a no-break space before a comment": (
        changed("jsmith", f"jsmith{NBSP}# the admin"), 14, 22, ("no-break space",),
    ),
    "a no-break space behind a value": (changed("jsmith", f"jsmith{NBSP}"), 14, 22, ("no-break space",)),
    "a no-break space inside braces": (
        changed("{url: https", f"{{url:{NBSP}https"), 4, 14, ("no-break space",),
    ),
    "a zero-width space behind a colon": (
        changed("posted_by: js", "posted_by:\u200bjs"), 14, 15, ("zero width space (U+200B)", "cannot be seen"),
    ),
    "a soft hyphen in a login": (changed("jsmith", "js\u00admith"), 14, 18, ("soft hyphen", "cannot be seen")),
    "a comment that goes on as a key": (MAPLE + "# note\u0085state: paused\n", 19, 7, ("U+0085", "delete it")),
    "a comment that goes on as a key after a lone return": (
        MAPLE + "# note\rstate: paused\n", 19, 7, ("U+000D", "delete it"),
    ),
    "curly quotes around a name": (changed("Maple", "\u201cMaple\u201d"), 2, 7, ("curly quote", "straight")),
    "curly quotes around a login": (changed("jsmith", "\u201c4711\u201d"), 14, 16, ("curly quote",)),
    "single curly quotes": (changed("jsmith", "\u2018js\u2019"), 14, 16, ("curly quote",)),
    "curly quotes around an interval": (
        changed("daily at 03:15", "\u201cdaily at 03:15\u201d"), 13, 15, ("curly quote", "straight"),
    ),
    "curly quotes around a colon": (
        changed("Maple", "\u201cMaple: North\u201d"), 2, 7, ("curly quote", "straight"),
    ),
    "a curly quote that a comment cuts off": (
        changed("jsmith", "\u201cjsmith #1\u201d"), 14, 16, ("curly quote",),
    ),
    "a no-break space in an interval": (
        changed("daily at", f"daily{NBSP}at"), 13, 20, ("no-break space (U+00A0)", "type it again"),
    ),
    "a long dash in an interval": (
        changed("daily at 03:15", "cron 0 2 * * 1\u20135"), 13, 29, ("en dash (U+2013)",),
    ),
    "an apostrophe inside single quotes": (
        MAPLE + "reason: 'principal's request'\n", 19, 19, ("this apostrophe ends", "double quotes"),
    ),
    "an apostrophe before a blank": (
        MAPLE + "reason: 'the teachers' request'\n", 19, 22, ("this apostrophe ends", "double quotes"),
    ),
    "quotes inside quotes": (MAPLE + 'reason: "a "long" break"\n', 19, 12, ("this quote ends", "single quotes")),
    "a first line not indented as the others": (
        changed("    type: roster", "   type: roster"), 12, 4, ("by 3, the lines below it by 4",),
    ),
    "a first line indented further than the others": (
        changed("    type: roster", "     type: roster"), 12, 6, ("by 5, the lines below it by 4",),
    ),
    "a later line indented further": (
        changed("    posted_by", "     posted_by"), 14, 6, ("by 5, the line above it by 4",),
    ),
    "a later line indented less": (
        changed("    interval: daily", "   interval: daily"), 13, 4, ("by 3, the line above it by 4",),
    ),
    "a schedule's name two spaces too deep": (
        changed("  grades:", "    grades:"), 15, 5, ("`grades` is indented too far", "indent it like `roster`"),
    ),
    "a schedule's name used twice": (
        changed("  grades:", "  roster:"), 15, 3, ("first on line 11", "another name"),
    ),
    "a key written twice": (changed("    posted_by: jsmith\n", "    type: x\n"), 14, 5, ("first on line 12", "remove")),
    "an account in capitals": (
        changed("account: maple", "account: Maple"), 1, 10, ("`account`: `Maple` cannot be a name", "write `maple`"),
    ),
    "a type in capitals": (
        changed("roster import", "Roster Import"), 12, 11, ("`type` cannot be `Roster Import`", "mean `roster import`"),
    ),
    "no first run": (
        changed("    first_run: 2026-09-01 07:00\n", ""), 17, 15,
        ("counts from the first run", "a line `first_run: "),
    ),
    "a short word for minutes": (
        changed("every 15 minutes", "every 15 min"), 17, 15, ("did you mean every 15 minutes?",),
    ),
    "every day": (changed("daily at 03:15", "every day at 03:15"), 13, 15, ("did you mean daily at 03:15?",)),
    "nightly": (changed("daily at 03:15", "nightly at 03:15"), 13, 15, ("did you mean daily at 03:15?",)),
    "two times with and": (
        changed("daily at 03:15", "daily at 03:15 and 15:15"), 13, 15, ("commas between several times",),
    ),
    "two days with and": (
        changed("daily at 03:15", "weekly on mon and thu at 03:15"), 13, 15, ("commas between several days",),
    ),
    "a no-break space in quotes, far from the slip": (
        changed("name: Maple", f'name: "Maple{NBSP}: North"') + "a: b: c\n", 19, 5, ("YAML allows no `:`",),
    ),
    "a zone's letters": (changed("America/New_York", "EST"), 3, 12, ("write a place, such as America/New_York",)),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
def test_a_slip_is_one_problem_at_the_place_to_change(name: str, tmp_path: Path) -> None:
    text, line, column, parts = ONE[name]
    (problem,) = told(text, tmp_path)
    assert (problem.place.line, problem.place.column) == (line, column), problem
    assert all(part in f"{problem.message} / {problem.hint}" for part in parts), problem


def test_all_odd_blanks_of_an_indent_are_under_the_caret(tmp_path: Path) -> None:
    (problem,) = told(changed("    interval: daily", f"{NBSP * 4}interval: daily"), tmp_path)
    assert problem.width == 4


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (f"'Maple{NBSP}Schools'", f"Maple{NBSP}Schools"),
        ("Maple\u2019s Schools", "Maple\u2019s Schools"),
        ("\u201cMaple\u201d and more", "\u201cMaple\u201d and more"),
        ('"\u201cMaple\u201d"', "\u201cMaple\u201d"),
        ("Maple\r", "Maple"),
        ("Maple\r\r", "Maple"),
        (f"Maple  # a{NBSP}note \u201chere\u201d", "Maple"),
    ],
)
def test_what_is_plainly_meant_is_left_alone(name: str, read: str, tmp_path: Path) -> None:
    result = loaded(tree(tmp_path, {"maple.yaml": changed("name: Maple", f"name: {name}")}))
    assert result.problems == ()
    assert f'"name":"{read}"' in result.desired.accounts["maple"].text.replace(": ", ":")


def test_a_no_break_space_inside_a_text_is_a_warning_at_its_column(tmp_path: Path) -> None:
    (one,) = loaded(tree(tmp_path, {"maple.yaml": changed("name: Maple", f"name: Maple{NBSP}Town")})).problems
    assert (one.warning, one.place.line, one.place.column) == (True, 2, 12)
    assert "no-break space (U+00A0)" in one.message


@pytest.mark.parametrize("page", ["/courses/12", "/accounts/1/sis_import", "/login", "/users/7/"])
def test_a_canvas_address_with_the_path_of_a_page_is_answered_with_the_right_one(
    page: str, tmp_path: Path
) -> None:
    (problem,) = told(changed("maple.instructure.com", f"maple.instructure.com{page}"), tmp_path)
    assert (problem.code, problem.place.line) == ("GS-108", 4)
    assert problem.hint == "write `https://maple.instructure.com`"


@pytest.mark.parametrize("path", ["", "/", "/canvas", "/coursesite", "/lms/courses"])
def test_a_canvas_behind_another_path_is_taken(path: str, tmp_path: Path) -> None:
    assert told(changed("maple.instructure.com", f"maple.instructure.com{path}"), tmp_path) == []


@pytest.mark.parametrize(
    ("person", "warned"), [("Jane Smith", True), ("Smith, Jane", True), ("jsmith", False), ("'4711'", False)]
)
def test_a_name_in_posted_by_is_a_warning_that_does_not_repeat_it(
    person: str, warned: bool, tmp_path: Path
) -> None:
    result = loaded(tree(tmp_path, {"maple.yaml": changed("jsmith", person)}))
    assert [(p.code, p.warning, p.place.line) for p in result.problems] == [("GS-110", True, 14)] * warned
    assert "Jane" not in repr(result.problems)


def test_a_tree_that_lost_its_last_account_is_told_why_the_folder_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gradesync.yaml").write_text('hosts: ["*.instructure.com"]\n')
    (problem,) = loaded(tmp_path).problems
    assert "Git drops a folder" in problem.hint
    assert "-C" not in problem.hint
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / ".gitkeep").write_text("")
    assert loaded(tmp_path).problems == ()


def test_outside_a_tree_the_folder_is_asked_for(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path).problems
    assert "-C" in problem.hint


def test_a_night_hour_is_no_warning_all_year_long(tmp_path: Path) -> None:
    root = tree(tmp_path, {"maple.yaml": changed("03:15", "02:00")})
    assert loaded(root).problems == ()
    (warning,) = load(root, now=datetime(2027, 2, 15, tzinfo=UTC)).problems
    assert (warning.code, warning.place.line) == ("GS-115", 13)
    assert "2027-03-14" in warning.message


def test_a_problem_with_an_answer_gives_no_second_one(tmp_path: Path) -> None:
    (zone,) = told(changed("America/New_York", "Eastern Time (US & Canada)"), tmp_path)
    assert zone.hint == "write America/New_York"
    assert "America/Chicago" not in f"{zone.message} {zone.hint}"


@given(
    st.lists(
        st.sampled_from(
            [
                NBSP,
                "\u200b",
                "\u201c",
                "\u201d",
                " ",
                "a",
                ":",
                "#",
                "'",
                '"',
                "\n",
                "-",
                "{",
                "}",
                ",",
                "\u2028",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_whatever_is_pasted_the_place_told_is_in_the_file(text: str) -> None:
    loaded_file = load_tree(f"key: {text}\nlast: x\n".encode(), "a.yaml")
    lines = f"key: {text}\nlast: x\n".split("\n")
    assert loaded_file.value is not None or loaded_file.problems
    for problem in loaded_file.problems:
        assert problem.message
        assert problem.hint
        assert 0 <= problem.place.line <= len(lines) + text.count("\u2028")
