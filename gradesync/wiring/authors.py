"""Who wrote what a pass applies, as Git tells: the author of the last commit that touched an account's file.

Git's word is its author's own. It is worth as much as the review before the merge, so it never gives a right, and a
person who carries out a pass stays its actor; only for what a clock applies is the author the one who caused it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from gradesync.domain.acting import Identity, printable_login
from gradesync.domain.run import Actor
from gradesync.wiring.commits import ask_git

_MOST = 2000
"""Commits looked at where it is not known what was applied before."""


@dataclass
class Authors:
    """Answers for files of the tree at `root`, checked out at `commit`; asks Git once, and only when it is asked.

    `since` is the commit applied before. `by_clock` is who carries the pass out, when that is no person.
    """

    root: Path
    commit: str
    since: str | None
    people: Mapping[str, Mapping[str, Any]]
    by_clock: Identity | None = None
    _known: dict[str, tuple[int, Identity]] | None = field(default=None, init=False)

    def __call__(self, file: str | None) -> tuple[str, Actor | None] | None:
        """The author's name, and the actor where a clock applies the file; None when Git does not tell."""
        found = self._author(file) if file is not None else None
        if found is None:
            return None
        name = found.actor(self.people).name
        if self.by_clock is None:
            return name, None
        via = Identity(name, "git", "git author", self.by_clock.run_url, self.by_clock.os_user)
        return name, via.actor({})

    def _author(self, file: str) -> Identity | None:
        """Of the newest change since the last pass to the file or to what it takes its defaults from; else its own."""
        if self._known is None:
            self._known = self._read(f"{self.since}..{self.commit}" if self.since else self.commit, ".")
        parents = [str(one / "_defaults.yaml") for one in PurePosixPath(file).parents]
        near = [self._known[one] for one in (file, "gradesync.yaml", *parents) if one in self._known]
        if near:
            return min(near, key=lambda one: one[0])[1]
        # A change that could not be applied earlier (its file had problems, a guard withheld it) is older than that.
        own = self._read(self.commit, file).get(file)
        return own[1] if own is not None else None

    def _read(self, commits: str, path: str) -> dict[str, tuple[int, Identity]]:
        """File -> how many commits ago it was changed last, and by whom."""
        most = _MOST if path == "." else 1
        asked = ["log", f"--max-count={most}", "--name-only", "--relative", "--format=%x01%aN%x1f%aE"]
        code, text = ask_git(self.root, *asked, commits, "--", path)
        found: dict[str, tuple[int, Identity]] = {}
        for ago, block in enumerate(text.split("\x01")[1:] if code == 0 else ()):
            head, *files = block.splitlines()
            for file in files:
                if file:
                    found.setdefault(file, (ago, self._identity(head)))
        return found

    def _identity(self, head: str) -> Identity:
        """By the address where `people` knows it (it is then shown by that person's name), else by the name."""
        name, _, address = head.partition("\x1f")
        by_address = Identity(printable_login(address), "git", "git author")
        known = by_address.actor(self.people).name != by_address.login
        return by_address if known else Identity(printable_login(name), "git", "git author")


__all__ = ["Authors"]
