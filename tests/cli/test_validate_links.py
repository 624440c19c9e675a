"""`gradesync validate` quotes the files of the tree, and nothing that a link or a pipe stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOKEN = "made-up-token-of-a-school"


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_validate_never_prints_what_a_link_leads_to(tmp_path: Path, form: str) -> None:
    kept = tmp_path / "x" / ".gradesync" / "canvas_token"
    kept.parent.mkdir(parents=True)
    kept.write_text(TOKEN)
    root = _tree(tmp_path)
    (root / "schedules" / "b.yaml").symlink_to(kept)
    answer = _validate(root, "--format", form)
    assert answer.returncode == 1
    assert "schedules/b.yaml" in answer.stdout
    assert "a link to outside of the tree" in answer.stdout
    assert TOKEN not in answer.stdout + answer.stderr


def test_validate_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    root = _tree(tmp_path)
    os.mkfifo(root / "schedules" / "a.yaml")
    answer = _validate(root)
    assert answer.returncode == 1
    assert "this is not an ordinary file" in answer.stdout


def _tree(folder: Path) -> Path:
    root = folder / "tree"
    (root / "schedules").mkdir(parents=True)
    (root / "gradesync.yaml").write_text('hosts: ["*.example"]\n')
    return root


def _validate(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As a process of its own, which can be ended should it wait."""
    asked = [sys.executable, "-m", "gradesync", "-C", str(root), "validate", *more]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
