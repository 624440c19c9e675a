"""One measured part of `benchmarks.passback`, run in a process of its own: ours, the bare replay, or the script."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.table import Meter


def main() -> None:
    """Dispatch by the first argument and print one JSON line."""
    kind, canvas_url, sis_url, district, path, canvas, sis, how = sys.argv[1:]
    if kind == "ours":
        facts = asyncio.run(_ours(canvas_url, sis_url, district, path, int(canvas), int(sis), how))
    elif kind == "bare":
        facts = asyncio.run(
            _bare(sis_url, district, json.loads(Path(path).read_text()), int(canvas), int(sis))
        )
    else:
        from benchmarks.sequential import carry

        with Meter() as meter:
            sent = carry(canvas_url, sis_url, district)
        facts = {"sent": sent, **meter.facts}
    print(json.dumps(facts))


async def _ours(
    canvas_url: str, sis_url: str, district: str, path: str, canvas: int, sis: int, how: str
) -> dict[str, float]:
    from gradesync.__main__ import YOUNG_OBJECTS
    from gradesync.domain.definition import (
        Desired,
        DesiredAccount,
        DesiredSchedule,
        canonical,
        digest,
    )
    from gradesync.domain.problem import Place
    from gradesync.domain.run import Actor, Mode
    from gradesync.domain.schedule import ScheduleId
    from gradesync.engine import requests
    from gradesync.engine.reconcile import PassOptions, reconcile
    from gradesync.engine.tools import Tools
    from gradesync.store.holder import this_holder
    from gradesync.store.open import open_store

    account = {
        "account": district,
        "name": district,
        "time_zone": "America/New_York",
        "canvas": {"url": canvas_url, "token": "", "concurrency": canvas},
        "sis": {
            "profile": "genesis",
            "url": sis_url,
            "client_id": "",
            "client_secret": "",
            "concurrency": sis,
        },
        "passback": {"excused": "exempt"},
        "scope": {"terms": "all", "schools": "all"},
    }
    schedule = {
        "type": "grade passback",
        "interval": "every 15 minutes",
        "canonical_interval": "every 15 minutes",
        "time_zone": "America/New_York",
        "first_run": "2026-09-01 07:00",
        "state": "active",
    }
    wanted = DesiredSchedule("grades", canonical(schedule), digest(schedule))
    desired = Desired(
        {
            district: DesiredAccount(
                district, "s.yaml", canonical(account), digest(account), {"grades": wanted}
            )
        },
        frozenset(),
        1,
        None,
        lambda file, _: Place(file),
    )
    store = open_store(path, create=True)
    tools = Tools(store, _Connections(), _Keys(), _Quiet(), this_holder("bench"), Actor("bench", "benchmark"))
    await reconcile(tools, PassOptions(desired=desired, run_syncs=False))
    mode = Mode.FULL if how == "full" else Mode.DELTA
    requests.request_run(tools, ScheduleId(district, "grades"), mode, None)
    _warm_up()
    # As the command does at its start.
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    with Meter() as meter:
        report = await reconcile(tools, PassOptions(desired=desired))
    result = report.ends[0].result
    assert result is not None
    store.close()
    sent, items = result.counts.get("sent", 0), result.counts.get("line items sent", 0)
    return {"sent": sent, "line items": items, **meter.facts}


def _warm_up() -> None:
    """Import what the run will need, as the bare client has before its clock starts: start-up is measured elsewhere."""
    for module in ("auth", "canvas", "http", "oneroster"):
        importlib.import_module(f"gradesync.connectors.{module}")
    importlib.import_module("gradesync.syncs.grade_passback")


class _Connections:
    """Straight connections with the sandbox's known credentials."""

    def _canvas(self, account: Any, guard: Any) -> Any:
        from gradesync.connectors.auth import BearerToken
        from gradesync.connectors.http import HttpClient

        return HttpClient(
            account.canvas.url,
            side="canvas",
            auth=BearerToken(f"sandbox-canvas-{account.key}"),
            concurrency=account.canvas.concurrency,
            guard=guard.check,
        )

    @asynccontextmanager
    async def gradebook(self, account: Any, guard: Any) -> Any:
        from gradesync.connectors.auth import ClientCredentials
        from gradesync.connectors.canvas import CanvasReader
        from gradesync.connectors.http import HttpClient
        from gradesync.connectors.oneroster import OneRosterConnector

        profile = account.sis.profile
        auth = ClientCredentials(
            account.sis.token_url,
            f"sandbox-id-{account.key}",
            f"sandbox-secret-{account.key}",
            profile.write_scopes,
        )
        sis = HttpClient(
            account.sis.gradebook_url,
            side="sis",
            auth=auth,
            concurrency=profile.concurrency,
            guard=guard.check,
        )
        async with self._canvas(account, guard) as canvas, sis:
            yield CanvasReader(canvas, account.scope), OneRosterConnector(sis, profile)

    def gradebook_readonly(self, _account: Any) -> Any:
        raise AssertionError("benchmarks run for real")

    def roster(self, _account: Any, _guard: Any) -> Any:
        raise AssertionError("benchmarks carry grades only")

    def roster_readonly(self, _account: Any) -> Any:
        raise AssertionError("benchmarks carry grades only")

    def spool(self) -> Any:
        raise AssertionError("benchmarks carry grades only")


class _Keys:
    def keyed(self, account: str) -> Any:
        from gradesync.domain.keyed import KeyedHash

        return KeyedHash(b"benchmark-benchmark-benchmark-32", account)


class _Quiet:
    def stage(self, *_: object) -> None:
        """Nobody watches."""

    def say(self, *_: object) -> None:
        """Nobody listens."""

    def ended(self, *_: object) -> None:
        """Nobody counts."""


async def _bare(
    sis_url: str, district: str, requests: list[tuple[str, str, str]], canvas: int, sis: int
) -> dict[str, float]:
    import aiohttp
    from yarl import URL

    origin = sis_url.split(f"/{district}/")[0]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=canvas + sis)) as session:
        form = {
            "grant_type": "client_credentials",
            "scope": " ".join(
                f"https://purl.imsglobal.org/spec/or/v1p1/scope/{name}"
                for name in (
                    "roster.readonly",
                    "roster-core.readonly",
                    "gradebook.readonly",
                    "gradebook.createput",
                )
            ),
        }
        basic = aiohttp.BasicAuth(f"sandbox-id-{district}", f"sandbox-secret-{district}")
        async with session.post(f"{sis_url}/token", data=form, auth=basic) as answer:
            sis_token = (await answer.json())["access_token"]

        async def worker(todo: Iterator[tuple[str, str, str]], token: str) -> None:
            for method, raw_path, body in todo:
                if raw_path.endswith("/token"):
                    continue
                headers = {"Authorization": f"Bearer {token}", "User-Agent": "bare"}
                if body:
                    headers["Content-Type"] = "application/json"
                url = URL(origin + raw_path, encoded=True)
                async with session.request(
                    method, url, data=body.encode() if body else None, headers=headers
                ) as reply:
                    await reply.read()
                    if reply.status >= 400:
                        raise SystemExit(f"replay answered {reply.status}")

        # Each side keeps its own connections, as ours does; neither waits for the other.
        to_canvas = iter([one for one in requests if "/canvas/" in one[1]])
        to_sis = iter([one for one in requests if "/canvas/" not in one[1]])
        with Meter() as meter:
            await asyncio.gather(
                *(worker(to_canvas, f"sandbox-canvas-{district}") for _ in range(canvas)),
                *(worker(to_sis, sis_token) for _ in range(sis)),
            )
    return {"requests": len(requests), **meter.facts}


if __name__ == "__main__":
    main()
