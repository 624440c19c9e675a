"""`python -m tools.screenshots` makes docs/images anew: the page and the terminal, of a made-up state on this machine.

Needs Chromium and the test requirements. Only the clock differs from one time to the next. Look at what it makes.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tools.pictures.scene import Scene, morning
from tools.pictures.terminal import page, screen

FOLDER = Path(__file__).parents[1] / "docs" / "images"
MOST = 250_000
"""Bytes of a picture: the docs are read on phones, too."""

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]

PAGES: tuple[tuple[str, str, tuple[int, int], str], ...] = (
    ("page", "staff/index.html", (1280, 860), "light"),
    ("page-dark", "staff/index.html", (1280, 860), "dark"),
    ("page-phone", "staff/index.html", (390, 844), "light"),
    ("page-account", "staff/accounts/riverside/index.html", (1280, 1400), "light"),
    ("page-account-phone", "staff/accounts/riverside/index.html", (390, 844), "dark"),
    ("page-history", "staff/accounts/riverside/history.html", (1280, 760), "light"),
    ("page-week", "staff/accounts/lakeside/week.html", (1280, 720), "light"),
    ("page-public", "public/index.html", (1280, 720), "light"),
)
"""Name, file, size, colours."""


def main() -> None:
    """Make all of them, or those whose name begins with what is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only those that begin so, like `terminal` or `page-dark`")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gradesync-pictures-") as folder:
        documents: dict[str, str] = {}
        root = Path(folder)
        (root / "tree").mkdir()
        with morning(root / "tree") as scene:
            for part, more in (("staff", ()), ("public", ("--audience", "public"))):
                scene.run("page", "-o", str(root / part), *more)
            for name, made in TERMINAL.items():
                if _wanted(name, args.names):
                    documents[name] = made(scene)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
            for name, path, size, scheme in PAGES:
                if _wanted(name, args.names):
                    _page(browser, (root / path).as_uri(), args.output / f"{name}.png", size, scheme)
            for name, document in documents.items():
                _terminal(browser, document, args.output / f"{name}.png")
            browser.close()
    _check(args.output)


def _wanted(name: str, names: list[str]) -> bool:
    return not names or any(name.startswith(one) for one in names)


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("Chromium is needed; Debian and Ubuntu have it as `chromium`")
    return found


def _list(scene: Scene) -> str:
    return page("gradesync list", screen(scene, "list"))


def _explain(scene: Scene) -> str:
    return page("gradesync explain GS-405", screen(scene, "explain", "GS-405"))


def _upcoming(scene: Scene) -> str:
    return page("gradesync upcoming oak-hill --days 3", screen(scene, "upcoming", "oak-hill", "--days", "3"))


def _doctor(scene: Scene) -> str:
    return page("gradesync doctor riverside", screen(scene, "doctor", "riverside"))


def _plan(scene: Scene) -> str:
    """A pull request's worth of changes: one more often, one paused."""
    file = scene.file("pine-ridge")
    text = file.read_text().replace("every 15 minutes", "every 30 minutes")
    file.write_text(text + "    state: paused\n    reason: exam week\n")
    return page("gradesync plan", screen(scene, "plan"))


def _reconcile(scene: Scene) -> str:
    """The end of a pass that applied the plan above and had something to run."""
    scene.run("request", "riverside/grades", "--reason", "marks are due today")
    return page("gradesync reconcile", screen(scene, "reconcile"), last=34)


TERMINAL: dict[str, Callable[[Scene], str]] = {
    "terminal-list": _list,
    "terminal-explain": _explain,
    "terminal-upcoming": _upcoming,
    "terminal-doctor": _doctor,
    "terminal-plan": _plan,
    "terminal-reconcile": _reconcile,
}


def _page(browser: Browser, address: str, target: Path, size: tuple[int, int], scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    shown = context.new_page()
    shown.goto(address)
    shown.screenshot(path=target)
    context.close()


def _terminal(browser: Browser, document: str, target: Path) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, device_scale_factor=1)
    shown = context.new_page()
    shown.set_content(document)
    shown.locator(".window").screenshot(path=target)
    context.close()


def _check(folder: Path) -> None:
    for path in sorted(folder.glob("*.png")):
        print(f"{path.name}: {path.stat().st_size:,} bytes")
        if path.stat().st_size > MOST:
            raise SystemExit(f"{path.name} is larger than {MOST:,} bytes")


if __name__ == "__main__":
    main()
