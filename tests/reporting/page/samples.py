"""Accounts for the page: an ordinary one, one whose owners are as hostile as they can be, and any number more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser

from gradesync.domain.account import Blackout
from gradesync.domain.hold import Hold, HoldScope, Request
from gradesync.domain.page_overview import Audience, Overview, PageAccount, PageSchedule, Written
from gradesync.domain.page_standing import standing_of, word_of
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import (
    Actor,
    Headway,
    Lease,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
)
from gradesync.domain.run_line import line_of
from gradesync.domain.schedule import ScheduleId
from gradesync.domain.week import account_week
from gradesync.reporting.page import Options, build
from tests.reporting import samples as s

EVIL = (
    "<script>alert(1)</script>\"'&<b>x</b> ::set-output name=a::b @everyone =cmd() \u202egnissim\x1b[2J\u2066"
)
PERSON = "Dana Quimby"


def an_account(
    key: str = "riverside",
    *,
    name: str = "Riverside Public Schools",
    text: str = "SIS upgrade",
    person: str = PERSON,
    runs: int = 3,
    kept: int | None = None,
) -> PageAccount:
    """Three schedules, `runs` runs of the grades, a hold, a blackout, a wish, and somebody at work."""
    rows = [_of(key, row, text, person) for row in s.ROWS]
    ends = tuple(_run(key, number, text, person) for number in range(runs))
    holds = (
        Hold(
            f"h-{key}",
            HoldScope(key, "roster-nightly"),
            Actor(person, "OS user"),
            text,
            s.at(9),
            s.at(9, day=28),
        ),
    )
    start = datetime(2026, 11, 26)  # noqa: DTZ001 - wall time, as a blackout is written
    blackouts = (Blackout(text[:60], start, start + timedelta(days=2), s.ZONE, ("roster-nightly",)),)
    at_work = Run(
        **{
            **{f: getattr(ends[0], f) for f in ends[0].__slots__},
            "id": f"now-{key}",
            "state": RunState.RUNNING,
        }
        | {"result": None}
    )
    return PageAccount(
        key=key,
        name=name,
        time_zone=s.ZONE,
        group=text[:30],
        standing=standing_of(rows, [line_of(run) for run in ends], ("district", "teacher"), s.NOW),
        schedules=tuple(PageSchedule(row, word_of(row, s.NOW), ("teacher",)) for row in rows),
        runs=tuple(line_of(run) for run in (at_work, *ends)),
        runs_kept=runs + 1 if kept is None else kept,
        holds=holds,
        blackouts=blackouts,
        requests=(
            Request(f"q-{key}", ScheduleId(key, "grades"), Actor(person, "CI"), Mode.FULL, s.at(13), text),
        ),
        lease=Lease(key, 3, at_work.id, person, s.at(14), s.at(15), headway=Headway("write", 12, 40)),
        week=account_week(
            key, name, s.ZONE, [row.schedule for row in rows], holds, blackouts, s.NOW, 7, group="north"
        ),
    )


def _of(key: str, row: ScheduleRow, text: str, person: str) -> ScheduleRow:
    schedule = replace(
        row.schedule,
        id=ScheduleId(key, row.schedule.id.name),
        posted_by=person,
        first_run="2026-09-01 02:00",
        reason=text if row.schedule.reason else None,
    )
    blocks = tuple(replace(block, sentence=f"{block.sentence}: {text}") for block in row.blocks)
    last = None if row.last is None else replace(row.last, schedule=schedule.id)
    return replace(row, schedule=schedule, blocks=blocks, last=last, group=text[:30])


def _run(key: str, number: int, text: str, person: str) -> Run:
    at = s.at(14) - timedelta(minutes=15 * number)
    result = RunResult(
        Outcome.WARNING if number % 2 else Outcome.COMPLETED,
        Stage.RECORD,
        counts={"sent": 1234, "unchanged": 88_000, "withheld": 7},
        codes={"GS-401": 4, "GS-405": 3} if number % 2 else {},
        vendor={"GS-401": f"vendor says {text}"},
    )
    return s.run(
        ScheduleId(key, "grades"),
        result,
        id=f"{number:032x}",
        created_at=at,
        started_at=at,
        ended_at=at,
        trigger=Trigger.BY_HAND,
        actor=Actor(person, "OS user"),
        reason=text,
    )


def site(
    *accounts: PageAccount,
    audience: Audience = Audience.STAFF,
    options: Options | None = None,
    written: bool = False,
) -> dict[str, str]:
    """The files as text, by path; a path comes once."""
    places = {
        one.row.schedule.id: Written(f"schedules/{one.row.schedule.id.account}.yaml", 31, differs=True)
        for account in accounts
        for one in account.schedules
    }
    whole = Overview(s.NOW, accounts, "4f2c1ab", places if written else {})
    files = list(build(whole, audience=audience, options=options))
    assert len({name for name, _ in files}) == len(files)
    return {name: content.decode() for name, content in files}


class Page(HTMLParser):
    """What a browser sees: tags with their attributes, and the text outside of them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, blanks folded."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attrs for name, attrs in self.tags if name == tag]
