"""What a person sees while typing: yaml-language-server with our schema, through the files' first line.

Needs node and npm; the server is fetched once into `.gradesync-editor/` (see `editor/check.js` for the talk).
In CI its absence is a failure, for the promise would stand untested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gradesync.config.schema import write_schema
from tests.config.documents import BAD_DOCUMENTS, GOOD_DOCUMENTS

VERSION = "1.25.0"
TOP = Path(__file__).parents[2]
MODELINE = "# yaml-language-server: $schema=../gradesync.schema.json\n"


def _unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def server() -> Path:
    """The server's start file, installed on first use."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        _unavailable("node and npm are needed to ask yaml-language-server what an editor shows")
    folder = TOP / ".gradesync-editor" / VERSION
    start = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    if not start.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            str(npm),
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            f"yaml-language-server@{VERSION}",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode or not start.exists():
            _unavailable(f"yaml-language-server {VERSION} could not be installed with npm")
    return start


@pytest.fixture(scope="module")
def shown(server: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the editor marks, by name of the document."""
    root = tmp_path_factory.mktemp("editor")
    write_schema(root)
    (root / "schedules").mkdir()
    files: dict[str, str] = {}
    for name, text in {**GOOD_DOCUMENTS, **BAD_DOCUMENTS}.items():
        files[f"schedules/{name.replace(' ', '-')}.yaml"] = name
        (root / f"schedules/{name.replace(' ', '-')}.yaml").write_text(MODELINE + text, encoding="utf-8")
    script = Path(__file__).parent / "editor" / "check.js"
    command = [str(shutil.which("node")), str(script), str(server), str(root), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[str]] = json.loads(done.stdout)
    return {files[file]: messages for file, messages in answer.items()}


@pytest.mark.parametrize("name", GOOD_DOCUMENTS)
def test_the_editor_marks_nothing_in_a_good_file(name: str, shown: dict[str, list[str]]) -> None:
    assert shown[name] == []


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_the_editor_marks_a_bad_file(name: str, shown: dict[str, list[str]]) -> None:
    assert shown[name]
