"""The docs hold: links lead somewhere, every key, code and library has its place, and nothing private slipped in."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from gradesync.cli.main import group as cli
from gradesync.config.schema import json_schema
from gradesync.domain.profile import PROFILES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def headings(page: Path) -> set[str]:
    """The anchors a page offers, spelled the way GitHub spells them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file).resolve() if file else page
        if not aim.exists() or (anchor and aim.suffix == ".md" and anchor not in headings(aim)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_no_machine_and_no_registry(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert (
        re.findall(
            r"/(?:home|root|Users|opt(?!/(?:gradesync|run)\b))/\S+|https?://\S*(?:/simple/|\.whl|\.tar\.gz)",
            text,
        )
        == []
    )


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []


def test_the_list_of_decisions_names_every_record() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert RECORDS
    assert [path.name for path in RECORDS if f"({path.name})" not in listed] == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_says_its_status_reasons_and_consequences(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.search(r"^Status: (accepted|superseded by \d{4}), \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    assert {"## Why", "## Consequences"} <= set(re.findall(r"^## .+$", text, re.MULTILINE))


def test_every_library_we_depend_on_has_a_decision() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    text = "\n".join(record.read_text(encoding="utf-8").lower() for record in RECORDS)
    names = [re.split(r"[\[><=]", one)[0] for one in declared]
    assert [name for name in names if f"`{name}`" not in text] == []


def keys(schema: dict[str, Any]) -> Iterator[str]:
    """Every key people can write, at any depth."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


@pytest.mark.parametrize("kind", ["account", "settings"])
def test_every_key_of_the_files_is_explained(kind: Any) -> None:
    page = (ROOT / "docs" / "schedules-file.md").read_text(encoding="utf-8")
    assert [key for key in keys(json_schema(kind)) if f"`{key}`" not in page] == []


def test_every_value_a_key_may_have_is_explained() -> None:
    page = (ROOT / "docs" / "schedules-file.md").read_text(encoding="utf-8")
    schema = json_schema("account")
    values = {
        value
        for part in (schema, *schema["$defs"].values())
        for key in part.get("properties", {}).values()
        for value in key.get("enum", ())
    }
    assert [value for value in sorted(values) if f"`{value}`" not in page] == []


def test_every_sis_profile_is_explained() -> None:
    page = (ROOT / "docs" / "connecting.md").read_text(encoding="utf-8")
    assert [name for name in PROFILES if f"`{name}`" not in page] == []


IN_TEXT = re.compile(r"`(gradesync [^`]+)`")
IN_BLOCK = re.compile(r"^[$ ]*(?:\.venv/bin/)?(gradesync [^\n]+)$", re.MULTILINE)


def spoken_commands(page: Path) -> Iterator[list[str]]:
    """The words of every command line a page shows, in its sentences and in its blocks."""
    text = page.read_text(encoding="utf-8")
    # A long command goes on in the next line, behind a backslash.
    blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
    for found in (*IN_TEXT.findall(FENCE.sub("", text)), *IN_BLOCK.findall(blocks)):
        for one in re.split(r" (?:\||\|\||&&|;) ", found.split("#")[0]):
            if one.strip().startswith("gradesync "):
                yield shlex.split(re.split(r" \d?>", one)[0])[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_a_page_shows_exists(page: Path) -> None:
    context = click.Context(cli)
    wrong = []
    for words in spoken_commands(page):
        command: click.Command | None = cli
        for word in words:
            if isinstance(command, click.Group) and not word.startswith("-"):
                command = command.get_command(context, word)
        options = {name for param in getattr(command, "params", ()) for name in param.opts} | {
            "--help",
            "--version",
        }
        unknown = [word for word in words if word.startswith("--") and word not in options]
        if command is None or unknown:
            wrong.append(" ".join(words))
    assert wrong == []
