"""The documents as a site: `sphinx-build -W -b html docs build/site`, offline, without anything from another server.

The pages are plain Markdown, right on a code host as they are; what a site needs beyond that is made here while they
are read. docs/README.md is both the index on the code host and the site's navigation: its headings are the groups.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
LIFTED = {"about": "README.md", "changelog": "CHANGELOG.md"}
"""Pages that stand at the top of the repository; on the code host these are one sentence with a link."""

project = "gradesync"
author = "the gradesync authors"
extensions = ["myst_parser"]
root_doc = "README"
exclude_patterns = ["conf.py", "_static"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_enable_extensions = ["tasklist"]
myst_links_external_new_tab = False
# Straight quotes are what people copy into a terminal.
smartquotes = False
nitpicky = True

html_theme = "furo"
html_title = "gradesync"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "navigation_with_keys": False,
    "top_of_page_buttons": [],
    # Furo's own blue is too pale for small text on white.
    "light_css_variables": {"color-brand-primary": "#0b5394", "color-brand-content": "#0b5394"},
    "dark_css_variables": {"color-brand-primary": "#8ab8ff", "color-brand-content": "#8ab8ff"},
}

_GROUP = re.compile(r"^## (.+)$", re.MULTILINE)
_PAGE = re.compile(r"\[([^\]]+)\]\((?!\.\./|https:)([\w/-]+)\.md\)")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def groups(index: str) -> list[tuple[str, dict[str, str]]]:
    """Heading -> the pages its table links (page -> what it is called there), in order, of docs/README.md."""
    parts = _GROUP.split(index)[1:]
    return [
        (title, {page: words for words, page in _PAGE.findall(text)})
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def toctree(pages: list[str], caption: str = "") -> str:
    """A hidden table of contents, which is what a theme makes its navigation of."""
    head = ["", "```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), ""]
    return "\n".join([*head, *pages, "```", ""])


def outside(text: str, folder: Path) -> str:
    """Links that leave docs/: to a lifted page of the site where there is one, else their words alone."""

    def turn(match: re.Match[str]) -> str:
        image, words, target = match.groups()
        file, _, anchor = target.partition("#")
        aim = (folder / file).resolve()
        if image or aim.is_relative_to(DOCS):
            return match[0]
        if str(aim.relative_to(ROOT)) in LIFTED.values():
            name = next(page for page, path in LIFTED.items() if ROOT / path == aim)
            up = "../" * len(folder.relative_to(DOCS).parts) if folder.is_relative_to(DOCS) else "docs/"
            return f"[{words}]({up}{name}.md{'#' + anchor if anchor else ''})"
        return words

    return _LINK.sub(turn, text)


def as_site(_app: Sphinx, docname: str, source: list[str]) -> None:
    """What a page says on the site, from what stands in its file."""
    folder = (DOCS / docname).parent
    if docname in LIFTED:
        # Its links count from the top of the repository.
        text = outside((ROOT / LIFTED[docname]).read_text(encoding="utf-8"), ROOT)
        source[0] = text.replace("](docs/", "](")
        return
    source[0] = outside(source[0], folder)
    if docname == root_doc:
        for title, pages in groups(source[0]):
            source[0] += toctree([f"{words} <{page}>" for page, words in pages.items()], title)
    elif docname == "decisions/README":
        source[0] += toctree(sorted(path.stem for path in folder.glob("[0-9]*.md")))
    elif docname.startswith("codes/GS-"):
        # Their list links them all. In the navigation of every page they would be most of every page.
        source[0] = f"---\norphan: true\n---\n\n{source[0]}"


MENDED = (
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
    ("<pre>", '<pre tabindex="0">'),
)
"""What the theme leaves out for keyboards and screen readers: levels, names, and a way to scroll what is wide."""


def finished(app: Sphinx, failed: Exception | None) -> None:
    """Mend what the theme wrote, and make `index.html`, which is what a web server looks for."""
    if failed is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for before, after in MENDED:
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
    shutil.copyfile(out / f"{root_doc}.html", out / "index.html")


def setup(app: Sphinx) -> None:
    """Hook the two into the build."""
    app.connect("source-read", as_site)
    app.connect("build-finished", finished)
