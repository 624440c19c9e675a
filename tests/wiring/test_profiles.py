"""Every profile, opened as a run opens it, reads and writes the made-up SIS over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from gradesync.domain.account import Account
from gradesync.domain.profile import PROFILES
from gradesync.sandbox.server import Sandbox, running
from gradesync.wiring.connections import HttpConnections
from tests.connectors.sinks import class_with_students, new_item, new_result
from tests.domain.plan_samples import definition

KEY = "riverside"
ELSEWHERE = {
    "infinite-campus": {
        "token_path": "/token?appName=gradesync",
        "rostering_path": "/ims/oneroster/rostering/v1p2",
        "gradebook_path": "/ims/oneroster/gradebook/v1p2",
        "headers": {"X-Vendor-Authorization": "env:VENDOR"},
    }
}
"""What an account of that profile would write to reach the sandbox, which lives at other paths."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running((KEY,), students=40, today=date(2026, 11, 23)) as found:
        yield found


class Ours:
    """A lease that is never lost."""

    run = ""

    def check(self) -> None:
        return None


class Keys:
    """The sandbox's own credentials, by the name of what is asked for."""

    def __init__(self, sandbox: Sandbox) -> None:
        school = sandbox.schools[KEY]
        self._known = {"SIS client id": school.sis.client_id, "SIS client secret": school.sis.client_secret}

    def value(self, reference: str, account: str, name: str) -> str:
        return self._known.get(name, "obviously-fake")


def account(sandbox: Sandbox, profile: str, mode: str) -> Account:
    sis: dict[str, Any] = {
        **definition(KEY)["sis"],
        "url": sandbox.sis_url(KEY),
        "profile": profile,
        "write_mode": mode,
        **ELSEWHERE.get(profile, {}),
    }
    canvas = {"url": sandbox.canvas_url(KEY), "token": "env:TOKEN"}
    policy = {"deletions": "delete"}
    return Account.from_definitions(KEY, definition(KEY, sis=sis, canvas=canvas, passback=policy), {})


WAYS = [
    (name, mode)
    for name, profile in PROFILES.items()
    for mode in ("put", "post", "server_ids")
    if mode != "post" or profile.version == "1.2"
]


@pytest.mark.parametrize(("profile", "mode"), WAYS, ids=[f"{name} {mode}" for name, mode in WAYS])
def test_a_profile_reads_writes_and_removes(sandbox: Sandbox, profile: str, mode: str) -> None:
    sandbox.schools[KEY].sis.behaviour.write_mode = mode.replace("_", "-")

    async def run() -> None:
        class_id = class_with_students(sandbox)
        connections = HttpConnections(Keys(sandbox))
        async with connections.gradebook(account(sandbox, profile, mode), Ours()) as (_, sink):
            assert await sink.identity()
            student = min((await sink.read_class(class_id)).students)
            item = await new_item(sink, class_id)
            held = await sink.put_line_item(item)
            cell = await sink.put_result(new_result(item, student, line_item_id=held))
            assert [one.id for one in await sink.read_line_item_results(class_id, held)] == [cell]
            await sink.delete_result(cell)
            await sink.delete_line_item(held)
            assert held not in {one.id for one in await sink.read_line_items(class_id)}

    asyncio.run(run())
