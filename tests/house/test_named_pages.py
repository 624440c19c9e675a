"""What gradesync says of its documents is true wherever it is read: named as gradesync's, and there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = {"gradesync/domain/documents.py", "gradesync/reporting/words.py", "gradesync/cli/init_repo.py"}
"""Where the path itself is made; a field of JSON; and what `init --repo` takes out of the workflows."""


def texts(file: Path) -> list[str]:
    """The strings of a module that somebody may be shown: all but those that stand alone, as docstrings do."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def test_a_page_of_the_documents_is_named_in_one_way_and_is_there() -> None:
    named: set[str] = set()
    for file in sorted((ROOT / "gradesync").rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        named |= set(re.findall(r"in_docs\([\"']([^\"']+)[\"']\)", source))
        if file.relative_to(ROOT).as_posix() not in OWN:
            assert [one for one in texts(file) if re.search(r"\bdocs/", one)] == [], file
    assert len(named) > 3
    assert [page for page in sorted(named) if not (ROOT / "docs" / f"{page}.md").is_file()] == []
