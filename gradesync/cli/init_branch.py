"""The branch whose merges take effect, as the workflow of a new repository names it.

GitHub reads the name as a pattern inside YAML, so it is written in a form that can mean nothing but this one branch.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from gradesync.errors import GradesyncError

USUAL = "main"

_REMOTE = "refs/remotes/origin/"
_LOCAL = "refs/heads/"
_PLAIN = re.compile(r"\w[\w./+#@=,-]{0,199}")
"""No quote, no `$` and no bracket: a pattern, an expression or another key cannot be made of these."""
_LINE = re.compile(r"^    branches: .*\n", re.MULTILINE)


def branch_of(root: Path) -> str:
    """The default branch of the clone at `root`: origin's where the clone knows it, else the one checked out.

    `main` where `root` is no clone of its own. Raises GradesyncError for a name that no workflow can hold.
    """
    from gradesync.wiring.commits import ask_git

    try:
        # Inside somebody else's clone the branch is theirs; a repository of one's own comes later.
        if not root.is_dir() or ask_git(root, "rev-parse", "--show-prefix") != (0, ""):
            return USUAL
        for asked, before in ((f"{_REMOTE}HEAD", _REMOTE), ("HEAD", _LOCAL)):
            code, ref = ask_git(root, "symbolic-ref", "--quiet", asked)
            if code == 0 and ref.startswith(before):
                return _written(ref.removeprefix(before))
    except UnicodeDecodeError:
        raise _refused("of the clone") from None
    return USUAL


def _written(name: str) -> str:
    if not _PLAIN.fullmatch(name):
        raise _refused(repr(name))
    return name


def _refused(what: str) -> GradesyncError:
    return GradesyncError(
        f"the name of the branch {what} cannot be written into a workflow",
        hint="use a branch named with letters, digits and . _ / -, such as main; nothing was written",
    )


def with_branch(workflow: str, branch: str, standing: str | None) -> str:
    """The workflow with the branch that it names; with the line of the file `standing` there, where that has one."""
    there = _LINE.search(standing or "")
    # `+` would repeat the sign before it; and only quoted is `on` or `1.0` a name.
    name = branch if branch == USUAL else json.dumps(branch.replace("+", r"\+"), ensure_ascii=False)
    line = there[0] if there else f"    branches: [{name}]\n"
    return _LINE.sub(lambda _: line, workflow)


def named_in(workflow: str) -> str:
    """What the workflow's line of branches names, as people write it; empty without such a line."""
    found = _LINE.search(workflow)
    return "" if found is None else found[0].partition(":")[2].strip().strip('[]"').replace(r"\\+", "+")
