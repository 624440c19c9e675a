"""What the connections are opened with: scopes that fit their use, and the limits of the day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from gradesync.domain.account import Account
from gradesync.domain.profile import PROFILES, READ_SCOPES_11
from gradesync.errors import ConnectionProblem
from gradesync.ports import GradebookReader, RosterSource
from gradesync.wiring.connections import HttpConnections
from tests.connectors.hostile import Hostile, hostile, says
from tests.domain.plan_samples import definition

OWN = ["own/everything.readonly", "own/gradebook.createput"]


class Given:
    """Secrets that are what they are called."""

    def value(self, reference: str, account: str, name: str) -> str:
        return reference.removeprefix("env:").lower()


class Ours:
    """A lease that is never lost."""

    run = ""

    def check(self) -> None:
        return None


def account(server: Hostile, scopes: list[str] | None = None, **more: Any) -> Account:
    sis = {**definition("r")["sis"], "url": server.url, **({"scopes": scopes} if scopes else {})}
    canvas = {"url": server.url, "token": "env:TOKEN"}
    return Account.from_definitions("r", definition("r", sis=sis, canvas=canvas, **more), {})


@asynccontextmanager
async def sis_of(use: str, one: Account) -> AsyncIterator[GradebookReader | RosterSource]:
    """The SIS side of a use."""
    connections = HttpConnections(Given())
    if use == "writing grades":
        async with connections.gradebook(one, Ours()) as (_, sink):
            yield sink
    elif use == "previewing grades":
        async with connections.gradebook_readonly(one) as (_, reader):
            yield reader
    elif use == "importing rosters":
        async with connections.roster(one, Ours()) as (source, _):
            yield source
    else:
        async with connections.roster_readonly(one) as (source, _):
            yield source


async def asked(use: str, scopes: list[str] | None) -> list[str]:
    """The scopes in the one token request of a use of the SIS."""
    async with hostile(says({"access_token": "t", "expires_in": 3600}), says({}, 404)) as server:
        async with sis_of(use, account(server, scopes)) as sis:
            with suppress(ConnectionProblem):
                await sis.identity()
        (token,) = [seen for seen in server.seen if seen.path == "/token"]
        return parse_qs(token.body.decode())["scope"][0].split()


@pytest.mark.parametrize("use", ["previewing grades", "importing rosters", "previewing rosters"])
def test_whoever_only_reads_asks_for_no_right_to_write(use: str) -> None:
    assert asyncio.run(asked(use, OWN)) == OWN[:1]
    assert asyncio.run(asked(use, None)) == list(READ_SCOPES_11)


def test_writing_grades_asks_for_the_scopes_written_out_or_else_the_profiles() -> None:
    assert asyncio.run(asked("writing grades", OWN)) == OWN
    assert asyncio.run(asked("writing grades", None)) == list(PROFILES["genesis"].write_scopes)


@pytest.mark.parametrize(
    ("now", "threshold"),
    [
        (datetime(2027, 8, 20, 3, 59, tzinfo=UTC), b"10"),
        (datetime(2027, 8, 20, 4, 0, tzinfo=UTC), b"80"),
        (datetime(2027, 9, 11, 3, 59, tzinfo=UTC), b"80"),
        (datetime(2027, 9, 11, 4, 0, tzinfo=UTC), b"10"),
    ],
)
def test_canvas_own_brake_is_widened_on_the_local_days_of_an_expected_change(
    now: datetime, threshold: bytes, tmp_path: Path
) -> None:
    users = tmp_path / "users.csv"
    users.write_text("user_id")
    expect = [
        {"name": "x", "from": "2027-08-20", "until": "2027-09-10", "change_limit": {"enrollments": 0.8}}
    ]

    async def uploaded() -> bytes:
        async with hostile(says({"id": 1, "workflow_state": "created"})) as server:
            one = account(server, roster={"expect": expect})
            async with HttpConnections(Given(), lambda: now).roster(one, Ours()) as (_, canvas):
                await canvas.start_import({"users.csv": users}, data_set="d", remaster=False)
            return server.seen[-1].body

    field = b'name="change_threshold"'
    assert asyncio.run(uploaded()).split(field, 1)[1].split()[0] == threshold


def test_headers_are_read_from_where_they_are_kept_and_sent_to_the_sis_alone() -> None:
    async def run() -> None:
        async with hostile(says({"access_token": "t"}), says({}, 404)) as server:
            one = account(server)
            headers = (("X-Vendor", "env:VENDOR"), ("X-Client", "plain"))
            one = replace(one, sis=replace(one.sis, profile=replace(one.sis.profile, headers=headers)))
            async with sis_of("writing grades", one) as sis:
                with suppress(ConnectionProblem):
                    await sis.identity()
            for seen in server.seen:
                assert (seen.headers["x-vendor"], seen.headers["x-client"]) == ("vendor", "plain")

    asyncio.run(run())


def test_a_header_with_a_line_break_in_its_secret_is_refused() -> None:
    class Odd(Given):
        def value(self, reference: str, account: str, name: str) -> str:
            return "a\r\nHost: evil" if "header" in name else Given.value(self, reference, account, name)

    async def run() -> None:
        async with hostile(says({})) as server:
            one = account(server)
            headers = (("X-Vendor", "env:VENDOR"),)
            one = replace(one, sis=replace(one.sis, profile=replace(one.sis.profile, headers=headers)))
            with pytest.raises(ConnectionProblem) as caught:
                async with HttpConnections(Odd()).gradebook(one, Ours()):
                    pass
            assert caught.value.code == "GS-207"
            assert server.seen == []

    asyncio.run(run())


def test_the_key_goes_in_the_form_where_the_profile_says_so() -> None:
    async def run() -> None:
        async with hostile(says({"access_token": "t"}), says({}, 404)) as server:
            one = account(server)
            one = replace(one, sis=replace(one.sis, profile=replace(one.sis.profile, token_auth="form")))
            async with sis_of("writing grades", one) as sis:
                with suppress(ConnectionProblem):
                    await sis.identity()
            (token,) = [seen for seen in server.seen if seen.path == "/token"]
            assert "authorization" not in token.headers
            assert "client_secret" in parse_qs(token.body.decode())

    asyncio.run(run())


def test_the_right_to_remove_is_asked_for_only_where_the_policy_removes() -> None:
    async def scopes(**more: Any) -> str:
        async with hostile(says({"access_token": "t"}), says({}, 404)) as server:
            async with sis_of("writing grades", account(server, **more)) as sis:
                with suppress(ConnectionProblem):
                    await sis.identity()
            (token,) = [seen for seen in server.seen if seen.path == "/token"]
            return token.body.decode()

    assert "gradebook.delete" not in asyncio.run(scopes())
    assert "gradebook.delete" in asyncio.run(scopes(passback={"deletions": "delete"}))
