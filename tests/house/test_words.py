"""One word for one thing: synonyms that the glossary replaces are in no document, and every snippet of YAML loads."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gradesync.config.loader import load
from gradesync.config.marks import load_tree
from gradesync.config.schema import AccountFile, SettingsFile
from tests.house.test_readme import README, shown_files

ROOT = Path(__file__).parents[2]
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
INSTEAD = {
    r"tenants?": "account",
    r"(?:sync|scheduled|grade|roster) (?:jobs?|tasks?)": "schedule, or run",
    r"occurrences?": "slot",
    r"cron expressions? of a schedule": "interval",
    r"(?:sync|schedule) frequency": "interval",
    r"schedule owners?": "posted by",
    r"sync direction": "sync type",
    r"(?:frozen|locked|disabled|enabled) schedules?": "held, paused or active",
    r"(?:enable|disable|freeze|unfreeze|unpause) (?:a|the|this|your) schedules?": "pause, resume",
    r"maintenance windows?": "blackout",
    r"skipped (?:records?|grades?|scores?)": "withheld",
    r"(?:config|configuration) files?": "the files, the schedules file",
    r"actual state|current state|desired state": "recorded, desired",
    r"fencing tokens?": "epoch",
    r"sync logs?": "history",
    r"reconciliation (?:loop|cycle|run)s?": "pass",
    r"error codes?": "code",
    r"grade columns?": "line item",
}
"""What is not written, and what is written instead (DESIGN.md 1, and the glossary)."""
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = (
    "account|schedule|sync type|interval|first run|slot|next run|posted by|actor|state|store|hold|"
    "blackout|definition|desired|recorded|plan|action|pass|request|run|outcome|stage|lease|epoch|"
    "history entry|ledger|withheld|refused|waiting|unchanged|line item|result|class|enrollment|take-over|"
    "problem|breaker|brake|checkpoint|code|delta|full|dry run|grade passback|roster import|observe|"
    "profile|scope|SIS|pseudonym|alarm|worklist|trigger|group|label|lineage|guard|digest|tree|key|"
    "approval|generation|queue|worker|sandbox|consent"
)
"""Every word of DESIGN.md 1, and those the documents lean on besides."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_uses_the_words_of_the_glossary(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found = [
        (match[0], right)
        for wrong, right in INSTEAD.items()
        for match in re.finditer(rf"\b(?:{wrong})\b", text, re.IGNORECASE)
    ]
    assert found == []


def test_the_glossary_has_every_word_in_order_of_the_alphabet() -> None:
    rows = re.findall(r"^\| \*\*([^*]+)\*\*", GLOSSARY, re.MULTILINE)
    told = {word for row in rows for word in row.split(", ")}
    assert [word for word in WORDS.split("|") if word not in told] == []
    assert rows == sorted(rows, key=str.lower)


SNIPPET = re.compile(r"^( *)```ya?ml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SNIPPETS = [
    (page, number, "\n".join(line.removeprefix(space) for line in text.splitlines()))
    for page in PAGES
    for number, (space, text) in enumerate(SNIPPET.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(
    ("page", "number", "text"),
    SNIPPETS,
    ids=[f"{page.relative_to(ROOT)}-{number}" for page, number, _ in SNIPPETS],
)
def test_every_snippet_of_yaml_loads(page: Path, number: int, text: str, tmp_path: Path) -> None:
    """Of any file it can be read; of ours, every key and value in it is right."""
    read = load_tree(text.encode(), "snippet.yaml")
    value = read.value
    if not isinstance(value, dict) or not ours(value):
        # Other programs' files may use more of YAML than ours may.
        assert "\t" not in text
        return
    assert [str(problem) for problem in read.problems if not problem.warning] == []
    whole, settings = (
        whole_account(),
        {"hosts": ["*.instructure.com", "*.riverside.example", "*.example", "*.example.org", "127.0.0.1"]},
    )
    if set(value) <= keys_of(SettingsFile) and "account" not in value:
        settings |= {key: one for key, one in value.items() if key not in ("store", "lineage", "keys")}
    else:
        # A snippet of a mapping leaves out of it what it does not speak of.
        whole |= {
            k: {**whole[k], **v} if isinstance(v, dict) and isinstance(whole.get(k), dict) else v
            for k, v in value.items()
        }
    (tmp_path / "schedules").mkdir()
    (tmp_path / "gradesync.yaml").write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "schedules" / f"{whole['account']}.yaml").write_text(json.dumps(whole), encoding="utf-8")
    found = load(tmp_path, now=datetime(2026, 11, 23, tzinfo=UTC)).problems
    assert [str(problem) for problem in found if not problem.warning] == [], (page, number)


def ours(value: dict[str, Any]) -> bool:
    """Whether it is an account's file or gradesync.yaml, or a part of one."""
    return set(value) <= keys_of(AccountFile) or set(value) <= keys_of(SettingsFile)


def keys_of(model: Any) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def whole_account() -> dict[str, Any]:
    """The README's account, which fills in what a snippet leaves out."""
    text = next(text for path, text in shown_files(README).items() if path.startswith("schedules/"))
    value: dict[str, Any] = load_tree(text.encode(), "README").value
    return value
