"""An account with roster files reads its roster from them, and its grades still go to the SIS's service."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradesync.connectors.canvas_csv import CanvasCsvSource
from gradesync.connectors.oneroster_csv import OneRosterCsvSource
from gradesync.connectors.spool import ListIntake
from gradesync.domain.account import Account
from gradesync.domain.roster import Roster
from gradesync.errors import ConnectionProblem
from gradesync.wiring.connections import HttpConnections
from tests.connectors.exports import export_12
from tests.connectors.test_sftp import LINE, PASSWORD, Server, served
from tests.domain.plan_samples import definition


class Given:
    """Secrets by their reference."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.asked: list[str] = []

    def value(self, reference: str, account: str, name: str) -> str:
        self.asked.append(reference)
        return self.values.get(reference.partition(":")[2], "secret")


class Ours:
    run = ""

    def check(self) -> None:
        return None


def rested(path: Path) -> None:
    """As if it had arrived an hour ago."""
    at = path.stat().st_mtime - 3600
    os.utime(path, (at, at))


def account(roster: dict[str, Any], **sis: Any) -> Account:
    both = {**definition("r")["sis"], **sis, "roster": roster}
    return Account.from_definitions(
        "r", definition("r", sis={k: v for k, v in both.items() if v is not None}), {}
    )


def read(one: Account, root: Path, secrets: Given) -> Roster:
    async def go() -> Roster:
        intake = ListIntake()
        async with HttpConnections(secrets, root=root).roster_readonly(one) as (source, _):
            assert await source.identity() == "d1"
            await source.read_roster(lambda _done, _total: None, intake)
        return intake.roster()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("form", "kind"), [("oneroster csv", OneRosterCsvSource), ("canvas csv", CanvasCsvSource)]
)
def test_the_format_chooses_the_source_for_runs_and_dry_runs_alike(form: str, kind: type) -> None:
    async def go() -> None:
        one = account({"format": form, "path": "x"})
        async with HttpConnections(Given()).roster_readonly(one) as (source, _):
            assert type(source) is kind
        async with HttpConnections(Given()).roster(one, Ours()) as (source, _):
            assert type(source) is kind

    asyncio.run(go())


def test_files_are_looked_for_below_the_tree_and_no_key_of_the_sis_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = export_12().zip(tmp_path / "in" / "x.zip")
    rested(path)
    secrets = Given()
    roster = read(account({"format": "oneroster csv", "path": "in/*.zip"}), tmp_path, secrets)
    assert len(roster.users) == 3
    assert secrets.asked == ["env:r-TOKEN"]


def test_guardians_come_along_where_the_account_wants_observers(tmp_path: Path) -> None:
    rested(export_12().zip(tmp_path / "x.zip"))
    one = account({"format": "oneroster csv", "path": "x.zip"})
    policy = replace(one.roster, mapping=replace(one.roster.mapping, guardians="observers"))
    assert len(read(replace(one, roster=policy), tmp_path, Given()).users) == 4


def test_a_server_is_shown_the_password_the_reference_leads_to_and_the_copy_is_gone_afterwards(
    tmp_path: Path,
) -> None:
    out = tmp_path / "served" / "out"
    out.mkdir(parents=True)
    rested(export_12().zip(out / "x.zip"))

    async def go() -> tuple[list[Path], Roster]:
        async with served(Server(tmp_path / "served")) as server:
            sftp = {
                "host": "127.0.0.1",
                "port": server.port,
                "user": "gradesync",
                "host_key": LINE,
                "password": "env:P",
            }
            one = account({"format": "oneroster csv", "path": "/out/*.zip", "sftp": sftp})
            intake = ListIntake()
            async with HttpConnections(Given(P=PASSWORD)).roster(one, Ours()) as (source, _):
                await source.read_roster(lambda _done, _total: None, intake)
                pickup = source._pickup  # type: ignore[attr-defined]  # the only one who knows where the copy is
                copy = (await pickup.fetch()).newest
                assert copy.exists()
        return [copy], intake.roster()

    (copy,), roster = asyncio.run(go())
    assert len(roster.users) == 3
    assert not copy.exists()
    assert not copy.parent.exists()


def test_an_account_without_an_address_of_the_service_has_no_gradebook() -> None:
    async def go() -> None:
        one = account({"format": "canvas csv", "path": "x"}, url=None, client_id=None, client_secret=None)
        async with HttpConnections(Given()).gradebook(one, Ours()):
            pass

    with pytest.raises(ConnectionProblem) as caught:
        asyncio.run(go())
    assert caught.value.code == "GS-510"
