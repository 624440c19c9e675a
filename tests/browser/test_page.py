"""The page in a real browser: quiet, within its own origin, readable by everybody, and useful without a script."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Page, expect

from tests.browser.conftest import PAGES, PHONE, PUBLIC, STAFF, WIDE, Open, Site
from tests.browser.school import LONG, QUIET

ACCOUNTS = QUIET + 3


# --- nothing it must not do -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_quiet_and_asks_nobody_else(path: str, site: Site, opened: Open) -> None:
    shown = opened(path)
    assert shown.errors == []
    assert shown.page.evaluate("window.violations") == []
    assert {urlsplit(url).netloc for url in shown.requests} == {urlsplit(site.address).netloc}
    assert shown.page.evaluate("getComputedStyle(document.body).fontFamily") != "Times New Roman"


def test_a_page_opened_from_a_folder_has_its_style_and_its_script(site: Site, opened: Open) -> None:
    shown = opened((site.folder / "staff" / "index.html").as_uri())
    assert shown.errors == []
    assert shown.page.locator("form.filters").is_visible()
    assert shown.page.locator("form.filters").evaluate("(one) => getComputedStyle(one).display") != "block"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_a_script_or_a_style_of_its_own(path: str, site: Site) -> None:
    text = (site.folder / path).read_text(encoding="utf-8")
    assert re.findall(r"<script(?! src=\"page\.js\" defer)", text) == []
    assert "<style" not in text
    assert re.findall(r"<[^>]+\s(?:style|on\w+)\s*=", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []
    assert "default-src 'none'" in text
    assert "unsafe" not in text.split("</head>")[0]


def test_what_people_wrote_is_shown_as_they_wrote_it_and_does_nothing(opened: Open) -> None:
    shown = opened("staff/accounts/oak-hill/index.html")
    reason = shown.page.locator(".stops li").first.inner_text()
    assert "<script>alert(1)</script>" in reason
    assert "\u202e" not in reason
    assert "\x1b" not in reason
    assert shown.page.locator("img, iframe, object").count() == 0
    overview = opened("staff/index.html")
    assert "<script>alert(1)</script>" in overview.page.locator("#accounts").inner_text()
    assert shown.errors + overview.errors == []


# --- for everybody who reads it ---------------------------------------------------------------------------------


FEW = (
    "staff/index.html",
    "staff/accounts/riverside/index.html",
    "staff/accounts/oak-hill/index.html",
    PUBLIC[0],
)


@pytest.mark.parametrize(
    ("scheme", "size", "paths"),
    # Colours do not depend on the width, so two of the four pairs are asked of a few pages only.
    [("light", WIDE, PAGES), ("dark", PHONE, PAGES), ("dark", WIDE, FEW), ("light", PHONE, FEW)],
    ids=["light-wide", "dark-phone", "dark-wide", "light-phone"],
)
def test_axe_finds_nothing_on_any_page(
    scheme: str, size: tuple[int, int], paths: tuple[str, ...], site: Site, opened: Open
) -> None:
    shown = opened(paths[0], size=size, color_scheme=scheme)
    found = {}
    for path in paths:
        shown.page.goto(f"{site.address}/{path}")
        # What is folded away is looked at too.
        shown.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        result = Axe().run(shown.page)
        if result.violations_count:
            found[path] = result.generate_report()
    assert found == {}


@pytest.mark.parametrize(
    "path", ["staff/index.html", "staff/accounts/riverside/index.html", "public/index.html"]
)
def test_everything_can_be_reached_with_the_keyboard_and_seen_there(path: str, opened: Open) -> None:
    page = opened(path).page
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter((one) => one.checkVisibility()).map((one, n) => { one.dataset.walk = n; return String(n); })"
    )
    met, unseen = [], []
    for _ in wanted:
        page.keyboard.press("Tab")
        told = page.evaluate(
            "(() => { const one = document.activeElement; const css = getComputedStyle(one);"
            " const seen = css.outlineStyle !== 'none' && parseFloat(css.outlineWidth) >= 1;"
            " return [one.dataset.walk || '', seen, one.outerHTML.slice(0, 80)]; })()"
        )
        met.append(told[0])
        unseen += [] if told[1] else [told[2]]
    assert met == wanted
    assert unseen == []


def test_the_skip_link_comes_first_and_leads_into_the_content(opened: Open) -> None:
    page = opened("staff/index.html").page
    page.keyboard.press("Tab")
    link = page.locator(".skip")
    expect(link).to_be_focused()
    box = link.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_filter_over_one_part_of_a_list_says_so_beside_its_count(site: Site, opened: Open) -> None:
    whole = (site.folder / "staff" / "index.html").read_text(encoding="utf-8")
    part = whole.replace('data-for="accounts"', 'data-for="accounts" data-part="part 1 of 3"')
    page = opened("", goto=False).page
    page.route("**/staff/index.html", lambda route: route.fulfill(body=part, content_type="text/html"))
    page.goto(f"{site.address}/staff/index.html")
    page.get_by_label("Search").fill("nobody has this name")
    expect(page.locator(".shown")).to_have_text(re.compile(r"0 of \d+ in part 1 of 3 shown"))


def test_a_walk_with_the_keyboard_filters_sorts_opens_and_copies(opened: Open) -> None:
    page = opened("staff/index.html").page
    page.locator("[data-text]").focus()
    page.keyboard.type("lakes")
    expect(page.locator(".shown")).to_have_text(f"1 of {ACCOUNTS} shown")
    page.locator("#accounts tbody tr:visible a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(LONG)
    page = opened(
        "staff/accounts/riverside/index.html", permissions=["clipboard-read", "clipboard-write"]
    ).page
    summary = page.locator("details.change summary").first
    summary.focus()
    page.keyboard.press("Enter")
    button = page.locator("details.change .copier").first
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("p.unseen[role=status]")).to_have_text("Copied")
    line = page.locator("details.change code.copy").first.inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == line


# --- finding things ---------------------------------------------------------------------------------------------


def rows(page: Page, table: str) -> list[str]:
    return page.locator(f"#{table} tbody tr:visible").all_inner_texts()


def test_search_and_filters_change_what_is_shown_and_say_so(opened: Open) -> None:
    page = opened("staff/schedules.html").page
    live = page.locator(".shown")
    everything = ACCOUNTS * 4
    expect(live).to_have_text(f"{everything} of {everything} shown")
    assert live.get_attribute("aria-live") == "polite"
    page.get_by_label("Type").select_option("grade passback")
    expect(live).to_have_text(f"{ACCOUNTS * 2} of {everything} shown")
    page.get_by_label("State").select_option("paused")
    expect(live).to_have_text(f"{ACCOUNTS} of {everything} shown")
    assert all("paused" in row for row in rows(page, "schedules"))
    page.get_by_label("Search").fill("oak grades")
    expect(live).to_have_text(f"1 of {everything} shown")
    page.get_by_role("button", name="Show all").click()
    expect(live).to_have_text(f"{everything} of {everything} shown")
    page.get_by_label("Search").fill("no such thing")
    expect(live).to_have_text(f"0 of {everything} shown")


def test_a_column_sorts_both_ways_and_says_which(opened: Open) -> None:
    page = opened("staff/schedules.html").page
    head = page.locator("#schedules thead th").first
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    names = page.locator("#schedules tbody th").all_inner_texts()
    assert names == sorted(names)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert page.locator("#schedules tbody th").all_inner_texts() == names[::-1]
    following = page.locator("#schedules thead th", has_text="Next run")
    following.get_by_role("button").click()
    assert page.locator("[aria-sort]").count() == 1
    times = page.locator("#schedules tbody tr td:nth-child(5) time")
    moments = times.evaluate_all("(all) => all.map((one) => Date.parse(one.dateTime))")
    assert moments == sorted(moments)
    assert page.locator("#schedules tbody tr td:nth-child(5)").last.inner_text() == "none"


@pytest.mark.parametrize("part", ["staff", "public", "alone"])
def test_every_link_leads_somewhere(part: str, site: Site) -> None:
    texts = site.texts(part)
    broken = []
    for path, text in texts.items():
        for link in re.findall(r'<a [^>]*href="([^"]*)"', text):
            target = urlsplit(unescape(link))
            file = (site.folder / path).parent / unquote(target.path) if target.path else site.folder / path
            if (
                target.scheme
                or not file.is_file()
                or (target.fragment and f'id="{target.fragment}"' not in file.read_text(encoding="utf-8"))
            ):
                broken.append((path, link))
    assert broken == []


# --- whatever it is opened with ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["staff/index.html", "staff/schedules.html", "staff/accounts/riverside/history.html"]
)
def test_without_a_script_everything_is_there_and_nothing_pretends_to_work(path: str, opened: Open) -> None:
    with_script = opened(path).page.locator("table tbody tr").count()
    page = opened(path, java_script_enabled=False).page
    assert page.locator("table tbody tr:visible").count() == with_script
    assert page.locator("form:visible, button:visible, input:visible, select:visible").count() == 0


def test_without_a_script_what_is_folded_still_opens(opened: Open) -> None:
    page = opened("staff/accounts/riverside/index.html", java_script_enabled=False).page
    change = page.locator("details.change").first
    change.locator("summary").click()
    expect(change.locator("code.copy").first).to_be_visible()


BEYOND = """
(() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const all = [...document.querySelectorAll("body *")];
  return all.filter((one) => one.getBoundingClientRect().right > room + 1).map((one) => one.outerHTML.slice(0, 90));
})()
"""
"""What reaches over the right edge of a page that scrolls sideways."""


@pytest.mark.parametrize("width", [360, 320])
def test_a_phone_never_scrolls_sideways(width: int, site: Site, opened: Open) -> None:
    shown = opened(PAGES[0], size=(width, 740))
    wide = {}
    for path in PAGES:
        shown.page.goto(f"{site.address}/{path}")
        shown.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        if beyond := shown.page.evaluate(BEYOND):
            wide[path] = beyond
    assert wide == {}


def test_letters_twice_as_large_cut_nothing_off(site: Site, opened: Open) -> None:
    shown = opened(PAGES[0], size=(640, 450), device_scale_factor=2)
    wide = {}
    for path in PAGES:
        shown.page.goto(f"{site.address}/{path}")
        shown.page.evaluate("document.documentElement.style.fontSize = '200%'")
        if beyond := shown.page.evaluate(BEYOND):
            wide[path] = beyond
        cut = shown.page.evaluate(
            "[...document.querySelectorAll('h1, h2, p, button, a, td, th, summary, label')]"
            ".filter((one) => one.checkVisibility() && getComputedStyle(one).overflow === 'hidden'"
            " && !one.closest('.unseen') && one.scrollHeight > one.clientHeight + 1)"
            ".map((one) => one.outerHTML.slice(0, 80))"
        )
        assert cut == [], path
    assert wide == {}


def test_on_paper_there_are_tables_and_no_controls(site: Site, opened: Open) -> None:
    page = opened("staff/index.html", color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.locator("form:visible, .skip:visible, .copier:visible").count() == 0
    assert page.locator("#accounts tbody tr:visible").count() == ACCOUNTS
    ink = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert ink[1] in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert sum(map(int, re.findall(r"\d+", ink[0])[:3])) < 200
    assert len(page.pdf(format="A4")) > 10_000


def test_whoever_wants_less_motion_gets_none(site: Site, opened: Open) -> None:
    shown = opened(PAGES[0], reduced_motion="reduce")
    for path in (PAGES[0], "staff/accounts/riverside/index.html"):
        shown.page.goto(f"{site.address}/{path}")
        moving = shown.page.evaluate(
            "[...document.querySelectorAll('*')].filter((one) => { const css = getComputedStyle(one);"
            " return parseFloat(css.transitionDuration) > 0.001 || parseFloat(css.animationDuration) > 0.001"
            " || css.scrollBehavior === 'smooth'; }).map((one) => one.outerHTML.slice(0, 80))"
        )
        assert moving == [], path


def test_an_old_page_says_so(opened: Open) -> None:
    shown = opened("staff/index.html", goto=False)
    fresh = opened("staff/index.html").page
    expect(fresh.locator("[data-stale]")).to_be_hidden()
    shown.page.clock.set_fixed_time("2036-01-01T00:00:00Z")
    shown.page.goto(fresh.url)
    expect(shown.page.locator("[data-stale]")).to_be_visible()


# --- who may see what -------------------------------------------------------------------------------------------

STAFF_WORDS = (
    *(
        "GS-",
        "gradesync ",
        "posted by",
        "sis-admin",
        "ticket 4711",
        "SIS upgrade",
        "gnissim",
        "@everyone",
        "reconcile",
    ),
    *(
        "yaml",
        "YAML",
        "breaker",
        "lease",
        "run id",
        "held by",
        "claims",
        "ledger",
        "roster-nightly",
        "grades-old",
    ),
)


def test_the_public_page_holds_no_word_for_staff(site: Site) -> None:
    met = {
        (path, word)
        for path, text in site.texts("public").items()
        for word in STAFF_WORDS
        # A district's own name is the district's; everything else on the page is ours.
        if word in re.sub(r"Riverside &lt;script.*?cmd\(\)", "", text)
    }
    assert met == set()
    files = {path.name for path in (site.folder / "public").rglob("*") if path.is_file()}
    assert not files & {"schedules.html", "history.html", "codes.html", "week.html"}


def test_an_accounts_folder_says_nothing_of_any_other(site: Site) -> None:
    for part in ("staff/accounts/oak-hill", "public/accounts/oak-hill"):
        for path, text in site.texts(part).items():
            assert "riverside" not in text.lower(), path
            assert LONG not in text, path
            assert "quiet-" not in text, path
            assert "../" not in text, path
    for path, text in site.texts("alone").items():
        assert "oak-hill" not in text, path


def test_no_file_is_larger_than_a_phone_can_open(site: Site) -> None:
    sizes = {path: path.stat().st_size for path in site.folder.joinpath("staff").rglob("*") if path.is_file()}
    assert max(sizes.values()) <= 1_000_000
    assert len([path for path in sizes if path.name == "index.html"]) == ACCOUNTS + 1


def test_every_kind_of_page_was_looked_at(site: Site) -> None:
    """A new kind of page must be added to the list above, or nobody opens it."""
    kinds = {path.rsplit("/", 1)[1] for path in (*site.texts("staff"), *site.texts("public"))}
    assert kinds == {path.rsplit("/", 1)[1] for path in (*STAFF, *PUBLIC)}
