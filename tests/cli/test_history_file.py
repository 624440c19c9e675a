"""Exporting the history and checking the file somewhere else, where there is neither a store nor a tree."""

from __future__ import annotations

import json
import os
import re
import runpy
from pathlib import Path

import pytest

from tests.cli.conftest import Tree

PAGE = Path(__file__).parents[2] / "docs" / "history-file.md"


@pytest.fixture
def exported(tree: Tree, tmp_path: Path) -> Path:
    """The history of a tree in which some things happened."""
    tree.run("reconcile", "--no-syncs")
    tree.run("--as", "Zoë", "pause", "riverside", "--reason", "Umstellung für 2 Tage", "--for", "2d")
    tree.run("reconcile", "--no-syncs")
    file = tmp_path / "history.jsonl"
    tree.run("history", "--export", str(file))
    return file


def test_a_file_is_checked_without_the_store_and_against_a_printed_hash(
    tree: Tree, exported: Path, tmp_path: Path
) -> None:
    told = tree.run("reconcile", "--no-syncs", "--format", "json").stdout
    printed = json.loads(told)["checkpoint"]
    empty = Tree(tmp_path, "")
    shown = empty.run("history", "--verify", str(exported), "--format", "json").stdout
    proof = json.loads(shown)
    assert (proof["faults"], proof["whole"], proof["checkpoint"]) == ([], True, printed)
    assert "is in it" in empty.run("history", "--verify", str(exported), "--witness", printed[:12]).output
    empty.run("history", "--verify", str(exported), "--witness", "f" * 12, code=1)
    assert exported.stat().st_mode & 0o777 == 0o600


def test_a_changed_line_is_named(tree: Tree, exported: Path) -> None:
    lines = exported.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if "hold placed" in line)
    lines[number] = lines[number].replace("Umstellung", "Ausfall")
    exported.write_text("".join(lines), encoding="utf-8")
    refused = tree.run("history", "--verify", str(exported), code=1)
    assert f"line {number + 1}: riverside, entry" in refused.stderr
    assert "it was changed" in refused.stderr
    exported.write_bytes(exported.read_bytes()[:-400])
    tree.run("history", "--verify", str(exported), code=1)
    exported.write_bytes(b"\xff\xfe\x00")
    tree.run("history", "--verify", str(exported), code=1)


def test_one_account_is_exported_alone_and_nothing_is_written_over(tree: Tree, exported: Path) -> None:
    tree.run("history", "--export", str(exported), code=1)
    one = tree.run("history", "riverside", "--export", "-").stdout
    assert {json.loads(line)["chain"] for line in one.splitlines()[1:-1]} == {"riverside"}
    exported.write_text(one, encoding="utf-8")
    assert "a part" in tree.run("history", "--verify", str(exported)).output
    tree.run("history", "nowhere", "--export", "-", code=1)
    tree.run("history", "riverside/grades", "--export", "-", code=64)


def test_an_account_is_exported_with_what_happened_under_its_earlier_name(tree: Tree, exported: Path) -> None:
    text = tree.text("riverside")
    (tree.root / "schedules" / "riverside.yaml").unlink()
    tree.account(
        "riverside-usd",
        text.replace("account: riverside", "account: riverside-usd\nmoved_from: riverside"),
    )
    tree.run("reconcile", "--no-syncs")
    told = tree.run("history", "riverside-usd", "--export", "-").stdout
    entries = [json.loads(line) for line in told.splitlines()[1:-1]]
    assert {one["chain"] for one in entries} == {"riverside", "riverside-usd"}
    assert "hold placed" in {one["what"] for one in entries}
    exported.write_text(told, encoding="utf-8")
    tree.run("history", "--verify", str(exported))


def test_slips_of_the_hand_are_told(tree: Tree, exported: Path) -> None:
    assert "no file riverside" in tree.run("history", "--verify", "riverside", code=1).stderr
    tree.run("history", "--witness", "f" * 12, code=64)
    tree.run("history", "--verify", str(exported), "--witness", "me", code=64)


def test_the_check_written_down_in_the_docs_is_enough(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [script] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "check.py").write_text(script, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["check.py", str(exported)])
    runpy.run_path(str(tmp_path / "check.py"), run_name="__main__")
    assert "every hash fits" in capsys.readouterr().out
    changed = exported.read_text(encoding="utf-8").replace("Umstellung", "Ausfall")
    exported.write_text(changed, encoding="utf-8")
    with pytest.raises(SystemExit) as refused:
        runpy.run_path(str(tmp_path / "check.py"), run_name="__main__")
    assert "does not fit" in str(refused.value)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals are POSIX's")
def test_a_terminal_is_not_handed_what_people_wrote_as_they_wrote_it(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.run("pause", "riverside", "--reason", "evil \u202egnissim", "--for", "1h")
    code, shown = tree.at_a_terminal("history", "--export", "-")
    assert code == 64
    assert "\u202e" not in shown
    told = " ".join(shown.split())
    assert "--export - is for a pipe" in told
    assert "--export history.jsonl" in told
    assert "\u202e" in tree.run("history", "--export", "-").stdout
