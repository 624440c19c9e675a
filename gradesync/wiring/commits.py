"""Which commit the tree is of, and whether it follows the one applied before.

Asks Git, or believes what CI says where there is none. A job that was queued for an hour must not undo what was merged
meanwhile (GS-704): whatever cannot be shown to follow counts as not following.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gradesync.errors import UsageProblem

_FILES = ("schedules", "gradesync.yaml", "gradesync.yml")
"""What of a checkout a pass reads; changes elsewhere do not matter to it."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Checkout:
    """The tree's `commit` (None: nothing tells), and whether its files hold changes that the commit does not.

    `ancestors` are the commits it follows where no Git can tell; `silence` says why nothing tells its commit.
    """

    root: Path
    commit: str | None
    dirty: bool = False
    ancestors: frozenset[str] | None = None
    silence: str = ""

    def behind(self, applied: str | None) -> str | None:
        """Why the tree does not follow the commit applied before, with the way out; None when it does."""
        if applied is None or applied == self.commit:
            return None
        if self.commit is None:
            return f"{self.silence}, so nothing shows that it does: check it out with Git, or say --commit"
        if self.ancestors is not None:
            return None if applied in self.ancestors else "it is not among the commits of --ancestors"
        if ask_git(self.root, "merge-base", "--is-ancestor", applied, self.commit) == (0, ""):
            return None
        return self._reason(applied)

    def _reason(self, applied: str) -> str:
        if ask_git(self.root, "rev-parse", "--verify", "--quiet", self.commit or "")[0] != 0:
            return (
                "without Git nothing shows that it does: give --ancestors FILE, made by `git rev-list HEAD`"
            )
        if ask_git(self.root, "cat-file", "-e", f"{applied}^{{commit}}")[0] == 0:
            if ask_git(self.root, "merge-base", "--is-ancestor", self.commit or "", applied)[0] == 0:
                return "it is older: update the checkout"
            return "the two have parted, as after a forced push or on another branch"
        if ask_git(self.root, "rev-parse", "--is-shallow-repository")[1] == "true":
            return (
                "the clone is shallow and does not reach back to it: fetch the whole history (fetch-depth: 0)"
            )
        return "this clone does not know it: it is older, or the history was rewritten by a forced push"


def checkout_of(root: Path, said: str | None = None, ancestors: Path | None = None) -> Checkout:
    """Look at the tree at `root`; `said` is the commit it is of by what CI says, for a tree without Git.

    `ancestors` is a file with one commit a line, as `git rev-list HEAD` writes it. Raises UsageProblem when what was
    said cannot be so.
    """
    follows = _ancestors(ancestors) if ancestors is not None else None
    if said is not None and not _COMMIT.fullmatch(said):
        raise UsageProblem(
            f"`{said}` is no whole commit id", hint="give all its digits, as `git rev-parse HEAD` does"
        )
    code, text = ask_git(root, "rev-parse", "--verify", "HEAD")
    head = text if code == 0 and _COMMIT.fullmatch(text) else None
    if head is None:
        why = "no Git is installed here" if code == _NO_GIT else "the tree is no checkout that Git can read"
        return Checkout(root, said, ancestors=follows, silence=why)
    if said is not None and said != head:
        raise UsageProblem(
            f"--commit says {said[:12]}, but the tree is checked out at {head[:12]}",
            hint="leave --commit out: where Git is, it tells",
        )
    changed = ask_git(root, "status", "--porcelain", "--untracked-files=all", "--", *_FILES)
    return Checkout(root, head, dirty=changed != (0, ""), ancestors=follows)


def _ancestors(file: Path) -> frozenset[str]:
    try:
        lines = file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        raise UsageProblem(f"{file} cannot be read", hint="make it with `git rev-list HEAD`") from None
    if not lines or not all(_COMMIT.fullmatch(line) for line in lines):
        raise UsageProblem(f"{file} is no list of commits", hint="make it with `git rev-list HEAD`")
    return frozenset(lines)


_NO_GIT = 127


def ask_git(root: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and stdout of a question to Git."""
    git = shutil.which("git")
    if git is None:
        return _NO_GIT, ""
    asked = [git, "-C", str(root), *arguments]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands of Git
    return answer.returncode, answer.stdout.strip()
