"""The page as it was built from a real store, served by a plain file server, and a real browser to open it with.

Everything here lives as long as this folder's tests: the browser's own event loop would be in the way of later ones.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from gradesync.sandbox.server import running
from tests.browser.school import School, school

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
STAFF = (
    "staff/index.html",
    "staff/schedules.html",
    "staff/stops.html",
    "staff/codes.html",
    "staff/accounts/riverside/index.html",
    "staff/accounts/riverside/history.html",
    "staff/accounts/riverside/week.html",
    "staff/accounts/riverside/codes.html",
    "staff/accounts/oak-hill/index.html",
    "staff/accounts/lakeside/index.html",
    "staff/accounts/quiet-03/index.html",
)
PUBLIC = ("public/index.html", "public/accounts/riverside/index.html", "public/accounts/lakeside/index.html")
PAGES = (*STAFF, *PUBLIC)
"""One of every kind, and an account in every kind of trouble."""

WIDE, PHONE = (1280, 900), (360, 740)


def _unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    _unavailable("Chromium is needed to look at the page; Debian and Ubuntu have it as `chromium`")
    return ""


@dataclass(frozen=True)
class Site:
    """Where the built page is. `staff/` and `public/` are whole sites, `alone/` is one account's."""

    folder: Path
    address: str
    school: School

    def texts(self, part: str) -> dict[str, str]:
        """Every HTML file under a part, by its path."""
        return {
            str(path.relative_to(self.folder)): path.read_text(encoding="utf-8")
            for path in sorted((self.folder / part).rglob("*.html"))
        }


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A file server that says nothing."""


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """The folder over HTTP on loopback, with nothing added: what a district's web server does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise TimeoutError when it takes longer: some calls to the browser know no limit of their own."""

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError(f"the browser did not answer in {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """A browser that no longer answers fails its test."""
    with within(180):
        return (yield)


def _away(close: Callable[[], None]) -> None:
    """Close a window or the browser, unless it does not let itself be closed.

    Chromium was seen to stand still for ever in that, after the test had ended well. What is left open goes with the
    process.
    """
    with suppress(TimeoutError, PlaywrightError), within(20):
        close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Built by the real command from a tree in which real syncs ran."""
    _chromium()
    root = tmp_path_factory.mktemp("page")
    with running(("riverside", "oak-hill", "lakeside"), students=24) as sandbox:
        made = school(root / "tree", sandbox)
    for part, more in (
        ("staff", ()),
        ("public", ("--audience", "public")),
        ("alone", ("--account", "riverside")),
    ):
        made.run("page", "-o", str(root / part), *more)
    with file_server(root) as address:
        yield Site(root, address, made)


@pytest.fixture(scope="package")
def browser(site: Site) -> Iterator[Browser]:
    """One browser for all; each page gets a context of its own."""
    del site  # made first: commands run their own event loop, which the browser's would not allow
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        yield started
        _away(started.close)


@dataclass
class Opened:
    """A page and everything it did that a page may not do."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def heard(self, said: ConsoleMessage) -> None:
        """What the browser's console shows a developer."""
        if said.type in ("error", "warning"):
            self.errors.append(said.text)

    def asked(self, dialog: Dialog) -> None:
        """No page asks anything: somebody's text was carried out."""
        self.errors.append(f"dialog {dialog.message}")
        dialog.dismiss()


_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => {
  window.violations.push(e.violatedDirective + " " + e.blockedURI);
});
"""

Open = Callable[..., Opened]


@pytest.fixture
def opened(site: Site, browser: Browser) -> Iterator[Open]:
    """Open a page of the site: `opened("staff/index.html", size=PHONE, color_scheme="dark")`."""
    contexts = []

    def open_page(path: str, *, size: tuple[int, int] = WIDE, goto: bool = True, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        context.add_init_script(_WATCH)
        made = Opened(context.new_page())
        page = made.page
        page.set_default_timeout(5_000)
        page.on("console", made.heard)
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.on("dialog", made.asked)
        page.on("request", lambda request: made.requests.append(request.url))
        if goto:
            page.goto(path if "://" in path else f"{site.address}/{path}")
        return made

    yield open_page
    for context in contexts:
        _away(context.close)
