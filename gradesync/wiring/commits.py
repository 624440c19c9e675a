"""Which commit the tree is checked out at, and whether it follows the one applied before.

Asks Git and nothing else. A job that was queued for an hour must not undo what was merged meanwhile (GS-704).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def commit_of(root: Path) -> str | None:
    """The commit the tree at `root` is checked out at; None when it is no checkout or Git is missing."""
    answer = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    return answer.stdout.strip() or None if answer is not None and answer.returncode == 0 else None


def follows(root: Path, commit: str | None, applied: str | None) -> bool:
    """Whether `commit` is `applied` or descends from it.

    Without a commit on either side there is nothing to compare. A commit that Git does not know (a shallow clone, a
    rewritten history) cannot be shown to be older, so the tree does not count as following it.
    """
    if commit is None or applied is None or commit == applied:
        return True
    answer = _git(root, "merge-base", "--is-ancestor", applied, commit)
    return answer is not None and answer.returncode == 0


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    git = shutil.which("git")
    if git is None:
        return None
    asked = [git, "-C", str(root), *arguments]
    return subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands of Git
