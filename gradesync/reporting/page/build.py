"""From an overview to files: which there are, what is on each, and that none grows too large.

Yields account by account, so that a page of a whole state is never in memory at once. Knows no folder on a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradesync.domain.page_overview import Audience, Overview, PageAccount
from gradesync.domain.page_standing import WORST_FIRST, Word
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page import changes, chart, coming, public, runs, staff, stops
from gradesync.reporting.page.environment import assets, template
from gradesync.reporting.page.wording import SLUGS, Stamps

MAX_BYTES = 1_000_000
"""No file is larger: a phone on a school's network must be able to open it."""

ACCOUNTS_A_PART, SCHEDULES_A_PART = 900, 2_000
"""So many rows are tried in one file before it is split."""

File = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Options:
    """What the owner of a page chooses.

    `source` is where the tree's files can be seen, such as `https://git.example.org/org/repo/blob/main`; without it
    lines are named and not linked. `stale_after` is in minutes: an older page warns of itself. `alone` puts the pages
    of the only account at the top, for a folder that is that account's.
    """

    title: str = "gradesync"
    source: str | None = None
    stale_after: int = 90
    alone: bool = False


@dataclass(frozen=True, slots=True)
class _Site:
    """What every page says of itself."""

    title: str
    made: str
    made_iso: str
    stale_after: int
    here: int = 1
    parts: int = 1
    links: Sequence[tuple[int, str]] = ()

    @property
    def part(self) -> str:
        return f", part {self.here}" if self.parts > 1 else ""


def build(
    overview: Overview, *, audience: Audience = Audience.STAFF, options: Options | None = None
) -> Iterator[File]:
    """(path relative to the page's folder, content) of every file, each path once.

    An account's folder `accounts/KEY/` is complete in itself and holds nothing of another account.
    """
    chosen = options or Options()
    made = overview.at
    site = _Site(
        title=clean(chosen.title),
        made=words.utc(made),
        made_iso=f"{made:%Y-%m-%dT%H:%M:%S}Z",
        stale_after=chosen.stale_after,
    )
    stamps = Stamps(made)
    pages = _account_pages if audience is Audience.STAFF else _public_pages
    if not chosen.alone:
        yield from assets().items()
        front = _front if audience is Audience.STAFF else _public_front
        yield from front(overview, site, stamps, chosen)
    for account in overview.accounts:
        folder = "" if chosen.alone else f"accounts/{account.key}/"
        for name, content in assets().items():
            yield folder + name, content
        for name, content in pages(account, overview, site, stamps, chosen):
            yield folder + name, content


def _rendered(name: str, /, **values: Any) -> bytes:
    return template(name).render(values).encode("utf-8", "replace")


# --- for staff --------------------------------------------------------------------------------------------------


def _front(overview: Overview, site: _Site, stamps: Stamps, options: Options) -> Iterator[File]:
    rows = [staff.account_row(account, stamps, overview.at) for account in overview.accounts]
    by_word = dict.fromkeys(Word, 0)
    for account in overview.accounts:
        by_word[account.standing.word] += 1
    tiles = [(SLUGS[word], word.value, number) for word, number in by_word.items()]
    trouble = sum(by_word[word] for word in (Word.FAILING, Word.LATE, Word.WAITING))
    grouped = any(account.group for account in overview.accounts)
    need = "needs" if trouble == 1 else "need"
    lead = f"{words.plural(len(rows), 'account')}; {trouble or 'none'} {need} somebody."
    unrecorded = staff.unrecorded_rows(overview, options.source)

    def accounts(part: Sequence[Any], numbered: _Site) -> bytes:
        return _rendered(
            "overview.html",
            site=numbered,
            rows=part,
            tiles=tiles,
            lead=lead,
            grouped=grouped,
            unrecorded=unrecorded,
            more=len(overview.unrecorded) - len(unrecorded),
        )

    yield from _in_parts("index", rows, ACCOUNTS_A_PART, accounts, site)
    worst = sorted(
        (one for account in overview.accounts for one in account.schedules),
        key=lambda one: (WORST_FIRST[one.word], one.row.schedule.id),
    )
    lines = [staff.schedule_row(one, stamps) for one in worst]
    counted = f"{words.plural(len(lines), 'schedule')} of {words.plural(len(rows), 'account')}."

    def schedules(part: Sequence[Any], numbered: _Site) -> bytes:
        return _rendered("schedules.html", site=numbered, rows=part, lead=counted, grouped=grouped)

    yield from _in_parts("schedules", lines, SCHEDULES_A_PART, schedules, site)
    yield from _stops(overview, site, stamps)
    codes = {code for account in overview.accounts for code, _ in account.standing.causes}
    codes.update(code for _, _, code, _, _ in unrecorded)
    links = [
        ("index.html", "Accounts"),
        ("schedules.html", "Schedules"),
        ("stops.html", "Stops and runs"),
        ("codes.html", "Codes"),
    ]
    heading = f"{site.title}: what the codes mean"
    yield (
        "codes.html",
        _rendered("codes.html", site=site, codes=staff.code_rows(codes), links=links, heading=heading),
    )


def _stops(overview: Overview, site: _Site, stamps: Stamps) -> Iterator[File]:
    """Across accounts: each hold and each blackout once, however many accounts it stands in.

    Four lists, one after the other: a part holds what of them its place in the whole has.
    """
    every = overview.accounts
    lists: dict[str, Sequence[Any]] = {
        "holds": stops.all_holds(overview, stamps),
        "running": [stops.running(one, overview.at) for one in every if one.lease is not None],
        "requests": [(one.key, *row) for one in every for row in stops.request_rows(one, stamps)],
        "blackouts": stops.all_blackouts(overview),
    }
    rows = [(name, row) for name, found in lists.items() for row in found]

    def parted(part: Sequence[Any], numbered: _Site) -> bytes:
        here = {name: [row for whose, row in part if whose == name] for name in lists}
        # The first part names every list: one that is missing would read as if there were nothing of its kind.
        shown = {name: bool(here[name]) or numbered.here == 1 for name in lists}
        later = {name: bool(found) and not here[name] for name, found in lists.items()}
        return _rendered("stops.html", site=numbered, shown=shown, later=later, searched=False, **here)

    return _in_parts("stops", rows, SCHEDULES_A_PART, parted, site)


def _account_pages(
    account: PageAccount, overview: Overview, site: _Site, stamps: Stamps, options: Options
) -> Iterator[File]:
    now, zone = overview.at, account.time_zone
    a = {
        "name": clean(account.name),
        "key": account.key,
        "group": clean(account.group or ""),
        "zone": clean(zone),
    }
    blackouts = stops.blackout_rows(account, now)
    yield "index.html", _account_index(account, a, overview, site, stamps, options)
    yield "history.html", _history(account, a, site, stamps)
    days = coming.week_days(account.week, now) if account.week is not None else []
    idle = coming.idle_rows(account.week) if account.week is not None else []
    yield (
        "week.html",
        _rendered("week.html", site=site, a=a, here="week.html", blackouts=blackouts, days=days, idle=idle),
    )
    links = [
        ("index.html", "Now"),
        ("history.html", "History"),
        ("week.html", "Coming week"),
        ("codes.html", "Codes"),
    ]
    yield (
        "codes.html",
        _rendered(
            "codes.html",
            site=site,
            codes=staff.code_rows(staff.codes_of(account)),
            links=links,
            heading=f"{a['name']}: what the codes mean",
        ),
    )


def _account_index(
    account: PageAccount, a: dict[str, str], overview: Overview, site: _Site, stamps: Stamps, options: Options
) -> bytes:
    """How the account stands now; only the oldest of its holds and wishes where all would make the file too large."""
    now = overview.at
    strips, strip_rows = chart.strips(account.runs, account.time_zone, stamps)
    holds, requests = stops.hold_rows(account, stamps, now), stops.request_rows(account, stamps)
    same = {
        "site": site,
        "a": a,
        "here": "index.html",
        "s": staff.standing(account, stamps, now),
        "running": stops.running(account, now),
        "schedules": [staff.schedule_row(one, stamps) for one in account.schedules],
        "changes": changes.changes(account, overview.written, options.source),
        "strips": strips,
        "strip_rows": strip_rows,
        "waiting": staff.waiting_rows(account, now),
        "blackouts": stops.blackout_rows(account, now),
    }
    most = max(len(holds), len(requests))
    while True:
        content = _rendered(
            "account.html",
            **same,
            holds=holds[:most],
            more_holds=len(holds[most:]),
            requests=requests[:most],
            more_requests=len(requests[most:]),
        )
        if len(content) <= MAX_BYTES or most < 2:
            return content
        most //= 2


def _history(account: PageAccount, a: dict[str, str], site: _Site, stamps: Stamps) -> bytes:
    """The newest runs; fewer than were read where they would make the file too large."""
    rows = [runs.run_row(run, account.time_zone, stamps, account.lease) for run in account.runs]
    while True:
        older = account.runs_kept - len(rows)
        more = f"gradesync history {account.key} --last 200"
        told = f"The newest {words.plural(len(rows), 'run')}."
        if older > 0:
            verb = "is" if older == 1 else "are"
            told += f" {older:,} older {verb} recorded; {more} shows them."
        content = _rendered("history.html", site=site, a=a, here="history.html", lead=told, runs=rows)
        if len(content) <= MAX_BYTES or len(rows) < 2:
            return content
        rows = rows[: len(rows) // 2]


# --- for everybody ----------------------------------------------------------------------------------------------


def _public_front(
    overview: Overview,
    site: _Site,
    stamps: Stamps,
    options: Options,  # noqa: ARG001 - the same shape as the staff's front
) -> Iterator[File]:
    rows = [public.account_row(account, stamps) for account in overview.accounts]
    well = sum(account.standing.word is Word.OK for account in overview.accounts)
    lead = "Everywhere." if well == len(rows) else "Not everywhere: see below."

    def accounts(part: Sequence[Any], numbered: _Site) -> bytes:
        return _rendered("public_overview.html", site=numbered, rows=part, lead=lead)

    yield from _in_parts("index", rows, SCHEDULES_A_PART, accounts, site)


def _public_pages(
    account: PageAccount,
    overview: Overview,  # noqa: ARG001 - the same shape as the staff's pages
    site: _Site,
    stamps: Stamps,
    options: Options,  # noqa: ARG001 - the same shape as the staff's pages
) -> Iterator[File]:
    yield "index.html", _rendered("public_account.html", site=site, **public.account_page(account, stamps))


# --- long lists -------------------------------------------------------------------------------------------------


def _in_parts(
    name: str, rows: Sequence[Any], most: int, render: Callable[[Sequence[Any], _Site], bytes], site: _Site
) -> Iterator[File]:
    """One file, or as many as it takes for none to be too large."""
    while True:
        pieces = [rows[at : at + most] for at in range(0, len(rows), most)] or [rows]
        links = [(number, _file(name, number)) for number in range(1, len(pieces) + 1)]
        made: list[File] = []
        for (number, file), piece in zip(links, pieces, strict=True):
            content = render(piece, replace(site, here=number, parts=len(pieces), links=links))
            if len(content) > MAX_BYTES and most > 1:
                most //= 2
                break
            made.append((file, content))
        else:
            yield from made
            return


def _file(name: str, number: int) -> str:
    return f"{name}.html" if number == 1 else f"{name}-{number}.html"


__all__ = ["MAX_BYTES", "Options", "build"]
