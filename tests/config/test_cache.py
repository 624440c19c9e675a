"""A cache may change how long a load takes and nothing else; and no bytes at all may raise."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradesync.config import account_file, marks
from gradesync.config.cache import FolderCache
from gradesync.config.loader import Loaded
from gradesync.config.marks import events
from tests.config.trees import GOOD, NOW, SECRET, account, loaded, tree

NIGHTLY = GOOD.replace("every 15 minutes", "daily at 02:00")  # warns about the change of clocks
LINES = [
    "# a comment", f"# {SECRET}", "  # in", "", "   ", "state: paused", "reason: ticket #12", "# é", "#\u2028name: x",
    "reason: 'a", "# b'", "labels:", "  a: b", "  c: |", "    # text", "    more", "# c\rstate: off", "name: Twice",
    "collor: red", "\t# tab", "...", "---", "passback: {missing: zero}", "# \x07",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp())
    yield path
    shutil.rmtree(path)


def seen(result: Loaded) -> tuple[Any, ...]:
    return (result.problems, result.desired.accounts, result.desired.frozen, result.settings)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A good file with lines put in between and lines taken out."""
    lines = draw(st.sampled_from([GOOD, NIGHTLY])).split("\n")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        if draw(st.booleans()):
            lines.insert(at, draw(st.sampled_from(LINES)))
        elif at < len(lines):
            del lines[at]
    return "\n".join(lines)


@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(edited(), min_size=2, max_size=4),
    defaults=st.lists(st.sampled_from(["", "passback: {missing: zero}\n"]), max_size=4),
)
def test_a_load_with_a_cache_equals_one_without(texts: list[str], defaults: list[str], folder: Path) -> None:
    root = Path(tempfile.mkdtemp(dir=folder))
    cache = FolderCache(root / "cache")
    for number, text in enumerate(texts):
        files: dict[str, str | bytes] = {
            "riverside.yaml": text,
            "hillside.yaml": account("hillside", NIGHTLY),
        }
        if number < len(defaults):
            files["_defaults.yaml"] = defaults[number] or "# none\npassback: {}\n"
        tree(root, files)
        assert seen(loaded(root, cache)) == seen(loaded(root)) == seen(loaded(root, cache))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
@example(data=b"\xc2\xa0~")
def test_no_bytes_raise(data: bytes, folder: Path) -> None:
    result = marks.load_tree(data, "f")
    assert result.value is not None or result.problems or data
    root = tree(folder / "bytes", {"riverside.yaml": data})
    found = loaded(root)
    assert found.desired.frozen >= {"riverside"}
    assert any(not problem.warning for problem in found.problems)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_good_file_raises_or_prints_its_secret(data: st.DataObject, folder: Path) -> None:
    text = bytearray(GOOD.replace("env:RIVERSIDE_CANVAS_TOKEN", SECRET).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from(
                [
                    b"",
                    b"{",
                    b"}",
                    b"[",
                    b":",
                    b" ",
                    b"\n",
                    b"'",
                    b'"',
                    b"#",
                    b"&a ",
                    b"*a",
                    b"!",
                    b"\t",
                    b"\0",
                    b"- ",
                    b"?",
                    b"\xff",
                    b"1",
                    b"|",
                    b"%",
                ]
            )
        )
        text[at : at + data.draw(st.integers(0, 3))] = piece
    root = tree(folder / "mutated", {"riverside.yaml": bytes(text)})
    found = loaded(root)
    marks.compose_places(bytes(text), "f")
    assert found.desired.frozen >= {"riverside"}
    assert SECRET not in repr(found.problems)


@settings(max_examples=60, deadline=None)
@given(text=edited())
def test_the_parser_in_python_reads_the_same(text: str) -> None:
    fast = marks.load_tree(text.encode(), "f")
    with patch.object(events, "CParser", None):  # what an installation without libyaml has
        slow = marks.load_tree(text.encode(), "f")
    if not any(p.code == "GS-101" for p in (*fast.problems, *slow.problems)):
        assert slow.value == fast.value
    else:
        assert any(p.code == "GS-101" for p in fast.problems)
        assert any(p.code == "GS-101" for p in slow.problems)


def test_an_unchanged_tree_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(tmp_path, {"riverside.yaml": NIGHTLY, "_defaults.yaml": "passback: {missing: zero}\n"})
    cache = FolderCache(tmp_path / "cache")
    first = loaded(root, cache)
    monkeypatch.setattr(account_file, "load_tree", None)
    assert seen(loaded(root, cache)) == seen(first)
    tree(root, {"riverside.yaml": "# why\n" + NIGHTLY})
    again = loaded(root, cache)
    assert [p.place.line for p in again.problems] == [p.place.line + 1 for p in first.problems]
    assert again.desired.accounts == first.desired.accounts


@pytest.mark.parametrize("damage", [b"", b"x", b"gradesync-cache 1 00\n{}", b"\xff" * 100])
def test_a_damaged_cache_is_as_if_absent(damage: bytes, tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": NIGHTLY})
    cache = FolderCache(tmp_path / "cache")
    first = loaded(root, cache)
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(damage)
    assert seen(loaded(root, cache)) == seen(first)


def test_a_changed_byte_in_a_cache_is_noticed(tmp_path: Path) -> None:
    cache = FolderCache(tmp_path)
    cache.put("accounts", {"a\tb": '["x"]'})
    assert cache.get("accounts") == {"a\tb": '["x"]'}
    path = tmp_path / "accounts.json"
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"'))
    assert cache.get("accounts") is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": GOOD})
    (tmp_path / "file").write_text("x")
    assert loaded(root, FolderCache(tmp_path / "file" / "cache")).problems == ()


def test_changed_settings_and_defaults_are_judged_anew(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": GOOD})
    cache = FolderCache(tmp_path / "cache")
    assert loaded(root, cache).problems == ()
    tree(root, {}, 'hosts: ["other.example"]\n')
    assert {p.code for p in loaded(root, cache).problems} == {"GS-108"}


def test_cached_settings_need_neither_yaml_nor_pydantic(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": NIGHTLY})
    loaded(root, FolderCache(tmp_path / "cache"))
    script = (
        "import sys; from pathlib import Path; from datetime import datetime\n"
        "from gradesync.config.cache import FolderCache\n"
        "from gradesync.config.settings import read_settings\n"
        f"root = Path({str(root)!r}); cache = FolderCache(root / 'cache')\n"
        "assert read_settings(root, cache).hosts == ('*.instructure.com', '*.example')\n"
        "assert not {'yaml', 'pydantic', 'croniter'} & set(sys.modules), sorted(sys.modules)\n"
        "from gradesync.config.loader import load\n"
        f"result = load(root, now=datetime.fromisoformat({NOW.isoformat()!r}), cache=cache)\n"
        "assert result.desired.accounts\n"
        "assert not {'yaml', 'pydantic'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_key_in_a_new_comment_is_found_although_no_value_changed(tmp_path: Path) -> None:
    root = tree(tmp_path, {"riverside.yaml": GOOD})
    cache = FolderCache(tmp_path / "cache")
    assert loaded(root, cache).problems == ()
    tree(root, {"riverside.yaml": GOOD + f"# {SECRET}\n"})
    assert [(p.code, p.place.line) for p in loaded(root, cache).problems] == [("GS-107", 16)]
