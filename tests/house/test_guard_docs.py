"""The page about guards shows what a person gets: its commands run in order, with the merges it speaks of between."""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from tests.house.test_gradebook_docs import CONSOLE, DOCS

ACCOUNT = """\
account: {key}
time_zone: America/New_York
canvas: {{url: "http://127.0.0.1:9/{place}/canvas", token: env:{name}_TOKEN}}
sis: {{profile: genesis, url: "http://127.0.0.1:9/{place}/genesis", client_id: env:{name}_ID, client_secret: env:{name}_SECRET}}
schedules:
"""  # noqa: E501 - a connection in one line
SCHEDULE = "  {name}: {{type: grade passback, interval: daily at 0{hour}:00{more}}}\n"


class Tree:
    """The files as they are merged one after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "schedules").mkdir()
        (root / "gradesync.yaml").write_text("safety: {account_share: 30%}\n")

    def write(self, key: str, *names: str, place: str = "", more: str = "", tail: str = "") -> None:
        place = place or key
        head = ACCOUNT.format(key=key, place=place, name=place.upper().replace("-", "_"))
        rows = "".join(SCHEDULE.format(name=n, hour=3 + i, more=more) for i, n in enumerate(names))
        (self.root / "schedules" / f"{key}.yaml").write_text(head + rows + tail)

    def start(self) -> None:
        self.write("riverside", "grades")
        self.write("oak-hill", "grades", "extra", "pilot-a", "pilot-b")

    def pilots_end(self) -> None:
        self.write("oak-hill", "grades", "extra")

    def protect_and_remove(self) -> None:
        self.write("oak-hill", "grades", "extra", more=", protect: true")
        gradesync(self.root, "gradesync reconcile --no-syncs")
        self.write("oak-hill", "extra", more=", protect: true")

    def rename(self) -> None:
        self.write("oak-hill", "grades", "extra", more=", protect: true")
        (self.root / "schedules" / "riverside.yaml").unlink()
        self.write("riverside-usd", "grades", place="riverside", tail="moved_from: riverside\n")

    def leave(self) -> None:
        with closing(sqlite3.connect(self.root / ".gradesync" / "store.db")) as raw, raw:
            raw.execute(
                "INSERT INTO watermark VALUES ('riverside-usd', 'a', 'x'), ('riverside-usd', 'b', 'y')"
            )
        tail = "moved_from: riverside\nstate: leaving\n"
        self.write("riverside-usd", "grades", place="riverside", tail=tail)

    def change(self) -> None:
        self.write("oak-hill", "grades", "extra", "new-one", more=", protect: true")


def test_the_page_about_guards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    tree = Tree(tmp_path)
    tree.start()
    assert gradesync(tmp_path, "gradesync reconcile --no-syncs")[0] == 0
    renaming = [tree.rename, None, None, tree.leave, None]
    merges: Iterator[Callable[[], None] | None] = iter(
        [tree.pilots_end, None, tree.protect_and_remove, *renaming, tree.change, None, None]
    )
    codes = iter([5, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0])
    said, digest = "", ""
    for block in CONSOLE.findall((DOCS / "guards.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            if not line.startswith("$ "):
                assert re.sub(r"allow \w{12}", f"allow {digest}", line.strip()) in said, (line, said)
                continue
            merge = next(merges)
            if merge is not None:
                merge()
            code, said = gradesync(tmp_path, re.sub(r"allow \w{12}", f"allow {digest}", line[2:]))
            assert code == next(codes), (line, said)
            shown = re.search(r"--allow (\w{12})", said)
            digest = shown[1] if shown else digest
    assert next(merges, "none left") == "none left"


def gradesync(root: Path, line: str) -> tuple[int, str]:
    """A command line of the page in the tree, without a network; its exit code and all it said."""
    quiet = ["--no-syncs"] if " reconcile" in line and "--no-syncs" not in line else []
    answer = CliRunner().invoke(group, ["-C", str(root), *shlex.split(line)[1:], *quiet])
    return answer.exit_code, answer.stdout + answer.stderr
