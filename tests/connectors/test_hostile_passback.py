"""Whole passbacks against a SIS that serves one class badly, in every write mode.

Nothing is lost (what is not there has a code), nothing is doubled, the run ends in time, the class after the bad one
is served; and once the SIS behaves again, the next run brings everything and the one after it writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from aiohttp import web

from gradesync.domain.profile import POST, PROFILES, PUT, SERVER_IDS, SisProfile
from gradesync.sandbox.server import Sandbox
from tests.connectors.badly_served import HURRY, Town
from tests.connectors.meddler import Ask, Got, drip, huge, torn

USUAL = replace(PROFILES["genesis"], write_mode=PUT)
POSTING = replace(PROFILES["oneroster-1.2"], write_mode=POST)
MINTING = replace(PROFILES["genesis"], write_mode=SERVER_IDS)

Manner = Callable[[Town], None]


def at_reads(answer: Callable[[Ask], web.Response]) -> Manner:
    """Every read of the bad class's gradebook is answered so."""
    return _before(lambda ask: not ask.writes and "/students" not in ask.path, answer)


def at_writes(answer: Callable[[Ask], web.Response]) -> Manner:
    """Every write to the bad class is answered so, and stores nothing."""
    return _before(lambda ask: ask.writes, answer)


def _before(meant: Callable[[Ask], bool], answer: Callable[[Ask], web.Response]) -> Manner:
    def take(town: Town) -> None:
        async def before(ask: Ask) -> web.StreamResponse | None:
            return answer(ask) if ask.about == town.bad and meant(ask) else None

        town.meddler.before = before

    return take


def streaming(stream: Callable[[web.Request], object]) -> Manner:
    """Reads of the bad class's results are answered by a stream."""

    def take(town: Town) -> None:
        if stream is drip:
            town.timeouts = HURRY

        async def before(ask: Ask) -> web.StreamResponse | None:
            if ask.about == town.bad and ask.path.endswith("/results") and ask.method == "GET":
                return await stream(ask.request)  # type: ignore[no-any-return,misc]  # a coroutine function
            return None

        town.meddler.before = before

    return take


def after_reads(change: Callable[[Got], None], about_all: bool = False) -> Manner:
    """What the SIS says of the bad class's gradebook is changed on its way."""

    def take(town: Town) -> None:
        def after(ask: Ask, got: Got) -> None:
            if ask.method == "GET" and (about_all or ask.about == town.bad):
                change(got)

        town.meddler.after = after

    return take


def after_writes(change: Callable[[Got], None]) -> Manner:
    """Writes to the bad class are stored; what the SIS says of them is changed on its way."""

    def take(town: Town) -> None:
        def after(ask: Ask, got: Got) -> None:
            if ask.writes and ask.about == town.bad:
                change(got)

        town.meddler.after = after

    return take


def behaving(**changes: object) -> Manner:
    """The whole SIS has a manner."""
    return lambda town: town.behaviour.change(changes)


def said(status: int, body: str, kind: str = "application/json") -> Callable[[Ask], web.Response]:
    return lambda _ask: web.Response(status=status, text=body, content_type=kind)


def failure(text: str) -> dict[str, str]:
    return {"imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_description": text}


def swallowed(ask: Ask) -> web.Response:
    """A yes as the mode wants it, and nothing stored."""
    if ask.method == "POST":
        sent = next(iter(json.loads(ask.body).values()))[0]["sourcedId"]
        pair = {"suppliedSourcedId": sent, "allocatedSourcedId": "nowhere"}
        return web.json_response({"sourcedIdPairs": [pair]}, status=201)
    return web.Response(status=200)


def emptied(status: int = 0) -> Callable[[Got], None]:
    def change(got: Got) -> None:
        got.body, got.status = b"", status or got.status

    return change


def answered(status: int, body: bytes) -> Callable[[Got], None]:
    def change(got: Got) -> None:
        got.status, got.body = status, body

    return change


def halved(got: Got) -> None:
    got.body = got.body[: len(got.body) // 2]


def doubled(got: Got) -> None:
    data = json.loads(got.body)
    for key, rows in data.items():
        if isinstance(rows, list):
            data[key] = [*rows, *rows]
    got.body = json.dumps(data).encode()


def twice(got: Got) -> None:
    """Every result is shown once more under another id, as some servers do after a race."""
    data = json.loads(got.body)
    rows = data.get("results", [])
    data |= (
        {"results": [*rows, *({**row, "sourcedId": f"{row['sourcedId']}-2"} for row in rows)]} if rows else {}
    )
    got.body = json.dumps(data).encode()
    got.headers = {k: v for k, v in got.headers.items() if k.lower() not in ("link", "x-total-count")}
    got.headers["X-Total-Count"] = str(2 * len(rows))


def renamed(got: Got) -> None:
    got.body = json.dumps({"payload": next(iter(json.loads(got.body).values()), [])}).encode()


def mute_headers(got: Got) -> None:
    got.headers = {k: v for k, v in got.headers.items() if k.lower() not in ("link", "x-total-count")}


LOGIN = "<html><title>Sign in</title></html>"

MANNERS: dict[str, Manner] = {
    "stores nothing": at_writes(swallowed),
    "stores nothing and says 202": at_writes(lambda ask: web.Response(status=202)),
    "accepts with 202": behaving(accept_later=True),
    "answers writes with nothing": after_writes(emptied(204)),
    "answers writes with a page": after_writes(answered(200, LOGIN.encode())),
    "stores under another id": behaving(own_ids=True),
    "refuses, wrapped": at_writes(said(422, json.dumps({"imsx_StatusInfo": failure("no such thing")}))),
    "refuses, flat": at_writes(said(422, json.dumps({"error": "Validation exception"}))),
    "refuses, a list": at_writes(said(400, json.dumps({"detail": [{"msg": "field required"}]}))),
    "refuses with a page": at_writes(said(422, "<html>no</html>", "text/html")),
    "refuses with nothing": at_writes(said(409, "")),
    "refuses with 404 and a page": at_writes(said(404, "<html>not here</html>", "text/html")),
    "refuses with 405": at_writes(said(405, "")),
    "refuses with 401": at_writes(said(401, "")),
    "reads are 401": at_reads(said(401, "")),
    "refuses with yes": at_writes(said(200, json.dumps(failure("the grading window is closed")))),
    "breaks down at writes": at_writes(said(500, "<html>oops</html>", "text/html")),
    "breaks down after writes": after_writes(answered(500, b"<html>oops</html>")),
    "gateway times out after writes": after_writes(answered(504, b"")),
    "says something new": at_writes(said(418, json.dumps(failure("the teapot is short and stout")))),
    "throttles by 403 for ever": at_writes(said(403, "403 Forbidden Rate Limit", "text/plain")),
    "unknown to reads": at_reads(said(404, json.dumps(failure("unknown class")))),
    "unknown to reads, a page": at_reads(said(404, "<html>nothing here</html>", "text/html")),
    "reads are a sign-in page": at_reads(said(200, LOGIN, "text/html")),
    "reads are null": at_reads(said(200, "null")),
    "reads are no object": at_reads(said(200, '{"lineItems": {"a": 1}, "results": 7}')),
    "reads are forbidden": at_reads(said(403, json.dumps(failure("forbidden")))),
    "reads break down": at_reads(said(503, "")),
    "half the JSON": after_reads(halved),
    "half the body": streaming(torn),
    "fifty megabytes": streaming(huge),
    "slow loris": streaming(drip),
    "another envelope": after_reads(renamed, about_all=True),
    "wrong envelope": behaving(wrong_envelope=True),
    "clamps without headers": behaving(page_clamp=2, total_header=False, link_header=False),
    "no headers": after_reads(mute_headers, about_all=True),
    "links elsewhere": behaving(page_clamp=2, total_header=False, link_origin="http://foreign.example"),
    "relative links": behaving(page_clamp=2, total_header=False, link_relative=True),
    "repeats rows across pages": behaving(page_clamp=3, shifting_pages=True),
    "says every row twice": after_reads(doubled, about_all=True),
    "shows every cell under two ids": after_reads(twice),
    "tokens die": behaving(token_uses=4),
    "rounds": behaving(score_decimals=0),
    "cuts titles": behaving(title_limit=30),
    "midnight": behaving(dates_at_midnight=True),
    "locked": behaving(lock_every=2),
}

FOR_ALL = {"stores under another id", "rounds", "cuts titles", "midnight", "locked"}
"""Manners of the whole SIS that may keep a record from being as sent, in every class."""
LASTING = {"rounds", "cuts titles", "midnight"}
"""Manners whose traces stay when the SIS behaves again: what it made of a record is told once, and not sent again."""


OF_READS = {
    name
    for name in MANNERS
    if any(
        word in name for word in ("read", "half", "page", "links", "header", "loris", "megabytes", "envelope")
    )
} - {"answers writes with a page", "refuses with a page", "refuses with 404 and a page"}
"""Reading is the same in every write mode; one of them is enough."""
CASES = [(USUAL, name) for name in MANNERS]
CASES += [(POSTING, name) for name in MANNERS if name not in OF_READS]
CASES += [
    (MINTING, name)
    for name in MANNERS
    if name.startswith(("stores", "answers", "accepts")) or "after" in name
]


@pytest.mark.parametrize(
    ("profile", "name"), CASES, ids=[f"{one.version} {one.write_mode}: {name}" for one, name in CASES]
)
def test_a_bad_class_loses_nothing_doubles_nothing_and_keeps_nobody_waiting(
    sandbox: Sandbox, profile: SisProfile, name: str
) -> None:
    town = Town(sandbox, profile)
    MANNERS[name](town)
    tracker = town.run()
    assert town.ended is None, str(town.ended)
    for class_id in town.classes:
        assert_accounted(town, class_id, unread=bool(_unread(tracker.counts)))
        if class_id != town.bad and name not in FOR_ALL:
            assert town.held(class_id) == town.wanted(class_id)

    town.calm()
    again = town.run()
    assert town.ended is None
    for class_id in town.classes:
        if name not in LASTING:
            assert_accounted(town, class_id, unread=False)
            assert town.held(class_id) == town.wanted(class_id), again.codes
            assert town.waiting(class_id) == 0
    town.run()
    assert town.meddler.writes == []


LATER = (
    "shows every cell under two ids",
    "stores nothing",
    "stores under another id",
    "breaks down after writes",
    "gateway times out after writes",
    "refuses, wrapped",
    "half the JSON",
    "unknown to reads",
    "repeats rows across pages",
    "tokens die",
    "rounds",
)


@pytest.mark.parametrize("name", LATER)
def test_changed_scores_meet_a_bad_class_as_well(sandbox: Sandbox, name: str) -> None:
    """What the SIS holds is replaced by PUT whoever minted its id, so one mode is enough."""
    town = Town(sandbox, USUAL)
    town.run()
    town.regrade()
    MANNERS[name](town)
    tracker = town.run()
    assert town.ended is None, str(town.ended)
    for class_id in town.classes:
        assert_accounted(town, class_id, unread=bool(_unread(tracker.counts)))
        if class_id != town.bad and name not in FOR_ALL:
            assert town.held(class_id) == town.wanted(class_id)
    town.calm()
    town.run()
    for class_id in town.classes:
        if name not in LASTING:
            assert_accounted(town, class_id, unread=False)
            assert town.held(class_id) == town.wanted(class_id)
            assert town.waiting(class_id) == 0
    town.run()
    assert town.meddler.writes == []


def assert_accounted(town: Town, class_id: str, *, unread: bool) -> None:
    """No cell twice, no column twice, and a code for every cell that is not as Canvas shows it."""
    held, wanted = town.held(class_id), town.wanted(class_id)
    assert all(len(scores) == 1 for scores in held.values()), held
    assert town.columns(class_id) <= 2
    wrong = [cell for cell in wanted if held.get(cell) != wanted[cell]]
    assert not wrong or unread or town.waiting(class_id) >= len(wrong), (len(wrong), town.waiting(class_id))


def _unread(counts: object) -> int:
    assert hasattr(counts, "__getitem__")
    return int(counts["classes not read"] + counts["courses not read"])
