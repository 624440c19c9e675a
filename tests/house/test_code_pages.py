"""One page per code, made from the catalogue; pages and catalogue say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group as cli
from gradesync.domain.problem import CODES
from tools import code_pages


@pytest.mark.parametrize("name", [*(f"{code}.md" for code in CODES), "README.md"])
def test_a_page_says_what_the_catalogue_says(name: str) -> None:
    path = code_pages.FOLDER / name
    assert path.exists(), "write it with `python -m tools.code_pages`"
    assert path.read_text(encoding="utf-8") == code_pages.pages()[name], (
        "the catalogue changed: `python -m tools.code_pages`"
    )


def test_no_page_is_left_of_a_code_that_does_not_exist() -> None:
    assert {path.stem for path in code_pages.FOLDER.glob("*.md")} - set(CODES) == {"README"}


def test_making_the_pages_again_keeps_what_was_written_by_hand(tmp_path: Path) -> None:
    code_pages.main(tmp_path)
    page = tmp_path / "GS-401.md"
    page.write_text(code_pages.page(CODES["GS-401"], "## What it looks like\n\nA quiz without a day."))
    (tmp_path / "GS-402.md").unlink()
    code_pages.main(tmp_path)
    assert "\n\nA quiz without a day.\n\n[All codes]" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count(code_pages.BY_HAND) == 1
    assert (tmp_path / "GS-402.md").exists()


@pytest.mark.parametrize("code", [code for code in CODES if code[3] in "45"])
def test_what_teachers_and_registrars_meet_most_has_an_example(code: str) -> None:
    """Throttling and bugs need none: nobody can look for them in a gradebook."""
    text = (code_pages.FOLDER / f"{code}.md").read_text(encoding="utf-8")
    assert code in {"GS-420", "GS-421", "GS-422", "GS-507"} or "## What it looks like" in text


def test_explain_tells_cause_remedy_who_reach_and_what_happens_meanwhile() -> None:
    CliRunner().invoke(cli, ["explain", "401"])
    told = CliRunner().invoke(cli, ["explain", "405"])
    assert told.exit_code == 0
    entry = CODES["GS-405"]
    flat = " ".join(told.output.split())
    for text in (entry.title, entry.cause, entry.remedy, "the teacher", "One assignment", entry.meanwhile):
        assert text in flat
    assert "gradesync's docs/codes/GS-405.md" in flat


@pytest.mark.parametrize("code", CODES)
def test_explain_tells_programs_every_field_of_every_code(code: str) -> None:
    told = CliRunner().invoke(cli, ["explain", code, "--format", "json"])
    found = json.loads(told.output)
    entry = CODES[code]
    assert {key: found[key] for key in ("code", "title", "cause", "remedy", "who", "meanwhile")} == {
        "code": code,
        "title": entry.title,
        "cause": entry.cause,
        "remedy": entry.remedy,
        "who": entry.who,
        "meanwhile": entry.meanwhile,
    }
    assert (found["act"], found["radius"]) == (entry.act.value, entry.radius.value)
    assert (Path(__file__).parents[2] / found["page"]).exists()
