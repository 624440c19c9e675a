"""Whatever people write in a name, a reason or a value: it is shown as words and cannot act."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.action import FieldChange, Plan
from gradesync.domain.due import Block
from gradesync.domain.history import GENESIS_HASH, Fact, seal
from gradesync.domain.problem import Place, Problem
from gradesync.domain.run import Actor
from gradesync.reporting import github, markdown, text
from gradesync.reporting.clean import cell_width, clean, code, code_in_table, guarded
from gradesync.reporting.clean import markdown as prose
from gradesync.reporting.style import Style
from tests.reporting import samples as s

_NASTY = st.sampled_from(
    [
        *("\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://x", "\x9b2J", "\r", "\n", "\r\n", "\u2028", "\x00"),
        *("::error ::x", "\n::stop-commands::t", "##[error]", "::", ":", "%0A", "%", ",", "\u202e", "\u200b"),
        *("@everyone", "a@b", "`", "```", "|", "[x](http://y)", "<img src=x>", "&#64;", "#12", "www.x.y"),
        *("https://x.y", "\\", "*", "_", "- ", "1. ", "> ", "\ud800", "é", "漢字", "\t", " ", "GH-1", "~~"),
        *("a1b2c3d", "0" * 40, "F" * 40, "_gh-2", "me/it@", "me/it#3", "GHSA-x", "CVE-2", "1234567", "``"),
    ]
)
ANY = st.lists(st.one_of(_NASTY, st.text(max_size=6)), max_size=8).map("".join)
STYLES = st.sampled_from([s.PLAIN, s.terminal(60), Style(color=True, width=80, terminal=True)])
OURS = re.compile(r"\x1b\[(?:0|1|2|3[1-6]|1;31)m")


def assert_harmless(shown: str, *, color: bool = False) -> None:
    plain = OURS.sub("", shown) if color else shown
    assert not [c for c in plain if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]", plain)
    assert not [line for line in plain.split("\n") if line.lstrip().startswith("::")]
    assert "##[" not in plain


@given(ANY)
def test_clean_text_is_one_line_without_anything_unseen(given_text: str) -> None:
    cleaned = clean(given_text)
    assert cleaned == "" or cleaned.isprintable()
    assert clean(cleaned) == cleaned


@given(st.text(alphabet="abcdefghij éüß漢字,.;!?()'\"/", max_size=40))
def test_ordinary_words_stay_as_they_are(given_text: str) -> None:
    assert clean(given_text) == " ".join(given_text.split())


def test_escape_sequences_go_whole_and_leave_the_words() -> None:
    assert clean("\x1b[1;31mred\x1b[0m \x1b]8;;http://x.y\x07link\x1b]8;;\x07 \x9b2Jend") == "red link end"


def test_an_unfinished_escape_sequence_does_not_swallow_what_follows() -> None:
    assert "paused" in clean("\x1b]0; paused")


@given(ANY)
def test_no_line_of_an_output_is_a_command_to_a_runner(given_text: str) -> None:
    shown = guarded(f"{given_text}\n  {given_text}")
    for line in re.split(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", shown):
        assert not line.strip().startswith("::")
    assert "##[" not in shown


@given(ANY, STYLES)
def test_text_reports_hold_no_foreign_control_character_and_no_command(given_text: str, style: Style) -> None:
    field = FieldChange(given_text, given_text, '"x"')
    action = replace(s.CHANGE, why=given_text, fields=(field,), place=Place(given_text, 1, 1))
    stop = replace(s.STOP, sentence=given_text, hint=given_text)
    shown = text.plan(Plan((action,), (action,), (stop,), frozen=(given_text,)), (), s.NOW, style=style)
    problem = Problem("GS-102", given_text, Place(given_text, 1, 1), given_text)
    shown += text.problems([problem], lambda _: given_text, style=style)
    row = replace(
        s.ROSTER_ROW,
        schedule=s.schedule(s.ROSTER, interval=given_text, posted_by=given_text, reason=given_text),
        blocks=(Block("hold", given_text, "GS-707"),),
        labels={given_text: given_text},
    )
    shown += text.rows([row], s.NOW, style=style) + text.schedule(row, s.NOW, style=style)
    shown += text.holds([replace(s.HOLD, reason=given_text)], s.NOW, style=style)
    fact = Fact("hold placed", Actor("a", "b"), "x", "y", data={"reason": given_text})
    shown += text.history([seal("x", 1, s.NOW, replace(fact, data={}), GENESIS_HASH)], style=style)
    shown += text.run_end(replace(s.FAILED, problem=given_text, hint=given_text), style=style)
    report = replace(s.REPORT, blocked={s.OLD: row.blocks}, raced=(given_text,))
    shown += text.pass_report(report, style=style)
    assert_harmless(shown, color=style.color)


@given(ANY, st.integers(40, 120))
def test_a_folded_field_never_passes_the_terminals_width_but_for_one_long_word(
    given_text: str, width: int
) -> None:
    shown = text.rows(
        [replace(s.ROSTER_ROW, schedule=s.schedule(s.ROSTER, interval=given_text))],
        s.NOW,
        style=s.terminal(width),
    )
    # 13 is where the values of a stacked row begin; what reads as a command gets a blank.
    longest = max((cell_width(word) for word in clean(given_text).split()), default=0)
    blanks = 1 + given_text.count("##[")
    assert max(cell_width(line) for line in shown.splitlines()) <= max(width, longest + 13) + blanks


@given(st.lists(ANY, min_size=1, max_size=14))
def test_every_annotation_is_one_line_and_only_ours_are_commands(texts: list[str]) -> None:
    found = [Problem("GS-102", one, Place(one, 3, 5), one) for one in texts]
    lines = github.problems(found).rstrip("\n").split("\n")
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert len(commands) == min(len(texts), 10)
    assert len(lines) == len(commands) + 1
    for command in commands[: 9 if len(texts) > 10 else 10]:
        match = re.fullmatch(
            r"::error (?:file=([^,:]*),line=3,col=5,)?title=GS-102 Unknown or misspelt setting::(.*)", command
        )
        assert match is not None
        assert not re.search(r"%(?!25|0D|0A|3A|2C)", (match[1] or "") + match[2])


@given(ANY)
def test_a_plan_in_ci_holds_no_commands_but_ours(given_text: str) -> None:
    action = replace(s.CHANGE, why=given_text, schedule=given_text)
    stop = replace(s.STOP, sentence=given_text, hint=given_text)
    shown = github.plan(Plan((action,), (s.RETIRE,), (stop,)), (), s.NOW)
    commands = [line.split("::")[1] for line in shown.split("\n") if line.lstrip().startswith("::")]
    assert commands == ["warning title=Withheld by a safety stop", "notice title=Held", "group", "endgroup"]


def outside_code(line: str) -> str:
    """What a Markdown reader would take as prose: code spans removed as CommonMark finds them."""
    out, i = [], 0
    while i < len(line):
        if line[i] == "\\" and i + 1 < len(line):
            out.append(line[i : i + 2])
            i += 2
            continue
        if line[i] != "`":
            out.append(line[i])
            i += 1
            continue
        run = re.match("`+", line[i:])
        assert run is not None
        close = re.search(rf"(?<!`){run[0]}(?!`)", line[i + len(run[0]) :])
        assert close is not None, "an opened code span must end on its line"
        i += len(run[0]) + close.end()
    return "".join(out)


def assert_inert(prose_text: str) -> None:
    prose_text = prose_text.replace("&#124;", "").replace("&lt;", "")
    assert not re.search(r"@\w", prose_text)
    assert not re.search(r"#\d", prose_text)
    assert "://" not in prose_text
    assert not re.search(r"(?i)(?<![a-z0-9])(www\.|gh-\d|ghsa-|cve-)", prose_text)
    assert not re.search(r"(?i)(?<![a-z0-9])[0-9a-f]{7,}(?![a-z0-9])", prose_text)
    assert not re.search(r"(?<!\\)[*_\[\]|~&`$]", re.sub(r"\\\\", "", prose_text))
    assert "<" not in prose_text


@given(ANY)
def test_prose_in_a_comment_is_inert(given_text: str) -> None:
    shown = prose(given_text)
    assert "\n" not in shown
    assert_inert(outside_code(shown))
    code_spans = re.findall(r"(?<!\\)`([^`]*)`", shown.replace("\\\\", ""))
    assert all(re.fullmatch(r"(?i)[0-9a-f]{7,}", span) for span in code_spans)


@pytest.mark.parametrize(
    "words",
    [
        "16c999e8c71134401a78d4d46435517b2271d6ac",
        "see 16c999e, please",
        "mojombo@16c999e8c71134401a78d4d46435517b2271d6ac",
        "mojombo/github@16c999e8c71134401a78d4d46435517b2271d6ac",
        "#26 GH-26 gh-26 _GH-26 mojombo#26 mojombo/github#26",
        "@everyone @district/lms a@b.example",
        "https://evil.example www.evil.example mailto:a@b.example ftp://evil.example",
        "GHSA-jfh8-c2jp-5v3q CVE-2021-44228",
    ],
)
def test_nothing_that_github_links_by_itself_is_a_link_and_a_commits_id_can_be_copied(words: str) -> None:
    shown = prose(words)
    assert_inert(outside_code(shown))
    for commit in re.findall(r"[0-9a-f]{40}", words):
        assert f"`{commit}`" in shown


@given(ANY)
def test_a_code_span_shows_its_text_whole_and_ends_where_it_should(given_text: str) -> None:
    assert outside_code(code(given_text)) == ""
    assert clean(given_text) in code(given_text).replace("\u200b", "")
    assert not re.search(r"(?<!\w)@\w|<[a-z/!]", code(given_text), re.IGNORECASE)
    assert "|" not in code_in_table(given_text)


@given(ANY)
def test_comments_hold_no_mention_link_or_markup_of_others(given_text: str) -> None:
    field = FieldChange(given_text, f'"{given_text}"', None)
    action = replace(s.CHANGE, why=given_text, schedule=given_text, fields=(field,), place=Place(given_text))
    stop = replace(s.STOP, sentence=given_text, hint=given_text)
    shown = markdown.plan(Plan((action,), (action,), (stop,), frozen=(given_text,)), (), s.NOW)
    shown += markdown.pass_report(replace(s.REPORT, raced=(given_text,)))
    shown = re.sub(
        r"^```sh\ngradesync reconcile --allow [0-9a-f]{12} --reason '...'\n```$",
        "",
        shown,
        flags=re.MULTILINE,
    )
    for line in shown.split("\n"):
        ours = outside_code(line).replace("<br>", "").replace("**", "")
        assert_inert(re.sub(r"^\s*(- |#### )", "", ours))


@given(ANY)
def test_a_row_of_findings_has_three_cells_whatever_they_say(given_text: str) -> None:
    found = Problem("GS-102", given_text, Place(given_text, 1, 1), given_text)
    row = markdown.problems([found]).rstrip("\n").split("\n")[-1]
    assert row.count("|") == 4


def test_the_older_form_of_a_runners_command_stands_nowhere_in_a_line() -> None:
    assert "##[" not in guarded("reason: ##[error]broken ##[add-mask]x")
