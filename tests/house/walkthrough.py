"""Walks through a page as its reader would: writes the files it shows, makes the edits, runs the commands, compares.

A ```console block is commands (`$ ...`) with what they print: each line shown must be printed, in that order, numbers
aside; a line of dots leaves something out, and dots at a line's end leave out its end. A ```sh block is commands alone.
A ```diff block is an edit of the file its first line names. A ```yaml block that begins with a path is that file.
"""

from __future__ import annotations

import re
import shlex
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
PORT = "127.0.0.1:8765"
BLOCK = re.compile(r"^```(console|sh|diff|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = ("make ", ". .venv", "python3 ", "git ")
"""Commands of the reader's own shell: they make the environment that the tests already run in."""


@dataclass
class Walk:
    """A tree, the school it points at, and what was done there so far."""

    root: Path
    sandbox: Sandbox
    ran: list[str] = field(default_factory=list)

    def lay(self, *paths: str) -> None:
        """Files of the repository, pointed at the school of the test."""
        for path in paths:
            self.write(path, (ROOT / path).read_text(encoding="utf-8"))

    def write(self, path: str, text: str) -> None:
        """A file of the tree."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(PORT, self.sandbox.url.removeprefix("http://")), encoding="utf-8")

    def through(self, page: Path) -> None:
        """All blocks of the page, in order."""
        for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind == "yaml" and (named := re.match(r"# (\S+\.ya?ml)\n", text)):
                self.write(named[1], text)
            elif kind == "diff":
                self.edit(text)
            elif kind == "console":
                self.show(text)
            elif kind == "sh":
                for line in text.splitlines():
                    self.do(line)

    def edit(self, text: str) -> None:
        """Apply a change a page shows; it must fit in exactly one place."""
        head, *lines = text.splitlines()
        file = self.root / head.removeprefix("--- ")
        before = "".join(f"{line[1:]}\n" for line in lines if line[:1] in " -")
        after = "".join(f"{line[1:]}\n" for line in lines if line[:1] in " +")
        whole = file.read_text(encoding="utf-8")
        assert whole.count(before) == 1, (head, before)
        file.write_text(whole.replace(before, after), encoding="utf-8")

    def show(self, text: str) -> None:
        """Run the commands of a block and look for what is shown under each."""
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            printed = self.do(command)
            missing = not_printed(shown, printed)
            assert missing is None, f"`{command}` does not print {missing!r} (in this order):\n{printed}"

    def do(self, line: str) -> str:
        """Run one command line; the answer is its stdout."""
        for command in line.split(" # ")[0].split("&&"):
            words = shlex.split(command)
            if not words or command.strip().startswith(ELSEWHERE) or words[1:3] == ["sandbox", "serve"]:
                continue
            assert words[0] == "gradesync", command
            if words[1] == "sandbox":
                words += ["--url", self.sandbox.url]
            with chdir(self.root):
                answer = CliRunner().invoke(group, words[1:])
            # 3: it worked, and a person should look at something; the pages say so.
            assert answer.exit_code in (0, 3), (command, answer.exit_code, answer.stdout, answer.stderr)
            self.ran.append(command.strip())
        return answer.stdout if self.ran and words and words[0] == "gradesync" and len(words) > 1 else ""


def not_printed(shown: list[str], printed: str) -> str | None:
    """The first line a page shows that did not come, in its order; None when all did."""
    lines = iter([masked(line) for line in printed.splitlines()])
    for line in shown:
        wanted = masked(line)
        if wanted in ("", "..."):
            continue
        cut = wanted.removesuffix("...").rstrip() if wanted.endswith("...") else None
        if not any(one == wanted or (cut is not None and one.startswith(cut)) for one in lines):
            return line
    return None


def masked(line: str) -> str:
    """Counts differ from day to day; the words around them, codes and intervals do not."""
    line = re.sub(r"(?<!GS-)(?<!every )(?<![\d,])[\d,]*\d", "0", " ".join(line.split()))
    return re.sub(r"\b0 (line item|record|class|result)(?:s|es)?\b", r"0 \1", line)
