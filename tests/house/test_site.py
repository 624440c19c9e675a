"""The documents hang together: grouped as the index says, every page reachable, every proof a test that exists."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GROUPS = [
    "Start",
    "For support staff",
    "For admins and teachers",
    "For those who run it",
    "Reference",
    "Trust",
    "Decisions",
]
LINK = re.compile(r"\]\(([^)#\s]+\.md)(?:#[^)\s]*)?\)")


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    """docs/conf.py without Sphinx around it."""
    pytest.importorskip("sphinx", reason="the site is made with sphinx, which requirements/dev.txt pins")
    spec = spec_from_file_location("site_conf", DOCS / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_index_has_its_groups_and_each_page_once(conf: ModuleType) -> None:
    found = conf.groups((DOCS / "README.md").read_text(encoding="utf-8"))
    assert [title for title, _ in found] == GROUPS
    listed = [page for _, pages in found for page in pages]
    assert len(listed) == len({*listed})
    pages = {path.stem for path in DOCS.glob("*.md")} - {"README"}
    assert pages | {"codes/README", "decisions/README"} == set(listed)


def test_every_page_is_reached_from_the_index() -> None:
    reached, todo = set[Path](), [DOCS / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or not page.is_relative_to(DOCS):
            continue
        reached.add(page)
        todo += [(page.parent / link).resolve() for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert set(DOCS.rglob("*.md")) - reached == set()


def test_links_out_of_docs_lead_to_pages_of_the_site_or_become_words(conf: ModuleType) -> None:
    assert conf.outside("see [the README](../README.md#try-it)", DOCS) == "see [the README](about.md#try-it)"
    assert conf.outside("[log](../../CHANGELOG.md)", DOCS / "codes") == "[log](../changelog.md)"
    assert conf.outside("under [the licence](../LICENSE)", DOCS) == "under the licence"
    assert conf.outside("[here](guards.md) [there](https://example.org)", DOCS).count("](") == 2


def test_the_site_asks_no_other_server_for_anything(conf: ModuleType) -> None:
    style = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "_static").glob("*.css"))
    assert "://" not in style
    assert "@import" not in style
    assert not any("://" in str(one) for one in (*conf.html_css_files, *getattr(conf, "html_js_files", ())))


def test_pages_are_plain_markdown_that_a_code_host_shows_too() -> None:
    """No directive and no role: what only Sphinx understands would stand there as noise."""
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"^(```|:::)\{|\{(ref|doc|term)\}`", text, re.MULTILINE), page


PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_each_proof_the_lawyer_is_shown_is_a_test() -> None:
    proofs = PROOF.findall((DOCS / "for-your-lawyer.md").read_text(encoding="utf-8"))
    assert len(proofs) >= 20
    missing = [
        f"{file}::{name}"
        for file, name in proofs
        if not (ROOT / file).exists()
        or not re.search(rf"^ *def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []
