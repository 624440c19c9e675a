"""A finding never repeats a line that may hold a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.problem import Place, Problem
from gradesync.reporting import text
from tests.reporting import samples as s

SECRET = "hunter2-XyZZy"


def shown(source: str, line: int, code: str = "GS-110", *more: Problem) -> str:
    problem = Problem(code, "wrong value", Place("a.yaml", line, 3))
    return text.problems([problem, *more], lambda _: source, style=s.PLAIN)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (f"  token: {SECRET}", 1),
        (f"  tokn: {SECRET}", 1),
        (f"  client_secret: {SECRET}", 1),
        (f"  client-id: {SECRET}", 1),
        (f"  Password: '{SECRET}'", 1),
        (f"  sis: {{url: x, client_secret: {SECRET}}}", 1),
        (f"  token: |\n    {SECRET}", 2),
        (f"  token:\n    {SECRET}", 2),
        (f"  token:\n  {SECRET}", 2),
        (f"  secrets:\n    # a note\n\n    name: {SECRET}", 4),
        (f"  url: https://me:{SECRET}@x.example", 1),
        (f"  note: 1234~{SECRET}", 1),
        (f"  note: aaaaaaaaaaaaaaaaaaaa1{SECRET}", 1),
        (f"  id: 0a1b2c3d-1111-2222-3333-{SECRET}", 1),
    ],
)
def test_a_line_that_may_hold_a_secret_is_not_shown(source: str, line: int) -> None:
    told = shown(source, line)
    assert SECRET not in told
    assert "line not shown" in told


def test_a_line_with_a_pasted_key_stays_hidden_for_every_other_finding_on_it() -> None:
    pasted = Problem("GS-107", "this looks like a key", Place("a.yaml", 1, 9))
    assert SECRET not in shown(f"  note: {SECRET}", 1, "GS-102", pasted)


def test_a_line_beside_a_secret_is_shown() -> None:
    source = "canvas:\n  token: env:NAME\n  url: http://x.example\nschedules:\n  a: {interval: never}\n"
    assert "  url: http://x.example" in shown(source, 3)
    assert "  a: {interval: never}" in shown(source, 5)


PASTED = "hunter2pw"


@pytest.mark.parametrize(
    "line",
    [
        *(f'  url: "http://host/genesis?{key}={PASTED}"' for key in ("key", "sig", "k")),
        f"  url: http://host/genesis?{PASTED}",
        f"  url: http://host/genesis#{PASTED}",
        f"  url: http://host/genesis&k={PASTED}",
        f"  url: http://u:{PASTED}@host",
        f"  url: http://u:my {PASTED}@host/x",
        f"  url: u:{PASTED}@host",
        f"  url: http://u%3A{PASTED}%40host",
        f"  note: see host/page?k={PASTED}",
        *(
            f"  {key}: {PASTED}"
            for key in ("pw", "pwd", "pass", "key", "sig", "sisPw", "my-key", "api.sig", "X-Key")
        ),
        f"  {{a: b, pw: {PASTED}}}",
        f"  pw {PASTED}",
        f"  ? pw {PASTED}",
    ],
)
def test_an_address_with_more_than_a_path_or_a_short_key_is_not_shown(line: str) -> None:
    told = shown(line, 1, "GS-102")
    assert PASTED not in told
    assert "line not shown" in told


@pytest.mark.parametrize(
    "line",
    [
        "  url: http://x.example:8080/a",
        "  url: http://x.example  # ours",
        "passback: {missing: none}",
        "  keyboard: x",
    ],
)
def test_words_and_addresses_without_a_secret_are_still_shown(line: str) -> None:
    assert line.strip() in shown(line, 1)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60), st.integers(1, 80), st.integers(0, 80))
def test_the_caret_line_is_drawn_for_any_file_and_place(source: str, column: int, width: int) -> None:
    problem = Problem("GS-102", "unknown", Place("a.yaml", 1, column), width=width)
    assert "a.yaml:1:" in text.problems([problem], lambda _: source, style=s.terminal(60))


def test_the_caret_stands_under_the_value_behind_wide_characters_and_tabs() -> None:
    problem = Problem("GS-102", "unknown", Place("a.yaml", 1, 10), width=2)
    lines = text.problems([problem], lambda _: "\tq: 漢字 - of\n", style=s.PLAIN).splitlines()
    assert lines[1] == "   1 |  q: 漢字 - of"
    assert lines[2] == "     | " + " " * 11 + "^^"


def test_a_long_line_is_shown_around_the_caret() -> None:
    source = "a: " + "word " * 100 + "here " + "more " * 100
    problem = Problem("GS-102", "unknown", Place("a.yaml", 1, 504), width=4)
    lines = text.problems([problem], lambda _: source, style=s.terminal(60)).splitlines()
    assert len(lines[1]) <= 60
    caret = lines[2].index("^")
    assert lines[1][caret : caret + 4] == "here"


def test_a_file_that_is_gone_or_shorter_still_gets_its_finding() -> None:
    assert "a.yaml:9:3: GS-110" in shown("one line", 9)
    problem = Problem("GS-101", "cannot be read", Place("gone.yaml"))
    assert "gone.yaml:1:1: GS-101" in text.problems([problem], lambda _: None, style=s.PLAIN)
