"""`page --serve` in a real browser: it refreshes by itself, keeps what its reader did, and can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Page, expect

from gradesync.cli.page_serve import FRESH, Fresh, server
from tests.browser.conftest import Open, Site

EVERY = 5_000
"""Milliseconds between two looks of the page at its version."""


@dataclass
class Live:
    """The staff's site as it is served; `change` makes its next build say something else."""

    site: Site
    address: str = ""
    now: float = 0.0
    word: str = "Accounts"

    def build(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted((self.site.folder / "staff").rglob("*.*")):
            if path.is_file():
                content = path.read_bytes()
                if path.suffix == ".html":
                    content = content.replace(b"<h1>Accounts</h1>", f"<h1>{self.word}</h1>".encode())
                yield str(path.relative_to(self.site.folder / "staff")), content

    def change(self, word: str) -> None:
        self.word, self.now = word, self.now + FRESH


@pytest.fixture
def live(site: Site) -> Iterator[Live]:
    made = Live(site)
    with server(Fresh(made.build, clock=lambda: made.now), 0) as running:
        made.address = running.address.removesuffix("/")
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        running.shutdown()
        thread.join()


def shown(live: Live, opened: Open, path: str = "/") -> Page:
    """The page with a clock that only the test moves."""
    one = opened("", goto=False)
    one.page.clock.install()
    with one.page.expect_response("**/version.json"):
        one.page.goto(live.address + path)
    expect(one.page.locator(".live")).to_contain_text("refreshes by itself")
    assert one.errors == []
    assert one.page.evaluate("window.violations") == []
    return one.page


def test_a_change_is_shown_and_what_the_reader_did_is_kept(live: Live, opened: Open) -> None:
    page = shown(live, opened)
    page.get_by_label("Search").fill("quiet")
    page.clock.run_for(300)
    expect(page.locator(".shown")).to_contain_text("14 of")
    sort = page.get_by_role("button", name="Next run")
    sort.click()
    sort.click()
    page.evaluate("scrollTo({ top: 200, behavior: 'instant' })")
    live.change("Changed")
    page.clock.run_for(EVERY + 100)
    expect(page.locator("h1")).to_have_text("Changed")
    page.clock.run_for(300)
    expect(page.get_by_label("Search")).to_have_value("quiet")
    expect(page.locator(".shown")).to_contain_text("14 of")
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Next run")
    expect(page.get_by_role("button", name="Next run")).to_be_focused()
    assert page.evaluate("scrollY") == 200


def test_what_was_unfolded_stays_unfolded(live: Live, opened: Open) -> None:
    page = shown(live, opened, "/accounts/riverside/")
    change = page.locator("details.change").nth(1)
    change.locator("summary").click()
    live.change("Changed")
    page.clock.run_for(EVERY + 100)
    page.wait_for_load_state()
    expect(page.locator("details.change").nth(1)).to_have_attribute("open", "")
    expect(page.locator("details.change").nth(0)).not_to_have_attribute("open", "")


def test_whoever_reads_slowly_can_stop_it_and_start_it_again(live: Live, opened: Open) -> None:
    page = shown(live, opened)
    page.get_by_role("button", name="Stop refreshing").click()
    live.change("Changed")
    page.clock.run_for(3 * EVERY)
    expect(page.locator(".live")).to_contain_text("stays as it is")
    expect(page.locator("h1")).to_have_text("Accounts")
    page.get_by_role("button", name="Refresh by itself again").click()
    expect(page.locator("h1")).to_have_text("Changed")


def test_a_server_that_is_gone_is_said(live: Live, opened: Open) -> None:
    page = shown(live, opened)
    page.route("**/version.json", lambda route: route.abort())
    page.clock.run_for(EVERY + 100)
    expect(page.locator(".live")).to_contain_text("does not answer")
    expect(page.locator("h1")).to_have_text("Accounts")


def test_a_page_whose_server_began_anew_says_so(live: Live, opened: Open) -> None:
    page = shown(live, opened, "/accounts/riverside/")
    page.route("**/version.json", lambda route: route.fulfill(status=404))
    page.clock.run_for(EVERY + 100)
    expect(page.locator(".live")).to_contain_text("another address")


def test_links_stay_under_the_address_that_was_told(live: Live, opened: Open) -> None:
    page = shown(live, opened, "/accounts/riverside/")
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.locator(".live")).to_contain_text("refreshes by itself")
    assert page.url.startswith(f"{live.address}/accounts/riverside/")


def test_without_a_script_the_page_asks_to_be_loaded_anew(live: Live, opened: Open) -> None:
    page = opened(f"{live.address}/", java_script_enabled=False).page
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "30"


def test_what_refreshing_adds_to_the_page_is_readable_by_everybody(live: Live, opened: Open) -> None:
    page = shown(live, opened)
    assert Axe().run(page).violations_count == 0
